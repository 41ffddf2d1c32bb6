/* SPDX-License-Identifier: Apache-2.0 */
#include "wraps.h"

#include <stddef.h>
#include <stdint.h>

static bool s_unmapped;
static unsigned s_fail_malloc;

const void *__real_hal_flash_map(uint32_t address, size_t len);
const void *__wrap_hal_flash_map(uint32_t address, size_t len);
void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);

void wraps_unmapped(bool unmapped)
{
    s_unmapped = unmapped;
}

void wraps_fail_malloc(unsigned nth)
{
    s_fail_malloc = nth;
}

const void *__wrap_hal_flash_map(uint32_t address, size_t len)
{
    return s_unmapped ? NULL : __real_hal_flash_map(address, len);
}

static bool fails(void)
{
    return s_fail_malloc > 0 && --s_fail_malloc == 0;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}
