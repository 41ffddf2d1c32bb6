/* SPDX-License-Identifier: Apache-2.0
 *
 * Partition tables as the host sees them: CSV text and binary in, checks, either form out.
 * Source: formats specification, sections 2.5 to 2.9. */
#ifndef AIRLIFT_PARTITION_CSV_H
#define AIRLIFT_PARTITION_CSV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "formats/partition_table.h"

#define CSV_EXTRA_SUBTYPES_MAX 64

/* A subtype a project adds. */
typedef struct {
    uint8_t type;
    uint8_t subtype;
    char name[32];
} csv_subtype_t;

typedef struct {
    uint32_t table_offset;
    bool has_primary_bootloader;
    uint32_t primary_bootloader_offset;
    bool has_recovery_bootloader;
    uint32_t recovery_bootloader_offset;
    uint64_t flash_size; /* bytes; 0: not checked */
    bool no_md5;
    bool secure_v1; /* sizes of applications in steps of 64 KiB */
    csv_subtype_t extra[CSV_EXTRA_SUBTYPES_MAX];
    size_t extra_count;
} csv_options_t;

/* A row while it is worked on. Numbers are wide so that nonsense can be seen as such. */
typedef struct {
    char *name; /* owned; all of it, not cut to 16 bytes */
    int64_t type, subtype, offset, size;
    bool has_offset;
    uint32_t flags;
    unsigned line; /* in the CSV; 0 for binary input */
} csv_row_t;

typedef struct {
    csv_row_t rows[FMT_PARTITION_TABLE_ROWS * 4];
    size_t count;
} csv_table_t;

/* Everything below explains failures on stderr and returns false. */

/* Adds "TYPE, NAME, HEXVALUE". */
bool csv_add_subtype(csv_options_t *options, const char *text);

/* The subtype of that name, in any letter case, the added ones included; -1: none. This one
 * explains nothing. */
int csv_subtype_by_name(const csv_options_t *options, int64_t type, const char *name);

/* Parses len bytes of CSV (any encoding with a byte order mark) and assigns offsets. */
bool csv_parse(const csv_options_t *options, const uint8_t *data, size_t len, csv_table_t *table);

/* Reads len bytes of a binary table. */
bool csv_from_binary(const csv_options_t *options, const uint8_t *data, size_t len,
                     csv_table_t *table);

/* Either of the two, by the first bytes. *binary (may be NULL) says which. */
bool csv_read(const csv_options_t *options, const uint8_t *data, size_t len, csv_table_t *table,
              bool *binary);

/* The rules of 2.7, the flash size included. */
bool csv_verify(const csv_options_t *options, const csv_table_t *table);

/* The flash size alone. */
bool csv_verify_flash_size(const csv_options_t *options, const csv_table_t *table);

/* The binary form, FMT_PARTITION_TABLE_LEN bytes at out. */
bool csv_to_binary(const csv_options_t *options, const csv_table_t *table, uint8_t *out);

/* The text form (2.8), in memory the caller frees. */
char *csv_to_text(const csv_options_t *options, const csv_table_t *table);

void csv_free(csv_table_t *table);

#endif
