/* SPDX-License-Identifier: Apache-2.0
 *
 * ESP-IDF's own functions beside FreeRTOS's; those Airlift has stand in task.h. */
#ifndef FREERTOS_IDF_ADDITIONS_H
#define FREERTOS_IDF_ADDITIONS_H

#include "freertos/FreeRTOS.h"
#include "freertos/task.h"

#endif
