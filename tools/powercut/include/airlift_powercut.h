/* SPDX-License-Identifier: Apache-2.0
 *
 * A scenario for `airlift powercut`: what a firmware does, and what it must not lose. A project
 * adds its own with airlift_powercut_scenario(SRCS file.c) in its CMakeLists.txt, after project();
 * docs/powercut.md shows one. The functions of a scenario run as the application, one process for
 * each boot, with the components, the configuration and the partition table of the project; nothing
 * of them is part of the firmware.
 *
 * A trial: the flash as prepare() left it; power on; bootloader and run(), again after every
 * restart, until the power goes in one flash operation; power on again; bootloader and run() until
 * run() returns; check(); if that was not an update yet, an update of the engine's own, which has
 * to boot. Whatever the firmware reported as done before the cut must be there.
 *
 * Versions are numbers; the first application's is 1. It runs from factory, else from the first
 * slot. */
#ifndef AIRLIFT_POWERCUT_H
#define AIRLIFT_POWERCUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"

typedef struct airlift_powercut_scenario {
    const char *name;    /* as typed; letters, digits and hyphens */
    const char *summary; /* one line */

    /* NULL, or why this project cannot do it; may ask the partition table. Optional. */
    const char *(*skip)(void);
    /* Makes the starting point: called at every boot until it returns. Never cut. Optional. */
    void (*prepare)(void);
    /* The firmware: called at every boot. It returns when there is nothing more to do; it may
     * restart with esp_restart(). After a cut it is called on what the cut left, so it must be as
     * able to go on as a real firmware. */
    void (*run)(void);
    /* After run() has returned with the power back: calls airlift_powercut_lost() for whatever was
     * reported done and is gone. Optional. */
    void (*check)(void);

    /* Pin that is held until the first cut, and the level. 0, 0: none. */
    bool hold_pin;
    uint8_t pin;
    uint8_t level;
    /* A cut while the sectors of bootloader or partition table change may leave a board that cannot
     * boot, as on a chip: such an outcome is shown, and is no failure. */
    bool replaces_boot_area;
    /* The engine's own update at the end of a trial cannot be, because of what the scenario does.
     */
    bool no_second_attempt;

    struct airlift_powercut_scenario *next; /* private */
} airlift_powercut_scenario_t;

/* Defines a scenario: AIRLIFT_POWERCUT_SCENARIO(settings, .name = "settings", .run = run, ...) */
#define AIRLIFT_POWERCUT_SCENARIO(identifier, ...)                                                 \
    static airlift_powercut_scenario_t identifier##_scenario = {__VA_ARGS__};                      \
    __attribute__((constructor)) static void identifier##_scenario_register(void)                  \
    {                                                                                              \
        airlift_powercut_register(&identifier##_scenario);                                         \
    }

void airlift_powercut_register(airlift_powercut_scenario_t *scenario);

/* --- what a firmware can ask and do --- */

/* Version and secure version of the application that runs. */
uint32_t airlift_powercut_version(void);
uint32_t airlift_powercut_secure_version(void);

/* A small valid image of that version. Static memory, valid until the next call; *size in bytes. */
const void *airlift_powercut_image(uint32_t version, uint32_t secure_version, size_t *size);

/* A whole update through esp_ota_*: writes the image of version into the next slot and makes it
 * boot next. begin_size: 0: the image's size; else OTA_SIZE_UNKNOWN or OTA_WITH_SEQUENTIAL_WRITES.
 * Returns what esp_ota_* returned. From ESP_OK on, version must boot. */
esp_err_t airlift_powercut_install(uint32_t version, uint32_t secure_version, size_t begin_size);

/* esp_ota_mark_app_valid_cancel_rollback(). From ESP_OK on, no other version may boot. */
esp_err_t airlift_powercut_confirm(void);

/* The firmware is about to choose version itself, without airlift_powercut_install(): from now on
 * it may boot; and from _chosen() on it must. */
void airlift_powercut_choosing(uint32_t version);
void airlift_powercut_chosen(uint32_t version);
/* The firmware is about to give up the record that says that it is confirmed, as by erasing
 * otadata.
 */
void airlift_powercut_forgetting(void);
/* version was rejected: it must not boot again until it is installed again. */
void airlift_powercut_rejected(uint32_t version);

/* --- promises of a scenario's own --- */

/* Notes, outside of the flash, that `name` (at most 23 characters, at most 16 names) was reported
 * done with this value. What was noted before a cut is there after it. */
void airlift_powercut_done(const char *name, uint32_t value);
/* The value noted last; false: none. */
bool airlift_powercut_was_done(const char *name, uint32_t *value);

/* Ends the trial as a failure with that text. */
_Noreturn void airlift_powercut_lost(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Ends the trial as a failure if err is not ESP_OK; what: what was tried. */
void airlift_powercut_must(esp_err_t err, const char *what);

#endif
