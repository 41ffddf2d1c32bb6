/* SPDX-License-Identifier: Apache-2.0
 *
 * What every target needs: the entry point, and a check that cannot be compiled out. */
#ifndef FORMATS_FUZZ_H
#define FORMATS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            __builtin_trap();                                                                      \
        }                                                                                          \
    } while (0)

#endif
