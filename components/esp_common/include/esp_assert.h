/* SPDX-License-Identifier: Apache-2.0
 *
 * Compile-time checks. */
#ifndef ESP_ASSERT_H
#define ESP_ASSERT_H

#include <assert.h>

/* Stops the compiler with message when the constant condition is false. */
#ifndef ESP_STATIC_ASSERT
#define ESP_STATIC_ASSERT(condition, message) _Static_assert(condition, message)
#endif

#endif
