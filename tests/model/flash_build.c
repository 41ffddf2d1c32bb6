/* SPDX-License-Identifier: Apache-2.0 */
#include "flash_build.h"

#include <stdio.h>
#include <string.h>

#include "mbedtls/md5.h"
#include "mbedtls/sha256.h"

#define CHIP_LINUX 0xA105u
#define PROGRAM    0x80000000u /* where the linux board loads */
#define MAPPED     0x3C000000u
#define PAGE       0x10000u
#define DESCRIPTOR 256u

void build_put_u32(uint8_t *at, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++) {
        at[i] = (uint8_t)(value >> (8 * i));
    }
}

static void put_u16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)value;
    at[1] = (uint8_t)(value >> 8);
}

uint32_t build_get_u32(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

/* CRC-32, reflected 0x04C11DB7, with the seed 0xFFFFFFFF and inverted on the way in: register 0. */
uint32_t build_seq_crc(uint32_t seq)
{
    uint32_t value = seq;
    for (unsigned bit = 0; bit < 32; bit++) {
        value = (value >> 1) ^ (0xEDB88320u & (0u - (value & 1u)));
    }
    return ~value;
}

void build_table(uint8_t *sector, const build_row_t *rows, unsigned count)
{
    memset(sector, 0xFF, BUILD_SECTOR);
    for (unsigned i = 0; i < count; i++) {
        uint8_t *row = sector + (size_t)i * 32;
        row[0] = 0xAA;
        row[1] = 0x50;
        row[2] = rows[i].type;
        row[3] = rows[i].subtype;
        build_put_u32(row + 4, rows[i].offset);
        build_put_u32(row + 8, rows[i].size);
        memset(row + 12, 0, 16);
        for (unsigned k = 0; k < 16 && rows[i].label[k] != '\0'; k++) {
            row[12 + k] = (uint8_t)rows[i].label[k];
        }
        build_put_u32(row + 28, rows[i].flags);
    }
    uint8_t *last = sector + (size_t)count * 32;
    last[0] = last[1] = 0xEB;
    mbedtls_md5(sector, (size_t)count * 32, last + 16);
}

static void header(uint8_t *at, unsigned segments, uint32_t entry, bool hash)
{
    memset(at, 0, 24);
    at[0] = 0xE9;
    at[1] = (uint8_t)segments;
    at[2] = 2;    /* DIO */
    at[3] = 0x0F; /* 1 MB, full speed */
    build_put_u32(at + 4, entry);
    at[8] = 0xEE;
    put_u16(at + 12, CHIP_LINUX);
    put_u16(at + 17, 65535);
    at[BUILD_HAS_HASH] = hash ? 1 : 0;
}

void build_bootloader_header(uint8_t *at)
{
    header(at, 1, 0, false);
}

static uint8_t *segment(uint8_t *at, uint32_t load, uint32_t length)
{
    build_put_u32(at, load);
    build_put_u32(at + 4, length);
    return at + 8;
}

size_t build_image(uint8_t *out, uint32_t address, const build_image_t *image)
{
    header(out, 2, PROGRAM, !image->no_hash);
    uint8_t *desc = segment(out + 24, MAPPED + (address + BUILD_DESCRIPTOR) % PAGE, DESCRIPTOR);
    memset(desc, 0, DESCRIPTOR);
    build_put_u32(desc, 0xABCD5432u);
    build_put_u32(desc + 4, image->secure_version);
    (void)snprintf((char *)desc + 16, 32, "%u", (unsigned)image->id);
    memcpy(desc + 48, "model", 5);
    desc[180] = 16; /* log2 of the page */
    uint8_t *program = segment(desc + DESCRIPTOR, PROGRAM, image->payload);
    memset(program, 0, image->payload);
    memcpy(program, "\177ELF\2\1\1", 7); /* 64 bits, little endian */
    program[16] = 3;                     /* a position independent program */
    for (uint32_t i = 64; i < image->payload; i++) {
        program[i] = (uint8_t)((i * 7 + image->id) >> (i & 3));
    }
    uint8_t sum = 0xEF;
    for (uint32_t i = 0; i < DESCRIPTOR; i++) {
        sum ^= desc[i];
    }
    for (uint32_t i = 0; i < image->payload; i++) {
        sum ^= program[i];
    }
    size_t end = (size_t)(program - out) + image->payload;
    size_t check = (end + 1 + 15) / 16 * 16 - 1;
    memset(out + end, 0, check - end);
    out[check] = sum;
    size_t length = check + 1;
    if (!image->no_hash) {
        mbedtls_sha256(out, length, out + length, 0);
        length += 32;
    }
    return length;
}

bool build_image_whole(const uint8_t *image, size_t size)
{
    if (size < 24 || image[0] != 0xE9 || image[1] > 16) {
        return false;
    }
    uint64_t at = 24;
    uint8_t sum = 0xEF;
    for (unsigned i = 0; i < image[1]; i++) {
        if (at + 8 > size) {
            return false;
        }
        uint32_t len = build_get_u32(image + at + 4);
        at += 8;
        if (len % 4 != 0 || at + len > size) {
            return false;
        }
        for (uint32_t k = 0; k < len; k++) {
            sum ^= image[at + k];
        }
        at += len;
    }
    at = (at + 1 + 15) / 16 * 16 - 1;
    if (at + 1 > size || image[at] != sum) {
        return false;
    }
    bool hash = image[BUILD_HAS_HASH] != 0;
    if (at + 1 + 32 > size) {
        return !hash;
    }
    uint8_t start[24], digest[32];
    mbedtls_sha256_context sha;
    memcpy(start, image, sizeof(start));
    start[BUILD_HAS_HASH] = hash ? start[BUILD_HAS_HASH] : 1;
    mbedtls_sha256_init(&sha);
    mbedtls_sha256_starts(&sha, 0);
    mbedtls_sha256_update(&sha, start, sizeof(start));
    mbedtls_sha256_update(&sha, image + sizeof(start), (size_t)at + 1 - sizeof(start));
    mbedtls_sha256_finish(&sha, digest);
    mbedtls_sha256_free(&sha);
    return (memcmp(digest, image + at + 1, 32) == 0) == hash;
}

bool build_read_descriptor(const uint8_t *image, uint32_t *secure_version)
{
    *secure_version = build_get_u32(image + BUILD_DESCRIPTOR + 4);
    return build_get_u32(image + BUILD_DESCRIPTOR) == 0xABCD5432u;
}

void build_entry(uint8_t *raw, uint32_t seq, uint32_t state, bool crc_ok)
{
    memset(raw, 0xFF, BUILD_ENTRY);
    build_put_u32(raw, seq);
    build_put_u32(raw + 24, state);
    build_put_u32(raw + 28, build_seq_crc(seq) ^ (crc_ok ? 0u : 1u));
}
