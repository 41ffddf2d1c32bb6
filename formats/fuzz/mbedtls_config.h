/* SPDX-License-Identifier: Apache-2.0
 *
 * The hashes alone, for the fuzz targets. */
#define MBEDTLS_MD5_C
#define MBEDTLS_SHA224_C
#define MBEDTLS_SHA256_C
