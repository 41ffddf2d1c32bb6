/* SPDX-License-Identifier: Apache-2.0
 *
 * The runner's end of the board's console: output to stdout (and a file), line by line past the
 * patterns that end a run; input from stdin, with the keys of a monitor. */
#ifndef LINUX_BOARD_HOST_CONSOLE_H
#define LINUX_BOARD_HOST_CONSOLE_H

#include <regex.h>
#include <stdbool.h>
#include <stddef.h>
#include <termios.h>

#include "linux_board_host/runner.h"

typedef enum {
    CONSOLE_GO_ON,
    CONSOLE_QUIT,  /* the quit key, or a pattern matched often enough */
    CONSOLE_RESET, /* the reset key */
} console_event_t;

typedef struct {
    /* Pipes to and from the board: [0] is for reading. */
    int out[2];
    int in[2];
    int copy; /* file, or -1 */
    bool stdin_open;
    bool muted; /* by key: output is dropped */

    regex_t *patterns;
    size_t pattern_count;
    unsigned matches_left;
    char line[4096]; /* the line so far; what does not fit takes no part in matching */
    size_t line_len;

    char pending[1024]; /* input the board has not taken yet */
    size_t pending_len;

    bool keys; /* terminal in key mode */
    bool menu; /* the next key is a command */
    struct termios saved;
} console_t;

/* Prepares everything. Returns NULL or a text that says what went wrong (static or in error). */
const char *console_open(console_t *console, const linux_run_options_t *options, char *error,
                         size_t error_size);
void console_close(console_t *console);

/* Shows text of the board; tells whether the run is to end. After CONSOLE_QUIT the rest of the text
 * is dropped. */
console_event_t console_show(console_t *console, const char *text, size_t len);

/* Shows what the board has written so far, without waiting: all of it, or a piece of bounded
 * size. */
console_event_t console_drain(console_t *console, bool all);

/* stdin has input, or ended: takes it. Call only while console_wants_input(). */
console_event_t console_take_input(console_t *console);
bool console_wants_input(const console_t *console);

/* Gives the board what is pending, as far as it takes it. */
void console_pass_input(console_t *console);

#endif
