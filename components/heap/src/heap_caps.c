/* SPDX-License-Identifier: Apache-2.0
 *
 * heap_caps_* over the C library's heap. */
#include <stdlib.h>

#include "esp_heap_caps.h"
#include "heap_memory.h"

#define CAPS_OF_NO_MEMORY (MALLOC_CAP_EXEC | MALLOC_CAP_SPIRAM)

static bool memory_has(uint32_t caps)
{
    return (caps & CAPS_OF_NO_MEMORY) == 0;
}

void *heap_caps_malloc(size_t size, uint32_t caps)
{
    return size > 0 && memory_has(caps) ? malloc(size) : NULL;
}

void *heap_caps_calloc(size_t count, size_t size, uint32_t caps)
{
    return count > 0 && size > 0 && memory_has(caps) ? calloc(count, size) : NULL;
}

void *heap_caps_realloc(void *memory, size_t size, uint32_t caps)
{
    if (size == 0) {
        free(memory);
        return NULL;
    }
    return memory_has(caps) ? realloc(memory, size) : NULL;
}

void heap_caps_free(void *memory)
{
    free(memory);
}

void *heap_caps_aligned_alloc(size_t alignment, size_t size, uint32_t caps)
{
    if (size == 0 || !memory_has(caps) || alignment == 0 || (alignment & (alignment - 1)) != 0 ||
        size > SIZE_MAX - alignment) {
        return NULL;
    }
    /* aligned_alloc() wants a multiple of the alignment. */
    return aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
}

static size_t free_of(size_t used)
{
    size_t total = heap_memory_region().size;
    return used < total ? total - used : 0;
}

size_t heap_caps_get_total_size(uint32_t caps)
{
    return memory_has(caps) ? heap_memory_region().size : 0;
}

size_t heap_caps_get_free_size(uint32_t caps)
{
    return memory_has(caps) ? free_of(heap_memory_used()) : 0;
}

size_t heap_caps_get_minimum_free_size(uint32_t caps)
{
    return memory_has(caps) ? free_of(heap_memory_most_used()) : 0;
}

size_t heap_caps_get_largest_free_block(uint32_t caps)
{
    return memory_has(caps) ? heap_memory_largest_free() : 0;
}
