/* SPDX-License-Identifier: Apache-2.0
 *
 * Anti-rollback: the chip's secure version, kept in emulated eFuses (formats specification, 7.1 and
 * 7.3): the dump of the fuses at the start of the partition data/efuse, in which the version is the
 * number of ones in 16 bits of block 0 (as on an ESP32-C3). */
#include "bootloader.h"
#include "config.h"
#include "formats/app_desc.h"
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

#define EFUSE_DUMP_SIZE (11u * 32u)
#define VERSION_BIT     142u
#define VERSION_WIDTH   16u

#if defined(CONFIG_BOOTLOADER_APP_SEC_VER_SIZE_EFUSE_FIELD) &&                                     \
    CONFIG_BOOTLOADER_APP_SEC_VER_SIZE_EFUSE_FIELD < 16
#define VERSION_BITS ((unsigned)CONFIG_BOOTLOADER_APP_SEC_VER_SIZE_EFUSE_FIELD)
#else
#define VERSION_BITS VERSION_WIDTH
#endif

static const char TAG[] = "efuse";

static fmt_boot_pos_t partition; /* size 0: the board has no emulated eFuses */
static uint8_t fuses[EFUSE_DUMP_SIZE];

static bool version_bit(unsigned bit)
{
    bit += VERSION_BIT;
    return (fuses[bit / 8] >> (bit % 8)) & 1u;
}

static esp_err_t store(void)
{
    for (uint32_t at = 0; at < partition.size; at += HAL_FLASH_SECTOR_SIZE) {
        esp_err_t err = hal_flash_erase_sector(partition.offset + at);
        if (err != ESP_OK) {
            return err;
        }
    }
    return hal_flash_program(partition.offset, fuses, sizeof(fuses));
}

void boot_secure_version_init(const boot_table_t *table)
{
    partition = (fmt_boot_pos_t){0};
    for (unsigned i = 0; i < table->count; i++) {
        fmt_partition_t entry;
        if (fmt_partition_row_decode(table->rows + (size_t)i * FMT_PARTITION_ROW_SIZE, &entry) ==
                FMT_ROW_ENTRY &&
            entry.type == FMT_PART_TYPE_DATA && entry.subtype == FMT_PART_DATA_EFUSE &&
            entry.size >= HAL_FLASH_SECTOR_SIZE) {
            partition = (fmt_boot_pos_t){entry.offset, entry.size};
        }
    }
    if (partition.size == 0) {
        boot_log('E', TAG,
                 "no partition for the emulated eFuses: the secure version counts as 0 "
                 "and cannot be raised");
        return;
    }
    esp_err_t err = hal_flash_read(partition.offset, fuses, sizeof(fuses));
    if (err != ESP_OK) {
        boot_log('E', TAG, "cannot read the emulated eFuses: error 0x%x", (unsigned)err);
        partition.size = 0;
        return;
    }
    for (size_t i = 0; i < sizeof(fuses); i++) {
        if (fuses[i] != 0xFF) {
            return;
        }
    }
    /* Never used: a chip with no fuse burnt. */
    for (size_t i = 0; i < sizeof(fuses); i++) {
        fuses[i] = 0;
    }
    err = store();
    if (err != ESP_OK) {
        boot_log('E', TAG, "cannot write the emulated eFuses: error 0x%x", (unsigned)err);
    }
}

uint32_t boot_secure_version(void)
{
    uint32_t version = 0;
    if (partition.size != 0) {
        for (unsigned bit = 0; bit < VERSION_BITS; bit++) {
            version += version_bit(bit);
        }
    }
    return version;
}

void boot_raise_secure_version(uint32_t version)
{
    uint32_t count = boot_secure_version();
    if (version > VERSION_BITS) {
        boot_log('E', TAG, "Max secure version is %u. Given %u version can not be written.",
                 VERSION_BITS, (unsigned)version);
        return;
    }
    if (version == count) {
        return;
    }
    if (version < count) {
        boot_log('E', TAG,
                 "Anti-rollback is not set. secure_version of app is lower that eFuse field(%u).",
                 (unsigned)count);
        return;
    }
    if (partition.size == 0) {
        boot_log('E', TAG, "there are no emulated eFuses to keep secure version %u in",
                 (unsigned)version);
        return;
    }
    for (unsigned bit = 0; bit < VERSION_BITS && count < version; bit++) {
        if (!version_bit(bit)) {
            fuses[(VERSION_BIT + bit) / 8] |= (uint8_t)(1u << ((VERSION_BIT + bit) % 8));
            count++;
        }
    }
    esp_err_t err = store();
    if (err != ESP_OK) {
        boot_log('E', TAG, "cannot write the emulated eFuses: error 0x%x", (unsigned)err);
        return;
    }
    boot_log('I', TAG, "Anti-rollback is set. eFuse field is updated(%u).", (unsigned)version);
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
