/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "esp_ota_ops.h"

void app_main(void)
{
    printf("running from %s\n", esp_ota_get_running_partition()->label);
}
