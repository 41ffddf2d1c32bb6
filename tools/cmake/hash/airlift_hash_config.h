/* SPDX-License-Identifier: Apache-2.0
 *
 * Mbed TLS reduced to the two hashes that flash formats use. */
#ifndef AIRLIFT_HASH_CONFIG_H
#define AIRLIFT_HASH_CONFIG_H

#define MBEDTLS_SHA256_C
#define MBEDTLS_MD5_C

#endif
