/* SPDX-License-Identifier: Apache-2.0
 *
 * airlift: the host side of the OTA system, one verb after the other (commands.h). */
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "ui.h"

#ifndef AIRLIFT_VERSION
#define AIRLIFT_VERSION "unknown"
#endif

#define AIRLIFT_LIST_COMMAND(name) &airlift_cmd_##name,
static const airlift_cmd_t *const commands[] = {AIRLIFT_COMMANDS(AIRLIFT_LIST_COMMAND)};
#undef AIRLIFT_LIST_COMMAND

#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

static void print_help(FILE *stream)
{
    fprintf(stream, "usage: airlift VERB [options]\n"
                    "       airlift --help | --version\n\n"
                    "Builds, flashes, runs, updates and inspects ESP-IDF applications without a "
                    "board.\n\nVerbs:\n");
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (commands[i] != NULL) {
            fprintf(stream, "  %-16s %s\n", commands[i]->name, commands[i]->summary);
        }
    }
    fprintf(stream, "\n`airlift VERB --help` explains a verb.\n"
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
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (commands[i] != NULL && strcmp(commands[i]->name, argv[1]) == 0) {
            int status = commands[i]->run(argc - 1, argv + 1);

            /* A full disk or a closed pipe must not look like success. */
            if (fflush(stdout) != 0 || ferror(stdout)) {
                ui_error("standard output: cannot be written");
                return status != AIRLIFT_EXIT_OK ? status : AIRLIFT_EXIT_FAILURE;
            }
            return status;
        }
    }
    ui_error("%s: no such verb; `airlift --help` lists them", argv[1]);
    return AIRLIFT_EXIT_USAGE;
}
