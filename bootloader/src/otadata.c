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

static esp_err_t io_read(void *roles, uint32_t offset, void *dst, size_t len)
{
    return hal_flash_read(((fmt_boot_table_t *)roles)->otadata.offset + offset, dst, len);
}

static esp_err_t io_program(void *roles, uint32_t offset, const void *src, size_t len)
{
    return hal_flash_program(((fmt_boot_table_t *)roles)->otadata.offset + offset, src, len);
}

static esp_err_t io_erase_sector(void *roles, uint32_t offset)
{
    return hal_flash_erase_sector(((fmt_boot_table_t *)roles)->otadata.offset + offset);
}

static fmt_otadata_io_t flash_of(const fmt_boot_table_t *roles)
{
    return (fmt_otadata_io_t){
        .read = io_read,
        .program = io_program,
        .erase_sector = io_erase_sector,
        .context = (void *)roles, /* which the three do not change */
        .plain = BOOTLOADER_STRICT,
    };
}

/* --- reading and writing --- */

static esp_err_t checked(const char *what, esp_err_t err)
{
    if (err != ESP_OK) {
        boot_log('E', TAG, "Error in %s operation. err = 0x%x", what, (unsigned)err);
    }
    return err;
}

esp_err_t boot_write_otadata(const fmt_boot_table_t *roles, const fmt_otadata_write_t *write)
{
    const fmt_otadata_io_t io = flash_of(roles);
    return checked("write_otadata", fmt_otadata_rewrite(&io, write));
}

esp_err_t boot_erase_otadata(const fmt_boot_table_t *roles)
{
    const fmt_otadata_io_t io = flash_of(roles);
    return fmt_otadata_erase_all(&io);
}

/* Reads both entries, after finishing what a power cut interrupted. False: they cannot be read. */
static bool read_otadata(const fmt_boot_table_t *roles, fmt_otadata_entry_t entries[2])
{
    if (roles->otadata.size < FMT_OTADATA_SIZE) {
        return false;
    }
    const fmt_otadata_io_t io = flash_of(roles);
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
    bool readable = table->roles.has_otadata && read_otadata(&table->roles, entries);
    fmt_boot_choose(&table->roles, config, readable ? &entries[0] : NULL,
                    readable ? &entries[1] : NULL, choice);
    for (unsigned i = 0; i < choice->action_count; i++) {
        const fmt_boot_action_t *action = &choice->actions[i];
        switch (action->kind) {
        case FMT_BOOT_ACT_LOG:
            boot_message(action->message, action->arg, action->arg2);
            break;
        case FMT_BOOT_ACT_WRITE_OTADATA:
            (void)boot_write_otadata(&table->roles, &action->write);
            break;
        case FMT_BOOT_ACT_SECURE_VERSION:
            break; /* when the application has been verified: boot_start_first() */
        }
    }
}
