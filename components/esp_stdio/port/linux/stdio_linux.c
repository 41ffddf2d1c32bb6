/* SPDX-License-Identifier: Apache-2.0
 *
 * stdin of the host's C library over the board's console. */
#include <pthread.h>
#include <stdio.h>

#include "esp_stdio_console.h"
#include "hal/console.h"

static FILE *console_input;
static pthread_once_t installed = PTHREAD_ONCE_INIT;

static ssize_t read_console(void *cookie, char *buf, size_t size)
{
    (void)cookie;
    size_t length = hal_console_read(buf, size);

    for (size_t i = 0; i < length; i++) {
        if (buf[i] == '\r') {
            buf[i] = '\n';
        }
    }
    return (ssize_t)length;
}

static void install(void)
{
    console_input = fopencookie(NULL, "r", (cookie_io_functions_t){.read = read_console});
    if (console_input != NULL) {
        setvbuf(console_input, NULL, _IONBF, 0);
        stdin = console_input;
    }
}

esp_err_t esp_stdio_install_console(void)
{
    pthread_once(&installed, install);
    return console_input != NULL ? ESP_OK : ESP_ERR_NO_MEM;
}
