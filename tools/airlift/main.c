/* SPDX-License-Identifier: Apache-2.0
 *
 * airlift: the host side of the OTA system, one verb after the other (commands.h). */
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "board_args.h"
#include "commands.h"
#include "ui.h"

#ifndef AIRLIFT_VERSION
#define AIRLIFT_VERSION "unknown"
#endif

#define AIRLIFT_LIST_COMMAND(name) &airlift_cmd_##name,
static const airlift_cmd_t *const commands[] = {AIRLIFT_COMMANDS(AIRLIFT_LIST_COMMAND)};
static const airlift_cmd_t *const board_commands[] = {AIRLIFT_BOARD_COMMANDS(AIRLIFT_LIST_COMMAND)};
#undef AIRLIFT_LIST_COMMAND

#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

static void print_help(FILE *stream)
{
    fprintf(stream, "usage: airlift VERB [options]\n"
                    "       airlift [-C DIR] [-B DIR|BOARD] VERB... [options]\n"
                    "       airlift --help | --version\n\n"
                    "Builds, flashes, runs, updates and inspects ESP-IDF applications without a "
                    "board.\n\nVerbs:\n");
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (commands[i] != NULL) {
            fprintf(stream, "  %-16s %s\n", commands[i]->name, commands[i]->summary);
        }
    }
    fprintf(stream, "\nAfter -C (project folder) or -B (build folder, or the name of a board) "
                    "several verbs may follow,\nwhich are done one after the other, until one "
                    "fails; options go to the last one:\n  airlift -B sifive_u build flash run\n"
                    "\n`airlift VERB --help` explains a verb.\n"
                    "Exit status: 0 done, 1 failed, 2 the command line was not understood; a verb "
                    "that differs\nsays so in its help.\n");
}

int airlift_run_sub(const char *verb, const airlift_cmd_t *subs, int argc, char **argv)
{
    const char *word = argc > 1 ? argv[1] : NULL;

    if (word != NULL && strcmp(word, "--help") != 0 && strcmp(word, "-h") != 0) {
        for (const airlift_cmd_t *sub = subs; sub->name != NULL; sub++) {
            if (strcmp(sub->name, word) == 0) {
                return sub->run(argc - 1, argv + 1);
            }
        }
        return ui_usage_error(verb, "%s: no such verb", word);
    }
    FILE *stream = word != NULL ? stdout : stderr;
    fprintf(stream, "usage: airlift %s VERB [options]\n\nVerbs:\n", verb);
    for (const airlift_cmd_t *sub = subs; sub->name != NULL; sub++) {
        fprintf(stream, "  %-16s %s\n", sub->name, sub->summary);
    }
    fprintf(stream,
            "\n`airlift %s VERB --help` explains a verb.\n"
            "Exit status: 0 done, 1 failed, 2 the command line was not understood; a verb "
            "that differs\nsays so in its help.\n",
            verb);
    return word != NULL ? AIRLIFT_EXIT_OK : AIRLIFT_EXIT_USAGE;
}

static const airlift_cmd_t *find_command(const char *name)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (commands[i] != NULL && strcmp(commands[i]->name, name) == 0) {
            return commands[i];
        }
    }
    return NULL;
}

static bool is_board_command(const airlift_cmd_t *command)
{
    for (size_t i = 0; i < sizeof(board_commands) / sizeof(board_commands[0]); i++) {
        if (command != NULL && board_commands[i] == command) {
            return true;
        }
    }
    return false;
}

static int run_command(const airlift_cmd_t *command, int argc, char **argv)
{
    optind = 0; /* another one may have been run before it */
    int status = command->run(argc, argv);

    /* A full disk or a closed pipe must not look like success. */
    if (fflush(stdout) != 0 || ferror(stdout)) {
        ui_error("standard output: cannot be written");
        return status != AIRLIFT_EXIT_OK ? status : AIRLIFT_EXIT_FAILURE;
    }
    return status;
}

static const airlift_cmd_t *find_or_tell(const char *name)
{
    const airlift_cmd_t *command = find_command(name);
    if (command == NULL) {
        ui_error("%s: no such verb; `airlift --help` lists them", name);
    }
    return command;
}

/* "airlift -C DIR -B DIR VERB VERB... [options]" */
static int run_several(int argc, char **argv)
{
    static const struct option long_options[] = {
        {"project-dir", required_argument, NULL, 'C'},
        {"build-dir", required_argument, NULL, 'B'},
        {0},
    };
    board_args_t args = {0};
    int option;

    opterr = 0;
    /* '+': stop at the first verb. */
    while ((option = getopt_long(argc, argv, "+C:B:", long_options, NULL)) != -1) {
        if (!board_args_take(&args, option, optarg)) {
            ui_error(
                "%s: unknown in front of a verb, or its value is missing; only -C and -B stand "
                "there",
                argv[optind - 1]);
            return AIRLIFT_EXIT_USAGE;
        }
    }
    if (optind == argc) {
        ui_error("which verb? `airlift --help` lists them");
        return AIRLIFT_EXIT_USAGE;
    }
    /* All of them are looked at before the first is run. */
    int last = optind;
    while (last + 1 < argc && is_board_command(find_command(argv[last + 1]))) {
        last++;
    }
    int first = optind;
    for (int i = first; i <= last; i++) {
        const airlift_cmd_t *command = find_or_tell(argv[i]);
        if (command == NULL) {
            return AIRLIFT_EXIT_USAGE;
        }
        if (!is_board_command(command)) {
            ui_error("%s: takes no -C or -B", argv[i]);
            return AIRLIFT_EXIT_USAGE;
        }
    }
    board_args_in_front(&args);
    int status = AIRLIFT_EXIT_OK;
    for (int i = first; i <= last && status == AIRLIFT_EXIT_OK; i++) {
        char *alone[] = {argv[i], NULL};
        status = i < last ? run_command(find_command(argv[i]), 1, alone)
                          : run_command(find_command(argv[i]), argc - i, argv + i);
    }
    return status;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        print_help(stderr);
        return AIRLIFT_EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        print_help(stdout);
        return AIRLIFT_EXIT_OK;
    }
    if (strcmp(argv[1], "--version") == 0) {
        puts("airlift " AIRLIFT_VERSION);
        return AIRLIFT_EXIT_OK;
    }
    if (argv[1][0] == '-') {
        return run_several(argc, argv);
    }
    const airlift_cmd_t *command = find_or_tell(argv[1]);
    return command != NULL ? run_command(command, argc - 1, argv + 1) : AIRLIFT_EXIT_USAGE;
}
