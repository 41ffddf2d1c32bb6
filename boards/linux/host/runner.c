/* SPDX-License-Identifier: Apache-2.0 */
#include "linux_board_host/runner.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hal/reset.h"
#include "rom.h"
#include "session.h"

typedef struct {
    session_t session;
    pid_t child; /* 0: none runs */
    int child_status;
    uint64_t operations;
} runner_t;

/* What the wait for the child ended with. */
typedef enum {
    WAIT_ENDED, /* child_status says how */
    WAIT_QUIT,
    WAIT_RESET,
    WAIT_TIMEOUT,
} wait_result_t;

/* --- the child --- */

static void keep_over_exec(int fd)
{
    int flags = fcntl(fd, F_GETFD);
    if (flags >= 0) {
        fcntl(fd, F_SETFD, flags & ~FD_CLOEXEC);
    }
}

/* In the new process: becomes the bootloader. */
static _Noreturn void become_bootloader(const runner_t *runner, int program, pid_t parent)
{
    /* The board does not outlive its runner, however that ends. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) {
        _exit(EXIT_FAILURE);
    }
    /* Keys such as Ctrl-C are for the runner alone. */
    setsid();
    sigprocmask(SIG_SETMASK, &runner->session.old_mask, NULL);
    signal(SIGPIPE, runner->session.old_pipe);
    signal(SIGTTIN, runner->session.old_ttin);
    dup2(runner->session.console.in[0], STDIN_FILENO);
    dup2(runner->session.console.out[1], STDOUT_FILENO);
    dup2(runner->session.console.out[1], STDERR_FILENO);
    keep_over_exec(runner->session.board.flash_fd);
    keep_over_exec(runner->session.board.state_fd);
    char descriptors[32];
    snprintf(descriptors, sizeof(descriptors), "%d,%d", runner->session.board.flash_fd,
             runner->session.board.state_fd);
    char name[] = "bootloader";
    char *const arguments[] = {name, NULL};
    if (setenv(LINUX_BOARD_ENVIRONMENT, descriptors, 1) == 0) {
        fexecve(program, arguments, environ);
    }
    dprintf(STDERR_FILENO, "the bootloader is no program this machine can run: %s\n",
            strerror(errno));
    _exit(EXIT_FAILURE);
}

static bool start_child(runner_t *runner, int program)
{
    pid_t parent = getpid();
    pid_t child = fork();
    if (child == 0) {
        become_bootloader(runner, program, parent);
    }
    close(program);
    if (child < 0) {
        session_remark(&runner->session, "cannot start a process: %s", strerror(errno));
        return false;
    }
    runner->child = child;
    return true;
}

static void kill_child(runner_t *runner)
{
    if (runner->child > 0) {
        kill(runner->child, SIGKILL);
        while (waitpid(runner->child, &runner->child_status, 0) < 0 && errno == EINTR) {
        }
        runner->child = 0;
    }
}

static bool child_ended(runner_t *runner)
{
    if (waitpid(runner->child, &runner->child_status, WNOHANG) != runner->child) {
        return false;
    }
    runner->child = 0;
    return true;
}

/* --- events --- */

static wait_result_t to_wait_result(console_event_t event)
{
    return event == CONSOLE_RESET ? WAIT_RESET : WAIT_QUIT;
}

static wait_result_t wait_for_child(runner_t *runner)
{
    console_t *console = &runner->session.console;
    enum { SIGNALS, OUTPUT, KEYS, INPUT, COUNT };
    for (;;) {
        struct pollfd events[COUNT] = {
            [SIGNALS] = {.fd = runner->session.signals, .events = POLLIN},
            [OUTPUT] = {.fd = console->out[0], .events = POLLIN},
            [KEYS] = {.fd = console_wants_input(console) ? STDIN_FILENO : -1, .events = POLLIN},
            [INPUT] = {.fd = console->pending_len > 0 ? console->in[1] : -1, .events = POLLOUT},
        };
        int count = poll(events, COUNT, session_wait_ms(&runner->session));
        if (count < 0 && errno != EINTR) {
            session_remark(&runner->session, "poll: %s", strerror(errno));
            return WAIT_QUIT;
        }
        /* Whether it has ended is asked before its output is read: then nothing is missed. */
        bool quit = session_take_signals(&runner->session);
        bool ended = child_ended(runner);
        console_event_t event = console_drain(console, ended);
        if (event == CONSOLE_GO_ON && !ended && count > 0 && events[KEYS].revents != 0) {
            event = console_take_input(console);
        }
        if (event != CONSOLE_GO_ON) {
            return to_wait_result(event);
        }
        if (quit) {
            return WAIT_QUIT;
        }
        if (ended) {
            return WAIT_ENDED;
        }
        if (count > 0 && events[INPUT].revents != 0) {
            console_pass_input(console);
        }
        if (session_time_is_up(&runner->session)) {
            return WAIT_TIMEOUT;
        }
    }
}

/* --- the run --- */

static void print_rom(const char *text, size_t len, void *arg)
{
    console_t *console = arg;
    (void)console_show(console, text, len);
}

static bool is_crash(int signal_number)
{
    return signal_number == SIGSEGV || signal_number == SIGBUS || signal_number == SIGILL ||
           signal_number == SIGFPE || signal_number == SIGABRT;
}

/* The child has ended. True: there is a next boot, for which the state is prepared. */
static bool next_boot(runner_t *runner, linux_run_result_t *result)
{
    linux_board_state_t *state = runner->session.board.flash.state;
    int status = runner->child_status;
    uint32_t reason;
    if (WIFEXITED(status) && WEXITSTATUS(status) == LINUX_BOARD_EXIT_RESET) {
        reason = atomic_load(&state->reset_reason);
    } else if (WIFEXITED(status) && WEXITSTATUS(status) == LINUX_BOARD_EXIT_OFF) {
        session_remark(&runner->session, "nothing bootable: the board is switched off");
        *result = LINUX_RUN_NOT_BOOTABLE;
        return false;
    } else if (WIFEXITED(status) && WEXITSTATUS(status) == LINUX_BOARD_EXIT_POWER_CUT) {
        session_remark(&runner->session, "power cut in flash operation %llu",
                       (unsigned long long)atomic_load(&state->operations));
        if (!runner->session.options->cut_restart) {
            *result = LINUX_RUN_POWER_CUT;
            return false;
        }
        linux_board_state_power_on(state, session_now_ns());
        return true;
    } else if (WIFSIGNALED(status) && is_crash(WTERMSIG(status))) {
        session_remark(&runner->session, "the program crashed without a report: %s",
                       strsignal(WTERMSIG(status)));
        reason = HAL_RESET_PANIC;
    } else {
        if (WIFSIGNALED(status)) {
            session_remark(&runner->session, "the program was ended by signal %d (%s)",
                           WTERMSIG(status), strsignal(WTERMSIG(status)));
        } else {
            session_remark(&runner->session,
                           "the program ended by itself with status %d, which no board does",
                           WEXITSTATUS(status));
        }
        *result = LINUX_RUN_DIED;
        return false;
    }
    linux_board_state_reset(state, reason, session_now_ns());
    return true;
}

static linux_run_result_t run_boots(runner_t *runner)
{
    linux_run_result_t result = LINUX_RUN_FAILED;
    for (;;) {
        int program =
            linux_rom_load(&runner->session.board.flash, print_rom, &runner->session.console);
        if (program < 0) {
            session_remark(&runner->session, "no valid bootloader in flash");
            return LINUX_RUN_NO_BOOTLOADER;
        }
        if (!start_child(runner, program)) {
            return LINUX_RUN_FAILED;
        }
        switch (wait_for_child(runner)) {
        case WAIT_QUIT:
            return LINUX_RUN_DONE;
        case WAIT_TIMEOUT:
            return LINUX_RUN_TIMEOUT;
        case WAIT_RESET:
            kill_child(runner);
            linux_board_state_reset(runner->session.board.flash.state, HAL_RESET_EXTERNAL,
                                    session_now_ns());
            break;
        case WAIT_ENDED:
            if (!next_boot(runner, &result)) {
                return result;
            }
            break;
        }
        if (atomic_load(&runner->session.board.flash.state->reset_reason) != HAL_RESET_POWERON) {
            if (!session_count_reset(&runner->session)) {
                return LINUX_RUN_RESET_LIMIT;
            }
        }
    }
}

static linux_run_result_t run(void *arg)
{
    runner_t *runner = arg;
    linux_board_state_t *state = runner->session.board.flash.state;
    const linux_run_options_t *options = runner->session.options;
    state->real_timing = options->real_timing;
    state->check_nor = !options->allow_nor_errors;
    state->loss_percent = (uint8_t)options->loss_percent;
    state->cut = options->cut;
    if (options->cut.operation == 0) {
        state->cut.mode = LINUX_BOARD_CUT_NEVER;
    }
    linux_run_result_t result = run_boots(runner);
    kill_child(runner);
    /* A plan that did not come true is no plan for the next run. */
    state->cut.mode = LINUX_BOARD_CUT_NEVER;
    runner->operations = atomic_load(&state->operations);
    return result;
}

linux_run_result_t linux_run(const linux_run_options_t *options, linux_run_report_t *report)
{
    static runner_t runner;
    runner = (runner_t){0};
    linux_run_result_t result = session_run(&runner.session, options, run, &runner);
    if (report != NULL) {
        report->operations = runner.operations;
        report->resets = runner.session.resets;
    }
    return result;
}
