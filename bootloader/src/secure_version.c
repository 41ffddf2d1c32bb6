/* SPDX-License-Identifier: Apache-2.0
 *
 * Anti-rollback: the secure version of applications, and the chip's in its emulated eFuses. */
#include "bootloader.h"
#include "config.h"
#include "formats/app_desc.h"
#include "formats/efuse.h"
#include "hal/flash.h"
#include "log.h"

bool boot_app_secure_version(void *roles, int index, uint32_t *version)
{
    fmt_boot_pos_t pos = fmt_boot_position(roles, index);
    if (pos.size < FMT_APP_DESC_IMAGE_OFFSET + FMT_APP_DESC_SIZE) {
        return false;
    }
    uint8_t raw[FMT_APP_DESC_SIZE];
    fmt_app_desc_t desc;
    if (hal_flash_read(pos.offset + FMT_APP_DESC_IMAGE_OFFSET, raw, sizeof(raw)) != ESP_OK ||
        fmt_app_desc_decode(raw, sizeof(raw), &desc) != ESP_OK) {
        return false;
    }
    *version = desc.secure_version;
    return true;
}

#ifdef CONFIG_BOOTLOADER_APP_ANTI_ROLLBACK

#ifndef CONFIG_BOOTLOADER_APP_SEC_VER_SIZE_EFUSE_FIELD
#define CONFIG_BOOTLOADER_APP_SEC_VER_SIZE_EFUSE_FIELD FMT_EFUSE_VERSION_BITS
#endif

#define VERSION_BITS ((unsigned)CONFIG_BOOTLOADER_APP_SEC_VER_SIZE_EFUSE_FIELD)

static uint32_t address; /* of the partition */
static fmt_efuse_t efuse;

static esp_err_t io_read(void *context, uint32_t offset, void *dst, size_t len)
{
    (void)context;
    return hal_flash_read(address + offset, dst, len);
}

static esp_err_t io_program(void *context, uint32_t offset, const void *src, size_t len)
{
    (void)context;
    return hal_flash_program(address + offset, src, len);
}

static esp_err_t io_erase_sector(void *context, uint32_t offset)
{
    (void)context;
    return hal_flash_erase_sector(address + offset);
}

static const fmt_efuse_io_t io = {
    .read = io_read, .program = io_program, .erase_sector = io_erase_sector};

/* What went wrong is in the line; boot goes on with the fuses that could be read. */
static void print(const fmt_log_line_t *line)
{
    if (line->text[0] != '\0') {
        boot_log_line(line);
    }
}

void boot_secure_version_init(const boot_table_t *table)
{
    /* Of several the first one, which is also the one an application finds. */
    efuse.partition_size = 0;
    for (unsigned i = 0; i < table->count && efuse.partition_size == 0; i++) {
        fmt_partition_t entry;
        if (fmt_partition_row_decode(table->rows + (size_t)i * FMT_PARTITION_ROW_SIZE, &entry) ==
                FMT_ROW_ENTRY &&
            entry.type == FMT_PART_TYPE_DATA && entry.subtype == FMT_PART_DATA_EFUSE) {
            address = entry.offset;
            efuse.partition_size = entry.size;
        }
    }
    fmt_log_line_t line;
    (void)fmt_efuse_open(&io, &efuse, &line);
    print(&line);
}

uint32_t boot_secure_version(void)
{
    return fmt_efuse_secure_version(&efuse, VERSION_BITS);
}

void boot_raise_secure_version(uint32_t version)
{
    fmt_log_line_t line;
    (void)fmt_efuse_raise_secure_version(&io, &efuse, VERSION_BITS, version, &line);
    print(&line);
}

#else

void boot_secure_version_init(const boot_table_t *table)
{
    (void)table;
}

uint32_t boot_secure_version(void)
{
    return 0;
}

void boot_raise_secure_version(uint32_t version)
{
    (void)version;
}

#endif
