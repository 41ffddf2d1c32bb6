/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/nvs.h"

#include <string.h>

#include "bytes.h"
#include "formats/crc32.h"

#define CRC_START 0xFFFFFFFFu

/* Offsets in a page header and in an entry. */
enum {
    PAGE_STATE = 0,
    PAGE_SEQ = 4,
    PAGE_VERSION = 8,
    PAGE_CRC = 28,

    ENTRY_NS = 0,
    ENTRY_TYPE = 1,
    ENTRY_SPAN = 2,
    ENTRY_CHUNK = 3,
    ENTRY_CRC = 4,
    ENTRY_KEY = 8,
    ENTRY_DATA = 24,

    /* In the data of a string or chunk, and of a blob index. */
    DATA_SIZE = 0,
    DATA_CRC = 4,
    INDEX_SIZE = 0,
    INDEX_COUNT = 4,
    INDEX_START = 5,
};

fmt_nvs_page_kind_t fmt_nvs_page_header_decode(const void *raw, fmt_nvs_page_header_t *header)
{
    const uint8_t *p = raw;
    uint8_t all = 0xFF;
    for (unsigned i = 0; i < FMT_NVS_HEADER_SIZE; i++) {
        all &= p[i];
    }
    if (all == 0xFF) {
        return FMT_NVS_PAGE_BLANK;
    }
    header->state = get_u32(p + PAGE_STATE);
    header->seq = get_u32(p + PAGE_SEQ);
    header->version = p[PAGE_VERSION];
    if (get_u32(p + PAGE_CRC) != fmt_crc32(CRC_START, p + PAGE_SEQ, PAGE_CRC - PAGE_SEQ)) {
        return FMT_NVS_PAGE_CORRUPT;
    }
    if (header->state != FMT_NVS_STATE_ACTIVE && header->state != FMT_NVS_STATE_FULL &&
        header->state != FMT_NVS_STATE_FREEING) {
        return FMT_NVS_PAGE_CORRUPT;
    }
    return header->version < FMT_NVS_VERSION_2 ? FMT_NVS_PAGE_NEWER : FMT_NVS_PAGE_USED;
}

void fmt_nvs_page_header_encode(const fmt_nvs_page_header_t *header, void *raw)
{
    uint8_t *p = raw;
    memset(p, 0xFF, FMT_NVS_HEADER_SIZE);
    put_u32(p + PAGE_STATE, header->state);
    put_u32(p + PAGE_SEQ, header->seq);
    p[PAGE_VERSION] = header->version;
    put_u32(p + PAGE_CRC, fmt_crc32(CRC_START, p + PAGE_SEQ, PAGE_CRC - PAGE_SEQ));
}

fmt_nvs_entry_state_t fmt_nvs_entry_state(const uint8_t *bitmap, unsigned index)
{
    return (fmt_nvs_entry_state_t)((bitmap[index / 4] >> (index % 4 * 2)) & 3u);
}

void fmt_nvs_entry_set_state(uint8_t *bitmap, unsigned index, fmt_nvs_entry_state_t state)
{
    unsigned shift = index % 4 * 2;
    unsigned byte = bitmap[index / 4];
    bitmap[index / 4] = (uint8_t)((byte & ~(3u << shift)) | (unsigned)state << shift);
}

static uint32_t entry_crc(const uint8_t *raw)
{
    uint32_t crc = fmt_crc32(CRC_START, raw, ENTRY_CRC);
    return fmt_crc32(crc, raw + ENTRY_KEY, FMT_NVS_ENTRY_SIZE - ENTRY_KEY);
}

bool fmt_nvs_entry_decode(const void *raw, fmt_nvs_entry_t *entry)
{
    const uint8_t *p = raw;
    if (get_u32(p + ENTRY_CRC) != entry_crc(p) || p[ENTRY_KEY + FMT_NVS_KEY_MAX] != 0) {
        return false;
    }
    entry->ns = p[ENTRY_NS];
    entry->type = p[ENTRY_TYPE];
    entry->span = p[ENTRY_SPAN];
    entry->chunk = p[ENTRY_CHUNK];
    memcpy(entry->key, p + ENTRY_KEY, sizeof(entry->key));
    memcpy(entry->data, p + ENTRY_DATA, sizeof(entry->data));
    return true;
}

void fmt_nvs_entry_encode(const fmt_nvs_entry_t *entry, void *raw)
{
    uint8_t *p = raw;
    p[ENTRY_NS] = entry->ns;
    p[ENTRY_TYPE] = entry->type;
    p[ENTRY_SPAN] = entry->span;
    p[ENTRY_CHUNK] = entry->chunk;
    memcpy(p + ENTRY_KEY, entry->key, sizeof(entry->key));
    memcpy(p + ENTRY_DATA, entry->data, sizeof(entry->data));
    put_u32(p + ENTRY_CRC, entry_crc(p));
}

unsigned fmt_nvs_value_size(uint8_t type)
{
    switch (type) {
    case FMT_NVS_TYPE_U8:
    case FMT_NVS_TYPE_I8:
        return 1;
    case FMT_NVS_TYPE_U16:
    case FMT_NVS_TYPE_I16:
        return 2;
    case FMT_NVS_TYPE_U32:
    case FMT_NVS_TYPE_I32:
    case FMT_NVS_TYPE_FLOAT:
        return 4;
    case FMT_NVS_TYPE_U64:
    case FMT_NVS_TYPE_I64:
    case FMT_NVS_TYPE_DOUBLE:
        return 8;
    default:
        return 0;
    }
}

bool fmt_nvs_type_has_data(uint8_t type)
{
    return type == FMT_NVS_TYPE_STRING || type == FMT_NVS_TYPE_BLOB_V1 ||
           type == FMT_NVS_TYPE_BLOB_DATA;
}

unsigned fmt_nvs_span(size_t size)
{
    return 1 + (unsigned)((size + FMT_NVS_ENTRY_SIZE - 1) / FMT_NVS_ENTRY_SIZE);
}

bool fmt_nvs_entry_consistent(const fmt_nvs_entry_t *entry, unsigned index)
{
    if (fmt_nvs_value_size(entry->type) != 0) {
        return entry->span == 1;
    }
    if (entry->type == FMT_NVS_TYPE_BLOB_INDEX) {
        return entry->span == 1 && entry->chunk == FMT_NVS_CHUNK_NONE &&
               fmt_nvs_blob_index(entry).size <= FMT_NVS_CHUNKS_MAX * FMT_NVS_DATA_MAX;
    }
    if (!fmt_nvs_type_has_data(entry->type)) {
        return false;
    }
    if (entry->type == FMT_NVS_TYPE_BLOB_DATA && entry->chunk == FMT_NVS_CHUNK_NONE) {
        return false;
    }
    return entry->span == fmt_nvs_span(fmt_nvs_data_size(entry)) &&
           index + entry->span <= FMT_NVS_PAGE_ENTRIES;
}

uint16_t fmt_nvs_data_size(const fmt_nvs_entry_t *entry)
{
    return get_u16(entry->data + DATA_SIZE);
}

uint32_t fmt_nvs_data_crc(const fmt_nvs_entry_t *entry)
{
    return get_u32(entry->data + DATA_CRC);
}

uint32_t fmt_nvs_crc(const void *data, size_t len)
{
    return fmt_crc32(CRC_START, data, len);
}

uint32_t fmt_nvs_crc_continue(uint32_t crc, const void *data, size_t len)
{
    return fmt_crc32(crc, data, len);
}

fmt_nvs_blob_index_t fmt_nvs_blob_index(const fmt_nvs_entry_t *entry)
{
    return (fmt_nvs_blob_index_t){
        .size = get_u32(entry->data + INDEX_SIZE),
        .count = entry->data[INDEX_COUNT],
        .start = entry->data[INDEX_START],
    };
}

static void make_common(fmt_nvs_entry_t *entry, uint8_t ns, const char *key, uint8_t type)
{
    memset(entry, 0, sizeof(*entry));
    entry->ns = ns;
    entry->type = type;
    entry->span = 1;
    entry->chunk = FMT_NVS_CHUNK_NONE;
    for (unsigned i = 0; i < FMT_NVS_KEY_MAX && key[i] != '\0'; i++) {
        entry->key[i] = key[i];
    }
    memset(entry->data, 0xFF, sizeof(entry->data));
}

void fmt_nvs_make_value(fmt_nvs_entry_t *entry, uint8_t ns, const char *key, uint8_t type,
                        const void *value)
{
    make_common(entry, ns, key, type);
    memcpy(entry->data, value, fmt_nvs_value_size(type));
}

void fmt_nvs_make_data(fmt_nvs_entry_t *entry, uint8_t ns, const char *key, uint8_t type,
                       uint8_t chunk, const void *data, size_t size)
{
    make_common(entry, ns, key, type);
    entry->span = (uint8_t)fmt_nvs_span(size);
    entry->chunk = chunk;
    put_u16(entry->data + DATA_SIZE, (uint16_t)size);
    put_u32(entry->data + DATA_CRC, fmt_nvs_crc(data, size));
}

void fmt_nvs_make_blob_index(fmt_nvs_entry_t *entry, uint8_t ns, const char *key,
                             const fmt_nvs_blob_index_t *index)
{
    make_common(entry, ns, key, FMT_NVS_TYPE_BLOB_INDEX);
    put_u32(entry->data + INDEX_SIZE, index->size);
    entry->data[INDEX_COUNT] = index->count;
    entry->data[INDEX_START] = index->start;
}

static bool all_written(const uint8_t *bitmap, unsigned index, unsigned span)
{
    for (unsigned i = index; i < index + span; i++) {
        if (fmt_nvs_entry_state(bitmap, i) != FMT_NVS_ENTRY_WRITTEN) {
            return false;
        }
    }
    return true;
}

bool fmt_nvs_page_item(const uint8_t *page, unsigned *index, fmt_nvs_entry_t *entry, unsigned *at)
{
    const uint8_t *bitmap = page + FMT_NVS_BITMAP_OFFSET;
    while (*index < FMT_NVS_PAGE_ENTRIES) {
        unsigned i = *index;
        const uint8_t *raw = page + FMT_NVS_ENTRIES_OFFSET + i * FMT_NVS_ENTRY_SIZE;
        if (fmt_nvs_entry_state(bitmap, i) != FMT_NVS_ENTRY_WRITTEN ||
            !fmt_nvs_entry_decode(raw, entry) || !fmt_nvs_entry_consistent(entry, i)) {
            *index = i + 1;
            continue;
        }
        *index = i + entry->span;
        if (all_written(bitmap, i, entry->span)) {
            *at = i;
            return true;
        }
    }
    return false;
}
