/* SPDX-License-Identifier: Apache-2.0
 *
 * What chip this is. */
#ifndef ESP_CHIP_INFO_H
#define ESP_CHIP_INFO_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The board's chip id as in image headers; boards of Airlift have ids of their own. */
typedef uint32_t esp_chip_model_t;

typedef struct {
    esp_chip_model_t model;
    uint32_t features; /* none of Espressif's */
    uint16_t revision; /* major * 100 + minor */
    uint8_t cores;
} esp_chip_info_t;

/* Fills *out_info. */
void esp_chip_info(esp_chip_info_t *out_info);

#ifdef __cplusplus
}
#endif

#endif
