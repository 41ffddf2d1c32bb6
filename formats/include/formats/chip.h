/* SPDX-License-Identifier: Apache-2.0
 *
 * What differs between chips, as far as images and flash layout are concerned.
 * Source: formats specification, sections 1 and 5.7; the boards of this project are chips of their
 * own (docs/architecture.md, "Chip ids"). */
#ifndef FORMATS_CHIP_H
#define FORMATS_CHIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FMT_CHIP_ID_ESP32    0x0000u
#define FMT_CHIP_ID_ESP32S2  0x0002u
#define FMT_CHIP_ID_ESP32C3  0x0005u
#define FMT_CHIP_ID_ESP32S3  0x0009u
#define FMT_CHIP_ID_ESP32C2  0x000Cu
#define FMT_CHIP_ID_ESP32C6  0x000Du
#define FMT_CHIP_ID_ESP32H2  0x0010u
#define FMT_CHIP_ID_ESP32P4  0x0012u
#define FMT_CHIP_ID_ESP32C61 0x0014u
#define FMT_CHIP_ID_ESP32C5  0x0017u
#define FMT_CHIP_ID_ESP32H21 0x0019u
#define FMT_CHIP_ID_ESP32H4  0x001Cu
#define FMT_CHIP_ID_ESP32S31 0x0020u
#define FMT_CHIP_ID_LINUX    0xA105u
#define FMT_CHIP_ID_SIFIVE_U 0xA205u
#define FMT_CHIP_ID_INVALID  0xFFFFu

/* Kind of memory at an address. */
typedef enum {
    FMT_MEM_NONE = 0, /* nothing the chip can load to or map at */
    FMT_MEM_PADDING,  /* below 0x10000: padding segments live here, nothing is loaded */
    FMT_MEM_IROM,     /* instructions, executed from flash through the MMU */
    FMT_MEM_DROM,     /* data, read from flash through the MMU */
    FMT_MEM_EXTRAM,   /* external RAM; counts as mapped */
    FMT_MEM_IRAM,
    FMT_MEM_DRAM,
    FMT_MEM_RTC,
    FMT_MEM_RAM, /* RAM of a board that has one RAM for everything */
} fmt_mem_kind_t;

/* What a loader does with a segment. */
typedef enum {
    FMT_SEGMENT_NONE = 0, /* neither: padding, or reserved addresses */
    FMT_SEGMENT_MAP,      /* stays in flash, is mapped at its address */
    FMT_SEGMENT_LOAD,     /* is copied to its address */
} fmt_segment_use_t;

/* Addresses [low, high). kind FMT_MEM_NONE ends a chip's list. */
typedef struct {
    fmt_mem_kind_t kind;
    uint32_t low;
    uint32_t high;
} fmt_mem_range_t;

#define FMT_CHIP_MAX_RANGES 8

typedef struct {
    uint16_t id;
    const char *name;           /* as on a command line: "esp32c3", "linux" */
    const char *title;          /* as in text: "ESP32-C3", "Airlift linux" */
    bool real;                  /* a chip one can buy; false: a board of this project */
    uint32_t bootloader_offset; /* flash offset of the bootloader image */
    bool mmu_page_configurable; /* the descriptor of the image says the page size */
    bool mmu_256_pages;         /* the mapped range is 256 pages long: range below is for 64 KiB */
    bool wide_cache;            /* flash beyond 16 MB can be mapped: images may be larger */
    bool blk_rev_checked;       /* the image's eFuse block revision limits are tested */
    uint8_t secure_version_bits;
    uint8_t signature_blocks; /* secure boot key digests */
    uint16_t rev_max;         /* default limits written into images: major * 100 + minor */
    uint16_t blk_rev_max;
    fmt_mem_range_t ranges[FMT_CHIP_MAX_RANGES];
} fmt_chip_t;

/* MMU page size of every chip without a choice, in bytes. */
#define FMT_MMU_PAGE_DEFAULT 0x10000u

/* This project's boards, for who needs no other chip. */
extern const fmt_chip_t fmt_chip_linux;
extern const fmt_chip_t fmt_chip_sifive_u;

/* Number of known chips, and the chip at index (NULL when index >= count). Static storage. */
size_t fmt_chip_count(void);
const fmt_chip_t *fmt_chip_at(size_t index);

/* The chip with that chip id, or NULL. */
const fmt_chip_t *fmt_chip_by_id(uint16_t id);

/* The chip with that name ("esp32c3"; letter case and hyphens do not matter), or NULL. */
const fmt_chip_t *fmt_chip_by_name(const char *name);

/* Largest partition, and bound of a segment length, in bytes: 16 MiB or 4 GiB - 1. */
uint32_t fmt_chip_image_limit(const fmt_chip_t *chip);

/* What is at address. mmu_page: page size in bytes, matters where mmu_256_pages is set. */
fmt_mem_kind_t fmt_chip_memory(const fmt_chip_t *chip, uint32_t address, uint32_t mmu_page);

/* "DROM", "IRAM", ...; "" for FMT_MEM_NONE. */
const char *fmt_mem_kind_name(fmt_mem_kind_t kind);

/* What a loader does with a segment at load_address. FMT_SEGMENT_LOAD does not say that the
 * address is a legal one: see fmt_chip_may_load(). */
fmt_segment_use_t fmt_chip_segment_use(const fmt_chip_t *chip, uint32_t load_address,
                                       uint32_t mmu_page);

/* Whether [load_address, load_address + len) lies inside one RAM range of the chip. A length of 0
 * always does. The room a bootloader itself occupies is the loader's business. */
bool fmt_chip_may_load(const fmt_chip_t *chip, uint32_t load_address, uint32_t len);

#endif
