/* SPDX-License-Identifier: Apache-2.0
 *
 * What the bootloader takes of Mbed TLS: the two hashes that flash formats use, SHA-256 on the
 * board's engine where there is one. */
#ifndef BOOTLOADER_MBEDTLS_CONFIG_H
#define BOOTLOADER_MBEDTLS_CONFIG_H

#define MBEDTLS_SHA256_C
#define MBEDTLS_SHA256_PROCESS_ALT /* components/mbedtls/port/sha256_engine.c */
#define MBEDTLS_MD5_C
#define MBEDTLS_MD5_PROCESS_ALT /* components/mbedtls/port/md5_small.c: 2 KiB less */

/* The compression function in C is what is left where there is no engine: small before fast. */
#define MBEDTLS_SHA256_SMALLER

#endif
