/* SPDX-License-Identifier: Apache-2.0
 *
 * Random bytes. */
#ifndef HAL_RANDOM_H
#define HAL_RANDOM_H

#include <stddef.h>

/* Fills buf with len random bytes fit for keys; what they are worth on a board is in its docs. */
void hal_random_fill(void *buf, size_t len);

#endif
