/* SPDX-License-Identifier: Apache-2.0
 *
 * The descriptor in the bootloader's own image: the build takes the section .dram0.bootdesc out of
 * the ELF file as segment 0. */
#include "config.h"
#include "formats/bootloader_desc.h"

_Static_assert(sizeof(IDF_VER) <= 33, "the ESP-IDF version text fits its field");

__attribute__((section(".dram0.bootdesc"), used)) const fmt_bootloader_desc_t bootloader_desc = {
    .magic_byte = FMT_BOOTLOADER_DESC_MAGIC,
#ifdef CONFIG_BOOTLOADER_SECURE_VERSION
    .secure_version = CONFIG_BOOTLOADER_SECURE_VERSION,
#endif
    .version = CONFIG_BOOTLOADER_PROJECT_VER,
    .idf_ver = IDF_VER,
    .date_time = BOOTLOADER_COMPILE_TIME,
};
