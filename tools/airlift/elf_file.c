/* SPDX-License-Identifier: Apache-2.0 */
#include "elf_file.h"

#include <elf.h>
#include <string.h>

/* Whether count records of size bytes at offset lie in the file. */
static bool inside(const elf_t *elf, uint64_t offset, uint64_t size)
{
    return offset <= elf->len && size <= elf->len - offset;
}

const char *elf_open(elf_t *elf, const void *data, size_t len)
{
    const uint8_t *ident = data;

    memset(elf, 0, sizeof(*elf));
    elf->data = data;
    elf->len = len;
    if (len < EI_NIDENT || memcmp(ident, ELFMAG, SELFMAG) != 0) {
        return "not an ELF file";
    }
    if (ident[EI_DATA] != ELFDATA2LSB) {
        return "not little-endian";
    }
    if (ident[EI_CLASS] == ELFCLASS64 && len >= sizeof(Elf64_Ehdr)) {
        Elf64_Ehdr header;

        memcpy(&header, data, sizeof(header));
        elf->wide = true;
        elf->machine = header.e_machine;
        elf->entry = header.e_entry;
        elf->section_offset = header.e_shoff;
        elf->section_count = header.e_shnum;
        elf->section_size = header.e_shentsize;
        elf->name_section = header.e_shstrndx;
        elf->segment_offset = header.e_phoff;
        elf->segment_count = header.e_phnum;
        elf->segment_size = header.e_phentsize;
    } else if (ident[EI_CLASS] == ELFCLASS32 && len >= sizeof(Elf32_Ehdr)) {
        Elf32_Ehdr header;

        memcpy(&header, data, sizeof(header));
        elf->machine = header.e_machine;
        elf->entry = header.e_entry;
        elf->section_offset = header.e_shoff;
        elf->section_count = header.e_shnum;
        elf->section_size = header.e_shentsize;
        elf->name_section = header.e_shstrndx;
        elf->segment_offset = header.e_phoff;
        elf->segment_count = header.e_phnum;
        elf->segment_size = header.e_phentsize;
    } else {
        return "ELF header is cut short or of an unknown class";
    }
    if (elf->section_count > 0 &&
        (elf->section_size < (elf->wide ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr)) ||
         !inside(elf, elf->section_offset, (uint64_t)elf->section_count * elf->section_size))) {
        return "section table lies outside the file";
    }
    if (elf->segment_count > 0 &&
        (elf->segment_size < (elf->wide ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr)) ||
         !inside(elf, elf->segment_offset, (uint64_t)elf->segment_count * elf->segment_size))) {
        return "program header table lies outside the file";
    }
    return NULL;
}

/* A section without its name; *name gets the name's offset in the name section. */
static bool raw_section(const elf_t *elf, unsigned index, elf_section_t *section, uint64_t *name)
{
    const uint8_t *raw;
    uint64_t offset;

    if (index >= elf->section_count) {
        return false;
    }
    raw = elf->data + elf->section_offset + (uint64_t)index * elf->section_size;
    if (elf->wide) {
        Elf64_Shdr header;

        memcpy(&header, raw, sizeof(header));
        *section = (elf_section_t){.type = header.sh_type,
                                   .flags = header.sh_flags,
                                   .address = header.sh_addr,
                                   .size = header.sh_size};
        offset = header.sh_offset;
        *name = header.sh_name;
    } else {
        Elf32_Shdr header;

        memcpy(&header, raw, sizeof(header));
        *section = (elf_section_t){.type = header.sh_type,
                                   .flags = header.sh_flags,
                                   .address = header.sh_addr,
                                   .size = header.sh_size};
        offset = header.sh_offset;
        *name = header.sh_name;
    }
    section->name = "";
    if (section->type != SHT_NOBITS && section->type != SHT_NULL) {
        if (!inside(elf, offset, section->size)) {
            return false;
        }
        section->data = elf->data + offset;
    }
    return true;
}

bool elf_section(const elf_t *elf, unsigned index, elf_section_t *section)
{
    elf_section_t names;
    uint64_t name, unused;

    if (!raw_section(elf, index, section, &name)) {
        return false;
    }
    if (raw_section(elf, elf->name_section, &names, &unused) && names.data != NULL &&
        name < names.size && memchr(names.data + name, '\0', names.size - name) != NULL) {
        section->name = (const char *)names.data + name;
    }
    return true;
}

bool elf_section_by_name(const elf_t *elf, const char *name, elf_section_t *section)
{
    for (unsigned i = 0; i < elf->section_count; i++) {
        if (elf_section(elf, i, section) && strcmp(section->name, name) == 0) {
            return true;
        }
    }
    return false;
}

bool elf_load(const elf_t *elf, unsigned index, elf_load_t *load)
{
    for (unsigned i = 0; i < elf->segment_count; i++) {
        const uint8_t *raw = elf->data + elf->segment_offset + (uint64_t)i * elf->segment_size;
        uint32_t type;

        if (elf->wide) {
            Elf64_Phdr header;

            memcpy(&header, raw, sizeof(header));
            type = header.p_type;
            *load = (elf_load_t){header.p_vaddr, header.p_paddr, header.p_offset, header.p_filesz};
        } else {
            Elf32_Phdr header;

            memcpy(&header, raw, sizeof(header));
            type = header.p_type;
            *load = (elf_load_t){header.p_vaddr, header.p_paddr, header.p_offset, header.p_filesz};
        }
        if (type == PT_LOAD && load->file_size > 0 &&
            inside(elf, load->file_offset, load->file_size) && index-- == 0) {
            return true;
        }
    }
    return false;
}

bool elf_address_to_offset(const elf_t *elf, uint64_t address, uint64_t size, uint64_t *offset)
{
    elf_load_t load;

    for (unsigned i = 0; elf_load(elf, i, &load); i++) {
        if (address >= load.virtual_address && address - load.virtual_address <= load.file_size &&
            size <= load.file_size - (address - load.virtual_address)) {
            *offset = load.file_offset + (address - load.virtual_address);
            return true;
        }
    }
    return false;
}
