/* SPDX-License-Identifier: Apache-2.0
 *
 * What a power-cut sweep found: collected line by line from an engine, shown as text, JSON and a
 * picture.
 *
 * The lines, fields separated by tabs:
 *   S NAME SUMMARY                                       a scenario begins
 *   K NAME WHY                                           it does not fit this project
 *   X NAME WHY                                           it does not work even uncut
 *   N OPERATIONS POINTS HOW                              what there is to cut
 *   O NUMBER KIND ADDRESS LENGTH BY                      one flash operation
 *   T OPERATION SPEC OUTCOME SECOND BOOTS VERSION TEXT   one cut point
 *   A AGREED COMPARED                                    verdicts that two engines agree about
 *   E                                                    the scenario is done
 *   F TEXT                                               the engine cannot go on */
#ifndef AIRLIFT_POWERCUT_REPORT_H
#define AIRLIFT_POWERCUT_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef enum {
    POWERCUT_HELD,
    POWERCUT_LOST,
    POWERCUT_BRICK,
    POWERCUT_BY_NATURE,
    POWERCUT_OUTCOMES,
} powercut_outcome_t;

typedef struct {
    bool program;
    bool bootloader; /* who does it */
    uint32_t address;
    uint32_t len;
} powercut_report_operation_t;

typedef struct {
    uint32_t operation;
    uint32_t second; /* operation of the second cut, 0: none */
    uint32_t boots;
    uint32_t version;
    powercut_outcome_t outcome;
    char *spec;
    char *text; /* NULL: nothing to say */
} powercut_point_t;

typedef enum {
    POWERCUT_RUNNING,
    POWERCUT_SWEPT,
    POWERCUT_SKIPPED,
    POWERCUT_BROKEN,
} powercut_status_t;

typedef struct {
    char *name;
    char *summary;
    char *why; /* skipped or broken */
    powercut_status_t status;
    bool real;                               /* the firmware ran again for every cut */
    size_t operation_total;                  /* of the uncut run */
    powercut_report_operation_t *operations; /* what they are, where the engine says so */
    size_t operation_count;
    size_t operation_room;
    powercut_point_t *points;
    size_t point_count;
    size_t point_room;
    size_t planned; /* first cuts to come */
    uint64_t boots;
    uint32_t agreed, compared; /* with another engine; 0 of 0: none */
    size_t outcomes[POWERCUT_OUTCOMES];
    double started;
    double seconds;
} powercut_scenario_report_t;

typedef struct {
    powercut_scenario_report_t *scenarios;
    size_t count;
    char *failure; /* why the engine could not go on */
    bool interrupted;
    const char *project;
    const char *replay; /* beginning of the command that replays a point */
    uint64_t seed;
} powercut_report_t;

/* Takes a line without its end. False: it is none of the above, or there is no memory. */
bool powercut_report_take(powercut_report_t *report, char *line);

/* The scenario that runs; NULL: none. */
powercut_scenario_report_t *powercut_report_current(powercut_report_t *report);

/* Failures: points that were lost or bricked, and scenarios that do not work. */
size_t powercut_report_failures(const powercut_report_t *report);

/* One line for a scenario; the table's head. */
void powercut_print_head(FILE *stream);
void powercut_print_scenario(FILE *stream, const powercut_scenario_report_t *scenario);
/* Sums, and the first failures of each scenario with the commands that replay them. */
void powercut_print_end(FILE *stream, const powercut_report_t *report);

/* Write the whole report to path. False after an error message. */
bool powercut_write_json(const powercut_report_t *report, const char *path);
bool powercut_write_svg(const powercut_report_t *report, const char *path);

void powercut_report_free(powercut_report_t *report);

#endif
