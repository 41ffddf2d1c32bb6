/* SPDX-License-Identifier: Apache-2.0 */
#include "block_heap.h"

#include <stdbool.h>
#include <stdint.h>

/* What stands before every block. Sizes count the head and are multiples of the alignment; the
 * lowest bit of size says "allocated". The links are there only while the block is free. */
struct block_heap_block {
    size_t previous_size; /* of the block before it in memory; 0: it is the first */
    size_t size;
    block_heap_block_t *next;
    block_heap_block_t *prev;
};

typedef block_heap_block_t block_t;

#define HEAD      offsetof(block_t, next)
#define ALLOCATED ((size_t)1)
#define MIN_SIZE  sizeof(block_t)

_Static_assert(HEAD % BLOCK_HEAP_ALIGNMENT == 0, "blocks keep their alignment");
_Static_assert(sizeof(block_t) % BLOCK_HEAP_ALIGNMENT == 0, "blocks keep their alignment");

static size_t size_of(const block_t *block)
{
    return block->size & ~ALLOCATED;
}

static bool is_allocated(const block_t *block)
{
    return (block->size & ALLOCATED) != 0;
}

static block_t *after(const block_t *block)
{
    return (block_t *)((char *)block + size_of(block));
}

static block_t *before(const block_t *block)
{
    return (block_t *)((char *)block - block->previous_size);
}

static void *memory_of(block_t *block)
{
    return (char *)block + HEAD;
}

static block_t *block_of(const void *memory)
{
    return (block_t *)((char *)memory - HEAD);
}

static void put_free(block_heap_t *heap, block_t *block)
{
    block->prev = NULL;
    block->next = heap->free;
    if (heap->free != NULL) {
        heap->free->prev = block;
    }
    heap->free = block;
}

static void take_free(block_heap_t *heap, block_t *block)
{
    if (block->prev != NULL) {
        block->prev->next = block->next;
    } else {
        heap->free = block->next;
    }
    if (block->next != NULL) {
        block->next->prev = block->prev;
    }
}

/* Sets the size of a block and tells its neighbour. */
static void set_size(block_t *block, size_t size, size_t allocated)
{
    block->size = size | allocated;
    after(block)->previous_size = size;
}

static void count(block_heap_t *heap, size_t more, size_t less)
{
    heap->used += more;
    heap->used -= less;
    if (heap->used > heap->most_used) {
        heap->most_used = heap->used;
    }
}

void block_heap_init(block_heap_t *heap, void *start, void *end)
{
    const uintptr_t mask = BLOCK_HEAP_ALIGNMENT - 1;
    char *low = (char *)start + (-(uintptr_t)start & mask);
    char *high = (char *)end - ((uintptr_t)end & mask);

    *heap = (block_heap_t){.start = low, .end = high};
    if (high < low || (size_t)(high - low) < MIN_SIZE + HEAD) {
        return;
    }
    /* A head with no block behind it stands at the end for an allocated neighbour. */
    block_t *block = (block_t *)low;
    size_t size = (size_t)(high - low) - HEAD;
    block->previous_size = 0;
    set_size(block, size, 0);
    after(block)->size = ALLOCATED;
    put_free(heap, block);
    heap->size = size;
}

/* Bytes of block from its start to where its head must stand for memory to be aligned. 0, or enough
 * for a block of its own. */
static size_t lead_of(const block_t *block, size_t alignment)
{
    uintptr_t memory = (uintptr_t)block + HEAD;
    size_t lead = (size_t)(-memory & (alignment - 1));

    while (lead != 0 && lead < MIN_SIZE) {
        lead += alignment;
    }
    return lead;
}

/* Size of a block with room for size bytes; 0: too large. */
static size_t block_size(size_t size)
{
    if (size > SIZE_MAX / 2) {
        return 0;
    }
    size = (size + HEAD + BLOCK_HEAP_ALIGNMENT - 1) / BLOCK_HEAP_ALIGNMENT * BLOCK_HEAP_ALIGNMENT;
    return size < MIN_SIZE ? MIN_SIZE : size;
}

/* Gives what an allocated block has beyond size back, joined with what follows it. */
static void trim(block_heap_t *heap, block_t *block, size_t size)
{
    size_t rest = size_of(block) - size;

    if (rest < MIN_SIZE) {
        return;
    }
    block_t *tail = (block_t *)((char *)block + size);
    block_t *next = after(block);
    if (!is_allocated(next)) {
        take_free(heap, next);
        rest += size_of(next);
    }
    set_size(block, size, ALLOCATED);
    set_size(tail, rest, 0);
    put_free(heap, tail);
}

void *block_heap_alloc(block_heap_t *heap, size_t size, size_t alignment)
{
    size_t wanted = block_size(size);
    block_t *best = NULL;

    if (wanted == 0) {
        return NULL;
    }
    for (block_t *block = heap->free; block != NULL; block = block->next) {
        size_t has = size_of(block);
        size_t lead = lead_of(block, alignment);
        if (has >= lead && has - lead >= wanted && (best == NULL || has < size_of(best))) {
            best = block;
            if (has == wanted) {
                break;
            }
        }
    }
    if (best == NULL) {
        return NULL;
    }
    size_t lead = lead_of(best, alignment);
    size_t whole = size_of(best);
    take_free(heap, best);
    if (lead > 0) {
        block_t *aligned = (block_t *)((char *)best + lead);
        set_size(best, lead, 0);
        put_free(heap, best);
        best = aligned;
    }
    set_size(best, whole - lead, ALLOCATED);
    trim(heap, best, wanted);
    count(heap, size_of(best), 0);
    return memory_of(best);
}

/* Whether block is one of heap's, with neighbours that agree with it. */
static bool is_sound(const block_heap_t *heap, const block_t *block)
{
    const char *at = (const char *)block;

    if (at < heap->start || at >= heap->end || ((uintptr_t)at & (BLOCK_HEAP_ALIGNMENT - 1)) != 0 ||
        !is_allocated(block)) {
        return false;
    }
    size_t size = size_of(block);
    if (size < MIN_SIZE || size > (size_t)(heap->end - at) - HEAD ||
        after(block)->previous_size != size) {
        return false;
    }
    return block->previous_size == 0 ? at == heap->start
                                     : block->previous_size <= (size_t)(at - heap->start) &&
                                           size_of(before(block)) == block->previous_size;
}

_Bool block_heap_free(block_heap_t *heap, void *memory)
{
    block_t *block = block_of(memory);

    if (!is_sound(heap, block)) {
        return false;
    }
    size_t size = size_of(block);
    count(heap, 0, size);
    block_t *next = after(block);
    if (!is_allocated(next)) {
        take_free(heap, next);
        size += size_of(next);
    }
    if (block->previous_size != 0 && !is_allocated(before(block))) {
        /* The old head stays in the middle of a free block: a second free() must not find it. */
        block->size = 0;
        block = before(block);
        take_free(heap, block);
        size += size_of(block);
    }
    set_size(block, size, 0);
    put_free(heap, block);
    return true;
}

size_t block_heap_room(const void *memory)
{
    return size_of(block_of(memory)) - HEAD;
}

_Bool block_heap_resize(block_heap_t *heap, void *memory, size_t size)
{
    block_t *block = block_of(memory);
    size_t wanted = block_size(size);
    size_t had = size_of(block);

    if (wanted == 0) {
        return false;
    }
    if (wanted > had) {
        block_t *next = after(block);
        if (is_allocated(next) || had + size_of(next) < wanted) {
            return false;
        }
        take_free(heap, next);
        set_size(block, had + size_of(next), ALLOCATED);
    }
    trim(heap, block, wanted);
    count(heap, size_of(block), had);
    return true;
}

size_t block_heap_largest(const block_heap_t *heap)
{
    size_t largest = 0;

    for (const block_t *block = heap->free; block != NULL; block = block->next) {
        if (size_of(block) > largest) {
            largest = size_of(block);
        }
    }
    return largest > HEAD ? largest - HEAD : 0;
}
