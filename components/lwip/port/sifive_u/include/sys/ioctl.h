/* SPDX-License-Identifier: Apache-2.0
 *
 * ioctl() of sockets: lwIP's. */
#ifndef AIRLIFT_SYS_IOCTL_H
#define AIRLIFT_SYS_IOCTL_H

#include "lwip/sockets.h"

#endif
