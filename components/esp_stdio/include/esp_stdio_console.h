/* SPDX-License-Identifier: Apache-2.0
 *
 * The board's console as stdin. */
#ifndef ESP_STDIO_CONSOLE_H
#define ESP_STDIO_CONSOLE_H

#include "esp_err.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Makes stdin unbuffered and blocking on the board's console, and CR arrive as LF, so that
 * fgets(line, n, stdin) waits for a line ended by the Enter key. Output keeps its line ends: the
 * host's terminal adds the CR where it needs one. Call before anything reads stdin.
 * ESP_OK, also when called again. ESP_ERR_NO_MEM. */
esp_err_t esp_stdio_install_console(void);

#ifdef __cplusplus
}
#endif

#endif
