/* SPDX-License-Identifier: Apache-2.0
 *
 * airlift run and airlift monitor: switch a board on and show its console. */
#include <getopt.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "board_args.h"
#include "commands.h"
#include "cut_point.h"
#include "linux_board_host/runner.h"
#include "sifive_u_host/runner.h"
#include "ui.h"

#define UNTIL_MAX   16
#define FORWARD_MAX 8

static void print_help(const char *verb)
{
    printf("usage: airlift %s [options]\n\n", verb);
    printf("Switches the board on and shows its console. What is typed goes to the board.\n");
    if (strcmp(verb, "monitor") == 0) {
        printf("On a terminal every key goes to the board at once; Ctrl-] quits, Ctrl-T Ctrl-H "
               "lists the other keys.\n");
    } else {
        printf("Ctrl-C switches it off.\n");
    }
    printf(
        "\n" BOARD_OPTIONS_HELP "\nHow long:\n"
        "  --until REGEX          end when a console line matches this POSIX extended regular\n"
        "                         expression; may be given several times (any of them)\n"
        "  --until-count N        end at the N-th such line (default 1)\n"
        "  --timeout SECONDS      end after that time\n"
        "  --max-resets N         end at the reset after N resets\n"
        "\nThe board:\n"
        "  --gpio N=0|1|z         drive pin N from outside: low, high, not any more\n"
        "  --timing real|fast     flash operations take a real chip's time, or none (default)\n"
        "  --no-nor-check         programming 1 over 0 is ignored instead of an error\n"
        "  --forward HOST:BOARD   port HOST of this machine (127.0.0.1) leads to the board's port\n"
        "                         BOARD, where the board has a network of its own\n"
        "  --loss PERCENT         so much of what the network carries gets lost: of all frames,\n"
        "                         or, on a linux board, of what arrives for it\n"
        "\nPower cuts:\n"
        "  --cut-at N[:WHERE]     cut the power in the N-th flash operation (programs and erases\n"
        "                         from power-on): before it (default), after it, at byte K of it\n"
        "                         (N:K) or at P percent of it (N:P%%)\n"
        "  --after-cut stop|restart   then end (default), or switch on again\n"
        "  --count-ops            say at the end how many flash operations there were\n"
        "\nConsole:\n"
        "  --console FILE         write the console to this file too\n"
        "\n"
        "Exit status: 0 a line matched, or ended by Ctrl-C or a signal; 1 the board could not be\n"
        "run; 2 the command line was not understood; 3 nothing bootable; 4 no valid bootloader\n"
        "in flash; 5 the power was cut; 6 too many resets; 7 time is up; 8 the program ended in a\n"
        "way no board knows (exit(), a sanitizer's report, a killing signal).\n");
}

static void show_remark(const char *text, void *arg)
{
    (void)arg;
    fprintf(stderr, "%s--- %s%s\n", ui_style(stderr, UI_YELLOW), text, ui_style(stderr, UI_PLAIN));
}

/* "N=0", "N=1", "N=z". */
static bool parse_pin(const char *text, linux_run_options_t *options)
{
    char number[8];
    size_t len = strcspn(text, "=");
    uint64_t pin;
    if (len == 0 || len >= sizeof(number) || text[len] == '\0' || text[len + 1] == '\0' ||
        text[len + 2] != '\0') {
        return false;
    }
    memcpy(number, text, len);
    number[len] = '\0';
    if (!ui_parse_number(number, false, LINUX_BOARD_GPIO_COUNT - 1, &pin)) {
        return false;
    }
    switch (text[len + 1]) {
    case '0':
        options->pins[pin].drive = LINUX_BOARD_DRIVE_LOW;
        break;
    case '1':
        options->pins[pin].drive = LINUX_BOARD_DRIVE_HIGH;
        break;
    case 'z':
        options->pins[pin].drive = LINUX_BOARD_DRIVE_NONE;
        break;
    default:
        return false;
    }
    options->pins[pin].set = true;
    return true;
}

static bool parse_seconds(const char *text, double *seconds)
{
    char *end;
    *seconds = strtod(text, &end);
    return end != text && *end == '\0' && isfinite(*seconds) && *seconds > 0 && *seconds < 1e8;
}

/* "HOST:BOARD", two ports. */
static bool parse_forward(const char *text, sifive_u_forward_t *forward)
{
    char number[8];
    size_t len = strcspn(text, ":");
    uint64_t host;
    uint64_t board;
    if (len == 0 || len >= sizeof(number) || text[len] == '\0') {
        return false;
    }
    memcpy(number, text, len);
    number[len] = '\0';
    if (!ui_parse_number(number, false, UINT16_MAX, &host) || host == 0 ||
        !ui_parse_number(text + len + 1, false, UINT16_MAX, &board) || board == 0) {
        return false;
    }
    *forward = (sifive_u_forward_t){.host = (uint16_t)host, .board = (uint16_t)board};
    return true;
}

/* Runs the board of the build's kind; false after an error message: it cannot be run like this. */
static bool run_kind(const board_args_t *args, const linux_run_options_t *options,
                     const sifive_u_options_t *emulated, bool count_ops, linux_run_report_t *report,
                     linux_run_result_t *result)
{
    board_kind_t kind;
    if (!board_find_kind(args, &kind)) {
        return false;
    }
    for (unsigned pin = kind.pins; pin < LINUX_BOARD_GPIO_COUNT; pin++) {
        if (options->pins[pin].set) {
            ui_error("--gpio: %u: the pins of a %s board are 0 to %u", pin, kind.chip->name,
                     kind.pins - 1);
            return false;
        }
    }
    if (kind.chip->id == FMT_CHIP_ID_LINUX) {
        if (emulated->forward_count > 0) {
            ui_error("--forward: a linux board is on this machine's own network");
            return false;
        }
        *result = linux_run(options, report);
        return true;
    }
    if (count_ops || options->allow_nor_errors) {
        ui_error("%s: only a linux board has that", count_ops ? "--count-ops" : "--no-nor-check");
        return false;
    }
    char build[PATH_MAX];
    char rom[PATH_MAX + sizeof("/rom/rom.elf")];
    if (!board_build_path(args, build)) {
        return false;
    }
    snprintf(rom, sizeof(rom), "%s/rom/rom.elf", build);
    if (access(rom, R_OK) != 0) {
        ui_error("%s: the board's ROM is not there; `airlift build` makes it", rom);
        return false;
    }
    sifive_u_options_t with_rom = *emulated;
    with_rom.rom_path = rom;
    *result = sifive_u_run(options, &with_rom, report);
    return true;
}

static int run_board(const char *verb, int argc, char **argv)
{
    enum {
        UNTIL = 256,
        UNTIL_COUNT,
        TIMEOUT,
        MAX_RESETS,
        GPIO,
        TIMING,
        NO_NOR_CHECK,
        CUT_AT,
        AFTER_CUT,
        COUNT_OPS,
        CONSOLE,
        FORWARD,
        LOSS,
    };
    static const struct option long_options[] = {
        BOARD_LONG_OPTIONS,
        {"until", required_argument, NULL, UNTIL},
        {"until-count", required_argument, NULL, UNTIL_COUNT},
        {"timeout", required_argument, NULL, TIMEOUT},
        {"max-resets", required_argument, NULL, MAX_RESETS},
        {"gpio", required_argument, NULL, GPIO},
        {"timing", required_argument, NULL, TIMING},
        {"no-nor-check", no_argument, NULL, NO_NOR_CHECK},
        {"cut-at", required_argument, NULL, CUT_AT},
        {"after-cut", required_argument, NULL, AFTER_CUT},
        {"count-ops", no_argument, NULL, COUNT_OPS},
        {"console", required_argument, NULL, CONSOLE},
        {"forward", required_argument, NULL, FORWARD},
        {"loss", required_argument, NULL, LOSS},
        {0},
    };
    const char *until[UNTIL_MAX];
    sifive_u_forward_t forwards[FORWARD_MAX];
    sifive_u_options_t emulated = {.forwards = forwards};
    board_args_t board = {0};
    linux_run_options_t options = {
        .until = until,
        .max_resets = LINUX_RUN_NO_LIMIT,
        .keys = strcmp(verb, "monitor") == 0,
        .remark = show_remark,
    };
    bool count_ops = false;
    uint64_t number;
    int option;

    opterr = 0;
    while ((option = getopt_long(argc, argv, BOARD_SHORT_OPTIONS, long_options, NULL)) != -1) {
        switch (option) {
        case UNTIL:
            if (options.until_count == UNTIL_MAX) {
                return ui_usage_error(verb, "--until: at most %d patterns", UNTIL_MAX);
            }
            until[options.until_count++] = optarg;
            break;
        case UNTIL_COUNT:
            if (!ui_parse_number(optarg, false, 1000000, &number) || number == 0) {
                return ui_usage_error(verb, "--until-count: %s: not a number from 1", optarg);
            }
            options.until_times = (unsigned)number;
            break;
        case TIMEOUT:
            if (!parse_seconds(optarg, &options.timeout_s)) {
                return ui_usage_error(verb, "--timeout: %s: not a time in seconds", optarg);
            }
            break;
        case MAX_RESETS:
            if (!ui_parse_number(optarg, false, UINT32_MAX - 1, &number)) {
                return ui_usage_error(verb, "--max-resets: %s: not a number", optarg);
            }
            options.max_resets = (uint32_t)number;
            break;
        case GPIO:
            if (!parse_pin(optarg, &options)) {
                return ui_usage_error(verb, "--gpio: %s: must be N=0, N=1 or N=z, N from 0 to %u",
                                      optarg, LINUX_BOARD_GPIO_COUNT - 1);
            }
            break;
        case TIMING:
            options.real_timing = strcmp(optarg, "real") == 0;
            if (!options.real_timing && strcmp(optarg, "fast") != 0) {
                return ui_usage_error(verb, "--timing: %s: must be real or fast", optarg);
            }
            break;
        case NO_NOR_CHECK:
            options.allow_nor_errors = true;
            break;
        case CUT_AT:
            if (!cut_point_parse(optarg, &options.cut)) {
                return ui_usage_error(verb,
                                      "--cut-at: %s: must be N, N:before, N:after, N:BYTE "
                                      "or N:PERCENT%%, N from 1",
                                      optarg);
            }
            break;
        case AFTER_CUT:
            options.cut_restart = strcmp(optarg, "restart") == 0;
            if (!options.cut_restart && strcmp(optarg, "stop") != 0) {
                return ui_usage_error(verb, "--after-cut: %s: must be stop or restart", optarg);
            }
            break;
        case COUNT_OPS:
            count_ops = true;
            break;
        case FORWARD:
            if (emulated.forward_count == FORWARD_MAX) {
                return ui_usage_error(verb, "--forward: at most %d of them", FORWARD_MAX);
            }
            if (!parse_forward(optarg, &forwards[emulated.forward_count])) {
                return ui_usage_error(
                    verb, "--forward: %s: must be HOST:BOARD, two ports from 1 to 65535", optarg);
            }
            emulated.forward_count++;
            break;
        case LOSS:
            if (!ui_parse_number(optarg, false, 100, &number)) {
                return ui_usage_error(verb, "--loss: %s: must be a percentage, 0 to 100", optarg);
            }
            options.loss_percent = (unsigned)number;
            break;
        case CONSOLE:
            options.console_path = optarg;
            break;
        case 'h':
            print_help(verb);
            return AIRLIFT_EXIT_OK;
        default:
            if (!board_args_take(&board, option, optarg)) {
                return ui_bad_option(verb, argc, argv);
            }
            break;
        }
    }
    if (optind != argc) {
        return ui_usage_error(verb, "%s: not expected", argv[optind]);
    }
    char flash_path[PATH_MAX];
    if (!board_flash_path(&board, flash_path)) {
        return AIRLIFT_EXIT_FAILURE;
    }
    if (access(flash_path, F_OK) != 0) {
        ui_error("%s: there is no such flash file; `airlift flash` makes it", flash_path);
        return AIRLIFT_EXIT_FAILURE;
    }
    options.flash_path = flash_path;
    if (options.keys && isatty(STDIN_FILENO)) {
        show_remark("Quit: Ctrl+] | Menu: Ctrl+T | Help: Ctrl+T followed by Ctrl+H", NULL);
    }
    linux_run_report_t report;
    linux_run_result_t result;
    if (!run_kind(&board, &options, &emulated, count_ops, &report, &result)) {
        return AIRLIFT_EXIT_FAILURE;
    }
    if (count_ops) {
        fprintf(stderr, "flash operations: %" PRIu64 "\n", report.operations);
    }
    return (int)result;
}

static int run(int argc, char **argv)
{
    return run_board("run", argc, argv);
}

static int monitor(int argc, char **argv)
{
    return run_board("monitor", argc, argv);
}

const airlift_cmd_t airlift_cmd_run = {"run", "switch the board on and show its console", run};
const airlift_cmd_t airlift_cmd_monitor = {
    "monitor", "the same at a terminal, key by key, until Ctrl-]", monitor};
