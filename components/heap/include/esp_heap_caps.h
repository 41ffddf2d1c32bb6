/* SPDX-License-Identifier: Apache-2.0
 *
 * Memory with properties. Boards have one kind of memory, which has all of them but those of
 * external RAM and executable memory. */
#ifndef ESP_HEAP_CAPS_H
#define ESP_HEAP_CAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sdkconfig.h"

#ifdef __cplusplus
extern "C" {
#endif

#define MALLOC_CAP_EXEC      (1u << 0)
#define MALLOC_CAP_32BIT     (1u << 1)
#define MALLOC_CAP_8BIT      (1u << 2)
#define MALLOC_CAP_DMA       (1u << 3)
#define MALLOC_CAP_SPIRAM    (1u << 10)
#define MALLOC_CAP_INTERNAL  (1u << 11)
#define MALLOC_CAP_DEFAULT   (1u << 12)
#define MALLOC_CAP_RETENTION (1u << 14)

/* As malloc(), calloc(), realloc(), free() and aligned_alloc(), and interchangeable with them:
 * memory of one is freed by the other. NULL if size is 0, memory runs out, or no memory has all of
 * caps. */
void *heap_caps_malloc(size_t size, uint32_t caps);
void *heap_caps_calloc(size_t count, size_t size, uint32_t caps);
void *heap_caps_realloc(void *memory, size_t size, uint32_t caps);
void heap_caps_free(void *memory);
/* alignment: a power of two. */
void *heap_caps_aligned_alloc(size_t alignment, size_t size, uint32_t caps);

/* Bytes in total, free now, least ever free, and in the largest free block, of memory that has all
 * of caps; 0 if there is none. */
size_t heap_caps_get_total_size(uint32_t caps);
size_t heap_caps_get_free_size(uint32_t caps);
size_t heap_caps_get_minimum_free_size(uint32_t caps);
size_t heap_caps_get_largest_free_block(uint32_t caps);

#ifdef __cplusplus
}
#endif

#endif
