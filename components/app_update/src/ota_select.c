/* SPDX-License-Identifier: Apache-2.0
 *
 * Which partition boots, states, confirming and rolling back. */
#include "esp_ota_ops.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "esp_image_internal.h"
#include "esp_log.h"
#include "esp_private/partition_internal.h"
#include "esp_system.h"
#include "ota_slots.h"
#include "ota_warnings.h"
#include "otadata_store.h"
#include "sdkconfig.h"

#ifdef CONFIG_BOOTLOADER_APP_ANTI_ROLLBACK
#include "esp_efuse.h"
#endif

static const char TAG[] = "esp_ota_ops";

#ifdef CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE
#define STATE_OF_NEW_APP FMT_OTA_STATE_NEW
#else
#define STATE_OF_NEW_APP FMT_OTA_STATE_UNDEFINED
#endif

/* --- slots --- */

bool ota_is_slot(const esp_partition_t *partition)
{
    return partition->type == ESP_PARTITION_TYPE_APP &&
           partition->subtype >= ESP_PARTITION_SUBTYPE_APP_OTA_MIN &&
           partition->subtype < ESP_PARTITION_SUBTYPE_APP_OTA_MAX;
}

static unsigned slot_of(const esp_partition_t *partition)
{
    return (unsigned)partition->subtype - ESP_PARTITION_SUBTYPE_APP_OTA_MIN;
}

const esp_partition_t *ota_slot(unsigned index)
{
    return esp_partition_find_first(ESP_PARTITION_TYPE_APP, ESP_PARTITION_SUBTYPE_OTA(index), NULL);
}

static const esp_partition_t *find_app(esp_partition_subtype_t subtype)
{
    return esp_partition_find_first(ESP_PARTITION_TYPE_APP, subtype, NULL);
}

uint8_t esp_ota_get_app_partition_count(void)
{
    uint8_t count = 0;
    while (count < FMT_OTA_SLOTS_MAX && ota_slot(count) != NULL) {
        count++;
    }
    return count;
}

const esp_partition_t *esp_ota_get_running_partition(void)
{
    const esp_partition_t *running = esp_partition_running();
    if (running == NULL) {
        ESP_LOGE(TAG, "the partition table has no app partition where the running app is");
        abort();
    }
    return running;
}

const esp_partition_t *esp_ota_get_next_update_partition(const esp_partition_t *start_from)
{
    if (start_from == NULL) {
        start_from = esp_ota_get_running_partition();
    } else {
        start_from = esp_partition_verify(start_from);
        assert(start_from != NULL && "start_from must be in the partition table");
    }
    const esp_partition_t *first = NULL;
    bool passed_start = false;
    for (unsigned i = 0; i < FMT_OTA_SLOTS_MAX; i++) {
        const esp_partition_t *slot = ota_slot(i);
        if (slot == NULL) {
            continue;
        }
        if (passed_start) {
            return slot;
        }
        if (first == NULL) {
            first = slot;
        }
        passed_start = slot == start_from;
    }
    return first;
}

/* --- verifying --- */

typedef enum {
    VERIFY_SILENT,
    VERIFY_AGAIN, /* with lines; need not read what was verified just now */
} verify_mode_t;

static bool image_is_valid(const esp_partition_t *partition, verify_mode_t mode)
{
    const esp_partition_pos_t place = {.offset = partition->address, .size = partition->size};
    esp_image_metadata_t *data = malloc(sizeof(*data));
    if (data == NULL) {
        ESP_LOGE(TAG, "no memory to verify partition %s", partition->label);
        return false;
    }
    esp_err_t err = mode == VERIFY_AGAIN ? esp_image_verify_again(&place, data)
                                         : esp_image_verify(ESP_IMAGE_VERIFY_SILENT, &place, data);
    free(data);
    return err == ESP_OK;
}

#ifdef CONFIG_BOOTLOADER_APP_ANTI_ROLLBACK
static bool secure_version_allowed(const esp_partition_t *partition)
{
    esp_app_desc_t desc;
    return esp_ota_get_partition_description(partition, &desc) == ESP_OK &&
           esp_efuse_check_secure_version(desc.secure_version);
}
#endif

/* --- choosing --- */

static esp_err_t select_slot(const esp_partition_t *partition)
{
    otadata_t data;
    esp_err_t err = otadata_read(&data);
    if (err != ESP_OK) {
        return err;
    }
    /* The test partition is no slot: otadata has no way to name it. */
    if (!ota_is_slot(partition)) {
        ESP_LOGE(TAG, "partition %s is neither the factory app nor an OTA slot", partition->label);
        return ESP_ERR_INVALID_ARG;
    }
    fmt_otadata_write_t write;
    err = fmt_otadata_set_boot(data.entries, slot_of(partition), esp_ota_get_app_partition_count(),
                               STATE_OF_NEW_APP, &write);
    return err != ESP_OK ? err : otadata_write(&data, &write);
}

static esp_err_t set_boot(const esp_partition_t *partition)
{
    if (partition->type != ESP_PARTITION_TYPE_APP) {
        return ESP_ERR_INVALID_ARG;
    }
    if (partition->subtype == ESP_PARTITION_SUBTYPE_APP_FACTORY) {
        return otadata_erase_all();
    }
#ifdef CONFIG_BOOTLOADER_APP_ANTI_ROLLBACK
    esp_app_desc_t desc;
    esp_err_t err = esp_ota_get_partition_description(partition, &desc);
    if (err != ESP_OK) {
        return err;
    }
    if (!esp_efuse_check_secure_version(desc.secure_version)) {
        ESP_LOGE(TAG, "This a new partition can not be booted due to a secure version is lower "
                      "than stored in efuse. Partition will be erased.");
        err = esp_partition_erase_range(partition, 0, partition->size);
        if (err != ESP_OK) {
            ESP_LOGE(TAG, "cannot erase partition %s: error 0x%x", partition->label, (unsigned)err);
        }
        return ESP_ERR_OTA_SMALL_SEC_VER;
    }
#endif
    return select_slot(partition);
}

esp_err_t esp_ota_set_boot_partition(const esp_partition_t *partition)
{
    if (partition == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    if (!image_is_valid(partition, VERIFY_AGAIN)) {
        return ESP_ERR_OTA_VALIDATE_FAILED;
    }
    return set_boot(partition);
}

esp_err_t esp_ota_set_boot_partition_skip_validate(const esp_partition_t *partition)
{
    return partition == NULL ? ESP_ERR_INVALID_ARG : set_boot(partition);
}

static const esp_partition_t *default_boot_partition(void)
{
    const esp_partition_t *partition = find_app(ESP_PARTITION_SUBTYPE_APP_FACTORY);
    for (unsigned i = 0; partition == NULL && i < FMT_OTA_SLOTS_MAX; i++) {
        partition = ota_slot(i);
    }
    if (partition == NULL) {
        partition = find_app(ESP_PARTITION_SUBTYPE_APP_TEST);
    }
    if (partition == NULL) {
        ESP_LOGE(TAG, "invalid partition table, no app partitions");
    }
    return partition;
}

const esp_partition_t *esp_ota_get_boot_partition(void)
{
    otadata_t data;
    if (otadata_read(&data) != ESP_OK) {
        return NULL;
    }
    unsigned slots = esp_ota_get_app_partition_count();
    if (slots == 0 ||
        (fmt_otadata_blocked(&data.entries[0]) && fmt_otadata_blocked(&data.entries[1]))) {
        return default_boot_partition();
    }
    int active = fmt_otadata_active(data.entries);
    if (active < 0) {
        ESP_LOGE(TAG, "ota data invalid, no current app. Assuming factory");
        return default_boot_partition();
    }
    return ota_slot(fmt_otadata_slot(&data.entries[active], slots));
}

/* --- states --- */

#ifdef CONFIG_AIRLIFT_STRICT_COMPATIBILITY
#define STRICT true
#else
#define STRICT false
#endif

/* The entry that speaks for a slot: CRC right, and the newer one if both do (ESP-IDF: the first).
 * -1: none. */
static int entry_of_slot(const otadata_t *data, unsigned slot, unsigned slots)
{
    if (STRICT) {
        return fmt_otadata_find_slot(data->entries, slot, slots);
    }
    int found = -1;
    for (int i = 0; i < 2; i++) {
        const fmt_otadata_entry_t *entry = &data->entries[i];
        if (!fmt_otadata_blank(entry) && fmt_otadata_slot(entry, slots) == slot &&
            (found < 0 || entry->seq > data->entries[found].seq)) {
            found = i;
        }
    }
    return found;
}

esp_err_t esp_ota_get_state_partition(const esp_partition_t *partition,
                                      esp_ota_img_states_t *ota_state)
{
    if (partition == NULL || ota_state == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    if (!ota_is_slot(partition)) {
        return ESP_ERR_NOT_SUPPORTED;
    }
    otadata_t data;
    esp_err_t err = otadata_read(&data);
    if (err != ESP_OK) {
        return err;
    }
    unsigned slots = esp_ota_get_app_partition_count();
    int entry = slots > 0 ? entry_of_slot(&data, slot_of(partition), slots) : -1;
    if (entry < 0) {
        return ESP_ERR_NOT_FOUND;
    }
    *ota_state = (esp_ota_img_states_t)data.entries[entry].state;
    return ESP_OK;
}

const esp_partition_t *esp_ota_get_last_invalid_partition(void)
{
    otadata_t data;
    if (otadata_read(&data) != ESP_OK) {
        return NULL;
    }
    unsigned slots = esp_ota_get_app_partition_count();
    int entry = fmt_otadata_last_invalid(data.entries);
    if (slots == 0 || entry < 0) {
        return NULL;
    }
    const esp_partition_t *partition = ota_slot(fmt_otadata_slot(&data.entries[entry], slots));
    return partition != NULL && image_is_valid(partition, VERIFY_SILENT) ? partition : NULL;
}

/* --- confirming and rolling back --- */

typedef struct {
    otadata_t data;
    unsigned slots;
    int active;  /* entry in force */
    int current; /* entry of the running app (ESP-IDF: the one in force, whatever runs); -1: it is
                    in a slot without an entry */
    const esp_partition_t *running;
} boot_record_t;

/* ESP_ERR_NOT_FOUND: no otadata. ESP_FAIL (logged if loud): otadata does not speak of the running
 * app. */
static esp_err_t read_record(boot_record_t *record, bool loud)
{
    esp_err_t err = otadata_read(&record->data);
    if (err != ESP_OK) {
        return err;
    }
    record->slots = esp_ota_get_app_partition_count();
    record->active = fmt_otadata_active(record->data.entries);
    record->running = STRICT ? NULL : esp_partition_running();
    if (record->slots == 0 || record->active < 0 ||
        (record->running != NULL && !ota_is_slot(record->running))) {
        if (loud) {
            ESP_LOGE(TAG, "Running firmware is factory");
        }
        return ESP_FAIL;
    }
    record->current = record->running == NULL
                          ? record->active
                          : entry_of_slot(&record->data, slot_of(record->running), record->slots);
    return ESP_OK;
}

static esp_err_t set_state(boot_record_t *record, uint32_t state)
{
    fmt_otadata_write_t write;
    fmt_otadata_set_state(record->data.entries, (unsigned)record->current, state, &write);
    return otadata_write(&record->data, &write);
}

/* The running slot has no entry. If that is because the entry in force names an image that cannot
 * boot, the record follows the slot that runs; otherwise another app was chosen for the next boot
 * and must not be overruled. */
static esp_err_t confirm_without_entry(boot_record_t *record)
{
    const esp_partition_t *chosen =
        ota_slot(fmt_otadata_slot(&record->data.entries[record->active], record->slots));
    if (chosen != NULL && image_is_valid(chosen, VERIFY_SILENT)) {
        return ESP_OK;
    }
    fmt_otadata_write_t write;
    esp_err_t err = fmt_otadata_set_boot(record->data.entries, slot_of(record->running),
                                         record->slots, FMT_OTA_STATE_VALID, &write);
    return err != ESP_OK ? err : otadata_write(&record->data, &write);
}

esp_err_t esp_ota_mark_app_valid_cancel_rollback(void)
{
    boot_record_t record;
    esp_err_t err = read_record(&record, true);
    if (err != ESP_OK) {
        return err;
    }
    if (record.current < 0) {
        err = confirm_without_entry(&record);
    } else if (record.data.entries[record.current].state == FMT_OTA_STATE_VALID) {
        return ESP_OK;
    } else {
        bool on_trial = record.data.entries[record.current].state == FMT_OTA_STATE_PENDING_VERIFY;
        err = set_state(&record, FMT_OTA_STATE_VALID);
        if (err == ESP_OK && on_trial) {
            ota_warn_if_confirmed_early();
        }
    }
#ifdef CONFIG_BOOTLOADER_APP_ANTI_ROLLBACK
    if (err == ESP_OK) {
        err = esp_efuse_update_secure_version(esp_app_get_description()->secure_version);
    }
#endif
    return err;
}

/* Whether something boots once the entry of the running app is out of the way. */
static bool other_app_boots(const boot_record_t *record)
{
    if (record->current < 0) {
        return false;
    }
    const fmt_otadata_entry_t *other = &record->data.entries[1 - record->current];
    if (!fmt_otadata_valid(other)) {
#ifdef CONFIG_BOOTLOADER_APP_ANTI_ROLLBACK
        return false;
#else
        const esp_partition_t *factory = find_app(ESP_PARTITION_SUBTYPE_APP_FACTORY);
        return factory != NULL && image_is_valid(factory, VERIFY_SILENT);
#endif
    }
    const esp_partition_t *slot = ota_slot(fmt_otadata_slot(other, record->slots));
    /* Both entries may name the running slot: then there is nowhere else to go. */
    if (slot == NULL || slot == record->running || !image_is_valid(slot, VERIFY_SILENT)) {
        return false;
    }
#ifdef CONFIG_BOOTLOADER_APP_ANTI_ROLLBACK
    return secure_version_allowed(slot);
#else
    return true;
#endif
}

bool esp_ota_check_rollback_is_possible(void)
{
    boot_record_t record;
    return read_record(&record, false) == ESP_OK && other_app_boots(&record);
}

esp_err_t esp_ota_mark_app_invalid_rollback(void)
{
    boot_record_t record;
    esp_err_t err = read_record(&record, true);
    if (err != ESP_OK) {
        return err;
    }
    if (!other_app_boots(&record)) {
        ESP_LOGE(TAG, "Rollback is not possible, do not have any suitable apps in slots");
        return ESP_ERR_OTA_ROLLBACK_FAILED;
    }
    err = set_state(&record, FMT_OTA_STATE_INVALID);
    if (err == ESP_OK) {
        ESP_LOGI(TAG, "Rollback to previously worked partition.");
    }
    return err;
}

esp_err_t esp_ota_mark_app_invalid_rollback_and_reboot(void)
{
    esp_err_t err = esp_ota_mark_app_invalid_rollback();
    if (err == ESP_OK) {
        esp_restart();
    }
    return err;
}

/* The entry that is not in force, and its slot, which must exist and not be the running one. */
static esp_err_t find_inactive(otadata_t *data, unsigned *entry, const esp_partition_t **slot)
{
    if (otadata_read(data) != ESP_OK) {
        return ESP_FAIL;
    }
    unsigned slots = esp_ota_get_app_partition_count();
    int active = fmt_otadata_active(data->entries);
    if (active < 0 || slots == 0) {
        return ESP_FAIL;
    }
    *entry = 1 - (unsigned)active;
    if (fmt_otadata_blank(&data->entries[*entry])) {
        return ESP_FAIL;
    }
    *slot = ota_slot(fmt_otadata_slot(&data->entries[*entry], slots));
    return *slot == NULL || *slot == esp_partition_running() ? ESP_FAIL : ESP_OK;
}

esp_err_t esp_ota_erase_last_boot_app_partition(void)
{
    otadata_t data;
    unsigned entry;
    const esp_partition_t *slot;
    esp_err_t err = find_inactive(&data, &entry, &slot);
    if (err != ESP_OK) {
        return err;
    }
    err = esp_partition_erase_range(slot, 0, slot->size);
    return err != ESP_OK ? err : otadata_erase_entry(&data, entry);
}

esp_err_t esp_ota_invalidate_inactive_ota_data_slot(void)
{
    otadata_t data;
    unsigned entry;
    const esp_partition_t *slot;
    esp_err_t err = find_inactive(&data, &entry, &slot);
    return err != ESP_OK ? err : otadata_erase_entry(&data, entry);
}
