/* SPDX-License-Identifier: Apache-2.0
 *
 * Branch hints. */
#ifndef ESP_COMPILER_H
#define ESP_COMPILER_H

#ifndef likely
#define likely(x) __builtin_expect(!!(x), 1)
#endif
#ifndef unlikely
#define unlikely(x) __builtin_expect(!!(x), 0)
#endif

/* Marks a function the optimiser must keep as a function of its own. */
#define ESP_COMPILER_NOINLINE __attribute__((noinline))

#endif
