/* SPDX-License-Identifier: Apache-2.0
 *
 * lwIP's name resolution header: the host's. */
#ifndef LWIP_NETDB_H
#define LWIP_NETDB_H

#include <netdb.h>

#endif
