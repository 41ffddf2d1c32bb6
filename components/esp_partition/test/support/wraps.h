/* SPDX-License-Identifier: Apache-2.0
 *
 * Conditions a test cannot make otherwise. Link with STORAGE_WRAPS (see support.cmake). */
#ifndef WRAPS_H
#define WRAPS_H

#include <stdbool.h>

/* The flash is not memory mapped. */
void wraps_unmapped(bool unmapped);

/* The nth malloc() or calloc() from now on (1 = the next one) fails; 0: none. */
void wraps_fail_malloc(unsigned nth);

/* Whether that one has happened. */
bool wraps_malloc_failed(void);

#endif
