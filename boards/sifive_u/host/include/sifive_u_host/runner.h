/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs a sifive_u board: starts the emulator with the ROM stage and the flash file, connects its
 * console, network and pins, and ends it when it was asked to or the board cannot go on.
 *
 * Flash file, state file beside it and the options both boards know are those of the linux board
 * (linux_board_host/board_files.h, runner.h). What differs: the flash file has the chip's 32 MiB;
 * operations are not counted, and a power cut is the end of the emulator at any time, not a plan.
 */
#ifndef SIFIVE_U_HOST_RUNNER_H
#define SIFIVE_U_HOST_RUNNER_H

#include "linux_board_host/runner.h"

#define SIFIVE_U_FLASH_SIZE 0x02000000u
#define SIFIVE_U_PINS       16u

/* A port of the host's loopback interface that leads to one of the board's. */
typedef struct {
    uint16_t host;
    uint16_t board;
} sifive_u_forward_t;

typedef struct {
    const char *rom_path; /* rom.elf of boards/sifive_u/rom */
    const char *qemu;     /* NULL: qemu-system-riscv32 from the PATH */
    const sifive_u_forward_t *forwards;
    size_t forward_count;
} sifive_u_options_t;

/* As linux_run(). cut, real_timing and allow_nor_errors of options must not be used: FAILED with a
 * remark that says so. A missing emulator is told with the name of the package that has it. */
linux_run_result_t sifive_u_run(const linux_run_options_t *options, const sifive_u_options_t *board,
                                linux_run_report_t *report);

#endif
