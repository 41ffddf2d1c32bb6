/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FREERTOS_OS_RV32_H
#define FREERTOS_OS_RV32_H

#include <stdbool.h>

/* From now on the board's drivers lock and wait with the kernel's semaphores. False: no memory. */
bool os_rv32_start(void);

#endif
