/* SPDX-License-Identifier: Apache-2.0
 *
 * What parttool and otatool have in common: their global options, the partition table in force, and
 * whole partitions of a board's flash. Everything below explains failures on stderr. */
#ifndef AIRLIFT_PART_TOOL_H
#define AIRLIFT_PART_TOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "board_args.h"
#include "partition_csv.h"

/* With --quiet a failure is told by this status alone. */
#define PART_TOOL_EXIT_QUIET 2

typedef struct {
    const char *verb;               /* "parttool", "otatool" */
    const char *noun;               /* what it calls a subcommand */
    const char *const *subcommands; /* ended by NULL */
    void (*print_help)(void);
    /* The options behind the subcommand, as getopt() takes them; -1: go on, else an exit status. */
    int (*take_options)(void *job, int argc, char **argv);
    bool (*work)(void *job); /* does it; false: failed, and said why */

    const char *sub; /* one of subcommands */
    board_args_t args;
    csv_options_t csv;
    const char *table_file; /* NULL: the table in flash */
    bool quiet;
    bool help;

    csv_table_t table;
    linux_board_files_t board;
    bool board_open;
} part_tool_t;

/* The global options' lines in a help. */
#define PART_TOOL_OPTIONS_HELP                                                                     \
    "  -q, --quiet            failures are told by the exit status alone\n"                        \
    "  -p, --port FILE        the same as --flash\n"                                               \
    "  -b, --baud N           taken and not used: the flash is a file\n"                           \
    "  -o, --partition-table-offset N\n"                                                           \
    "                         place of the table in flash (default 0x8000)\n"                      \
    "  -f, --partition-table-file FILE\n"                                                          \
    "                         take the table from FILE, CSV or binary, instead of the flash\n"     \
    "  --primary-bootloader-offset N, --recovery-bootloader-offset N\n"                            \
    "                         for a CSV with rows of type bootloader\n"                            \
    "  --extra-partition-subtypes \"TYPE,NAME,0xNN\" ...\n"                                        \
    "                         subtypes of the project\n"                                           \
    "  --esptool-args, --esptool-write-args, --esptool-read-args, --esptool-erase-args WORD ...\n" \
    "                         taken and not used: no esptool is run\n"

/* Runs the verb whose words tool has, job being handed to its functions. Exit status. */
int part_tool_run(part_tool_t *tool, void *job, int argc, char **argv);

/* Reads the table: from the file, else from flash. */
bool part_tool_read_table(part_tool_t *tool);

/* Opens the board, unless it is open. A running board is refused. */
bool part_tool_open(part_tool_t *tool);

/* Whether the subcommand is the one of that name. */
bool part_tool_sub_is(const part_tool_t *tool, const char *name);

/* Whether [offset, offset + size) of row lies in the board's flash and in whole sectors. */
bool part_tool_check_place(const part_tool_t *tool, const csv_row_t *row);

/* The whole partition into a file, nothing into it, a file into it. */
bool part_tool_read(part_tool_t *tool, const csv_row_t *row, const char *path);
bool part_tool_erase(part_tool_t *tool, const csv_row_t *row);
bool part_tool_write(part_tool_t *tool, const csv_row_t *row, const char *path);

/* Searches; NULL if there is none. */
const csv_row_t *part_tool_by_name(const part_tool_t *tool, const char *name);
const csv_row_t *part_tool_by_type(const part_tool_t *tool, int64_t type, int64_t subtype);

#endif
