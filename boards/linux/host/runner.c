/* SPDX-License-Identifier: Apache-2.0 */
#include "linux_board_host/runner.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "linux_board_host/board_files.h"
#include "console.h"
#include "hal/reset.h"
#include "rom.h"

typedef struct {
    const linux_run_options_t *options;
    linux_board_files_t board;
    console_t console;
    int signals; /* signalfd */
    sigset_t old_mask;
    void (*old_pipe)(int);
    void (*old_ttin)(int);
    pid_t child; /* 0: none runs */
    int child_status;
    uint64_t deadline_ns; /* 0: none */
    uint32_t resets;
} runner_t;

/* What the wait for the child ended with. */
typedef enum {
    WAIT_ENDED, /* child_status says how */
    WAIT_QUIT,
    WAIT_RESET,
    WAIT_TIMEOUT,
} wait_result_t;

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
    sigprocmask(SIG_SETMASK, &runner->old_mask, NULL);
    signal(SIGPIPE, runner->old_pipe);
    signal(SIGTTIN, runner->old_ttin);
    dup2(runner->console.in[0], STDIN_FILENO);
    dup2(runner->console.out[1], STDOUT_FILENO);
    dup2(runner->console.out[1], STDERR_FILENO);
    keep_over_exec(runner->board.flash_fd);
    keep_over_exec(runner->board.state_fd);
    char descriptors[32];
    snprintf(descriptors, sizeof(descriptors), "%d,%d", runner->board.flash_fd,
             runner->board.state_fd);
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
        remark(runner, "cannot start a process: %s", strerror(errno));
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

/* Milliseconds to wait for events at most, -1: for ever. */
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

static wait_result_t to_wait_result(console_event_t event)
{
    return event == CONSOLE_RESET ? WAIT_RESET : WAIT_QUIT;
}

static wait_result_t wait_for_child(runner_t *runner)
{
    console_t *console = &runner->console;
    enum { SIGNALS, OUTPUT, KEYS, INPUT, COUNT };
    for (;;) {
        struct pollfd events[COUNT] = {
            [SIGNALS] = {.fd = runner->signals, .events = POLLIN},
            [OUTPUT] = {.fd = console->out[0], .events = POLLIN},
            [KEYS] = {.fd = console_wants_input(console) ? STDIN_FILENO : -1, .events = POLLIN},
            [INPUT] = {.fd = console->pending_len > 0 ? console->in[1] : -1, .events = POLLOUT},
        };
        int count = poll(events, COUNT, wait_ms(runner));
        if (count < 0 && errno != EINTR) {
            remark(runner, "poll: %s", strerror(errno));
            return WAIT_QUIT;
        }
        /* Whether it has ended is asked before its output is read: then nothing is missed. */
        bool quit = take_signals(runner);
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
        if (runner->deadline_ns != 0 && now_ns() >= runner->deadline_ns) {
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
    linux_board_state_t *state = runner->board.flash.state;
    int status = runner->child_status;
    uint32_t reason;
    if (WIFEXITED(status) && WEXITSTATUS(status) == LINUX_BOARD_EXIT_RESET) {
        reason = atomic_load(&state->reset_reason);
    } else if (WIFEXITED(status) && WEXITSTATUS(status) == LINUX_BOARD_EXIT_OFF) {
        remark(runner, "nothing bootable: the board is switched off");
        *result = LINUX_RUN_NOT_BOOTABLE;
        return false;
    } else if (WIFEXITED(status) && WEXITSTATUS(status) == LINUX_BOARD_EXIT_POWER_CUT) {
        remark(runner, "power cut in flash operation %llu",
               (unsigned long long)atomic_load(&state->operations));
        if (!runner->options->cut_restart) {
            *result = LINUX_RUN_POWER_CUT;
            return false;
        }
        linux_board_state_power_on(state, now_ns());
        return true;
    } else if (WIFSIGNALED(status) && is_crash(WTERMSIG(status))) {
        remark(runner, "the program crashed without a report: %s", strsignal(WTERMSIG(status)));
        reason = HAL_RESET_PANIC;
    } else {
        if (WIFSIGNALED(status)) {
            remark(runner, "the program was ended by signal %d (%s)", WTERMSIG(status),
                   strsignal(WTERMSIG(status)));
        } else {
            remark(runner, "the program ended by itself with status %d, which no board does",
                   WEXITSTATUS(status));
        }
        *result = LINUX_RUN_DIED;
        return false;
    }
    linux_board_state_reset(state, reason, now_ns());
    return true;
}

static linux_run_result_t run_boots(runner_t *runner)
{
    linux_run_result_t result = LINUX_RUN_FAILED;
    for (;;) {
        int program = linux_rom_load(&runner->board.flash, print_rom, &runner->console);
        if (program < 0) {
            remark(runner, "no valid bootloader in flash");
            return LINUX_RUN_NO_BOOTLOADER;
        }
        if (!start_child(runner, program)) {
            return LINUX_RUN_FAILED;
        }
        switch (wait_for_child(runner)) {
        case WAIT_QUIT:
            return LINUX_RUN_DONE;
        case WAIT_TIMEOUT:
            remark(runner, "time is up after %g s", runner->options->timeout_s);
            return LINUX_RUN_TIMEOUT;
        case WAIT_RESET:
            kill_child(runner);
            linux_board_state_reset(runner->board.flash.state, HAL_RESET_EXTERNAL, now_ns());
            break;
        case WAIT_ENDED:
            if (!next_boot(runner, &result)) {
                return result;
            }
            break;
        }
        if (atomic_load(&runner->board.flash.state->reset_reason) != HAL_RESET_POWERON) {
            if (runner->options->max_resets != LINUX_RUN_NO_LIMIT &&
                runner->resets == runner->options->max_resets) {
                remark(runner, "reset limit of %u reached", (unsigned)runner->resets);
                return LINUX_RUN_RESET_LIMIT;
            }
            runner->resets++;
        }
    }
}

static void apply_options(linux_board_state_t *state, const linux_run_options_t *options)
{
    state->real_timing = options->real_timing;
    state->check_nor = !options->allow_nor_errors;
    state->cut = options->cut;
    if (options->cut.operation == 0) {
        state->cut.mode = LINUX_BOARD_CUT_NEVER;
    }
    for (unsigned pin = 0; pin < LINUX_BOARD_GPIO_COUNT; pin++) {
        if (options->pins[pin].set) {
            atomic_store(&state->pins[pin].drive, (uint8_t)options->pins[pin].drive);
        }
    }
}

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

linux_run_result_t linux_run(const linux_run_options_t *options, linux_run_report_t *report)
{
    static runner_t runner;
    runner = (runner_t){.options = options, .signals = -1};
    if (report != NULL) {
        *report = (linux_run_report_t){0};
    }
    char error[LINUX_BOARD_ERROR_SIZE];
    if (!linux_board_open(&runner.board, options->flash_path, LINUX_BOARD_USE, error)) {
        remark(&runner, "%s", error);
        return LINUX_RUN_FAILED;
    }
    linux_run_result_t result = LINUX_RUN_FAILED;
    const char *problem = console_open(&runner.console, options, error, sizeof(error));
    if (problem != NULL) {
        remark(&runner, "%s", problem);
    } else if (take_over_signals(&runner)) {
        linux_board_state_t *state = runner.board.flash.state;
        apply_options(state, options);
        linux_board_state_power_on(state, now_ns());
        if (options->timeout_s > 0) {
            runner.deadline_ns = now_ns() + (uint64_t)(options->timeout_s * 1e9);
        }
        result = run_boots(&runner);
        kill_child(&runner);
        if (report != NULL) {
            report->operations = atomic_load(&state->operations);
            report->resets = runner.resets;
        }
        /* A plan that did not come true is no plan for the next run. */
        state->cut.mode = LINUX_BOARD_CUT_NEVER;
    }
    if (problem == NULL) {
        give_back_signals(&runner);
    }
    console_close(&runner.console);
    linux_board_close(&runner.board);
    return result;
}
