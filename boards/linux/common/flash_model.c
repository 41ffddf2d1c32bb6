/* SPDX-License-Identifier: Apache-2.0 */
#include "linux_board/flash_model.h"

#include <string.h>

/* Bits whose speed differs from the torn fraction by at most this many 256ths flicker. */
#define UNSTABLE_WIDTH 8

/* A well mixed function of its argument (the finaliser of the splitmix64 generator). */
static uint64_t mix(uint64_t x)
{
    x += UINT64_C(0x9E3779B97F4A7C15);
    x = (x ^ (x >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94D049BB133111EB);
    return x ^ (x >> 31);
}

/* One byte for each of the eight bits at address: bit i's speed is (value >> 8 * i) & 0xFF. It
 * changes with the sector's wear, so that two torn erases of one sector look different. */
static uint64_t bit_speeds(const linux_flash_t *flash, uint32_t address)
{
    uint32_t wear = flash->state->wear[address / LINUX_BOARD_SECTOR_SIZE];
    return mix(mix(flash->state->seed ^ ((uint64_t)wear << 32)) ^ address);
}

static bool in_chip(const linux_flash_t *flash, uint32_t address, size_t len)
{
    return address <= flash->state->flash_size && len <= flash->state->flash_size - address;
}

bool linux_flash_unstable(const linux_flash_t *flash, uint32_t address, size_t len)
{
    if (len == 0) {
        return false;
    }
    size_t last = (address + (len - 1)) / LINUX_BOARD_SECTOR_SIZE;
    for (size_t sector = address / LINUX_BOARD_SECTOR_SIZE; sector <= last; sector++) {
        if (flash->state->unstable[sector] != 0) {
            return true;
        }
    }
    return false;
}

/* value as read this time from an unstable sector: slow bits that were not erased for good read as
 * 0 or 1 by chance. */
static uint8_t flickering_byte(linux_flash_t *flash, uint32_t address, uint8_t value)
{
    linux_board_state_t *state = flash->state;
    int border = (int)state->unstable[address / LINUX_BOARD_SECTOR_SIZE] - 1;
    uint64_t speeds = bit_speeds(flash, address);
    uint8_t unstable = 0;
    for (unsigned bit = 0; bit < 8; bit++) {
        int distance = (int)((speeds >> (8 * bit)) & 0xFF) - border;
        if (distance >= -UNSTABLE_WIDTH && distance <= UNSTABLE_WIDTH) {
            unstable |= (uint8_t)(1u << bit);
        }
    }
    if (unstable != 0) {
        value |= (uint8_t)(unstable & mix(state->seed + ++state->flicker));
    }
    return value;
}

uint32_t linux_flash_id(const linux_flash_t *flash)
{
    uint32_t capacity = 0;
    for (uint32_t size = flash->state->flash_size; size > 1; size /= 2) {
        capacity++;
    }
    return 0xA10500u | capacity;
}

linux_flash_result_t linux_flash_read(linux_flash_t *flash, uint32_t address, void *dst, size_t len)
{
    if (!in_chip(flash, address, len)) {
        return LINUX_FLASH_RANGE;
    }
    linux_board_statistics_t *statistics = &flash->state->statistics;
    atomic_fetch_add(&statistics->reads, 1);
    atomic_fetch_add(&statistics->read_bytes, len);
    atomic_fetch_add(&statistics->busy_us, linux_flash_busy_us(LINUX_FLASH_READ, len));
    if (len == 0) {
        return LINUX_FLASH_OK;
    }
    uint8_t *out = dst;
    memcpy(out, flash->bytes + address, len);
    if (linux_flash_unstable(flash, address, len)) {
        for (size_t i = 0; i < len; i++) {
            uint32_t at = address + (uint32_t)i;
            if (out[i] != 0xFF && flash->state->unstable[at / LINUX_BOARD_SECTOR_SIZE] != 0) {
                out[i] = flickering_byte(flash, at, out[i]);
            }
        }
    }
    return LINUX_FLASH_OK;
}

/* Counts an operation on len bytes; what the plan wants to happen in it, NEVER for nothing. In mode
 * INSIDE *whole is set to the bytes that are done before the cut, fewer than len; in all other
 * modes to len. */
static linux_board_cut_mode_t next_operation(linux_board_state_t *state, size_t len, size_t *whole)
{
    *whole = len;
    uint64_t number = atomic_fetch_add(&state->operations, 1) + 1;
    if (state->cut.mode == LINUX_BOARD_CUT_NEVER || state->cut.operation != number) {
        return LINUX_BOARD_CUT_NEVER;
    }
    linux_board_cut_mode_t mode = (linux_board_cut_mode_t)state->cut.mode;
    state->cut.mode = LINUX_BOARD_CUT_NEVER;
    size_t byte = state->cut.byte;
    if (mode == LINUX_BOARD_CUT_INSIDE_PERCENT) {
        mode = LINUX_BOARD_CUT_INSIDE;
        byte = byte < 100 ? (size_t)((uint64_t)len * byte / 100) : len;
    }
    if (mode == LINUX_BOARD_CUT_INSIDE) {
        if (byte >= len) {
            return LINUX_BOARD_CUT_AFTER;
        }
        *whole = byte;
    }
    return mode;
}

/* How many bytes of in can be programmed over old before one needs a bit to go from 0 to 1. */
static size_t programmable(const uint8_t *old, const uint8_t *in, size_t len)
{
    uint8_t wrong = 0;
    for (size_t i = 0; i < len; i++) {
        wrong |= (uint8_t)(in[i] & ~old[i]);
    }
    if (wrong == 0) {
        return len;
    }
    size_t good = 0;
    while ((in[good] & ~old[good] & 0xFF) == 0) {
        good++;
    }
    return good;
}

static void clear_bits(uint8_t *bytes, const uint8_t *mask, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        bytes[i] &= mask[i];
    }
}

linux_flash_result_t linux_flash_program(linux_flash_t *flash, uint32_t address, const void *src,
                                         size_t len)
{
    if (!in_chip(flash, address, len)) {
        return LINUX_FLASH_RANGE;
    }
    linux_board_state_t *state = flash->state;
    size_t whole;
    linux_board_cut_mode_t cut = next_operation(state, len, &whole);
    if (cut == LINUX_BOARD_CUT_BEFORE) {
        return LINUX_FLASH_CUT;
    }
    atomic_fetch_add(&state->statistics.programs, 1);
    atomic_fetch_add(&state->statistics.program_bytes, len);
    atomic_fetch_add(&state->statistics.busy_us, linux_flash_busy_us(LINUX_FLASH_PROGRAM, len));

    const uint8_t *in = src;
    uint8_t *out = flash->bytes + address;
    size_t done = 0;
    while (done < whole) {
        /* In pieces, so that the compiler can take many bytes at a time. */
        size_t piece = whole - done < 512 ? whole - done : 512;
        if (state->check_nor) {
            size_t good = programmable(out + done, in + done, piece);
            if (good < piece) {
                clear_bits(out + done, in + done, good);
                return cut == LINUX_BOARD_CUT_NEVER ? LINUX_FLASH_NOR : LINUX_FLASH_CUT;
            }
        }
        clear_bits(out + done, in + done, piece);
        done += piece;
    }
    if (whole < len) {
        uint8_t late = (uint8_t)bit_speeds(flash, address + (uint32_t)whole);
        out[whole] &= (uint8_t)(in[whole] | late);
    }
    return cut == LINUX_BOARD_CUT_NEVER ? LINUX_FLASH_OK : LINUX_FLASH_CUT;
}

/* Leaves the sector as an erase stopped at border/256 of its time does. */
static void tear_sector(linux_flash_t *flash, uint32_t sector, int border)
{
    uint32_t start = sector * LINUX_BOARD_SECTOR_SIZE;
    for (uint32_t at = start; at < start + LINUX_BOARD_SECTOR_SIZE; at++) {
        uint8_t old = flash->bytes[at];
        if (old == 0xFF) {
            continue;
        }
        uint64_t speeds = bit_speeds(flash, at);
        for (unsigned bit = 0; bit < 8; bit++) {
            if ((int)((speeds >> (8 * bit)) & 0xFF) < border - UNSTABLE_WIDTH) {
                old |= (uint8_t)(1u << bit);
            }
        }
        flash->bytes[at] = old;
    }
    flash->state->unstable[sector] = (uint16_t)(border + 1);
}

linux_flash_result_t linux_flash_erase(linux_flash_t *flash, uint32_t address, uint32_t len)
{
    linux_board_state_t *state = flash->state;
    if ((len != LINUX_BOARD_SECTOR_SIZE && len != LINUX_BOARD_BLOCK_SIZE) || address % len != 0 ||
        !in_chip(flash, address, len)) {
        return LINUX_FLASH_RANGE;
    }
    size_t whole;
    linux_board_cut_mode_t cut = next_operation(state, len, &whole);
    if (cut == LINUX_BOARD_CUT_BEFORE) {
        return LINUX_FLASH_CUT;
    }
    atomic_fetch_add(len == LINUX_BOARD_SECTOR_SIZE ? &state->statistics.sector_erases
                                                    : &state->statistics.block_erases,
                     1);
    atomic_fetch_add(&state->statistics.busy_us, linux_flash_busy_us(LINUX_FLASH_ERASE, len));
    uint32_t first = address / LINUX_BOARD_SECTOR_SIZE;
    uint32_t count = len / LINUX_BOARD_SECTOR_SIZE;
    for (uint32_t sector = first; sector < first + count; sector++) {
        state->wear[sector]++;
    }
    if (cut == LINUX_BOARD_CUT_INSIDE) {
        int border = (int)((uint64_t)whole * 256 / len);
        for (uint32_t sector = first; sector < first + count; sector++) {
            tear_sector(flash, sector, border);
        }
        return LINUX_FLASH_CUT;
    }
    memset(flash->bytes + address, 0xFF, len);
    memset(&state->unstable[first], 0, count * sizeof(state->unstable[0]));
    return cut == LINUX_BOARD_CUT_NEVER ? LINUX_FLASH_OK : LINUX_FLASH_CUT;
}

/* Straight line through (4 bytes, at_4) and (4096 bytes, at_4096). */
static uint64_t line(size_t len, uint64_t at_4, uint64_t at_4096)
{
    uint64_t beyond = len > 4 ? len - 4 : 0;
    return at_4 + beyond * (at_4096 - at_4) / 4092;
}

uint64_t linux_flash_busy_us(linux_flash_kind_t kind, size_t len)
{
    const uint64_t sector_erase = 37142;
    switch (kind) {
    case LINUX_FLASH_READ:
        return line(len, 7, 459);
    case LINUX_FLASH_PROGRAM:
        return line(len, 19, 6367);
    case LINUX_FLASH_ERASE:
        /* Data sheets of 4 MiB chips give a 64 KiB block the time of three to four sectors. */
        return len > LINUX_BOARD_SECTOR_SIZE ? sector_erase * 10 / 3 : sector_erase;
    }
    return 0;
}
