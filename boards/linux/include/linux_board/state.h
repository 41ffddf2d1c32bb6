/* SPDX-License-Identifier: Apache-2.0
 *
 * The state file of the linux board: everything that is the board and not on its flash chip. The
 * runner, the bootloader, the application and the host tool map it shared, so the layout is fixed
 * by version. A file of another version is refused, never converted.
 *
 * The device processes, the runner and the tool may look at the file at the same time. Fields that
 * more than one of them changes while a program runs are atomic. */
#ifndef LINUX_BOARD_STATE_H
#define LINUX_BOARD_STATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define LINUX_BOARD_STATE_MAGIC   "ALBOARD"
#define LINUX_BOARD_STATE_VERSION 1u

/* Revision of the chip, major * 100 + minor. */
#define LINUX_BOARD_CHIP_REVISION 100u

#define LINUX_BOARD_GPIO_COUNT  32u
#define LINUX_BOARD_RETAIN_SIZE 256u
#define LINUX_BOARD_SECTOR_SIZE 4096u
#define LINUX_BOARD_BLOCK_SIZE  65536u
#define LINUX_BOARD_MIN_FLASH   0x00100000u
#define LINUX_BOARD_MAX_FLASH   0x08000000u
#define LINUX_BOARD_MAX_SECTORS (LINUX_BOARD_MAX_FLASH / LINUX_BOARD_SECTOR_SIZE)

/* Names a device process's two inherited descriptors: "FLASHFD,STATEFD", decimal. */
#define LINUX_BOARD_ENVIRONMENT "AIRLIFT_BOARD"

/* Exit statuses of a device process. Anything else means that the program ended by a way a board
 * does not have (exit(), a sanitizer, a killing signal). */
#define LINUX_BOARD_EXIT_RESET     80 /* the reason is in reset_reason */
#define LINUX_BOARD_EXIT_OFF       81 /* nothing bootable */
#define LINUX_BOARD_EXIT_POWER_CUT 82 /* the cut plan came true */

/* running_offset while no image of the flash runs. */
#define LINUX_BOARD_NOT_RUNNING UINT32_MAX

/* What drives a pin from outside. */
typedef enum {
    LINUX_BOARD_DRIVE_NONE = 0,
    LINUX_BOARD_DRIVE_LOW = 1,
    LINUX_BOARD_DRIVE_HIGH = 2,
} linux_board_drive_t;

typedef struct {
    _Atomic uint8_t drive;  /* linux_board_drive_t, written by the tool */
    _Atomic uint8_t input;  /* 1: input buffer on; this and the rest are written by the program */
    _Atomic uint8_t output; /* 1: output driver on */
    _Atomic uint8_t pull;   /* hal_gpio_pull_t */
    _Atomic uint8_t level;  /* level of the output driver: 0 or 1 */
    uint8_t reserved[3];
} linux_board_pin_t;

/* When power goes away during the operation number `operation` (programs and erases, counted from
 * the last power-on, the first one being 1). */
typedef enum {
    LINUX_BOARD_CUT_NEVER = 0,
    LINUX_BOARD_CUT_BEFORE = 1, /* nothing of it happened */
    LINUX_BOARD_CUT_INSIDE = 2, /* torn at `byte`, see flash_model.h */
    LINUX_BOARD_CUT_AFTER = 3,  /* all of it happened, but the program does not learn that */
    LINUX_BOARD_CUT_INSIDE_PERCENT = 4, /* as INSIDE, `byte` being percent of the length */
} linux_board_cut_mode_t;

typedef struct {
    uint32_t mode; /* linux_board_cut_mode_t; set back to NEVER when the plan has come true */
    uint32_t byte;
    uint64_t operation;
} linux_board_cut_t;

typedef struct {
    _Atomic uint64_t reads, read_bytes;
    _Atomic uint64_t programs, program_bytes;
    _Atomic uint64_t sector_erases, block_erases;
    _Atomic uint64_t busy_us; /* time a real chip would have taken, see linux_flash_busy_us() */
} linux_board_statistics_t;

typedef struct {
    char magic[8];
    uint32_t version;
    uint32_t flash_size; /* bytes, a power of two; equals the size of the flash file */

    _Atomic uint32_t reset_reason; /* hal_reset_reason_t of the current boot */
    uint32_t running_offset;       /* flash offset of the program that runs, or NOT_RUNNING */
    uint32_t boots;                /* boots since power-on, this one included */
    uint32_t real_timing;          /* 1: flash operations take as long as a real chip's */
    uint32_t check_nor;            /* 1: programming 1 over 0 is an error, 0: it is ignored */
    _Atomic uint8_t link_off;      /* 1: the network cable is pulled; written by the tool */
    uint8_t loss_percent;          /* so much of what the network carries gets lost; 100 at most */
    uint8_t pins_on_request;       /* 1: the program's part of pins comes here when asked for only,
                                      linux_board_ask_pins() */
    uint8_t reserved0;
    uint64_t reset_time_ns; /* CLOCK_MONOTONIC at the last reset */

    linux_board_pin_t pins[LINUX_BOARD_GPIO_COUNT];
    uint8_t retain[LINUX_BOARD_RETAIN_SIZE];

    _Atomic uint64_t operations; /* programs and erases since power-on */
    linux_board_cut_t cut;
    uint64_t seed;    /* decides which bits a torn operation changes and which are unstable */
    uint64_t flicker; /* advances with every read of an unstable bit */

    linux_board_statistics_t statistics; /* since the state file was made */
    uint32_t wear[LINUX_BOARD_MAX_SECTORS];

    /* 0: every bit of the sector reads the same each time. n > 0: its last erase was torn at the
     * fraction (n - 1)/256, and the bits near that threshold flicker until a whole erase. */
    uint16_t unstable[LINUX_BOARD_MAX_SECTORS];
} linux_board_state_t;

/* Whether the board can have a flash chip of this many bytes (1 MiB to 128 MiB, a power of two). */
bool linux_board_flash_size_valid(uint64_t size);

/* Makes *state that of a new board with a flash chip of flash_size bytes (valid) that was just
 * switched on: no wear, no pin driven, NOR check on, no cut planned. */
void linux_board_state_init(linux_board_state_t *state, uint32_t flash_size);

/* NULL if *state, read from size bytes of a file, is a state of this version for a chip of
 * flash_size bytes; else a text that says what is wrong. */
const char *linux_board_state_problem(const linux_board_state_t *state, uint64_t size,
                                      uint64_t flash_size);

/* What switching the board on does: reason power-on, retain memory zero, operations counted from
 * 0, pins as after a reset. now_ns is CLOCK_MONOTONIC. What drives pins from
 * outside, a pulled cable and the plan stay. */
void linux_board_state_power_on(linux_board_state_t *state, uint64_t now_ns);

/* What every reset but power-on does; reason is a hal_reset_reason_t. */
void linux_board_state_reset(linux_board_state_t *state, uint32_t reason, uint64_t now_ns);

#endif
