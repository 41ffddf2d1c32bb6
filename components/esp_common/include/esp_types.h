/* SPDX-License-Identifier: Apache-2.0
 *
 * The C headers ESP-IDF sources expect under one name. */
#ifndef ESP_TYPES_H
#define ESP_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#endif
