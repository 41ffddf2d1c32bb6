/* SPDX-License-Identifier: Apache-2.0
 *
 * The board's own stdin (boards/sifive_u/device/stdio.c) is unbuffered, waits for input and turns
 * CR into LF from the start, so there is nothing left to switch. */
#include "esp_stdio_console.h"

esp_err_t esp_stdio_install_console(void)
{
    return ESP_OK;
}
