/* SPDX-License-Identifier: Apache-2.0
 *
 * The network cable of the linux board. Its sockets are the host's, so a pulled cable and lost
 * packets are made where packets reach a socket: a filter of the kernel drops them before TCP sees
 * them, and their sender sends them again, or gives up. What the board sends always leaves. */
#ifndef LINUX_BOARD_DEVICE_CABLE_H
#define LINUX_BOARD_DEVICE_CABLE_H

#include <stdbool.h>

bool cable_is_pulled(void);

/* A descriptor that becomes readable when the tool may have moved the cable, non-blocking, the
 * caller's; or -1: then a change is not noticed. */
int cable_open_watch(void);

/* Makes every open socket follow the cable as it is now. */
void cable_update(void);

/* socket() of the application, by the linker's --wrap. */
int __wrap_socket(int domain, int type, int protocol);

#endif
