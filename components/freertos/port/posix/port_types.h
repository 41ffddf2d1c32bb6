/* SPDX-License-Identifier: Apache-2.0
 *
 * A task on a thread of the host. */
#ifndef FREERTOS_PORT_TYPES_H
#define FREERTOS_PORT_TYPES_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct {
    pthread_t thread;
    pthread_cond_t changed; /* ready, ended or deadline_us has changed */
    uint64_t deadline_us;
    unsigned nesting; /* of the critical section; used by the task itself only */
    bool ready;
    bool ended;
    bool adopted;       /* the thread existed before the kernel met it */
    bool *stopped;      /* set when the thread is gone, for who waits in port_task_end() */
    uint8_t *stack_low; /* of a stack filled with PAINT, to find how much was never used */
} port_task_t;

#endif
