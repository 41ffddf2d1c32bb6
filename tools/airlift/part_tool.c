/* SPDX-License-Identifier: Apache-2.0 */
#include "part_tool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "commands.h"
#include "file.h"
#include "flash_writer.h"
#include "ui.h"

#define TABLE_FILE_MAX (1u << 20)

/* --- options --- */

enum { OPT_PRIMARY = 256, OPT_RECOVERY, OPT_EXTRA, OPT_ESPTOOL };

static const struct option long_options[] = {
    BOARD_LONG_OPTIONS,
    {"quiet", no_argument, NULL, 'q'},
    {"port", required_argument, NULL, 'p'},
    {"baud", required_argument, NULL, 'b'},
    {"partition-table-offset", required_argument, NULL, 'o'},
    {"partition-table-file", required_argument, NULL, 'f'},
    {"primary-bootloader-offset", required_argument, NULL, OPT_PRIMARY},
    {"recovery-bootloader-offset", required_argument, NULL, OPT_RECOVERY},
    {"extra-partition-subtypes", required_argument, NULL, OPT_EXTRA},
    {"esptool-args", required_argument, NULL, OPT_ESPTOOL},
    {"esptool-write-args", required_argument, NULL, OPT_ESPTOOL},
    {"esptool-read-args", required_argument, NULL, OPT_ESPTOOL},
    {"esptool-erase-args", required_argument, NULL, OPT_ESPTOOL},
    {0},
};

/* The subcommand of that name, NULL if there is none. */
static const char *find_subcommand(const part_tool_t *tool, const char *word)
{
    const char *const *sub = tool->subcommands;
    while (*sub != NULL && strcmp(*sub, word) != 0) {
        sub++;
    }
    return *sub;
}

bool part_tool_sub_is(const part_tool_t *tool, const char *name)
{
    return strcmp(tool->sub, name) == 0;
}

/* Whether the next word belongs to an option that takes several. */
static bool more_words(const part_tool_t *tool, int argc, char **argv)
{
    return optind < argc && argv[optind][0] != '-' && find_subcommand(tool, argv[optind]) == NULL;
}

static bool take_offset(const char *text, uint32_t *offset)
{
    uint64_t value;
    if (!ui_parse_number(text, false, UINT32_MAX, &value)) {
        return false;
    }
    *offset = (uint32_t)value;
    return true;
}

/* A serial line has no flash to map; what there is are flash files. */
static bool take_port(part_tool_t *tool, const char *port)
{
    struct stat info;
    if (stat(port, &info) == 0 && !S_ISREG(info.st_mode)) {
        ui_error("--port %s: not a board's flash file; serial lines cannot be used yet", port);
        return false;
    }
    tool->args.flash = port;
    return true;
}

/* Takes the options in front of the subcommand; optind is at the subcommand then, or argc if there
 * is none. -1: go on (help set: it was asked for); else an exit status. */
static int take_global_options(part_tool_t *tool, int argc, char **argv)
{
    bool understood = true;
    int option;

    tool->csv.table_offset = FMT_PARTITION_TABLE_OFFSET;
    opterr = 0;
    /* "+": what follows the subcommand is its own. */
    while ((option = getopt_long(argc, argv, "+" BOARD_SHORT_OPTIONS "qp:b:o:f:", long_options,
                                 NULL)) != -1) {
        switch (option) {
        case 'h':
            tool->help = true;
            return -1;
        case 'q':
            tool->quiet = true;
            break;
        case 'p':
            if (!take_port(tool, optarg)) {
                return AIRLIFT_EXIT_FAILURE;
            }
            break;
        case 'b':
            break;
        case 'o':
            understood = take_offset(optarg, &tool->csv.table_offset);
            break;
        case 'f':
            tool->table_file = optarg;
            break;
        case OPT_PRIMARY:
            tool->csv.has_primary_bootloader = true;
            understood = take_offset(optarg, &tool->csv.primary_bootloader_offset);
            break;
        case OPT_RECOVERY:
            tool->csv.has_recovery_bootloader = true;
            understood = take_offset(optarg, &tool->csv.recovery_bootloader_offset);
            break;
        case OPT_EXTRA:
            if (!csv_add_subtype(&tool->csv, optarg)) {
                return AIRLIFT_EXIT_USAGE;
            }
            while (more_words(tool, argc, argv)) {
                if (!csv_add_subtype(&tool->csv, argv[optind++])) {
                    return AIRLIFT_EXIT_USAGE;
                }
            }
            break;
        case OPT_ESPTOOL:
            while (more_words(tool, argc, argv)) {
                optind++;
            }
            break;
        default:
            if (!board_args_take(&tool->args, option, optarg)) {
                return ui_bad_option(tool->verb, argc, argv);
            }
            break;
        }
        if (!understood) {
            return ui_usage_error(tool->verb, "%s: not an offset", optarg);
        }
    }
    return -1;
}

/* --- the board --- */

bool part_tool_open(part_tool_t *tool)
{
    if (!tool->board_open) {
        tool->board_open = board_open(&tool->args, LINUX_BOARD_USE, &tool->board);
    }
    return tool->board_open;
}

/* Frees and closes everything. Exit status for success or failure. */
static int close_all(part_tool_t *tool, bool good)
{
    if (tool->board_open) {
        linux_board_close(&tool->board);
    }
    csv_free(&tool->table);
    if (good) {
        return AIRLIFT_EXIT_OK;
    }
    return tool->quiet ? PART_TOOL_EXIT_QUIET : AIRLIFT_EXIT_FAILURE;
}

int part_tool_run(part_tool_t *tool, void *job, int argc, char **argv)
{
    int status = take_global_options(tool, argc, argv);
    if (status >= 0) {
        return status;
    }
    if (!tool->help && optind == argc) {
        if (!tool->quiet) {
            tool->print_help();
        }
        return AIRLIFT_EXIT_FAILURE;
    }
    if (!tool->help) {
        tool->sub = find_subcommand(tool, argv[optind]);
        if (tool->sub == NULL) {
            return ui_usage_error(tool->verb, "%s: no such %s", argv[optind], tool->noun);
        }
        status = tool->take_options(job, argc - optind, argv + optind);
        if (status >= 0) {
            return status;
        }
    }
    if (tool->help) {
        tool->print_help();
        return AIRLIFT_EXIT_OK;
    }
    if (tool->quiet && freopen("/dev/null", "w", stderr) == NULL) {
        return PART_TOOL_EXIT_QUIET;
    }
    return close_all(tool, tool->work(job));
}

/* --- the table --- */

static bool read_table_file(part_tool_t *tool)
{
    uint8_t *data;
    size_t len;
    if (!file_read(tool->table_file, TABLE_FILE_MAX, &data, &len)) {
        return false;
    }
    bool good = csv_read(&tool->csv, data, len, &tool->table, NULL);
    free(data);
    if (!good) {
        ui_error("%s: not a valid partition table", tool->table_file);
    }
    return good;
}

bool part_tool_read_table(part_tool_t *tool)
{
    if (tool->table_file != NULL) {
        return read_table_file(tool);
    }
    uint8_t data[FMT_PARTITION_TABLE_LEN];
    if (!part_tool_open(tool)) {
        return false;
    }
    if (linux_flash_read(&tool->board.flash, tool->csv.table_offset, data, sizeof(data)) !=
        LINUX_FLASH_OK) {
        ui_error("partition table offset 0x%x: beyond the flash", tool->csv.table_offset);
        return false;
    }
    if (!csv_from_binary(&tool->csv, data, sizeof(data), &tool->table) || tool->table.count == 0) {
        ui_error("flash: no valid partition table at 0x%x; -o says where it is, -f names a file",
                 tool->csv.table_offset);
        return false;
    }
    return true;
}

const csv_row_t *part_tool_by_name(const part_tool_t *tool, const char *name)
{
    for (size_t i = 0; i < tool->table.count; i++) {
        if (strcmp(tool->table.rows[i].name, name) == 0) {
            return &tool->table.rows[i];
        }
    }
    return NULL;
}

const csv_row_t *part_tool_by_type(const part_tool_t *tool, int64_t type, int64_t subtype)
{
    for (size_t i = 0; i < tool->table.count; i++) {
        if (tool->table.rows[i].type == type && tool->table.rows[i].subtype == subtype) {
            return &tool->table.rows[i];
        }
    }
    return NULL;
}

/* --- partitions --- */

bool part_tool_check_place(const part_tool_t *tool, const csv_row_t *row)
{
    uint32_t flash_size = tool->board.flash.state->flash_size;
    if (row->offset < 0 || row->size <= 0 || row->offset > flash_size ||
        row->size > flash_size - row->offset) {
        ui_error("partition '%s': 0x%llx bytes at 0x%llx: beyond the flash of 0x%x bytes",
                 row->name, (long long)row->size, (long long)row->offset, flash_size);
        return false;
    }
    if (row->offset % LINUX_BOARD_SECTOR_SIZE != 0 || row->size % LINUX_BOARD_SECTOR_SIZE != 0) {
        ui_error("partition '%s': 0x%llx bytes at 0x%llx: must be whole sectors of 0x%x bytes",
                 row->name, (long long)row->size, (long long)row->offset, LINUX_BOARD_SECTOR_SIZE);
        return false;
    }
    return true;
}

bool part_tool_read(part_tool_t *tool, const csv_row_t *row, const char *path)
{
    if (!part_tool_open(tool) || !part_tool_check_place(tool, row)) {
        return false;
    }
    uint8_t *data = malloc((size_t)row->size);
    if (data == NULL) {
        ui_error("out of memory");
        return false;
    }
    bool good = linux_flash_read(&tool->board.flash, (uint32_t)row->offset, data,
                                 (uint32_t)row->size) == LINUX_FLASH_OK;
    if (!good) {
        ui_error("flash: 0x%llx: cannot be read", (long long)row->offset);
    }
    good = good && file_write(path, data, (size_t)row->size);
    free(data);
    return good;
}

bool part_tool_erase(part_tool_t *tool, const csv_row_t *row)
{
    return part_tool_open(tool) && part_tool_check_place(tool, row) &&
           flash_writer_erase(&tool->board, (uint32_t)row->offset, (uint32_t)row->size, NULL, NULL);
}

bool part_tool_write(part_tool_t *tool, const csv_row_t *row, const char *path)
{
    uint8_t *data;
    size_t len;
    if (!part_tool_open(tool) || !part_tool_check_place(tool, row) ||
        !file_read(path, LINUX_BOARD_MAX_FLASH, &data, &len)) {
        return false;
    }
    bool good = len <= (uint64_t)row->size;
    if (!good) {
        ui_error("%s: %zu bytes: more than partition '%s' holds, 0x%llx bytes; nothing was written",
                 path, len, row->name, (long long)row->size);
    } else {
        uint32_t sectors =
            (uint32_t)((len + LINUX_BOARD_SECTOR_SIZE - 1) / LINUX_BOARD_SECTOR_SIZE);
        uint32_t used = sectors * LINUX_BOARD_SECTOR_SIZE;
        good = flash_writer_write(&tool->board, (uint32_t)row->offset, data, (uint32_t)len, NULL,
                                  NULL) &&
               flash_writer_erase(&tool->board, (uint32_t)row->offset + used,
                                  (uint32_t)row->size - used, NULL, NULL);
    }
    free(data);
    return good;
}
