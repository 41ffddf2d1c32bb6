/* SPDX-License-Identifier: Apache-2.0 */
#include "nvs_image.h"

#include <stdlib.h>
#include <string.h>

static const char FULL[] = "the partition is too small for it";

static uint8_t *page_bytes(const nvs_image_t *image)
{
    return image->bytes + (size_t)image->page * FMT_NVS_PAGE_SIZE;
}

static void put_header(const nvs_image_t *image, uint32_t state)
{
    const fmt_nvs_page_header_t header = {
        .state = state, .seq = image->page, .version = image->version};

    fmt_nvs_page_header_encode(&header, page_bytes(image));
}

void nvs_image_begin(nvs_image_t *image, unsigned pages, uint8_t version)
{
    *image = (nvs_image_t){
        .bytes = malloc((size_t)pages * FMT_NVS_PAGE_SIZE),
        .pages = pages,
        .usable = pages < 3 ? pages : pages - 1,
        .version = version,
    };
    if (image->bytes == NULL) {
        abort();
    }
    memset(image->bytes, 0xFF, (size_t)pages * FMT_NVS_PAGE_SIZE);
    put_header(image, FMT_NVS_STATE_ACTIVE);
}

void nvs_image_free(nvs_image_t *image)
{
    free(image->bytes);
    *image = (nvs_image_t){0};
}

static const char *next_page(nvs_image_t *image)
{
    if (image->page + 1 >= image->usable) {
        return FULL;
    }
    put_header(image, FMT_NVS_STATE_FULL);
    image->page++;
    image->entry = 0;
    put_header(image, FMT_NVS_STATE_ACTIVE);
    return NULL;
}

/* Appends an item that fits the page. */
static void append(nvs_image_t *image, const fmt_nvs_entry_t *entry, const void *data, size_t size)
{
    uint8_t *page = page_bytes(image);
    uint8_t *place = page + FMT_NVS_ENTRIES_OFFSET + (size_t)image->entry * FMT_NVS_ENTRY_SIZE;

    fmt_nvs_entry_encode(entry, place);
    if (size > 0) {
        memcpy(place + FMT_NVS_ENTRY_SIZE, data, size);
    }
    for (unsigned i = 0; i < entry->span; i++) {
        fmt_nvs_entry_set_state(page + FMT_NVS_BITMAP_OFFSET, image->entry++,
                                FMT_NVS_ENTRY_WRITTEN);
    }
}

/* Pages change when the next item comes, not when one is full. */
static const char *make_room(nvs_image_t *image)
{
    return image->entry < FMT_NVS_PAGE_ENTRIES ? NULL : next_page(image);
}

const char *nvs_image_put_value(nvs_image_t *image, uint8_t ns, const char *key, uint8_t type,
                                uint64_t value)
{
    const char *problem = make_room(image);
    uint8_t bytes[8];
    fmt_nvs_entry_t entry;

    if (problem == NULL) {
        for (unsigned i = 0; i < sizeof(bytes); i++) {
            bytes[i] = (uint8_t)(value >> (8 * i));
        }
        fmt_nvs_make_value(&entry, ns, key, type, bytes);
        append(image, &entry, NULL, 0);
    }
    return problem;
}

/* A string, or a blob of version 1: in one piece, and never up to the very end of a page that has
 * something else in it. */
static const char *put_whole(nvs_image_t *image, uint8_t ns, const char *key, uint8_t type,
                             const void *data, size_t size)
{
    fmt_nvs_entry_t entry;

    if (image->version == FMT_NVS_VERSION_1 && size > NVS_IMAGE_V1_DATA_MAX) {
        return "longer than the 1984 bytes that version 1 allows";
    }
    if (size > FMT_NVS_DATA_MAX) {
        return "longer than 4000 bytes, the NUL at its end included";
    }
    if (image->entry > 0 && image->entry + fmt_nvs_span(size) >= FMT_NVS_PAGE_ENTRIES) {
        const char *problem = next_page(image);

        if (problem != NULL) {
            return problem;
        }
    }
    fmt_nvs_make_data(&entry, ns, key, type, FMT_NVS_CHUNK_NONE, data, size);
    append(image, &entry, data, size);
    return NULL;
}

const char *nvs_image_put_string(nvs_image_t *image, uint8_t ns, const char *key, const void *text,
                                 size_t size)
{
    return put_whole(image, ns, key, FMT_NVS_TYPE_STRING, text, size);
}

const char *nvs_image_put_blob(nvs_image_t *image, uint8_t ns, const char *key, const void *data,
                               size_t size)
{
    const uint8_t *bytes = data;
    fmt_nvs_blob_index_t index = {.size = (uint32_t)size, .start = FMT_NVS_CHUNK_START_0};
    size_t done = 0;
    const char *problem;
    fmt_nvs_entry_t entry;

    if (image->version == FMT_NVS_VERSION_1) {
        return put_whole(image, ns, key, FMT_NVS_TYPE_BLOB_V1, data, size);
    }
    if (size > (size_t)FMT_NVS_CHUNKS_MAX * FMT_NVS_DATA_MAX) {
        return "longer than the 508000 bytes that a blob may have";
    }
    do {
        problem = make_room(image);
        if (problem == NULL && index.count == FMT_NVS_CHUNKS_MAX) {
            problem = "longer than 127 pages can hold from here";
        }
        if (problem != NULL) {
            return problem;
        }
        /* The rest of the page behind the chunk's header; nothing, where that is the last entry. */
        size_t room = (size_t)(FMT_NVS_PAGE_ENTRIES - image->entry - 1) * FMT_NVS_ENTRY_SIZE;
        size_t chunk = size - done < room ? size - done : room;

        fmt_nvs_make_data(&entry, ns, key, FMT_NVS_TYPE_BLOB_DATA, index.start + index.count,
                          bytes + done, chunk);
        append(image, &entry, bytes + done, chunk);
        index.count++;
        done += chunk;
    } while (done < size);
    problem = make_room(image);
    if (problem == NULL) {
        fmt_nvs_make_blob_index(&entry, ns, key, &index);
        append(image, &entry, NULL, 0);
    }
    return problem;
}
