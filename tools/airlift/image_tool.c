/* SPDX-License-Identifier: Apache-2.0 */
#include "image_tool.h"

#include <inttypes.h>
#include <stdio.h>

#include "formats/bootloader_desc.h"

fmt_image_status_t image_verify_memory(fmt_image_verifier_t *v, const fmt_image_params_t *params,
                                       const uint8_t *data, size_t len)
{
    fmt_image_params_t bounded = *params;
    fmt_image_need_t need;

    if (bounded.partition_size > len) {
        bounded.partition_size = (uint32_t)len;
    }
    fmt_image_begin(v, &bounded);
    while (fmt_image_need(v, &need)) {
        fmt_image_feed(v, data + need.offset, need.remaining);
    }
    fmt_image_end(v);
    return v->status;
}

bool image_is_bootloader(const uint8_t *data, size_t len)
{
    const size_t at = FMT_APP_DESC_IMAGE_OFFSET;
    fmt_app_desc_t app;
    fmt_bootloader_desc_t boot;
    fmt_image_header_t header;
    fmt_image_verifier_t v;
    fmt_image_params_t params = {0};

    if (len > at && fmt_app_desc_decode(data + at, len - at, &app) == ESP_OK) {
        return false;
    }
    if (len > at && fmt_bootloader_desc_decode(data + at, len - at, &boot) == ESP_OK &&
        boot.reserved[0] == 0 && boot.reserved[1] == 0) {
        return true;
    }
    if (len < FMT_IMAGE_HEADER_SIZE) {
        return false;
    }
    fmt_image_header_decode(data, &header);
    params.chip = fmt_chip_by_id(header.chip_id);
    if (params.chip == NULL) {
        return false;
    }
    params.partition_size = fmt_chip_image_limit(params.chip);
    params.flags = FMT_IMAGE_METADATA | FMT_IMAGE_BOOTLOADER;
    image_verify_memory(&v, &params, data, len);
    for (unsigned i = 0; i < v.segment_count; i++) {
        if (v.segments[i].use == FMT_SEGMENT_MAP) {
            return false;
        }
    }
    return v.segment_count > 0;
}

const char *image_status_text(const fmt_image_verifier_t *v, char *text, size_t size)
{
    fmt_log_line_t line;

    if (v->status == FMT_IMAGE_OK) {
        snprintf(text, size, "valid");
    } else if (v->status == FMT_IMAGE_BAD_MAGIC) {
        snprintf(text, size, "magic byte is 0x%02" PRIx32 ", an image starts with 0x%02x", v->value,
                 (unsigned)FMT_IMAGE_MAGIC);
    } else if (v->status == FMT_IMAGE_DOES_NOT_FIT) {
        snprintf(text, size,
                 "cut short: at least %" PRIu32 " bytes belong to it, %" PRIu32 " are there",
                 v->value, v->expected);
    } else if (fmt_image_status_line(v, &line)) {
        snprintf(text, size, "%s", line.text);
    } else {
        snprintf(text, size, "cannot be examined");
    }
    return text;
}
