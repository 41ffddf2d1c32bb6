/* SPDX-License-Identifier: Apache-2.0
 *
 * Random numbers, from the board's source (hal/random.h); the board's documentation says what they
 * are worth. */
#ifndef ESP_RANDOM_H
#define ESP_RANDOM_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

uint32_t esp_random(void);

/* Fills len bytes at buf. */
void esp_fill_random(void *buf, size_t len);

#ifdef __cplusplus
}
#endif

#endif
