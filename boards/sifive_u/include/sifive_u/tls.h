/* SPDX-License-Identifier: Apache-2.0
 *
 * The C library keeps errno and the like per thread, addressed by register tp. Whoever makes a
 * thread gives it a block. */
#ifndef SIFIVE_U_TLS_H
#define SIFIVE_U_TLS_H

#include <stddef.h>

/* Bytes of one thread's block, a multiple of 16. */
size_t sifive_u_tls_size(void);

/* Sets up the block at memory (16-byte aligned, sifive_u_tls_size() bytes); the thread runs with
 * tp = memory. */
void sifive_u_tls_init(void *memory);

#endif
