/* SPDX-License-Identifier: Apache-2.0
 *
 * lwIP's address header: the host's. */
#ifndef LWIP_INET_H
#define LWIP_INET_H

#include <arpa/inet.h>
#include <netinet/in.h>

#endif
