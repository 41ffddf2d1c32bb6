/* SPDX-License-Identifier: Apache-2.0 */
#include "session.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

uint64_t session_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void session_remark(const session_t *session, const char *format, ...)
{
    if (session->options->remark == NULL) {
        return;
    }
    char text[LINUX_BOARD_ERROR_SIZE + 64];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    session->options->remark(text, session->options->remark_arg);
}

bool session_take_signals(session_t *session)
{
    bool end = false;
    struct signalfd_siginfo info;
    while (read(session->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        end = end || info.ssi_signo != SIGCHLD;
    }
    return end;
}

int session_wait_ms(const session_t *session)
{
    if (session->deadline_ns == 0) {
        return -1;
    }
    uint64_t now = session_now_ns();
    if (now >= session->deadline_ns) {
        return 0;
    }
    uint64_t ms = (session->deadline_ns - now + 999999u) / 1000000u;
    return ms < 3600000u ? (int)ms : 3600000;
}

bool session_time_is_up(const session_t *session)
{
    if (session->deadline_ns == 0 || session_now_ns() < session->deadline_ns) {
        return false;
    }
    session_remark(session, "time is up after %g s", session->options->timeout_s);
    return true;
}

bool session_count_reset(session_t *session)
{
    uint32_t max = session->options->max_resets;
    if (max != LINUX_RUN_NO_LIMIT && session->resets == max) {
        session_remark(session, "reset limit of %u reached", (unsigned)max);
        return false;
    }
    session->resets++;
    return true;
}

static bool take_over_signals(session_t *session)
{
    sigset_t mask;
    sigemptyset(&mask);
    sigaddset(&mask, SIGINT);
    sigaddset(&mask, SIGTERM);
    sigaddset(&mask, SIGHUP);
    sigaddset(&mask, SIGCHLD);
    sigprocmask(SIG_BLOCK, &mask, &session->old_mask);
    /* A pipe without a reader, and a terminal in the background, are errors of read and write. */
    session->old_pipe = signal(SIGPIPE, SIG_IGN);
    session->old_ttin = signal(SIGTTIN, SIG_IGN);
    session->signals = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
    if (session->signals < 0) {
        session_remark(session, "signalfd: %s", strerror(errno));
        return false;
    }
    return true;
}

static void give_back_signals(session_t *session)
{
    if (session->signals >= 0) {
        close(session->signals);
    }
    signal(SIGPIPE, session->old_pipe);
    signal(SIGTTIN, session->old_ttin);
    sigprocmask(SIG_SETMASK, &session->old_mask, NULL);
}

static void switch_on(session_t *session)
{
    const linux_run_options_t *options = session->options;
    linux_board_state_t *state = session->board.flash.state;
    for (unsigned pin = 0; pin < LINUX_BOARD_GPIO_COUNT; pin++) {
        if (options->pins[pin].set) {
            atomic_store(&state->pins[pin].drive, (uint8_t)options->pins[pin].drive);
        }
    }
    linux_board_state_power_on(state, session_now_ns());
    if (options->timeout_s > 0) {
        session->deadline_ns = session_now_ns() + (uint64_t)(options->timeout_s * 1e9);
    }
}

linux_run_result_t session_run(session_t *session, const linux_run_options_t *options,
                               linux_run_result_t (*body)(void *arg), void *arg)
{
    *session = (session_t){.options = options, .signals = -1};
    linux_run_result_t result = LINUX_RUN_FAILED;
    char error[LINUX_BOARD_ERROR_SIZE];
    if (!linux_board_open(&session->board, options->flash_path, LINUX_BOARD_USE, error)) {
        session_remark(session, "%s", error);
        return result;
    }
    const char *problem = console_open(&session->console, options, error, sizeof(error));
    if (problem != NULL) {
        session_remark(session, "%s", problem);
    } else {
        if (take_over_signals(session)) {
            switch_on(session);
            result = body(arg);
        }
        give_back_signals(session);
    }
    console_close(&session->console);
    linux_board_close(&session->board);
    return result;
}
