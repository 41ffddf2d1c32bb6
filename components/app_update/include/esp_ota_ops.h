/* SPDX-License-Identifier: Apache-2.0
 *
 * Over-the-air updates: writing a new image into a partition, choosing what boots next, confirming
 * and rolling back. Source: interface specification, section 6.
 *
 * An update is a session: begin, write ..., end (or abort), then esp_ota_set_boot_partition().
 * Several sessions on different partitions may be open at once; one handle must not be used by two
 * tasks at a time. Sizes and offsets are in bytes. Flash encryption is not supported. */
#ifndef ESP_OTA_OPS_H
#define ESP_OTA_OPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_app_desc.h"
#include "esp_app_format.h"
#include "esp_bootloader_desc.h"
#include "esp_err.h"
#include "esp_flash_partitions.h"
#include "esp_partition.h"
#include "soc/soc_caps.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The whole partition is erased when the session begins. */
#define OTA_SIZE_UNKNOWN 0xffffffff
/* Flash is erased as writing proceeds, just ahead of it: nothing stalls at the beginning. */
#define OTA_WITH_SEQUENTIAL_WRITES 0xfffffffe

#define ESP_ERR_OTA_BASE                   0x1500
#define ESP_ERR_OTA_PARTITION_CONFLICT     (ESP_ERR_OTA_BASE + 0x01) /* it is the running one */
#define ESP_ERR_OTA_SELECT_INFO_INVALID    (ESP_ERR_OTA_BASE + 0x02)
#define ESP_ERR_OTA_VALIDATE_FAILED        (ESP_ERR_OTA_BASE + 0x03) /* not a valid image */
#define ESP_ERR_OTA_SMALL_SEC_VER          (ESP_ERR_OTA_BASE + 0x04) /* older than the eFuse says */
#define ESP_ERR_OTA_ROLLBACK_FAILED        (ESP_ERR_OTA_BASE + 0x05) /* nothing to go back to */
#define ESP_ERR_OTA_ROLLBACK_INVALID_STATE (ESP_ERR_OTA_BASE + 0x06) /* running app unconfirmed */
#define ESP_ERR_OTA_ALREADY_IN_PROGRESS    (ESP_ERR_OTA_BASE + 0x07) /* partition is in a session */
#define ESP_ERR_OTA_SPI_MODE_MISMATCH      (ESP_ERR_OTA_BASE + 0x08)

/* Handles count up from 1; 0 is never one. */
typedef uint32_t esp_ota_handle_t;

/* --- a session --- */

/* Starts writing to partition: an OTA slot other than the running one, or a data, bootloader or
 * partition table partition. image_size says what is erased now: that many bytes (rounded up to
 * sectors), everything for 0 and OTA_SIZE_UNKNOWN, nothing for OTA_WITH_SEQUENTIAL_WRITES.
 * With CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE and a slot, the otadata entry that is not in force is
 * erased: the app written over can no longer be booted.
 * On failure there is no session, and *out_handle is 0.
 * ESP_ERR_INVALID_ARG: a NULL argument, or an app partition that is no slot.
 * ESP_ERR_NOT_FOUND: partition is not in the table.
 * ESP_ERR_OTA_PARTITION_CONFLICT: it is the running one.
 * ESP_ERR_OTA_ROLLBACK_INVALID_STATE: the running app must confirm itself first (rollback builds).
 * ESP_ERR_OTA_ALREADY_IN_PROGRESS: another session has it as staging or final partition.
 * ESP_ERR_INVALID_SIZE: the partition does not fit the flash, or the image the partition.
 * ESP_ERR_NO_MEM. ESP_ERR_NOT_ALLOWED: read-only. Flash errors of the erase. */
esp_err_t esp_ota_begin(const esp_partition_t *partition, size_t image_size,
                        esp_ota_handle_t *out_handle);

/* Goes on with an update after image_offset bytes were written earlier, perhaps before a reset.
 * Nothing is erased now; with erase_size OTA_WITH_SEQUENTIAL_WRITES sectors are erased as writing
 * proceeds, except the one that image_offset is inside of, which must be blank behind it. Any other
 * erase_size: the caller has erased. Errors as esp_ota_begin(); also ESP_ERR_INVALID_ARG:
 * image_offset beyond the partition, and the running partition is refused whatever its type. */
esp_err_t esp_ota_resume(const esp_partition_t *partition, const size_t erase_size,
                         const size_t image_offset, esp_ota_handle_t *out_handle);

/* Says that what is written to the session's partition (staging) is meant for final, whose type
 * decides what is checked; finalize_with_copy: esp_ota_end() copies it there. Call before the first
 * write. ESP_ERR_INVALID_ARG: final is NULL; ESP_ERR_NOT_FOUND: unknown handle, or final is not in
 * the table; ESP_ERR_INVALID_STATE: something was written already. */
esp_err_t esp_ota_set_final_partition(esp_ota_handle_t handle, const esp_partition_t *final,
                                      bool finalize_with_copy);

/* Writes the next size bytes. Any size; data goes to flash from where it is. The first bytes must
 * look like the beginning of what the final partition holds; if not, nothing is erased or written
 * and the session stays open. After any error the same call may be repeated.
 * ESP_ERR_INVALID_ARG: data is NULL, or unknown handle; ESP_ERR_OTA_VALIDATE_FAILED: wrong magic
 * byte or word; ESP_ERR_INVALID_SIZE: more than the partition holds (of both, a session with
 * OTA_WITH_SEQUENTIAL_WRITES reports this one); ESP_ERR_INVALID_ARG: writes with offset already sum
 * up to more; ESP_ERR_NO_MEM (only with CONFIG_APP_UPDATE_KEEP_EQUAL_SECTORS); flash errors. */
esp_err_t esp_ota_write(esp_ota_handle_t handle, const void *data, size_t size);

/* Writes size bytes at offset, in any order; the range must have been erased, so the session must
 * not be one with OTA_WITH_SEQUENTIAL_WRITES (checked by assert). Nothing is looked at.
 * ESP_ERR_INVALID_ARG: data is NULL, unknown handle, or offset beyond the partition;
 * ESP_ERR_INVALID_SIZE: too long; flash errors. */
esp_err_t esp_ota_write_with_offset(esp_ota_handle_t handle, const void *data, size_t size,
                                    uint32_t offset);

/* Ends the session: reads back and verifies what was written, as what the final partition holds,
 * and copies it there if asked to. The handle is invalid afterwards, whatever is returned. The boot
 * partition does not change.
 * ESP_ERR_NOT_FOUND: unknown handle; ESP_ERR_INVALID_ARG: nothing was written;
 * ESP_ERR_OTA_VALIDATE_FAILED: not a valid image or table; errors of the copy; ESP_ERR_NO_MEM;
 * flash errors. */
esp_err_t esp_ota_end(esp_ota_handle_t handle);

/* Ends the session without looking at anything. ESP_ERR_NOT_FOUND: unknown handle. */
esp_err_t esp_ota_abort(esp_ota_handle_t handle);

/* --- what boots --- */

/* Makes partition the one that boots next, after verifying its image. The factory partition is
 * chosen by erasing otadata.
 * ESP_ERR_INVALID_ARG: NULL, not an app, or neither factory nor an existing slot;
 * ESP_ERR_OTA_VALIDATE_FAILED: no valid image; ESP_ERR_NOT_FOUND: no otadata partition;
 * ESP_ERR_OTA_SMALL_SEC_VER: anti-rollback refuses it, the partition was erased; flash errors. */
esp_err_t esp_ota_set_boot_partition(const esp_partition_t *partition);

/* The same without verifying the image. */
esp_err_t esp_ota_set_boot_partition_skip_validate(const esp_partition_t *partition);

/* What otadata says will boot next (whether it can or not); the factory partition, else the first
 * slot, else the test partition if otadata says nothing; NULL without otadata partition or apps. */
const esp_partition_t *esp_ota_get_boot_partition(void);

/* The partition whose code is running. Never NULL: calls abort() if there is none. */
const esp_partition_t *esp_ota_get_running_partition(void);

/* The slot after start_from (NULL: the running partition) in the order ota_0 .. ota_15, beginning
 * again after the last; the first slot if start_from is none. NULL if there are no slots.
 * start_from must be in the table (checked by assert). */
const esp_partition_t *esp_ota_get_next_update_partition(const esp_partition_t *start_from);

/* Number of slots: ota_0, ota_1, ... up to the first that is missing. */
uint8_t esp_ota_get_app_partition_count(void);

/* --- descriptions and states --- */

/* Description of the app in partition. ESP_ERR_INVALID_ARG: NULL; ESP_ERR_NOT_SUPPORTED: not an
 * app partition; ESP_ERR_NOT_FOUND: no description there; flash errors. */
esp_err_t esp_ota_get_partition_description(const esp_partition_t *partition,
                                            esp_app_desc_t *app_desc);

/* Description of the bootloader in bootloader_partition (NULL: the primary one).
 * ESP_ERR_INVALID_ARG: desc is NULL; ESP_ERR_NOT_FOUND: no description there; flash errors. */
esp_err_t esp_ota_get_bootloader_description(const esp_partition_t *bootloader_partition,
                                             esp_bootloader_desc_t *desc);

/* State of a slot in otadata, the newer of two entries. ESP_ERR_INVALID_ARG: NULL;
 * ESP_ERR_NOT_SUPPORTED: not a slot; ESP_ERR_NOT_FOUND: no otadata, no slots, or no entry for it;
 * flash errors. */
esp_err_t esp_ota_get_state_partition(const esp_partition_t *partition,
                                      esp_ota_img_states_t *ota_state);

/* The slot whose app was rejected or not confirmed last, if its image is still valid; else NULL. */
const esp_partition_t *esp_ota_get_last_invalid_partition(void);

/* --- confirming and rolling back ---
 *
 * These act on the otadata entry of the running slot, even if another partition was made the boot
 * partition in the meantime. */

/* Confirms the running app. With anti-rollback the eFuse version is raised to the app's.
 * ESP_ERR_NOT_FOUND: no otadata partition; ESP_FAIL: the running app is not in a slot, or otadata
 * has no valid entry; flash and eFuse errors. */
esp_err_t esp_ota_mark_app_valid_cancel_rollback(void);

/* Rejects the running app: the previous one boots next. ESP_ERR_NOT_FOUND, ESP_FAIL as above;
 * ESP_ERR_OTA_ROLLBACK_FAILED: there is nothing to go back to; flash errors. */
esp_err_t esp_ota_mark_app_invalid_rollback(void);

/* The same, then esp_restart(). Returns only on failure. */
esp_err_t esp_ota_mark_app_invalid_rollback_and_reboot(void);

/* Whether there is another valid app to go back to; silent where none is. */
bool esp_ota_check_rollback_is_possible(void);

/* Erases the app that otadata's entry not in force selects, then that entry. ESP_FAIL: there is no
 * such app, or it is the running one; flash errors. */
esp_err_t esp_ota_erase_last_boot_app_partition(void);

/* Erases that entry alone. Errors as above. */
esp_err_t esp_ota_invalidate_inactive_ota_data_slot(void);

/* --- before writing --- */

/* Whether an image with this header (and, for an app, this description; may be NULL) may run here.
 * ESP_ERR_INVALID_ARG: no header, or type is neither app nor bootloader; ESP_ERR_INVALID_VERSION:
 * another chip or chip revision; ESP_ERR_OTA_SPI_MODE_MISMATCH: built for another flash mode than
 * the running app. */
esp_err_t esp_ota_check_image_validity(esp_partition_type_t type, const esp_image_header_t *img_hdr,
                                       const esp_app_desc_t *app_desc);

#ifdef __cplusplus
}
#endif

#endif
