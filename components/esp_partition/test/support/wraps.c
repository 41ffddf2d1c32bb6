/* SPDX-License-Identifier: Apache-2.0 */
#include "wraps.h"

#include <stddef.h>
#include <stdint.h>

static bool s_unmapped;
static unsigned s_fail_malloc;
static bool s_malloc_failed;

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
    s_malloc_failed = false;
}

bool wraps_malloc_failed(void)
{
    return s_malloc_failed;
}

const void *__wrap_hal_flash_map(uint32_t address, size_t len)
{
    return s_unmapped ? NULL : __real_hal_flash_map(address, len);
}

static bool fails(void)
{
    if (s_fail_malloc == 0 || --s_fail_malloc > 0) {
        return false;
    }
    s_malloc_failed = true;
    return true;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}
