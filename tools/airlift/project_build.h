/* SPDX-License-Identifier: Apache-2.0
 *
 * Configuring and building a project: CMake and Ninja, with the environment the build system
 * wants. */
#ifndef AIRLIFT_PROJECT_BUILD_H
#define AIRLIFT_PROJECT_BUILD_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#define PROJECT_DEFINES_MAX 64

typedef struct {
    const char *project;                      /* NULL: the current folder */
    const char *build;                        /* NULL: build in the project folder; a board's
                                                 name: see board_by_build() */
    const char *defines[PROJECT_DEFINES_MAX]; /* "K=V" or "K:TYPE=V" */
    size_t define_count;
    bool reconfigure; /* run CMake although nothing asks for it */
    bool verbose;
    /* Found by project_configure(). */
    char project_dir[PATH_MAX];
    char build_dir[PATH_MAX];
    char board_target[64]; /* defines of a board that -B names */
    char board_config[64];
    int lock; /* the build folder, which one build uses at a time */
} project_t;

/* Adds a cache entry; false after an error message: no '=' in it, or too many. */
bool project_define(project_t *p, const char *text);

/* Waits for a build that uses the build folder, after a note, then runs CMake where needed. False
 * after an error message. */
bool project_configure(project_t *p);

/* Lets other builds use the build folder; after project_configure(), whatever that returned. */
void project_release(project_t *p);

/* Runs Ninja for a target ("all", "app", "menuconfig", ...). Returns its exit status, or
 * AIRLIFT_EXIT_FAILURE after an error message. */
int project_make(project_t *p, const char *target);

#endif
