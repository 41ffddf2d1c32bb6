/* SPDX-License-Identifier: Apache-2.0
 *
 * poll(): lwIP's. */
#ifndef AIRLIFT_POLL_H
#define AIRLIFT_POLL_H

#include "lwip/sockets.h"

#endif
