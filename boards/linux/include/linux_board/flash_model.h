/* SPDX-License-Identifier: Apache-2.0
 *
 * The linux board's flash chip: NOR rules, wear and torn operations over a mapped flash file and a
 * state. Used by the device (hal_flash_*) and by the host tool, so that both wear the chip the same
 * way. Nothing here locks; the caller serialises.
 *
 * Torn operations. A program torn at byte K has written bytes 0 .. K-1 and cleared some of the bits
 * it should have cleared in byte K. An erase torn at byte K of its n bytes was stopped after K/n of
 * its time: cells differ in how long they take, so every bit that was 0 has reached 1 or not by its
 * own speed, and those near the border read differently from time to time until the sector is
 * erased whole. Both are reproducible: which bits is decided by the state's seed, the bit's address
 * and the sector's wear. */
#ifndef LINUX_BOARD_FLASH_MODEL_H
#define LINUX_BOARD_FLASH_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "linux_board/state.h"

typedef struct {
    uint8_t *bytes; /* state->flash_size bytes */
    linux_board_state_t *state;
} linux_flash_t;

typedef enum {
    LINUX_FLASH_OK = 0,
    LINUX_FLASH_RANGE, /* not inside the chip, or an erase not aligned; nothing happened */
    LINUX_FLASH_NOR, /* a bit would have to go from 0 to 1; bytes before that one are programmed */
    LINUX_FLASH_CUT, /* power was cut as planned: nothing may run after this */
} linux_flash_result_t;

/* What a JEDEC id is on this board: 0xA105 for manufacturer and type, then log2 of the size. */
uint32_t linux_flash_id(const linux_flash_t *flash);

/* Copies len bytes at address to dst; unstable bits get a new value each time. */
linux_flash_result_t linux_flash_read(linux_flash_t *flash, uint32_t address, void *dst,
                                      size_t len);

/* Programs len bytes. An operation even when len is 0. */
linux_flash_result_t linux_flash_program(linux_flash_t *flash, uint32_t address, const void *src,
                                         size_t len);

/* Erases one sector (len LINUX_BOARD_SECTOR_SIZE) or one block (LINUX_BOARD_BLOCK_SIZE) at an
 * address that is a multiple of len. */
linux_flash_result_t linux_flash_erase(linux_flash_t *flash, uint32_t address, uint32_t len);

/* Whether any bit of [address, address + len), which is inside the chip, is unstable. */
bool linux_flash_unstable(const linux_flash_t *flash, uint32_t address, size_t len);

/* Microseconds a real chip takes for one operation on len bytes. */
typedef enum { LINUX_FLASH_READ, LINUX_FLASH_PROGRAM, LINUX_FLASH_ERASE } linux_flash_kind_t;
uint64_t linux_flash_busy_us(linux_flash_kind_t kind, size_t len);

#endif
