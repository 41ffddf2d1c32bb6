/* SPDX-License-Identifier: Apache-2.0
 *
 * Commands on the console, one a line, for tests. Each answers with one line that begins with
 * "= " or "! ". */
#ifndef PROBE_H
#define PROBE_H

#include <stdbool.h>
#include <stdint.h>

#define PROBE_MAX_ARGS 4

typedef struct {
    const char *name;
    void (*run)(const uint32_t args[PROBE_MAX_ARGS]);
} probe_command_t;

/* Prints "NAME ready" and serves commands for ever: those of every probe, and more (ends with a
 * NULL name). */
_Noreturn void probe_serve(const char *name, const probe_command_t *more);

#endif
