/* SPDX-License-Identifier: Apache-2.0 */
#include "project_build.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "board_args.h"
#include "child.h"
#include "commands.h"
#include "file.h"
#include "ui.h"

#ifndef AIRLIFT_SOURCE_DIR
#define AIRLIFT_SOURCE_DIR ""
#endif

#define CACHE_MAX (8u << 20)

bool project_define(project_t *p, const char *text)
{
    if (strchr(text, '=') == NULL || text[0] == '=') {
        ui_error("-D: %s: must be NAME=VALUE", text);
        return false;
    }
    if (p->define_count == PROJECT_DEFINES_MAX) {
        ui_error("-D: more than %d of them", PROJECT_DEFINES_MAX);
        return false;
    }
    p->defines[p->define_count++] = text;
    return true;
}

/* DIR/name, or false after a message. */
static bool join(char path[PATH_MAX], const char *dir, const char *name)
{
    int len = snprintf(path, PATH_MAX, "%s/%s", dir, name);

    if (len < 0 || len >= PATH_MAX) {
        ui_error("%s/%s: path too long", dir, name);
        return false;
    }
    return true;
}

static bool has(const char *dir, const char *name)
{
    char path[PATH_MAX];
    int len = snprintf(path, sizeof(path), "%s/%s", dir, name);

    return len > 0 && len < PATH_MAX && access(path, F_OK) == 0;
}

static bool find_folders(project_t *p)
{
    const char *project = p->project != NULL ? p->project : ".";
    char build[PATH_MAX];

    if (realpath(project, p->project_dir) == NULL) {
        ui_error("%s: %s", project, strerror(errno));
        return false;
    }
    if (!has(p->project_dir, "CMakeLists.txt")) {
        ui_error("%s: no CMakeLists.txt there; it is no project folder", p->project_dir);
        return false;
    }
    const board_args_t args = {.project = p->project_dir, .build = p->build};
    if (!board_build_path(&args, build)) {
        return false;
    }
    char inside[PATH_MAX];

    if (!join(inside, build, "log/.") || !file_make_parents(inside)) {
        return false;
    }
    if (realpath(build, p->build_dir) == NULL) {
        ui_error("%s: %s", build, strerror(errno));
        return false;
    }
    if (strcmp(p->build_dir, p->project_dir) == 0) {
        ui_error("%s: the build folder must not be the project folder", build);
        return false;
    }
    return true;
}

/* A board named in the place of the build folder is what is built for, with a configuration of its
 * own beside the project's, so that the two do not get into each other's way. */
static bool take_board(project_t *p)
{
    const fmt_chip_t *chip = board_by_build(p->build);

    if (chip == NULL) {
        return true;
    }
    snprintf(p->board_target, sizeof(p->board_target), "IDF_TARGET=%s", chip->name);
    snprintf(p->board_config, sizeof(p->board_config), "SDKCONFIG=sdkconfig.%s", chip->name);
    for (size_t i = 0; i < p->define_count; i++) {
        if (strncmp(p->defines[i], "SDKCONFIG=", 10) == 0 ||
            strncmp(p->defines[i], "SDKCONFIG:", 10) == 0) {
            return project_define(p, p->board_target);
        }
    }
    return project_define(p, p->board_target) && project_define(p, p->board_config);
}

/* CMake and Ninja do not notice another build in their folder; they damage each other's files. */
static bool lock_folder(project_t *p)
{
    p->lock = open(p->build_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int status = p->lock < 0 ? -1 : flock(p->lock, LOCK_EX | LOCK_NB);
    if (status != 0 && p->lock >= 0 && errno == EWOULDBLOCK) {
        ui_note("%s: another build is running there; waiting until it is done", p->build_dir);
        do {
            status = flock(p->lock, LOCK_EX);
        } while (status != 0 && errno == EINTR);
    }
    if (status != 0) {
        ui_error("%s: cannot be locked: %s", p->build_dir, strerror(errno));
    }
    return status == 0;
}

void project_release(project_t *p)
{
    if (p->lock >= 0) {
        close(p->lock);
        p->lock = -1;
    }
}

/* IDF_PATH and AIRLIFT_TOOL, for CMake and everything below it. */
static bool set_environment(void)
{
    const char *idf_path = getenv("IDF_PATH");
    char self[PATH_MAX];
    ssize_t len;

    /* Somebody's ESP-IDF may be in the environment; only another Airlift tree counts. */
    if (idf_path == NULL || !has(idf_path, "tools/cmake/build_tool.cmake")) {
        if (!has(AIRLIFT_SOURCE_DIR, "tools/cmake/project.cmake")) {
            ui_error("the Airlift tree this program was built from is gone; set IDF_PATH to one");
            return false;
        }
        if (idf_path != NULL) {
            ui_note("IDF_PATH=%s is no Airlift tree; using %s", idf_path, AIRLIFT_SOURCE_DIR);
        }
        setenv("IDF_PATH", AIRLIFT_SOURCE_DIR, 1);
    }
    if (getenv("AIRLIFT_TOOL") == NULL) {
        len = readlink("/proc/self/exe", self, sizeof(self) - 1);
        if (len > 0) {
            self[len] = '\0';
            setenv("AIRLIFT_TOOL", self, 1);
        }
    }
    return true;
}

/* Value of a line "KEY:TYPE=VALUE" of CMakeCache.txt, in place; NULL if there is none. */
static char *cache_value(char *cache, const char *key, size_t key_len, size_t *value_len)
{
    for (char *line = cache; line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, key, key_len) == 0 && line[key_len] == ':') {
            char *value = line + key_len + strcspn(line + key_len, "=\n");

            if (*value == '=') {
                *value_len = strcspn(value + 1, "\n");
                return value + 1;
            }
        }
    }
    return NULL;
}

static bool cache_has(char *cache, const char *key, const char *wanted)
{
    size_t len = 0;
    const char *value = cache_value(cache, key, strlen(key), &len);

    return value != NULL && len == strlen(wanted) && memcmp(value, wanted, len) == 0;
}

/* Whether CMake has to run; on failure *wrong is true, after a message. */
static bool needs_cmake(project_t *p, bool *wrong)
{
    char path[PATH_MAX];
    uint8_t *cache;
    size_t len;
    bool needed = p->reconfigure || !has(p->build_dir, "build.ninja");

    *wrong = false;
    if (!has(p->build_dir, "CMakeCache.txt")) {
        return true;
    }
    if (!join(path, p->build_dir, "CMakeCache.txt") || !file_read(path, CACHE_MAX, &cache, &len)) {
        *wrong = true;
        return false;
    }
    if (!cache_has((char *)cache, "CMAKE_HOME_DIRECTORY", p->project_dir)) {
        ui_error("%s: is the build folder of another project; remove it or name another with -B",
                 p->build_dir);
        *wrong = true;
    } else if (!cache_has((char *)cache, "CMAKE_GENERATOR", "Ninja")) {
        ui_error("%s: was not configured for Ninja; remove it or name another with -B",
                 p->build_dir);
        *wrong = true;
    }
    for (size_t i = 0; i < p->define_count && !*wrong; i++) {
        const char *define = p->defines[i];
        const char *wanted = strchr(define, '=') + 1;
        size_t value_len = 0;
        const char *value = cache_value((char *)cache, define, strcspn(define, ":="), &value_len);

        needed = needed || value == NULL || value_len != strlen(wanted) ||
                 memcmp(value, wanted, value_len) != 0;
    }
    free(cache);
    return needed;
}

static void show_log(const char *path)
{
    uint8_t *text;
    size_t len;

    if (file_read(path, CACHE_MAX, &text, &len)) {
        fwrite(text, 1, len, stderr);
        free(text);
    }
}

bool project_configure(project_t *p)
{
    bool wrong;

    p->lock = -1;
    if (!find_folders(p) || !set_environment() || !take_board(p) || !lock_folder(p)) {
        return false;
    }
    if (!needs_cmake(p, &wrong)) {
        return !wrong;
    }
    bool first = !has(p->build_dir, "CMakeCache.txt");
    char *argv[PROJECT_DEFINES_MAX * 2 + 16];
    size_t argc = 0;
    char log[PATH_MAX];
    char cache[PATH_MAX];

    if (!join(log, p->build_dir, "log/cmake.txt") || !join(cache, p->build_dir, "CMakeCache.txt")) {
        return false;
    }
    argv[argc++] = "cmake";
    argv[argc++] = "-G";
    argv[argc++] = "Ninja";
    argv[argc++] = "-S";
    argv[argc++] = p->project_dir;
    argv[argc++] = "-B";
    argv[argc++] = p->build_dir;
    argv[argc++] = "-DESP_PLATFORM=1";
    /* Also for the times when Ninja runs CMake. */
    argv[argc++] =
        p->verbose ? "-DCMAKE_MESSAGE_LOG_LEVEL=STATUS" : "-DCMAKE_MESSAGE_LOG_LEVEL=NOTICE";
    for (size_t i = 0; i < p->define_count; i++) {
        argv[argc++] = "-D";
        argv[argc++] = (char *)p->defines[i];
    }
    argv[argc] = NULL;
    fprintf(stderr, "%sConfiguring %s%s\n", ui_style(stderr, UI_BOLD), p->project_dir,
            ui_style(stderr, UI_PLAIN));
    int status = child_run(argv, p->verbose ? NULL : log);
    if (status != 0) {
        if (status > 0 && !p->verbose) {
            show_log(log);
        }
        if (first) {
            /* A half-made configuration would look like a whole one. */
            unlink(cache);
        }
        if (status > 0) {
            ui_error("%s: could not be configured, see above", p->project_dir);
        }
        return false;
    }
    return true;
}

int project_make(project_t *p, const char *target)
{
    char *argv[8];
    size_t argc = 0;
    char jobs[16];
    const char *wanted = getenv("IDF_PY_BUILD_JOBS");
    uint64_t number;

    argv[argc++] = "ninja";
    argv[argc++] = "-C";
    argv[argc++] = p->build_dir;
    if (wanted != NULL && ui_parse_number(wanted, false, 1024, &number) && number > 0) {
        snprintf(jobs, sizeof(jobs), "-j%u", (unsigned)number);
        argv[argc++] = jobs;
    }
    if (p->verbose) {
        argv[argc++] = "-v";
    }
    argv[argc++] = (char *)target;
    argv[argc] = NULL;
    int status = child_run(argv, NULL);

    return status < 0 ? AIRLIFT_EXIT_FAILURE : status;
}
