/* SPDX-License-Identifier: Apache-2.0
 *
 * SHA-256 blocks go to the board's engine; without one, to the library's C code. */
#include "mbedtls/sha256.h"

#include "hal/sha256.h"

int airlift_sha256_process_software(mbedtls_sha256_context *ctx, const unsigned char data[64]);

int mbedtls_internal_sha256_process(mbedtls_sha256_context *ctx, const unsigned char data[64])
{
    if (hal_sha256_compress(ctx->MBEDTLS_PRIVATE(state), data, 1)) {
        return 0;
    }
    return airlift_sha256_process_software(ctx, data);
}
