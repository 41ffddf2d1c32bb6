/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>

#include "bootloader.h"
#include "config.h"
#include "formats/otadata_journal.h"
#include "hal/flash.h"
#include "log.h"

static const char TAG[] = "boot";

void boot_message(fmt_boot_message_t message, uint32_t arg, uint32_t arg2)
{
    fmt_log_line_t line;
    if (fmt_boot_message_line(message, arg, arg2, &line)) {
        boot_log_line(&line);
    }
}

/* --- the partition as the flash below formats/ --- */

static uint32_t address; /* of the partition */

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

static const fmt_otadata_io_t io = {.read = io_read,
                                    .program = io_program,
                                    .erase_sector = io_erase_sector,
                                    .plain = BOOTLOADER_STRICT};

/* --- reading and writing --- */

static esp_err_t checked(const char *what, esp_err_t err)
{
    if (err != ESP_OK) {
        boot_log('E', TAG, "Error in %s operation. err = 0x%x", what, (unsigned)err);
    }
    return err;
}

esp_err_t boot_write_otadata(const fmt_otadata_write_t *write)
{
    return checked("write_otadata", fmt_otadata_rewrite(&io, write));
}

esp_err_t boot_erase_otadata(void)
{
    return fmt_otadata_erase_all(&io);
}

/* Reads both entries, after finishing what a power cut interrupted. False: they cannot be read. */
static bool read_otadata(const fmt_boot_table_t *roles, fmt_otadata_entry_t entries[2])
{
    if (!roles->has_otadata || roles->otadata.size < FMT_OTADATA_SIZE) {
        return false;
    }
    address = roles->otadata.offset;
    int healed;
    esp_err_t err = fmt_otadata_heal(&io, entries, &healed);
    if (healed >= 0) {
        boot_log('W', TAG, "finishing the change of otadata[%d] that a power cut interrupted",
                 healed);
        /* The boot for which the bootloader wrote this did not come about: it is this one. */
        if (entries[healed].state == FMT_OTA_STATE_PENDING_VERIFY) {
            entries[healed].state = FMT_OTA_STATE_NEW;
        }
    }
    /* What could not be written now is next time; the entries are right all the same. */
    return checked("read_otadata", err) == ESP_OK || healed >= 0;
}

void boot_choose(const boot_table_t *table, const fmt_boot_config_t *config,
                 fmt_boot_choice_t *choice)
{
    fmt_otadata_entry_t entries[2];
    fmt_boot_config_t with_boots = *config;
    bool readable = read_otadata(&table->roles, entries);
    for (unsigned i = 0; i < 2 && readable && config->attempts > 1; i++) {
        unsigned boots;
        /* Unreadable: none was given, and the app gets another one. */
        (void)checked("read_otadata", fmt_otadata_boots(&io, i, &boots));
        with_boots.more_boots[i] = (uint8_t)boots;
    }
    fmt_boot_choose(&table->roles, &with_boots, readable ? &entries[0] : NULL,
                    readable ? &entries[1] : NULL, choice);
    for (unsigned i = 0; i < choice->action_count; i++) {
        const fmt_boot_action_t *action = &choice->actions[i];
        switch (action->kind) {
        case FMT_BOOT_ACT_LOG:
            boot_message(action->message, action->arg, action->arg2);
            break;
        case FMT_BOOT_ACT_WRITE_OTADATA:
            (void)boot_write_otadata(&action->write);
            break;
        case FMT_BOOT_ACT_COUNT_BOOT:
            (void)checked("write_otadata", fmt_otadata_count_boot(&io, action->arg));
            break;
        case FMT_BOOT_ACT_SECURE_VERSION:
            break; /* when the application has been verified: boot_start_first() */
        }
    }
}

void boot_follow(const fmt_boot_table_t *roles, uint32_t failed, int index)
{
    fmt_otadata_entry_t entries[2];
    fmt_otadata_write_t writes[2];
    if (BOOTLOADER_STRICT || !roles->has_otadata || fmt_otadata_load(&io, entries) != ESP_OK) {
        return;
    }
    unsigned count = fmt_boot_follow(roles, entries, failed, index, writes);
    for (unsigned i = 0; i < count; i++) {
        boot_log('W', TAG, "the chosen app is damaged: writing otadata[%u], seq %u, state %d",
                 writes[i].index, (unsigned)writes[i].entry.seq, (int)writes[i].entry.state);
        if (boot_write_otadata(&writes[i]) != ESP_OK) {
            return;
        }
    }
}
