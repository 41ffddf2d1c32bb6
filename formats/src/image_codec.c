/* SPDX-License-Identifier: Apache-2.0
 *
 * Image headers from and to bytes, their codes from and to words, and the checksum. */
#include <string.h>

#include "bytes.h"
#include "formats/image.h"

void fmt_image_header_decode(const void *raw, fmt_image_header_t *header)
{
    const uint8_t *p = raw;

    header->magic = p[0];
    header->segment_count = p[1];
    header->spi_mode = p[2];
    header->spi_speed = p[3] & 15;
    header->spi_size = p[3] >> 4;
    header->entry = get_u32(p + 4);
    header->wp_pin = p[8];
    memcpy(header->spi_pin_drv, p + 9, sizeof(header->spi_pin_drv));
    header->chip_id = get_u16(p + 12);
    header->min_chip_rev = p[14];
    header->min_chip_rev_full = get_u16(p + 15);
    header->max_chip_rev_full = get_u16(p + 17);
    memcpy(header->reserved, p + 19, sizeof(header->reserved));
    header->hash_appended = p[23];
}

void fmt_image_header_encode(const fmt_image_header_t *header, void *raw)
{
    uint8_t *p = raw;

    p[0] = header->magic;
    p[1] = header->segment_count;
    p[2] = header->spi_mode;
    p[3] = (uint8_t)((header->spi_speed & 15) | (header->spi_size << 4));
    put_u32(p + 4, header->entry);
    p[8] = header->wp_pin;
    memcpy(p + 9, header->spi_pin_drv, sizeof(header->spi_pin_drv));
    put_u16(p + 12, header->chip_id);
    p[14] = header->min_chip_rev;
    put_u16(p + 15, header->min_chip_rev_full);
    put_u16(p + 17, header->max_chip_rev_full);
    memcpy(p + 19, header->reserved, sizeof(header->reserved));
    p[23] = header->hash_appended;
}

void fmt_image_segment_header_encode(uint32_t load_address, uint32_t length, void *raw)
{
    put_u32(raw, load_address);
    put_u32((uint8_t *)raw + 4, length);
}

uint8_t fmt_image_checksum(uint8_t sum, const void *data, size_t len)
{
    const uint8_t *p = data;

    for (size_t i = 0; i < len; i++) {
        sum ^= p[i];
    }
    return sum;
}

uint32_t fmt_image_checksum_offset(uint32_t end)
{
    return end | 15u;
}

static const char *const size_names[] = {"1MB",  "2MB",  "4MB",  "8MB",
                                         "16MB", "32MB", "64MB", "128MB"};

#define SIZE_CODES (sizeof(size_names) / sizeof(size_names[0]))

uint32_t fmt_flash_size_bytes(uint8_t code)
{
    return code < SIZE_CODES ? 0x100000u << code : 0;
}

int fmt_flash_size_code(uint32_t bytes)
{
    for (size_t code = 0; code < SIZE_CODES; code++) {
        if (fmt_flash_size_bytes((uint8_t)code) == bytes) {
            return (int)code;
        }
    }
    return -1;
}

const char *fmt_flash_size_name(uint8_t code)
{
    return size_names[code < SIZE_CODES ? code : 1];
}

static const char *const mode_names[] = {"qio", "qout", "dio", "dout", "fast_read", "slow_read"};

#define MODES (sizeof(mode_names) / sizeof(mode_names[0]))

const char *fmt_spi_mode_name(uint8_t mode)
{
    return mode < MODES ? mode_names[mode] : NULL;
}

int fmt_spi_mode_by_name(const char *name)
{
    for (size_t mode = 0; mode < MODES; mode++) {
        if (same_word(mode_names[mode], name)) {
            return (int)mode;
        }
    }
    return -1;
}

/* Names in the order they are looked up in; the first of a code is its name. */
typedef struct {
    uint8_t code;
    const char *name;
} speed_t;

#define SPEEDS_MAX 4

static const speed_t *speeds_of(const fmt_chip_t *chip)
{
    static const speed_t usual[SPEEDS_MAX] = {{15, "80m"}, {0, "40m"}, {1, "26m"}, {2, "20m"}};
    static const speed_t c2[SPEEDS_MAX] = {{15, "60m"}, {0, "30m"}, {1, "20m"}, {2, "15m"}};
    static const speed_t c6[SPEEDS_MAX] = {{0, "80m"}, {0, "40m"}, {2, "20m"}};
    static const speed_t c5[SPEEDS_MAX] = {{15, "80m"}, {0, "40m"}, {2, "20m"}};
    static const speed_t h2[SPEEDS_MAX] = {{15, "48m"}, {0, "24m"}, {1, "16m"}, {2, "12m"}};
    static const speed_t h21[SPEEDS_MAX] = {{15, "48m"}, {0, "24m"}};

    switch (chip->id) {
    case FMT_CHIP_ID_ESP32C2:
        return c2;
    case FMT_CHIP_ID_ESP32C6:
        return c6;
    case FMT_CHIP_ID_ESP32C5:
    case FMT_CHIP_ID_ESP32C61:
        return c5;
    case FMT_CHIP_ID_ESP32H2:
        return h2;
    case FMT_CHIP_ID_ESP32H21:
    case FMT_CHIP_ID_ESP32H4:
        return h21;
    default:
        return usual;
    }
}

const char *fmt_spi_speed_name(const fmt_chip_t *chip, uint8_t code)
{
    const speed_t *speeds = speeds_of(chip);

    for (size_t i = 0; i < SPEEDS_MAX && speeds[i].name != NULL; i++) {
        if (speeds[i].code == code) {
            return speeds[i].name;
        }
    }
    return NULL;
}

int fmt_spi_speed_by_name(const fmt_chip_t *chip, const char *name)
{
    const speed_t *speeds = speeds_of(chip);

    for (size_t i = 0; i < SPEEDS_MAX && speeds[i].name != NULL; i++) {
        if (same_word(speeds[i].name, name)) {
            return speeds[i].code;
        }
    }
    return -1;
}
