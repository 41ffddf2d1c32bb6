/* SPDX-License-Identifier: Apache-2.0
 *
 * The heap on the linux board: the host's, with a count of what is allocated.
 *
 * malloc() and its family are defined here, in front of the C library's, so that the count sees
 * every allocation of the process and knows its peak. Each block counts with the size the C library
 * really gave it, which is the same when it is freed. Under a sanitizer, which has an allocator of
 * its own, the sanitizer is asked instead, and the peak is that of the moments it was asked. */
#include <errno.h>
#include <malloc.h>
#include <stdatomic.h>

#include "sdkconfig.h"
#include "heap_memory.h"

#define REPORTED_SIZE ((size_t)CONFIG_HEAP_LINUX_REPORTED_SIZE_KB * 1024u)

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZER_ALLOCATES
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZER_ALLOCATES
#endif

static atomic_size_t most_used;

static void note_peak(size_t now)
{
    size_t peak = atomic_load_explicit(&most_used, memory_order_relaxed);

    while (now > peak && !atomic_compare_exchange_weak_explicit(
                             &most_used, &peak, now, memory_order_relaxed, memory_order_relaxed)) {
    }
}

#ifdef SANITIZER_ALLOCATES

size_t __sanitizer_get_current_allocated_bytes(void);

size_t heap_memory_used(void)
{
    size_t now = __sanitizer_get_current_allocated_bytes();
    note_peak(now);
    return now;
}

#else

/* The C library's own entries, under the names it exports for this purpose. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *memory);

static atomic_size_t used;

static void *count_in(void *memory)
{
    if (memory != NULL) {
        size_t size = malloc_usable_size(memory);
        note_peak(atomic_fetch_add_explicit(&used, size, memory_order_relaxed) + size);
    }
    return memory;
}

static void count_out(size_t size)
{
    atomic_fetch_sub_explicit(&used, size, memory_order_relaxed);
}

void *malloc(size_t size)
{
    return count_in(__libc_malloc(size));
}

void *calloc(size_t count, size_t size)
{
    return count_in(__libc_calloc(count, size));
}

void *realloc(void *memory, size_t size)
{
    size_t old_size = memory != NULL ? malloc_usable_size(memory) : 0;
    void *fresh = __libc_realloc(memory, size);

    /* NULL with size > 0 is a failure that keeps the old block. */
    if (fresh != NULL || size == 0) {
        count_out(old_size);
        count_in(fresh);
    }
    return fresh;
}

void free(void *memory)
{
    if (memory != NULL) {
        count_out(malloc_usable_size(memory));
        __libc_free(memory);
    }
}

void *memalign(size_t alignment, size_t size)
{
    return count_in(__libc_memalign(alignment, size));
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

size_t heap_memory_used(void)
{
    return atomic_load_explicit(&used, memory_order_relaxed);
}

#endif

size_t heap_memory_most_used(void)
{
    note_peak(heap_memory_used());
    return atomic_load_explicit(&most_used, memory_order_relaxed);
}

size_t heap_memory_largest_free(void)
{
    size_t now = heap_memory_used();
    return now < REPORTED_SIZE ? REPORTED_SIZE - now : 0;
}

heap_region_t heap_memory_region(void)
{
    heap_region_t region = {.start = 0, .size = REPORTED_SIZE, .name = "RAM (of the host)"};
    return region;
}
