/* SPDX-License-Identifier: Apache-2.0
 *
 * In a file without cmocka, which has an assert() of its own. */
#undef NDEBUG
#include <assert.h>

void fail_an_assert(int value);

void fail_an_assert(int value)
{
    assert(value == 2);
}
