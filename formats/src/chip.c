/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/chip.h"

#include "bytes.h"

/* clang-format off */
#define IROM(l, h)  {FMT_MEM_IROM, l, h}
#define DROM(l, h)  {FMT_MEM_DROM, l, h}
#define EXT(l, h)   {FMT_MEM_EXTRAM, l, h}
#define IRAM(l, h)  {FMT_MEM_IRAM, l, h}
#define DRAM(l, h)  {FMT_MEM_DRAM, l, h}
#define RTC(l, h)   {FMT_MEM_RTC, l, h}
#define RAM(l, h)   {FMT_MEM_RAM, l, h}
/* clang-format on */

/* Objects of their own, so that firmware for a board carries its own entry and not the table. */
/* The board that is a process. The DRAM range takes the bootloader's descriptor, so that its image
 * looks like a C3's. */
const fmt_chip_t fmt_chip_linux = {
    .id = FMT_CHIP_ID_LINUX,
    .name = "linux",
    .title = "Airlift linux",
    .blk_rev_checked = true,
    .secure_version_bits = 16,
    .signature_blocks = 3,
    .rev_max = 199,
    .blk_rev_max = 199,
    .ranges = {DROM(0x3C000000, 0x3C800000), DRAM(0x3FC80000, 0x3FCE0000),
               RAM(0x80000000, 0xC0000000)},
};

const fmt_chip_t fmt_chip_sifive_u = {
    .id = FMT_CHIP_ID_SIFIVE_U,
    .name = "sifive_u",
    .title = "Airlift sifive_u",
    .blk_rev_checked = true,
    .secure_version_bits = 16,
    .signature_blocks = 3,
    .rev_max = 199,
    .blk_rev_max = 199,
    .ranges = {DROM(0x3C000000, 0x3C800000), RAM(0x80000000, 0x88000000)},
};

static const fmt_chip_t real_chips[] = {
    {
        .id = FMT_CHIP_ID_ESP32,
        .name = "esp32",
        .title = "ESP32",
        .real = true,
        .bootloader_offset = 0x1000,
        .secure_version_bits = 32,
        .signature_blocks = 1,
        .rev_max = 399,
        .blk_rev_max = 99,
        .ranges = {IROM(0x400D0000, 0x40400000), DROM(0x3F400000, 0x3F800000),
                   IRAM(0x40080000, 0x400AA000), DRAM(0x3FFAE000, 0x40000000),
                   RTC(0x400C0000, 0x400C2000), RTC(0x3FF80000, 0x3FF82000),
                   RTC(0x50000000, 0x50002000)},
    },
    {
        .id = FMT_CHIP_ID_ESP32S2,
        .name = "esp32s2",
        .title = "ESP32-S2",
        .real = true,
        .bootloader_offset = 0x1000,
        .blk_rev_checked = true,
        .secure_version_bits = 16,
        .signature_blocks = 3,
        .rev_max = 199,
        .blk_rev_max = 99,
        .ranges = {IROM(0x40080000, 0x40800000), DROM(0x3F000000, 0x3FF80000),
                   IRAM(0x40020000, 0x40070000), DRAM(0x3FFB0000, 0x40000000),
                   RTC(0x40070000, 0x40072000), RTC(0x3FF9E000, 0x3FFA0000),
                   RTC(0x50000000, 0x50002000)},
    },
    {
        .id = FMT_CHIP_ID_ESP32C3,
        .name = "esp32c3",
        .title = "ESP32-C3",
        .real = true,
        .blk_rev_checked = true,
        .secure_version_bits = 16,
        .signature_blocks = 3,
        .rev_max = 199,
        .blk_rev_max = 199,
        .ranges = {IROM(0x42000000, 0x42800000), DROM(0x3C000000, 0x3C800000),
                   IRAM(0x4037C000, 0x403E0000), DRAM(0x3FC80000, 0x3FCE0000),
                   RTC(0x50000000, 0x50002000)},
    },
    {
        .id = FMT_CHIP_ID_ESP32S3,
        .name = "esp32s3",
        .title = "ESP32-S3",
        .real = true,
        .wide_cache = true,
        .blk_rev_checked = true,
        .secure_version_bits = 16,
        .signature_blocks = 3,
        .rev_max = 99,
        .blk_rev_max = 199,
        .ranges = {IROM(0x42000000, 0x44000000), DROM(0x3C000000, 0x3E000000),
                   IRAM(0x40370000, 0x403E0000), DRAM(0x3FC88000, 0x3FD00000),
                   RTC(0x600FE000, 0x60100000), RTC(0x50000000, 0x50002000)},
    },
    {
        .id = FMT_CHIP_ID_ESP32C2,
        .name = "esp32c2",
        .title = "ESP32-C2",
        .real = true,
        .mmu_page_configurable = true,
        .blk_rev_checked = true,
        .secure_version_bits = 4,
        .signature_blocks = 1,
        .rev_max = 299,
        .blk_rev_max = 99,
        .ranges = {IROM(0x42000000, 0x42400000), DROM(0x3C000000, 0x3C400000),
                   IRAM(0x4037C000, 0x403C0000), DRAM(0x3FCA0000, 0x3FCE0000)},
    },
    {
        .id = FMT_CHIP_ID_ESP32C6,
        .name = "esp32c6",
        .title = "ESP32-C6",
        .real = true,
        .mmu_page_configurable = true,
        .mmu_256_pages = true,
        .blk_rev_checked = true,
        .secure_version_bits = 16,
        .signature_blocks = 3,
        .rev_max = 99,
        .blk_rev_max = 99,
        .ranges = {IROM(0x42000000, 0x43000000), DROM(0x42000000, 0x43000000),
                   IRAM(0x40800000, 0x40880000), DRAM(0x40800000, 0x40880000),
                   RTC(0x50000000, 0x50004000)},
    },
    {
        .id = FMT_CHIP_ID_ESP32H2,
        .name = "esp32h2",
        .title = "ESP32-H2",
        .real = true,
        .mmu_page_configurable = true,
        .mmu_256_pages = true,
        .blk_rev_checked = true,
        .secure_version_bits = 16,
        .signature_blocks = 3,
        .rev_max = 199,
        .blk_rev_max = 99,
        .ranges = {IROM(0x42000000, 0x43000000), DROM(0x42000000, 0x43000000),
                   IRAM(0x40800000, 0x40850000), DRAM(0x40800000, 0x40850000),
                   RTC(0x50000000, 0x50001000)},
    },
    {
        .id = FMT_CHIP_ID_ESP32P4,
        .name = "esp32p4",
        .title = "ESP32-P4",
        .real = true,
        .bootloader_offset = 0x2000,
        .wide_cache = true,
        .blk_rev_checked = true,
        .secure_version_bits = 16,
        .signature_blocks = 3,
        .rev_max = 399,
        .blk_rev_max = 199,
        .ranges = {IROM(0x40000000, 0x44000000), DROM(0x40000000, 0x44000000),
                   EXT(0x48000000, 0x4C000000), IRAM(0x4FF00000, 0x4FFC0000),
                   DRAM(0x4FF00000, 0x4FFC0000), RTC(0x50108000, 0x50110000)},
    },
    {
        .id = FMT_CHIP_ID_ESP32C61,
        .name = "esp32c61",
        .title = "ESP32-C61",
        .real = true,
        .mmu_page_configurable = true,
        .wide_cache = true,
        .blk_rev_checked = true,
        .secure_version_bits = 16,
        .signature_blocks = 3,
        .rev_max = 199,
        .blk_rev_max = 199,
        .ranges = {IROM(0x42000000, 0x44000000), DROM(0x42000000, 0x44000000),
                   IRAM(0x40800000, 0x40850000), DRAM(0x40800000, 0x40850000)},
    },
    {
        .id = FMT_CHIP_ID_ESP32C5,
        .name = "esp32c5",
        .title = "ESP32-C5",
        .real = true,
        .bootloader_offset = 0x2000,
        .wide_cache = true,
        .blk_rev_checked = true,
        .secure_version_bits = 9,
        .signature_blocks = 3,
        .rev_max = 199,
        .blk_rev_max = 99,
        .ranges = {IROM(0x42000000, 0x44000000), DROM(0x42000000, 0x44000000),
                   IRAM(0x40800000, 0x40860000), DRAM(0x40800000, 0x40860000),
                   RTC(0x50000000, 0x50004000)},
    },
    {
        .id = FMT_CHIP_ID_ESP32H21,
        .name = "esp32h21",
        .title = "ESP32-H21",
        .real = true,
        .mmu_page_configurable = true,
        .blk_rev_checked = true,
        .secure_version_bits = 16,
        .signature_blocks = 3,
        .rev_max = 99,
        .blk_rev_max = 99,
        .ranges = {IROM(0x42000000, 0x43000000), DROM(0x42000000, 0x43000000),
                   IRAM(0x40800000, 0x40850000), DRAM(0x40800000, 0x40850000),
                   RTC(0x50000000, 0x50001000)},
    },
    {
        .id = FMT_CHIP_ID_ESP32H4,
        .name = "esp32h4",
        .title = "ESP32-H4",
        .real = true,
        .bootloader_offset = 0x2000,
        .mmu_page_configurable = true,
        .wide_cache = true,
        .blk_rev_checked = true,
        .secure_version_bits = 16,
        .signature_blocks = 3,
        .rev_max = 99,
        .blk_rev_max = 99,
        .ranges = {IROM(0x42000000, 0x44000000), DROM(0x42000000, 0x44000000),
                   IRAM(0x40810000, 0x40860000), DRAM(0x40810000, 0x40860000),
                   RTC(0x50000000, 0x50004000)},
    },
    {
        .id = FMT_CHIP_ID_ESP32S31,
        .name = "esp32s31",
        .title = "ESP32-S31",
        .real = true,
        .bootloader_offset = 0x2000,
        .mmu_page_configurable = true,
        .wide_cache = true,
        .blk_rev_checked = true,
        .secure_version_bits = 16,
        .signature_blocks = 3,
        .rev_max = 99,
        .blk_rev_max = 99,
        .ranges = {IROM(0x40000000, 0x44000000), DROM(0x40000000, 0x44000000),
                   EXT(0x50000000, 0x54000000), IRAM(0x2F000000, 0x2F080000),
                   DRAM(0x2F000000, 0x2F080000), RTC(0x2E000000, 0x2E008000)},
    },
};

#define REAL_CHIPS (sizeof(real_chips) / sizeof(real_chips[0]))

size_t fmt_chip_count(void)
{
    return REAL_CHIPS + 2;
}

const fmt_chip_t *fmt_chip_at(size_t index)
{
    if (index < REAL_CHIPS) {
        return &real_chips[index];
    }
    return index == REAL_CHIPS       ? &fmt_chip_linux
           : index == REAL_CHIPS + 1 ? &fmt_chip_sifive_u
                                     : NULL;
}

const fmt_chip_t *fmt_chip_by_id(uint16_t id)
{
    for (size_t i = 0; i < fmt_chip_count(); i++) {
        if (fmt_chip_at(i)->id == id) {
            return fmt_chip_at(i);
        }
    }
    return NULL;
}

static bool same_chip_name(const char *a, const char *b)
{
    for (;; a++, b++) {
        while (*a == '-') {
            a++;
        }
        while (*b == '-') {
            b++;
        }
        if (lower_ascii(*a) != lower_ascii(*b)) {
            return false;
        }
        if (*a == '\0') {
            return true;
        }
    }
}

const fmt_chip_t *fmt_chip_by_name(const char *name)
{
    for (size_t i = 0; i < fmt_chip_count(); i++) {
        if (same_chip_name(fmt_chip_at(i)->name, name)) {
            return fmt_chip_at(i);
        }
    }
    return NULL;
}

uint32_t fmt_chip_image_limit(const fmt_chip_t *chip)
{
    return chip->wide_cache ? 0xFFFFFFFFu : 0x1000000u;
}

static bool is_mapped_kind(fmt_mem_kind_t kind)
{
    return kind == FMT_MEM_IROM || kind == FMT_MEM_DROM || kind == FMT_MEM_EXTRAM;
}

static bool in_range(const fmt_chip_t *chip, const fmt_mem_range_t *range, uint32_t address,
                     uint32_t mmu_page)
{
    uint32_t high = range->high;

    if (chip->mmu_256_pages && is_mapped_kind(range->kind) && mmu_page != 0 &&
        mmu_page <= FMT_MMU_PAGE_DEFAULT) {
        high = range->low + 256u * mmu_page;
    }
    return address >= range->low && address < high;
}

fmt_mem_kind_t fmt_chip_memory(const fmt_chip_t *chip, uint32_t address, uint32_t mmu_page)
{
    if (address < 0x10000) {
        return FMT_MEM_PADDING;
    }
    for (size_t i = 0; i < FMT_CHIP_MAX_RANGES && chip->ranges[i].kind != FMT_MEM_NONE; i++) {
        if (in_range(chip, &chip->ranges[i], address, mmu_page)) {
            return chip->ranges[i].kind;
        }
    }
    return FMT_MEM_NONE;
}

const char *fmt_mem_kind_name(fmt_mem_kind_t kind)
{
    switch (kind) {
    case FMT_MEM_PADDING:
        return "PADDING";
    case FMT_MEM_IROM:
        return "IROM";
    case FMT_MEM_DROM:
        return "DROM";
    case FMT_MEM_EXTRAM:
        return "EXTRAM";
    case FMT_MEM_IRAM:
        return "IRAM";
    case FMT_MEM_DRAM:
        return "DRAM";
    case FMT_MEM_RTC:
        return "RTC";
    case FMT_MEM_RAM:
        return "RAM";
    case FMT_MEM_NONE:
        break;
    }
    return "";
}

fmt_segment_use_t fmt_chip_segment_use(const fmt_chip_t *chip, uint32_t load_address,
                                       uint32_t mmu_page)
{
    if (is_mapped_kind(fmt_chip_memory(chip, load_address, mmu_page))) {
        return FMT_SEGMENT_MAP;
    }
    return load_address < 0x10000000 ? FMT_SEGMENT_NONE : FMT_SEGMENT_LOAD;
}

bool fmt_chip_may_load(const fmt_chip_t *chip, uint32_t load_address, uint32_t len)
{
    if (len == 0) {
        return true;
    }
    for (size_t i = 0; i < FMT_CHIP_MAX_RANGES && chip->ranges[i].kind != FMT_MEM_NONE; i++) {
        const fmt_mem_range_t *range = &chip->ranges[i];

        if (!is_mapped_kind(range->kind) && load_address >= range->low &&
            load_address < range->high && len <= range->high - load_address) {
            return true;
        }
    }
    return false;
}
