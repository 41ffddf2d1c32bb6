/* SPDX-License-Identifier: Apache-2.0
 *
 * The second-stage bootloader: partition table, otadata, choice, load, start. Source: formats
 * specification, section 4. Whatever it cannot recover from ends in a reset that says so, because
 * there is nothing here a later boot would find different. */
#include "bootloader.h"
#include "config.h"
#include "formats/image.h"
#include "hal/chip.h"
#include "hal/flash.h"
#include "hal/reset.h"
#include "hal/start.h"
#include "log.h"

static const char TAG[] = "boot";

static boot_table_t table;
static fmt_boot_choice_t choice;

static _Noreturn void give_up(void)
{
    hal_reset(HAL_RESET_NO_BOOTABLE_APP);
}

static const char *speed_name(uint8_t code)
{
    switch (code) {
    case 0x0:
        return "40MHz";
    case 0x1:
        return "26.7MHz";
    case 0x2:
        return "20MHz";
    default:
        return "80MHz";
    }
}

static const char *mode_name(uint8_t mode)
{
    static const char *const names[] = {"QIO", "QOUT", "DIO", "DOUT", "FAST READ", "SLOW READ"};
    return mode < sizeof(names) / sizeof(names[0]) ? names[mode] : "QIO";
}

static void print_start(void)
{
    unsigned revision = hal_chip_revision();
    boot_log('I', TAG, "ESP-IDF %s 2nd stage bootloader", IDF_VER);
    if (BOOTLOADER_COMPILE_TIME[0] != '\0') {
        boot_log('I', TAG, "compile time %s", BOOTLOADER_COMPILE_TIME);
    }
    boot_log('I', TAG, "chip revision: v%u.%u", revision / 100u, revision % 100u);
    /* The boards have no eFuse blocks: that reads as revision 0. */
    boot_log('I', TAG, "efuse block revision: v0.0");
}

/* Reads the header of the bootloader's own image: flash parameters, and whether it is for this
 * chip. Returns the flash size to work with in bytes, 0 after a failure. */
static uint32_t read_own_header(void)
{
    const fmt_chip_t *chip = hal_chip();
    uint8_t raw[FMT_IMAGE_HEADER_SIZE];
    esp_err_t err = hal_flash_read(chip->bootloader_offset, raw, sizeof(raw));
    if (err != ESP_OK) {
        boot_log('E', TAG, "cannot read the bootloader's header: error 0x%x", (unsigned)err);
        return 0;
    }
    fmt_image_header_t header;
    fmt_image_header_decode(raw, &header);
    const fmt_image_params_t params = {
        .chip = chip,
        .chip_revision = hal_chip_revision(),
        .flags = FMT_IMAGE_BOOTLOADER,
    };
    fmt_log_line_t line;
    if (fmt_image_check_chip(&header, &params, &line) != FMT_IMAGE_OK) {
        boot_log_line(&line);
        return 0;
    }
    char tag[24];
    boot_format(tag, sizeof(tag), "boot.%s", chip->name);
    boot_log('I', tag, "SPI Speed      : %s", speed_name(header.spi_speed));
    boot_log('I', tag, "SPI Mode       : %s", mode_name(header.spi_mode));
    boot_log('I', tag, "SPI Flash Size : %s", fmt_flash_size_name(header.spi_size));
    hal_reset_reason_t reason = hal_reset_reason();
    if (reason == HAL_RESET_INT_WDT || reason == HAL_RESET_TASK_WDT || reason == HAL_RESET_WDT) {
        boot_log('W', tag, "PRO CPU has been reset by WDT.");
    }
    uint32_t size = fmt_flash_size_bytes(header.spi_size);
    if (size == 0) {
        size = 0x200000;
    }
    if (size > hal_flash_size()) {
        boot_log('W', tag, "the flash chip has only 0x%x bytes", (unsigned)hal_flash_size());
        size = hal_flash_size();
    }
    return size;
}

_Noreturn void bootloader_main(void)
{
    print_start();
    esp_err_t err = hal_flash_init();
    if (err != ESP_OK) {
        boot_log('E', TAG, "no usable flash chip: error 0x%x", (unsigned)err);
        give_up();
    }
    uint32_t flash_size = read_own_header();
    if (flash_size == 0) {
        give_up();
    }
    boot_log('I', TAG, "Enabling RNG early entropy source...");
    boot_wake();
    if (!boot_table_read(&table, flash_size)) {
        boot_log('E', TAG, "load partition table error!");
        give_up();
    }
    boot_secure_version_init(&table);
    const fmt_boot_config_t config = {
#ifdef CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE
        .rollback = true,
        .attempts = CONFIG_BOOTLOADER_ROLLBACK_ATTEMPTS,
#endif
#ifdef CONFIG_BOOTLOADER_APP_ANTI_ROLLBACK
        .anti_rollback = true,
#endif
        .secure_version = boot_secure_version(),
        .app_secure_version = boot_app_secure_version,
        .context = &table.roles,
    };
    boot_choose(&table, &config, &choice);
    boot_check_pins(&table, &config, &choice);
    if (choice.start != FMT_BOOT_UNRECOVERABLE) {
        boot_start_first(&table, &config, &choice);
    }
    give_up();
}
