/* SPDX-License-Identifier: Apache-2.0
 *
 * The CRC a chip's ROM offers. */
#ifndef ESP_ROM_CRC_H
#define ESP_ROM_CRC_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* CRC-32 (polynomial 0x04C11DB7 reflected, input and output inverted inside) of len bytes at buf,
 * continued from crc: crc32(0, "123456789") is 0xCBF43926, and
 * crc32(crc32(0, a), b) is crc32(0, ab). */
uint32_t esp_rom_crc32_le(uint32_t crc, const uint8_t *buf, uint32_t len);

#ifdef __cplusplus
}
#endif

#endif
