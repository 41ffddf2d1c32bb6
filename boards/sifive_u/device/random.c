/* SPDX-License-Identifier: Apache-2.0
 *
 * Random numbers, and what they are worth.
 *
 * Nothing on this board is unpredictable by design: it has no noise source. The numbers come from a
 * 32-byte pool that SHA-256 stirs, and the pool from two sources:
 *
 * - 48 bytes that the runner on the host takes from its operating system and puts into memory
 *   before it switches the board on. With them the pool is as good as the host's generator.
 * - Jitter between the cycle counter and the timer. Both follow the host's clock in the emulator;
 *   an observer of the host could guess most of it. It is mixed in because it costs nothing, and
 *   counts for nothing.
 *
 * A board started by hand, without the runner, has no seed: its numbers differ from boot to boot,
 * but nobody should protect anything with keys made from them. The same holds under -icount, which
 * makes the jitter repeatable as well.
 *
 * The emulator puts the same seed back at every reset. It is not used twice: the pool lives in
 * memory that survives a reset and moves on with every byte handed out, and taking one output says
 * nothing about earlier ones. */
#include "random.h"

#include <stdint.h>
#include <string.h>

#include "hal/random.h"
#include "mbedtls/sha256.h"
#include "sifive_u/board.h"
#include "sifive_u/clock.h"
#include "sifive_u/mmio.h"
#include "sifive_u/os.h"

#define POOL_SIZE    32u
#define JITTER_WORDS 16u

static uint8_t *pool(void)
{
    return (uint8_t *)(uintptr_t)SIFIVE_U_SHARED->random_pool;
}

/* out = SHA-256(label, pool, extra) */
static void digest(uint8_t label, const void *extra, size_t len, uint8_t out[POOL_SIZE])
{
    mbedtls_sha256_context sha;

    mbedtls_sha256_init(&sha);
    if (mbedtls_sha256_starts(&sha, 0) != 0 || mbedtls_sha256_update(&sha, &label, 1) != 0 ||
        mbedtls_sha256_update(&sha, pool(), POOL_SIZE) != 0 ||
        mbedtls_sha256_update(&sha, extra, len) != 0 || mbedtls_sha256_finish(&sha, out) != 0) {
        /* The software implementation cannot fail. */
        __builtin_trap();
    }
    mbedtls_sha256_free(&sha);
}

static void stir(uint8_t label, const void *extra, size_t len)
{
    uint8_t next[POOL_SIZE];

    digest(label, extra, len, next);
    memcpy(pool(), next, sizeof(next));
}

static void stir_jitter(void)
{
    uint32_t samples[JITTER_WORDS];

    for (unsigned i = 0; i < JITTER_WORDS; i++) {
        samples[i] = csr_read(mcycle) ^ (uint32_t)sifive_u_mtime() << 20;
    }
    stir('j', samples, sizeof(samples));
}

void sifive_u_random_boot(void)
{
    const volatile sifive_u_seed_t *seed = (const volatile sifive_u_seed_t *)SIFIVE_U_SEED_BASE;

    if (seed->magic == SIFIVE_U_SEED_MAGIC && seed->id != SIFIVE_U_SHARED->seed_used) {
        SIFIVE_U_SHARED->seed_used = seed->id;
        stir('s', (const void *)(uintptr_t)SIFIVE_U_SEED_BASE, SIFIVE_U_SEED_SIZE);
    }
    stir_jitter();
}

void hal_random_fill(void *buf, size_t len)
{
    uint8_t *out = buf;

    sifive_u_os()->lock(SIFIVE_U_LOCK_RANDOM);
    stir_jitter();
    while (len > 0) {
        uint8_t block[POOL_SIZE];
        size_t part = len < sizeof(block) ? len : sizeof(block);
        digest('o', NULL, 0, block);
        stir('n', NULL, 0);
        memcpy(out, block, part);
        memset(block, 0, sizeof(block));
        out += part;
        len -= part;
    }
    sifive_u_os()->unlock(SIFIVE_U_LOCK_RANDOM);
}
