/* SPDX-License-Identifier: Apache-2.0
 *
 * airlift erase-flash: a blank chip. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "board_args.h"
#include "commands.h"
#include "file.h"
#include "flash_writer.h"
#include "ui.h"

#define VERB "erase-flash"

static void print_help(void)
{
    printf("usage: airlift erase-flash [options]\n\n"
           "Erases the whole flash of the board. If the build asks for another size than the board "
           "has, or\nthere is no board yet, a new one of that size is made.\n\n" BOARD_OPTIONS_HELP
           "  --flash-size SIZE      1MB, 2MB, ... 128MB (default: what the build says, else what "
           "the board has)\n");
}

static bool make_new(const char *path, uint32_t size)
{
    char error[LINUX_BOARD_ERROR_SIZE];
    if (!file_make_parents(path)) {
        return false;
    }
    if (!linux_board_create(path, size, error)) {
        ui_error("%s", error);
        return false;
    }
    printf("Made a board with %u MiB of flash: %s\n", size >> 20, path);
    return true;
}

static bool erase(linux_board_files_t *board)
{
    uint32_t size = board->flash.state->flash_size;
    ui_progress_t progress = {0};
    uint64_t done = 0;
    ui_progress_begin(&progress, "erase", size);
    bool good = flash_writer_erase(board, 0, size, &progress, &done);
    ui_progress_end(&progress);
    if (good) {
        printf("Erased %u MiB of flash\n", size >> 20);
    }
    return good;
}

static bool erase_or_make(const board_args_t *args, uint32_t wanted)
{
    char path[PATH_MAX];
    char build[PATH_MAX];
    board_kind_t kind;
    if (!board_flash_path(args, path) || !board_build_path(args, build) ||
        !board_find_kind(args, &kind)) {
        return false;
    }
    if (kind.flash_size != 0) {
        if (wanted != 0 && wanted != kind.flash_size) {
            ui_error("--flash-size: a %s board has %u MiB", kind.chip->name, kind.flash_size >> 20);
            return false;
        }
        wanted = kind.flash_size;
    }
    if (wanted == 0 && flash_args_exist(build)) {
        static flash_args_t files;
        if (!flash_args_read(build, &files)) {
            return false;
        }
        wanted = board_parse_flash_size(files.size);
    }
    if (access(path, F_OK) != 0) {
        if (wanted == 0) {
            ui_error("%s: there is no such board yet; --flash-size says how large its flash is to "
                     "be",
                     path);
            return false;
        }
        return make_new(path, wanted);
    }
    linux_board_files_t board;
    if (!board_open(args, LINUX_BOARD_USE, &board)) {
        return false;
    }
    if (wanted != 0 && wanted != board.flash.state->flash_size) {
        linux_board_close(&board);
        return make_new(path, wanted);
    }
    bool good = erase(&board);
    linux_board_close(&board);
    return good;
}

static int run(int argc, char **argv)
{
    enum { SIZE = 256 };
    static const struct option long_options[] = {
        BOARD_LONG_OPTIONS, {"flash-size", required_argument, NULL, SIZE}, {0}};
    board_args_t args = {0};
    uint32_t size = 0;
    int option;

    opterr = 0;
    while ((option = getopt_long(argc, argv, BOARD_SHORT_OPTIONS, long_options, NULL)) != -1) {
        switch (option) {
        case SIZE:
            size = board_parse_flash_size(optarg);
            if (size == 0) {
                return ui_usage_error(VERB, "--flash-size: %s: must be 1MB, 2MB, 4MB, ... 128MB",
                                      optarg);
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
    return erase_or_make(&args, size) ? AIRLIFT_EXIT_OK : AIRLIFT_EXIT_FAILURE;
}

const airlift_cmd_t airlift_cmd_erase_flash = {VERB, "erase the whole flash of the board", run};
