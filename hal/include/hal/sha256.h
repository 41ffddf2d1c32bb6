/* SPDX-License-Identifier: Apache-2.0
 *
 * The board's SHA-256 engine, if it has one. Mbed TLS runs on it through its process hook, so
 * images, TLS and signatures all gain. */
#ifndef HAL_SHA256_H
#define HAL_SHA256_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Runs the SHA-256 compression function over count 64-byte blocks, updating state (eight words in
 * host byte order). Returns false, with nothing done, where there is no engine. */
bool hal_sha256_compress(uint32_t state[8], const uint8_t *blocks, size_t count);

#endif
