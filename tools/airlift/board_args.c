/* SPDX-License-Identifier: Apache-2.0 */
#include "board_args.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"
#include "sifive_u_host/runner.h"
#include "ui.h"

#define FLASH_ARGS_MAX  65536u
#define DESCRIPTION_MAX (16u << 20)

bool board_args_take(board_args_t *args, int option, const char *value)
{
    switch (option) {
    case 'B':
        args->build = value;
        return true;
    case 'C':
        args->project = value;
        return true;
    case BOARD_ARG_FLASH:
        args->flash = value;
        return true;
    default:
        return false;
    }
}

/* folder/name in path, name alone if it is absolute or there is no folder. */
static bool join(char path[PATH_MAX], const char *folder, const char *name)
{
    int len = folder == NULL || name[0] == '/' ? snprintf(path, PATH_MAX, "%s", name)
                                               : snprintf(path, PATH_MAX, "%s/%s", folder, name);
    if (len < 0 || len >= PATH_MAX) {
        ui_error("%s: the name is too long", name);
        return false;
    }
    return true;
}

static board_args_t in_front;

void board_args_in_front(const board_args_t *args)
{
    in_front = *args;
}

board_args_t board_args_whole(const board_args_t *args)
{
    board_args_t whole = *args;
    if (whole.project == NULL) {
        whole.project = in_front.project;
    }
    if (whole.build == NULL) {
        whole.build = in_front.build;
    }
    return whole;
}

static bool is_board(const fmt_chip_t *chip)
{
    return chip != NULL && (chip->id == FMT_CHIP_ID_LINUX || chip->id == FMT_CHIP_ID_SIFIVE_U);
}

const fmt_chip_t *board_by_build(const char *build)
{
    struct stat info;
    if (build == NULL || (stat(build, &info) == 0 && S_ISDIR(info.st_mode))) {
        return NULL;
    }
    const fmt_chip_t *chip = fmt_chip_by_name(build);
    return is_board(chip) ? chip : NULL;
}

bool board_build_path(const board_args_t *args, char path[PATH_MAX])
{
    board_args_t whole = board_args_whole(args);
    const fmt_chip_t *chip = board_by_build(whole.build);
    if (chip != NULL) {
        char name[64];
        snprintf(name, sizeof(name), "build-%s", chip->name);
        return join(path, whole.project, name);
    }
    if (whole.build != NULL) {
        return join(path, NULL, whole.build);
    }
    return join(path, whole.project, "build");
}

bool board_flash_path(const board_args_t *args, char path[PATH_MAX])
{
    if (args->flash != NULL) {
        return join(path, NULL, args->flash);
    }
    char build[PATH_MAX];
    return board_build_path(args, build) && join(path, build, "flash.bin");
}

/* The build system writes one member a line, and a line end inside a JSON text is an escape, so
 * these bytes are nothing but the member's beginning. */
static bool find_target(char *description, const char **target)
{
    static const char member[] = "\n    \"target\": \"";
    char *found = strstr(description, member);
    if (found == NULL) {
        return false;
    }
    found += sizeof(member) - 1;
    found[strcspn(found, "\"\n")] = '\0';
    *target = found;
    return true;
}

static void set_facts(board_kind_t *kind)
{
    bool sifive_u = kind->chip->id == FMT_CHIP_ID_SIFIVE_U;
    kind->flash_size = sifive_u ? SIFIVE_U_FLASH_SIZE : 0;
    kind->pins = sifive_u ? SIFIVE_U_PINS : LINUX_BOARD_GPIO_COUNT;
}

bool board_find_kind(const board_args_t *args, board_kind_t *kind)
{
    char build[PATH_MAX];
    char path[PATH_MAX];
    uint8_t *data;
    size_t len;
    kind->chip = board_by_build(board_args_whole(args).build);
    if (kind->chip == NULL) {
        kind->chip = fmt_chip_by_id(FMT_CHIP_ID_LINUX);
    }
    set_facts(kind);
    if (!board_build_path(args, build) || !join(path, build, "project_description.json")) {
        return false;
    }
    if (access(path, F_OK) != 0) {
        return true;
    }
    if (!file_read(path, DESCRIPTION_MAX, &data, &len)) {
        return false;
    }
    const char *target = "";
    bool good = find_target((char *)data, &target);
    if (good) {
        kind->chip = fmt_chip_by_name(target);
        good = is_board(kind->chip);
    }
    if (good) {
        set_facts(kind);
    } else {
        ui_error("%s: target \"%s\": this program knows no such board", path, target);
    }
    free(data);
    return good;
}

bool board_open(const board_args_t *args, linux_board_access_t access, linux_board_files_t *board)
{
    char path[PATH_MAX];
    char error[LINUX_BOARD_ERROR_SIZE];
    if (!board_flash_path(args, path)) {
        return false;
    }
    if (linux_board_open(board, path, access, error)) {
        return true;
    }
    ui_error("%s", error);
    if (faccessat(AT_FDCWD, path, F_OK, 0) != 0) {
        ui_note("`airlift flash` makes the board's flash; --flash names another one.");
    }
    return false;
}

uint32_t board_parse_flash_size(const char *text)
{
    uint64_t size;
    if (!ui_parse_number(text, true, LINUX_BOARD_MAX_FLASH, &size) ||
        !linux_board_flash_size_valid(size)) {
        return 0;
    }
    return (uint32_t)size;
}

/* Takes a line of options: "--flash-mode dio --flash-freq 80m --flash-size 4MB". */
static bool take_options(const char *path, char *line, flash_args_t *args)
{
    static const char blanks[] = " \t\r";
    char *rest;
    for (char *word = strtok_r(line, blanks, &rest); word != NULL;
         word = strtok_r(NULL, blanks, &rest)) {
        char *target = NULL;
        size_t size = 0;
        if (strcmp(word, "--flash-mode") == 0 || strcmp(word, "--flash_mode") == 0) {
            target = args->mode;
            size = sizeof(args->mode);
        } else if (strcmp(word, "--flash-freq") == 0 || strcmp(word, "--flash_freq") == 0) {
            target = args->freq;
            size = sizeof(args->freq);
        } else if (strcmp(word, "--flash-size") == 0 || strcmp(word, "--flash_size") == 0) {
            target = args->size;
            size = sizeof(args->size);
        }
        char *value = target != NULL ? strtok_r(NULL, blanks, &rest) : NULL;
        if (value == NULL || strlen(value) >= size) {
            ui_error("%s: %s: unknown option, or its value is missing", path, word);
            return false;
        }
        memcpy(target, value, strlen(value) + 1);
    }
    return true;
}

static bool take_file(const char *path, const char *build, char *line, flash_args_t *args)
{
    size_t word = strcspn(line, " \t");
    char *name = line + word;
    if (*name != '\0') {
        *name++ = '\0';
        name += strspn(name, " \t");
    }
    size_t len = strlen(name);
    while (len > 0 && (name[len - 1] == ' ' || name[len - 1] == '\t' || name[len - 1] == '\r')) {
        name[--len] = '\0';
    }
    uint64_t offset;
    if (len == 0 || !ui_parse_number(line, false, UINT32_MAX, &offset)) {
        ui_error("%s: %s: a line must be OFFSET FILE", path, line);
        return false;
    }
    if (args->count == FLASH_FILES_MAX) {
        ui_error("%s: more than %d files", path, FLASH_FILES_MAX);
        return false;
    }
    flash_file_t *file = &args->files[args->count++];
    file->offset = (uint32_t)offset;
    return join(file->path, build, name);
}

static bool flash_args_path(const char *build, char path[PATH_MAX])
{
    return join(path, build, "flash_args");
}

bool flash_args_exist(const char *build)
{
    char path[PATH_MAX];
    return flash_args_path(build, path) && access(path, F_OK) == 0;
}

bool flash_args_read(const char *build, flash_args_t *args)
{
    char path[PATH_MAX];
    uint8_t *data;
    size_t len;
    *args = (flash_args_t){0};
    if (!flash_args_path(build, path) || !file_read(path, FLASH_ARGS_MAX, &data, &len)) {
        return false;
    }
    bool good = true;
    char *rest;
    for (char *line = strtok_r((char *)data, "\n", &rest); line != NULL && good;
         line = strtok_r(NULL, "\n", &rest)) {
        line += strspn(line, " \t\r");
        if (line[0] == '-') {
            good = take_options(path, line, args);
        } else if (line[0] != '\0') {
            good = take_file(path, build, line, args);
        }
    }
    free(data);
    return good;
}
