/* SPDX-License-Identifier: Apache-2.0
 *
 * A board without files: its flash is the only one. */
#include "flash_file.h"

bool flash_file_wished(void)
{
    return false;
}

esp_err_t flash_file_open(void)
{
    return ESP_OK;
}

esp_err_t flash_file_close(void)
{
    return ESP_OK;
}
