/* SPDX-License-Identifier: Apache-2.0
 *
 * lwIP's socket header: the host's sockets. */
#ifndef LWIP_SOCKETS_H
#define LWIP_SOCKETS_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#endif
