/* SPDX-License-Identifier: Apache-2.0
 *
 * The power-cut engine: bootloader and application of a project in one program, on a board in
 * memory. `airlift powercut` builds and starts it and reads what it says.
 *
 * The scenario runs once uncut, and every flash operation of it is recorded. Up to the cut a trial
 * does exactly the same, so its flash is made from the record instead of running the firmware
 * again; --real runs it again all the same, and so does the engine by itself when two uncut runs
 * differ. Every boot is a process of its own, forked from this one, in which neither bootloader nor
 * application has run yet: nothing but flash and retain memory survives a reset. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "board.h"
#include "engine.h"
#include "formats/partition_table.h"
#include "hal/reset.h"
#include "linux_board/testing.h"
#include "sdkconfig.h"

/* A board that has not settled after so many boots never will. */
#define BOOTS_MAX     40u
#define WORKERS_MAX   64u
#define SCENARIOS_MAX 128u
#define SPEC_MAX      96u

/* --- what was asked for --- */

typedef struct {
    unsigned jobs;
    uint64_t seed;
    unsigned seeds;  /* different unstable bits for each torn erase */
    unsigned every;  /* only every n-th operation */
    uint64_t sample; /* at most so many cut points, evenly spread; 0: all */
    unsigned second; /* one trial in n gets a second cut in its recovery; 0: none */
    bool real;
    const char *replay;
    uint32_t flash_size;
} options_t;

static options_t options = {.jobs = 1, .seed = 1, .seeds = 2, .every = 1, .second = 4};

/* --- cut points --- */

typedef struct {
    uint32_t operation; /* from 1; 0: none */
    linux_board_cut_mode_t mode;
    uint32_t byte;
} cut_t;

typedef struct {
    cut_t first;
    cut_t second;
    uint64_t seed;
} trial_t;

typedef enum { HELD, LOST, BRICK, BY_NATURE, OUTCOMES } outcome_t;

static const char *const outcome_names[OUTCOMES] = {"held", "lost", "brick", "nature"};

typedef struct {
    outcome_t outcome;
    unsigned boots;
    uint32_t version;
    uint32_t recovery_operations;
    char text[POWERCUT_TEXT_MAX];
} result_t;

/* --- memory ---
 *
 * What is large is in shared mappings even if only one process works on it: private pages make
 * every fork slower. */

static linux_flash_t base;    /* before the operation that is cut; the worker's own */
static uint32_t base_applied; /* operations of the record that base has seen */
static uint8_t *start_flash;  /* where the scenario starts; shared, never written by workers */
static linux_board_state_t *start_state;
static powercut_notes_t *start_notes;
static powercut_record_t *second_record;
static struct {
    _Atomic uint64_t next; /* trial */
} *progress;

static int out_fd;

static _Noreturn void give_up(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A line for the reader; one write, so that lines of several workers do not mix. */
static void say(const char *format, ...)
{
    char line[POWERCUT_TEXT_MAX + 400];
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(line, sizeof(line) - 1, format, arguments);
    va_end(arguments);
    size_t size = len < 0 ? 0 : (size_t)len < sizeof(line) - 1 ? (size_t)len : sizeof(line) - 2;
    line[size++] = '\n';
    if (write(out_fd, line, size) < 0) {
        _exit(EXIT_FAILURE); /* nobody reads */
    }
}

static _Noreturn void give_up(const char *format, ...)
{
    char text[POWERCUT_TEXT_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    say("F\t%s", text);
    exit(EXIT_FAILURE);
}

static void *map(size_t size, int flags)
{
    void *memory =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | MAP_NORESERVE | flags, -1, 0);
    if (memory == MAP_FAILED) {
        give_up("no memory for %zu bytes: %s", size, strerror(errno));
    }
    return memory;
}

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* A well mixed function of its argument (the finaliser of the splitmix64 generator). */
static uint64_t mix(uint64_t x)
{
    x += UINT64_C(0x9E3779B97F4A7C15);
    x = (x ^ (x >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94D049BB133111EB);
    return x ^ (x >> 31);
}

/* --- the board's memory --- */

static void copy_sector(const linux_flash_t *to, const linux_flash_t *from, uint32_t sector)
{
    size_t at = (size_t)sector * LINUX_BOARD_SECTOR_SIZE;
    memcpy(to->bytes + at, from->bytes + at, LINUX_BOARD_SECTOR_SIZE);
    to->state->wear[sector] = from->state->wear[sector];
    to->state->unstable[sector] = from->state->unstable[sector];
}

/* Makes the trial's flash and state equal to the base. */
static void restore(void)
{
    powercut_shared_t *shared = powercut_shared;
    for (uint32_t i = 0; i < shared->dirty_count; i++) {
        copy_sector(&powercut_flash, &base, shared->dirty[i]);
        shared->is_dirty[shared->dirty[i]] = 0;
    }
    shared->dirty_count = 0;
    memcpy(powercut_flash.state, base.state, offsetof(linux_board_state_t, wear));
}

/* Makes everything equal to a whole flash and state. */
static void load_all(const uint8_t *bytes, const linux_board_state_t *state)
{
    memcpy(base.bytes, bytes, options.flash_size);
    memcpy(base.state, state, sizeof(*state));
    memcpy(powercut_flash.bytes, bytes, options.flash_size);
    memcpy(powercut_flash.state, state, sizeof(*state));
    memset(powercut_shared->is_dirty, 0, sizeof(powercut_shared->is_dirty));
    powercut_shared->dirty_count = 0;
    base_applied = 0;
}

static linux_flash_result_t apply(linux_flash_t *flash, const powercut_operation_t *operation)
{
    powercut_touch(operation->address, operation->len);
    return operation->program
               ? linux_flash_program(flash, operation->address,
                                     powercut_record->data + operation->data, operation->len)
               : linux_flash_erase(flash, operation->address, operation->len);
}

/* Lets the base see the first count operations. */
static void advance_base(uint32_t count)
{
    if (count < base_applied) {
        load_all(start_flash, start_state);
    }
    while (base_applied < count) {
        const powercut_operation_t *operation = &powercut_record->operations[base_applied++];
        apply(&base, operation);
    }
}

/* --- boots --- */

static void set_pin(bool held)
{
    if (powercut_scenario->hold_pin) {
        linux_board_drive_t drive = LINUX_BOARD_DRIVE_NONE;
        if (held) {
            drive = powercut_scenario->level ? LINUX_BOARD_DRIVE_HIGH : LINUX_BOARD_DRIVE_LOW;
        }
        atomic_store(&powercut_flash.state->pins[powercut_scenario->pin].drive, (uint8_t)drive);
    }
}

static void switch_on(powercut_phase_t phase, const cut_t *cut)
{
    linux_board_state_t *state = powercut_flash.state;
    linux_board_state_power_on(state, now_ns());
    state->cut = (linux_board_cut_t){.mode = LINUX_BOARD_CUT_NEVER};
    if (cut != NULL && cut->operation != 0) {
        state->cut =
            (linux_board_cut_t){.mode = cut->mode, .byte = cut->byte, .operation = cut->operation};
    }
    set_pin(phase == POWERCUT_RUN);
    powercut_shared->phase = phase;
    powercut_shared->attempt = 0;
    powercut_shared->installs = 0;
    powercut_shared->version = 0;
    powercut_shared->text[0] = '\0';
}

typedef enum { SETTLED, FAILED, CUT, DEAD, UNFIT } ending_t;

static ending_t describe(char *text, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static ending_t describe(char *text, size_t size, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, size, format, arguments);
    va_end(arguments);
    return FAILED;
}

/* Boots until the board has settled, power goes, or something is wrong. */
static ending_t run_boots(result_t *result)
{
    powercut_shared_t *shared = powercut_shared;
    linux_board_state_t *state = powercut_flash.state;
    char *text = result->text;
    for (unsigned boots = 1; boots <= BOOTS_MAX; boots++) {
        fflush(NULL);
        pid_t child = fork();
        if (child < 0) {
            give_up("cannot start a process: %s", strerror(errno));
        }
        if (child == 0) {
            powercut_boot();
        }
        int status;
        while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
        }
        result->boots++;
        result->version = shared->version;
        if (WIFSIGNALED(status)) {
            return describe(text, sizeof(result->text), "%s",
                            WTERMSIG(status) == SIGALRM ? "a boot did not come to an end"
                                                        : strsignal(WTERMSIG(status)));
        }
        switch (WEXITSTATUS(status)) {
        case POWERCUT_EXIT_DONE:
            return SETTLED;
        case POWERCUT_EXIT_UNFIT:
            return UNFIT;
        case POWERCUT_EXIT_LOST:
            return describe(text, sizeof(result->text), "%s", shared->text);
        case LINUX_BOARD_EXIT_POWER_CUT:
            return CUT;
        case LINUX_BOARD_EXIT_OFF:
            describe(text, sizeof(result->text), "nothing bootable");
            return DEAD;
        case LINUX_BOARD_EXIT_RESET:
            if (atomic_load(&state->reset_reason) == HAL_RESET_PANIC) {
                return describe(text, sizeof(result->text), "the firmware crashed");
            }
            linux_board_state_reset(state, atomic_load(&state->reset_reason), now_ns());
            break;
        default:
            return describe(text, sizeof(result->text), "a boot ended with status %d",
                            WEXITSTATUS(status));
        }
    }
    return describe(text, sizeof(result->text), "the board did not settle in %u boots", BOOTS_MAX);
}

/* --- a trial --- */

/* Behind bootloader and partition table. */
static uint32_t boot_area_end(void)
{
    return powercut_table_offset + FMT_PARTITION_TABLE_SECTOR;
}

/* Whether the only copy of the bootloader or of the table was being replaced when operation was
 * cut: some of the operations on it lie before or in the cut and not all of them. */
static bool replacing_boot_area(const cut_t *cut)
{
    uint32_t first = 0;
    uint32_t last = 0;
    for (uint32_t i = 1; i <= powercut_record->count; i++) {
        if (powercut_record->operations[i - 1].address < boot_area_end()) {
            first = first == 0 ? i : first;
            last = i;
        }
    }
    return powercut_scenario->replaces_boot_area && first != 0 && cut->operation >= first &&
           cut->operation <= last;
}

/* Brings flash, state and notes to where the first cut leaves them. False: the run did not get
 * there. */
static bool make_first_cut(const trial_t *trial, result_t *result)
{
    const powercut_record_t *record = powercut_record;
    uint32_t operation = trial->first.operation;
    if (options.real) {
        advance_base(0);
        restore();
        powercut_shared->notes = *start_notes;
        powercut_flash.state->seed = trial->seed;
        switch_on(POWERCUT_RUN, &trial->first);
        ending_t ending = run_boots(result);
        if (ending == CUT || (ending == SETTLED && operation > record->count)) {
            return true;
        }
        if (ending == SETTLED) {
            describe(result->text, sizeof(result->text), "operation %u was not reached", operation);
        }
        return false;
    }
    advance_base(operation - 1);
    restore();
    powercut_flash.state->seed = trial->seed;
    if (operation > record->count) {
        powercut_shared->notes = second_record->operations[0].notes; /* of the settled board */
        return true;
    }
    powercut_shared->notes = record->operations[operation - 1].notes;
    atomic_store(&powercut_flash.state->operations, 0);
    powercut_flash.state->cut =
        (linux_board_cut_t){.mode = trial->first.mode, .byte = trial->first.byte, .operation = 1};
    apply(&powercut_flash, &record->operations[operation - 1]);
    return true;
}

static void run_trial(const trial_t *trial, result_t *result)
{
    *result = (result_t){.outcome = LOST};
    if (!make_first_cut(trial, result)) {
        return;
    }
    switch_on(POWERCUT_RECOVER, &trial->second);
    bool natural = replacing_boot_area(&trial->first);
    ending_t ending = run_boots(result);
    if (ending == CUT) {
        natural = natural || (powercut_scenario->replaces_boot_area &&
                              powercut_shared->last_address < boot_area_end());
        switch_on(POWERCUT_RECOVER, NULL);
        ending = run_boots(result);
    }
    result->recovery_operations = (uint32_t)atomic_load(&powercut_flash.state->operations);
    const char *problem = NULL;
    switch (ending) {
    case SETTLED:
        problem = powercut_otadata_problem(&powercut_flash);
        if (problem != NULL) {
            describe(result->text, sizeof(result->text), "%s", problem);
            break;
        }
        result->outcome = HELD;
        break;
    case DEAD:
        result->outcome = natural ? BY_NATURE : BRICK;
        break;
    case CUT:
        describe(result->text, sizeof(result->text), "a cut that was not planned");
        break;
    case FAILED:
    case UNFIT:
        break;
    }
}

/* --- names of trials: OPERATION:WHERE[:SEED[:OPERATION:WHERE]] --- */

static size_t write_cut(const cut_t *cut, char *text, size_t size)
{
    int len = 0;
    switch (cut->mode) {
    case LINUX_BOARD_CUT_AFTER:
        len = snprintf(text, size, "%u:after", cut->operation);
        break;
    case LINUX_BOARD_CUT_INSIDE:
        len = snprintf(text, size, "%u:%u", cut->operation, cut->byte);
        break;
    case LINUX_BOARD_CUT_INSIDE_PERCENT:
        len = snprintf(text, size, "%u:%u%%", cut->operation, cut->byte);
        break;
    default:
        len = snprintf(text, size, "%u:before", cut->operation);
        break;
    }
    return (size_t)len;
}

static void write_spec(const trial_t *trial, char text[SPEC_MAX])
{
    size_t len = write_cut(&trial->first, text, SPEC_MAX);
    len += (size_t)snprintf(text + len, SPEC_MAX - len, ":%" PRIu64, trial->seed);
    if (trial->second.operation != 0) {
        text[len++] = ':';
        write_cut(&trial->second, text + len, SPEC_MAX - len);
    }
}

static bool read_number(const char **at, uint64_t max, uint64_t *value)
{
    char *end;
    errno = 0;
    *value = strtoull(*at, &end, 10);
    if (end == *at || **at == '-' || **at == '+' || errno != 0 || *value > max) {
        return false;
    }
    *at = end;
    return true;
}

static bool read_word(const char **at, const char *word)
{
    size_t len = strlen(word);
    if (strncmp(*at, word, len) != 0) {
        return false;
    }
    *at += len;
    return true;
}

static bool read_cut(const char **at, cut_t *cut)
{
    uint64_t number;
    if (!read_number(at, POWERCUT_OPERATIONS_MAX, &number) || number == 0) {
        return false;
    }
    *cut = (cut_t){.operation = (uint32_t)number, .mode = LINUX_BOARD_CUT_BEFORE};
    if (!read_word(at, ":") || read_word(at, "before")) {
        return true;
    }
    if (read_word(at, "after")) {
        cut->mode = LINUX_BOARD_CUT_AFTER;
        return true;
    }
    if (!read_number(at, UINT32_MAX, &number)) {
        return false;
    }
    cut->mode = LINUX_BOARD_CUT_INSIDE;
    cut->byte = (uint32_t)number;
    if (read_word(at, "%")) {
        cut->mode = LINUX_BOARD_CUT_INSIDE_PERCENT;
        return number <= 100;
    }
    return true;
}

static bool read_spec(const char *text, trial_t *trial)
{
    *trial = (trial_t){.seed = options.seed};
    if (!read_cut(&text, &trial->first)) {
        return false;
    }
    if (read_word(&text, ":") && !read_number(&text, UINT64_MAX, &trial->seed)) {
        return false;
    }
    if (read_word(&text, ":") && !read_cut(&text, &trial->second)) {
        return false;
    }
    return *text == '\0';
}

/* --- the list of trials --- */

static trial_t *trials;
static size_t trial_count;
static size_t trial_room;

static void add_trial(uint32_t operation, linux_board_cut_mode_t mode, uint32_t byte, uint64_t seed)
{
    if (trial_count == trial_room) {
        trial_room = trial_room == 0 ? 4096 : trial_room * 2;
        trials = realloc(trials, trial_room * sizeof(*trials));
        if (trials == NULL) {
            give_up("no memory for %zu cut points", trial_room);
        }
    }
    trials[trial_count++] =
        (trial_t){.first = {.operation = operation, .mode = mode, .byte = byte}, .seed = seed};
}

/* Before, inside and after every operation; then idle, when everything is done. */
static void list_trials(void)
{
    static const uint8_t percents[] = {1, 25, 50, 75, 99};
    const size_t percent_count = sizeof(percents) / sizeof(percents[0]);
    trial_count = 0;
    for (uint32_t i = 1; i <= powercut_record->count; i += options.every) {
        const powercut_operation_t *operation = &powercut_record->operations[i - 1];
        add_trial(i, LINUX_BOARD_CUT_BEFORE, 0, options.seed);
        if (!operation->program) {
            for (size_t p = 0; p < percent_count; p++) {
                for (unsigned seed = 0; seed < options.seeds; seed++) {
                    add_trial(i, LINUX_BOARD_CUT_INSIDE_PERCENT, percents[p], options.seed + seed);
                }
            }
        } else if (operation->len <= 64) {
            /* A record: at each of its words, and inside one. */
            for (uint32_t byte = 0; byte < operation->len; byte += 4) {
                add_trial(i, LINUX_BOARD_CUT_INSIDE, byte, options.seed);
            }
            add_trial(i, LINUX_BOARD_CUT_INSIDE, operation->len - 1, options.seed);
        } else {
            add_trial(i, LINUX_BOARD_CUT_INSIDE, 0, options.seed);
            for (size_t p = 0; p < percent_count; p++) {
                add_trial(i, LINUX_BOARD_CUT_INSIDE_PERCENT, percents[p], options.seed);
            }
        }
        add_trial(i, LINUX_BOARD_CUT_AFTER, 0, options.seed);
    }
    add_trial(powercut_record->count + 1, LINUX_BOARD_CUT_BEFORE, 0, options.seed);
    if (options.sample != 0 && options.sample < trial_count) {
        size_t kept = 0;
        for (size_t i = 0; i < trial_count; i++) {
            if ((i + 1) * options.sample / trial_count != i * options.sample / trial_count) {
                trials[kept++] = trials[i];
            }
        }
        trial_count = kept;
    }
}

/* --- workers --- */

static void report(const trial_t *trial, const result_t *result)
{
    char spec[SPEC_MAX];
    write_spec(trial, spec);
    say("T\t%u\t%s\t%s\t%u\t%u\t%u\t%s", trial->first.operation, spec,
        outcome_names[result->outcome], trial->second.operation, result->boots,
        (unsigned)result->version, result->text);
}

static void try_one(size_t index)
{
    const trial_t *trial = &trials[index];
    result_t result;
    run_trial(trial, &result);
    report(trial, &result);
    uint64_t dice = mix(options.seed ^ (index << 20));
    if (options.second == 0 || dice % options.second != 0 || result.recovery_operations == 0) {
        return;
    }
    static const cut_t where[] = {
        {.mode = LINUX_BOARD_CUT_BEFORE},
        {.mode = LINUX_BOARD_CUT_INSIDE_PERCENT, .byte = 10},
        {.mode = LINUX_BOARD_CUT_INSIDE_PERCENT, .byte = 50},
        {.mode = LINUX_BOARD_CUT_INSIDE_PERCENT, .byte = 90},
        {.mode = LINUX_BOARD_CUT_AFTER},
    };
    trial_t twice = *trial;
    dice = mix(dice);
    twice.second = where[dice % (sizeof(where) / sizeof(where[0]))];
    twice.second.operation = 1 + (uint32_t)(mix(dice) % result.recovery_operations);
    run_trial(&twice, &result);
    report(&twice, &result);
}

/* Memory of its own for the boots of this process. */
static void open_board(void)
{
    powercut_flash.bytes = map(options.flash_size, MAP_SHARED);
    powercut_flash.state = map(sizeof(linux_board_state_t), MAP_SHARED);
    base.bytes = map(options.flash_size, MAP_SHARED);
    base.state = map(sizeof(linux_board_state_t), MAP_SHARED);
    powercut_shared = map(sizeof(powercut_shared_t), MAP_SHARED);
    linux_board_state_init(powercut_flash.state, options.flash_size);
    powercut_boot_prepare();
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    board_catch_crashes(); /* its first call is slow: not in every boot */
}

/* A worker and the processes of its boots never run at the same time: on one processor they need
 * not wake another one for each other. Only if there is a worker for each: a run that leaves
 * processors to others does not choose which. */
static void stay_on_processor(unsigned index)
{
    cpu_set_t usable;
    if (sched_getaffinity(0, sizeof(usable), &usable) != 0 ||
        options.jobs != (unsigned)CPU_COUNT(&usable)) {
        return;
    }
    int processor = 0;
    for (unsigned skip = index; !CPU_ISSET(processor, &usable) || skip > 0; processor++) {
        skip -= CPU_ISSET(processor, &usable) ? 1 : 0;
    }
    CPU_ZERO(&usable);
    CPU_SET(processor, &usable);
    sched_setaffinity(0, sizeof(usable), &usable);
}

static _Noreturn void work(pid_t parent, unsigned index)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) {
        _exit(EXIT_FAILURE);
    }
    stay_on_processor(index);
    open_board();
    load_all(start_flash, start_state);
    for (;;) {
        /* Neighbours share the work of bringing the base there. */
        const uint64_t batch = 16;
        uint64_t first = atomic_fetch_add(&progress->next, batch);
        if (first >= trial_count) {
            _exit(EXIT_SUCCESS);
        }
        for (uint64_t i = first; i < first + batch && i < trial_count; i++) {
            try_one(i);
        }
    }
}

static void run_workers(void)
{
    pid_t workers[WORKERS_MAX];
    atomic_store(&progress->next, 0);
    pid_t self = getpid();
    for (unsigned i = 0; i < options.jobs; i++) {
        workers[i] = fork();
        if (workers[i] == 0) {
            work(self, i);
        }
        if (workers[i] < 0) {
            give_up("cannot start a process: %s", strerror(errno));
        }
    }
    for (unsigned i = 0; i < options.jobs; i++) {
        int status;
        while (waitpid(workers[i], &status, 0) < 0 && errno == EINTR) {
        }
        if (status != 0) {
            give_up("a worker ended with status 0x%x", (unsigned)status);
        }
    }
}

/* --- a scenario --- */

/* A flash as it comes from the factory: what the build flashes, version 1 as the application. */
static uint8_t *factory_flash;

static void save_start(void)
{
    memcpy(start_flash, powercut_flash.bytes, options.flash_size);
    memcpy(start_state, powercut_flash.state, sizeof(*start_state));
    *start_notes = powercut_shared->notes;
}

static void record_run(powercut_record_t *record, result_t *result)
{
    powercut_record = record;
    load_all(start_flash, start_state);
    powercut_shared->notes = *start_notes;
    *result = (result_t){.outcome = LOST};
    record->count = 0;
    record->data_len = 0;
    record->overflow = false;
    record->on = true;
    switch_on(POWERCUT_RUN, NULL);
    ending_t ending = run_boots(result);
    record->on = false;
    result->outcome = ending == SETTLED ? HELD : LOST;
}

static bool same_records(const powercut_record_t *a, const powercut_record_t *b)
{
    if (a->count != b->count || a->data_len != b->data_len ||
        memcmp(a->data, b->data, a->data_len) != 0) {
        return false;
    }
    for (uint32_t i = 0; i < a->count; i++) {
        if (memcmp(&a->operations[i], &b->operations[i], sizeof(a->operations[i])) != 0) {
            return false;
        }
    }
    return true;
}

/* A board that was never switched on. */
static void unbox(void)
{
    memset(start_state, 0, sizeof(*start_state));
    linux_board_state_init(start_state, options.flash_size);
    load_all(factory_flash, start_state);
    powercut_shared->notes = (powercut_notes_t){.stable = 1, .highest = 1};
}

/* Takes the scenario to where it is to be cut. False: not possible, and said why. */
static bool prepare(void)
{
    result_t result = {0};
    unbox();
    powercut_shared->check_rom = true;
    switch_on(POWERCUT_FIT, NULL);
    ending_t ending = run_boots(&result);
    if (ending == UNFIT) {
        say("K\t%s\t%s", powercut_scenario->name, powercut_shared->text);
        return false;
    }
    powercut_shared->check_rom = options.replay != NULL;
    unbox();
    if (ending == SETTLED && powercut_scenario->prepare != NULL) {
        switch_on(POWERCUT_PREPARE, NULL);
        ending = run_boots(&result);
    }
    if (ending != SETTLED) {
        say("X\t%s\tits starting point cannot be made: %s", powercut_scenario->name, result.text);
        return false;
    }
    save_start();
    return true;
}

/* Runs uncut, twice. False: it does not work even so, and said why. */
static bool record_twice(bool *real)
{
    powercut_record_t *record = powercut_record;
    result_t result;
    record_run(record, &result);
    powercut_notes_t settled = powercut_shared->notes;
    if (result.outcome == HELD && !record->overflow) {
        record_run(second_record, &result);
        powercut_record = record;
    }
    if (result.outcome != HELD || record->overflow) {
        say("X\t%s\tfails without any cut: %s", powercut_scenario->name,
            record->overflow ? "it has too many flash operations" : result.text);
        return false;
    }
    if (record->count == 0) {
        say("X\t%s\tdoes no flash operation: there is nothing to cut", powercut_scenario->name);
        return false;
    }
    *real = !same_records(record, second_record);
    second_record->operations[0].notes = settled;
    return true;
}

static void say_operations(void)
{
    for (uint32_t i = 0; i < powercut_record->count; i++) {
        const powercut_operation_t *operation = &powercut_record->operations[i];
        say("O\t%u\t%s\t%u\t%u\t%s", i + 1, operation->program ? "program" : "erase",
            (unsigned)operation->address, (unsigned)operation->len,
            operation->bootloader ? "bootloader" : "app");
    }
}

/* Runs one trial for eyes: real, with the console. */
static int replay(const char *spec)
{
    trial_t trial;
    if (!read_spec(spec, &trial)) {
        give_up("%s: must be OPERATION:WHERE[:SEED[:OPERATION:WHERE]], OPERATION being 1 to %u, "
                "WHERE before, after, a byte or N%%",
                spec, POWERCUT_OPERATIONS_MAX);
    }
    if (trial.first.operation > powercut_record->count + 1) {
        give_up("%s: scenario %s has only %u flash operations", spec, powercut_scenario->name,
                powercut_record->count);
    }
    dup2(out_fd, STDOUT_FILENO);
    printf("--- %s:%s\n", powercut_scenario->name, spec);
    result_t result;
    options.real = true;
    run_trial(&trial, &result);
    printf("--- %s%s%s; %u boots\n", outcome_names[result.outcome],
           result.text[0] != '\0' ? ": " : "", result.text, result.boots);
    fflush(stdout);
    return result.outcome == HELD || result.outcome == BY_NATURE ? EXIT_SUCCESS : EXIT_FAILURE;
}

static void sweep(void)
{
    bool real_asked = options.real;
    say("S\t%s\t%s", powercut_scenario->name, powercut_scenario->summary);
    bool real;
    if (!prepare() || !record_twice(&real)) {
        return;
    }
    options.real = options.real || real;
    list_trials();
    say("N\t%u\t%zu\t%s", powercut_record->count, trial_count, options.real ? "real" : "record");
    say_operations();
    run_workers();
    say("E");
    options.real = real_asked;
}

/* --- start --- */

/* What of a list of OFFSET=FILE is wanted: boot area or not, and not what begins at skip. */
static void load_images(int argc, char **images, bool boot_area, uint32_t skip)
{
    for (int i = 0; i < argc; i++) {
        char *end;
        unsigned long offset = strtoul(images[i], &end, 0);
        if (*end != '=') {
            give_up("--image: %s: must be OFFSET=FILE", images[i]);
        }
        if ((offset < boot_area_end()) != boot_area || offset == skip) {
            continue;
        }
        const char *path = end + 1;
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        struct stat info;
        if (fd < 0 || fstat(fd, &info) != 0) {
            give_up("%s: %s", path, strerror(errno));
        }
        if (offset > options.flash_size || (uint64_t)info.st_size > options.flash_size - offset) {
            give_up("%s: does not fit into a flash of 0x%x bytes at 0x%lx", path,
                    (unsigned)options.flash_size, offset);
        }
        if (read(fd, factory_flash + offset, (size_t)info.st_size) != info.st_size) {
            give_up("%s: cannot be read", path);
        }
        close(fd);
    }
}

static void make_factory_flash(int argc, char **images)
{
    if (!linux_board_flash_size_valid(options.flash_size)) {
        give_up("--flash-size: must be a power of two from 1 MiB to 128 MiB");
    }
    factory_flash = map(options.flash_size, MAP_SHARED);
    memset(factory_flash, 0xFF, options.flash_size);
    load_images(argc, images, true, UINT32_MAX);
    linux_board_state_t *state = map(sizeof(*state), MAP_SHARED);
    linux_board_state_init(state, options.flash_size);
    const linux_flash_t flash = {.bytes = factory_flash, .state = state};
    fmt_boot_table_t roles;
    if (!powercut_read_table(&flash, &roles)) {
        give_up("the flash has no valid partition table at 0x%x", (unsigned)powercut_table_offset);
    }
    fmt_boot_pos_t place = roles.has_factory ? roles.factory : roles.ota[0];
    if (place.size < 0x4000) {
        give_up("the partition table has no partition that an application can start from");
    }
    /* The project's own application is not needed: ours takes its place. */
    load_images(argc, images, false, place.offset);
    uint32_t secure = 0;
#ifdef CONFIG_BOOTLOADER_APP_SECURE_VERSION
    secure = CONFIG_BOOTLOADER_APP_SECURE_VERSION;
#endif
    powercut_put_image(factory_flash, place.offset, 1, secure);
}

static void read_file(const char *path, void *memory, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || read(fd, memory, size) != (ssize_t)size) {
        give_up("%s: cannot be read, or is shorter than %zu bytes", path, size);
    }
    close(fd);
}

/* Which application starts on the flash of a real board? */
static int verdict(const char *path)
{
    char state_path[4096];
    result_t result = {0};
    if (snprintf(state_path, sizeof(state_path), "%s.state", path) >= (int)sizeof(state_path)) {
        give_up("%s: the name is too long", path);
    }
    if (!linux_board_flash_size_valid(options.flash_size)) {
        give_up("--flash-size: must be a power of two from 1 MiB to 128 MiB");
    }
    powercut_record = map(sizeof(*powercut_record), MAP_SHARED);
    open_board();
    read_file(path, powercut_flash.bytes, options.flash_size);
    read_file(state_path, powercut_flash.state, sizeof(*powercut_flash.state));
    static const airlift_powercut_scenario_t nothing = {.name = "verdict"};
    powercut_scenario = &nothing;
    powercut_shared->check_rom = true;
    switch_on(POWERCUT_VERDICT, NULL);
    if (run_boots(&result) == SETTLED) {
        say("V\t0x%x", (unsigned)powercut_flash.state->running_offset);
    } else {
        say("V\tnone");
    }
    return EXIT_SUCCESS;
}

static uint64_t number(const char *name, const char *text, uint64_t max)
{
    uint64_t value;
    char *end;
    errno = 0;
    value = strtoull(text, &end, 0);
    if (end == text || *end != '\0' || text[0] == '-' || errno != 0 || value > max) {
        give_up("--%s: %s: must be a number up to %" PRIu64, name, text, max);
    }
    return value;
}

static const airlift_powercut_scenario_t *find(const char *name, size_t len)
{
    for (const airlift_powercut_scenario_t *s = powercut_scenarios(); s != NULL; s = s->next) {
        if (strlen(s->name) == len && memcmp(s->name, name, len) == 0) {
            return s;
        }
    }
    give_up("%.*s: no such scenario; `airlift powercut --list` names them", (int)len, name);
}

int main(int argc, char **argv)
{
    enum {
        IMAGE = 256,
        FLASH_SIZE,
        LIST,
        SEED,
        SEEDS,
        EVERY,
        SAMPLE,
        SECOND,
        REAL,
        REPLAY,
        VERDICT
    };
    static const struct option long_options[] = {
        {"image", required_argument, NULL, IMAGE},
        {"flash-size", required_argument, NULL, FLASH_SIZE},
        {"list", no_argument, NULL, LIST},
        {"seed", required_argument, NULL, SEED},
        {"seeds", required_argument, NULL, SEEDS},
        {"every", required_argument, NULL, EVERY},
        {"sample", required_argument, NULL, SAMPLE},
        {"second", required_argument, NULL, SECOND},
        {"real", no_argument, NULL, REAL},
        {"replay", required_argument, NULL, REPLAY},
        {"verdict", required_argument, NULL, VERDICT},
        {0},
    };
    char *images[16];
    int image_count = 0;
    bool list = false;
    const char *board_path = NULL;
    int option;

    /* Children write the console to stdout; what is said here goes to where stdout was. */
    out_fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 10);
    int null_fd = open("/dev/null", O_RDWR);
    if (out_fd < 0 || null_fd < 0 || dup2(null_fd, STDOUT_FILENO) < 0 ||
        dup2(null_fd, STDIN_FILENO) < 0) {
        return EXIT_FAILURE;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    unsetenv(LINUX_BOARD_ENVIRONMENT);
    powercut_table_offset = CONFIG_PARTITION_TABLE_OFFSET;
    while ((option = getopt_long(argc, argv, "j:", long_options, NULL)) != -1) {
        switch (option) {
        case 'j':
            options.jobs = (unsigned)number("jobs", optarg, WORKERS_MAX);
            break;
        case IMAGE:
            if (image_count == 16) {
                give_up("--image: more than 16");
            }
            images[image_count++] = optarg;
            break;
        case FLASH_SIZE:
            options.flash_size = (uint32_t)number("flash-size", optarg, UINT32_MAX);
            break;
        case LIST:
            list = true;
            break;
        case SEED:
            options.seed = number("seed", optarg, UINT64_MAX);
            break;
        case SEEDS:
            options.seeds = (unsigned)number("seeds", optarg, 100);
            break;
        case EVERY:
            options.every = (unsigned)number("every", optarg, POWERCUT_OPERATIONS_MAX);
            break;
        case SAMPLE:
            options.sample = number("sample", optarg, UINT32_MAX);
            break;
        case SECOND:
            options.second = (unsigned)number("second", optarg, 1000000);
            break;
        case REAL:
            options.real = true;
            break;
        case REPLAY:
            options.replay = optarg;
            break;
        case VERDICT:
            board_path = optarg;
            break;
        default:
            return EXIT_FAILURE;
        }
    }
    if (options.jobs == 0 || options.every == 0) {
        give_up("--jobs and --every must be at least 1");
    }
    if (list) {
        for (const airlift_powercut_scenario_t *s = powercut_scenarios(); s != NULL; s = s->next) {
            say("L\t%s\t%s", s->name, s->summary);
        }
        return EXIT_SUCCESS;
    }
    if (board_path != NULL) {
        return verdict(board_path);
    }
    make_factory_flash(image_count, images);
    start_flash = map(options.flash_size, MAP_SHARED);
    start_state = map(sizeof(*start_state), MAP_SHARED);
    start_notes = map(sizeof(*start_notes), MAP_SHARED);
    powercut_record = map(sizeof(*powercut_record), MAP_SHARED);
    second_record = map(sizeof(*second_record), MAP_SHARED);
    progress = map(sizeof(*progress), MAP_SHARED);
    open_board();

    if (options.replay != NULL) {
        size_t len = strcspn(options.replay, ":");
        powercut_scenario = find(options.replay, len);
        bool real;
        if (!prepare() || !record_twice(&real)) {
            return EXIT_FAILURE;
        }
        powercut_shared->check_rom = true;
        return replay(options.replay + len + (options.replay[len] == ':'));
    }
    const airlift_powercut_scenario_t *chosen[SCENARIOS_MAX];
    size_t count = 0;
    for (int i = optind; i < argc && count < SCENARIOS_MAX; i++) {
        chosen[count++] = find(argv[i], strlen(argv[i]));
    }
    if (optind == argc) {
        for (const airlift_powercut_scenario_t *s = powercut_scenarios();
             s != NULL && count < SCENARIOS_MAX; s = s->next) {
            chosen[count++] = s;
        }
    }
    for (size_t i = 0; i < count; i++) {
        powercut_scenario = chosen[i];
        sweep();
    }
    return EXIT_SUCCESS;
}
