/* SPDX-License-Identifier: Apache-2.0
 *
 * A setting kept in the partition phy_init: with care, and without. Then a firmware that writes
 * over the slot it runs from. */
#include "airlift_powercut.h"
#include "esp_flash_internal.h"
#include "esp_ota_ops.h"
#include "esp_partition.h"

#define SETTINGS 8u

static const esp_partition_t *place(void)
{
    return esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_ANY, "phy_init");
}

static uint32_t word(uint32_t offset)
{
    uint32_t value = 0;
    airlift_powercut_must(esp_partition_read(place(), offset, &value, sizeof(value)), "reading");
    return value;
}

static void write_word(uint32_t offset, uint32_t value)
{
    airlift_powercut_must(esp_partition_write(place(), offset, &value, sizeof(value)), "writing");
}

/* With care: each value goes to a place of its own, and counts with its complement behind it. */
static uint32_t careful_setting(void)
{
    uint32_t found = 0;
    for (uint32_t at = 0; at < 4096; at += 8) {
        uint32_t value = word(at);
        if (value != 0xFFFFFFFF && word(at + 4) == ~value) {
            found = value;
        }
    }
    return found;
}

static void set_carefully(uint32_t value)
{
    uint32_t at = 0;
    while (word(at) != 0xFFFFFFFF || word(at + 4) != 0xFFFFFFFF) {
        at += 8;
    }
    write_word(at, value);
    write_word(at + 4, ~value);
}

/* Without: the sector is erased, then written. */
static void set_carelessly(uint32_t value)
{
    airlift_powercut_must(esp_partition_erase_range(place(), 0, 4096), "erasing");
    write_word(0, value);
}

static void erase_place(void)
{
    airlift_powercut_must(esp_partition_erase_range(place(), 0, 4096), "erasing");
}

static void check(uint32_t setting)
{
    uint32_t reported;
    if (airlift_powercut_was_done("setting", &reported) && setting != reported &&
        setting != reported + 1) {
        airlift_powercut_lost("setting %u was reported, but it is %u", (unsigned)reported,
                              (unsigned)setting);
    }
}

static void run_careful(void)
{
    check(careful_setting());
    for (uint32_t value = careful_setting() + 1; value <= SETTINGS; value++) {
        set_carefully(value);
        airlift_powercut_done("setting", value);
    }
}

static void run_careless(void)
{
    uint32_t setting = word(0);
    if (setting == 0xFFFFFFFF) {
        setting = 0;
    }
    check(setting);
    while (setting < SETTINGS) {
        set_carelessly(++setting);
        airlift_powercut_done("setting", setting);
    }
}

AIRLIFT_POWERCUT_SCENARIO(careful, .name = "careful-setting",
                          .summary = "a setting that is written beside the old one",
                          .prepare = erase_place, .run = run_careful)

AIRLIFT_POWERCUT_SCENARIO(careless, .name = "careless-setting",
                          .summary = "a setting whose sector is erased first",
                          .prepare = erase_place, .run = run_careless)

/* The image that runs is needed at the next boot. */
static void run_suicide(void)
{
    const esp_partition_t *running = esp_ota_get_running_partition();
    size_t size;
    const void *image = airlift_powercut_image(airlift_powercut_version(), 0, &size);
    uint32_t done;
    if (!airlift_powercut_was_done("refreshed", &done)) {
        airlift_powercut_must(esp_flash_set_dangerous_write_protection(NULL, false), "unlocking");
        airlift_powercut_must(esp_partition_erase_range(running, 0, 8192), "erasing");
        airlift_powercut_must(esp_partition_write(running, 0, image, size), "writing");
        airlift_powercut_done("refreshed", 1);
    }
}

AIRLIFT_POWERCUT_SCENARIO(suicide, .name = "suicide",
                          .summary = "a firmware that rewrites the slot it runs from",
                          .run = run_suicide)

static void run_idle(void)
{
    check(careful_setting());
}

AIRLIFT_POWERCUT_SCENARIO(idle, .name = "idle", .summary = "a firmware that changes nothing",
                          .prepare = erase_place, .run = run_idle)
