/* SPDX-License-Identifier: Apache-2.0
 *
 * Write sessions. */
#include "esp_ota_ops.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "hal/clock.h"

#include "esp_flash_internal.h"
#include "esp_image_format.h"
#include "esp_log.h"
#include "esp_private/esp_ota_stats.h"
#include "esp_private/partition_internal.h"
#include "esp_private/storage_lock.h"
#include "ota_slots.h"
#include "sdkconfig.h"

static const char TAG[] = "esp_ota_ops";

#define SECTOR 4096u

typedef struct ota_session {
    struct ota_session *next;
    esp_ota_handle_t handle;
    const esp_partition_t *staging;
    const esp_partition_t *final;
    bool finalize_with_copy;
    bool sequential; /* erase while writing */
    bool resumed;
    size_t wrote_size;
    /* Sequential: everything before this offset is erased or holds its final content. A multiple of
     * SECTOR. */
    size_t ready_to;
#ifdef CONFIG_APP_UPDATE_KEEP_EQUAL_SECTORS
    /* Content of a sector's beginning that was found equal and kept, while the sector is being
     * erased because its rest differs. In RAM until it is back in flash. */
    uint8_t *saved;
    size_t saved_len;
    bool saving;
#endif
    esp_ota_stats_t stats;
} ota_session_t;

static storage_lock_t s_lock = STORAGE_LOCK_INITIALIZER;
static ota_session_t *s_sessions;
static esp_ota_handle_t s_last_handle;
static esp_ota_handle_t s_closed_handle;
static esp_ota_stats_t s_closed_stats;

static ota_session_t *find(esp_ota_handle_t handle)
{
    storage_lock(&s_lock);
    ota_session_t *session = s_sessions;
    while (session != NULL && session->handle != handle) {
        session = session->next;
    }
    storage_unlock(&s_lock);
    return session;
}

static void close_session(ota_session_t *session)
{
    /* The checks looked for a bootloader where this session staged it. */
    if (session->final->type == ESP_PARTITION_TYPE_BOOTLOADER) {
        esp_image_bootloader_offset_set(ESP_PRIMARY_BOOTLOADER_OFFSET);
    }
    storage_lock(&s_lock);
    for (ota_session_t **at = &s_sessions; *at != NULL; at = &(*at)->next) {
        if (*at == session) {
            *at = session->next;
            break;
        }
    }
    s_closed_handle = session->handle;
    s_closed_stats = session->stats;
    storage_unlock(&s_lock);
#ifdef CONFIG_APP_UPDATE_KEEP_EQUAL_SECTORS
    free(session->saved);
#endif
    free(session);
}

bool esp_ota_get_stats(esp_ota_handle_t handle, esp_ota_stats_t *stats)
{
    memset(stats, 0, sizeof(*stats));
    const ota_session_t *session = find(handle);
    if (session != NULL) {
        *stats = session->stats;
        return true;
    }
    bool known = false;
    storage_lock(&s_lock);
    if (handle != 0 && handle == s_closed_handle) {
        *stats = s_closed_stats;
        known = true;
    }
    storage_unlock(&s_lock);
    return known;
}

/* --- beginning --- */

static esp_err_t check_unconfirmed(void)
{
#ifdef CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE
    const esp_partition_t *running = esp_partition_running();
    esp_ota_img_states_t state;
    if (running != NULL && ota_is_slot(running) &&
        esp_ota_get_state_partition(running, &state) == ESP_OK &&
        state == ESP_OTA_IMG_PENDING_VERIFY) {
        ESP_LOGE(TAG, "Running app has not confirmed state (ESP_OTA_IMG_PENDING_VERIFY)");
        return ESP_ERR_OTA_ROLLBACK_INVALID_STATE;
    }
#endif
    return ESP_OK;
}

static esp_err_t check_app_target(const esp_partition_t *partition)
{
    if (partition->type != ESP_PARTITION_TYPE_APP) {
        return ESP_OK;
    }
    if (!ota_is_slot(partition)) {
        return ESP_ERR_INVALID_ARG;
    }
    if (partition == esp_partition_running()) {
        return ESP_ERR_OTA_PARTITION_CONFLICT;
    }
    return check_unconfirmed();
}

static esp_err_t check_fits_flash(const esp_partition_t *partition)
{
    uint32_t flash_size;
    esp_err_t err = esp_flash_get_size(partition->flash_chip, &flash_size);
    if (err != ESP_OK) {
        return err;
    }
    if (partition->address > flash_size || partition->size > flash_size - partition->address) {
        ESP_LOGE(TAG,
                 "partition %s (0x%x bytes at 0x%x) does not fit the flash of 0x%x bytes: the "
                 "partition table or the configured flash size is wrong",
                 partition->label, (unsigned)partition->size, (unsigned)partition->address,
                 (unsigned)flash_size);
        return ESP_ERR_INVALID_SIZE;
    }
    return ESP_OK;
}

/* Adds a session for partition unless one has it already. */
static esp_err_t open_session(const esp_partition_t *partition, ota_session_t **opened)
{
    ota_session_t *session = calloc(1, sizeof(*session));
    if (session == NULL) {
        ESP_LOGE(TAG, "no memory for an OTA session");
        return ESP_ERR_NO_MEM;
    }
    session->staging = partition;
    session->final = partition;

    bool busy = false;
    storage_lock(&s_lock);
    for (const ota_session_t *s = s_sessions; s != NULL; s = s->next) {
        busy = busy || s->staging == partition || s->final == partition;
    }
    if (!busy) {
        if (++s_last_handle == 0) {
            s_last_handle = 1;
        }
        session->handle = s_last_handle;
        session->next = s_sessions;
        s_sessions = session;
    }
    storage_unlock(&s_lock);

    if (busy) {
        ESP_LOGE(TAG, "OTA operation already in progress on partition %s", partition->label);
        free(session);
        return ESP_ERR_OTA_ALREADY_IN_PROGRESS;
    }
    *opened = session;
    return ESP_OK;
}

static void prepare_target(const esp_partition_t *target, uint32_t image_address)
{
    if (target->type == ESP_PARTITION_TYPE_BOOTLOADER) {
        esp_image_bootloader_offset_set(image_address);
    }
    if (target->type == ESP_PARTITION_TYPE_BOOTLOADER ||
        target->type == ESP_PARTITION_TYPE_PARTITION_TABLE) {
        (void)esp_flash_set_dangerous_write_protection(target->flash_chip, false);
    }
}

/* Erases one unit of [offset, offset + size) and counts it. */
static esp_err_t erase_unit(ota_session_t *session, size_t offset, size_t size, size_t *erased)
{
    uint64_t start = hal_clock_us();
    esp_err_t err = esp_partition_erase_step(session->staging, offset, size, erased);
    session->stats.erase_us += hal_clock_us() - start;
    session->stats.erased_bytes += (uint32_t)*erased;
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "cannot erase partition %s at offset 0x%x: error 0x%x",
                 session->staging->label, (unsigned)offset, (unsigned)err);
    }
    return err;
}

static esp_err_t erase_for(ota_session_t *session, size_t image_size)
{
    size_t size = session->staging->size;
    if (image_size != 0 && image_size != OTA_SIZE_UNKNOWN) {
        if (image_size > size) {
            ESP_LOGE(TAG, "image of %u bytes does not fit partition %s of %u bytes",
                     (unsigned)image_size, session->staging->label, (unsigned)size);
            return ESP_ERR_INVALID_SIZE;
        }
        size = (image_size + SECTOR - 1) / SECTOR * SECTOR;
        if (size > session->staging->size) {
            return ESP_ERR_INVALID_SIZE; /* a partition that ends inside a sector */
        }
    }
    for (size_t done = 0; done < size;) {
        size_t erased;
        esp_err_t err = erase_unit(session, done, size - done, &erased);
        if (err != ESP_OK) {
            return err;
        }
        done += erased;
    }
    return ESP_OK;
}

esp_err_t esp_ota_begin(const esp_partition_t *partition, size_t image_size,
                        esp_ota_handle_t *out_handle)
{
    if (partition == NULL || out_handle == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    *out_handle = 0;
    partition = esp_partition_verify(partition);
    if (partition == NULL) {
        return ESP_ERR_NOT_FOUND;
    }
    ota_session_t *session = NULL;
    esp_err_t err = check_app_target(partition);
    if (err == ESP_OK) {
        err = open_session(partition, &session);
    }
    if (err != ESP_OK) {
        return err;
    }
    err = partition->readonly ? ESP_ERR_NOT_ALLOWED : check_fits_flash(partition);
    if (err == ESP_OK) {
        prepare_target(partition, partition->address);
        session->sequential = image_size == OTA_WITH_SEQUENTIAL_WRITES;
        if (!session->sequential) {
            err = erase_for(session, image_size);
        }
    }
    if (err != ESP_OK) {
        close_session(session);
        return err;
    }
#ifdef CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE
    if (ota_is_slot(partition)) {
        /* The other entry may select this slot, which is about to become something else. It is not
         * an error if there is no such entry. */
        (void)esp_ota_invalidate_inactive_ota_data_slot();
    }
#endif
    *out_handle = session->handle;
    return ESP_OK;
}

esp_err_t esp_ota_resume(const esp_partition_t *partition, const size_t erase_size,
                         const size_t image_offset, esp_ota_handle_t *out_handle)
{
    if (partition == NULL || out_handle == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    *out_handle = 0;
    if (image_offset > partition->size) {
        return ESP_ERR_INVALID_ARG;
    }
    partition = esp_partition_verify(partition);
    if (partition == NULL) {
        return ESP_ERR_NOT_FOUND;
    }
    if (partition->type == ESP_PARTITION_TYPE_APP && !ota_is_slot(partition)) {
        return ESP_ERR_INVALID_ARG;
    }
    if (partition == esp_partition_running()) {
        return ESP_ERR_OTA_PARTITION_CONFLICT;
    }
    ota_session_t *session = NULL;
    esp_err_t err = check_app_target(partition);
    if (err == ESP_OK) {
        err = open_session(partition, &session);
    }
    if (err != ESP_OK) {
        return err;
    }
    err = partition->readonly ? ESP_ERR_NOT_ALLOWED : check_fits_flash(partition);
    if (err != ESP_OK) {
        close_session(session);
        return err;
    }
    prepare_target(partition, partition->address);
    session->sequential = erase_size == OTA_WITH_SEQUENTIAL_WRITES;
    session->resumed = true;
    session->wrote_size = image_offset;
    session->ready_to = image_offset + (SECTOR - image_offset % SECTOR) % SECTOR;
    *out_handle = session->handle;
    return ESP_OK;
}

esp_err_t esp_ota_set_final_partition(esp_ota_handle_t handle, const esp_partition_t *final,
                                      bool finalize_with_copy)
{
    if (final == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    ota_session_t *session = find(handle);
    if (session == NULL) {
        return ESP_ERR_NOT_FOUND;
    }
    if (session->wrote_size != 0 && !session->resumed) {
        return ESP_ERR_INVALID_STATE;
    }
    if (final == session->staging) {
        return ESP_OK;
    }
    final = esp_partition_verify(final);
    if (final == NULL) {
        return ESP_ERR_NOT_FOUND;
    }
    if (final == session->staging) {
        return ESP_OK; /* the caller's own copy of it */
    }
    ESP_LOGI(TAG, "Staging partition - <%s>. Final partition - <%s>.", session->staging->label,
             final->label);
    session->final = final;
    session->finalize_with_copy = finalize_with_copy;
    prepare_target(final, session->staging->address);
    return ESP_OK;
}

/* --- writing --- */

static esp_err_t program(ota_session_t *session, size_t offset, const void *data, size_t size)
{
    uint64_t start = hal_clock_us();
    esp_err_t err = esp_partition_write(session->staging, offset, data, size);
    session->stats.write_us += hal_clock_us() - start;
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "cannot write %u bytes to partition %s at offset 0x%x: error 0x%x",
                 (unsigned)size, session->staging->label, (unsigned)offset, (unsigned)err);
        return err;
    }
    session->stats.written_bytes += (uint32_t)size;
    return ESP_OK;
}

#ifdef CONFIG_APP_UPDATE_KEEP_EQUAL_SECTORS

/* Compares flash at offset with data, or with 0xFF if data is NULL. */
static esp_err_t compare(ota_session_t *session, size_t offset, const uint8_t *data, size_t size,
                         bool *equal)
{
    uint8_t piece[256];
    esp_err_t err = ESP_OK;
    uint64_t start = hal_clock_us();
    *equal = true;
    for (size_t done = 0; done < size && *equal && err == ESP_OK;) {
        size_t len = size - done < sizeof(piece) ? size - done : sizeof(piece);
        err = esp_partition_read(session->staging, offset + done, piece, len);
        for (size_t i = 0; err == ESP_OK && i < len && *equal; i++) {
            *equal = piece[i] == (data != NULL ? data[done + i] : 0xFF);
        }
        done += len;
    }
    session->stats.write_us += hal_clock_us() - start;
    return err;
}

/* The sector at ready_to, kept so far up to offset cursor, differs behind it: erases it and puts
 * its beginning back. May be repeated after a failure. */
static esp_err_t give_up_keeping(ota_session_t *session, size_t cursor)
{
    size_t sector = session->ready_to;
    if (!session->saving) {
        if (session->saved == NULL) {
            session->saved = malloc(SECTOR);
            if (session->saved == NULL) {
                ESP_LOGE(TAG, "no memory to rewrite a sector");
                return ESP_ERR_NO_MEM;
            }
        }
        session->saved_len = cursor - sector;
        esp_err_t err =
            esp_partition_read(session->staging, sector, session->saved, session->saved_len);
        if (err != ESP_OK) {
            return err;
        }
        session->saving = true;
    }
    size_t erased;
    esp_err_t err = erase_unit(session, sector, SECTOR, &erased);
    if (err == ESP_OK && session->saved_len > 0) {
        err = program(session, sector, session->saved, session->saved_len);
    }
    if (err != ESP_OK) {
        return err;
    }
    session->stats.kept_bytes -= (uint32_t)session->saved_len;
    session->saving = false;
    session->ready_to = sector + SECTOR;
    return ESP_OK;
}

/* Moves *cursor over data that is in flash already, to the end of its sector at most; or makes the
 * sector writable. */
static esp_err_t advance(ota_session_t *session, size_t *cursor, const uint8_t *data, size_t size)
{
    if (!session->saving) {
        size_t end = session->ready_to + SECTOR;
        size_t len = size < end - *cursor ? size : end - *cursor;
        bool equal;
        esp_err_t err = compare(session, *cursor, data, len, &equal);
        if (err != ESP_OK) {
            return err;
        }
        if (equal) {
            *cursor += len;
            session->stats.kept_bytes += (uint32_t)len;
            if (*cursor == end) {
                session->ready_to = end;
            }
            return ESP_OK;
        }
    }
    return give_up_keeping(session, *cursor);
}

/* Behind the last byte the slot is blank, as without this option. */
static esp_err_t finish_last_sector(ota_session_t *session)
{
    if (!session->sequential || session->wrote_size <= session->ready_to) {
        return ESP_OK;
    }
    size_t end = session->ready_to + SECTOR;
    bool blank = false;
    if (!session->saving) {
        esp_err_t err =
            compare(session, session->wrote_size, NULL, end - session->wrote_size, &blank);
        if (err != ESP_OK) {
            return err;
        }
    }
    return blank ? ESP_OK : give_up_keeping(session, session->wrote_size);
}

#else

static esp_err_t advance(ota_session_t *session, size_t *cursor, const uint8_t *data, size_t size)
{
    (void)cursor;
    (void)data;
    (void)size;
    /* A partition may end inside a sector, which then cannot be erased: asking for it says so. */
    size_t room = session->staging->size - session->ready_to;
    size_t erased;
    esp_err_t err = erase_unit(session, session->ready_to,
                               room < SECTOR ? room : room / SECTOR * SECTOR, &erased);
    session->ready_to += erased;
    return err;
}

static esp_err_t finish_last_sector(ota_session_t *session)
{
    (void)session;
    return ESP_OK;
}

#endif

/* The position moves only when everything is written, so that a failed call can be repeated: what
 * it wrote is written again, which changes nothing in NOR flash. */
static esp_err_t write_sequential(ota_session_t *session, const uint8_t *data, size_t size)
{
    size_t begin = session->wrote_size;
    size_t end = begin + size;
    for (size_t cursor = begin; cursor < end;) {
        const uint8_t *next = data + (cursor - begin);
        esp_err_t err;
        if (cursor < session->ready_to) {
            size_t limit = session->ready_to < end ? session->ready_to : end;
            err = program(session, cursor, next, limit - cursor);
            cursor = limit;
        } else {
            err = advance(session, &cursor, next, end - cursor);
        }
        if (err != ESP_OK) {
            return err;
        }
    }
    return ESP_OK;
}

static esp_err_t check_beginning(const esp_partition_t *final, const uint8_t *data, size_t size)
{
    if (final->type == ESP_PARTITION_TYPE_APP || final->type == ESP_PARTITION_TYPE_BOOTLOADER) {
        if (data[0] != ESP_IMAGE_HEADER_MAGIC) {
            ESP_LOGE(TAG, "OTA image has invalid magic byte (expected 0xE9, saw 0x%02x)", data[0]);
            return ESP_ERR_OTA_VALIDATE_FAILED;
        }
    } else if (final->type == ESP_PARTITION_TYPE_PARTITION_TABLE && size >= 2) {
        unsigned magic = data[0] | (unsigned)data[1] << 8;
        if (magic != ESP_PARTITION_MAGIC) {
            ESP_LOGE(TAG,
                     "Partition table image has invalid magic word (expected 0x50AA, saw 0x%04x)",
                     magic);
            return ESP_ERR_OTA_VALIDATE_FAILED;
        }
    }
    return ESP_OK;
}

static esp_err_t check_room(const ota_session_t *session, size_t size)
{
    size_t room = session->staging->size;
    if (session->wrote_size <= room && size <= room - session->wrote_size) {
        return ESP_OK;
    }
    ESP_LOGE(TAG, "the image is larger than partition %s of %u bytes", session->staging->label,
             (unsigned)room);
    return session->wrote_size > room ? ESP_ERR_INVALID_ARG : ESP_ERR_INVALID_SIZE;
}

esp_err_t esp_ota_write(esp_ota_handle_t handle, const void *data, size_t size)
{
    if (data == NULL) {
        ESP_LOGE(TAG, "write data is invalid");
        return ESP_ERR_INVALID_ARG;
    }
    if (size == 0) {
        return ESP_OK;
    }
    ota_session_t *session = find(handle);
    if (session == NULL) {
        ESP_LOGE(TAG, "not found the handle");
        return ESP_ERR_INVALID_ARG;
    }
    /* Where it must be erased first, that fails first. */
    esp_err_t err = session->sequential ? check_room(session, size) : ESP_OK;
    if (err == ESP_OK && session->wrote_size == 0) {
        err = check_beginning(session->final, data, size);
    }
    if (err == ESP_OK && session->sequential) {
        err = write_sequential(session, data, size);
    } else if (err == ESP_OK) {
        err = check_room(session, size);
        if (err == ESP_OK) {
            err = program(session, session->wrote_size, data, size);
        }
    }
    if (err == ESP_OK) {
        session->wrote_size += size;
    }
    return err;
}

esp_err_t esp_ota_write_with_offset(esp_ota_handle_t handle, const void *data, size_t size,
                                    uint32_t offset)
{
    if (data == NULL) {
        ESP_LOGE(TAG, "write data is invalid");
        return ESP_ERR_INVALID_ARG;
    }
    ota_session_t *session = find(handle);
    if (session == NULL) {
        ESP_LOGE(TAG, "OTA handle not found");
        return ESP_ERR_INVALID_ARG;
    }
    assert(!session->sequential && "the range of a write with offset must be erased beforehand");
    esp_err_t err = program(session, offset, data, size);
    if (err == ESP_OK) {
        session->wrote_size =
            size > SIZE_MAX - session->wrote_size ? SIZE_MAX : session->wrote_size + size;
    }
    return err;
}

/* --- ending --- */

static esp_err_t verify_image(const esp_partition_t *partition)
{
    const esp_partition_pos_t place = {.offset = partition->address, .size = partition->size};
    esp_image_metadata_t *data = malloc(sizeof(*data));
    if (data == NULL) {
        ESP_LOGE(TAG, "no memory to verify partition %s", partition->label);
        return ESP_ERR_NO_MEM;
    }
    esp_err_t err = esp_image_verify(ESP_IMAGE_VERIFY, &place, data);
    free(data);
    return err == ESP_OK ? ESP_OK : ESP_ERR_OTA_VALIDATE_FAILED;
}

static esp_err_t verify_table(const esp_partition_t *partition)
{
    esp_partition_info_t *table = malloc(ESP_PARTITION_TABLE_MAX_LEN);
    if (table == NULL) {
        ESP_LOGE(TAG, "no memory to verify partition %s", partition->label);
        return ESP_ERR_NO_MEM;
    }
    esp_err_t err = esp_partition_read(partition, 0, table, ESP_PARTITION_TABLE_MAX_LEN);
    int count;
    if (err == ESP_OK && esp_partition_table_verify(table, true, &count) != ESP_OK) {
        err = ESP_ERR_OTA_VALIDATE_FAILED;
    }
    free(table);
    return err;
}

static esp_err_t verify(const ota_session_t *session)
{
    switch (session->final->type) {
    case ESP_PARTITION_TYPE_APP:
    case ESP_PARTITION_TYPE_BOOTLOADER:
        return verify_image(session->staging);
    case ESP_PARTITION_TYPE_PARTITION_TABLE:
        return verify_table(session->staging);
    default:
        return ESP_OK;
    }
}

static esp_err_t finish(ota_session_t *session)
{
    if (session->wrote_size == 0) {
        return ESP_ERR_INVALID_ARG;
    }
    esp_err_t err = finish_last_sector(session);
    if (err != ESP_OK) {
        return err;
    }
    uint64_t start = hal_clock_us();
    err = verify(session);
    session->stats.verify_us = hal_clock_us() - start;
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "New image failed verification");
        return err;
    }
    if (session->finalize_with_copy) {
        ESP_LOGI(TAG, "Copy from <%s> staging partition to <%s>...", session->staging->label,
                 session->final->label);
        err = esp_partition_copy(session->final, 0, session->staging, 0, session->final->size);
    }
    return err;
}

esp_err_t esp_ota_end(esp_ota_handle_t handle)
{
    ota_session_t *session = find(handle);
    if (session == NULL) {
        return ESP_ERR_NOT_FOUND;
    }
    esp_err_t err = finish(session);
    close_session(session);
    return err;
}

esp_err_t esp_ota_abort(esp_ota_handle_t handle)
{
    ota_session_t *session = find(handle);
    if (session == NULL) {
        return ESP_ERR_NOT_FOUND;
    }
    close_session(session);
    return ESP_OK;
}
