/* SPDX-License-Identifier: Apache-2.0
 *
 * The host's <sys/socket.h>, with struct ifreq, which lwIP declares there and the host in
 * <net/if.h>. */
#ifndef AIRLIFT_SYS_SOCKET_H
#define AIRLIFT_SYS_SOCKET_H

#include_next <sys/socket.h>
#include <net/if.h>

#endif
