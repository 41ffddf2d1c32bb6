/* SPDX-License-Identifier: Apache-2.0
 *
 * For the unit tests of the storage and update components: a board with a partition table, images
 * to put on it, and the log in a buffer. */
#ifndef STORAGE_BOARD_H
#define STORAGE_BOARD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "formats/partition_table.h"
#include "linux_board/testing.h"

#include "esp_partition.h"

#define BOARD_FLASH_SIZE 0x400000u

/* The partitions of a new board. */
#define BOARD_NVS      0x9000u /* 4 sectors */
#define BOARD_OTADATA  0xD000u
#define BOARD_PHY      0xF000u
#define BOARD_FACTORY  0x10000u /* the apps: 0x40000 each */
#define BOARD_OTA_0    0x50000u
#define BOARD_OTA_1    0x90000u
#define BOARD_TEST     0xD0000u
#define BOARD_READONLY 0x110000u /* "frozen": 2 sectors, flagged read-only */
#define BOARD_STORAGE  0x112000u /* "storage": data/undefined, 8 sectors, not block aligned */
#define BOARD_BIG      0x120000u /* "big": data/0x40, 0x60000 */
#define BOARD_APP_SIZE 0x40000u

/* A new board with the table above, an app running at running_offset (UINT32_MAX: none), write
 * protection on and the log buffer empty. */
void board_new(uint32_t running_offset);

/* The same with other partitions. md5: with an MD5 row. */
void board_new_with(const fmt_partition_t *rows, size_t count, bool md5, uint32_t running_offset);

/* What a reset does to the storage components: they forget what they read. */
void board_reload(void);

/* The bytes of the chip at address. */
uint8_t *board_flash(uint32_t address);

/* The partition with that label; the test fails if there is none. */
const esp_partition_t *board_partition(const char *label);

/* What an image is made of. */
typedef struct {
    const char *version;
    uint32_t secure_version;
    uint16_t chip_id; /* 0: the board's */
    uint8_t spi_flash_mode;
    bool no_hash;
    bool bootloader;
    uint32_t payload; /* bytes of the loaded segment, a multiple of 4 */
    uint32_t seed;    /* decides the payload */
} board_image_t;

/* Makes an image in out (room bytes) that stands at flash offset address; returns its length. */
size_t board_make_image(const board_image_t *image, uint32_t address, uint8_t *out, size_t room);

/* Puts one into flash. */
size_t board_put_image(const board_image_t *image, uint32_t address);

/* Writes an otadata entry to its sector, which is blank otherwise. crc_ok: with the right CRC. */
void board_put_otadata(unsigned index, uint32_t seq, uint32_t state, bool crc_ok);
uint32_t board_otadata_seq(unsigned index);
uint32_t board_otadata_state(unsigned index);

/* The log since board_new() or log_clear(). */
void log_clear(void);
bool log_has(const char *text);
unsigned log_count(const char *text);

/* Programs and erases so far. */
uint64_t board_operations(void);

#endif
