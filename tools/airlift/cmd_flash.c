/* SPDX-License-Identifier: Apache-2.0
 *
 * airlift flash: a build into a board's flash. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "board_args.h"
#include "commands.h"
#include "file.h"
#include "flash_writer.h"
#include "formats/image.h"
#include "mbedtls/sha256.h"
#include "ui.h"

#define VERB "flash"

/* A file to flash, read. */
typedef struct {
    const flash_file_t *file;
    uint8_t *data;
    size_t len;
} item_t;

typedef struct {
    board_args_t board;
    flash_args_t files;
    const char *size; /* of the command line, or NULL */
    board_kind_t kind;
    bool force;
    item_t items[FLASH_FILES_MAX];
} job_t;

static void print_help(void)
{
    printf("usage: airlift flash [options]\n"
           "       airlift flash [options] OFFSET FILE [OFFSET FILE ...]\n\n"
           "Writes a build into the board's flash: bootloader, partition table, initial otadata "
           "and app,\nas BUILD/flash_args says; or the named files only. Everything else in flash "
           "is kept. What was\nwritten is read back and compared. A board that does not exist yet "
           "is made.\n\n" BOARD_OPTIONS_HELP
           "  --flash-size SIZE      of a new board: 1MB, 2MB, ... 128MB (default: what the build "
           "says)\n"
           "  --force                write images that are for another chip too\n");
}

static bool take_pairs(job_t *job, char **words, int count)
{
    for (int i = 0; i + 1 < count; i += 2) {
        uint64_t offset;
        if (job->files.count == FLASH_FILES_MAX) {
            ui_error("more than %d files", FLASH_FILES_MAX);
            return false;
        }
        if (!ui_parse_number(words[i], true, UINT32_MAX, &offset)) {
            ui_error("%s: not an offset in flash", words[i]);
            return false;
        }
        flash_file_t *file = &job->files.files[job->files.count++];
        file->offset = (uint32_t)offset;
        if (snprintf(file->path, sizeof(file->path), "%s", words[i + 1]) >=
            (int)sizeof(file->path)) {
            ui_error("%s: the name is too long", words[i + 1]);
            return false;
        }
    }
    return true;
}

static bool read_items(job_t *job)
{
    for (size_t i = 0; i < job->files.count; i++) {
        item_t *item = &job->items[i];
        item->file = &job->files.files[i];
        if (!file_read(item->file->path, LINUX_BOARD_MAX_FLASH, &item->data, &item->len)) {
            return false;
        }
    }
    return true;
}

static uint64_t sectors_end(const item_t *item)
{
    uint64_t end = (uint64_t)item->file->offset + item->len;
    return (end + LINUX_BOARD_SECTOR_SIZE - 1) / LINUX_BOARD_SECTOR_SIZE * LINUX_BOARD_SECTOR_SIZE;
}

static bool check_places(const job_t *job, uint32_t flash_size)
{
    for (size_t i = 0; i < job->files.count; i++) {
        const item_t *a = &job->items[i];
        if (a->file->offset % LINUX_BOARD_SECTOR_SIZE != 0) {
            ui_error("%s: 0x%x: an offset must be a multiple of 0x%x", a->file->path,
                     a->file->offset, LINUX_BOARD_SECTOR_SIZE);
            return false;
        }
        if (sectors_end(a) > flash_size) {
            ui_error("%s: %zu bytes at 0x%x do not fit into %u KiB of flash", a->file->path, a->len,
                     a->file->offset, flash_size / 1024u);
            return false;
        }
        for (size_t j = 0; j < i; j++) {
            const item_t *b = &job->items[j];
            if (a->file->offset < sectors_end(b) && b->file->offset < sectors_end(a)) {
                ui_error("%s and %s overlap in flash at 0x%x", b->file->path, a->file->path,
                         a->file->offset > b->file->offset ? a->file->offset : b->file->offset);
                return false;
            }
        }
    }
    return true;
}

static bool check_chip(const job_t *job, const fmt_chip_t *chip)
{
    for (size_t i = 0; i < job->files.count; i++) {
        const item_t *item = &job->items[i];
        if (item->len < FMT_IMAGE_HEADER_SIZE || item->data[0] != FMT_IMAGE_MAGIC) {
            continue;
        }
        fmt_image_header_t header;
        fmt_image_header_decode(item->data, &header);
        const fmt_image_params_t params = {
            .chip = chip,
            .chip_revision = LINUX_BOARD_CHIP_REVISION,
            .flags = item->file->offset == chip->bootloader_offset ? FMT_IMAGE_BOOTLOADER : 0,
        };
        fmt_log_line_t line;
        if (fmt_image_check_chip(&header, &params, &line) != FMT_IMAGE_OK) {
            ui_error("%s: not for this board: %s (--force writes it all the same)",
                     item->file->path, line.text);
            return false;
        }
    }
    return true;
}

/* The value of a flash parameter's code, or current when the parameter is to be kept; -1 after an
 * error message. */
static int parameter(const char *name, const char *text, int current, int code)
{
    if (text[0] == '\0' || strcmp(text, "keep") == 0) {
        return current;
    }
    if (code < 0) {
        ui_error("flash %s: %s: unknown", name, text);
    }
    return code;
}

/* Puts the build's flash parameters into the header of a bootloader image, and its hash right. */
static bool patch_bootloader(const job_t *job, item_t *item, const fmt_chip_t *chip,
                             uint32_t flash_size)
{
    if (item->file->offset != chip->bootloader_offset || item->len < FMT_IMAGE_HEADER_SIZE ||
        item->data[0] != FMT_IMAGE_MAGIC) {
        return true;
    }
    fmt_image_header_t header;
    fmt_image_header_decode(item->data, &header);
    const flash_args_t *args = &job->files;
    const char *size_text = job->size != NULL ? job->size : args->size;
    uint32_t size =
        strcmp(size_text, "detect") == 0 ? flash_size : board_parse_flash_size(size_text);
    int mode = parameter("mode", args->mode, header.spi_mode, fmt_spi_mode_by_name(args->mode));
    int speed = parameter("frequency", args->freq, header.spi_speed,
                          fmt_spi_speed_by_name(chip, args->freq));
    int code = parameter("size", size_text, header.spi_size, fmt_flash_size_code(size));
    if (mode < 0 || speed < 0 || code < 0) {
        return false;
    }
    uint8_t byte2 = (uint8_t)mode;
    uint8_t byte3 = (uint8_t)(code << 4 | speed);
    if (item->data[2] == byte2 && item->data[3] == byte3) {
        return true;
    }
    /* Where the hash is follows from the segments; an image that does not parse stays as it is. */
    uint32_t at = FMT_IMAGE_HEADER_SIZE;
    for (unsigned i = 0; i < header.segment_count; i++) {
        uint32_t len;
        if (item->len - at < FMT_IMAGE_SEGMENT_HEADER_SIZE) {
            return true;
        }
        memcpy(&len, item->data + at + 4, sizeof(len));
        at += FMT_IMAGE_SEGMENT_HEADER_SIZE;
        if (len > item->len - at) {
            return true;
        }
        at += len;
    }
    size_t hashed = (size_t)fmt_image_checksum_offset(at) + 1;
    if (hashed + (header.hash_appended ? FMT_IMAGE_DIGEST_SIZE : 0u) > item->len) {
        return true;
    }
    item->data[2] = byte2;
    item->data[3] = byte3;
    if (header.hash_appended) {
        mbedtls_sha256(item->data, hashed, item->data + hashed, 0);
    }
    printf("Flash parameters set to 0x%02x%02x.\n", byte2, byte3);
    return true;
}

/* The chip size that a new board gets, as the build or the command line asks for, or as every board
 * of its kind has; 0: nothing says one. */
static bool wanted_size(const job_t *job, uint32_t *size)
{
    const char *text = job->size != NULL ? job->size : job->files.size;
    *size = 0;
    if (text[0] == '\0' || strcmp(text, "detect") == 0 || strcmp(text, "keep") == 0) {
        return true;
    }
    *size = board_parse_flash_size(text);
    if (job->kind.flash_size != 0 && *size > job->kind.flash_size) {
        ui_error("flash size %s: a %s board has %u MiB", text, job->kind.chip->name,
                 job->kind.flash_size >> 20);
        return false;
    }
    if (*size == 0) {
        ui_error("flash size %s: must be 1MB, 2MB, 4MB, ... 128MB", text);
        return false;
    }
    return true;
}

/* Opens the board, or makes it. */
static bool open_board(const job_t *job, linux_board_files_t *board)
{
    char path[PATH_MAX];
    char error[LINUX_BOARD_ERROR_SIZE];
    uint32_t size;
    if (!board_flash_path(&job->board, path) || !wanted_size(job, &size)) {
        return false;
    }
    if (access(path, F_OK) != 0) {
        if (job->kind.flash_size != 0) {
            size = job->kind.flash_size;
        }
        if (size == 0) {
            ui_error("%s: there is no such board yet; --flash-size says how large its flash is to "
                     "be",
                     path);
            return false;
        }
        if (!file_make_parents(path)) {
            return false;
        }
        if (!linux_board_create(path, size, error)) {
            ui_error("%s", error);
            return false;
        }
        printf("Made a board with %u MiB of flash: %s\n", size >> 20, path);
    }
    if (!linux_board_open(board, path, LINUX_BOARD_USE, error)) {
        ui_error("%s", error);
        return false;
    }
    if (size > board->flash.state->flash_size ||
        (job->size != NULL && size != board->flash.state->flash_size)) {
        ui_error("%s: the board has %u MiB of flash, not %u MiB; `airlift erase-flash` makes one "
                 "of the build's size",
                 path, board->flash.state->flash_size >> 20, size >> 20);
        linux_board_close(board);
        return false;
    }
    return true;
}

static bool write_items(job_t *job, linux_board_files_t *board)
{
    uint64_t total = 0;
    for (size_t i = 0; i < job->files.count; i++) {
        total += job->items[i].len;
    }
    ui_progress_t progress = {0};
    uint64_t done = 0;
    bool good = true;
    ui_progress_begin(&progress, "flash", total);
    for (size_t i = 0; i < job->files.count && good; i++) {
        const item_t *item = &job->items[i];
        good = flash_writer_write(board, item->file->offset, item->data, (uint32_t)item->len,
                                  &progress, &done);
    }
    ui_progress_end(&progress);
    for (size_t i = 0; i < job->files.count && good; i++) {
        const item_t *item = &job->items[i];
        printf("Wrote %zu bytes at 0x%08x, verified: %s\n", item->len, item->file->offset,
               item->file->path);
    }
    return good;
}

static bool flash_all(job_t *job)
{
    linux_board_files_t board;
    if (!board_find_kind(&job->board, &job->kind)) {
        return false;
    }
    const fmt_chip_t *chip = job->kind.chip;
    if (!read_items(job) || (!job->force && !check_chip(job, chip)) || !open_board(job, &board)) {
        return false;
    }
    uint32_t flash_size = board.flash.state->flash_size;
    bool good = check_places(job, flash_size);
    for (size_t i = 0; i < job->files.count && good; i++) {
        good = patch_bootloader(job, &job->items[i], chip, flash_size);
    }
    good = good && write_items(job, &board);
    linux_board_close(&board);
    return good;
}

static int run(int argc, char **argv)
{
    enum { SIZE = 256, FORCE };
    static const struct option long_options[] = {
        BOARD_LONG_OPTIONS,
        {"flash-size", required_argument, NULL, SIZE},
        {"force", no_argument, NULL, FORCE},
        {0},
    };
    static job_t job;
    job = (job_t){0};
    int option;

    opterr = 0;
    while ((option = getopt_long(argc, argv, BOARD_SHORT_OPTIONS, long_options, NULL)) != -1) {
        switch (option) {
        case SIZE:
            if (board_parse_flash_size(optarg) == 0) {
                return ui_usage_error(VERB, "--flash-size: %s: must be 1MB, 2MB, 4MB, ... 128MB",
                                      optarg);
            }
            job.size = optarg;
            break;
        case FORCE:
            job.force = true;
            break;
        case 'h':
            print_help();
            return AIRLIFT_EXIT_OK;
        default:
            if (!board_args_take(&job.board, option, optarg)) {
                return ui_bad_option(VERB, argc, argv);
            }
            break;
        }
    }
    int words = argc - optind;
    if (words % 2 != 0) {
        return ui_usage_error(VERB, "files are given as OFFSET FILE");
    }
    char build[PATH_MAX];
    bool good = board_build_path(&job.board, build);
    if (good && words == 0) {
        good = flash_args_read(build, &job.files);
        if (!good) {
            ui_note("`airlift build` makes it; -B names another build folder.");
        }
    } else if (good) {
        /* The size of a new board is the build's, where there is one. */
        if (job.size == NULL && flash_args_exist(build) && flash_args_read(build, &job.files)) {
            job.files.count = 0;
            job.files.mode[0] = '\0';
            job.files.freq[0] = '\0';
        }
        good = take_pairs(&job, argv + optind, words);
    }
    good = good && flash_all(&job);
    for (size_t i = 0; i < FLASH_FILES_MAX; i++) {
        free(job.items[i].data);
    }
    return good ? AIRLIFT_EXIT_OK : AIRLIFT_EXIT_FAILURE;
}

const airlift_cmd_t airlift_cmd_flash = {"flash", "write a build into the board's flash", run};
