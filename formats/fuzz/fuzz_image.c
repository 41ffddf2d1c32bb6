/* SPDX-License-Identifier: Apache-2.0
 *
 * The image verifier, in every mode and chunking. Input: 16 bytes of parameters, then the image. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "formats/image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static fmt_image_verifier_t v;
    fmt_image_params_t params;
    fmt_image_need_t need;
    fmt_log_line_t line;
    uint32_t chunk, position = 0;

    if (size < 16) {
        return 0;
    }
    memset(&params, 0, sizeof(params));
    params.chip = fmt_chip_at(data[0] % fmt_chip_count());
    params.flags = (uint32_t)(data[1] | (data[2] & 1) << 8);
    params.signature = (fmt_image_signature_t)(data[2] / 2 % 3);
    params.flash_address = (uint32_t)data[3] << 24 | (uint32_t)data[4] << 12;
    params.mmu_page = data[5] < 128 ? 0 : 1u << (12 + data[5] % 8);
    params.chip_revision = data[6];
    params.efuse_blk_rev = data[7];
    params.secure_version = data[8] % 4;
    chunk = 1u + data[9];
    params.partition_size = (data[10] & 1) != 0 ? 0x100000 : (uint32_t)(size - 16);
    data += 16;
    size -= 16;
    fmt_image_begin(&v, &params);
    while (fmt_image_need(&v, &need)) {
        uint32_t len = need.remaining < chunk ? need.remaining : chunk;
        uint8_t *exact;

        CHECK((uint64_t)need.offset + need.remaining <= params.partition_size);
        CHECK(need.offset >= position);
        CHECK(need.remaining > 0 || need.kind == FMT_IMAGE_NEED_SEGMENT_DATA);
        if (need.offset >= size) {
            break; /* flash would go on; the interesting part is over */
        }
        if (len > size - need.offset) {
            len = (uint32_t)(size - need.offset);
        }
        if (need.kind == FMT_IMAGE_NEED_SEGMENT_DATA && need.segment_start) {
            CHECK(need.segment < FMT_IMAGE_MAX_SEGMENTS);
            fmt_image_segment_line(&v, &need, true, &line);
            if (need.use == FMT_SEGMENT_LOAD &&
                !fmt_chip_may_load(params.chip, need.load_address, need.length) &&
                (params.flags & FMT_IMAGE_BOOTLOADER) == 0) {
                fmt_image_refuse_segment(&v, "bad load address range");
                break;
            }
        }
        exact = malloc(len + 1u); /* of its own, so that reading past it is seen */
        CHECK(exact != NULL);
        memcpy(exact, data + need.offset, len);
        position = need.offset + len;
        fmt_image_feed(&v, exact, len);
        free(exact);
    }
    fmt_image_end(&v);
    CHECK(v.segment_count <= FMT_IMAGE_MAX_SEGMENTS);
    if (v.status != FMT_IMAGE_OK && v.status != FMT_IMAGE_BAD_ARGUMENT) {
        CHECK(fmt_image_status_line(&v, &line) && line.text[0] != '\0');
        CHECK(fmt_image_status_err(v.status) != ESP_OK);
    }
    return 0;
}
