/* SPDX-License-Identifier: Apache-2.0
 *
 * readv(), writev() of sockets: lwIP's. */
#ifndef AIRLIFT_SYS_UIO_H
#define AIRLIFT_SYS_UIO_H

#include "lwip/sockets.h"

#endif
