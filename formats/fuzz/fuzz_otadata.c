/* SPDX-License-Identifier: Apache-2.0
 *
 * A pair of otadata entries under every build and number of slots: the choice, the order, and what
 * setting another slot writes. Input: 64 bytes of entries, then one byte of options each. */
#include "fuzz.h"

#include <string.h>

#include "formats/boot_select.h"

static const uint8_t *versions;

static bool app_secure_version(void *context, int index, uint32_t *version)
{
    (void)context;
    *version = versions[index & 3] >> 4;
    return (versions[index & 3] & 1) == 0;
}

static void check_order(const fmt_boot_table_t *table, int start)
{
    fmt_boot_order_t order;
    fmt_boot_message_t announce;
    unsigned seen = 0, tried = 0, exist = 0;
    int index;

    fmt_boot_order_begin(&order, table, start);
    while (fmt_boot_order_next(&order, &index, &announce)) {
        CHECK(index >= -2 && index < (int)FMT_OTA_SLOTS_MAX);
        CHECK(fmt_boot_position(table, index).size != 0);
        CHECK((seen & (1u << (index + 2))) == 0); /* each once */
        seen |= 1u << (index + 2);
        tried++;
    }
    for (index = -2; index < (int)FMT_OTA_SLOTS_MAX; index++) {
        exist += fmt_boot_position(table, index).size != 0;
    }
    /* Every app there is gets its chance. */
    CHECK(start < FMT_BOOT_FACTORY || tried == exist);
    fmt_boot_order_exhausted(&order);
}

static void check_set_boot(const fmt_otadata_entry_t entries[2], unsigned slots)
{
    for (unsigned slot = 0; slot < slots; slot++) {
        fmt_otadata_entry_t after[2] = {entries[0], entries[1]};
        fmt_otadata_write_t write;
        int active;

        if (fmt_otadata_set_boot(entries, slot, slots, FMT_OTA_STATE_NEW, &write) != ESP_OK) {
            continue;
        }
        CHECK(write.index < 2);
        after[write.index] = write.entry;
        active = fmt_otadata_active(after);
        CHECK(active >= 0 && fmt_otadata_slot(&after[active], slots) == slot);
    }
}

/* What starts after the chosen slot and others failed has the entry in force. */
static void check_follow(const fmt_boot_table_t *table, const fmt_otadata_entry_t entries[2],
                         uint32_t failed, int index)
{
    fmt_otadata_entry_t after[2] = {entries[0], entries[1]};
    fmt_otadata_write_t writes[2];
    int active = fmt_otadata_active(entries);
    unsigned count;

    if (active >= 0 && table->ota_count > 0) {
        failed |= 1u << (fmt_otadata_slot(&entries[active], table->ota_count) & 31);
    }
    failed &= index < 0 ? ~0u : ~(1u << index);
    count = fmt_boot_follow(table, entries, failed, index, writes);
    CHECK(count <= 2 && (table->ota_count > 0 || count == 0));
    for (unsigned i = 0; i < count; i++) {
        CHECK(writes[i].index < 2);
        after[writes[i].index] = writes[i].entry;
    }
    active = fmt_otadata_active(after);
    /* Large sequence numbers leave none above them. */
    if (index >= 0 && index < (int)table->ota_count && table->ota_count <= FMT_OTA_SLOTS_MAX &&
        entries[0].seq < 0xFFFFFF00u && entries[1].seq < 0xFFFFFF00u) {
        bool own = fmt_otadata_find_slot(entries, (unsigned)index, table->ota_count) >= 0;
        CHECK(active >= 0 || own);
        CHECK(own || (int)fmt_otadata_slot(&after[active], table->ota_count) == index);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fmt_boot_table_t table;
    fmt_boot_config_t config;
    fmt_boot_choice_t choice;
    fmt_otadata_entry_t entries[2];
    fmt_log_line_t line;

    if (size < 64 + 8) {
        return 0;
    }
    memset(&table, 0, sizeof(table));
    memset(&config, 0, sizeof(config));
    table.has_otadata = (data[64] & 1) == 0;
    table.otadata.size = (data[64] & 2) != 0 ? 0x1000 : 0x2000;
    table.has_factory = (data[64] & 4) != 0;
    table.factory.size = table.has_factory;
    table.has_test = (data[64] & 8) != 0;
    table.test.size = table.has_test;
    table.ota_count = data[65] % 20;
    for (unsigned i = 0; i < FMT_OTA_SLOTS_MAX; i++) {
        table.ota[i].size = (data[66 + i / 8] >> (i % 8)) & 1;
    }
    config.rollback = (data[64] & 16) != 0;
    config.anti_rollback = (data[64] & 32) != 0;
    config.secure_version = data[64] >> 6;
    config.app_secure_version = app_secure_version;
    config.attempts = data[67] & 31;
    config.more_boots[0] = data[67] >> 5;
    config.more_boots[1] = data[65] >> 4;
    versions = data + 68;
    fmt_boot_choose(&table, &config, data, data + 32, &choice);
    CHECK(choice.action_count <= FMT_BOOT_ACTIONS_MAX);
    CHECK(choice.start == FMT_BOOT_UNRECOVERABLE ||
          (choice.start >= FMT_BOOT_FACTORY && choice.start < 20));
    for (unsigned i = 0; i < choice.action_count; i++) {
        const fmt_boot_action_t *action = &choice.actions[i];

        if (action->kind == FMT_BOOT_ACT_LOG) {
            CHECK(fmt_boot_message_line(action->message, action->arg, action->arg2, &line));
        }
        CHECK(config.rollback || action->kind != FMT_BOOT_ACT_WRITE_OTADATA);
    }
    if (choice.start != FMT_BOOT_UNRECOVERABLE) {
        check_order(&table, choice.start);
    }
    check_order(&table, FMT_BOOT_TEST);
    fmt_otadata_decode(data, &entries[0]);
    fmt_otadata_decode(data + 32, &entries[1]);
    check_set_boot(entries, table.ota_count);
    check_follow(&table, entries, data[66] | (uint32_t)data[67] << 8,
                 (int)(data[68] % (FMT_OTA_SLOTS_MAX + 2)) - 2);
    fmt_otadata_last_invalid(entries);
    fmt_otadata_find_slot(entries, data[66], table.ota_count);
    return 0;
}
