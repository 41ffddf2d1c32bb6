/* SPDX-License-Identifier: Apache-2.0
 *
 * The verbs of airlift.
 *
 * A verb is one file cmd_VERB.c that defines `const airlift_cmd_t airlift_cmd_VERB` (hyphens become
 * underscores), found by the build by its name. This list fixes their order in the help; a verb
 * whose file is not part of the build is simply not offered. Libraries a verb needs go to a
 * fragment cmd_VERB.cmake beside it. */
#ifndef AIRLIFT_COMMANDS_H
#define AIRLIFT_COMMANDS_H

#include <stddef.h>

typedef struct {
    const char *name;    /* as typed: "erase-flash" */
    const char *summary; /* one line, no full stop */
    /* argv[0] is the name; returns the exit status: one of AIRLIFT_EXIT_*, unless its help says
     * otherwise. Parses its own options with getopt_long(), --help included. */
    int (*run)(int argc, char **argv);
} airlift_cmd_t;

enum {
    AIRLIFT_EXIT_OK = 0,
    AIRLIFT_EXIT_FAILURE = 1, /* it was understood but did not work */
    AIRLIFT_EXIT_USAGE = 2,   /* it was not understood */
};

#define AIRLIFT_COMMANDS(X)                                                                        \
    X(build)                                                                                       \
    X(menuconfig)                                                                                  \
    X(flash)                                                                                       \
    X(run)                                                                                         \
    X(monitor)                                                                                     \
    X(gpio)                                                                                        \
    X(board)                                                                                       \
    X(erase_flash)                                                                                 \
    X(erase_otadata)                                                                               \
    X(serve)                                                                                       \
    X(cert)                                                                                        \
    X(image)                                                                                       \
    X(partition_table)                                                                             \
    X(otadata)                                                                                     \
    X(otatool)                                                                                     \
    X(parttool)                                                                                    \
    X(powercut)                                                                                    \
    X(nvs)                                                                                         \
    X(check_sizes)

/* Those of them that take -C and -B, which may then stand in front of the verb (board_args.h). */
#define AIRLIFT_BOARD_COMMANDS(X)                                                                  \
    X(build)                                                                                       \
    X(menuconfig)                                                                                  \
    X(flash)                                                                                       \
    X(run)                                                                                         \
    X(monitor)                                                                                     \
    X(gpio)                                                                                        \
    X(board)                                                                                       \
    X(erase_flash)                                                                                 \
    X(erase_otadata)                                                                               \
    X(powercut)

#define AIRLIFT_DECLARE_COMMAND(name)                                                              \
    extern const airlift_cmd_t airlift_cmd_##name __attribute__((weak));
AIRLIFT_COMMANDS(AIRLIFT_DECLARE_COMMAND)
#undef AIRLIFT_DECLARE_COMMAND

/* Runs the entry of subs (ended by a NULL name) that argv[1] names, with argv moved on by one, for
 * verbs that have verbs of their own ("image info"). verb is the full name of the outer one.
 * --help, nothing and unknown words are handled here. */
int airlift_run_sub(const char *verb, const airlift_cmd_t *subs, int argc, char **argv);

#endif
