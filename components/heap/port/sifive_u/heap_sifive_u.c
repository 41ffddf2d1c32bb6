/* SPDX-License-Identifier: Apache-2.0
 *
 * malloc() and its family on the sifive_u board: what the application's data leave of its RAM. The
 * lock is interrupts off, so that the kernel can free the memory of tasks from anywhere. */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "block_heap.h"
#include "heap_memory.h"
#include "sifive_u/mmio.h"
#include "sifive_u/trap.h"

/* From the linker script. */
extern char __heap_start[], __heap_end[];

static block_heap_t heap;

/* With interrupts off. */
static void need_heap(void)
{
    if (heap.start == NULL) {
        block_heap_init(&heap, __heap_start, __heap_end);
    }
}

static void *allocate(size_t size, size_t alignment)
{
    uint32_t saved = irq_save();

    need_heap();
    void *memory = block_heap_alloc(&heap, size, alignment);
    irq_restore(saved);
    if (memory == NULL) {
        errno = ENOMEM;
    }
    return memory;
}

void *malloc(size_t size)
{
    return allocate(size, BLOCK_HEAP_ALIGNMENT);
}

void free(void *memory)
{
    if (memory == NULL) {
        return;
    }
    uint32_t saved = irq_save();
    if (!block_heap_free(&heap, memory)) {
        sifive_u_panic("heap: memory freed twice, not allocated, or written beyond its end");
    }
    irq_restore(saved);
}

void *calloc(size_t count, size_t size)
{
    size_t bytes;

    if (__builtin_mul_overflow(count, size, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    void *memory = malloc(bytes);
    if (memory != NULL) {
        memset(memory, 0, bytes);
    }
    return memory;
}

void *realloc(void *memory, size_t size)
{
    if (memory == NULL) {
        return malloc(size);
    }
    if (size == 0) {
        free(memory);
        return NULL;
    }
    uint32_t saved = irq_save();
    bool done = block_heap_resize(&heap, memory, size);
    size_t room = block_heap_room(memory);
    irq_restore(saved);
    if (done) {
        return memory;
    }
    void *fresh = malloc(size);
    if (fresh != NULL) {
        memcpy(fresh, memory, room < size ? room : size);
        free(memory);
    }
    return fresh;
}

void *memalign(size_t alignment, size_t size)
{
    if (alignment == 0 || (alignment & (alignment - 1)) != 0) {
        errno = EINVAL;
        return NULL;
    }
    return allocate(size, alignment < BLOCK_HEAP_ALIGNMENT ? BLOCK_HEAP_ALIGNMENT : alignment);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return memalign(alignment, size);
}

int posix_memalign(void **out, size_t alignment, size_t size)
{
    if (alignment % sizeof(void *) != 0 || alignment == 0 || (alignment & (alignment - 1)) != 0) {
        return EINVAL;
    }
    void *memory = memalign(alignment, size);
    if (memory == NULL) {
        return ENOMEM;
    }
    *out = memory;
    return 0;
}

size_t malloc_usable_size(void *memory)
{
    return memory != NULL ? block_heap_room(memory) : 0;
}

size_t heap_memory_used(void)
{
    return heap.used;
}

size_t heap_memory_most_used(void)
{
    return heap.most_used;
}

size_t heap_memory_largest_free(void)
{
    uint32_t saved = irq_save();

    need_heap();
    size_t largest = block_heap_largest(&heap);
    irq_restore(saved);
    return largest;
}

heap_region_t heap_memory_region(void)
{
    uint32_t saved = irq_save();

    need_heap();
    irq_restore(saved);
    heap_region_t region = {
        .start = (uint32_t)(uintptr_t)heap.start, .size = heap.size, .name = "RAM"};
    return region;
}
