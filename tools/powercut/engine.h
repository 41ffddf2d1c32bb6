/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of the power-cut engine share. */
#ifndef POWERCUT_ENGINE_H
#define POWERCUT_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "airlift_powercut.h"
#include "formats/boot_select.h"
#include "linux_board/flash_model.h"
#include "linux_board/state.h"

#define POWERCUT_TEXT_MAX     400
#define POWERCUT_PROMISES_MAX 16
#define POWERCUT_NAME_MAX     24

/* What the firmware has said so far. Lives outside of the flash and is not touched by a cut. */
typedef struct {
    uint32_t stable;    /* the version that runs when nothing else is under way */
    uint32_t candidate; /* may run as well; 0: none */
    uint32_t promised;  /* was reported to boot next; 0: none */
    uint32_t confirmed; /* was reported confirmed; 0: none */
    uint32_t rejected;  /* must not run; 0: none */
    uint32_t highest;   /* largest version number in use */
    uint32_t secure;    /* the highest secure version that was reported done or read */
    uint32_t promise_count;
    struct {
        char name[POWERCUT_NAME_MAX];
        uint32_t value;
    } promises[POWERCUT_PROMISES_MAX];
} powercut_notes_t;

typedef enum {
    POWERCUT_FIT,     /* does the scenario fit? */
    POWERCUT_PREPARE, /* up to the starting point */
    POWERCUT_RUN,     /* the part that is cut */
    POWERCUT_RECOVER, /* after the cut */
    POWERCUT_VERDICT, /* which application starts? */
} powercut_phase_t;

/* How the process of one boot ends, beside the board's own statuses. */
enum { POWERCUT_EXIT_DONE = 90, POWERCUT_EXIT_LOST = 91, POWERCUT_EXIT_UNFIT = 92 };

/* Shared between a worker and the processes of its boots. */
typedef struct {
    powercut_notes_t notes;
    powercut_phase_t phase;
    bool check_rom;        /* something was written where the bootloader is */
    uint32_t last_address; /* of the flash operation that was last begun */
    uint32_t attempt;      /* version of the engine's own update; 0: not begun */
    uint32_t installs;     /* updates since the power came back */
    uint32_t version;      /* what ran last, 0: nothing yet */
    char text[POWERCUT_TEXT_MAX];
    /* Sectors that changed since the flash was last equal to the worker's base. */
    uint32_t dirty_count;
    uint32_t dirty[LINUX_BOARD_MAX_SECTORS];
    uint8_t is_dirty[LINUX_BOARD_MAX_SECTORS];
} powercut_shared_t;

/* One flash operation of the uncut run. */
typedef struct {
    uint32_t address;
    uint32_t len;
    bool program;
    bool bootloader; /* who did it */
    uint32_t boot;   /* in which boot since power-on, from 1 */
    size_t data;     /* of a program: where in the store of bytes */
    powercut_notes_t notes;
} powercut_operation_t;

#define POWERCUT_OPERATIONS_MAX 60000u
#define POWERCUT_DATA_MAX       ((size_t)256 << 20)

typedef struct {
    bool on;
    bool overflow;
    uint32_t count;
    size_t data_len;
    powercut_operation_t operations[POWERCUT_OPERATIONS_MAX];
    uint8_t data[POWERCUT_DATA_MAX];
} powercut_record_t;

/* --- app.c: the application's side of a boot --- */

/* What it works on; set by the worker before it forks. */
extern const airlift_powercut_scenario_t *powercut_scenario;
extern powercut_shared_t *powercut_shared;
extern linux_flash_t powercut_flash;
extern powercut_record_t *powercut_record;
extern uint32_t powercut_table_offset;

/* What powercut_boot() would do in every process alike; call it after powercut_flash is set and
 * before a fork. */
void powercut_boot_prepare(void);

/* In the process of a boot: ROM, bootloader, application. Does not return. */
_Noreturn void powercut_boot(void);

/* Notes that a sector differs from the base. */
void powercut_touch(uint32_t address, size_t len);

/* Reads the roles of the table in flash; false: it is not valid. */
bool powercut_read_table(const linux_flash_t *flash, fmt_boot_table_t *roles);

/* Puts an image of version at address of bytes. */
void powercut_put_image(uint8_t *bytes, uint32_t address, uint32_t version,
                        uint32_t secure_version);

/* NULL, or what is wrong with otadata on a settled board. */
const char *powercut_otadata_problem(const linux_flash_t *flash);

/* All scenarios, in the order of their files. */
airlift_powercut_scenario_t *powercut_scenarios(void);

#endif
