/* SPDX-License-Identifier: Apache-2.0 */
#include "nvs_page.h"

#include <string.h>

#include "nvs.h"
#include "sdkconfig.h"

static uint32_t entry_offset(const nvs_page_t *page, unsigned index)
{
    return page->offset + FMT_NVS_ENTRIES_OFFSET + index * FMT_NVS_ENTRY_SIZE;
}

static const uint8_t *entry_in(const uint8_t *raw, unsigned index)
{
    return raw + FMT_NVS_ENTRIES_OFFSET + index * FMT_NVS_ENTRY_SIZE;
}

static bool blank(const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] != 0xFF) {
            return false;
        }
    }
    return true;
}

static fmt_nvs_entry_state_t state_of(const nvs_page_t *page, unsigned index)
{
    return fmt_nvs_entry_state(page->bitmap, index);
}

static bool in_use(const nvs_page_t *page)
{
    return page->state == NVS_PAGE_ACTIVE || page->state == NVS_PAGE_FULL ||
           page->state == NVS_PAGE_FREEING;
}

/* Sets the states of [index, index + count) in RAM and, in one operation, in flash. */
static esp_err_t program_states(const nvs_device_t *device, nvs_page_t *page, unsigned index,
                                unsigned count, fmt_nvs_entry_state_t state)
{
    uint8_t bitmap[FMT_NVS_BITMAP_SIZE];
    memcpy(bitmap, page->bitmap, sizeof(bitmap));
    unsigned before = 0;
    for (unsigned i = index; i < index + count; i++) {
        before += fmt_nvs_entry_state(bitmap, i) == FMT_NVS_ENTRY_WRITTEN ? 1 : 0;
        fmt_nvs_entry_set_state(bitmap, i, state);
    }
    if (!device->read_only) {
        unsigned first = index / 4;
        unsigned last = (index + count - 1) / 4;
        esp_err_t err =
            esp_partition_write(device->partition, page->offset + FMT_NVS_BITMAP_OFFSET + first,
                                bitmap + first, last - first + 1);
        if (err != ESP_OK) {
            return err;
        }
    }
    memcpy(page->bitmap, bitmap, sizeof(bitmap));
    unsigned after = state == FMT_NVS_ENTRY_WRITTEN ? count : 0;
    page->written = (uint8_t)(page->written - before + after);
    return ESP_OK;
}

/* The same in as many operations as are safe. */
static esp_err_t set_states(const nvs_device_t *device, nvs_page_t *page, unsigned index,
                            unsigned count, fmt_nvs_entry_state_t state)
{
    if (count == 0) {
        return ESP_OK;
    }
    /* From EMPTY to ERASED two bits change. A cut between them could leave WRITTEN, and make an
     * item whole that is not; so they go by way of ILLEGAL, which a load erases. */
    for (unsigned i = index; i < index + count && state == FMT_NVS_ENTRY_ERASED; i++) {
        if (state_of(page, i) == FMT_NVS_ENTRY_EMPTY) {
            esp_err_t err = program_states(device, page, i, 1, FMT_NVS_ENTRY_ILLEGAL);
            if (err != ESP_OK) {
                return err;
            }
        }
    }
    return program_states(device, page, index, count, state);
}

/* --- loading --- */

static bool all_written(const nvs_page_t *page, unsigned index, unsigned span)
{
    for (unsigned i = index; i < index + span; i++) {
        if (state_of(page, i) != FMT_NVS_ENTRY_WRITTEN) {
            return false;
        }
    }
    return true;
}

/* Entries that were programmed but not marked (an interrupted write) cannot be written again. */
static esp_err_t find_next_free(const nvs_device_t *device, nvs_page_t *page, const uint8_t *raw)
{
    unsigned end = FMT_NVS_PAGE_ENTRIES;
    while (end > 0 && state_of(page, end - 1) == FMT_NVS_ENTRY_EMPTY &&
           blank(entry_in(raw, end - 1), FMT_NVS_ENTRY_SIZE)) {
        end--;
    }
    page->next_free = (uint8_t)end;
    for (unsigned i = 0; i < end; i++) {
        if (state_of(page, i) == FMT_NVS_ENTRY_EMPTY) {
            esp_err_t err = set_states(device, page, i, 1, FMT_NVS_ENTRY_ERASED);
            if (err != ESP_OK) {
                return err;
            }
        }
    }
    return ESP_OK;
}

/* Erases items of the page that the one at index replaces: power was cut before that happened. */
static esp_err_t erase_replaced(const nvs_device_t *device, nvs_page_t *page, const uint8_t *raw,
                                const fmt_nvs_entry_t *entry, unsigned index)
{
    for (unsigned i = 0; i < index;) {
        fmt_nvs_entry_t earlier;
        if (state_of(page, i) != FMT_NVS_ENTRY_WRITTEN ||
            !fmt_nvs_entry_decode(entry_in(raw, i), &earlier)) {
            i++;
            continue;
        }
        bool same = earlier.ns == entry->ns && earlier.chunk == entry->chunk &&
                    strcmp(earlier.key, entry->key) == 0;
#ifdef CONFIG_NVS_LEGACY_DUP_KEYS_COMPATIBILITY
        same = same && earlier.type == entry->type;
#endif
        if (same) {
            esp_err_t err = nvs_page_erase_item(device, page, i, earlier.span, false);
            if (err != ESP_OK) {
                return err;
            }
        }
        i += earlier.span;
    }
    return ESP_OK;
}

/* Erases what is not a whole item. When it comes to an entry, all before it are whole items. */
static esp_err_t repair_items(const nvs_device_t *device, nvs_page_t *page, const uint8_t *raw)
{
    for (unsigned i = 0; i < FMT_NVS_PAGE_ENTRIES;) {
        fmt_nvs_entry_state_t state = state_of(page, i);
        if (state == FMT_NVS_ENTRY_EMPTY || state == FMT_NVS_ENTRY_ERASED) {
            i++;
            continue;
        }
        fmt_nvs_entry_t entry;
        unsigned span = 1;
        bool whole = false;
        if (state == FMT_NVS_ENTRY_WRITTEN && fmt_nvs_entry_decode(entry_in(raw, i), &entry) &&
            fmt_nvs_entry_consistent(&entry, i)) {
            span = entry.span;
            whole = all_written(page, i, span);
        }
        esp_err_t err = ESP_OK;
        if (!whole) {
            err = nvs_page_erase_item(device, page, i, span, false);
            if (page->next_free < i + span) {
                page->next_free = (uint8_t)(i + span);
            }
        } else if (page->state == NVS_PAGE_ACTIVE) {
            err = erase_replaced(device, page, raw, &entry, i);
        }
        if (err != ESP_OK) {
            return err;
        }
        i += span;
    }
    return ESP_OK;
}

/* A page that read blank is read once more: bits of an interrupted erase may read either way. */
static esp_err_t load_blank(const nvs_device_t *device, nvs_page_t *page, uint8_t *raw)
{
    if (!blank(raw, FMT_NVS_PAGE_SIZE)) {
        return ESP_OK;
    }
    esp_err_t err = esp_partition_read(device->partition, page->offset, raw, FMT_NVS_PAGE_SIZE);
    if (err == ESP_OK && blank(raw, FMT_NVS_PAGE_SIZE)) {
        page->state = NVS_PAGE_FREE;
    }
    return err;
}

static nvs_page_state_t state_from_header(uint32_t state)
{
    if (state == FMT_NVS_STATE_ACTIVE) {
        return NVS_PAGE_ACTIVE;
    }
    return state == FMT_NVS_STATE_FULL ? NVS_PAGE_FULL : NVS_PAGE_FREEING;
}

esp_err_t nvs_page_load(const nvs_device_t *device, nvs_page_t *page, uint8_t *raw)
{
    page->seq = 0;
    page->next_free = FMT_NVS_PAGE_ENTRIES;
    page->written = 0;
    memset(page->bitmap, 0xFF, sizeof(page->bitmap));
    page->state = NVS_PAGE_DIRTY;

    esp_err_t err = esp_partition_read(device->partition, page->offset, raw, FMT_NVS_PAGE_SIZE);
    if (err != ESP_OK) {
        return err;
    }
    fmt_nvs_page_header_t header;
    switch (fmt_nvs_page_header_decode(raw, &header)) {
    case FMT_NVS_PAGE_BLANK:
        return load_blank(device, page, raw);
    case FMT_NVS_PAGE_CORRUPT:
        return ESP_OK;
    case FMT_NVS_PAGE_NEWER:
        return ESP_ERR_NVS_NEW_VERSION_FOUND;
    case FMT_NVS_PAGE_USED:
        break;
    }
    page->seq = header.seq;
    page->state = state_from_header(header.state);
    memcpy(page->bitmap, raw + FMT_NVS_BITMAP_OFFSET, sizeof(page->bitmap));
    for (unsigned i = 0; i < FMT_NVS_PAGE_ENTRIES; i++) {
        if (state_of(page, i) == FMT_NVS_ENTRY_WRITTEN) {
            page->written++;
        }
    }
    if (page->state == NVS_PAGE_ACTIVE) {
        err = find_next_free(device, page, raw);
    }
    return err != ESP_OK ? err : repair_items(device, page, raw);
}

/* --- the page as a whole --- */

esp_err_t nvs_page_wipe(const nvs_device_t *device, nvs_page_t *page)
{
    if (page->state != NVS_PAGE_DIRTY) {
        /* First the header, so that at no moment of the erase the page can look like a valid one
         * with old values in it. */
        static const uint8_t nothing[FMT_NVS_HEADER_SIZE];
        esp_err_t err =
            esp_partition_write(device->partition, page->offset, nothing, sizeof(nothing));
        if (err != ESP_OK) {
            return err;
        }
        page->state = NVS_PAGE_DIRTY;
    }
    esp_err_t err = esp_partition_erase_range(device->partition, page->offset, FMT_NVS_PAGE_SIZE);
    if (err == ESP_OK) {
        page->state = NVS_PAGE_FREE;
        page->written = 0;
        memset(page->bitmap, 0xFF, sizeof(page->bitmap));
    }
    return err;
}

esp_err_t nvs_page_start(const nvs_device_t *device, nvs_page_t *page, uint32_t seq)
{
    if (page->state == NVS_PAGE_DIRTY) {
        esp_err_t err = nvs_page_wipe(device, page);
        if (err != ESP_OK) {
            return err;
        }
    }
    page->state = NVS_PAGE_STARTED;
    page->seq = seq;
    page->next_free = 0;
    return ESP_OK;
}

static esp_err_t write_header(const nvs_device_t *device, nvs_page_t *page)
{
    const fmt_nvs_page_header_t header = {
        .state = FMT_NVS_STATE_ACTIVE,
        .seq = page->seq,
        .version = FMT_NVS_VERSION_2,
    };
    uint8_t raw[FMT_NVS_HEADER_SIZE];
    fmt_nvs_page_header_encode(&header, raw);
    esp_err_t err = esp_partition_write(device->partition, page->offset, raw, sizeof(raw));
    if (err == ESP_OK) {
        page->state = NVS_PAGE_ACTIVE;
    }
    return err;
}

esp_err_t nvs_page_mark(const nvs_device_t *device, nvs_page_t *page, nvs_page_state_t state)
{
    if (page->state == NVS_PAGE_STARTED) {
        esp_err_t err = write_header(device, page);
        if (err != ESP_OK) {
            return err;
        }
    }
    uint32_t value = state == NVS_PAGE_FULL ? FMT_NVS_STATE_FULL : FMT_NVS_STATE_FREEING;
    const uint8_t raw[4] = {(uint8_t)value, (uint8_t)(value >> 8), (uint8_t)(value >> 16),
                            (uint8_t)(value >> 24)};
    esp_err_t err = esp_partition_write(device->partition, page->offset, raw, sizeof(raw));
    if (err == ESP_OK) {
        page->state = state;
        page->next_free = FMT_NVS_PAGE_ENTRIES;
    }
    return err;
}

bool nvs_page_has_room(const nvs_page_t *page, unsigned span)
{
    return (page->state == NVS_PAGE_STARTED || page->state == NVS_PAGE_ACTIVE) &&
           page->next_free + span <= FMT_NVS_PAGE_ENTRIES;
}

/* --- items --- */

static esp_err_t write_entries(const nvs_device_t *device, const nvs_page_t *page, unsigned index,
                               const void *data, size_t len)
{
    return esp_partition_write(device->partition, entry_offset(page, index), data, len);
}

/* Writes the header entry and marks it: from here on a load knows which entries belong to it, and
 * erases them all until the last of them is marked too. */
static esp_err_t append_header(const nvs_device_t *device, nvs_page_t *page,
                               const fmt_nvs_entry_t *entry)
{
    if (!nvs_page_has_room(page, entry->span)) {
        return ESP_ERR_NVS_PAGE_FULL;
    }
    if (page->state == NVS_PAGE_STARTED) {
        esp_err_t err = write_header(device, page);
        if (err != ESP_OK) {
            return err;
        }
    }
    uint8_t raw[FMT_NVS_ENTRY_SIZE];
    fmt_nvs_entry_encode(entry, raw);
    unsigned index = page->next_free;
    esp_err_t err = write_entries(device, page, index, raw, sizeof(raw));
    if (err == ESP_OK) {
        err = set_states(device, page, index, 1, FMT_NVS_ENTRY_WRITTEN);
    }
    if (err == ESP_OK) {
        page->next_free = (uint8_t)(index + entry->span);
    }
    return err;
}

esp_err_t nvs_page_append(const nvs_device_t *device, nvs_page_t *page,
                          const fmt_nvs_entry_t *entry, const void *data, size_t size,
                          unsigned *index)
{
    *index = page->next_free;
    esp_err_t err = append_header(device, page, entry);
    unsigned whole = (unsigned)(size / FMT_NVS_ENTRY_SIZE);
    if (err == ESP_OK && whole > 0) {
        err = write_entries(device, page, *index + 1, data, whole * FMT_NVS_ENTRY_SIZE);
        if (err == ESP_OK) {
            err = set_states(device, page, *index + 1, whole, FMT_NVS_ENTRY_WRITTEN);
        }
    }
    size_t rest = size % FMT_NVS_ENTRY_SIZE;
    if (err == ESP_OK && rest > 0) {
        uint8_t tail[FMT_NVS_ENTRY_SIZE];
        memset(tail, 0xFF, sizeof(tail));
        memcpy(tail, (const uint8_t *)data + size - rest, rest);
        err = write_entries(device, page, *index + 1 + whole, tail, sizeof(tail));
        if (err == ESP_OK) {
            err = set_states(device, page, *index + 1 + whole, 1, FMT_NVS_ENTRY_WRITTEN);
        }
    }
    return err;
}

esp_err_t nvs_page_append_copy(const nvs_device_t *device, nvs_page_t *page, const nvs_page_t *from,
                               const fmt_nvs_entry_t *entry, unsigned index)
{
    unsigned to = page->next_free;
    esp_err_t err = append_header(device, page, entry);
    for (unsigned i = 1; err == ESP_OK && i < entry->span;) {
        uint8_t piece[8 * FMT_NVS_ENTRY_SIZE];
        unsigned count = entry->span - i < 8 ? entry->span - i : 8;
        err = esp_partition_read(device->partition, entry_offset(from, index + i), piece,
                                 count * FMT_NVS_ENTRY_SIZE);
        if (err == ESP_OK) {
            err = write_entries(device, page, to + i, piece, count * FMT_NVS_ENTRY_SIZE);
        }
        i += count;
    }
    if (err == ESP_OK) {
        err = set_states(device, page, to + 1, entry->span - 1u, FMT_NVS_ENTRY_WRITTEN);
    }
    return err;
}

esp_err_t nvs_page_erase_item(const nvs_device_t *device, nvs_page_t *page, unsigned index,
                              unsigned span, bool purge)
{
    /* The header last: while it stands, a load knows what belongs to it. */
    esp_err_t err = set_states(device, page, index + 1, span - 1, FMT_NVS_ENTRY_ERASED);
    if (err == ESP_OK) {
        err = set_states(device, page, index, 1, FMT_NVS_ENTRY_ERASED);
    }
    if (err == ESP_OK && purge && !device->read_only) {
        static const uint8_t zeros[FMT_NVS_ENTRY_SIZE];
        for (unsigned i = index; err == ESP_OK && i < index + span; i++) {
            err = write_entries(device, page, i, zeros, sizeof(zeros));
        }
    }
    return err;
}

esp_err_t nvs_page_next(const nvs_device_t *device, nvs_page_t *page, unsigned *index,
                        fmt_nvs_entry_t *entry, unsigned *at)
{
    if (!in_use(page)) {
        return ESP_ERR_NVS_NOT_FOUND;
    }
    while (*index < FMT_NVS_PAGE_ENTRIES) {
        unsigned i = *index;
        if (state_of(page, i) != FMT_NVS_ENTRY_WRITTEN) {
            *index = i + 1;
            continue;
        }
        uint8_t raw[FMT_NVS_ENTRY_SIZE];
        esp_err_t err =
            esp_partition_read(device->partition, entry_offset(page, i), raw, sizeof(raw));
        if (err != ESP_OK) {
            return err;
        }
        if (fmt_nvs_entry_decode(raw, entry) && fmt_nvs_entry_consistent(entry, i)) {
            *at = i;
            *index = i + entry->span;
            return ESP_OK;
        }
        err = nvs_page_erase_item(device, page, i, 1, false);
        if (err != ESP_OK) {
            return err;
        }
        *index = i + 1;
    }
    return ESP_ERR_NVS_NOT_FOUND;
}

esp_err_t nvs_page_read_data(const nvs_device_t *device, const nvs_page_t *page, unsigned index,
                             size_t offset, void *out, size_t len)
{
    return esp_partition_read(device->partition, entry_offset(page, index + 1) + offset, out, len);
}
