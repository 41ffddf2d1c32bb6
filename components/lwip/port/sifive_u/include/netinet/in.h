/* SPDX-License-Identifier: Apache-2.0
 *
 * Internet addresses: lwIP's. */
#ifndef AIRLIFT_NETINET_IN_H
#define AIRLIFT_NETINET_IN_H

#include "lwip/sockets.h"

#endif
