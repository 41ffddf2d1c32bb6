/* SPDX-License-Identifier: Apache-2.0
 *
 * stdin for examples that ask the user something. */
#include "esp_stdio_console.h"
#include "protocol_examples_common.h"

esp_err_t example_configure_stdin_stdout(void)
{
    return esp_stdio_install_console();
}
