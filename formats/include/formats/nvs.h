/* SPDX-License-Identifier: Apache-2.0
 *
 * NVS pages: the key-value store's bytes. Source: formats specification, section 6.
 *
 * A page is one 4 KiB sector: 32 bytes of header, a bitmap with two bits for each entry, 126
 * entries of 32 bytes. An item is a header entry and, for strings and blobs, the entries with its
 * data. */
#ifndef FORMATS_NVS_H
#define FORMATS_NVS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FMT_NVS_PAGE_SIZE      4096u
#define FMT_NVS_HEADER_SIZE    32u
#define FMT_NVS_BITMAP_OFFSET  32u
#define FMT_NVS_BITMAP_SIZE    32u
#define FMT_NVS_ENTRIES_OFFSET 64u
#define FMT_NVS_ENTRY_SIZE     32u
#define FMT_NVS_PAGE_ENTRIES   126u

#define FMT_NVS_KEY_MAX       15u   /* characters */
#define FMT_NVS_DATA_MAX      4000u /* bytes of a string or of one blob chunk */
#define FMT_NVS_CHUNKS_MAX    127u
#define FMT_NVS_NAMESPACE_MAX 254u /* indexes 1 .. 254; 0 is the table of namespaces */
#define FMT_NVS_CHUNK_NONE    0xFFu
#define FMT_NVS_CHUNK_START_0 0x00u
#define FMT_NVS_CHUNK_START_1 0x80u

/* --- page header --- */

#define FMT_NVS_STATE_ACTIVE  0xFFFFFFFEu
#define FMT_NVS_STATE_FULL    0xFFFFFFFCu
#define FMT_NVS_STATE_FREEING 0xFFFFFFF8u

#define FMT_NVS_VERSION_1 0xFFu
#define FMT_NVS_VERSION_2 0xFEu /* versions count down */

typedef struct {
    uint32_t state;
    uint32_t seq; /* pages are read in this order */
    uint8_t version;
} fmt_nvs_page_header_t;

typedef enum {
    FMT_NVS_PAGE_BLANK,   /* header all 0xFF: free if the whole page is */
    FMT_NVS_PAGE_USED,    /* *header is filled */
    FMT_NVS_PAGE_CORRUPT, /* wrong CRC or unknown state */
    FMT_NVS_PAGE_NEWER,   /* written by a newer format version */
} fmt_nvs_page_kind_t;

/* What the FMT_NVS_HEADER_SIZE bytes at raw are. */
fmt_nvs_page_kind_t fmt_nvs_page_header_decode(const void *raw, fmt_nvs_page_header_t *header);
void fmt_nvs_page_header_encode(const fmt_nvs_page_header_t *header, void *raw);

/* --- entry states --- */

typedef enum {
    FMT_NVS_ENTRY_ERASED = 0,
    FMT_NVS_ENTRY_ILLEGAL = 1,
    FMT_NVS_ENTRY_WRITTEN = 2,
    FMT_NVS_ENTRY_EMPTY = 3,
} fmt_nvs_entry_state_t;

/* State of entry index (< FMT_NVS_PAGE_ENTRIES) in a bitmap of FMT_NVS_BITMAP_SIZE bytes. */
fmt_nvs_entry_state_t fmt_nvs_entry_state(const uint8_t *bitmap, unsigned index);
void fmt_nvs_entry_set_state(uint8_t *bitmap, unsigned index, fmt_nvs_entry_state_t state);

/* --- entries --- */

enum {
    FMT_NVS_TYPE_U8 = 0x01,
    FMT_NVS_TYPE_I8 = 0x11,
    FMT_NVS_TYPE_U16 = 0x02,
    FMT_NVS_TYPE_I16 = 0x12,
    FMT_NVS_TYPE_U32 = 0x04,
    FMT_NVS_TYPE_I32 = 0x14,
    FMT_NVS_TYPE_U64 = 0x08,
    FMT_NVS_TYPE_I64 = 0x18,
    FMT_NVS_TYPE_FLOAT = 0x24,
    FMT_NVS_TYPE_DOUBLE = 0x28,
    FMT_NVS_TYPE_STRING = 0x21,
    FMT_NVS_TYPE_BLOB_V1 = 0x41,
    FMT_NVS_TYPE_BLOB_DATA = 0x42,
    FMT_NVS_TYPE_BLOB_INDEX = 0x48,
    FMT_NVS_TYPE_ANY = 0xFF, /* for searching only */
};

/* A header entry. */
typedef struct {
    uint8_t ns;
    uint8_t type;
    uint8_t span;                  /* entries of the item, this one included */
    uint8_t chunk;                 /* of blob data; else FMT_NVS_CHUNK_NONE */
    char key[FMT_NVS_KEY_MAX + 1]; /* NUL terminated and padded */
    uint8_t data[8];
} fmt_nvs_entry_t;

/* Reads the 32 bytes at raw. False: the CRC is wrong, or the key has no end. */
bool fmt_nvs_entry_decode(const void *raw, fmt_nvs_entry_t *entry);
void fmt_nvs_entry_encode(const fmt_nvs_entry_t *entry, void *raw);

/* Whether a decoded entry can stand at index of a page: known type, the span that belongs to it,
 * inside the page. */
bool fmt_nvs_entry_consistent(const fmt_nvs_entry_t *entry, unsigned index);

/* Size in bytes of a number's value; 0 for other types. */
unsigned fmt_nvs_value_size(uint8_t type);
/* String, blob or blob chunk: data follows in further entries. */
bool fmt_nvs_type_has_data(uint8_t type);
/* Entries that an item with size bytes of data takes (size <= FMT_NVS_DATA_MAX). */
unsigned fmt_nvs_span(size_t size);

/* Size and CRC of the data of an item that has some. */
uint16_t fmt_nvs_data_size(const fmt_nvs_entry_t *entry);
uint32_t fmt_nvs_data_crc(const fmt_nvs_entry_t *entry);
/* The CRC of len bytes of data. For data in pieces go on from the first piece's. */
uint32_t fmt_nvs_crc(const void *data, size_t len);
uint32_t fmt_nvs_crc_continue(uint32_t crc, const void *data, size_t len);

/* A blob index: size of the blob, its chunks and the number of the first. */
typedef struct {
    uint32_t size;
    uint8_t count;
    uint8_t start;
} fmt_nvs_blob_index_t;
fmt_nvs_blob_index_t fmt_nvs_blob_index(const fmt_nvs_entry_t *entry);

/* Header entries. key: 1 .. FMT_NVS_KEY_MAX characters, longer ones are cut. */
void fmt_nvs_make_value(fmt_nvs_entry_t *entry, uint8_t ns, const char *key, uint8_t type,
                        const void *value); /* fmt_nvs_value_size(type) bytes, little endian */
void fmt_nvs_make_data(fmt_nvs_entry_t *entry, uint8_t ns, const char *key, uint8_t type,
                       uint8_t chunk, const void *data, size_t size);
void fmt_nvs_make_blob_index(fmt_nvs_entry_t *entry, uint8_t ns, const char *key,
                             const fmt_nvs_blob_index_t *index);

/* --- a page in memory --- */

/* The next item at or after *index of the page at page (FMT_NVS_PAGE_SIZE bytes, whose header the
 * caller has looked at). True: *entry is its header, *at its place, and *index the place to go on
 * from. Items that are inconsistent or not completely written are left out. */
bool fmt_nvs_page_item(const uint8_t *page, unsigned *index, fmt_nvs_entry_t *entry, unsigned *at);

#endif
