/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LINUX_BOARD_DEVICE_SHA256_H
#define LINUX_BOARD_DEVICE_SHA256_H

#include <stddef.h>
#include <stdint.h>

/* hal_sha256_compress() with the x86 SHA instructions; only where the processor has them. */
void linux_sha256_compress_x86(uint32_t state[8], const uint8_t *blocks, size_t count);

#endif
