/* SPDX-License-Identifier: Apache-2.0
 *
 * A task on a bare hart. */
#ifndef FREERTOS_PORT_TYPES_H
#define FREERTOS_PORT_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sifive_u/trap.h"

struct tskTaskControlBlock;

typedef struct {
    sifive_u_trap_frame_t *frame; /* registers, while it does not run */
    uint8_t *stack;               /* lowest address; thread-local memory follows at the top */
    size_t stack_bytes;
    unsigned nesting; /* of the critical section */
    bool ready;
    bool timed_out;       /* the last port_wait() ended by its deadline */
    uint64_t deadline_us; /* PORT_NO_DEADLINE: on no list while not ready */
    /* Neighbours in the list of ready tasks of its priority, or among those with deadlines; next
     * alone while it waits for its memory to be freed. */
    struct tskTaskControlBlock *next;
    struct tskTaskControlBlock *prev;
} port_task_t;

#endif
