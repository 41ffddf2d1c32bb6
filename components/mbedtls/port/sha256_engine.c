/* SPDX-License-Identifier: Apache-2.0
 *
 * SHA-256 blocks go to the board's engine, as many as there are at once; without an engine, to the
 * library's C code. Contains the library's source, whose update function hands over block by
 * block. */
#include "mbedtls/build_info.h"

#define mbedtls_sha256_update airlift_sha256_update_blockwise

#include "sha256.c"

#undef mbedtls_sha256_update

#include "hal/sha256.h"

int airlift_sha256_process_software(mbedtls_sha256_context *ctx, const unsigned char data[64]);

int mbedtls_internal_sha256_process(mbedtls_sha256_context *ctx, const unsigned char data[64])
{
    if (hal_sha256_compress(ctx->MBEDTLS_PRIVATE(state), data, 1)) {
        return 0;
    }
    return airlift_sha256_process_software(ctx, data);
}

int mbedtls_sha256_update(mbedtls_sha256_context *ctx, const unsigned char *input, size_t ilen)
{
    uint32_t *total = ctx->MBEDTLS_PRIVATE(total);
    size_t partial = total[0] % 64;
    if (partial != 0) {
        size_t missing = 64 - partial;
        size_t len = ilen < missing ? ilen : missing;
        int ret = airlift_sha256_update_blockwise(ctx, input, len);
        if (ret != 0 || len == ilen) {
            return ret;
        }
        input += len;
        ilen -= len;
    }
    size_t whole = ilen - ilen % 64;
    if (whole != 0 && hal_sha256_compress(ctx->MBEDTLS_PRIVATE(state), input, whole / 64)) {
        uint64_t count = ((uint64_t)total[1] << 32 | total[0]) + whole;
        total[0] = (uint32_t)count;
        total[1] = (uint32_t)(count >> 32);
        input += whole;
        ilen -= whole;
    }
    return airlift_sha256_update_blockwise(ctx, input, ilen);
}
