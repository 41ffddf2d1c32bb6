/* SPDX-License-Identifier: Apache-2.0
 *
 * What a person holding a button during the boot can do: go back to factory, or run the test
 * application. Source: formats specification, 4.2. */
#include <string.h>

#include "bootloader.h"
#include "config.h"
#include "hal/clock.h"
#include "hal/flash.h"
#include "hal/gpio.h"
#include "hal/reset.h"
#include "log.h"

#if defined(CONFIG_BOOTLOADER_FACTORY_RESET) || defined(CONFIG_BOOTLOADER_APP_TEST)

/* Whether pin has active_level from now on for the hold time. */
static bool held(unsigned pin, int active_level)
{
    /* The pull is away from the active level, so that a pin with nothing on it is not held. */
    hal_gpio_pull_t pull = active_level == 0 ? HAL_GPIO_PULL_UP : HAL_GPIO_PULL_DOWN;
    if (hal_gpio_configure(pin, true, false, pull) != ESP_OK) {
        boot_log('E', "boot", "GPIO %u does not exist on this board", pin);
        return false;
    }
    uint64_t end = hal_clock_us() + (uint64_t)CONFIG_BOOTLOADER_HOLD_TIME_GPIO * 1000000u;
    do {
        if (hal_gpio_get(pin) != active_level) {
            return false;
        }
        hal_clock_spin_us(100);
    } while (hal_clock_us() < end);
    return true;
}

#endif

#ifdef CONFIG_BOOTLOADER_FACTORY_RESET

#ifdef CONFIG_BOOTLOADER_FACTORY_RESET_PIN_HIGH
#define FACTORY_RESET_LEVEL 1
#else
#define FACTORY_RESET_LEVEL 0
#endif

/* Whether label stands in a list of names separated by commas and blanks. */
static bool in_list(const char *list, const char *label)
{
    size_t len = strlen(label);
    while (*list != '\0') {
        while (*list == ',' || *list == ' ') {
            list++;
        }
        size_t word = 0;
        while (list[word] != '\0' && list[word] != ',' && list[word] != ' ') {
            word++;
        }
        if (word > 0 && word == len && memcmp(list, label, len) == 0) {
            return true;
        }
        list += word;
    }
    return false;
}

static esp_err_t erase(uint32_t offset, uint32_t size)
{
    for (uint32_t at = 0; at < size; at += HAL_FLASH_SECTOR_SIZE) {
        esp_err_t err = hal_flash_erase_sector(offset + at);
        if (err != ESP_OK) {
            return err;
        }
    }
    return ESP_OK;
}

static esp_err_t erase_partition(const boot_table_t *table, const fmt_partition_t *entry)
{
    uint32_t done = 0;
    if (table->roles.has_otadata && entry->offset == table->roles.otadata.offset &&
        entry->size >= FMT_OTADATA_SIZE) {
        esp_err_t err = boot_erase_otadata();
        if (err != ESP_OK) {
            return err;
        }
        done = FMT_OTADATA_SIZE;
    }
    return erase(entry->offset + done, entry->size - done);
}

static bool erase_data_partitions(const boot_table_t *table)
{
    const char *list = CONFIG_BOOTLOADER_DATA_FACTORY_RESET;
    bool all = true;
    boot_log('I', "boot_comm", "## Label            Usage Offset   Length   Cleaned");
    for (unsigned i = 0; i < table->count; i++) {
        fmt_partition_t entry;
        if (fmt_partition_row_decode(table->rows + (size_t)i * FMT_PARTITION_ROW_SIZE, &entry) !=
                FMT_ROW_ENTRY ||
            entry.type != FMT_PART_TYPE_DATA) {
            continue;
        }
        bool wanted = in_list(list, entry.label);
#ifdef CONFIG_BOOTLOADER_OTA_DATA_ERASE
        wanted = wanted || entry.subtype == FMT_PART_DATA_OTA;
#endif
        const char *cleaned = "no";
        if (wanted) {
            bool done = erase_partition(table, &entry) == ESP_OK;
            cleaned = done ? "yes" : "err";
            all = all && done;
        }
        boot_log('I', "boot_comm", "%2d %-16s data  %08x %08x [%s]", (int)i, entry.label,
                 (unsigned)entry.offset, (unsigned)entry.size, cleaned);
    }
    return all;
}

static bool factory_reset(const boot_table_t *table)
{
    if (!held(CONFIG_BOOTLOADER_NUM_PIN_FACTORY_RESET, FACTORY_RESET_LEVEL)) {
        return false;
    }
    boot_log('I', "boot", "Detect a condition of the factory reset");
    boot_log('I', "boot", "Data partitions to erase: %s", CONFIG_BOOTLOADER_DATA_FACTORY_RESET);
    if (!erase_data_partitions(table)) {
        boot_log('E', "boot", "Not all partitions were erased");
    }
    boot_remember_factory_reset();
    return true;
}

#endif

#ifdef CONFIG_BOOTLOADER_APP_TEST
#ifdef CONFIG_BOOTLOADER_APP_TEST_PIN_HIGH
#define APP_TEST_LEVEL 1
#else
#define APP_TEST_LEVEL 0
#endif
#endif

void boot_check_pins(const boot_table_t *table, const fmt_boot_config_t *config,
                     fmt_boot_choice_t *choice)
{
    /* Nobody holds a button where a chip wakes by itself. */
    if (choice->start == FMT_BOOT_UNRECOVERABLE || hal_reset_reason() == HAL_RESET_DEEPSLEEP) {
        return;
    }
#ifdef CONFIG_BOOTLOADER_FACTORY_RESET
    if (factory_reset(table)) {
        boot_choose(table, config, choice);
        return;
    }
#endif
#ifdef CONFIG_BOOTLOADER_APP_TEST
    if (held(CONFIG_BOOTLOADER_NUM_PIN_APP_TEST, APP_TEST_LEVEL)) {
        boot_log('I', "boot", "Detect a boot condition of the test firmware");
        if (table->roles.has_test) {
            choice->start = FMT_BOOT_TEST;
        } else {
            boot_log('E', "boot", "Test firmware is not found in partition table");
            choice->start = FMT_BOOT_UNRECOVERABLE;
        }
    }
#endif
    (void)table;
    (void)config;
}
