/* SPDX-License-Identifier: Apache-2.0
 *
 * How airlift talks: results on stdout, everything else on stderr; colour and progress bars only
 * where a person watches. */
#ifndef AIRLIFT_UI_H
#define AIRLIFT_UI_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* "airlift: TEXT" on stderr. Write errors as "file: field: value: rule", as much of it as there
 * is. No newline at the end. */
void ui_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* "airlift: warning: TEXT" on stderr. */
void ui_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* A remark on stderr, as it is. */
void ui_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* An error about the command line, with a pointer at `airlift VERB --help`. Returns
 * AIRLIFT_EXIT_USAGE, so that a verb can return it. */
int ui_usage_error(const char *verb, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* For getopt_long(): explains what it returned '?' or ':' for (use opterr = 0). Same return. */
int ui_bad_option(const char *verb, int argc, char **argv);

typedef enum {
    UI_PLAIN,
    UI_BOLD,
    UI_GREEN,
    UI_YELLOW,
    UI_RED,
    UI_DIM,
} ui_style_t;

/* Escape sequence that begins a style on stream, or "" where stream is no terminal, NO_COLOR is set
 * or TERM is "dumb". UI_PLAIN ends every style. */
const char *ui_style(FILE *stream, ui_style_t style);

/* Progress of a long job. Drawn on stderr, only if that is a terminal, at most 20 times a
 * second. */
typedef struct {
    const char *label;
    uint64_t total;    /* bytes; 0: unknown */
    uint64_t drawn_ms; /* private */
    uint64_t start_ms; /* private */
    bool active;       /* private */
} ui_progress_t;

void ui_progress_begin(ui_progress_t *progress, const char *label, uint64_t total);
void ui_progress_update(ui_progress_t *progress, uint64_t done);
/* Removes the bar; call it before printing anything else. */
void ui_progress_end(ui_progress_t *progress);

/* text as a JSON string, quotes included. Bytes that are no UTF-8 become U+FFFD. */
void ui_json_string(FILE *stream, const char *text);

/* Parses a whole number, decimal or 0x...; with size also with k, M suffixes (1024, 1048576; a B
 * after them is allowed: "4MB"). False: not a number, or larger than max. */
bool ui_parse_number(const char *text, bool size, uint64_t max, uint64_t *value);

#endif
