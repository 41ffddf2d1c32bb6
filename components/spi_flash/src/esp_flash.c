/* SPDX-License-Identifier: Apache-2.0 */
#include "esp_flash.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "formats/image.h"
#include "hal/flash.h"
#include "hal/loader.h"

#include "esp_flash_internal.h"
#include "esp_log.h"
#include "esp_private/storage_lock.h"
#include "sdkconfig.h"

static const char TAG[] = "spi_flash";

/* An unknown size code counts as 2 MiB (formats specification, section 1). */
#define UNKNOWN_CODE_SIZE 0x200000u

/* The bootloader and the partition table up to the last byte a table may use. */
#define DANGEROUS_END (CONFIG_PARTITION_TABLE_OFFSET + 0xC00u)

struct esp_flash_t {
    uint32_t physical_size;
    uint32_t size; /* usable; 0 until found */
    bool guarded;
    /* Counts changes, so that a verification can tell whether one happened meanwhile. */
    uint32_t generation;
    bool verified;
    uint32_t verified_address;
    uint32_t verified_length;
};

static struct esp_flash_t s_chip = {.guarded = true};
esp_flash_t *esp_flash_default_chip = &s_chip;
static storage_lock_t s_lock = STORAGE_LOCK_INITIALIZER;

/* Partition knowledge, if esp_partition is in the program. Weak, because esp_partition stands above
 * this component. */
bool esp_partition_is_flash_region_writable(size_t addr, size_t size) __attribute__((weak));
bool esp_partition_main_flash_region_safe(size_t addr, size_t size) __attribute__((weak));

/* Size from the header of the flashed bootloader, UINT32_MAX if there is no header. */
static uint32_t size_from_header(void)
{
    uint8_t raw[FMT_IMAGE_HEADER_SIZE];
    fmt_image_header_t header;
    if (hal_flash_read(CONFIG_BOOTLOADER_OFFSET_IN_FLASH, raw, sizeof(raw)) != ESP_OK) {
        return UINT32_MAX;
    }
    fmt_image_header_decode(raw, &header);
    if (header.magic != FMT_IMAGE_MAGIC) {
        return UINT32_MAX;
    }
    uint32_t size = fmt_flash_size_bytes(header.spi_size);
    return size != 0 ? size : UNKNOWN_CODE_SIZE;
}

static esp_err_t chip_ready(esp_flash_t *chip)
{
    if (chip != NULL && chip != &s_chip) {
        ESP_LOGE(TAG, "this board has no other flash chip than the main one");
        return ESP_ERR_FLASH_NOT_INITIALISED;
    }
    storage_lock(&s_lock);
    esp_err_t err = ESP_OK;
    if (s_chip.size == 0 || hal_flash_size() != s_chip.physical_size) {
        s_chip.size = 0;
        err = hal_flash_init();
        if (err == ESP_OK) {
            s_chip.physical_size = hal_flash_size();
            uint32_t configured = size_from_header();
            s_chip.size = configured < s_chip.physical_size ? configured : s_chip.physical_size;
        }
    }
    storage_unlock(&s_lock);
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "no usable flash chip (0x%x)", (unsigned)err);
    }
    return err;
}

static bool range_inside(uint32_t address, uint32_t length)
{
    return address <= s_chip.size && length <= s_chip.size - address;
}

static bool overlaps(uint32_t a, uint32_t a_len, uint32_t b, uint32_t b_len)
{
    return a_len != 0 && b_len != 0 && a < (uint64_t)b + b_len && b < (uint64_t)a + a_len;
}

static bool region_safe(uint32_t address, uint32_t length)
{
    if (address <= DANGEROUS_END) {
        return false;
    }
    if (esp_partition_main_flash_region_safe != NULL) {
        return esp_partition_main_flash_region_safe(address, length);
    }
    /* Without partitions only the place of the running image is known, not its size. */
    uint32_t running = hal_loader_running_offset();
    return running == UINT32_MAX || !overlaps(address, length, running, HAL_FLASH_SECTOR_SIZE);
}

static esp_err_t check_change(uint32_t address, uint32_t length)
{
    if (esp_partition_is_flash_region_writable != NULL &&
        !esp_partition_is_flash_region_writable(address, length)) {
        ESP_LOGE(TAG, "0x%" PRIx32 "..0x%" PRIx32 " touches a read-only partition", address,
                 address + length);
        return ESP_ERR_NOT_ALLOWED;
    }
#ifndef CONFIG_SPI_FLASH_DANGEROUS_WRITE_ALLOWED
    storage_lock(&s_lock);
    bool guarded = s_chip.guarded;
    storage_unlock(&s_lock);
    if (guarded && !region_safe(address, length)) {
        ESP_LOGE(TAG,
                 "changing 0x%" PRIx32 "..0x%" PRIx32
                 " would damage the bootloader, the partition table or the running app",
                 address, address + length);
#ifdef CONFIG_SPI_FLASH_DANGEROUS_WRITE_FAILS
        return ESP_ERR_INVALID_ARG;
#else
        abort();
#endif
    }
#else
    (void)region_safe;
#endif
    return ESP_OK;
}

/* Called before and after every change: a reader between the two has read neither old nor new. */
static void note_change(uint32_t address, uint32_t length)
{
    storage_lock(&s_lock);
    s_chip.generation++;
    if (s_chip.verified &&
        overlaps(address, length, s_chip.verified_address, s_chip.verified_length)) {
        s_chip.verified = false;
    }
    storage_unlock(&s_lock);
}

esp_err_t esp_flash_init(esp_flash_t *chip)
{
    return chip_ready(chip);
}

esp_err_t esp_flash_get_size(esp_flash_t *chip, uint32_t *out_size)
{
    if (out_size == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    esp_err_t err = chip_ready(chip);
    if (err == ESP_OK) {
        *out_size = s_chip.size;
    }
    return err;
}

esp_err_t esp_flash_get_physical_size(esp_flash_t *chip, uint32_t *flash_size)
{
    if (flash_size == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    esp_err_t err = chip_ready(chip);
    if (err == ESP_OK) {
        *flash_size = s_chip.physical_size;
    }
    return err;
}

esp_err_t esp_flash_read_id(esp_flash_t *chip, uint32_t *out_id)
{
    if (out_id == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    esp_err_t err = chip_ready(chip);
    if (err == ESP_OK) {
        *out_id = hal_flash_id();
    }
    return err;
}

esp_err_t esp_flash_read(esp_flash_t *chip, void *buffer, uint32_t address, uint32_t length)
{
    esp_err_t err = chip_ready(chip);
    if (err != ESP_OK) {
        return err;
    }
    if (!range_inside(address, length) || (buffer == NULL && length != 0)) {
        return ESP_ERR_INVALID_ARG;
    }
    return length == 0 ? ESP_OK : hal_flash_read(address, buffer, length);
}

esp_err_t esp_flash_write(esp_flash_t *chip, const void *buffer, uint32_t address, uint32_t length)
{
    esp_err_t err = chip_ready(chip);
    if (err != ESP_OK) {
        return err;
    }
    if (!range_inside(address, length) || (buffer == NULL && length != 0)) {
        return ESP_ERR_INVALID_ARG;
    }
    if (length == 0) {
        return ESP_OK;
    }
    err = check_change(address, length);
    if (err != ESP_OK) {
        return err;
    }
    note_change(address, length);
    err = hal_flash_program(address, buffer, length);
    note_change(address, length);
    return err;
}

static esp_err_t check_erase(esp_flash_t *chip, uint32_t start, uint32_t len)
{
    esp_err_t err = chip_ready(chip);
    if (err != ESP_OK) {
        return err;
    }
    if (start % HAL_FLASH_SECTOR_SIZE != 0 || len % HAL_FLASH_SECTOR_SIZE != 0 ||
        !range_inside(start, len)) {
        return ESP_ERR_INVALID_ARG;
    }
    return len == 0 ? ESP_OK : check_change(start, len);
}

/* The range was checked. */
static esp_err_t erase_unit(uint32_t start, uint32_t len, uint32_t *erased)
{
    bool block = start % HAL_FLASH_BLOCK_SIZE == 0 && len >= HAL_FLASH_BLOCK_SIZE;
    uint32_t unit = block ? HAL_FLASH_BLOCK_SIZE : HAL_FLASH_SECTOR_SIZE;
    note_change(start, unit);
    esp_err_t err = block ? hal_flash_erase_block(start) : hal_flash_erase_sector(start);
    note_change(start, unit);
    *erased = err == ESP_OK ? unit : 0;
    return err;
}

esp_err_t esp_flash_erase_step(esp_flash_t *chip, uint32_t start, uint32_t len, uint32_t *erased)
{
    *erased = 0;
    if (len == 0) {
        return ESP_ERR_INVALID_ARG;
    }
    esp_err_t err = check_erase(chip, start, len);
    return err != ESP_OK ? err : erase_unit(start, len, erased);
}

esp_err_t esp_flash_erase_region(esp_flash_t *chip, uint32_t start, uint32_t len)
{
    esp_err_t err = check_erase(chip, start, len);
    while (err == ESP_OK && len > 0) {
        uint32_t erased;
        err = erase_unit(start, len, &erased);
        start += erased;
        len -= erased;
    }
    return err;
}

esp_err_t esp_flash_erase_chip(esp_flash_t *chip)
{
    esp_err_t err = chip_ready(chip);
    return err != ESP_OK ? err : esp_flash_erase_region(chip, 0, s_chip.size);
}

esp_err_t esp_flash_set_dangerous_write_protection(esp_flash_t *chip, bool protect)
{
    esp_err_t err = chip_ready(chip);
    if (err == ESP_OK) {
        storage_lock(&s_lock);
        s_chip.guarded = protect;
        storage_unlock(&s_lock);
    }
    return err;
}

esp_flash_ticket_t esp_flash_verified_begin(void)
{
    storage_lock(&s_lock);
    esp_flash_ticket_t ticket = s_chip.generation;
    storage_unlock(&s_lock);
    return ticket;
}

void esp_flash_verified_keep(esp_flash_ticket_t ticket, uint32_t address, uint32_t length)
{
    storage_lock(&s_lock);
    if (ticket == s_chip.generation) {
        s_chip.verified = true;
        s_chip.verified_address = address;
        s_chip.verified_length = length;
    }
    storage_unlock(&s_lock);
}

bool esp_flash_verified_still(uint32_t address, uint32_t length)
{
    storage_lock(&s_lock);
    bool still =
        s_chip.verified && s_chip.verified_address == address && s_chip.verified_length == length;
    storage_unlock(&s_lock);
    return still;
}

const void *esp_flash_map(uint32_t address, uint32_t length)
{
    if (chip_ready(NULL) != ESP_OK || !range_inside(address, length)) {
        return NULL;
    }
    return hal_flash_map(address, length);
}

esp_err_t esp_flash_replace(void *memory, uint32_t size)
{
    storage_lock(&s_lock);
    esp_err_t err = hal_flash_replace(memory, size);
    s_chip.size = 0;
    s_chip.verified = false;
    s_chip.generation++;
    storage_unlock(&s_lock);
    return err;
}
