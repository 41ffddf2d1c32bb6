/* SPDX-License-Identifier: Apache-2.0
 *
 * What otadata and slots do, as the prose of the formats specification (sections 3 and 4) says it,
 * written a second time and without our code: the model that test_ota_model.c compares the
 * bootloader and app_update with. Plain and slow on purpose.
 *
 * Where Airlift does better than the specification's facts and says so in esp_ota_ops.h, the model
 * says the same and marks the place with AIRLIFT. */
#ifndef MODEL_H
#define MODEL_H

#include <stdbool.h>
#include <stdint.h>

/* Error codes (specification, section 8). */
enum {
    MODEL_OK = 0,
    MODEL_FAIL = -1,
    MODEL_INVALID_ARG = 0x102,
    MODEL_INVALID_STATE = 0x103,
    MODEL_INVALID_SIZE = 0x104,
    MODEL_NOT_FOUND = 0x105,
    MODEL_NOT_SUPPORTED = 0x106,
    MODEL_CONFLICT = 0x1501,
    MODEL_VALIDATE_FAILED = 0x1503,
    MODEL_SMALL_SEC_VER = 0x1504,
    MODEL_ROLLBACK_FAILED = 0x1505,
    MODEL_ROLLBACK_INVALID_STATE = 0x1506,
    MODEL_IN_PROGRESS = 0x1507,
};

enum {
    MODEL_NEW = 0,
    MODEL_PENDING = 1,
    MODEL_VALID = 2,
    MODEL_INVALID = 3,
    MODEL_ABORTED = 4,
};
#define MODEL_UNDEFINED 0xFFFFFFFFu
#define MODEL_EMPTY     0xFFFFFFFFu

#define MODEL_PLACES  20 /* app rows of a table */
#define MODEL_NOWHERE (-1)

#define MODEL_SUB_FACTORY 0x00
#define MODEL_SUB_OTA     0x10
#define MODEL_SUB_TEST    0x20

/* The app rows of the table, in its order. A place is an index in this list. */
typedef struct {
    unsigned places;
    uint8_t subtype[MODEL_PLACES];
    bool otadata;
} model_table_t;

typedef struct {
    bool rollback;
    bool anti_rollback;
    bool strict;       /* CONFIG_AIRLIFT_STRICT_COMPATIBILITY */
    unsigned attempts; /* CONFIG_BOOTLOADER_ROLLBACK_ATTEMPTS, at least 1 */
} model_options_t;

/* The first 32 bytes of an otadata sector. */
typedef struct {
    uint32_t seq;
    uint8_t label[20];
    uint32_t state;
    uint32_t crc;
} model_entry_t;

/* What is in a place. */
typedef struct {
    bool valid;    /* an image that verifies */
    bool readable; /* it begins with a descriptor */
    uint32_t secure_version;
} model_image_t;

/* One change of flash, in the order they happen. */
typedef enum {
    MODEL_WRITE_ENTRY, /* the sector of an entry is erased and, unless value is blank, written */
    MODEL_COUNT_BOOT,  /* its app was given one boot more */
    MODEL_WRITE_EFUSE, /* the secure version is raised */
    MODEL_ERASE_PLACE,
} model_write_kind_t;

typedef struct {
    model_write_kind_t kind;
    unsigned index; /* entry or place */
    model_entry_t value;
    uint32_t version;
} model_write_t;

#define MODEL_WRITES 8

typedef struct {
    const model_table_t *table;
    model_options_t options;
    model_entry_t entry[2];
    model_image_t image[MODEL_PLACES];
    uint32_t efuse;
    unsigned boots[2]; /* that the app of an entry was given after its first, unconfirmed */
    int running;       /* a place */
    /* What the last operation changed. */
    unsigned write_count;
    model_write_t writes[MODEL_WRITES];
} model_t;

model_entry_t model_entry(const uint8_t *raw);
void model_entry_bytes(const model_entry_t *entry, uint8_t *raw);

/* The entry in force (section 3.3), -1: none. */
int model_active(const model_t *m);

/* Boots: the place that is started, MODEL_NOWHERE when nothing can be. Does not set running. */
int model_boot(model_t *m);

/* Whether the bootloader can reach and would accept any image at all, whatever otadata says. */
bool model_anything_bootable(const model_t *m);

/* --- app_update; each returns the error code --- */

int model_begin(model_t *m, int place, bool open);
int model_set_boot(model_t *m, int place, bool validate);
int model_mark_valid(model_t *m);
int model_mark_invalid(model_t *m);
int model_erase_last(model_t *m);
int model_invalidate_inactive(model_t *m);
int model_erase_otadata(model_t *m);

bool model_rollback_possible(const model_t *m);
int model_get_boot(const model_t *m); /* a place or MODEL_NOWHERE */
int model_get_state(const model_t *m, int place, uint32_t *state);
int model_last_invalid(const model_t *m);
int model_next_update(const model_t *m, int start);
unsigned model_app_count(const model_t *m);

#endif
