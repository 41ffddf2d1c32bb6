/* SPDX-License-Identifier: Apache-2.0
 *
 * What the verbs that work on a board have in common: which build folder, which flash file, and
 * what the build says is to be flashed. */
#ifndef AIRLIFT_BOARD_ARGS_H
#define AIRLIFT_BOARD_ARGS_H

#include <getopt.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "formats/chip.h"
#include "linux_board_host/board_files.h"

/* Option values below this are the verb's own. */
enum { BOARD_ARG_FLASH = 1000 };

/* For a verb's getopt_long(): its short options "B:C:h" and these long ones. */
#define BOARD_LONG_OPTIONS                                                                         \
    {"build-dir", required_argument, NULL, 'B'}, {"project-dir", required_argument, NULL, 'C'},    \
        {"flash", required_argument, NULL, BOARD_ARG_FLASH}, {"help", no_argument, NULL, 'h'}
#define BOARD_SHORT_OPTIONS "B:C:h"

/* Their lines in a verb's help. */
#define BOARD_OPTIONS_HELP                                                                         \
    "  -C, --project-dir DIR  project folder (default: the current folder)\n"                      \
    "  -B, --build-dir DIR    build folder (default: PROJECT/build); the name of a board, linux "  \
    "or\n"                                                                                         \
    "                         sifive_u, stands for PROJECT/build-NAME\n"                           \
    "  --flash FILE           the board's flash (default: BUILD/flash.bin); everything else "      \
    "that\n"                                                                                       \
    "                         is the board stands beside it in FILE.state\n"

typedef struct {
    const char *project; /* NULL: the current folder */
    const char *build;   /* NULL: build in the project folder */
    const char *flash;   /* NULL: flash.bin in the build folder */
} board_args_t;

/* What stands in front of the verb on the command line: for verbs that are given nothing else. The
 * texts stay the caller's. */
void board_args_in_front(const board_args_t *args);

/* args with what they lack taken from there. */
board_args_t board_args_whole(const board_args_t *args);

/* The board whose name stands in the place of a build folder; NULL: build is a folder, or NULL. A
 * folder of such a name in the current folder goes first. */
const fmt_chip_t *board_by_build(const char *build);

/* Takes an option of BOARD_LONG_OPTIONS (not 'h'); false: it is none of them. */
bool board_args_take(board_args_t *args, int option, const char *value);

/* The paths meant. False after an error message: too long. */
bool board_build_path(const board_args_t *args, char path[PATH_MAX]);
bool board_flash_path(const board_args_t *args, char path[PATH_MAX]);

/* What kind of board it is. */
typedef struct {
    const fmt_chip_t *chip;
    uint32_t flash_size; /* bytes, the same for every board of this kind; 0: each has its own */
    unsigned pins;       /* 0 to pins - 1 */
} board_kind_t;

/* The kind that the build is for, by its project_description.json; without one what
 * board_by_build() says, or a linux board. False after an error message: the file cannot be read,
 * or names a board this program does not know. */
bool board_find_kind(const board_args_t *args, board_kind_t *kind);

/* Opens the board of args; false after an error message. */
bool board_open(const board_args_t *args, linux_board_access_t access, linux_board_files_t *board);

/* One file to flash. */
typedef struct {
    uint32_t offset;
    char path[PATH_MAX];
} flash_file_t;

#define FLASH_FILES_MAX 32

/* What BUILD/flash_args says: files to flash, and the parameters of the bootloader's header. */
typedef struct {
    flash_file_t files[FLASH_FILES_MAX];
    size_t count;
    char mode[16]; /* "dio", ..., "keep"; "" when not given */
    char freq[16]; /* "80m", ... */
    char size[16]; /* "4MB", ..., "detect" */
} flash_args_t;

/* Reads the file flash_args of a build folder. False after an error message. */
bool flash_args_read(const char *build, flash_args_t *args);

/* Whether that folder has such a file. */
bool flash_args_exist(const char *build);

/* Parses "4MB" as the size of a chip the board can have; 0 when it is none. */
uint32_t board_parse_flash_size(const char *text);

#endif
