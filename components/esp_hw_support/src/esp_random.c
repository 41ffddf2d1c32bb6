/* SPDX-License-Identifier: Apache-2.0 */
#include "esp_random.h"
#include "hal/random.h"

uint32_t esp_random(void)
{
    uint32_t value;
    hal_random_fill(&value, sizeof(value));
    return value;
}

void esp_fill_random(void *buf, size_t len)
{
    hal_random_fill(buf, len);
}
