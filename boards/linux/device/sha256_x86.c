/* SPDX-License-Identifier: Apache-2.0
 *
 * The SHA-256 compression function (FIPS 180-4, 6.2.2) with the x86 SHA instructions. Called only
 * where cpuid reports them; nothing else in the program may be compiled to use them. */
#include "sha256.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define USES_SHA __attribute__((target("sha,sse4.1")))
/* Also where the compiler saves space: a call for four rounds costs more than they do. */
#define INLINE static inline __attribute__((always_inline))

static const uint32_t round_constants[64] __attribute__((aligned(16))) = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

/* The instructions keep the eight working variables in two registers, (a b e f) and (c d g h) with
 * the first named in the highest lane. */
typedef struct {
    __m128i abef;
    __m128i cdgh;
} working_t;

/* Rounds t .. t + 3 on the message words w, t a multiple of 4. */
USES_SHA INLINE void four_rounds(working_t *v, __m128i w, unsigned t)
{
    __m128i sum = _mm_add_epi32(w, _mm_load_si128((const __m128i *)&round_constants[t]));
    v->cdgh = _mm_sha256rnds2_epu32(v->cdgh, v->abef, sum);
    v->abef = _mm_sha256rnds2_epu32(v->abef, v->cdgh, _mm_shuffle_epi32(sum, 0x0E));
}

/* Words t+16 .. t+19 of the message schedule out of words t .. t+15, four in each argument. */
USES_SHA INLINE __m128i schedule(__m128i w0, __m128i w4, __m128i w8, __m128i w12)
{
    __m128i sum = _mm_add_epi32(_mm_sha256msg1_epu32(w0, w4), _mm_alignr_epi8(w12, w8, 4));
    return _mm_sha256msg2_epu32(sum, w12);
}

USES_SHA void linux_sha256_compress_x86(uint32_t state[8], const uint8_t *blocks, size_t count)
{
    const __m128i big_endian = _mm_set_epi8(12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3);

    __m128i dcba = _mm_loadu_si128((const __m128i *)&state[0]);
    __m128i hgfe = _mm_loadu_si128((const __m128i *)&state[4]);
    __m128i cdab = _mm_shuffle_epi32(dcba, 0xB1);
    __m128i efgh = _mm_shuffle_epi32(hgfe, 0x1B);
    working_t v = {.abef = _mm_alignr_epi8(cdab, efgh, 8),
                   .cdgh = _mm_blend_epi16(efgh, cdab, 0xF0)};

    for (; count > 0; count--, blocks += 64) {
        working_t before = v;
        const __m128i *in = (const __m128i *)blocks;
        __m128i w0 = _mm_shuffle_epi8(_mm_loadu_si128(in + 0), big_endian);
        __m128i w1 = _mm_shuffle_epi8(_mm_loadu_si128(in + 1), big_endian);
        __m128i w2 = _mm_shuffle_epi8(_mm_loadu_si128(in + 2), big_endian);
        __m128i w3 = _mm_shuffle_epi8(_mm_loadu_si128(in + 3), big_endian);
        for (unsigned t = 0; t < 48; t += 16) {
            four_rounds(&v, w0, t);
            w0 = schedule(w0, w1, w2, w3);
            four_rounds(&v, w1, t + 4);
            w1 = schedule(w1, w2, w3, w0);
            four_rounds(&v, w2, t + 8);
            w2 = schedule(w2, w3, w0, w1);
            four_rounds(&v, w3, t + 12);
            w3 = schedule(w3, w0, w1, w2);
        }
        four_rounds(&v, w0, 48);
        four_rounds(&v, w1, 52);
        four_rounds(&v, w2, 56);
        four_rounds(&v, w3, 60);
        v.abef = _mm_add_epi32(v.abef, before.abef);
        v.cdgh = _mm_add_epi32(v.cdgh, before.cdgh);
    }

    __m128i feba = _mm_shuffle_epi32(v.abef, 0x1B);
    __m128i dchg = _mm_shuffle_epi32(v.cdgh, 0xB1);
    _mm_storeu_si128((__m128i *)&state[0], _mm_blend_epi16(feba, dchg, 0xF0));
    _mm_storeu_si128((__m128i *)&state[4], _mm_alignr_epi8(dchg, feba, 8));
}

#endif
