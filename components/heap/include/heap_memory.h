/* SPDX-License-Identifier: Apache-2.0
 *
 * The memory behind malloc(), as the board has it. For esp_system's start-up lines and
 * heap_caps_*; not for applications. */
#ifndef HEAP_MEMORY_H
#define HEAP_MEMORY_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    uint32_t start;   /* address; 0 where memory has no fixed place */
    size_t size;      /* bytes in total */
    const char *name; /* for people */
} heap_region_t;

/* The board's heap: one region. */
heap_region_t heap_memory_region(void);

/* Bytes allocated now, and the most that ever were. */
size_t heap_memory_used(void);
size_t heap_memory_most_used(void);

/* Bytes in the largest block that could be allocated now. */
size_t heap_memory_largest_free(void);

#endif
