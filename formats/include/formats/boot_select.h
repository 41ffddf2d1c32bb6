/* SPDX-License-Identifier: Apache-2.0
 *
 * Which application boots: the bootloader's decisions as pure functions.
 * Source: formats specification, section 4.
 *
 *     fmt_boot_table_scan()      table rows       -> roles
 *     fmt_boot_choose()          roles + otadata  -> start index and what to do, in order
 *     fmt_boot_order_begin/next  start index      -> candidates, one after the other
 *
 * The caller executes the actions (writes, log lines) and tries the candidates. */
#ifndef FORMATS_BOOT_SELECT_H
#define FORMATS_BOOT_SELECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "formats/log_line.h"
#include "formats/otadata.h"
#include "formats/partition_table.h"

/* Index numbering: OTA slot k is k. */
#define FMT_BOOT_FACTORY       (-1)
#define FMT_BOOT_TEST          (-2)
#define FMT_BOOT_UNRECOVERABLE (-99) /* reset: otadata cannot be read */

/* A place in flash; size 0: there is none. */
typedef struct {
    uint32_t offset;
    uint32_t size;
} fmt_boot_pos_t;

/* The roles of a partition table. */
typedef struct {
    fmt_boot_pos_t factory;
    fmt_boot_pos_t test;
    fmt_boot_pos_t ota[FMT_OTA_SLOTS_MAX]; /* by subtype & 15 */
    unsigned ota_count; /* OTA rows, duplicates included; only slots below it are usable */
    fmt_boot_pos_t otadata;
    bool has_factory; /* a row of that role exists, whatever its size */
    bool has_test;
    bool has_otadata;
} fmt_boot_table_t;

/* Collects the roles out of count rows of 32 bytes; of two rows with one role the later wins. */
void fmt_boot_table_scan(const uint8_t *rows, unsigned count, fmt_boot_table_t *table);

/* Where the candidate with that index is; size 0 when there is none such. */
fmt_boot_pos_t fmt_boot_position(const fmt_boot_table_t *table, int index);

typedef struct {
    bool rollback;           /* CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE */
    bool anti_rollback;      /* CONFIG_BOOTLOADER_APP_ANTI_ROLLBACK */
    uint32_t secure_version; /* of the chip (eFuse); with anti_rollback */
    /* Secure version of the app at index. False: its descriptor cannot be read. Needed only with
     * anti_rollback. */
    bool (*app_secure_version)(void *context, int index, uint32_t *version);
    void *context;
    /* CONFIG_BOOTLOADER_ROLLBACK_ATTEMPTS: boots that an unconfirmed app gets; 0 counts as 1, which
     * is what ESP-IDF does. With rollback. */
    uint8_t attempts;
    /* For each otadata entry, how many it was given after its first (fmt_otadata_boots()). */
    uint8_t more_boots[2];
} fmt_boot_config_t;

/* Log lines of the choice and of the fallback. arg and arg2 as noted. */
typedef enum {
    FMT_BOOT_MSG_NONE = 0,
    FMT_BOOT_MSG_DEFAULT_FACTORY,
    FMT_BOOT_MSG_TRY_OTA_0,
    FMT_BOOT_MSG_INVALID_FACTORY,   /* otadata invalid, falling back to factory */
    FMT_BOOT_MSG_INVALID_TRY_ALL,   /* otadata invalid, no factory */
    FMT_BOOT_MSG_OTADATA_TOO_SMALL, /* arg: size of the partition */
    FMT_BOOT_MSG_ANTI_ROLLBACK_ON,
    FMT_BOOT_MSG_SECURE_VERSION, /* arg: version of the chip */
    FMT_BOOT_MSG_INITIAL_STATE,
    FMT_BOOT_MSG_NO_DESCRIPTION,       /* arg: index of the candidate */
    FMT_BOOT_MSG_OTADATA_OFFSET,       /* arg: offset; debug */
    FMT_BOOT_MSG_SEQUENCE,             /* arg: entry, arg2: seq; debug */
    FMT_BOOT_MSG_MARK_ABORTED,         /* arg: entry; debug */
    FMT_BOOT_MSG_BOTH_VALID,           /* debug, tag boot_comm */
    FMT_BOOT_MSG_ONLY_VALID,           /* arg: entry; debug, tag boot_comm */
    FMT_BOOT_MSG_ACTIVE,               /* arg: entry; debug */
    FMT_BOOT_MSG_MAPPING,              /* arg: seq, arg2: slot; debug */
    FMT_BOOT_MSG_PENDING,              /* arg: entry; debug */
    FMT_BOOT_MSG_NOT_BOOTABLE,         /* arg: index of the candidate */
    FMT_BOOT_MSG_FACTORY_NOT_BOOTABLE, /* what that is rendered as for factory */
    FMT_BOOT_MSG_FALLBACK_TEST,
    FMT_BOOT_MSG_NO_TEST,
    FMT_BOOT_MSG_NO_APP,
    FMT_BOOT_MSG_SET_ACTUAL_SEQ, /* arg: seq */
    FMT_BOOT_MSG_ANOTHER_BOOT,   /* arg: entry, arg2: number of this boot of its app */
} fmt_boot_message_t;

typedef enum {
    FMT_BOOT_ACT_LOG,            /* print message with arg and arg2 */
    FMT_BOOT_ACT_WRITE_OTADATA,  /* write `write`; a failure is logged and boot goes on */
    FMT_BOOT_ACT_SECURE_VERSION, /* once the candidate `start` is verified, and only then, raise the
                                    chip's secure version to its app's, presumably arg; likewise */
    FMT_BOOT_ACT_COUNT_BOOT,     /* fmt_otadata_count_boot() for entry arg; likewise */
} fmt_boot_action_kind_t;

typedef struct {
    fmt_boot_action_kind_t kind;
    fmt_boot_message_t message;
    uint32_t arg;
    uint32_t arg2;
    fmt_otadata_write_t write;
} fmt_boot_action_t;

#define FMT_BOOT_ACTIONS_MAX 20

typedef struct {
    int start;    /* candidate to begin with, or FMT_BOOT_UNRECOVERABLE: reset */
    int active;   /* otadata entry the choice came from; -1: not from otadata */
    bool initial; /* otadata is in its initial contents: when an OTA slot is started, write
                     fmt_otadata_initial() first */
    unsigned action_count;
    fmt_boot_action_t actions[FMT_BOOT_ACTIONS_MAX];
} fmt_boot_choice_t;

/* The choice of 4.3. raw0 and raw1: the first 32 bytes of each otadata sector; both NULL when
 * there is no otadata partition or it could not be read. *choice is always filled. */
void fmt_boot_choose(const fmt_boot_table_t *table, const fmt_boot_config_t *config,
                     const void *raw0, const void *raw1, fmt_boot_choice_t *choice);

/* What makes otadata follow the app that runs, after others were found damaged: not in ESP-IDF,
 * which tries them again at every boot. failed: bit k for OTA slot k whose image was read and is
 * bad; index: the candidate that starts. Fills writes, to be made in this order, as each leaves
 * something that boots; returns how many. What was not tried keeps its entry, unless both are
 * needed. Then
 *
 * - entries of failed slots are INVALID,
 * - an OTA slot that starts has the entry in force: its own, UNDEFINED if it was blocked, or a new
 *   one, UNDEFINED. (Forged sequence numbers that leave no larger one prevent that.) */
unsigned fmt_boot_follow(const fmt_boot_table_t *table, const fmt_otadata_entry_t entries[2],
                         uint32_t failed, int index, fmt_otadata_write_t writes[2]);

/* Whether a partition with secure version `version` may be tried (4.4). readable: it has a
 * descriptor. Always true without anti_rollback. */
bool fmt_boot_eligible(const fmt_boot_config_t *config, bool readable, uint32_t version);

/* The candidates in the order of 4.5. */
typedef struct {
    const fmt_boot_table_t *table;
    int start;
    int next;
    int phase;
} fmt_boot_order_t;

void fmt_boot_order_begin(fmt_boot_order_t *order, const fmt_boot_table_t *table, int start);

/* The next candidate that has a place in flash. False: none is left; log then
 * fmt_boot_order_exhausted() and reset. A candidate that does not load: log
 * FMT_BOOT_MSG_NOT_BOOTABLE with its index and ask for the next. *announce (may be NULL) is a
 * message to log when this candidate was loaded and is about to start (FMT_BOOT_MSG_FALLBACK_TEST),
 * FMT_BOOT_MSG_NONE otherwise. */
bool fmt_boot_order_next(fmt_boot_order_t *order, int *index, fmt_boot_message_t *announce);

/* The message for when no candidate is left. */
fmt_boot_message_t fmt_boot_order_exhausted(const fmt_boot_order_t *order);

/* Renders a message. False for FMT_BOOT_MSG_NONE, for messages of level D in a build with
 * FMT_BOOT_NO_DEBUG_LINES (there are no actions with them either), and for
 * FMT_BOOT_MSG_NOT_BOOTABLE of the test partition, where ESP-IDF prints nothing either: what
 * follows says it. */
bool fmt_boot_message_line(fmt_boot_message_t message, uint32_t arg, uint32_t arg2,
                           fmt_log_line_t *line);

#endif
