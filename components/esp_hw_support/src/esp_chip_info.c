/* SPDX-License-Identifier: Apache-2.0 */
#include "esp_chip_info.h"
#include "hal/chip.h"

void esp_chip_info(esp_chip_info_t *out_info)
{
    *out_info = (esp_chip_info_t){
        .model = hal_chip()->id,
        .revision = hal_chip_revision(),
        .cores = 1,
    };
}
