/* SPDX-License-Identifier: Apache-2.0 */
#include "nvs_csv.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "file.h"
#include "ui.h"

#define CSV_MAX    (64u << 20)
#define FIELDS_MAX 16
#define SHOWN_MAX  60 /* characters of a value in a message */

enum { KEY, TYPE, ENCODING, VALUE, COLUMNS };

static const char *const column_names[COLUMNS] = {"key", "type", "encoding", "value"};

typedef struct {
    const char *path;
    char *at;
    unsigned line; /* of at */
    unsigned row_line;
    int columns[COLUMNS]; /* field of each */
    unsigned width;       /* fields of the first line */
    char *fields[COLUMNS];
    nvs_namespaces_t *namespaces;
    nvs_image_t *image;
} reader_t;

/* What the value of an entry is: bytes, owned. One NUL byte stands behind them. */
typedef struct {
    uint8_t *data;
    size_t len;
} bytes_t;

static bool complain(const reader_t *r, const char *what)
{
    if (r->fields[KEY] != NULL) {
        ui_error("%s:%u: key \"%s\": %s", r->path, r->row_line, r->fields[KEY], what);
    } else {
        ui_error("%s:%u: %s", r->path, r->row_line, what);
    }
    return false;
}

static bool complain_value(const reader_t *r, const char *text, const char *rule)
{
    char what[256];

    snprintf(what, sizeof(what), "\"%.*s%s\": %s", SHOWN_MAX, text,
             strlen(text) > SHOWN_MAX ? "..." : "", rule);
    return complain(r, what);
}

/* --- rows and fields --- */

static void skip_line(reader_t *r)
{
    r->at += strcspn(r->at, "\n");
    if (*r->at == '\n') {
        r->at++;
        r->line++;
    }
}

/* Moves to the next row that says something; false at the end of the file. */
static bool next_row(reader_t *r)
{
    while (*r->at == '#' || *r->at == '\n' || (r->at[0] == '\r' && r->at[1] == '\n')) {
        skip_line(r);
    }
    r->row_line = r->line;
    return *r->at != '\0';
}

/* Takes a field in place, its quotes removed. *more: another one follows in the row. */
static char *take_field(reader_t *r, bool *more)
{
    char *field = r->at;
    char *out = field;
    char *in = field;

    if (*in == '"') {
        for (in++; *in != '\0'; in++) {
            if (*in == '"' && *++in != '"') {
                break;
            }
            r->line += *in == '\n';
            *out++ = *in;
        }
    }
    while (*in != '\0' && *in != ',' && *in != '\n') {
        *out++ = *in++;
    }
    if (*in != ',' && out > field && out[-1] == '\r') {
        out--;
    }
    *more = *in == ',';
    r->line += *in == '\n';
    r->at = *in == '\0' ? in : in + 1;
    *out = '\0';
    return field;
}

/* Takes the row's fields; those that are not there are empty. */
static bool take_row(reader_t *r, char *fields[FIELDS_MAX], unsigned *count)
{
    static char nothing[] = "";
    bool more = true;

    for (*count = 0; more; (*count)++) {
        char *field = take_field(r, &more);

        if (*count == FIELDS_MAX) {
            return complain(r, "too many fields; put a value that has commas into quotes");
        }
        fields[*count] = field;
    }
    for (unsigned i = *count; i < FIELDS_MAX; i++) {
        fields[i] = nothing;
    }
    return true;
}

static bool take_header(reader_t *r)
{
    char *fields[FIELDS_MAX];
    unsigned count;

    if (strncmp(r->at, "\xEF\xBB\xBF", 3) == 0) {
        r->at += 3; /* a byte order mark */
    }
    if (!next_row(r)) {
        return complain(r, "the file is empty; it must begin with the line "
                           "key,type,encoding,value");
    }
    if (!take_row(r, fields, &count)) {
        return false;
    }
    r->width = count;
    for (unsigned column = 0; column < COLUMNS; column++) {
        r->columns[column] = -1;
        for (unsigned i = 0; i < count; i++) {
            if (strcmp(fields[i], column_names[column]) == 0) {
                r->columns[column] = (int)i;
            }
        }
        if (r->columns[column] < 0) {
            return complain(r, "the first line must be key,type,encoding,value");
        }
    }
    return true;
}

/* --- values --- */

static bool set_bytes(bytes_t *bytes, const void *data, size_t len)
{
    bytes->data = malloc(len + 1);
    if (bytes->data == NULL) {
        abort();
    }
    memcpy(bytes->data, data, len);
    bytes->data[len] = 0;
    bytes->len = len;
    return true;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Cuts off blanks at both ends. */
static char *trimmed(char *text)
{
    size_t len = strlen(text);

    while (len > 0 && is_blank(text[len - 1])) {
        text[--len] = '\0';
    }
    while (is_blank(*text)) {
        text++;
    }
    return text;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool from_hex(const reader_t *r, char *text, bytes_t *bytes)
{
    text = trimmed(text);
    size_t len = strlen(text);

    if (len % 2 != 0) {
        return complain_value(r, text, "an odd number of hex digits");
    }
    for (size_t i = 0; i < len; i++) {
        if (hex_digit(text[i]) < 0) {
            return complain_value(r, text, "not hex digits");
        }
    }
    for (size_t i = 0; i < len / 2; i++) {
        text[i] = (char)(hex_digit(text[2 * i]) << 4 | hex_digit(text[2 * i + 1]));
    }
    return set_bytes(bytes, text, len / 2);
}

static int base64_digit(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *found = c != '\0' ? strchr(digits, c) : NULL;

    return found != NULL ? (int)(found - digits) : -1;
}

static bool from_base64(const reader_t *r, char *text, bytes_t *bytes)
{
    static const char rule[] = "not base64";
    size_t len = 0;
    unsigned digits = 0;
    unsigned padding = 0;
    uint32_t bits = 0;

    text = trimmed(text);
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '=') {
            padding++;
        } else if (!is_blank(*c)) {
            if (base64_digit(*c) < 0 || padding > 0) {
                return complain_value(r, text, rule);
            }
            digits++;
        }
    }
    if ((digits + padding) % 4 != 0 || padding > 2) {
        return complain_value(r, text, rule);
    }
    /* In place: three bytes out of four digits. */
    unsigned held = 0;

    for (const char *c = text; *c != '\0'; c++) {
        if (base64_digit(*c) >= 0) {
            bits = bits << 6 | (uint32_t)base64_digit(*c);
            held += 6;
            if (held >= 8) {
                held -= 8;
                text[len++] = (char)(bits >> held);
            }
        }
    }
    return set_bytes(bytes, text, len);
}

/* "blob_fill(LEN;0xNN)", "blob_sz_fill(LEN;0xNN)": whether encoding is one. */
static bool parse_fill(const char *encoding, bool *with_size, uint32_t *len, uint8_t *fill)
{
    char number[16];
    uint64_t value;

    *with_size = strncmp(encoding, "blob_sz_fill(", 13) == 0;
    if (!*with_size && strncmp(encoding, "blob_fill(", 10) != 0) {
        return false;
    }
    encoding = strchr(encoding, '(') + 1;
    size_t digits = strcspn(encoding, ";");
    if (digits == 0 || digits >= sizeof(number) || encoding[digits] == '\0') {
        return false;
    }
    memcpy(number, encoding, digits);
    number[digits] = '\0';
    encoding += digits + 1;
    if (!ui_parse_number(number, false, NVS_IMAGE_SIZE_MAX, &value) || encoding[0] != '0' ||
        encoding[1] != 'x' || hex_digit(encoding[2]) < 0 || hex_digit(encoding[3]) < 0 ||
        strcmp(encoding + 4, ")") != 0) {
        return false;
    }
    *len = (uint32_t)value;
    *fill = (uint8_t)(hex_digit(encoding[2]) << 4 | hex_digit(encoding[3]));
    return true;
}

static bool fill_up(const reader_t *r, const char *text, bytes_t *bytes)
{
    bool with_size;
    uint32_t len;
    uint8_t fill;

    if (!parse_fill(r->fields[ENCODING], &with_size, &len, &fill)) {
        return complain_value(r, r->fields[ENCODING], "must be like blob_fill(100;0xFF)");
    }
    size_t given = strlen(text);
    size_t head = with_size ? 4 : 0;
    if (given > len) {
        return complain_value(r, text, "longer than the length its encoding gives");
    }
    bytes->len = head + len;
    bytes->data = malloc(bytes->len + 1);
    if (bytes->data == NULL) {
        abort();
    }
    for (unsigned i = 0; i < head; i++) {
        bytes->data[i] = (uint8_t)(given >> (8 * i));
    }
    memcpy(bytes->data + head, text, given);
    memset(bytes->data + head + given, fill, len - given);
    return true;
}

/* --- entries --- */

typedef struct {
    const char *name;
    uint8_t type;
} number_type_t;

static const number_type_t number_types[] = {
    {"u8", FMT_NVS_TYPE_U8},   {"i8", FMT_NVS_TYPE_I8},   {"u16", FMT_NVS_TYPE_U16},
    {"i16", FMT_NVS_TYPE_I16}, {"u32", FMT_NVS_TYPE_U32}, {"i32", FMT_NVS_TYPE_I32},
    {"u64", FMT_NVS_TYPE_U64}, {"i64", FMT_NVS_TYPE_I64},
};

static bool put(const reader_t *r, const char *problem)
{
    return problem == NULL || complain(r, problem);
}

static bool put_number(const reader_t *r, const number_type_t *type)
{
    const char *text = trimmed(r->fields[VALUE]);
    bool negative = *text == '-';
    unsigned bits = 8 * fmt_nvs_value_size(type->type);
    uint64_t max = UINT64_MAX >> (64 - bits);
    uint64_t value;
    char rule[40];

    if (type->name[0] == 'i') {
        max = max / 2 + negative;
    } else if (negative) {
        max = 0;
    }
    snprintf(rule, sizeof(rule), "not a whole number of type %s", type->name);
    if (!ui_parse_number(text + (*text == '-' || *text == '+'), false, max, &value)) {
        return complain_value(r, r->fields[VALUE], rule);
    }
    return put(r, nvs_image_put_value(r->image, r->namespaces->current, r->fields[KEY], type->type,
                                      negative ? 0 - value : value));
}

static bool put_bytes(const reader_t *r, char *text, size_t len)
{
    const char *encoding = r->fields[ENCODING];
    const uint8_t ns = r->namespaces->current;
    bytes_t bytes = {0};
    bool good;

    if (strcmp(encoding, "string") == 0) {
        if (memchr(text, 0, len) != NULL) {
            return complain(r, "a string with a NUL byte in it");
        }
        return put(r, nvs_image_put_string(r->image, ns, r->fields[KEY], text, len + 1));
    }
    if (strcmp(encoding, "binary") == 0) {
        return put(r, nvs_image_put_blob(r->image, ns, r->fields[KEY], text, len));
    }
    if (strcmp(encoding, "hex2bin") == 0) {
        good = from_hex(r, text, &bytes);
    } else if (strcmp(encoding, "base64") == 0) {
        good = from_base64(r, text, &bytes);
    } else if (strncmp(encoding, "blob_", 5) == 0) {
        good = fill_up(r, text, &bytes);
    } else {
        return complain_value(r, encoding,
                              "unknown encoding; known are u8 i8 u16 i16 u32 i32 u64 i64 string "
                              "hex2bin base64 binary blob_fill(N;0xXX) blob_sz_fill(N;0xXX)");
    }
    good = good && put(r, nvs_image_put_blob(r->image, ns, r->fields[KEY], bytes.data, bytes.len));
    free(bytes.data);
    return good;
}

/* The file that a value names: as seen from the current folder, else from the CSV's. */
static bool put_file(const reader_t *r)
{
    const char *name = r->fields[VALUE];
    char beside[PATH_MAX];
    uint8_t *data;
    size_t len;

    if (name[0] == '\0') {
        return complain(r, "type file, but no file is named");
    }
    if (name[0] != '/' && access(name, F_OK) != 0) {
        const char *slash = strrchr(r->path, '/');
        int folder = slash != NULL ? (int)(slash - r->path + 1) : 0;
        int length = snprintf(beside, sizeof(beside), "%.*s%s", folder, r->path, name);

        if (length > 0 && (size_t)length < sizeof(beside) && access(beside, F_OK) == 0) {
            name = beside;
        }
    }
    if (!file_read(name, NVS_IMAGE_SIZE_MAX, &data, &len)) {
        return complain(r, "its file cannot be read");
    }
    bool text =
        strcmp(r->fields[ENCODING], "binary") != 0 && strcmp(r->fields[ENCODING], "string") != 0;
    bool good = text && memchr(data, 0, len) != NULL
                    ? complain(r, "its file is no text, as the encoding wants")
                    : put_bytes(r, (char *)data, len);
    free(data);
    return good;
}

static bool begin_namespace(const reader_t *r)
{
    nvs_namespaces_t *known = r->namespaces;

    for (unsigned i = 0; i < known->count; i++) {
        if (strcmp(known->names[i], r->fields[KEY]) == 0) {
            known->current = (uint8_t)(i + 1);
            return true;
        }
    }
    if (known->count == FMT_NVS_NAMESPACE_MAX) {
        return complain(r, "more than 254 namespaces");
    }
    strcpy(known->names[known->count++], r->fields[KEY]);
    known->current = (uint8_t)known->count;
    return put(r,
               nvs_image_put_value(r->image, 0, r->fields[KEY], FMT_NVS_TYPE_U8, known->current));
}

static bool take_entry(reader_t *r)
{
    char *fields[FIELDS_MAX];
    unsigned count;

    r->fields[KEY] = NULL;
    if (!take_row(r, fields, &count)) {
        return false;
    }
    for (unsigned i = r->width; i < count; i++) {
        if (fields[i][0] != '\0') {
            return complain(
                r, "more fields than the first line has; put a value that has commas into quotes");
        }
    }
    for (unsigned column = 0; column < COLUMNS; column++) {
        r->fields[column] = fields[r->columns[column]];
    }
    const char *type = r->fields[TYPE];
    size_t key = strlen(r->fields[KEY]);

    if (key == 0 || key > FMT_NVS_KEY_MAX) {
        return complain(r, "Length of key should be 1 to 15 characters");
    }
    if (strcmp(type, "namespace") == 0) {
        return begin_namespace(r);
    }
    if (strcmp(type, "data") != 0 && strcmp(type, "file") != 0) {
        return complain_value(r, type, "the type must be namespace, data or file");
    }
    if (r->namespaces->current == 0) {
        return complain(r, "no namespace yet; a row \"NAME,namespace,,\" must come first");
    }
    if (strcmp(type, "file") == 0) {
        return put_file(r);
    }
    for (size_t i = 0; i < sizeof(number_types) / sizeof(number_types[0]); i++) {
        if (strcmp(r->fields[ENCODING], number_types[i].name) == 0) {
            return put_number(r, &number_types[i]);
        }
    }
    return put_bytes(r, r->fields[VALUE], strlen(r->fields[VALUE]));
}

bool nvs_csv_read(const char *path, nvs_namespaces_t *namespaces, nvs_image_t *image)
{
    uint8_t *text;
    size_t len;

    if (!file_read(path, CSV_MAX, &text, &len)) {
        return false;
    }
    reader_t r = {.path = path,
                  .at = (char *)text,
                  .line = 1,
                  .row_line = 1,
                  .namespaces = namespaces,
                  .image = image};
    bool good = memchr(text, 0, len) == NULL || complain(&r, "this is no text file");

    good = good && take_header(&r);
    namespaces->current = 0;
    while (good && next_row(&r)) {
        good = take_entry(&r);
    }
    free(text);
    return good;
}
