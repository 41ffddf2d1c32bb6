/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs a linux board: switches it on, is its ROM at every reset, connects its console, and ends
 * when it was asked to or the board cannot go on. */
#ifndef LINUX_BOARD_HOST_RUNNER_H
#define LINUX_BOARD_HOST_RUNNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "linux_board/state.h"

/* How a run ended; exit statuses of `airlift run`. */
typedef enum {
    LINUX_RUN_DONE = 0,          /* asked to: a line matched, a signal, or the quit key */
    LINUX_RUN_FAILED = 1,        /* the board could not be run; the message says why */
    LINUX_RUN_NOT_BOOTABLE = 3,  /* the bootloader found nothing it may start */
    LINUX_RUN_NO_BOOTLOADER = 4, /* no valid bootloader in flash */
    LINUX_RUN_POWER_CUT = 5,     /* the power-cut plan came true */
    LINUX_RUN_RESET_LIMIT = 6,   /* more resets than allowed */
    LINUX_RUN_TIMEOUT = 7,       /* time is up */
    LINUX_RUN_DIED = 8,          /* the program ended in a way no board knows (exit(), sanitizer) */
} linux_run_result_t;

#define LINUX_RUN_NO_LIMIT UINT32_MAX

typedef struct {
    const char *flash_path;
    const char *console_path; /* copy of the console goes to this file; NULL: none */

    /* End with DONE when one console line matched one of these POSIX extended regular expressions,
     * until_times times in all (0 counts as 1). */
    const char *const *until;
    size_t until_count;
    unsigned until_times;

    double timeout_s;    /* end with TIMEOUT after this many seconds; 0: never */
    uint32_t max_resets; /* resets allowed, power-on not counted; LINUX_RUN_NO_LIMIT */

    linux_board_cut_t cut; /* power-cut plan; operation 0: none */
    bool cut_restart;      /* after the cut switch the board on again, instead of ending */

    unsigned loss_percent; /* of the network's packets get lost, 0 to 100 */
    bool real_timing;
    bool allow_nor_errors; /* programming 1 over 0 is ignored, as by a real chip */
    bool keys;             /* if stdin is a terminal: pass keys on one by one, Ctrl-] quits */

    /* What is wired to the pins; pins that are not set are left as they are. */
    struct {
        bool set;
        linux_board_drive_t drive;
    } pins[LINUX_BOARD_GPIO_COUNT];

    /* Remarks of the runner (not the console's): one line, no newline. NULL: none. */
    void (*remark)(const char *text, void *arg);
    void *remark_arg;
} linux_run_options_t;

typedef struct {
    uint64_t operations; /* programs and erases from the last power-on on */
    uint32_t resets;
} linux_run_report_t;

/* Runs the board until it ends. The console goes to stdout, stdin to the console. *report (may be
 * NULL) is always filled. Errors of the call itself are told through remark. Not reentrant: it
 * takes over SIGINT, SIGTERM, SIGHUP and SIGCHLD while it runs. */
linux_run_result_t linux_run(const linux_run_options_t *options, linux_run_report_t *report);

#endif
