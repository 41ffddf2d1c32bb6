/* SPDX-License-Identifier: Apache-2.0 */
#include "esp_image_format.h"

#include <stdlib.h>
#include <string.h>

#include "formats/image.h"
#include "hal/chip.h"

#include "bootloader_common.h"
#include "esp_flash_internal.h"
#include "esp_image_internal.h"
#include "esp_log.h"
#include "esp_private/storage_lock.h"
#include "flash_reader.h"
#include "image_run.h"
#include "log_line.h"
#include "sdkconfig.h"

static const char TAG[] = "esp_image";

_Static_assert(sizeof(esp_chip_id_t) == 2, "a chip id takes two bytes");
_Static_assert(sizeof(esp_image_header_t) == FMT_IMAGE_HEADER_SIZE, "one header layout");
_Static_assert(sizeof(esp_image_segment_header_t) == FMT_IMAGE_SEGMENT_HEADER_SIZE,
               "one segment header layout");

static storage_lock_t s_lock = STORAGE_LOCK_INITIALIZER;
static uint32_t s_bootloader_offset = ESP_PRIMARY_BOOTLOADER_OFFSET;

uint32_t esp_image_bootloader_offset_get(void)
{
    storage_lock(&s_lock);
    uint32_t offset = s_bootloader_offset;
    storage_unlock(&s_lock);
    return offset;
}

void esp_image_bootloader_offset_set(const uint32_t offset)
{
    storage_lock(&s_lock);
    s_bootloader_offset = offset;
    storage_unlock(&s_lock);
    ESP_LOGI(TAG, "Bootloader offsets for PRIMARY: 0x%x, Secondary: 0x%x",
             (unsigned)ESP_PRIMARY_BOOTLOADER_OFFSET, (unsigned)offset);
}

static bool is_bootloader(uint32_t address)
{
    return address == ESP_PRIMARY_BOOTLOADER_OFFSET || address == esp_image_bootloader_offset_get();
}

static void print_segment(const fmt_image_verifier_t *v, const fmt_image_need_t *need)
{
    fmt_log_line_t line;
    fmt_image_segment_line(v, need, false, &line);
    log_line_print(&line);
}

/* The lines of a verification that left the segments' content out. */
static void print_segments(const fmt_image_verifier_t *v)
{
    for (unsigned i = 0; i < v->segment_count; i++) {
        const fmt_image_need_t segment = {
            .kind = FMT_IMAGE_NEED_SEGMENT_DATA,
            .offset = v->segments[i].data_offset,
            .segment = i,
            .segment_start = true,
            .load_address = v->segments[i].load_address,
            .length = v->segments[i].length,
            .use = v->segments[i].use,
        };
        print_segment(v, &segment);
    }
}

/* Runs the verifier to its end. A flash error is returned as it is, everything else stands in
 * v->status. */
static esp_err_t feed_all(fmt_image_verifier_t *v, const esp_partition_pos_t *part, bool lines)
{
    flash_reader_t reader;
    esp_err_t err = flash_reader_open(&reader, part->offset, part->size);
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "no memory to read the image at 0x%x", (unsigned)part->offset);
        return err;
    }
    fmt_image_need_t need;
    while (err == ESP_OK && fmt_image_need(v, &need)) {
        if (lines && need.kind == FMT_IMAGE_NEED_SEGMENT_DATA && need.segment_start) {
            print_segment(v, &need);
        }
        const void *data = NULL;
        size_t len = need.remaining;
        if (len > 0) {
            err = flash_reader_get(&reader, need.offset, &data, &len);
            if (err != ESP_OK) {
                ESP_LOGE(TAG, "cannot read the image at 0x%x: flash error 0x%x",
                         (unsigned)(part->offset + need.offset), (unsigned)err);
                break;
            }
        }
        (void)fmt_image_feed(v, data, len);
    }
    flash_reader_close(&reader);
    return err;
}

static void fill_metadata(const fmt_image_verifier_t *v, uint32_t address,
                          esp_image_metadata_t *data)
{
    memset(data, 0, sizeof(*data));
    data->start_addr = address;
    fmt_image_header_encode(&v->header, &data->image);
    for (unsigned i = 0; i < v->segment_count && i < ESP_IMAGE_MAX_SEGMENTS; i++) {
        data->segments[i].load_addr = v->segments[i].load_address;
        data->segments[i].data_len = v->segments[i].length;
        data->segment_data[i] = address + v->segments[i].data_offset;
    }
    data->image_len = v->image_len;
    memcpy(data->image_digest, v->header.hash_appended ? v->stored_digest : v->digest,
           sizeof(data->image_digest));
    data->secure_version = v->has_desc ? v->app_desc.secure_version : 0;
    data->mmu_page_size = v->mmu_page;
}

esp_err_t image_run(const esp_partition_pos_t *part, uint32_t flags, image_lines_t lines,
                    fmt_image_verifier_t *v)
{
    const fmt_image_params_t params = {
        .chip = hal_chip(),
        .flash_address = part->offset,
        .partition_size = part->size,
        .chip_revision = hal_chip_revision(),
        .flags = flags | (is_bootloader(part->offset) ? FMT_IMAGE_BOOTLOADER : 0),
    };
    esp_err_t err = ESP_OK;
    if (fmt_image_begin(v, &params) == FMT_IMAGE_OK) {
        bool metadata = (flags & FMT_IMAGE_METADATA) == FMT_IMAGE_METADATA;
        err = feed_all(v, part, lines == IMAGE_LINES_ALL && !metadata);
        if (lines == IMAGE_LINES_ALL && metadata) {
            print_segments(v);
        }
    }
    fmt_image_end(v);
    if (err != ESP_OK) {
        return err;
    }
    fmt_log_line_t line;
    if (lines != IMAGE_LINES_NONE && fmt_image_status_line(v, &line) &&
        (lines == IMAGE_LINES_ALL || !line.not_silent)) {
        log_line_print(&line);
    }
    return fmt_image_status_err(v->status);
}

static esp_err_t check(const esp_partition_pos_t *part, uint32_t flags, image_lines_t lines,
                       esp_image_metadata_t *data)
{
    if (data == NULL || part == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    memset(data, 0, sizeof(*data));
    fmt_image_verifier_t *v = malloc(sizeof(*v)); /* too large for a small task's stack */
    if (v == NULL) {
        ESP_LOGE(TAG, "no memory to verify the image at 0x%x", (unsigned)part->offset);
        return ESP_ERR_NO_MEM;
    }
    esp_err_t err = image_run(part, flags, lines, v);
    if (err == ESP_OK) {
        fill_metadata(v, part->offset, data);
    }
    free(v);
    return err;
}

esp_err_t esp_image_verify(esp_image_load_mode_t mode, const esp_partition_pos_t *part,
                           esp_image_metadata_t *data)
{
    if (mode != ESP_IMAGE_VERIFY && mode != ESP_IMAGE_VERIFY_SILENT) {
        return ESP_ERR_INVALID_ARG;
    }
    esp_flash_ticket_t ticket = esp_flash_verified_begin();
    esp_err_t err =
        check(part, 0, mode == ESP_IMAGE_VERIFY ? IMAGE_LINES_ALL : IMAGE_LINES_SILENT, data);
    /* A bootloader is checked by milder rules, so its result does not stand for an application. */
    if (err == ESP_OK && !is_bootloader(part->offset)) {
        esp_flash_verified_keep(ticket, part->offset, part->size);
    }
    return err;
}

esp_err_t esp_image_verify_again(const esp_partition_pos_t *part, esp_image_metadata_t *data)
{
    if (part != NULL && esp_flash_verified_still(part->offset, part->size)) {
        return check(part, FMT_IMAGE_METADATA, IMAGE_LINES_ALL, data);
    }
    return esp_image_verify(ESP_IMAGE_VERIFY, part, data);
}

esp_err_t esp_image_get_metadata(const esp_partition_pos_t *part, esp_image_metadata_t *metadata)
{
    return check(part, FMT_IMAGE_METADATA, IMAGE_LINES_NONE, metadata);
}

esp_err_t esp_image_verify_bootloader_data(esp_image_metadata_t *data)
{
    const esp_partition_pos_t part = {
        .offset = esp_image_bootloader_offset_get(),
        .size = ESP_BOOTLOADER_SIZE,
    };
    return esp_image_verify(ESP_IMAGE_VERIFY, &part, data);
}

esp_err_t esp_image_verify_bootloader(uint32_t *length)
{
    esp_image_metadata_t data;
    esp_err_t err = esp_image_verify_bootloader_data(&data);
    if (length != NULL) {
        *length = err == ESP_OK ? data.image_len : 0;
    }
    return err;
}

int esp_image_get_flash_size(esp_image_flash_size_t app_flash_size)
{
    unsigned code = (unsigned)app_flash_size;
    return code <= UINT8_MAX ? (int)fmt_flash_size_bytes((uint8_t)code) : 0;
}
