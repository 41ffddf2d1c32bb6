/* SPDX-License-Identifier: Apache-2.0
 *
 * Placement attributes of ESP-IDF sources. Airlift's boards run code and constants from one kind
 * of memory, so those that move a function or an object there are empty; the others keep their
 * meaning. */
#ifndef ESP_ATTR_H
#define ESP_ATTR_H

#include "sdkconfig.h"

#define IRAM_ATTR
#define FORCE_IRAM_ATTR
#define DRAM_ATTR
#define DMA_ATTR
#define WORD_ALIGNED_ATTR __attribute__((aligned(4)))
#define RTC_IRAM_ATTR
#define RTC_DATA_ATTR
#define RTC_RODATA_ATTR
#define RTC_FAST_ATTR
#define RTC_SLOW_ATTR
#define EXT_RAM_BSS_ATTR
#define EXT_RAM_NOINIT_ATTR
#define DRAM_STR(text) (text)

#define NOINLINE_ATTR       __attribute__((noinline))
#define FORCE_INLINE_ATTR   static inline __attribute__((always_inline))
#define PACKED_ATTR         __attribute__((packed))
#define ESP_ALIGNED(n)      __attribute__((aligned(n)))
#define ESP_DEPRECATED(why) __attribute__((deprecated(why)))

#endif
