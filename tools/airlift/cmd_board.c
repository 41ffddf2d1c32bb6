/* SPDX-License-Identifier: Apache-2.0
 *
 * airlift board: what a board has been through, and its network cable. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "board_args.h"
#include "commands.h"
#include "hal/reset.h"
#include "ui.h"

static const char *reason_name(uint32_t reason)
{
    switch (reason) {
    case HAL_RESET_POWERON:
        return "power-on";
    case HAL_RESET_EXTERNAL:
        return "external";
    case HAL_RESET_SOFTWARE:
        return "software";
    case HAL_RESET_PANIC:
        return "panic";
    case HAL_RESET_INT_WDT:
        return "interrupt watchdog";
    case HAL_RESET_TASK_WDT:
        return "task watchdog";
    case HAL_RESET_WDT:
        return "watchdog";
    case HAL_RESET_DEEPSLEEP:
        return "deep sleep";
    case HAL_RESET_BROWNOUT:
        return "brownout";
    case HAL_RESET_NO_BOOTABLE_APP:
        return "nothing bootable";
    default:
        return "unknown";
    }
}

typedef struct {
    uint32_t max;
    uint32_t max_sector;
    uint64_t total;
    uint32_t unstable;
} wear_t;

static wear_t sum_wear(const linux_board_state_t *state)
{
    wear_t wear = {0};
    for (uint32_t sector = 0; sector < state->flash_size / LINUX_BOARD_SECTOR_SIZE; sector++) {
        wear.total += state->wear[sector];
        wear.unstable += state->unstable[sector] != 0;
        if (state->wear[sector] > wear.max) {
            wear.max = state->wear[sector];
            wear.max_sector = sector;
        }
    }
    return wear;
}

static void print_text(const linux_board_state_t *state)
{
    const linux_board_statistics_t *s = &state->statistics;
    wear_t wear = sum_wear(state);
    printf("Flash size:        %u KiB\n", state->flash_size / 1024u);
    printf("Last reset:        %s\n", reason_name(atomic_load(&state->reset_reason)));
    printf("Boots:             %u since power-on\n", state->boots);
    if (state->running_offset == LINUX_BOARD_NOT_RUNNING) {
        printf("Program:           none started\n");
    } else {
        printf("Program:           started from 0x%x\n", state->running_offset);
    }
    printf("Flash operations:  %" PRIu64 " since power-on\n", atomic_load(&state->operations));
    printf("Reads:             %" PRIu64 ", %" PRIu64 " bytes\n", atomic_load(&s->reads),
           atomic_load(&s->read_bytes));
    printf("Programs:          %" PRIu64 ", %" PRIu64 " bytes\n", atomic_load(&s->programs),
           atomic_load(&s->program_bytes));
    printf("Erases:            %" PRIu64 " sectors, %" PRIu64 " blocks\n",
           atomic_load(&s->sector_erases), atomic_load(&s->block_erases));
    printf("On a real chip:    %.3f s\n", (double)atomic_load(&s->busy_us) / 1e6);
    printf("Wear:              %" PRIu64 " sector erases in all, at most %u (sector at 0x%x)\n",
           wear.total, wear.max, wear.max_sector * LINUX_BOARD_SECTOR_SIZE);
    printf("Unstable sectors:  %u\n", wear.unstable);
}

static void print_json(const linux_board_state_t *state)
{
    const linux_board_statistics_t *s = &state->statistics;
    wear_t wear = sum_wear(state);
    printf("{\"flash_size\": %u, \"reset_reason\": \"%s\", \"boots\": %u, ", state->flash_size,
           reason_name(atomic_load(&state->reset_reason)), state->boots);
    if (state->running_offset == LINUX_BOARD_NOT_RUNNING) {
        printf("\"running_offset\": null, ");
    } else {
        printf("\"running_offset\": %u, ", state->running_offset);
    }
    printf("\"operations\": %" PRIu64 ", \"reads\": %" PRIu64 ", \"read_bytes\": %" PRIu64
           ", \"programs\": %" PRIu64 ", \"program_bytes\": %" PRIu64
           ", \"sector_erases\": %" PRIu64 ", \"block_erases\": %" PRIu64 ", \"busy_us\": %" PRIu64
           ", \"wear_total\": %" PRIu64 ", \"wear_max\": %u, \"unstable_sectors\": %u}\n",
           atomic_load(&state->operations), atomic_load(&s->reads), atomic_load(&s->read_bytes),
           atomic_load(&s->programs), atomic_load(&s->program_bytes),
           atomic_load(&s->sector_erases), atomic_load(&s->block_erases), atomic_load(&s->busy_us),
           wear.total, wear.max, wear.unstable);
}

static int info(int argc, char **argv)
{
    enum { JSON = 256 };
    static const struct option long_options[] = {
        BOARD_LONG_OPTIONS, {"json", no_argument, NULL, JSON}, {0}};
    board_args_t args = {0};
    bool json = false;
    int option;

    opterr = 0;
    while ((option = getopt_long(argc, argv, BOARD_SHORT_OPTIONS, long_options, NULL)) != -1) {
        if (option == JSON) {
            json = true;
        } else if (option == 'h') {
            printf("usage: airlift board info [options]\n\n"
                   "Shows what the board has been through: resets, flash operations, "
                   "wear.\n\n" BOARD_OPTIONS_HELP "  --json                 as one JSON object\n");
            return AIRLIFT_EXIT_OK;
        } else if (!board_args_take(&args, option, optarg)) {
            return ui_bad_option("board info", argc, argv);
        }
    }
    if (optind != argc) {
        return ui_usage_error("board info", "%s: not expected", argv[optind]);
    }
    linux_board_files_t board;
    if (!board_open(&args, LINUX_BOARD_LOOK, &board)) {
        return AIRLIFT_EXIT_FAILURE;
    }
    (json ? print_json : print_text)(board.flash.state);
    linux_board_close(&board);
    return AIRLIFT_EXIT_OK;
}

static int link_verb(int argc, char **argv)
{
    static const struct option long_options[] = {BOARD_LONG_OPTIONS, {0}};
    board_args_t args = {0};
    int option;

    opterr = 0;
    while ((option = getopt_long(argc, argv, BOARD_SHORT_OPTIONS, long_options, NULL)) != -1) {
        if (option == 'h') {
            printf("usage: airlift board link [options] off|on\n"
                   "       airlift board link [options]\n\n"
                   "Pulls the board's network cable or plugs it in again, while it runs or before. "
                   "It stays pulled,\nover resets and power cuts. Without off or on: how it is.\n\n"
                   "On a linux board, which shares this machine's network, nothing that is sent to "
                   "it arrives while\nthe cable is pulled; what it sends still "
                   "leaves.\n\n" BOARD_OPTIONS_HELP);
            return AIRLIFT_EXIT_OK;
        }
        if (!board_args_take(&args, option, optarg)) {
            return ui_bad_option("board link", argc, argv);
        }
    }
    const char *word = optind < argc ? argv[optind] : NULL;
    if (argc - optind > 1) {
        return ui_usage_error("board link", "%s: not expected", argv[optind + 1]);
    }
    if (word != NULL && strcmp(word, "off") != 0 && strcmp(word, "on") != 0) {
        return ui_usage_error("board link", "%s: must be off or on", word);
    }
    linux_board_files_t board;
    if (!board_open(&args, LINUX_BOARD_LOOK, &board)) {
        return AIRLIFT_EXIT_FAILURE;
    }
    if (word != NULL) {
        atomic_store(&board.flash.state->link_off, strcmp(word, "off") == 0);
    } else {
        puts(atomic_load(&board.flash.state->link_off) ? "off" : "on");
    }
    linux_board_close(&board);
    return AIRLIFT_EXIT_OK;
}

static const airlift_cmd_t verbs[] = {
    {"info", "resets, flash operations and wear of a board", info},
    {"link", "pull the network cable, or plug it in", link_verb},
    {0},
};

static int run(int argc, char **argv)
{
    return airlift_run_sub("board", verbs, argc, argv);
}

const airlift_cmd_t airlift_cmd_board = {"board", "what a board has been through; its cable", run};
