/* SPDX-License-Identifier: Apache-2.0 */
#include "hal/console.h"

#include <errno.h>
#include <pthread.h>
#include <unistd.h>

#include "board.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void write_all(const char *text, size_t len)
{
    while (len > 0) {
        ssize_t written = write(STDOUT_FILENO, text, len);
        if (written < 0) {
            if (errno == EINTR) {
                continue;
            }
            return; /* nobody listens: a board goes on without its console */
        }
        text += written;
        len -= (size_t)written;
    }
}

void hal_console_write(const char *text, size_t len)
{
    /* write() is a cancellation point; a task deleted in it would leave the console locked. */
    int cancel_state;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
    pthread_mutex_lock(&lock);
    write_all(text, len);
    pthread_mutex_unlock(&lock);
    pthread_setcancelstate(cancel_state, NULL);
}

size_t hal_console_read(char *buf, size_t len)
{
    if (len == 0) {
        return 0;
    }
    for (;;) {
        ssize_t got = read(STDIN_FILENO, buf, len);
        if (got >= 0) {
            return (size_t)got;
        }
        if (errno != EINTR) {
            return 0;
        }
    }
}
