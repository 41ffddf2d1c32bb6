/* SPDX-License-Identifier: Apache-2.0
 *
 * Loads the candidates one after the other until one can be started. Every byte of an image is read
 * once: what is hashed is what runs. */
#include <stddef.h>

#include "bootloader.h"
#include "config.h"
#include "formats/image.h"
#include "hal/chip.h"
#include "hal/flash.h"
#include "hal/loader.h"
#include "hal/reset.h"
#include "log.h"

/* Bytes read, then hashed, at a time: loaded segments in place, everything else where it is in
 * flash or through buffer. */
#define LOAD_PIECE  16384u
#define BUFFER_SIZE 4096u

static const char TAG[] = "boot";

static fmt_image_verifier_t verifier;
static uint8_t buffer[BUFFER_SIZE];

static bool skip_validation(void)
{
#if defined(CONFIG_BOOTLOADER_SKIP_VALIDATE_ALWAYS)
    return true;
#elif defined(CONFIG_BOOTLOADER_SKIP_VALIDATE_ON_POWER_ON)
    return hal_reset_reason() == HAL_RESET_POWERON;
#else
    return false;
#endif
}

static uint32_t smaller(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* Reads the next piece of the image and feeds it. place: where the current segment goes, or NULL
 * if it is not loaded. */
static esp_err_t feed_piece(uint32_t image_offset, const fmt_image_need_t *need, uint8_t *place)
{
    if (need->remaining == 0) {
        fmt_image_feed(&verifier, buffer, 0);
        return ESP_OK;
    }
    uint32_t address = image_offset + need->offset;
    uint32_t len = smaller(need->remaining, LOAD_PIECE);
    uint8_t *target = buffer;
    if (place != NULL) {
        target = place + (need->length - need->remaining);
    } else {
        /* Only to be hashed: no copy where the flash is memory. */
        const void *mapped = hal_flash_map(address, len);
        if (mapped != NULL) {
            fmt_image_feed(&verifier, mapped, len);
            return ESP_OK;
        }
        len = smaller(len, BUFFER_SIZE);
    }
    esp_err_t err = hal_flash_read(address, target, len);
    if (err != ESP_OK) {
        boot_log('E', TAG, "cannot read flash at 0x%x: error 0x%x", (unsigned)address,
                 (unsigned)err);
        return err;
    }
    fmt_image_feed(&verifier, target, len);
    return ESP_OK;
}

/* Loads and verifies the image at pos; verifier has the results. *damaged: it was read, and can
 * never start. */
static esp_err_t load_image(const fmt_boot_pos_t *pos, const fmt_boot_config_t *config,
                            bool validate, bool *damaged)
{
    const fmt_image_params_t params = {
        .chip = hal_chip(),
        .flash_address = pos->offset,
        .partition_size = pos->size,
        .mmu_page = CONFIG_MMU_PAGE_SIZE,
        .chip_revision = hal_chip_revision(),
        .secure_version = config->secure_version,
        .flags = (validate ? 0u : FMT_IMAGE_NO_VALIDATE) |
                 (config->anti_rollback ? FMT_IMAGE_CHECK_SECURE_VERSION : 0u),
    };
    hal_loader_reset();
    fmt_image_begin(&verifier, &params);
    uint8_t *place = NULL;
    fmt_image_need_t need;
    while (fmt_image_need(&verifier, &need)) {
        if (need.kind != FMT_IMAGE_NEED_SEGMENT_DATA) {
            place = NULL;
        } else if (need.segment_start) {
            fmt_log_line_t line;
            fmt_image_segment_line(&verifier, &need, true, &line);
            boot_log_line(&line);
            place = NULL;
            if (need.use == FMT_SEGMENT_LOAD && need.length > 0) {
                const char *why = "";
                place = hal_loader_place(need.load_address, need.length, &why);
                if (place == NULL) {
                    fmt_image_refuse_segment(&verifier, why);
                    continue;
                }
            }
        }
        esp_err_t err = feed_piece(pos->offset, &need, place);
        if (err != ESP_OK) {
            fmt_image_end(&verifier);
            return err;
        }
    }
    fmt_image_end(&verifier);
    fmt_log_line_t line;
    if (fmt_image_status_line(&verifier, &line)) {
        boot_log_line(&line);
    }
    *damaged = verifier.status != FMT_IMAGE_OK && verifier.status != FMT_IMAGE_SECURE_VERSION &&
               verifier.status != FMT_IMAGE_HASH_ENGINE;
    return fmt_image_status_err(verifier.status);
}

static bool eligible(const fmt_boot_config_t *config, int index)
{
    if (!config->anti_rollback) {
        return true;
    }
    uint32_t version = 0;
    bool readable = config->app_secure_version(config->context, index, &version);
    return fmt_boot_eligible(config, readable, version);
}

/* The very first boot of an OTA slot writes otadata, so that the choice is recorded. */
static void record_initial_slot(const fmt_boot_config_t *config, int index)
{
    fmt_otadata_write_t write;
    fmt_otadata_initial((unsigned)index, &write);
    boot_message(FMT_BOOT_MSG_SET_ACTUAL_SEQ, write.entry.seq, 0);
    (void)boot_write_otadata(&write);
    if (config->anti_rollback && verifier.has_desc) {
        boot_raise_secure_version(verifier.app_desc.secure_version);
    }
}

/* Whether the record that index was chosen by is confirmed and the chip's version lower. The
 * version is raised only now, to that of the image that was verified: a damaged descriptor would
 * burn fuses for an application that cannot start, and lock out those that can. */
static bool raises_secure_version(const fmt_boot_choice_t *choice, int index)
{
    for (unsigned i = 0; i < choice->action_count && index == choice->start; i++) {
        if (choice->actions[i].kind == FMT_BOOT_ACT_SECURE_VERSION) {
            return verifier.has_desc;
        }
    }
    return false;
}

/* Starts the program that was loaded; returns, having said so, if the image holds none. */
static void start(const fmt_boot_pos_t *pos)
{
    boot_log('I', TAG, "Disabling RNG early entropy source...");
    boot_log('D', TAG, "start: 0x%08x", (unsigned)verifier.header.entry);
#ifdef CONFIG_BOOTLOADER_SKIP_VALIDATE_IN_DEEP_SLEEP
    boot_remember_app(pos);
#endif
    esp_err_t err = hal_loader_start(verifier.header.entry, pos->offset);
    boot_log('E', TAG, "the loaded image holds no program for this board (error 0x%x)",
             (unsigned)err);
}

void boot_wake(void)
{
#ifdef CONFIG_BOOTLOADER_SKIP_VALIDATE_IN_DEEP_SLEEP
    fmt_boot_pos_t pos;
    bool damaged;
    if (hal_reset_reason() != HAL_RESET_DEEPSLEEP) {
        return;
    }
    if (boot_remembered_app(&pos)) {
        boot_log('I', TAG, "Fast booting app from partition at offset 0x%x", (unsigned)pos.offset);
        if (load_image(&pos, &(fmt_boot_config_t){0}, false, &damaged) == ESP_OK) {
            start(&pos);
        }
    }
    boot_log('E', TAG, "Fast booting is not successful");
    boot_log('I', TAG, "Try to load an app as usual with all validations");
#endif
}

void boot_start_first(const boot_table_t *table, const fmt_boot_config_t *config,
                      const fmt_boot_choice_t *choice)
{
    fmt_boot_order_t order;
    fmt_boot_order_begin(&order, &table->roles, choice->start);
    int index;
    fmt_boot_message_t announce;
    uint32_t damaged_slots = 0;
    bool chosen_damaged = false;
    while (fmt_boot_order_next(&order, &index, &announce)) {
        fmt_boot_pos_t pos = fmt_boot_position(&table->roles, index);
        boot_log('D', TAG, "Trying partition index %d offs 0x%x size 0x%x", index,
                 (unsigned)pos.offset, (unsigned)pos.size);
        bool damaged = false;
        if (eligible(config, index) &&
            load_image(&pos, config, !skip_validation(), &damaged) == ESP_OK) {
            boot_log('I', TAG, "Loaded app from partition at offset 0x%x", (unsigned)pos.offset);
            boot_message(announce, 0, 0);
            if (choice->initial && index >= 0) {
                record_initial_slot(config, index);
            } else if (chosen_damaged && !skip_validation()) {
                boot_follow(&table->roles, damaged_slots, index);
            }
            if (raises_secure_version(choice, index)) {
                boot_raise_secure_version(verifier.app_desc.secure_version);
            }
            start(&pos);
            damaged = true;
        }
        if (damaged) {
            damaged_slots |= index >= 0 ? 1u << index : 0;
            chosen_damaged = chosen_damaged || index == choice->start;
        }
        boot_message(FMT_BOOT_MSG_NOT_BOOTABLE, (uint32_t)index, 0);
    }
    boot_message(fmt_boot_order_exhausted(&order), 0, 0);
}
