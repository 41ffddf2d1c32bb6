/* SPDX-License-Identifier: Apache-2.0
 *
 * Keeps the numbers that assembler and the runner use true to the structure. */
#include <stddef.h>

#include "sifive_u/board.h"

_Static_assert(sizeof(sifive_u_shared_t) <= SIFIVE_U_SHARED_SIZE, "shared block");
_Static_assert(offsetof(sifive_u_shared_t, reset_reason) == SIFIVE_U_SHARED_OFF_RESET_REASON, "");
_Static_assert(offsetof(sifive_u_shared_t, next_reason) == SIFIVE_U_SHARED_OFF_NEXT_REASON, "");
_Static_assert(offsetof(sifive_u_shared_t, watchdog_reason) == SIFIVE_U_SHARED_OFF_WATCHDOG_REASON,
               "");
_Static_assert(offsetof(sifive_u_shared_t, gpio) == SIFIVE_U_SHARED_OFF_GPIO, "");
_Static_assert(offsetof(sifive_u_shared_t, retain) % 4 == 0, "");
