/* SPDX-License-Identifier: Apache-2.0
 *
 * Power cuts of the real `linux` board: a process for each boot, the project's own firmware. */
#ifndef AIRLIFT_POWERCUT_BOARD_H
#define AIRLIFT_POWERCUT_BOARD_H

#include <stdint.h>

typedef struct {
    const char *flash;  /* start of every trial; never changed */
    const char *folder; /* of fewer than 64 characters, for the trials' files */
    const char *until;  /* the board has arrived when a console line matches this expression */
    const char *engine; /* the project's engine, which foretells each boot; NULL: none */
    const char *replay; /* OPERATION[:WHERE]: this one, with its console; NULL: all */
    double timeout_s;   /* for each run */
    unsigned jobs;
    uint32_t every;  /* only every n-th operation */
    uint32_t sample; /* at most so many cut points; 0: all */
} powercut_board_options_t;

/* Sweeps, telling fd what it finds in the lines of powercut_report.h. Returns an exit status. Takes
 * over the process's signals and standard streams: call it in a process of its own. If that is
 * killed, files stay behind in folder. */
int powercut_board(const powercut_board_options_t *options, int fd);

#endif
