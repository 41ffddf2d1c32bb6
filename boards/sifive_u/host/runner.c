/* SPDX-License-Identifier: Apache-2.0 */
#include "sifive_u_host/runner.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/wait.h>
#include <unistd.h>

#include "emulator.h"
#include "hal/reset.h"
#include "pins.h"
#include "session.h"
#include "sifive_u/board.h"

typedef struct {
    session_t session;
    const sifive_u_options_t *options;
    emulator_t emulator;
    int watch; /* inotify: someone has changed the state file, where pins and the cable are moved */
    bool link_off;   /* as the emulator was told */
    char status[16]; /* line of the ROM stage so far */
    size_t status_len;
} runner_t;

/* --- events --- */

/* A boot begins. False: the run is over, *result says how. */
static bool take_boot(runner_t *runner, uint32_t reason, linux_run_result_t *result)
{
    linux_board_state_t *state = runner->session.board.flash.state;
    if (reason == HAL_RESET_POWERON) {
        return true; /* told to the state before the emulator was started */
    }
    if (reason == HAL_RESET_NO_BOOTABLE_APP) {
        session_remark(&runner->session, "nothing bootable: the board is switched off");
        *result = LINUX_RUN_NOT_BOOTABLE;
        return false;
    }
    linux_board_state_reset(state, reason, session_now_ns());
    if (!session_count_reset(&runner->session)) {
        *result = LINUX_RUN_RESET_LIMIT;
        return false;
    }
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
        session_remark(&runner->session, "no valid bootloader in flash");
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

/* The world around the board, as its state says. */
static bool apply_world(runner_t *runner)
{
    const linux_board_state_t *state = runner->session.board.flash.state;
    bool link_off = atomic_load(&state->link_off) != 0;
    if (!pins_apply(&runner->emulator, state)) {
        return false;
    }
    if (link_off != runner->link_off && !emulator_set_link(&runner->emulator, !link_off)) {
        return false;
    }
    runner->link_off = link_off;
    return true;
}

static bool take_changes(runner_t *runner)
{
    char events[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
    bool any = false;
    while (read(runner->watch, events, sizeof(events)) > 0) {
        any = true;
    }
    linux_board_state_t *state = runner->session.board.flash.state;
    if (!any) {
        return true;
    }
    if (!apply_world(runner) || !pins_report(&runner->emulator, state)) {
        return false;
    }
    linux_board_tell_pins(&runner->session.board);
    return true;
}

static linux_run_result_t emulator_gone(runner_t *runner)
{
    int status = runner->emulator.exit_status;
    if (WIFSIGNALED(status)) {
        session_remark(&runner->session, "the emulator was ended by signal %d (%s)",
                       WTERMSIG(status), strsignal(WTERMSIG(status)));
        return LINUX_RUN_DIED;
    }
    session_remark(&runner->session, "the emulator ended by itself with status %d",
                   WEXITSTATUS(status));
    return LINUX_RUN_FAILED;
}

static linux_run_result_t watch(runner_t *runner)
{
    console_t *console = &runner->session.console;
    emulator_t *emulator = &runner->emulator;
    linux_run_result_t result = LINUX_RUN_FAILED;
    enum { SIGNALS, OUTPUT, STATUS, WORLD, KEYS, INPUT, UP, UP_OUT, DOWN, DOWN_OUT, COUNT };
    for (;;) {
        struct pollfd events[COUNT] = {
            [SIGNALS] = {.fd = runner->session.signals, .events = POLLIN},
            [OUTPUT] = {.fd = console->out[0], .events = POLLIN},
            [STATUS] = {.fd = emulator->status, .events = POLLIN},
            [WORLD] = {.fd = runner->watch, .events = POLLIN},
            [KEYS] = {.fd = console_wants_input(console) ? STDIN_FILENO : -1, .events = POLLIN},
            [INPUT] = {.fd = console->pending_len > 0 ? console->in[1] : -1, .events = POLLOUT},
            [UP] = {.fd = emulator->up.from, .events = POLLIN},
            [UP_OUT] = {.fd = emulator->up.to, .events = lossy_wire_events(&emulator->up)},
            [DOWN] = {.fd = emulator->down.from, .events = POLLIN},
            [DOWN_OUT] = {.fd = emulator->down.to, .events = lossy_wire_events(&emulator->down)},
        };
        int count = poll(events, COUNT, session_wait_ms(&runner->session));
        if (count < 0 && errno != EINTR) {
            session_remark(&runner->session, "poll: %s", strerror(errno));
            return LINUX_RUN_FAILED;
        }
        bool quit = session_take_signals(&runner->session);
        bool ended = emulator_ended(&runner->emulator);
        /* What the ROM stage tells comes after the console lines that led to it. */
        bool told = ended || (count > 0 && events[STATUS].revents != 0);
        console_event_t event = console_drain(console, told);
        bool over = event != CONSOLE_QUIT && told && !take_status(runner, &result);
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
            session_remark(&runner->session, "the emulator does not take a reset");
            return LINUX_RUN_FAILED;
        }
        emulator_move_frames(emulator);
        if (!take_changes(runner)) {
            session_remark(&runner->session, "the emulator does not answer");
            return LINUX_RUN_FAILED;
        }
        if (count > 0 && events[INPUT].revents != 0) {
            console_pass_input(console);
        }
        if (session_time_is_up(&runner->session)) {
            return LINUX_RUN_TIMEOUT;
        }
    }
}

/* --- the run --- */

static bool watch_state(runner_t *runner)
{
    char path[PATH_MAX];
    runner->watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    int len = snprintf(path, sizeof(path), "%s.state", runner->session.options->flash_path);
    if (runner->watch < 0 || len < 0 || len >= (int)sizeof(path) ||
        inotify_add_watch(runner->watch, path, IN_CLOSE_WRITE) < 0) {
        session_remark(&runner->session, "%s: cannot watch it: %s", path, strerror(errno));
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

static linux_run_result_t power_on(runner_t *runner)
{
    const linux_run_options_t *options = runner->session.options;
    linux_board_state_t *state = runner->session.board.flash.state;
    char error[EMULATOR_ERROR_SIZE];
    emulator_wires_t wires = {
        .flash_path = options->flash_path,
        .console_in = runner->session.console.in[0],
        .console_out = runner->session.console.out[1],
        .signal_mask = &runner->session.old_mask,
        .loss_percent = options->loss_percent,
    };
    if (state->flash_size != SIFIVE_U_FLASH_SIZE) {
        session_remark(&runner->session, "%s: %u KiB; this board's flash chip has %u KiB",
                       options->flash_path, state->flash_size / 1024u, SIFIVE_U_FLASH_SIZE / 1024u);
        return LINUX_RUN_FAILED;
    }
    if (!watch_state(runner)) {
        return LINUX_RUN_FAILED;
    }
    if (!emulator_start(&runner->emulator, runner->options, &wires, error)) {
        session_remark(&runner->session, "%s", error);
        return LINUX_RUN_FAILED;
    }
    if (!apply_world(runner) || !emulator_run(&runner->emulator)) {
        session_remark(&runner->session, "the emulator did not start");
        return LINUX_RUN_FAILED;
    }
    state->pins_on_request = 1;
    linux_run_result_t result = watch(runner);
    state->pins_on_request = 0;
    return result;
}

static linux_run_result_t run(void *arg)
{
    runner_t *runner = arg;
    linux_run_result_t result = power_on(runner);
    emulator_t *emulator = &runner->emulator;
    emulator_stop(emulator);
    if (runner->session.options->loss_percent > 0) {
        session_remark(&runner->session, "network: %" PRIu64 " of %" PRIu64 " frames lost",
                       emulator->up.lost + emulator->down.lost,
                       emulator->up.frames + emulator->down.frames);
    }
    if (runner->watch >= 0) {
        close(runner->watch);
    }
    return result;
}

linux_run_result_t sifive_u_run(const linux_run_options_t *options, const sifive_u_options_t *board,
                                linux_run_report_t *report)
{
    static runner_t runner;
    runner = (runner_t){.session.options = options, .options = board, .watch = -1};
    emulator_init(&runner.emulator);
    linux_run_result_t result = LINUX_RUN_FAILED;
    const char *unfit = unfit_option(options);
    if (unfit != NULL) {
        session_remark(&runner.session, "%s", unfit);
    } else {
        result = session_run(&runner.session, options, run, &runner);
    }
    if (report != NULL) {
        *report = (linux_run_report_t){.resets = runner.session.resets};
    }
    return result;
}
