/* SPDX-License-Identifier: Apache-2.0
 *
 * Emulated eFuses: one-time programmable bits kept in the partition data/efuse. Source: formats
 * specification, 7.1 and 7.3.
 *
 * At rest the partition holds the dump of all blocks at offset 0 and is blank otherwise. Flash can
 * set a bit only by erasing its sector, so a burn first writes the new dump into the second sector:
 *
 *     0x1000  8    "AFUSECPY"
 *             352  the new dump
 *             4    CRC-32 (zlib's) of both
 *             4    0xFFFFFFFF until the first sector holds the new dump; then 0
 *
 * A copy that is complete and not marked counts instead of the first sector; starting finishes such
 * a burn. So wherever power is cut, the fuses are the old ones or the new ones. Programs that know
 * nothing of it see a partition as ESP-IDF leaves it, except between a cut and the next start.
 *
 * A partition of one sector cannot give that promise: it is read, and never written.
 *
 * Nothing here locks: one task at a time. */
#ifndef FORMATS_EFUSE_H
#define FORMATS_EFUSE_H

#include <stddef.h>
#include <stdint.h>

#include "formats/esp_err_codes.h"
#include "formats/log_line.h"

#define FMT_EFUSE_DUMP_SIZE      352u    /* 11 blocks of 32 bytes */
#define FMT_EFUSE_PARTITION_SIZE 0x2000u /* at least, to burn */
#define FMT_EFUSE_VERSION_BITS   16u     /* width of the field SECURE_VERSION */

/* The partition. Offsets count from its start. Each function returns ESP_OK or the error that the
 * functions here then return. */
typedef struct {
    esp_err_t (*read)(void *context, uint32_t offset, void *dst, size_t len);
    esp_err_t (*program)(void *context, uint32_t offset, const void *src, size_t len);
    esp_err_t (*erase_sector)(void *context, uint32_t offset);
    void *context;
} fmt_efuse_io_t;

/* The fuses. */
typedef struct {
    uint32_t partition_size; /* in bytes, set by the caller; 0: there is no partition */
    struct {                 /* as last read, in the form they are copied in */
        uint8_t magic[8];
        uint8_t dump[FMT_EFUSE_DUMP_SIZE];
        uint8_t crc[4];
    } copy;
} fmt_efuse_t;

/* What is in the partition. */
typedef enum {
    FMT_EFUSE_AT_REST,    /* the dump alone */
    FMT_EFUSE_NEVER_USED, /* blank: a chip with no fuse burnt */
    FMT_EFUSE_UNFINISHED, /* a burn was cut off; the copy counts */
    FMT_EFUSE_LEFT_OVER,  /* the dump counts; the second sector holds something of no use */
} fmt_efuse_state_t;

/* Reads the fuses. Changes nothing: only io->read is called. After an error all fuses read as 0.
 * ESP_ERR_NOT_FOUND: there is no partition. ESP_ERR_INVALID_SIZE: it is smaller than a dump. Errors
 * of io. */
esp_err_t fmt_efuse_load(const fmt_efuse_io_t *io, fmt_efuse_t *efuse, fmt_efuse_state_t *state);

/* The same, and brings the partition to rest. *line: what is to be logged; an empty text: nothing.
 * io NULL: the fuses are in *efuse alone (zeros at first); it does nothing then.
 * Further errors: ESP_ERR_INVALID_SIZE also for a partition of one sector; ESP_FAIL: flash does not
 * hold what was written. The fuses are read all the same then, and the work is left for the next
 * time. */
esp_err_t fmt_efuse_open(const fmt_efuse_io_t *io, fmt_efuse_t *efuse, fmt_log_line_t *line);

/* The secure version: how many of the first `bits` fuses of its field are burnt. bits above
 * FMT_EFUSE_VERSION_BITS count as that. */
uint32_t fmt_efuse_secure_version(const fmt_efuse_t *efuse, unsigned bits);

/* Raises the secure version and reads the fuses again. *line as above.
 * ESP_ERR_INVALID_ARG: the field is not wide enough. ESP_FAIL: version is less than it is now, or
 * flash does not hold what was written. ESP_OK also if it is that already. Other errors as
 * fmt_efuse_open(); the secure version then is what *efuse says. */
esp_err_t fmt_efuse_raise_secure_version(const fmt_efuse_io_t *io, fmt_efuse_t *efuse,
                                         unsigned bits, uint32_t version, fmt_log_line_t *line);

#endif
