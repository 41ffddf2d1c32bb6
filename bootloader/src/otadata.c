/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>

#include "bootloader.h"
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

esp_err_t boot_write_otadata(const fmt_boot_table_t *roles, const fmt_otadata_write_t *write)
{
    uint8_t raw[FMT_OTADATA_ENTRY_SIZE];
    fmt_otadata_encode(&write->entry, raw);
    uint32_t address = roles->otadata.offset + write->index * FMT_OTADATA_SECTOR;
    esp_err_t err = hal_flash_erase_sector(address);
    if (err == ESP_OK) {
        err = hal_flash_program(address, raw, sizeof(raw));
    }
    if (err != ESP_OK) {
        boot_log('E', TAG, "Error in write_otadata operation. err = 0x%x", (unsigned)err);
    }
    return err;
}

/* Whether both records could be read. */
static bool read_otadata(const fmt_boot_pos_t *otadata, uint8_t raw[2][FMT_OTADATA_ENTRY_SIZE])
{
    if (otadata->size < FMT_OTADATA_SIZE) {
        return false;
    }
    for (unsigned i = 0; i < 2; i++) {
        uint32_t address = otadata->offset + i * FMT_OTADATA_SECTOR;
        esp_err_t err = hal_flash_read(address, raw[i], FMT_OTADATA_ENTRY_SIZE);
        if (err != ESP_OK) {
            boot_log('E', TAG, "cannot read otadata at 0x%x: error 0x%x", (unsigned)address,
                     (unsigned)err);
            return false;
        }
    }
    return true;
}

void boot_choose(const boot_table_t *table, const fmt_boot_config_t *config,
                 fmt_boot_choice_t *choice)
{
    uint8_t raw[2][FMT_OTADATA_ENTRY_SIZE];
    bool readable = table->roles.has_otadata && read_otadata(&table->roles.otadata, raw);
    fmt_boot_choose(&table->roles, config, readable ? raw[0] : NULL, readable ? raw[1] : NULL,
                    choice);
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
