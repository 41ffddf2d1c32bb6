/* SPDX-License-Identifier: Apache-2.0
 *
 * airlift erase-otadata: back to the factory application, or the first slot. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "board_args.h"
#include "commands.h"
#include "file.h"
#include "flash_writer.h"
#include "formats/otadata.h"
#include "formats/partition_table.h"
#include "ui.h"

#define VERB "erase-otadata"

static void print_help(void)
{
    printf("usage: airlift erase-otadata [options]\n\n"
           "Erases both records of the otadata partition: the next boot takes the factory app, or "
           "the first\nOTA slot if there is none. Where the partition is, the project's table says "
           "(BUILD/partition_table/\npartition-table.bin), or without a build the table in "
           "flash.\n\n" BOARD_OPTIONS_HELP
           "  --partition-table-offset N   place of the table in flash (default 0x8000)\n");
}

/* The otadata partition of a table; false after an error message. */
static bool find_otadata(const char *name, const uint8_t *table, size_t len, uint32_t flash_size,
                         fmt_partition_t *found)
{
    fmt_table_report_t report;
    if (fmt_partition_table_check(table, len, flash_size, &report) != ESP_OK) {
        fmt_log_line_t line;
        ui_error("%s: not a valid partition table: %s", name,
                 fmt_table_report_line(&report, &line) ? line.text : "nothing there");
        return false;
    }
    bool has = false;
    for (unsigned i = 0; i < report.count; i++) {
        fmt_partition_t entry;
        if (fmt_partition_row_decode(table + (size_t)i * FMT_PARTITION_ROW_SIZE, &entry) ==
                FMT_ROW_ENTRY &&
            entry.type == FMT_PART_TYPE_DATA && entry.subtype == FMT_PART_DATA_OTA) {
            *found = entry;
            has = true;
        }
    }
    if (!has) {
        ui_error("%s: the partition table has no otadata partition", name);
        return false;
    }
    if (found->size < FMT_OTADATA_SIZE || found->offset % FMT_OTADATA_SECTOR != 0) {
        ui_error("%s: otadata: 0x%x bytes at 0x%x: must be 0x%x bytes at a sector start", name,
                 found->size, found->offset, FMT_OTADATA_SIZE);
        return false;
    }
    return true;
}

static bool find_in_build(const char *path, uint32_t flash_size, fmt_partition_t *found)
{
    uint8_t *table;
    size_t len;
    if (!file_read(path, FMT_PARTITION_TABLE_SECTOR, &table, &len)) {
        return false;
    }
    bool good = find_otadata(path, table, len, flash_size, found);
    free(table);
    return good;
}

static bool find_in_flash(linux_board_files_t *board, uint32_t offset, fmt_partition_t *found)
{
    uint8_t table[FMT_PARTITION_TABLE_LEN];
    if (linux_flash_read(&board->flash, offset, table, sizeof(table)) != LINUX_FLASH_OK) {
        ui_error("partition table offset 0x%x: beyond the flash", offset);
        return false;
    }
    return find_otadata("flash", table, sizeof(table), board->flash.state->flash_size, found);
}

static bool erase(const board_args_t *args, linux_board_files_t *board, uint32_t table_offset)
{
    char build[PATH_MAX];
    char path[PATH_MAX + 64];
    if (!board_build_path(args, build)) {
        return false;
    }
    snprintf(path, sizeof(path), "%s/partition_table/partition-table.bin", build);
    fmt_partition_t otadata = {0};
    bool found = access(path, F_OK) == 0
                     ? find_in_build(path, board->flash.state->flash_size, &otadata)
                     : find_in_flash(board, table_offset, &otadata);
    if (!found || !flash_writer_erase(board, otadata.offset, FMT_OTADATA_SIZE, NULL, NULL)) {
        return false;
    }
    printf("Erased otadata (%s) at 0x%x\n", otadata.label, otadata.offset);
    return true;
}

static int run(int argc, char **argv)
{
    enum { TABLE_OFFSET = 256 };
    static const struct option long_options[] = {
        BOARD_LONG_OPTIONS,
        {"partition-table-offset", required_argument, NULL, TABLE_OFFSET},
        {0},
    };
    board_args_t args = {0};
    uint64_t table_offset = FMT_PARTITION_TABLE_OFFSET;
    int option;

    opterr = 0;
    while ((option = getopt_long(argc, argv, BOARD_SHORT_OPTIONS, long_options, NULL)) != -1) {
        switch (option) {
        case TABLE_OFFSET:
            if (!ui_parse_number(optarg, true, UINT32_MAX, &table_offset)) {
                return ui_usage_error(VERB, "--partition-table-offset: %s: not an offset", optarg);
            }
            break;
        case 'h':
            print_help();
            return AIRLIFT_EXIT_OK;
        default:
            if (!board_args_take(&args, option, optarg)) {
                return ui_bad_option(VERB, argc, argv);
            }
            break;
        }
    }
    if (optind != argc) {
        return ui_usage_error(VERB, "%s: not expected", argv[optind]);
    }
    linux_board_files_t board;
    if (!board_open(&args, LINUX_BOARD_USE, &board)) {
        return AIRLIFT_EXIT_FAILURE;
    }
    bool good = erase(&args, &board, (uint32_t)table_offset);
    linux_board_close(&board);
    return good ? AIRLIFT_EXIT_OK : AIRLIFT_EXIT_FAILURE;
}

const airlift_cmd_t airlift_cmd_erase_otadata = {
    VERB, "erase the boot selection: back to factory, or the first slot", run};
