/* SPDX-License-Identifier: Apache-2.0
 *
 * The little of ELF an image builder needs: sections and loadable segments, 32 and 64 bit,
 * little-endian. Works on a file in memory; everything is checked against its length. */
#ifndef AIRLIFT_ELF_FILE_H
#define AIRLIFT_ELF_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    const uint8_t *data;
    size_t len;
    bool wide;        /* 64 bit */
    uint16_t machine; /* EM_* */
    uint64_t entry;
    /* private */
    uint64_t section_offset, segment_offset;
    unsigned section_count, segment_count, section_size, segment_size, name_section;
} elf_t;

typedef struct {
    const char *name; /* "" when the file has no names */
    uint32_t type;
    uint64_t flags;
    uint64_t address;
    uint64_t size;
    const uint8_t *data; /* NULL where the file holds none (SHT_NOBITS) */
} elf_section_t;

typedef struct {
    uint64_t virtual_address;
    uint64_t physical_address;
    uint64_t file_offset;
    uint64_t file_size;
} elf_load_t;

/* Looks at len bytes at data, which must outlive elf. NULL: all right; else what is wrong. */
const char *elf_open(elf_t *elf, const void *data, size_t len);

/* Section index 0, 1, ...; false when there is none or it does not lie in the file. */
bool elf_section(const elf_t *elf, unsigned index, elf_section_t *section);

/* The first section of that name. */
bool elf_section_by_name(const elf_t *elf, const char *name, elf_section_t *section);

/* Loadable segment number index in file order, with file contents; false when there is none. */
bool elf_load(const elf_t *elf, unsigned index, elf_load_t *load);

/* File offset of size bytes at a virtual address; false when no segment holds them in the file. */
bool elf_address_to_offset(const elf_t *elf, uint64_t address, uint64_t size, uint64_t *offset);

#endif
