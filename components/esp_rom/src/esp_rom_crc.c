/* SPDX-License-Identifier: Apache-2.0
 *
 * CRC-32 under the name of the ROM function. */
#include "esp_rom_crc.h"
#include "formats/crc32.h"

uint32_t esp_rom_crc32_le(uint32_t crc, const uint8_t *buf, uint32_t len)
{
    return fmt_crc32(crc, buf, len);
}
