/* SPDX-License-Identifier: Apache-2.0
 *
 * What stands on a flash chip, made from the words of the formats specification and from nothing of
 * formats/: the model check and the fuzz target compare our code with these bytes, so they must not
 * come from our code. */
#ifndef FLASH_BUILD_H
#define FLASH_BUILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BUILD_TABLE  0x8000u
#define BUILD_SECTOR 0x1000u
#define BUILD_ENTRY  32u
#define BUILD_EMPTY  0xFFFFFFFFu

/* Offsets in an application image. */
#define BUILD_HAS_HASH   23u /* the header's byte that says whether a digest follows */
#define BUILD_DESCRIPTOR 32u

/* One row of the partition table. */
typedef struct {
    uint8_t type;
    uint8_t subtype;
    uint32_t offset;
    uint32_t size;
    uint32_t flags;
    const char *label;
} build_row_t;

void build_put_u32(uint8_t *at, uint32_t value);
uint32_t build_get_u32(const uint8_t *at);

/* The CRC of a sequence number in otadata (specification, section 3.1). */
uint32_t build_seq_crc(uint32_t seq);

/* Fills the sector of the table with count (at most 94) rows, an MD5 row and the end. */
void build_table(uint8_t *sector, const build_row_t *rows, unsigned count);

/* The 24 bytes at flash offset 0 that say who the bootloader is for: linux board, 1 MiB flash. */
void build_bootloader_header(uint8_t *at);

/* An application image. */
typedef struct {
    uint32_t id; /* makes the image different from others */
    uint32_t secure_version;
    uint32_t payload; /* bytes of its program, a multiple of 4, at least 64 */
    bool no_hash;     /* no SHA-256 at its end */
} build_image_t;

/* Room an image of that payload needs at most. */
#define BUILD_IMAGE_ROOM(payload) (24u + 8u + 256u + 8u + (payload) + 16u + 32u)

/* Writes the image to out as it must be at flash offset address; returns its length. */
size_t build_image(uint8_t *out, uint32_t address, const build_image_t *image);

/* An independent look at an image in a place of size bytes (specification, sections 5.3 and 5.6):
 * lengths, checksum and digest; without a digest, if its header says so, the checksum alone. Of the
 * header only what these need. AIRLIFT: not whole if the header says that there is no digest and
 * the very digest of the image with that byte repaired stands there. */
bool build_image_whole(const uint8_t *image, size_t size);

/* Whether descriptor magic stands in an image of at least 288 bytes, and its secure version. */
bool build_read_descriptor(const uint8_t *image, uint32_t *secure_version);

/* 32 bytes of otadata: label FF, CRC right or not. */
void build_entry(uint8_t *raw, uint32_t seq, uint32_t state, bool crc_ok);

#endif
