/* SPDX-License-Identifier: Apache-2.0 */
#include "powercut_board.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cut_point.h"
#include "file.h"
#include "linux_board_host/runner.h"
#include "ui.h"

#define NAME        "board"
#define CONSOLE_MAX (16u << 20)
#define WORKERS_MAX 64u

/* The places in an operation that are tried. */
static const char *const places[] = {"before", "1",   "5%",  "10%", "20%", "30%", "40%",
                                     "50%",    "60%", "70%", "80%", "90%", "99%", "after"};
#define PLACES (sizeof(places) / sizeof(places[0]))

typedef struct {
    const powercut_board_options_t *options;
    int fd;
    uint64_t operations;
    uint64_t points;
    struct shared {
        _Atomic uint64_t next;
        _Atomic uint32_t agreed;
        _Atomic uint32_t compared;
    } *shared;
} sweep_t;

/* A trial's files and what it found. */
typedef struct {
    char flash[96];
    char state[104];
    char console[104];
    const char *outcome;
    unsigned boots;
    char text[256];
} trial_t;

static void say(const sweep_t *sweep, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void say(const sweep_t *sweep, const char *format, ...)
{
    char line[640];
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(line, sizeof(line) - 1, format, arguments);
    va_end(arguments);
    size_t size = len < 0 ? 0 : (size_t)len < sizeof(line) - 1 ? (size_t)len : sizeof(line) - 2;
    line[size++] = '\n';
    if (write(sweep->fd, line, size) < 0) {
        _exit(EXIT_FAILURE); /* nobody reads */
    }
}

static bool copy_file(const char *from, const char *to)
{
    int in = open(from, O_RDONLY | O_CLOEXEC);
    int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    struct stat info;
    bool good = in >= 0 && out >= 0 && fstat(in, &info) == 0;
    for (off_t done = 0; good && done < info.st_size;) {
        ssize_t copied = copy_file_range(in, NULL, out, NULL, (size_t)(info.st_size - done), 0);
        good = copied > 0;
        done += copied;
    }
    if (in >= 0) {
        close(in);
    }
    if (out >= 0) {
        close(out);
    }
    return good;
}

static bool copy_board(const char *from, const char *to)
{
    char from_state[PATH_MAX];
    char to_state[PATH_MAX];
    snprintf(from_state, sizeof(from_state), "%s.state", from);
    snprintf(to_state, sizeof(to_state), "%s.state", to);
    return copy_file(from, to) && copy_file(from_state, to_state);
}

static linux_run_result_t run(const sweep_t *sweep, const char *flash, const char *console,
                              const linux_board_cut_t *cut, linux_run_report_t *report)
{
    const linux_run_options_t options = {
        .flash_path = flash,
        .console_path = console,
        .until = &sweep->options->until,
        .until_count = 1,
        .timeout_s = sweep->options->timeout_s,
        .max_resets = 50,
        .cut = cut != NULL ? *cut : (linux_board_cut_t){0},
    };
    return linux_run(&options, report);
}

static const char *describe(linux_run_result_t result)
{
    switch (result) {
    case LINUX_RUN_NOT_BOOTABLE:
        return "nothing bootable";
    case LINUX_RUN_NO_BOOTLOADER:
        return "no valid bootloader in flash";
    case LINUX_RUN_RESET_LIMIT:
        return "the board did not settle in 50 resets";
    case LINUX_RUN_TIMEOUT:
        return "the expected line did not come in time";
    case LINUX_RUN_DIED:
        return "the program ended in a way no board knows";
    case LINUX_RUN_POWER_CUT:
        return "a cut that was not planned";
    case LINUX_RUN_DONE:
    case LINUX_RUN_FAILED:
        break;
    }
    return "the board could not be run";
}

/* --- what boots --- */

/* Offset of the first application that the console says was loaded; false: none. */
static bool first_boot(const char *console, unsigned long *offset)
{
    static const char line[] = "Loaded app from partition at offset ";
    uint8_t *text;
    size_t len;
    if (!file_read(console, CONSOLE_MAX, &text, &len)) {
        return false;
    }
    const char *found = memmem(text, len, line, sizeof(line) - 1);
    if (found != NULL) {
        *offset = strtoul(found + sizeof(line) - 1, NULL, 0);
    }
    free(text);
    return found != NULL;
}

/* What the engine says that boots on this flash; false: nothing. */
static bool foretold_boot(const sweep_t *sweep, const char *flash, unsigned long *offset)
{
    struct stat info;
    char command[PATH_MAX * 2];
    char answer[64] = "";
    if (stat(flash, &info) != 0) {
        return false;
    }
    snprintf(command, sizeof(command), "'%s' --flash-size %llu --verdict '%s'",
             sweep->options->engine, (unsigned long long)info.st_size, flash);
    FILE *engine = popen(command, "r");
    if (engine == NULL) {
        return false;
    }
    const char *line = fgets(answer, sizeof(answer), engine);
    pclose(engine);
    if (line == NULL || strncmp(line, "V\t0x", 4) != 0) {
        return false;
    }
    *offset = strtoul(line + 2, NULL, 0);
    return true;
}

/* --- a trial --- */

static void fail(trial_t *trial, const char *outcome, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void fail(trial_t *trial, const char *outcome, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(trial->text, sizeof(trial->text), format, arguments);
    va_end(arguments);
    trial->outcome = outcome;
}

/* The board is switched on again: it must come to the same line as without a cut. */
static void judge(const sweep_t *sweep, trial_t *trial)
{
    unsigned long foretold = 0;
    unsigned long booted = 0;
    bool can_foretell = sweep->options->engine != NULL;
    bool says = can_foretell && foretold_boot(sweep, trial->flash, &foretold);
    linux_run_report_t report;
    linux_run_result_t result = run(sweep, trial->flash, trial->console, NULL, &report);
    trial->boots += report.resets + 1;
    trial->outcome = "held";
    if (result == LINUX_RUN_NOT_BOOTABLE || result == LINUX_RUN_NO_BOOTLOADER) {
        fail(trial, "brick", "%s", describe(result));
    } else if (result != LINUX_RUN_DONE) {
        fail(trial, "lost", "%s", describe(result));
    }
    if (!can_foretell || sweep->options->replay != NULL) {
        return;
    }
    bool boots = first_boot(trial->console, &booted);
    atomic_fetch_add(&sweep->shared->compared, 1);
    if (boots == says && booted == foretold) {
        atomic_fetch_add(&sweep->shared->agreed, 1);
    } else {
        fail(trial, "lost", "the board starts 0x%lx, the engine 0x%lx (0: nothing)", booted,
             foretold);
    }
}

static void attempt(const sweep_t *sweep, const char *point, trial_t *trial)
{
    linux_board_cut_t cut;
    linux_run_report_t report;
    trial->text[0] = '\0';
    trial->boots = 0;
    if (!cut_point_parse(point, &cut) || !copy_board(sweep->options->flash, trial->flash)) {
        fail(trial, "lost", "the board's files cannot be copied: %s", strerror(errno));
        return;
    }
    linux_run_result_t result = run(sweep, trial->flash, NULL, &cut, &report);
    trial->boots += report.resets + 1;
    if (result != LINUX_RUN_POWER_CUT && result != LINUX_RUN_DONE) {
        fail(trial, "lost", "before the cut: %s", describe(result));
        return;
    }
    judge(sweep, trial);
}

static void make_names(const sweep_t *sweep, unsigned number, trial_t *trial)
{
    snprintf(trial->flash, sizeof(trial->flash), "%s/%u.flash", sweep->options->folder, number);
    snprintf(trial->state, sizeof(trial->state), "%s.state", trial->flash);
    snprintf(trial->console, sizeof(trial->console), "%s.console", trial->flash);
}

static void remove_files(const trial_t *trial)
{
    unlink(trial->flash);
    unlink(trial->state);
    unlink(trial->console);
}

/* --- the sweep --- */

/* The index of the n-th point that is tried, when only some are. */
static uint64_t nth_point(const sweep_t *sweep, uint64_t n, uint64_t wanted)
{
    return n * sweep->points / wanted;
}

static _Noreturn void work(const sweep_t *sweep, unsigned number, uint64_t wanted, pid_t parent)
{
    trial_t trial = {0};
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) {
        _exit(EXIT_FAILURE);
    }
    make_names(sweep, number, &trial);
    for (;;) {
        uint64_t index = atomic_fetch_add(&sweep->shared->next, 1);
        if (index >= wanted) {
            break;
        }
        index = nth_point(sweep, index, wanted);
        uint64_t operation = 1 + index / PLACES * sweep->options->every;
        char point[48];
        snprintf(point, sizeof(point), "%llu:%s", (unsigned long long)operation,
                 places[index % PLACES]);
        attempt(sweep, point, &trial);
        say(sweep, "T\t%llu\t%s\t%s\t0\t%u\t0\t%s", (unsigned long long)operation, point,
            trial.outcome, trial.boots, trial.text);
    }
    remove_files(&trial);
    _exit(EXIT_SUCCESS);
}

static void run_workers(const sweep_t *sweep)
{
    uint64_t wanted = sweep->points;
    pid_t workers[WORKERS_MAX];
    pid_t self = getpid();
    if (sweep->options->sample != 0 && sweep->options->sample < wanted) {
        wanted = sweep->options->sample;
    }
    say(sweep, "N\t%llu\t%llu\treal", (unsigned long long)sweep->operations,
        (unsigned long long)wanted);
    for (unsigned i = 0; i < sweep->options->jobs; i++) {
        workers[i] = fork();
        if (workers[i] == 0) {
            work(sweep, i + 1, wanted, self);
        }
    }
    for (unsigned i = 0; i < sweep->options->jobs; i++) {
        int status;
        while (workers[i] > 0 && waitpid(workers[i], &status, 0) < 0 && errno == EINTR) {
        }
    }
}

/* Runs uncut. False after a line that says what is wrong. */
static bool count_operations(sweep_t *sweep)
{
    trial_t trial = {0};
    linux_run_report_t report = {0};
    make_names(sweep, 0, &trial);
    linux_run_result_t result = LINUX_RUN_FAILED;
    if (copy_board(sweep->options->flash, trial.flash)) {
        result = run(sweep, trial.flash, NULL, NULL, &report);
    }
    remove_files(&trial);
    if (result != LINUX_RUN_DONE) {
        say(sweep, "X\t" NAME "\tfails without any cut: %s", describe(result));
        return false;
    }
    if (report.operations == 0) {
        say(sweep,
            "X\t" NAME "\tthe line of --until comes before the first flash operation, so there is "
            "nothing to cut");
        return false;
    }
    sweep->operations = report.operations;
    sweep->points = (report.operations + sweep->options->every - 1) / sweep->options->every;
    sweep->points *= PLACES;
    return true;
}

static int replay(sweep_t *sweep)
{
    trial_t trial = {0};
    linux_board_cut_t cut;
    if (!cut_point_parse(sweep->options->replay, &cut)) {
        say(sweep, "F\t%s: must be OPERATION[:WHERE], WHERE being before, after, a byte or N%%",
            sweep->options->replay);
        return EXIT_FAILURE;
    }
    make_names(sweep, 0, &trial);
    attempt(sweep, sweep->options->replay, &trial);
    remove_files(&trial);
    printf("--- %s%s%s; %u boots\n", trial.outcome, trial.text[0] != '\0' ? ": " : "", trial.text,
           trial.boots);
    fflush(stdout);
    return strcmp(trial.outcome, "held") == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int powercut_board(const powercut_board_options_t *options, int fd)
{
    sweep_t sweep = {.options = options, .fd = fd};
    sweep.shared = mmap(NULL, sizeof(*sweep.shared), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (sweep.shared == MAP_FAILED || null_fd < 0) {
        say(&sweep, "F\tcannot prepare the sweep: %s", strerror(errno));
        return EXIT_FAILURE;
    }
    dup2(null_fd, STDIN_FILENO);
    int status = EXIT_SUCCESS;
    if (options->replay != NULL) {
        status = replay(&sweep);
    } else {
        dup2(null_fd, STDOUT_FILENO);
        say(&sweep, "S\t" NAME "\tthe project's firmware on the real board, until %s",
            options->until);
        if (count_operations(&sweep)) {
            run_workers(&sweep);
            say(&sweep, "A\t%u\t%u", atomic_load(&sweep.shared->agreed),
                atomic_load(&sweep.shared->compared));
            say(&sweep, "E");
        }
    }
    return status;
}
