/* SPDX-License-Identifier: Apache-2.0
 *
 * The real code as one device in memory: the bootloader's sources and app_update on the linux
 * board's test flash, small enough for a million lives. One device at a time. */
#ifndef DEVICE_H
#define DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hal/reset.h"
#include "linux_board/testing.h"
#include "model.h"

#include "esp_partition.h"

#define DEVICE_OTADATA    0x9000u
#define DEVICE_EFUSE      0xB000u
#define DEVICE_EFUSE_SIZE 0x2000u
#define DEVICE_NVS        0xD000u
#define DEVICE_NVS_SIZE   0x3000u
#define DEVICE_APPS       0x10000u
#define DEVICE_PLACE_SIZE 0x2000u
#define DEVICE_END        (DEVICE_APPS + MODEL_PLACES * DEVICE_PLACE_SIZE)

/* A new device with that table: flash blank otherwise, power on, no cut planned. seed decides how
 * torn operations look. */
void device_new(const model_table_t *table, uint64_t seed);

/* The bytes of a place and of an otadata record. */
uint8_t *device_place(int place);
uint8_t *device_entry(unsigned index);
uint32_t device_address(int place);

/* Whether bits of the sector at address read differently from time to time; takes that back. */
bool device_unstable(uint32_t address);
void device_settle(uint32_t address);

/* How many boots after its first the app of a record was given (formats/otadata_journal.h). */
unsigned device_boots(unsigned index);

/* Ones in the secure version's bits; 0 while the fuses were never written. */
unsigned device_efuse(void);
void device_put_efuse(unsigned count);

typedef enum { DEVICE_STARTED, DEVICE_GAVE_UP, DEVICE_CUT } device_outcome_t;

/* Runs the bootloader once. DEVICE_STARTED: *place is what it started, or MODEL_NOWHERE if that is
 * no place of the table. After DEVICE_CUT call device_power_on(). */
device_outcome_t device_boot(int *place);

/* Plans a cut in the operation-th (from 1) flash operation from now on; takes a plan back; says
 * whether power is away. */
void device_plan_cut(unsigned operation, linux_board_cut_mode_t mode, unsigned percent);
void device_no_cut(void);
bool device_is_off(void);

/* Power comes back, or a reset with power. The application's RAM is gone in both. */
void device_power_on(void);
void device_reset(void);

/* What the verifications of this boot learnt is forgotten: flash was changed behind the API. */
void device_forget_verified(void);

/* Which ranges may change from now on; anything else is remembered as a trespass. place may be
 * MODEL_NOWHERE. */
void device_allow(bool otadata, bool efuse, int place);

/* NULL, or what was changed without being allowed to (until device_new()). */
const char *device_trespass(void);

/* The partition of a place. */
const esp_partition_t *device_partition(int place);

/* Calls esp_ota_mark_app_invalid_rollback_and_reboot(); true if it restarted. */
bool device_reject_and_reboot(int *err);

#endif
