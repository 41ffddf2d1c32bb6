/* SPDX-License-Identifier: Apache-2.0 */
#include "ui.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "commands.h"

const char *ui_style(FILE *stream, ui_style_t style)
{
    static const char *const sequences[] = {
        [UI_PLAIN] = "\033[0m",   [UI_BOLD] = "\033[1m", [UI_GREEN] = "\033[32m",
        [UI_YELLOW] = "\033[33m", [UI_RED] = "\033[31m", [UI_DIM] = "\033[2m",
    };
    const char *no_color = getenv("NO_COLOR");
    const char *term = getenv("TERM");

    if ((no_color != NULL && no_color[0] != '\0') || (term != NULL && strcmp(term, "dumb") == 0) ||
        !isatty(fileno(stream))) {
        return "";
    }
    return sequences[style];
}

/* A line goes out in one write: other threads and the other stream share the reader's pipe. */
static void say(const char *begin, const char *prefix, const char *end, const char *format,
                va_list args)
{
    char *text = NULL;

    fflush(stdout);
    if (vasprintf(&text, format, args) < 0) {
        text = NULL;
    }
    fprintf(stderr, "%s%s%s%s\n", begin, prefix, end, text != NULL ? text : format);
    free(text);
}

static void say_styled(ui_style_t style, const char *prefix, const char *format, va_list args)
{
    say(ui_style(stderr, style), prefix, ui_style(stderr, UI_PLAIN), format, args);
}

void ui_error(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    say_styled(UI_RED, "airlift: ", format, args);
    va_end(args);
}

void ui_warning(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    say_styled(UI_YELLOW, "airlift: warning: ", format, args);
    va_end(args);
}

void ui_note(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    say("", "", "", format, args);
    va_end(args);
}

int ui_usage_error(const char *verb, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    say_styled(UI_RED, "airlift: ", format, args);
    va_end(args);
    fprintf(stderr, "See `airlift %s --help`.\n", verb);
    return AIRLIFT_EXIT_USAGE;
}

int ui_bad_option(const char *verb, int argc, char **argv)
{
    /* getopt_long() leaves optopt 0 for an unknown long option, which then is argv[optind - 1]. */
    const char *word = optind > 0 && optind <= argc ? argv[optind - 1] : "";

    if (optopt != 0 && strncmp(word, "--", 2) != 0) {
        return ui_usage_error(verb, "-%c: unknown option, or its value is missing", optopt);
    }
    return ui_usage_error(verb, "%s: unknown option, or its value is missing", word);
}

static uint64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000u + (uint64_t)t.tv_nsec / 1000000u;
}

void ui_progress_begin(ui_progress_t *progress, const char *label, uint64_t total)
{
    progress->label = label;
    progress->total = total;
    progress->start_ms = now_ms();
    progress->drawn_ms = 0;
    progress->active = isatty(STDERR_FILENO);
}

void ui_progress_update(ui_progress_t *progress, uint64_t done)
{
    static const char bar[] = "##############################";
    const int width = (int)sizeof(bar) - 1;
    uint64_t now;

    if (!progress->active) {
        return;
    }
    now = now_ms();
    if (now - progress->drawn_ms < 50 && done != progress->total) {
        return;
    }
    progress->drawn_ms = now;
    if (progress->total == 0) {
        fprintf(stderr, "\r\033[K%s %llu KiB", progress->label, (unsigned long long)(done / 1024));
        return;
    }
    if (done > progress->total) {
        done = progress->total;
    }
    int filled = (int)(done * (uint64_t)width / progress->total);
    uint64_t elapsed = now - progress->start_ms;

    fprintf(stderr, "\r\033[K%s [%.*s%*s] %3d %%", progress->label, filled, bar, width - filled, "",
            (int)(done * 100u / progress->total));
    if (elapsed >= 200) {
        fprintf(stderr, " %llu KiB/s", (unsigned long long)(done * 1000u / 1024u / elapsed));
    }
}

void ui_progress_end(ui_progress_t *progress)
{
    if (progress->active) {
        fputs("\r\033[K", stderr);
        progress->active = false;
    }
}

/* Length of the UTF-8 character at text, 0 when there is none. */
static size_t utf8_length(const unsigned char *text)
{
    size_t len = text[0] < 0x80                       ? 1
                 : text[0] >= 0xC2 && text[0] <= 0xDF ? 2
                 : (text[0] & 0xF0) == 0xE0           ? 3
                 : text[0] >= 0xF0 && text[0] <= 0xF4 ? 4
                                                      : 0;
    for (size_t i = 1; i < len; i++) {
        if ((text[i] & 0xC0) != 0x80) {
            return 0;
        }
    }
    if ((text[0] == 0xE0 && text[1] < 0xA0) || (text[0] == 0xED && text[1] > 0x9F) ||
        (text[0] == 0xF0 && text[1] < 0x90) || (text[0] == 0xF4 && text[1] > 0x8F)) {
        return 0;
    }
    return len;
}

void ui_json_string(FILE *stream, const char *text)
{
    const unsigned char *p = (const unsigned char *)text;

    fputc('"', stream);
    while (*p != '\0') {
        size_t len = utf8_length(p);

        if (len == 0) {
            fputs("\\ufffd", stream);
            p++;
        } else if (*p < 0x20 || *p == 0x7F) {
            fprintf(stream, "\\u%04x", *p++);
        } else {
            if (*p == '"' || *p == '\\') {
                fputc('\\', stream);
            }
            fwrite(p, 1, len, stream);
            p += len;
        }
    }
    fputc('"', stream);
}

bool ui_parse_number(const char *text, bool size, uint64_t max, uint64_t *value)
{
    unsigned long long number;
    uint64_t unit = 1;
    char *end;
    int base = text[0] == '0' && (text[1] == 'x' || text[1] == 'X') ? 16 : 10;

    if (text[0] < '0' || text[0] > '9') {
        return false; /* strtoull() would take blanks and signs */
    }
    errno = 0;
    number = strtoull(text, &end, base);
    if (errno != 0) {
        return false;
    }
    if (size && (*end == 'k' || *end == 'K')) {
        unit = 1024;
        end++;
    } else if (size && (*end == 'm' || *end == 'M')) {
        unit = 1u << 20;
        end++;
    }
    if (unit > 1 && (*end == 'b' || *end == 'B')) {
        end++;
    }
    if (*end != '\0' || number > max / unit) {
        return false;
    }
    *value = number * unit;
    return true;
}
