/* SPDX-License-Identifier: Apache-2.0
 *
 * airlift build, and airlift menuconfig: a project's configuration and firmware. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "board_args.h"
#include "commands.h"
#include "project_build.h"
#include "ui.h"

#define COMMON_HELP                                                                                \
    "  -C, --project-dir DIR  project folder (default: the current folder)\n"                      \
    "  -B, --build-dir DIR    build folder (default: PROJECT/build); the name of a board, linux "  \
    "or\n"                                                                                         \
    "                         sifive_u, stands for PROJECT/build-NAME, builds for that board "     \
    "and\n"                                                                                        \
    "                         keeps its configuration in PROJECT/sdkconfig.NAME\n"                 \
    "  -D, --define NAME=VALUE\n"                                                                  \
    "                         CMake cache entry, such as IDF_TARGET=linux or PROJECT_VER=2; may\n" \
    "                         be given several times\n"                                            \
    "  -v, --verbose          show what CMake says and every command\n"                            \
    "  -h, --help\n"

#define EXIT_HELP                                                                                  \
    "Exit status: 0 done, 1 it failed (see above), 2 the command line was not understood."

static void print_build_help(void)
{
    puts(
        "usage: airlift build [options] [TARGET]\n\n"
        "Configures a project where needed and builds it: bootloader, partition table, blank "
        "otadata and\nthe application, in ESP-IDF's files and formats. TARGET builds a part "
        "only: app, bootloader,\npartition-table, or any other target of the build.\n\n" COMMON_HELP
        "  --san                  with AddressSanitizer and UndefinedBehaviorSanitizer\n"
        "  --reconfigure          run CMake even if nothing has changed\n\n"
        "Environment: IDF_TARGET names the board (default: linux; see also -B), IDF_PATH the "
        "Airlift tree "
        "(default: the\none this program comes from), SDKCONFIG_DEFAULTS the files of defaults; "
        "IDF_PY_BUILD_JOBS\nlimits parallel jobs.\n\n" EXIT_HELP);
}

static void print_menuconfig_help(void)
{
    puts(
        "usage: airlift menuconfig [options]\n\n"
        "Opens the project's configuration in an editor; the answers land in PROJECT/sdkconfig "
        "(with\n-B BOARD in PROJECT/sdkconfig.BOARD) and the next build takes them.\n\n" COMMON_HELP
        "\n" EXIT_HELP);
}

/* How to go on after target was built. */
static void print_closing(const project_t *p, const char *target)
{
    static const struct {
        const char *target;
        const char *what;
        const char *flash;
    } kinds[] = {
        {"all", "Project", "airlift flash"},
        {"app", "App", "airlift build app-flash"},
        {"bootloader", "Bootloader", "airlift build bootloader-flash"},
        {"partition-table", "Partition Table", "airlift build partition-table-flash"},
    };

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strcmp(kinds[i].target, target) != 0) {
            continue;
        }
        printf("\n%s%s build complete.%s To flash, run:\n %s", ui_style(stdout, UI_GREEN),
               kinds[i].what, ui_style(stdout, UI_PLAIN), kinds[i].flash);
        if (p->project != NULL) {
            printf(" -C %s", p->project);
        }
        if (p->build != NULL) {
            printf(" -B %s", p->build);
        }
        puts("");
    }
}

static int run(int argc, char **argv, bool menuconfig)
{
    enum { SAN = 256, RECONFIGURE };
    static const struct option long_options[] = {
        {"project-dir", required_argument, NULL, 'C'},
        {"build-dir", required_argument, NULL, 'B'},
        {"define", required_argument, NULL, 'D'},
        {"define-cache-entry", required_argument, NULL, 'D'},
        {"verbose", no_argument, NULL, 'v'},
        {"san", no_argument, NULL, SAN},
        {"reconfigure", no_argument, NULL, RECONFIGURE},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    const char *verb = argv[0];
    project_t p = {0};
    int option;

    opterr = 0;
    while ((option = getopt_long(argc, argv, "C:B:D:vh", long_options, NULL)) != -1) {
        switch (option) {
        case 'C':
            p.project = optarg;
            break;
        case 'B':
            p.build = optarg;
            break;
        case 'D':
            if (!project_define(&p, optarg)) {
                return AIRLIFT_EXIT_USAGE;
            }
            break;
        case 'v':
            p.verbose = true;
            break;
        case SAN:
            if (!project_define(&p, "AIRLIFT_SAN=1")) {
                return AIRLIFT_EXIT_USAGE;
            }
            break;
        case RECONFIGURE:
            p.reconfigure = true;
            break;
        case 'h':
            if (menuconfig) {
                print_menuconfig_help();
            } else {
                print_build_help();
            }
            return AIRLIFT_EXIT_OK;
        default:
            return ui_bad_option(verb, argc, argv);
        }
    }
    if (argc - optind > (menuconfig ? 0 : 1)) {
        return ui_usage_error(verb, "%s: not expected", argv[argc - 1]);
    }
    const char *target = menuconfig ? "menuconfig" : optind < argc ? argv[optind] : "all";

    const board_args_t given = {.project = p.project, .build = p.build};
    board_args_t whole = board_args_whole(&given);
    p.project = whole.project;
    p.build = whole.build;
    bool done = project_configure(&p) && project_make(&p, target) == 0;
    project_release(&p);
    if (!done) {
        return AIRLIFT_EXIT_FAILURE;
    }
    if (!menuconfig) {
        print_closing(&p, target);
    }
    return AIRLIFT_EXIT_OK;
}

static int run_build(int argc, char **argv)
{
    return run(argc, argv, false);
}

static int run_menuconfig(int argc, char **argv)
{
    return run(argc, argv, true);
}

const airlift_cmd_t airlift_cmd_build = {
    .name = "build",
    .summary = "configure and build a project",
    .run = run_build,
};

const airlift_cmd_t airlift_cmd_menuconfig = {
    .name = "menuconfig",
    .summary = "edit a project's configuration",
    .run = run_menuconfig,
};
