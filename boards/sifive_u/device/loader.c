/* SPDX-License-Identifier: Apache-2.0
 *
 * Where an application may be loaded, and the jump into it. Everything is DRAM; the limits are
 * those of this firmware's memory map. */
#include "hal/loader.h"

#include <stdbool.h>
#include <stddef.h>

#include "formats/image.h"
#include "hal/chip.h"
#include "sifive_u/board.h"
#include "sifive_u/mmio.h"

extern char __program_start[], __program_end[], __stack_low[], __stack_high[];

static struct {
    uint32_t address;
    uint32_t len;
} s_placed[FMT_IMAGE_MAX_SEGMENTS];
static unsigned s_placed_count;

void hal_loader_reset(void)
{
    s_placed_count = 0;
}

static bool overlaps(uint32_t address, uint32_t len, const char *low, const char *high)
{
    return address < (uintptr_t)high && (uint64_t)address + len > (uintptr_t)low;
}

static bool inside(uint32_t address, uint32_t len, uint32_t base, uint32_t size)
{
    return address >= base && address - base <= size && len <= size - (address - base);
}

void *hal_loader_place(uint32_t load_address, uint32_t len, const char **why)
{
    if (overlaps(load_address, len, __stack_low, __stack_high)) {
        *why = "overlaps bootloader stack";
        return NULL;
    }
    if (overlaps(load_address, len, __program_start, __program_end)) {
        *why = "overlaps bootloader data";
        return NULL;
    }
    if ((!inside(load_address, len, SIFIVE_U_CODE_BASE, SIFIVE_U_CODE_SIZE) &&
         !inside(load_address, len, SIFIVE_U_RAM_BASE, SIFIVE_U_RAM_SIZE)) ||
        !fmt_chip_may_load(hal_chip(), load_address, len)) {
        *why = "bad load address range";
        return NULL;
    }
    if (s_placed_count == FMT_IMAGE_MAX_SEGMENTS) {
        *why = "out of memory";
        return NULL;
    }
    s_placed[s_placed_count].address = load_address;
    s_placed[s_placed_count].len = len;
    s_placed_count++;
    return (void *)(uintptr_t)load_address;
}

esp_err_t hal_loader_start(uint32_t entry, uint32_t image_offset)
{
    for (unsigned i = 0; i < s_placed_count; i++) {
        /* The RAM for data is not executable. */
        if (entry % 2 == 0 && inside(entry, 4, SIFIVE_U_CODE_BASE, SIFIVE_U_CODE_SIZE) &&
            inside(entry, 4, s_placed[i].address, s_placed[i].len)) {
            SIFIVE_U_SHARED->running_offset = image_offset;
            __asm__ volatile("fence iorw, iorw\n\tfence.i" ::: "memory");
            ((void (*)(void))(uintptr_t)entry)();
            __builtin_unreachable();
        }
    }
    return ESP_ERR_IMAGE_INVALID;
}

uint32_t hal_loader_running_offset(void)
{
    return SIFIVE_U_SHARED->running_offset;
}
