/* SPDX-License-Identifier: Apache-2.0
 *
 * The compiler and the C library, for lwIP. The C library owns errno, struct timeval, fd_set and
 * the flags of fcntl(). */
#ifndef ARCH_CC_H
#define ARCH_CC_H

#include <fcntl.h>
#include <sys/select.h>
#include <sys/time.h>
#include <sys/types.h>

#include <stdint.h>
#include <stdio.h>

uint32_t lwip_port_random(void);
_Noreturn void lwip_port_assert_failed(const char *text, const char *file, int line);

#define LWIP_RAND() lwip_port_random()
#define LWIP_PLATFORM_DIAG(x)                                                                      \
    do {                                                                                           \
        printf x;                                                                                  \
    } while (0)
#define LWIP_PLATFORM_ASSERT(x) lwip_port_assert_failed(x, __FILE__, __LINE__)

#endif
