/* SPDX-License-Identifier: Apache-2.0
 *
 * airlift powercut: cuts the power of a project's board in every flash operation. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <libgen.h>
#include <limits.h>
#include <math.h>
#include <regex.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "board_args.h"
#include "child.h"
#include "commands.h"
#include "file.h"
#include "powercut_board.h"
#include "powercut_report.h"
#include "project_build.h"
#include "ui.h"

#define VERB "powercut"

#define EXIT_CANNOT_RUN  3
#define EXIT_INTERRUPTED 130

#define ENGINE_ARGS_MAX 256
#define WORKERS_MAX     64
#define TEXT_SIZE       64

typedef struct {
    project_t project;
    board_args_t board_args;
    bool no_build;
    bool list;
    bool board;
    const char *until;
    double timeout_s;
    unsigned jobs;
    uint64_t seed;
    const char *engine_options[16]; /* passed on: "--every", "3", ... */
    size_t engine_option_count;
    uint32_t every;
    uint32_t sample;
    const char *replay;
    const char *json;
    const char *svg;
    char **scenarios;
    int scenario_count;
    /* Found. */
    char build[PATH_MAX];
    char engine[PATH_MAX + sizeof("/powercut/engine")];
    flash_args_t files;
    char folder[64];
    uint32_t flash_size;
} job_t;

static volatile sig_atomic_t interrupted;

static void print_help(void)
{
    printf(
        "usage: airlift powercut [options] [SCENARIO ...]\n"
        "       airlift powercut [options] --board --until REGEX\n"
        "       airlift powercut [options] --replay POINT\n\n"
        "Cuts the power of a project's board before, inside and after every flash operation of a\n"
        "scenario, switches it on again and asks: does it boot, and the right version? Is otadata\n"
        "valid? Is everything there that was reported done? Does another update work? One trial "
        "in\n"
        "four gets a second cut while it recovers.\n\n"
        "Builds the project, then an engine of its own libraries, its bootloader, its "
        "configuration\n"
        "and its partition table, on a board in memory with small images. Scenarios that do not "
        "fit\n"
        "the project are skipped and say why. docs/powercut.md explains the rest, and how to add\n"
        "scenarios.\n\n"
        "  -C, --project-dir DIR  project folder (default: the current folder)\n"
        "  -B, --build-dir DIR    build folder (default: PROJECT/build)\n"
        "  -D, --define NAME=VALUE\n"
        "                         CMake cache entry, as for `airlift build`\n"
        "  --no-build             use the engine that was built before\n"
        "  --list                 name the scenarios\n\n"
        "What is tried:\n"
        "  -j, --jobs N           trials at a time (default: the number of processors)\n"
        "  --every N              only every N-th flash operation\n"
        "  --sample N             at most N cut points of each scenario, evenly spread\n"
        "  --seed N               of unstable bits, and of second cuts (default 1)\n"
        "  --seeds N              different unstable bits for each torn erase (default 2)\n"
        "  --second N             a second cut in one trial of N (default 4); 0: none\n"
        "  --real                 run the firmware up to every cut, instead of making the flash\n"
        "                         from the record of one run\n"
        "  --replay POINT         one trial with the console of bootloader and application:\n"
        "                         SCENARIO:OPERATION:WHERE[:SEED[:OPERATION:WHERE]], as a failure\n"
        "                         prints it; WHERE is before, after, a byte or P%%\n\n"
        "The real board:\n"
        "  --board                the project's own firmware on the linux board, a process for "
        "each\n"
        "                         boot; what it updates from must be running\n"
        "  --until REGEX          it has arrived when a console line matches this\n"
        "  --flash FILE           flash at the start of every trial (default: what the build\n"
        "                         flashes)\n"
        "  --timeout SECONDS      for each run (default 60)\n\n"
        "Reports:\n"
        "  --json FILE            everything, every cut point\n"
        "  --svg FILE             a picture: operations across, outcomes as colours\n"
        "  -h, --help\n\n"
        "Exit status: 0 every cut was survived, except those that no chip survives (the only copy\n"
        "of bootloader or partition table is being replaced); 1 something was lost, did not boot "
        "or\n"
        "does not work even uncut; 2 the command line was not understood; 3 the project could not\n"
        "be built, the engine not be run, or a report not be written; 130 interrupted, without a\n"
        "failure so far.\n");
}

/* --- the project --- */

static bool build_project(job_t *job)
{
    project_t *p = &job->project;
    if (!job->no_build && !project_configure(p)) {
        return false;
    }
    if (job->no_build) {
        if (!board_build_path(&job->board_args, job->build)) {
            return false;
        }
    } else {
        snprintf(job->build, sizeof(job->build), "%s", p->build_dir);
    }
    board_args_t args = job->board_args;
    args.build = job->build;
    board_kind_t kind;
    if (!board_find_kind(&args, &kind)) {
        return false;
    }
    if (kind.chip->id != FMT_CHIP_ID_LINUX) {
        ui_error("%s: is for board %s; power can be cut in flash operations of a linux board only: "
                 "build for IDF_TARGET=linux",
                 job->build, kind.chip->name);
        return false;
    }
    if (!job->no_build && project_make(p, "powercut") != 0) {
        return false;
    }
    snprintf(job->engine, sizeof(job->engine), "%s/powercut/engine", job->build);
    if (access(job->engine, X_OK) != 0) {
        ui_error("%s: is not there; leave out --no-build", job->engine);
        return false;
    }
    if (!flash_args_read(job->build, &job->files)) {
        return false;
    }
    job->flash_size = board_parse_flash_size(job->files.size);
    if (job->flash_size == 0) {
        ui_error("%s/flash_args: flash size %s: must be 1MB, 2MB, ... 128MB", job->build,
                 job->files.size);
        return false;
    }
    return true;
}

/* --- the engine --- */

/* The engine's command line; words are kept in a static store. False after an error message. */
static bool engine_arguments(const job_t *job, char *argv[ENGINE_ARGS_MAX])
{
    static char texts[FLASH_FILES_MAX][PATH_MAX + TEXT_SIZE];
    static char numbers[3][TEXT_SIZE];
    size_t argc = 0;
    snprintf(numbers[0], TEXT_SIZE, "0x%" PRIx32, job->flash_size);
    snprintf(numbers[1], TEXT_SIZE, "%u", job->jobs);
    snprintf(numbers[2], TEXT_SIZE, "%" PRIu64, job->seed);
    argv[argc++] = (char *)job->engine;
    argv[argc++] = "--flash-size";
    argv[argc++] = numbers[0];
    argv[argc++] = "-j";
    argv[argc++] = numbers[1];
    argv[argc++] = "--seed";
    argv[argc++] = numbers[2];
    for (size_t i = 0; i < job->files.count; i++) {
        snprintf(texts[i], sizeof(texts[i]), "0x%" PRIx32 "=%s", job->files.files[i].offset,
                 job->files.files[i].path);
        argv[argc++] = "--image";
        argv[argc++] = texts[i];
    }
    for (size_t i = 0; i < job->engine_option_count; i++) {
        argv[argc++] = (char *)job->engine_options[i];
    }
    if (job->list) {
        argv[argc++] = "--list";
    }
    if (job->replay != NULL) {
        argv[argc++] = "--replay";
        argv[argc++] = (char *)job->replay;
    }
    if (argc + (size_t)job->scenario_count + 1 > ENGINE_ARGS_MAX) {
        ui_error("too many scenarios");
        return false;
    }
    for (int i = 0; i < job->scenario_count; i++) {
        argv[argc++] = job->scenarios[i];
    }
    argv[argc] = NULL;
    return true;
}

/* Where every trial on the real board starts: the user's flash, or a new one of the build. */
static bool make_start_flash(const job_t *job, char path[PATH_MAX])
{
    char state[PATH_MAX + 8];
    if (job->board_args.flash != NULL) {
        snprintf(path, PATH_MAX, "%s", job->board_args.flash);
        snprintf(state, sizeof(state), "%s.state", path);
        if (access(path, R_OK) != 0 || access(state, R_OK) != 0) {
            ui_error("%s: no board: it or %s.state cannot be read: %s; `airlift flash --flash %s` "
                     "makes one, or leave out --flash",
                     path, path, strerror(errno), path);
            return false;
        }
        return true;
    }
    if (snprintf(path, PATH_MAX, "%s/powercut/start.flash", job->build) >= PATH_MAX) {
        ui_error("%s: the name is too long", job->build);
        return false;
    }
    snprintf(state, sizeof(state), "%s.state", path);
    unlink(path);
    unlink(state);
    char *argv[] = {"/proc/self/exe", "flash", "-B", (char *)job->build, "--flash", path, NULL};
    return child_run(argv, "/dev/null") == 0;
}

/* Where the trials on the real board have their files. */
static bool make_folder(job_t *job)
{
    const char *temporary = getenv("TMPDIR");
    snprintf(job->folder, sizeof(job->folder), "%s/airlift-powercut-XXXXXX",
             temporary != NULL && strlen(temporary) < 32 ? temporary : "/tmp");
    if (mkdtemp(job->folder) == NULL) {
        ui_error("%s: cannot be made: %s", job->folder, strerror(errno));
        job->folder[0] = '\0';
        return false;
    }
    return true;
}

/* With what is in it, if the sweep was interrupted. */
static void remove_folder(const job_t *job)
{
    DIR *folder = job->folder[0] != '\0' ? opendir(job->folder) : NULL;
    if (folder == NULL) {
        return;
    }
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            unlinkat(dirfd(folder), entry->d_name, 0);
        }
    }
    closedir(folder);
    rmdir(job->folder);
}

/* In the process of the engine. */
static _Noreturn void become_engine(const job_t *job, const char *start_flash, int fd)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGINT, SIG_DFL);
    if (job->board) {
        const powercut_board_options_t options = {
            .flash = start_flash,
            .folder = job->folder,
            .until = job->until,
            .engine = job->engine,
            .replay = job->replay,
            .timeout_s = job->timeout_s,
            .jobs = job->jobs,
            .every = job->every,
            .sample = job->sample,
        };
        if (job->replay != NULL) {
            dup2(fd, STDOUT_FILENO);
        }
        _exit(powercut_board(&options, fd));
    }
    char *argv[ENGINE_ARGS_MAX];
    if (engine_arguments(job, argv) && dup2(fd, STDOUT_FILENO) >= 0) {
        execv(argv[0], argv);
        ui_error("%s: cannot be run: %s", argv[0], strerror(errno));
    }
    _exit(EXIT_FAILURE);
}

/* Starts it in a group of its own, so that Ctrl-C is ours. Returns a stream of what it says. */
static FILE *start_engine(const job_t *job, const char *start_flash, pid_t *pid)
{
    int ends[2];
    fflush(NULL);
    if (pipe2(ends, O_CLOEXEC) != 0) {
        ui_error("pipe: %s", strerror(errno));
        return NULL;
    }
    *pid = fork();
    if (*pid == 0) {
        setpgid(0, 0);
        close(ends[0]);
        become_engine(job, start_flash, ends[1]);
    }
    close(ends[1]);
    FILE *lines = *pid > 0 ? fdopen(ends[0], "r") : NULL;
    if (lines == NULL) {
        ui_error("cannot start a process: %s", strerror(errno));
        close(ends[0]);
    }
    return lines;
}

static void stop_engine(pid_t pid)
{
    kill(-pid, SIGKILL);
    kill(pid, SIGKILL);
}

/* Its exit status; 128 + signal if a signal ended it. */
static int await_engine(pid_t pid)
{
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static void on_interrupt(int signal_number)
{
    (void)signal_number;
    interrupted = 1;
}

static void catch_interrupts(void)
{
    /* Without SA_RESTART: reading the engine's lines ends. */
    struct sigaction action = {.sa_handler = on_interrupt};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

/* --- a sweep --- */

static void show(powercut_report_t *report, ui_progress_t *progress, size_t *printed)
{
    const powercut_scenario_report_t *current = powercut_report_current(report);
    if (current != NULL) {
        if (!progress->active && current->planned > 0) {
            ui_progress_begin(progress, current->name, current->planned);
        }
        size_t done = 0;
        if (progress->active && current->point_count % 64 == 0) {
            for (size_t i = 0; i < current->point_count; i++) {
                done += current->points[i].second == 0;
            }
            ui_progress_update(progress, done);
        }
        return;
    }
    if (*printed < report->count) {
        ui_progress_end(progress);
        powercut_print_scenario(stdout, &report->scenarios[(*printed)++]);
        fflush(stdout);
    }
}

/* Reads what the engine says to its end. False: it ended in a way it should not. */
static bool collect(FILE *lines, pid_t pid, powercut_report_t *report)
{
    ui_progress_t progress = {0};
    char *line = NULL;
    size_t room = 0;
    size_t printed = 0;
    bool good = true;
    bool headed = false;
    while (good && !interrupted) {
        ssize_t len = getline(&line, &room, lines);
        if (len <= 0) {
            break;
        }
        if (line[len - 1] == '\n') {
            line[len - 1] = '\0';
        }
        good = powercut_report_take(report, line);
        if (!good) {
            ui_error("the engine said something else than a report: %s", line);
        }
        if (!headed && report->count > 0) {
            powercut_print_head(stdout);
            headed = true;
        }
        show(report, &progress, &printed);
    }
    ui_progress_end(&progress);
    report->interrupted = interrupted;
    if (interrupted || !good) {
        stop_engine(pid);
    }
    free(line);
    int status = await_engine(pid);
    powercut_scenario_report_t *current = powercut_report_current(report);
    if (current != NULL) {
        powercut_print_scenario(stdout, current);
    }
    if (interrupted) {
        return true;
    }
    if (report->failure != NULL) {
        ui_error("%s", report->failure);
        return false;
    }
    if (status != 0 || current != NULL) {
        ui_error("the engine ended with status %d", status);
        return false;
    }
    return good;
}

static int sweep(const job_t *job, const char *start_flash)
{
    pid_t pid;
    char replay[2 * PATH_MAX + 64];
    size_t len = (size_t)snprintf(replay, sizeof(replay), "airlift powercut");
    const char *project = job->board_args.project;
    if (project != NULL) {
        len += (size_t)snprintf(replay + len, sizeof(replay) - len, " -C %s", project);
    }
    if (job->board_args.build != NULL) {
        len +=
            (size_t)snprintf(replay + len, sizeof(replay) - len, " -B %s", job->board_args.build);
    }
    if (job->board) {
        snprintf(replay + len, sizeof(replay) - len, " --board --until '%s'%s%s", job->until,
                 job->board_args.flash != NULL ? " --flash " : "",
                 job->board_args.flash != NULL ? job->board_args.flash : "");
    }
    powercut_report_t report = {
        .project = project != NULL ? project : job->build, .replay = replay, .seed = job->seed};
    FILE *lines = start_engine(job, start_flash, &pid);
    if (lines == NULL) {
        return EXIT_CANNOT_RUN;
    }
    bool good = collect(lines, pid, &report);
    fclose(lines);
    if (!good && report.count == 0) {
        powercut_report_free(&report);
        return EXIT_CANNOT_RUN; /* nothing was tried, so there is nothing to report */
    }
    powercut_print_end(stdout, &report);
    if (job->json != NULL) {
        good = powercut_write_json(&report, job->json) && good;
    }
    if (job->svg != NULL) {
        good = powercut_write_svg(&report, job->svg) && good;
    }
    size_t failures = powercut_report_failures(&report);
    powercut_report_free(&report);
    if (!good) {
        return EXIT_CANNOT_RUN;
    }
    return failures > 0 ? AIRLIFT_EXIT_FAILURE : interrupted ? EXIT_INTERRUPTED : AIRLIFT_EXIT_OK;
}

/* For --list and --replay: shows lines as they come. */
static int pass_on(const job_t *job, const char *start_flash)
{
    pid_t pid;
    char *line = NULL;
    size_t room = 0;
    bool failed = false;
    FILE *lines = start_engine(job, start_flash, &pid);
    if (lines == NULL) {
        return EXIT_CANNOT_RUN;
    }
    for (ssize_t len; !interrupted && (len = getline(&line, &room, lines)) > 0;) {
        line[strcspn(line, "\n")] = '\0';
        char *rest = line;
        const char *kind = strlen(line) > 1 && line[1] == '\t' ? strsep(&rest, "\t") : "";
        if (strcmp(kind, "L") == 0) {
            const char *name = strsep(&rest, "\t");
            printf("%-18s %s\n", name, rest != NULL ? rest : "");
        } else if (strcmp(kind, "F") == 0) {
            ui_error("%s", rest);
            failed = true;
        } else if (strcmp(kind, "X") == 0 || strcmp(kind, "K") == 0) {
            const char *name = strsep(&rest, "\t");
            ui_error("%s: %s", name, rest != NULL ? rest : "");
            failed = true;
        } else {
            puts(rest);
            fflush(stdout);
        }
    }
    free(line);
    if (interrupted) {
        stop_engine(pid);
    }
    int status = await_engine(pid);
    fclose(lines);
    if (interrupted) {
        return EXIT_INTERRUPTED;
    }
    return failed || status > 1 ? EXIT_CANNOT_RUN : status;
}

/* --- the command line --- */

static bool parse_count(const char *text, uint64_t min, uint64_t max, uint64_t *value)
{
    return ui_parse_number(text, false, max, value) && *value >= min;
}

/* Whether a report may be written there: to be known before a sweep, not after it. */
static bool can_write(const char *path)
{
    char folder[PATH_MAX];
    if (path == NULL || strcmp(path, "-") == 0) {
        return true;
    }
    if (!file_make_parents(path)) {
        return false;
    }
    struct stat info;
    int problem = stat(path, &info) == 0 && S_ISDIR(info.st_mode) ? EISDIR : 0;
    snprintf(folder, sizeof(folder), "%s", path);
    const char *parent = dirname(folder);
    if (problem == 0 && stat(parent, &info) == 0 && !S_ISDIR(info.st_mode)) {
        problem = ENOTDIR;
    }
    if (problem == 0 && access(parent, W_OK) != 0) {
        problem = errno;
    }
    if (problem != 0) {
        ui_error("%s: cannot be written: %s", path, strerror(problem));
    }
    return problem == 0;
}

/* Whether it is a pattern the runner takes; if not, what is wrong with it. */
static bool is_pattern(const char *text, char *why, size_t why_size)
{
    regex_t pattern;
    int code = regcomp(&pattern, text, REG_EXTENDED | REG_NOSUB);
    if (code != 0) {
        regerror(code, &pattern, why, why_size);
        return false;
    }
    regfree(&pattern);
    return true;
}

static void pass(job_t *job, const char *name, const char *value)
{
    job->engine_options[job->engine_option_count++] = name;
    if (value != NULL) {
        job->engine_options[job->engine_option_count++] = value;
    }
}

static int run(int argc, char **argv)
{
    enum {
        NO_BUILD = 256,
        LIST,
        EVERY,
        SAMPLE,
        SEED,
        SEEDS,
        SECOND,
        REAL,
        REPLAY,
        BOARD,
        UNTIL,
        TIMEOUT,
        JSON,
        SVG,
    };
    static const struct option long_options[] = {
        BOARD_LONG_OPTIONS,
        {"define", required_argument, NULL, 'D'},
        {"jobs", required_argument, NULL, 'j'},
        {"no-build", no_argument, NULL, NO_BUILD},
        {"list", no_argument, NULL, LIST},
        {"every", required_argument, NULL, EVERY},
        {"sample", required_argument, NULL, SAMPLE},
        {"seed", required_argument, NULL, SEED},
        {"seeds", required_argument, NULL, SEEDS},
        {"second", required_argument, NULL, SECOND},
        {"real", no_argument, NULL, REAL},
        {"replay", required_argument, NULL, REPLAY},
        {"board", no_argument, NULL, BOARD},
        {"until", required_argument, NULL, UNTIL},
        {"timeout", required_argument, NULL, TIMEOUT},
        {"json", required_argument, NULL, JSON},
        {"svg", required_argument, NULL, SVG},
        {0},
    };
    static job_t job;
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    job = (job_t){.seed = 1, .timeout_s = 60, .every = 1};
    job.jobs = processors < 1 ? 1 : processors > WORKERS_MAX ? WORKERS_MAX : (unsigned)processors;
    uint64_t number;
    int option;

    opterr = 0;
    while ((option = getopt_long(argc, argv, BOARD_SHORT_OPTIONS "D:j:", long_options, NULL)) !=
           -1) {
        switch (option) {
        case 'D':
            if (!project_define(&job.project, optarg)) {
                return AIRLIFT_EXIT_USAGE;
            }
            break;
        case 'j':
            if (!parse_count(optarg, 1, WORKERS_MAX, &number)) {
                return ui_usage_error(VERB, "--jobs: %s: must be a number from 1 to %d", optarg,
                                      WORKERS_MAX);
            }
            job.jobs = (unsigned)number;
            break;
        case NO_BUILD:
            job.no_build = true;
            break;
        case LIST:
            job.list = true;
            break;
        case EVERY:
            if (!parse_count(optarg, 1, 60000, &number)) {
                return ui_usage_error(VERB, "--every: %s: must be a number from 1", optarg);
            }
            job.every = (uint32_t)number;
            pass(&job, "--every", optarg);
            break;
        case SAMPLE:
            if (!parse_count(optarg, 1, UINT32_MAX, &number)) {
                return ui_usage_error(VERB, "--sample: %s: must be a number from 1", optarg);
            }
            job.sample = (uint32_t)number;
            pass(&job, "--sample", optarg);
            break;
        case SEED:
            if (!parse_count(optarg, 0, UINT64_MAX, &job.seed)) {
                return ui_usage_error(VERB, "--seed: %s: not a number", optarg);
            }
            break;
        case SEEDS:
            if (!parse_count(optarg, 1, 100, &number)) {
                return ui_usage_error(VERB, "--seeds: %s: must be a number from 1 to 100", optarg);
            }
            pass(&job, "--seeds", optarg);
            break;
        case SECOND:
            if (!parse_count(optarg, 0, 1000000, &number)) {
                return ui_usage_error(VERB, "--second: %s: must be a number up to 1000000", optarg);
            }
            pass(&job, "--second", optarg);
            break;
        case REAL:
            pass(&job, "--real", NULL);
            break;
        case REPLAY:
            job.replay = optarg;
            break;
        case BOARD:
            job.board = true;
            break;
        case UNTIL:
            job.until = optarg;
            break;
        case TIMEOUT:
            job.timeout_s = strtod(optarg, NULL);
            if (!isfinite(job.timeout_s) || job.timeout_s <= 0) {
                return ui_usage_error(VERB, "--timeout: %s: not a time in seconds", optarg);
            }
            break;
        case JSON:
            job.json = optarg;
            break;
        case SVG:
            job.svg = optarg;
            break;
        case 'h':
            print_help();
            return AIRLIFT_EXIT_OK;
        default:
            if (!board_args_take(&job.board_args, option, optarg)) {
                return ui_bad_option(VERB, argc, argv);
            }
            break;
        }
        if (job.engine_option_count > 12) {
            return ui_usage_error(VERB, "too many options");
        }
    }
    job.scenarios = argv + optind;
    job.scenario_count = argc - optind;
    if (job.board && (job.until == NULL || job.list || job.scenario_count > 0)) {
        return ui_usage_error(VERB, "--board needs --until, and takes no scenarios");
    }
    if (!job.board && (job.until != NULL || job.board_args.flash != NULL)) {
        return ui_usage_error(VERB, "--until and --flash belong to --board");
    }
    if (job.replay != NULL && job.scenario_count > 0) {
        return ui_usage_error(VERB, "%s: --replay names its scenario itself", job.scenarios[0]);
    }
    if (job.board && job.replay != NULL && strncmp(job.replay, "board:", 6) == 0) {
        job.replay += 6;
    }
    char why[128];
    if (job.until != NULL && !is_pattern(job.until, why, sizeof(why))) {
        return ui_usage_error(VERB, "--until: %s: %s", job.until, why);
    }
    if (!can_write(job.json) || !can_write(job.svg)) {
        return EXIT_CANNOT_RUN;
    }
    job.board_args = board_args_whole(&job.board_args);
    job.project.project = job.board_args.project;
    job.project.build = job.board_args.build;
    char start_flash[PATH_MAX] = "";
    if (!build_project(&job) || (job.board && !make_start_flash(&job, start_flash))) {
        return EXIT_CANNOT_RUN;
    }
    catch_interrupts();
    if (job.board && !make_folder(&job)) {
        return EXIT_CANNOT_RUN;
    }
    bool passed_on = job.list || job.replay != NULL;
    int status = passed_on ? pass_on(&job, start_flash) : sweep(&job, start_flash);
    remove_folder(&job);
    return status;
}

const airlift_cmd_t airlift_cmd_powercut = {
    .name = VERB,
    .summary = "cut the power in every flash operation of an update",
    .run = run,
};
