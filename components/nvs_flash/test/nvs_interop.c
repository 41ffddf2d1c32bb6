/* SPDX-License-Identifier: Apache-2.0
 *
 * The store as a program, to be set against other implementations of its format:
 *
 *     nvs_interop dump FILE          prints what is in an image: NAMESPACE KEY TYPE VALUE
 *     nvs_interop make FILE SIZE     writes an image of what stdin says in the same form
 *     nvs_interop selftest           makes one and dumps it
 *
 * Types: u8 i8 u16 i16 u32 i32 u64 i64 (decimal), str (hex of the text), blob (hex). */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "storage_board.h"

#include "nvs_flash.h"

#define MAX_SIZE     0x60000u
#define LINE_MAX_LEN (2 * 140000 + 100)

static char s_line[LINE_MAX_LEN];
static uint8_t s_data[140000];

static const struct {
    const char *name;
    nvs_type_t type;
} TYPES[] = {
    {"u8", NVS_TYPE_U8},   {"i8", NVS_TYPE_I8},     {"u16", NVS_TYPE_U16}, {"i16", NVS_TYPE_I16},
    {"u32", NVS_TYPE_U32}, {"i32", NVS_TYPE_I32},   {"u64", NVS_TYPE_U64}, {"i64", NVS_TYPE_I64},
    {"str", NVS_TYPE_STR}, {"blob", NVS_TYPE_BLOB},
};

static void must(esp_err_t err, const char *what)
{
    if (err != ESP_OK) {
        fprintf(stderr, "nvs_interop: %s: error 0x%x\n", what, (unsigned)err);
        exit(1);
    }
}

/* A board whose partition "nvs" is size bytes at BOARD_NVS. */
static void new_board(uint32_t size)
{
    const fmt_partition_t row = {FMT_PART_TYPE_DATA, FMT_PART_DATA_NVS, BOARD_NVS, size, "nvs", 0};
    board_new_with(&row, 1, true, UINT32_MAX);
}

static void print_value(nvs_handle_t nvs, const nvs_entry_info_t *info)
{
    uint8_t u8;
    int8_t i8;
    uint16_t u16;
    int16_t i16;
    uint32_t u32;
    int32_t i32;
    uint64_t u64;
    int64_t i64;
    size_t len = sizeof(s_data);
    esp_err_t err;
    switch (info->type) {
    case NVS_TYPE_U8:
        err = nvs_get_u8(nvs, info->key, &u8);
        printf("u8 %" PRIu8, u8);
        break;
    case NVS_TYPE_I8:
        err = nvs_get_i8(nvs, info->key, &i8);
        printf("i8 %" PRId8, i8);
        break;
    case NVS_TYPE_U16:
        err = nvs_get_u16(nvs, info->key, &u16);
        printf("u16 %" PRIu16, u16);
        break;
    case NVS_TYPE_I16:
        err = nvs_get_i16(nvs, info->key, &i16);
        printf("i16 %" PRId16, i16);
        break;
    case NVS_TYPE_U32:
        err = nvs_get_u32(nvs, info->key, &u32);
        printf("u32 %" PRIu32, u32);
        break;
    case NVS_TYPE_I32:
        err = nvs_get_i32(nvs, info->key, &i32);
        printf("i32 %" PRId32, i32);
        break;
    case NVS_TYPE_U64:
        err = nvs_get_u64(nvs, info->key, &u64);
        printf("u64 %" PRIu64, u64);
        break;
    case NVS_TYPE_I64:
        err = nvs_get_i64(nvs, info->key, &i64);
        printf("i64 %" PRId64, i64);
        break;
    default:
        if (info->type == NVS_TYPE_STR) {
            err = nvs_get_str(nvs, info->key, (char *)s_data, &len);
            len -= err == ESP_OK ? 1 : len;
            printf("str ");
        } else {
            err = nvs_get_blob(nvs, info->key, s_data, &len);
            printf("blob ");
        }
        for (size_t i = 0; err == ESP_OK && i < len; i++) {
            printf("%02x", s_data[i]);
        }
    }
    printf("\n");
    must(err, info->key);
}

static void dump(void)
{
    nvs_iterator_t it;
    esp_err_t err = nvs_entry_find("nvs", NULL, NVS_TYPE_ANY, &it);
    while (err == ESP_OK) {
        nvs_entry_info_t info;
        nvs_handle_t nvs;
        must(nvs_entry_info(it, &info), "info");
        must(nvs_open(info.namespace_name, NVS_READONLY, &nvs), info.namespace_name);
        printf("%s %s ", info.namespace_name, info.key);
        print_value(nvs, &info);
        nvs_close(nvs);
        err = nvs_entry_next(&it);
    }
    if (err != ESP_ERR_NVS_NOT_FOUND) {
        must(err, "iteration");
    }
}

static size_t from_hex(const char *text)
{
    size_t len = 0;
    for (; text[0] != '\0' && text[1] != '\0' && len < sizeof(s_data) - 1; text += 2) {
        const char digits[3] = {text[0], text[1], '\0'};
        s_data[len++] = (uint8_t)strtoul(digits, NULL, 16);
    }
    s_data[len] = '\0';
    return len;
}

static esp_err_t set_value(nvs_handle_t nvs, const char *key, const char *type, const char *value)
{
    nvs_type_t kind = 0;
    for (size_t i = 0; i < sizeof(TYPES) / sizeof(TYPES[0]); i++) {
        if (strcmp(TYPES[i].name, type) == 0) {
            kind = TYPES[i].type;
        }
    }
    switch (kind) {
    case NVS_TYPE_U8:
        return nvs_set_u8(nvs, key, (uint8_t)strtoul(value, NULL, 10));
    case NVS_TYPE_I8:
        return nvs_set_i8(nvs, key, (int8_t)strtol(value, NULL, 10));
    case NVS_TYPE_U16:
        return nvs_set_u16(nvs, key, (uint16_t)strtoul(value, NULL, 10));
    case NVS_TYPE_I16:
        return nvs_set_i16(nvs, key, (int16_t)strtol(value, NULL, 10));
    case NVS_TYPE_U32:
        return nvs_set_u32(nvs, key, (uint32_t)strtoul(value, NULL, 10));
    case NVS_TYPE_I32:
        return nvs_set_i32(nvs, key, (int32_t)strtol(value, NULL, 10));
    case NVS_TYPE_U64:
        return nvs_set_u64(nvs, key, strtoull(value, NULL, 10));
    case NVS_TYPE_I64:
        return nvs_set_i64(nvs, key, strtoll(value, NULL, 10));
    case NVS_TYPE_STR:
        (void)from_hex(value);
        return nvs_set_str(nvs, key, (const char *)s_data);
    case NVS_TYPE_BLOB:
        return nvs_set_blob(nvs, key, s_data, from_hex(value));
    default:
        return ESP_ERR_INVALID_ARG;
    }
}

static void make(FILE *in)
{
    while (fgets(s_line, sizeof(s_line), in) != NULL) {
        s_line[strcspn(s_line, "\n")] = '\0';
        char *rest;
        const char *ns = strtok_r(s_line, " ", &rest);
        const char *key = strtok_r(NULL, " ", &rest);
        const char *type = strtok_r(NULL, " ", &rest);
        if (ns == NULL || key == NULL || type == NULL) {
            must(ESP_ERR_INVALID_ARG, "a line needs NAMESPACE KEY TYPE VALUE");
            return;
        }
        nvs_handle_t nvs;
        must(nvs_open(ns, NVS_READWRITE, &nvs), ns);
        must(set_value(nvs, key, type, rest), key);
        nvs_close(nvs);
    }
}

static FILE *open_or_exit(const char *name, const char *mode)
{
    FILE *file = fopen(name, mode);
    if (file == NULL) {
        fprintf(stderr, "nvs_interop: %s: %s\n", name, strerror(errno));
        exit(1);
    }
    return file;
}

static int selftest(void)
{
    new_board(0x4000);
    must(nvs_flash_init(), "init");
    FILE *in = tmpfile();
    if (in == NULL) {
        return 1;
    }
    fputs("one a u8 255\none b i64 -5\ntwo c str 6869\ntwo d blob 00ff\n", in);
    rewind(in);
    make(in);
    fclose(in);
    dump();
    nvs_flash_deinit();
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "selftest") == 0) {
        return selftest();
    }
    if (argc == 3 && strcmp(argv[1], "dump") == 0) {
        FILE *file = open_or_exit(argv[2], "rb");
        static uint8_t image[MAX_SIZE];
        size_t size = fread(image, 1, sizeof(image), file);
        fclose(file);
        new_board((uint32_t)size);
        memcpy(board_flash(BOARD_NVS), image, size);
        must(nvs_flash_init(), "init");
        dump();
    } else if (argc == 4 && strcmp(argv[1], "make") == 0) {
        uint32_t size = (uint32_t)strtoul(argv[3], NULL, 0);
        if (size > MAX_SIZE) {
            must(ESP_ERR_INVALID_SIZE, argv[3]);
        }
        new_board(size);
        must(nvs_flash_init(), "init");
        make(stdin);
        FILE *file = open_or_exit(argv[2], "wb");
        bool written = fwrite(board_flash(BOARD_NVS), 1, size, file) == size;
        if (fclose(file) != 0 || !written) {
            must(ESP_FAIL, argv[2]);
        }
    } else {
        fprintf(stderr, "usage: nvs_interop dump FILE | make FILE SIZE | selftest\n");
        return 2;
    }
    nvs_flash_deinit();
    return 0;
}
