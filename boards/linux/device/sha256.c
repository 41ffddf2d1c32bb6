/* SPDX-License-Identifier: Apache-2.0
 *
 * The board's SHA-256 engine is the host processor's, where it has one. */
#include "hal/sha256.h"

#include "sha256.h"

#if defined(__x86_64__)
#include <cpuid.h>

/* The SHA instructions, and SSSE3 and SSE4.1 that the code around them uses. */
static bool detect(void)
{
    unsigned eax, ebx, ecx, edx;
    if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) || !(ecx & bit_SSSE3) || !(ecx & bit_SSE4_1)) {
        return false;
    }
    return __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) && (ebx & bit_SHA) != 0;
}

bool hal_sha256_compress(uint32_t state[8], const uint8_t *blocks, size_t count)
{
    /* Two tasks may both find out; they find the same. */
    static _Atomic int known; /* 0 not yet, 1 no, 2 yes */
    int engine = known;
    if (engine == 0) {
        engine = detect() ? 2 : 1;
        known = engine;
    }
    if (engine == 1) {
        return false;
    }
    linux_sha256_compress_x86(state, blocks, count);
    return true;
}

#else

bool hal_sha256_compress(uint32_t state[8], const uint8_t *blocks, size_t count)
{
    (void)state;
    (void)blocks;
    (void)count;
    return false;
}

#endif
