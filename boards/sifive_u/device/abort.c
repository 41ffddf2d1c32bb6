/* SPDX-License-Identifier: Apache-2.0
 *
 * abort() and exit(): there is no system to go back to. A file of its own, so that a test which
 * brings its own abort() gets it. */
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "panic.h"
#include "print.h"

_Noreturn void abort(void)
{
    uint32_t caller = (uint32_t)(uintptr_t)__builtin_return_address(0);

    sifive_u_panic_begin();
    print("\nabort() was called at PC 0x%08x on core 0\n", caller);
    sifive_u_panic_end();
}

_Noreturn void _exit(int status)
{
    sifive_u_panic_begin();
    print("\nThe program ended with status %d\n", (unsigned)status);
    sifive_u_panic_end();
}
