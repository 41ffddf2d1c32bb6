/* SPDX-License-Identifier: Apache-2.0
 *
 * The board's memory for programs is a memory file: an address of the loader window is an offset
 * in it, and starting the program is executing that file. */
#include "hal/loader.h"

#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "board.h"
#include "linux_board/testing.h"

#define WINDOW_LOW   0x80000000u
#define WINDOW_HIGH  0xC0000000u
#define MAX_SEGMENTS 16u

typedef struct {
    uint32_t address;
    uint32_t len;
    uint8_t *mapping; /* page aligned; the segment begins skip bytes into it */
    size_t skip;
} segment_t;

static segment_t segments[MAX_SEGMENTS];
static unsigned segment_count;
static int memory = -1;
static off_t memory_size;

static linux_board_start_hook_t start_hook;
static void *start_hook_arg;

void linux_board_testing_on_start(linux_board_start_hook_t hook, void *arg)
{
    start_hook = hook;
    start_hook_arg = arg;
}

static void unmap_segments(void)
{
    while (segment_count > 0) {
        segment_t *segment = &segments[--segment_count];
        munmap(segment->mapping, segment->skip + segment->len);
    }
}

void board_loader_forget(void)
{
    unmap_segments();
    if (memory >= 0) {
        close(memory);
        memory = -1;
    }
}

void hal_loader_reset(void)
{
    if (board_is_private()) {
        unmap_segments(); /* it keeps its memory, as a chip does */
    } else {
        board_loader_forget();
    }
}

static void *refuse(const char **why, const char *text)
{
    *why = text;
    return NULL;
}

void *hal_loader_place(uint32_t load_address, uint32_t len, const char **why)
{
    if (len == 0 || load_address < WINDOW_LOW || load_address >= WINDOW_HIGH ||
        len > WINDOW_HIGH - load_address || segment_count == MAX_SEGMENTS) {
        return refuse(why, "bad load address range");
    }
    for (unsigned i = 0; i < segment_count; i++) {
        const segment_t *other = &segments[i];
        if (load_address < other->address + other->len && other->address < load_address + len) {
            return refuse(why, "bad load address range");
        }
    }
    if (memory < 0) {
        memory = memfd_create("airlift-program", MFD_CLOEXEC);
        memory_size = 0;
    }
    off_t end = (off_t)(load_address - WINDOW_LOW) + (off_t)len;
    if (memory_size < end) {
        if (ftruncate(memory, end) != 0) {
            return refuse(why, "out of memory");
        }
        memory_size = end;
    }
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t skip = (load_address - WINDOW_LOW) % page;
    off_t start = (off_t)(load_address - WINDOW_LOW - skip);
    void *mapping =
        mmap(NULL, skip + len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, memory, start);
    if (mapping == MAP_FAILED) {
        return refuse(why, "out of memory");
    }
    segments[segment_count++] = (segment_t){load_address, len, mapping, skip};
    return (uint8_t *)mapping + skip;
}

/* Whether the memory file begins with a program of this machine; the kernel checks the rest. */
static bool holds_program(void)
{
    Elf64_Ehdr header;
    if (pread(memory, &header, sizeof(header), 0) != (ssize_t)sizeof(header)) {
        return false;
    }
    return memcmp(header.e_ident, ELFMAG, SELFMAG) == 0 && header.e_ident[EI_CLASS] == ELFCLASS64 &&
           (header.e_type == ET_EXEC || header.e_type == ET_DYN);
}

esp_err_t hal_loader_start(uint32_t entry, uint32_t image_offset)
{
    if (memory < 0 || entry != WINDOW_LOW || !holds_program()) {
        return ESP_ERR_IMAGE_INVALID;
    }
    board()->state->running_offset = image_offset;
    if (board_is_private()) {
        if (start_hook != NULL) {
            start_hook(entry, image_offset, start_hook_arg);
        }
        return ESP_ERR_IMAGE_INVALID; /* a unit test's process is not to be replaced */
    }
    unmap_segments();
    char name[32];
    snprintf(name, sizeof(name), "app@0x%x", (unsigned)image_offset);
    char *const arguments[] = {name, NULL};
    fexecve(memory, arguments, environ);
    board()->state->running_offset = LINUX_BOARD_NOT_RUNNING;
    return ESP_ERR_IMAGE_INVALID;
}

uint32_t hal_loader_running_offset(void)
{
    return board()->state->running_offset;
}
