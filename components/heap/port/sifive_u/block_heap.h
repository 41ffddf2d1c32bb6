/* SPDX-License-Identifier: Apache-2.0
 *
 * A heap in one piece of memory: blocks with their sizes at both ends, free neighbours joined at
 * once, the best fitting free block taken. Knows nothing of a board and does not lock. */
#ifndef BLOCK_HEAP_H
#define BLOCK_HEAP_H

#include <stddef.h>

/* Every allocation is aligned to this. */
#define BLOCK_HEAP_ALIGNMENT 8u

typedef struct block_heap_block block_heap_block_t;

typedef struct {
    block_heap_block_t *free; /* list of free blocks */
    char *start;
    char *end;
    size_t size;      /* bytes it manages */
    size_t used;      /* bytes in allocated blocks, their heads included */
    size_t most_used; /* the most that ever were */
} block_heap_t;

/* Makes heap manage [start, end). */
void block_heap_init(block_heap_t *heap, void *start, void *end);

/* size bytes aligned to alignment, a power of two; NULL: no block is large enough. size 0 gives a
 * block that can be freed. */
void *block_heap_alloc(block_heap_t *heap, size_t size, size_t alignment);

/* Frees what block_heap_alloc() gave. false: memory is no such block, or the heap around it is
 * damaged; nothing was changed. */
_Bool block_heap_free(block_heap_t *heap, void *memory);

/* Bytes that memory has room for. */
size_t block_heap_room(const void *memory);

/* Makes the block at memory size bytes large where it lies, if its neighbour allows. */
_Bool block_heap_resize(block_heap_t *heap, void *memory, size_t size);

/* The largest size that block_heap_alloc() could give now. */
size_t block_heap_largest(const block_heap_t *heap);

#endif
