/* SPDX-License-Identifier: Apache-2.0
 *
 * The parts of the second-stage bootloader. It runs once per reset, single threaded, without a
 * heap; what is large is static. */
#ifndef BOOTLOADER_BOOTLOADER_H
#define BOOTLOADER_BOOTLOADER_H

#include <stdbool.h>
#include <stdint.h>

#include "formats/boot_select.h"
#include "formats/esp_err_codes.h"
#include "formats/partition_table.h"

/* The partition table of this boot. */
typedef struct {
    uint8_t rows[FMT_PARTITION_TABLE_LEN];
    unsigned count; /* partitions: rows 0 .. count - 1 */
    fmt_boot_table_t roles;
} boot_table_t;

/* --- table.c --- */

/* Reads the table, checks it against a flash of flash_size bytes, prints it, finds the roles.
 * False: there is no usable table (said why). */
bool boot_table_read(boot_table_t *table, uint32_t flash_size);

/* --- otadata.c --- */

/* Finishes a change of otadata that a power cut interrupted, runs the choice of formats/ and does
 * what it says: log lines and otadata writes. */
void boot_choose(const boot_table_t *table, const fmt_boot_config_t *config,
                 fmt_boot_choice_t *choice);

/* The following work on the otadata that boot_choose() read. */

/* Rewrites one record. A failure is returned, and logged. */
esp_err_t boot_write_otadata(const fmt_otadata_write_t *write);

/* Erases both records. */
esp_err_t boot_erase_otadata(void);

/* Makes the records follow the app at index, which is about to start because others are damaged:
 * failed has bit k for OTA slot k. Failures are logged. */
void boot_follow(const fmt_boot_table_t *roles, uint32_t failed, int index);

/* Prints a message of formats/. */
void boot_message(fmt_boot_message_t message, uint32_t arg, uint32_t arg2);

/* --- pins.c --- */

/* Factory reset and test application by pin (4.2), after the first choice. May choose again. */
void boot_check_pins(const boot_table_t *table, const fmt_boot_config_t *config,
                     fmt_boot_choice_t *choice);

/* --- retain.c --- */

/* What the next boot is to know, if the power stays on: that the data partitions were erased; which
 * application was started. */
void boot_remember_factory_reset(void);
void boot_remember_app(const fmt_boot_pos_t *pos);

/* The application remembered; false: none. */
bool boot_remembered_app(fmt_boot_pos_t *pos);

/* --- secure_version.c --- */

/* Finds the chip's emulated eFuses in the table, if this build has them, and finishes a burn that a
 * power cut interrupted. What goes wrong is logged; the version is then 0 or what could be read. */
void boot_secure_version_init(const boot_table_t *table);

/* The chip's secure version; 0 in a build without anti-rollback. */
uint32_t boot_secure_version(void);

/* Raises it to version. A failure is only logged. */
void boot_raise_secure_version(uint32_t version);

/* Secure version of the application at index; false: it has no readable descriptor. */
bool boot_app_secure_version(void *roles, int index, uint32_t *version);

/* --- load.c --- */

/* After deep sleep, in a build that leaves out validation then: starts the application that ran
 * before without looking at anything else. Returns if it is another reset, or it cannot. */
void boot_wake(void);

/* Tries the candidates from choice->start on; returns only when none could be started. An app that
 * is confirmed, or the first ever, raises the chip's secure version before it starts. */
void boot_start_first(const boot_table_t *table, const fmt_boot_config_t *config,
                      const fmt_boot_choice_t *choice);

#endif
