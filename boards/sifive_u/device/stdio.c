/* SPDX-License-Identifier: Apache-2.0
 *
 * stdin, stdout and stderr of the C library on the console. Output is collected to lines, so that
 * tasks do not cut each other's lines into characters; input is unbuffered, a line ends in LF. */
#include <stdio.h>

#include "hal/console.h"
#include "sifive_u/os.h"

#define LINE_SIZE 128u

static char s_line[LINE_SIZE];
static size_t s_length;

static void flush_locked(void)
{
    hal_console_write(s_line, s_length);
    s_length = 0;
}

static int put(char c, FILE *file)
{
    (void)file;
    sifive_u_os()->lock(SIFIVE_U_LOCK_STDIO);
    s_line[s_length++] = c;
    if (c == '\n' || s_length == LINE_SIZE) {
        flush_locked();
    }
    sifive_u_os()->unlock(SIFIVE_U_LOCK_STDIO);
    return (unsigned char)c;
}

static int flush(FILE *file)
{
    (void)file;
    sifive_u_os()->lock(SIFIVE_U_LOCK_STDIO);
    flush_locked();
    sifive_u_os()->unlock(SIFIVE_U_LOCK_STDIO);
    return 0;
}

static int get(FILE *file)
{
    char c;

    flush(file);
    if (hal_console_read(&c, 1) != 1) {
        return EOF;
    }
    /* A terminal's Enter key sends CR. */
    return c == '\r' ? '\n' : (unsigned char)c;
}

static FILE s_console = FDEV_SETUP_STREAM(put, get, flush, _FDEV_SETUP_RW);

FILE *const stdin = &s_console;
FILE *const stdout = &s_console;
FILE *const stderr = &s_console;
