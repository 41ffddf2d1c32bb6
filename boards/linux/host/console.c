/* SPDX-License-Identifier: Apache-2.0 */
#include "console.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KEY_QUIT     0x1D /* Ctrl-] */
#define KEY_MENU     0x14 /* Ctrl-T */
#define MENU_RESET   0x12 /* Ctrl-R */
#define MENU_SILENCE 0x19 /* Ctrl-Y */
#define MENU_HELP    0x08 /* Ctrl-H */
#define MENU_QUIT    0x18 /* Ctrl-X */

static const char *failed(char *error, size_t size, const char *what, const char *why)
{
    snprintf(error, size, "%s: %s", what, why);
    return error;
}

static const char *compile_patterns(console_t *console, const linux_run_options_t *options,
                                    char *error, size_t error_size)
{
    console->patterns = calloc(options->until_count + 1, sizeof(console->patterns[0]));
    if (console->patterns == NULL) {
        return "out of memory";
    }
    for (size_t i = 0; i < options->until_count; i++) {
        int code = regcomp(&console->patterns[i], options->until[i], REG_EXTENDED | REG_NOSUB);
        if (code != 0) {
            char why[128];
            regerror(code, &console->patterns[i], why, sizeof(why));
            return failed(error, error_size, options->until[i], why);
        }
        console->pattern_count++;
    }
    console->matches_left = options->until_times > 0 ? options->until_times : 1;
    return NULL;
}

/* Only a foreground process may change the terminal; keys stay lines otherwise. */
static void use_keys(console_t *console)
{
    if (!isatty(STDIN_FILENO) || tcgetpgrp(STDIN_FILENO) != getpgrp() ||
        tcgetattr(STDIN_FILENO, &console->saved) != 0) {
        return;
    }
    struct termios mode = console->saved;
    mode.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ISIG | IEXTEN);
    mode.c_iflag &= ~(tcflag_t)(IXON);
    mode.c_cc[VMIN] = 1;
    mode.c_cc[VTIME] = 0;
    console->keys = tcsetattr(STDIN_FILENO, TCSANOW, &mode) == 0;
}

const char *console_open(console_t *console, const linux_run_options_t *options, char *error,
                         size_t error_size)
{
    *console = (console_t){.out = {-1, -1}, .in = {-1, -1}, .copy = -1, .stdin_open = true};
    const char *problem = compile_patterns(console, options, error, error_size);
    if (problem != NULL) {
        return problem;
    }
    if (pipe2(console->out, O_CLOEXEC) != 0 || pipe2(console->in, O_CLOEXEC) != 0 ||
        fcntl(console->out[0], F_SETFL, O_NONBLOCK) != 0 ||
        fcntl(console->in[1], F_SETFL, O_NONBLOCK) != 0) {
        return failed(error, error_size, "pipe", strerror(errno));
    }
    if (options->console_path != NULL) {
        console->copy = open(options->console_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
        if (console->copy < 0) {
            return failed(error, error_size, options->console_path, strerror(errno));
        }
    }
    if (options->keys) {
        use_keys(console);
    }
    return NULL;
}

static void close_fd(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
        *fd = -1;
    }
}

void console_close(console_t *console)
{
    if (console->keys) {
        tcsetattr(STDIN_FILENO, TCSANOW, &console->saved);
    }
    for (int i = 0; i < 2; i++) {
        close_fd(&console->out[i]);
        close_fd(&console->in[i]);
    }
    close_fd(&console->copy);
    for (size_t i = 0; i < console->pattern_count; i++) {
        regfree(&console->patterns[i]);
    }
    free(console->patterns);
    console->patterns = NULL;
    console->pattern_count = 0;
}

static void write_all(int fd, const char *text, size_t len)
{
    while (len > 0) {
        ssize_t written = write(fd, text, len);
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            return; /* nobody reads: the board goes on */
        }
        text += written;
        len -= (size_t)written;
    }
}

static void print(console_t *console, const char *text, size_t len)
{
    if (!console->muted) {
        write_all(STDOUT_FILENO, text, len);
    }
    if (console->copy >= 0) {
        write_all(console->copy, text, len);
    }
}

static bool line_matches(console_t *console)
{
    if (console->line_len > 0 && console->line[console->line_len - 1] == '\r') {
        console->line_len--;
    }
    console->line[console->line_len] = '\0';
    for (size_t i = 0; i < console->pattern_count; i++) {
        if (regexec(&console->patterns[i], console->line, 0, NULL, 0) == 0) {
            return true;
        }
    }
    return false;
}

console_event_t console_show(console_t *console, const char *text, size_t len)
{
    if (console->pattern_count == 0) {
        print(console, text, len);
        return CONSOLE_GO_ON;
    }
    size_t printed = 0;
    for (size_t i = 0; i < len; i++) {
        if (text[i] != '\n') {
            /* A NUL byte would end the text a pattern sees. */
            if (console->line_len + 1 < sizeof(console->line) && text[i] != '\0') {
                console->line[console->line_len++] = text[i];
            }
            continue;
        }
        bool matches = line_matches(console);
        console->line_len = 0;
        if (matches && --console->matches_left == 0) {
            print(console, text + printed, i + 1 - printed);
            return CONSOLE_QUIT;
        }
    }
    print(console, text + printed, len - printed);
    return CONSOLE_GO_ON;
}

console_event_t console_drain(console_t *console, bool all)
{
    char text[16384];
    console_event_t event = CONSOLE_GO_ON;
    do {
        ssize_t got = read(console->out[0], text, sizeof(text));
        if (got <= 0) {
            break;
        }
        event = console_show(console, text, (size_t)got);
    } while (all && event == CONSOLE_GO_ON);
    return event;
}

bool console_wants_input(const console_t *console)
{
    return console->stdin_open && console->pending_len == 0;
}

void console_pass_input(console_t *console)
{
    while (console->pending_len > 0) {
        ssize_t written = write(console->in[1], console->pending, console->pending_len);
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written < 0) {
            if (errno != EAGAIN) {
                console->pending_len = 0;
            }
            break;
        }
        console->pending_len -= (size_t)written;
        memmove(console->pending, console->pending + written, console->pending_len);
    }
    /* The board sees the end of its input once everything before it is on its way. */
    if (console->pending_len == 0 && !console->stdin_open) {
        close_fd(&console->in[1]);
    }
}

static void help(void)
{
    static const char text[] = "--- Ctrl-]  quit\n"
                               "--- Ctrl-T  then Ctrl-R  reset the board\n"
                               "---         then Ctrl-Y  stop or show the output\n"
                               "---         then Ctrl-T or Ctrl-]  send that key to the board\n"
                               "---         then Ctrl-X  quit\n"
                               "---         then Ctrl-H  this help\n";
    write_all(STDERR_FILENO, text, sizeof(text) - 1);
}

static console_event_t menu_key(console_t *console, char key)
{
    switch (key) {
    case KEY_QUIT:
    case KEY_MENU:
        console->pending[console->pending_len++] = key;
        return CONSOLE_GO_ON;
    case MENU_RESET:
        return CONSOLE_RESET;
    case MENU_SILENCE:
        console->muted = !console->muted;
        return CONSOLE_GO_ON;
    case MENU_QUIT:
    case 'x':
    case 'X':
        return CONSOLE_QUIT;
    default:
        help();
        return CONSOLE_GO_ON;
    }
}

console_event_t console_take_input(console_t *console)
{
    char keys[sizeof(console->pending)];
    ssize_t got = read(STDIN_FILENO, keys, sizeof(keys));
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) {
        return CONSOLE_GO_ON;
    }
    if (got <= 0) {
        console->stdin_open = false;
        console_pass_input(console);
        return CONSOLE_GO_ON;
    }
    console_event_t event = CONSOLE_GO_ON;
    for (ssize_t i = 0; i < got && event != CONSOLE_QUIT; i++) {
        if (!console->keys) {
            console->pending[console->pending_len++] = keys[i];
        } else if (console->menu) {
            console->menu = false;
            event = menu_key(console, keys[i]);
        } else if (keys[i] == KEY_MENU) {
            console->menu = true;
        } else if (keys[i] == KEY_QUIT) {
            event = CONSOLE_QUIT;
        } else {
            console->pending[console->pending_len++] = keys[i];
        }
    }
    console_pass_input(console);
    return event;
}
