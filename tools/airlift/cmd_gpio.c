/* SPDX-License-Identifier: Apache-2.0
 *
 * airlift gpio: drives a pin of a board, running or not. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "board_args.h"
#include "commands.h"
#include "ui.h"

#define VERB "gpio"

static void print_help(void)
{
    printf("usage: airlift gpio [options] PIN low|high|release\n"
           "       airlift gpio [options]\n\n"
           "Drives a pin of the board from outside, as a button or a wire does, while it runs or "
           "before.\nThe pin stays driven, over resets and power cuts, until it is released. "
           "Without arguments: the\npins in use.\n\n" BOARD_OPTIONS_HELP);
}

static void print_pins(const linux_board_state_t *state)
{
    static const char *const drives[] = {"-", "low", "high"};
    static const char *const pulls[] = {"none", "up", "down"};
    printf("Pin  Driven  Input  Output  Pull\n");
    for (unsigned i = 0; i < LINUX_BOARD_GPIO_COUNT; i++) {
        const linux_board_pin_t *pin = &state->pins[i];
        unsigned drive = atomic_load(&pin->drive);
        unsigned pull = atomic_load(&pin->pull);
        bool input = atomic_load(&pin->input) != 0;
        bool output = atomic_load(&pin->output) != 0;
        if (drive == LINUX_BOARD_DRIVE_NONE && !input && !output) {
            continue;
        }
        const char *level = atomic_load(&pin->level) ? "high" : "low";
        printf("%3u  %-6s  %-5s  %-6s  %s\n", i, drive < 3 ? drives[drive] : "?",
               input ? "on" : "off", output ? level : "off", pull < 3 ? pulls[pull] : "?");
    }
}

static int run(int argc, char **argv)
{
    static const struct option long_options[] = {BOARD_LONG_OPTIONS, {0}};
    board_args_t args = {0};
    int option;

    opterr = 0;
    while ((option = getopt_long(argc, argv, BOARD_SHORT_OPTIONS, long_options, NULL)) != -1) {
        if (option == 'h') {
            print_help();
            return AIRLIFT_EXIT_OK;
        }
        if (!board_args_take(&args, option, optarg)) {
            return ui_bad_option(VERB, argc, argv);
        }
    }
    uint64_t pin = 0;
    linux_board_drive_t drive = LINUX_BOARD_DRIVE_NONE;
    bool list = optind == argc;
    if (!list) {
        if (argc - optind != 2) {
            return ui_usage_error(VERB, "needs a pin and a level");
        }
        if (!ui_parse_number(argv[optind], false, LINUX_BOARD_GPIO_COUNT - 1, &pin)) {
            return ui_usage_error(VERB, "%s: pins are 0 to %u", argv[optind],
                                  LINUX_BOARD_GPIO_COUNT - 1);
        }
        const char *level = argv[optind + 1];
        if (strcmp(level, "low") == 0) {
            drive = LINUX_BOARD_DRIVE_LOW;
        } else if (strcmp(level, "high") == 0) {
            drive = LINUX_BOARD_DRIVE_HIGH;
        } else if (strcmp(level, "release") != 0) {
            return ui_usage_error(VERB, "%s: must be low, high or release", level);
        }
    }
    board_kind_t kind;
    if (!board_find_kind(&args, &kind)) {
        return AIRLIFT_EXIT_FAILURE;
    }
    if (pin >= kind.pins) {
        return ui_usage_error(VERB, "%s: the pins of a %s board are 0 to %u", argv[optind],
                              kind.chip->name, kind.pins - 1);
    }
    linux_board_files_t board;
    if (!board_open(&args, LINUX_BOARD_LOOK, &board)) {
        return AIRLIFT_EXIT_FAILURE;
    }
    if (list) {
        char path[PATH_MAX];
        if (board_flash_path(&args, path) && !linux_board_ask_pins(&board, path)) {
            ui_note("The board does not answer; this is what was last known.");
        }
        print_pins(board.flash.state);
    } else {
        atomic_store(&board.flash.state->pins[pin].drive, (uint8_t)drive);
    }
    linux_board_close(&board);
    return AIRLIFT_EXIT_OK;
}

const airlift_cmd_t airlift_cmd_gpio = {"gpio", "drive a pin of the board from outside", run};
