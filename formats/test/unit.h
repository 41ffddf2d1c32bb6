/* SPDX-License-Identifier: Apache-2.0
 *
 * cmocka and what every test here needs. */
#ifndef FORMATS_TEST_UNIT_H
#define FORMATS_TEST_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

static inline void from_hex(const char *hex, uint8_t *out)
{
    for (; hex[0] != '\0' && hex[1] != '\0'; hex += 2) {
        char pair[3] = {hex[0], hex[1], '\0'};
        unsigned value = 0;

        for (int i = 0; i < 2; i++) {
            const char *digits = "0123456789abcdef";

            value = value * 16 + (unsigned)(strchr(digits, pair[i]) - digits);
        }
        *out++ = (uint8_t)value;
    }
}

#endif
