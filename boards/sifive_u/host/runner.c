/* SPDX-License-Identifier: Apache-2.0 */
#include "sifive_u_host/runner.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "console.h"
#include "emulator.h"
#include "hal/reset.h"
#include "linux_board_host/board_files.h"
#include "pins.h"
#include "sifive_u/board.h"

typedef struct {
    const linux_run_options_t *options;
    linux_board_files_t board;
    console_t console;
    emulator_t emulator;
    int signals;   /* signalfd */
    int pin_watch; /* inotify: someone has changed the state file, which is where pins are moved */
    sigset_t old_mask;
    void (*old_pipe)(int);
    void (*old_ttin)(int);
    uint64_t deadline_ns; /* 0: none */
    uint32_t resets;
    char status[16]; /* line of the ROM stage so far */
    size_t status_len;
} runner_t;

static void remark(const runner_t *runner, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void remark(const runner_t *runner, const char *format, ...)
{
    if (runner->options->remark == NULL) {
        return;
    }
    char text[LINUX_BOARD_ERROR_SIZE + 64];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    runner->options->remark(text, runner->options->remark_arg);
}

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* --- events --- */

/* Takes the signals that arrived; true if one asks to end. */
static bool take_signals(runner_t *runner)
{
    bool end = false;
    struct signalfd_siginfo info;
    while (read(runner->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        end = end || info.ssi_signo != SIGCHLD;
    }
    return end;
}

static int wait_ms(const runner_t *runner)
{
    if (runner->deadline_ns == 0) {
        return -1;
    }
    uint64_t now = now_ns();
    if (now >= runner->deadline_ns) {
        return 0;
    }
    uint64_t ms = (runner->deadline_ns - now + 999999u) / 1000000u;
    return ms < 3600000u ? (int)ms : 3600000;
}

/* A boot begins. False: the run is over, *result says how. */
static bool take_boot(runner_t *runner, uint32_t reason, linux_run_result_t *result)
{
    linux_board_state_t *state = runner->board.flash.state;
    if (reason == HAL_RESET_POWERON) {
        return true; /* told to the state before the emulator was started */
    }
    if (reason == HAL_RESET_NO_BOOTABLE_APP) {
        remark(runner, "nothing bootable: the board is switched off");
        *result = LINUX_RUN_NOT_BOOTABLE;
        return false;
    }
    linux_board_state_reset(state, reason, now_ns());
    if (runner->options->max_resets != LINUX_RUN_NO_LIMIT &&
        runner->resets == runner->options->max_resets) {
        remark(runner, "reset limit of %u reached", (unsigned)runner->resets);
        *result = LINUX_RUN_RESET_LIMIT;
        return false;
    }
    runner->resets++;
    return true;
}

static bool take_status_line(runner_t *runner, linux_run_result_t *result)
{
    char what = runner->status[0];
    uint32_t value = (uint32_t)strtoul(runner->status + 1, NULL, 16);
    if (what == SIFIVE_U_STATUS_BOOT) {
        return take_boot(runner, value, result);
    }
    if (what == SIFIVE_U_STATUS_DEAD_END) {
        remark(runner, "no valid bootloader in flash");
        *result = LINUX_RUN_NO_BOOTLOADER;
        return false;
    }
    return true;
}

/* What the ROM stage told since the last call. False: the run is over. */
static bool take_status(runner_t *runner, linux_run_result_t *result)
{
    char text[64];
    ssize_t got;
    while ((got = read(runner->emulator.status, text, sizeof(text))) > 0) {
        for (ssize_t i = 0; i < got; i++) {
            if (text[i] != '\n') {
                if (runner->status_len + 1 < sizeof(runner->status)) {
                    runner->status[runner->status_len++] = text[i];
                }
                continue;
            }
            runner->status[runner->status_len] = '\0';
            runner->status_len = 0;
            if (!take_status_line(runner, result)) {
                return false;
            }
        }
    }
    return true;
}

static bool take_pin_changes(runner_t *runner)
{
    char events[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
    bool any = false;
    while (read(runner->pin_watch, events, sizeof(events)) > 0) {
        any = true;
    }
    linux_board_state_t *state = runner->board.flash.state;
    if (!any) {
        return true;
    }
    if (!pins_apply(&runner->emulator, state) || !pins_report(&runner->emulator, state)) {
        return false;
    }
    linux_board_tell_pins(&runner->board);
    return true;
}

static linux_run_result_t emulator_gone(runner_t *runner)
{
    int status = runner->emulator.exit_status;
    if (WIFSIGNALED(status)) {
        remark(runner, "the emulator was ended by signal %d (%s)", WTERMSIG(status),
               strsignal(WTERMSIG(status)));
        return LINUX_RUN_DIED;
    }
    remark(runner, "the emulator ended by itself with status %d", WEXITSTATUS(status));
    return LINUX_RUN_FAILED;
}

static linux_run_result_t run(runner_t *runner)
{
    console_t *console = &runner->console;
    linux_run_result_t result = LINUX_RUN_FAILED;
    enum { SIGNALS, OUTPUT, STATUS, PINS, KEYS, INPUT, COUNT };
    for (;;) {
        struct pollfd events[COUNT] = {
            [SIGNALS] = {.fd = runner->signals, .events = POLLIN},
            [OUTPUT] = {.fd = console->out[0], .events = POLLIN},
            [STATUS] = {.fd = runner->emulator.status, .events = POLLIN},
            [PINS] = {.fd = runner->pin_watch, .events = POLLIN},
            [KEYS] = {.fd = console_wants_input(console) ? STDIN_FILENO : -1, .events = POLLIN},
            [INPUT] = {.fd = console->pending_len > 0 ? console->in[1] : -1, .events = POLLOUT},
        };
        int count = poll(events, COUNT, wait_ms(runner));
        if (count < 0 && errno != EINTR) {
            remark(runner, "poll: %s", strerror(errno));
            return LINUX_RUN_FAILED;
        }
        bool quit = take_signals(runner);
        bool ended = emulator_ended(&runner->emulator);
        /* What the ROM stage tells comes after the console lines that led to it. */
        bool told = count > 0 && events[STATUS].revents != 0;
        console_event_t event = console_drain(console, ended || told);
        bool over = event != CONSOLE_QUIT && !take_status(runner, &result);
        if (event == CONSOLE_GO_ON && !ended && !over && count > 0 && events[KEYS].revents != 0) {
            event = console_take_input(console);
        }
        if (event == CONSOLE_QUIT) {
            return LINUX_RUN_DONE;
        }
        if (over) {
            return result;
        }
        if (quit) {
            return LINUX_RUN_DONE;
        }
        if (ended) {
            return emulator_gone(runner);
        }
        if (event == CONSOLE_RESET && !emulator_reset(&runner->emulator)) {
            remark(runner, "the emulator does not take a reset");
            return LINUX_RUN_FAILED;
        }
        if (!take_pin_changes(runner)) {
            remark(runner, "the emulator does not answer");
            return LINUX_RUN_FAILED;
        }
        if (count > 0 && events[INPUT].revents != 0) {
            console_pass_input(console);
        }
        if (runner->deadline_ns != 0 && now_ns() >= runner->deadline_ns) {
            remark(runner, "time is up after %g s", runner->options->timeout_s);
            return LINUX_RUN_TIMEOUT;
        }
    }
}

/* --- the run --- */

static bool take_over_signals(runner_t *runner)
{
    sigset_t mask;
    sigemptyset(&mask);
    sigaddset(&mask, SIGINT);
    sigaddset(&mask, SIGTERM);
    sigaddset(&mask, SIGHUP);
    sigaddset(&mask, SIGCHLD);
    sigprocmask(SIG_BLOCK, &mask, &runner->old_mask);
    /* A pipe without a reader, and a terminal in the background, are errors of read and write. */
    runner->old_pipe = signal(SIGPIPE, SIG_IGN);
    runner->old_ttin = signal(SIGTTIN, SIG_IGN);
    runner->signals = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
    if (runner->signals < 0) {
        remark(runner, "signalfd: %s", strerror(errno));
        return false;
    }
    return true;
}

static void give_back_signals(runner_t *runner)
{
    if (runner->signals >= 0) {
        close(runner->signals);
    }
    signal(SIGPIPE, runner->old_pipe);
    signal(SIGTTIN, runner->old_ttin);
    sigprocmask(SIG_SETMASK, &runner->old_mask, NULL);
}

static bool watch_pins(runner_t *runner)
{
    char path[PATH_MAX];
    runner->pin_watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    int len = snprintf(path, sizeof(path), "%s.state", runner->options->flash_path);
    if (runner->pin_watch < 0 || len < 0 || len >= (int)sizeof(path) ||
        inotify_add_watch(runner->pin_watch, path, IN_CLOSE_WRITE) < 0) {
        remark(runner, "%s: cannot watch it: %s", path, strerror(errno));
        return false;
    }
    return true;
}

/* Whether the options can be had from this board. */
static const char *unfit_option(const linux_run_options_t *options)
{
    if (options->cut.operation != 0) {
        return "this board's power is cut by ending the emulator, not in a planned operation";
    }
    if (options->real_timing) {
        return "this board's flash chip has no timing";
    }
    return NULL;
}

static linux_run_result_t power_on(runner_t *runner, const sifive_u_options_t *board)
{
    const linux_run_options_t *options = runner->options;
    linux_board_state_t *state = runner->board.flash.state;
    char error[EMULATOR_ERROR_SIZE];
    emulator_wires_t wires = {
        .flash_path = options->flash_path,
        .console_in = runner->console.in[0],
        .console_out = runner->console.out[1],
        .signal_mask = &runner->old_mask,
    };
    if (state->flash_size != SIFIVE_U_FLASH_SIZE) {
        remark(runner, "%s: %u KiB; this board's flash chip has %u KiB", options->flash_path,
               state->flash_size / 1024u, SIFIVE_U_FLASH_SIZE / 1024u);
        return LINUX_RUN_FAILED;
    }
    for (unsigned pin = 0; pin < LINUX_BOARD_GPIO_COUNT; pin++) {
        if (options->pins[pin].set) {
            atomic_store(&state->pins[pin].drive, (uint8_t)options->pins[pin].drive);
        }
    }
    linux_board_state_power_on(state, now_ns());
    if (options->timeout_s > 0) {
        runner->deadline_ns = now_ns() + (uint64_t)(options->timeout_s * 1e9);
    }
    if (!watch_pins(runner)) {
        return LINUX_RUN_FAILED;
    }
    if (!emulator_start(&runner->emulator, board, &wires, error)) {
        remark(runner, "%s", error);
        return LINUX_RUN_FAILED;
    }
    if (!pins_apply(&runner->emulator, state) || !emulator_run(&runner->emulator)) {
        remark(runner, "the emulator did not start");
        return LINUX_RUN_FAILED;
    }
    state->pins_on_request = 1;
    linux_run_result_t result = run(runner);
    state->pins_on_request = 0;
    return result;
}

linux_run_result_t sifive_u_run(const linux_run_options_t *options, const sifive_u_options_t *board,
                                linux_run_report_t *report)
{
    runner_t runner = {.options = options,
                       .signals = -1,
                       .pin_watch = -1,
                       .emulator = {.monitor = -1, .memory = -1, .status = -1}};
    linux_run_result_t result = LINUX_RUN_FAILED;
    char error[LINUX_BOARD_ERROR_SIZE];
    const char *unfit = unfit_option(options);
    if (report != NULL) {
        *report = (linux_run_report_t){0};
    }
    if (unfit != NULL) {
        remark(&runner, "%s", unfit);
        return LINUX_RUN_FAILED;
    }
    if (!linux_board_open(&runner.board, options->flash_path, LINUX_BOARD_USE, error)) {
        remark(&runner, "%s", error);
        return LINUX_RUN_FAILED;
    }
    const char *problem = console_open(&runner.console, options, error, sizeof(error));
    if (problem != NULL) {
        remark(&runner, "%s", problem);
    } else {
        if (take_over_signals(&runner)) {
            result = power_on(&runner, board);
            emulator_stop(&runner.emulator);
            if (report != NULL) {
                report->resets = runner.resets;
            }
        }
        give_back_signals(&runner);
    }
    console_close(&runner.console);
    if (runner.pin_watch >= 0) {
        close(runner.pin_watch);
    }
    linux_board_close(&runner.board);
    return result;
}
