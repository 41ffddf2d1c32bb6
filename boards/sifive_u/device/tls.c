/* SPDX-License-Identifier: Apache-2.0 */
#include "sifive_u/tls.h"

#include <stdint.h>
#include <string.h>

/* From the linker script: the initial values, and the sizes as addresses. */
extern char __tls_image[], __tls_image_size[], __tls_size[];

size_t sifive_u_tls_size(void)
{
    return (uintptr_t)__tls_size;
}

void sifive_u_tls_init(void *memory)
{
    size_t filled = (uintptr_t)__tls_image_size;

    memcpy(memory, __tls_image, filled);
    memset((char *)memory + filled, 0, sifive_u_tls_size() - filled);
}
