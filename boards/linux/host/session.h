/* SPDX-License-Identifier: Apache-2.0
 *
 * What a run of any board has: its files, its console, signals, a time limit, a count of resets. */
#ifndef LINUX_BOARD_HOST_SESSION_H
#define LINUX_BOARD_HOST_SESSION_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "console.h"
#include "linux_board_host/board_files.h"
#include "linux_board_host/runner.h"

typedef struct {
    const linux_run_options_t *options;
    linux_board_files_t board;
    console_t console;
    int signals;       /* signalfd */
    sigset_t old_mask; /* what a program on the board starts with */
    void (*old_pipe)(int);
    void (*old_ttin)(int);
    uint64_t deadline_ns; /* 0: none */
    uint32_t resets;
} session_t;

/* CLOCK_MONOTONIC. */
uint64_t session_now_ns(void);

/* Tells the user something, as options say. */
void session_remark(const session_t *session, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Opens everything, calls body with the board switched on (its state and what is wired to it, by
 * the options), and closes everything. False of opening is FAILED after a remark. */
linux_run_result_t session_run(session_t *session, const linux_run_options_t *options,
                               linux_run_result_t (*body)(void *arg), void *arg);

/* Takes the signals that arrived; true if one asks to end. */
bool session_take_signals(session_t *session);

/* For poll(): milliseconds until the deadline at most, -1: for ever. */
int session_wait_ms(const session_t *session);

/* Whether the deadline has passed, after a remark. */
bool session_time_is_up(const session_t *session);

/* Counts a reset; false after a remark: one more than the options allow. */
bool session_count_reset(session_t *session);

#endif
