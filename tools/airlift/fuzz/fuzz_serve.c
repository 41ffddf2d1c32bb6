/* SPDX-License-Identifier: Apache-2.0
 *
 * libFuzzer target: everything `airlift serve` reads out of a request, as one NUL-terminated text
 * and a file size. Compiles on its own:
 *
 *   clang -std=c11 -D_GNU_SOURCE -g -O1 -fsanitize=fuzzer,address,undefined \
 *       -fno-sanitize-recover=all -I tools/airlift tools/airlift/fuzz/fuzz_serve.c \
 *       tools/airlift/serve_header.c tools/airlift/serve_path.c tools/airlift/serve_log.c \
 *       -o build/fuzz_serve */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "serve_header.h"
#include "serve_log.h"
#include "serve_path.h"

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            __builtin_trap();                                                                      \
        }                                                                                          \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whatever decodes is relative, has no empty component and none that starts with a dot. */
static void check_path(const char *text)
{
    char path[256];

    if (serve_path_decode(text, path, sizeof(path)) == SERVE_PATH_OK) {
        CHECK(path[0] != '\0' && path[0] != '/' && path[0] != '.');
        CHECK(strstr(path, "//") == NULL && strstr(path, "/.") == NULL);
        CHECK(path[strlen(path) - 1] != '/');
    }
}

static void check_range(const char *text, uint64_t file_size)
{
    uint64_t first = UINT64_MAX;
    uint64_t length = UINT64_MAX;

    if (serve_range_parse(text, file_size, &first, &length) == SERVE_RANGE_PART) {
        CHECK(length >= 1 && first < file_size && length <= file_size - first);
    } else {
        CHECK(first == UINT64_MAX && length == UINT64_MAX);
    }
}

static void check_date(const char *text)
{
    char out[SERVE_DATE_SIZE];
    time_t date;
    time_t again;

    if (serve_date_parse(text, &date)) {
        serve_date_format(date, out);
        CHECK(strlen(out) == SERVE_DATE_SIZE - 1);
        CHECK(serve_date_parse(out, &again) && again == date);
    }
}

/* However a target looks, its line is one line of printable characters. */
static void check_log(const char *text)
{
    struct serve_log_entry entry = {
        .address = "-", .method = text, .target = text, .version = "HTTP/1.1", .end = "complete"};
    char *line = NULL;
    size_t len = 0;
    FILE *stream = open_memstream(&line, &len);

    CHECK(stream != NULL);
    serve_log_write(stream, &entry);
    fclose(stream);
    for (size_t i = 0; i < len; i++) {
        CHECK((line[i] == '\n') == (i == len - 1));
        CHECK(line[i] == '\n' || (line[i] >= 0x20 && line[i] < 0x7F));
    }
    free(line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t file_size = 0;
    char *text;

    if (size < sizeof(file_size)) {
        return 0;
    }
    memcpy(&file_size, data, sizeof(file_size));
    data += sizeof(file_size);
    size -= sizeof(file_size);
    text = malloc(size + 1);
    CHECK(text != NULL);
    memcpy(text, data, size);
    text[size] = '\0';
    check_path(text);
    check_range(text, file_size);
    check_date(text);
    check_log(text);
    (void)serve_etag_listed(text, "\"1-2-3\"", file_size & 1);
    free(text);
    return 0;
}
