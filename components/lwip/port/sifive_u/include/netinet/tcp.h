/* SPDX-License-Identifier: Apache-2.0
 *
 * TCP's socket options: lwIP's. */
#ifndef AIRLIFT_NETINET_TCP_H
#define AIRLIFT_NETINET_TCP_H

#include "lwip/sockets.h"

#endif
