/* SPDX-License-Identifier: Apache-2.0 */
#include "partition_csv.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "mbedtls/md5.h"
#include "ui.h"

#define APP_ALIGN  0x10000
#define DATA_ALIGN 0x1000

/* --- names --- */

int csv_subtype_by_name(const csv_options_t *options, int64_t type, const char *name)
{
    int value = type >= 0 && type <= 0xFF ? fmt_partition_subtype_by_name((uint8_t)type, name) : -1;

    for (size_t i = 0; value < 0 && i < options->extra_count; i++) {
        if (options->extra[i].type == type && strcasecmp(options->extra[i].name, name) == 0) {
            value = options->extra[i].subtype;
        }
    }
    return value;
}

static const char *subtype_name(const csv_options_t *options, int64_t type, int64_t subtype)
{
    const char *name = fmt_partition_subtype_name((uint8_t)type, (uint8_t)subtype);

    for (size_t i = 0; name == NULL && i < options->extra_count; i++) {
        if (options->extra[i].type == type && options->extra[i].subtype == subtype) {
            name = options->extra[i].name;
        }
    }
    return name;
}

/* --- numbers --- */

static char *trim(char *text)
{
    char *end;

    while (isspace((unsigned char)*text)) {
        text++;
    }
    end = text + strlen(text);
    while (end > text && isspace((unsigned char)end[-1])) {
        end--;
    }
    *end = '\0';
    return text;
}

/* A number without suffix: sign, base prefix, digits with single underscores between them. */
static bool parse_plain(const char *text, int64_t *value)
{
    bool negative = *text == '-';
    int base = 10;
    uint64_t number = 0;
    bool zeros_only = true;
    bool digit_before = false;
    const char *start;

    if (*text == '-' || *text == '+') {
        text++;
    }
    if (text[0] == '0' && text[1] != '\0' && strchr("xXoObB", text[1]) != NULL) {
        base = tolower((unsigned char)text[1]) == 'x'   ? 16
               : tolower((unsigned char)text[1]) == 'o' ? 8
                                                        : 2;
        text += 2;
        digit_before = true; /* 0x_10 is a number */
    }
    start = text;
    for (; *text != '\0'; text++) {
        int digit = isdigit((unsigned char)*text)    ? *text - '0'
                    : isxdigit((unsigned char)*text) ? tolower((unsigned char)*text) - 'a' + 10
                                                     : 99;
        if (*text == '_' && digit_before) {
            digit_before = false;
            continue;
        }
        if (digit >= base || number > (uint64_t)INT64_MAX / 64) {
            return false;
        }
        zeros_only = zeros_only && digit == 0;
        number = number * (uint64_t)base + (uint64_t)digit;
        digit_before = true;
    }
    if (text == start || !digit_before || (base == 10 && *start == '0' && !zeros_only)) {
        return false;
    }
    *value = negative ? -(int64_t)number : (int64_t)number;
    return true;
}

typedef enum { NUMBER_OK, NUMBER_NONE, NUMBER_RANGE } number_t;

/* The words a field may hold besides numbers. */
typedef struct {
    const csv_options_t *options;
    int64_t type; /* of the row, for subtypes; -1: the words are types */
    bool has_words;
} words_t;

/* A number or word with any number of k and m suffixes. Changes text. */
static number_t parse_value(char *text, const words_t *words, int64_t *value)
{
    int64_t unit = 1;
    size_t len;

    text = trim(text);
    while ((len = strlen(text)) > 0 && strchr("kKmM", text[len - 1]) != NULL) {
        int64_t factor = tolower((unsigned char)text[len - 1]) == 'k' ? 1024 : 1024 * 1024;

        if (unit > INT64_MAX / factor) {
            return NUMBER_RANGE;
        }
        unit *= factor;
        text[len - 1] = '\0';
        text = trim(text);
    }
    if (!parse_plain(text, value)) {
        int word = !words->has_words ? -1
                   : words->type < 0 ? fmt_partition_type_by_name(text)
                                     : csv_subtype_by_name(words->options, words->type, text);
        if (word < 0) {
            return NUMBER_NONE;
        }
        *value = word;
    }
    if (*value != 0 && (*value > INT64_MAX / unit || *value < -(INT64_MAX / unit))) {
        return NUMBER_RANGE;
    }
    *value *= unit;
    return NUMBER_OK;
}

/* --- errors of a row --- */

static bool row_error(unsigned line, const char *format, ...) __attribute__((format(printf, 2, 3)));

static bool row_error(unsigned line, const char *format, ...)
{
    char text[512];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    ui_note("Error at line %u: %s", line, text);
    ui_note("A line reads: name, type, subtype, offset, size, flags; offset and flags may be "
            "empty.");
    return false;
}

static void list_words(const words_t *words, char *out, size_t size)
{
    size_t used = 0;
    uint8_t type, subtype;
    const char *name;

    out[0] = '\0';
    if (words->type < 0) {
        for (uint8_t i = 0; (name = fmt_partition_type_name(i)) != NULL && used < size; i++) {
            used += (size_t)snprintf(out + used, size - used, "%s%s", used > 0 ? ", " : "", name);
        }
        return;
    }
    for (size_t i = 0; fmt_partition_subtype_at(i, &type, &subtype, &name) && used < size; i++) {
        if (type == words->type) {
            used += (size_t)snprintf(out + used, size - used, "%s%s", used > 0 ? ", " : "", name);
        }
    }
    for (size_t i = 0; i < words->options->extra_count && used < size; i++) {
        if (words->options->extra[i].type == words->type) {
            used += (size_t)snprintf(out + used, size - used, "%s%s", used > 0 ? ", " : "",
                                     words->options->extra[i].name);
        }
    }
}

static bool parse_field(unsigned line, const char *field, const words_t *words, int64_t *value)
{
    char text[128];
    char names[400];

    if (strlen(field) >= sizeof(text)) {
        return row_error(line, "Invalid field value %.40s...", field);
    }
    strcpy(text, field);
    switch (parse_value(text, words, value)) {
    case NUMBER_OK:
        return true;
    case NUMBER_RANGE:
        return row_error(line, "Invalid field value %s", field);
    case NUMBER_NONE:
        break;
    }
    list_words(words, names, sizeof(names));
    if (!words->has_words || names[0] == '\0') {
        return row_error(line, "Invalid field value %s", field);
    }
    return row_error(line, "Value '%s' is not valid. Known keywords: %s", field, names);
}

bool csv_add_subtype(csv_options_t *options, const char *text)
{
    char copy[128];
    char *fields[3] = {copy, NULL, NULL};
    csv_subtype_t *extra = &options->extra[options->extra_count];
    words_t words = {options, -1, true};
    int64_t type;
    char *end;
    unsigned long value;

    if (strlen(text) >= sizeof(copy)) {
        ui_note("extra partition subtype: %.40s...: too long", text);
        return false;
    }
    strcpy(copy, text);
    for (int i = 1; i < 3; i++) {
        fields[i] = strchr(fields[i - 1], ',');
        if (fields[i] == NULL) {
            ui_note("extra partition subtype: %s: must be type, name, value", text);
            return false;
        }
        *fields[i]++ = '\0';
    }
    for (int i = 0; i < 3; i++) {
        fields[i] = trim(fields[i]);
    }
    value = strtoul(fields[2], &end, 16);
    if (parse_value(fields[0], &words, &type) != NUMBER_OK || type < 0 || type > 0xFF) {
        ui_note("extra partition subtype: %s: no such partition type", text);
        return false;
    }
    if (end == fields[2] || *end != '\0' || value > 0xFE || !isxdigit((unsigned char)*fields[2])) {
        ui_note("extra partition subtype: %s: value must be 0x00 to 0xfe", text);
        return false;
    }
    if (fields[1][0] == '\0' || strlen(fields[1]) >= sizeof(extra->name)) {
        ui_note("extra partition subtype: %s: name must have 1 to %zu characters", text,
                sizeof(extra->name) - 1);
        return false;
    }
    if (subtype_name(options, type, (int64_t)value) != NULL ||
        csv_subtype_by_name(options, type, fields[1]) >= 0) {
        ui_note("extra partition subtype: %s: name or value is already used in this type", text);
        return false;
    }
    if (options->extra_count == CSV_EXTRA_SUBTYPES_MAX) {
        ui_note("extra partition subtype: %s: more than %d of them", text, CSV_EXTRA_SUBTYPES_MAX);
        return false;
    }
    extra->type = (uint8_t)type;
    extra->subtype = (uint8_t)value;
    strcpy(extra->name, fields[1]);
    options->extra_count++;
    return true;
}

/* --- text --- */

/* Appends a code point as UTF-8; out has room. */
static char *put_utf8(char *out, uint32_t c)
{
    if (c < 0x80) {
        *out++ = (char)c;
    } else if (c < 0x800) {
        *out++ = (char)(0xC0 | (c >> 6));
        *out++ = (char)(0x80 | (c & 63));
    } else if (c < 0x10000) {
        *out++ = (char)(0xE0 | (c >> 12));
        *out++ = (char)(0x80 | ((c >> 6) & 63));
        *out++ = (char)(0x80 | (c & 63));
    } else {
        *out++ = (char)(0xF0 | (c >> 18));
        *out++ = (char)(0x80 | ((c >> 12) & 63));
        *out++ = (char)(0x80 | ((c >> 6) & 63));
        *out++ = (char)(0x80 | (c & 63));
    }
    return out;
}

/* The text as UTF-8 in memory the caller frees; NULL with the reason printed. */
static char *decode_text(const uint8_t *data, size_t len)
{
    bool utf32 = len >= 4 && memcmp(data, "\0\0\xFE\xFF", 4) == 0;
    bool utf16be = !utf32 && len >= 2 && data[0] == 0xFE && data[1] == 0xFF;
    bool utf16le = len >= 2 && data[0] == 0xFF && data[1] == 0xFE;
    size_t unit = utf32 ? 4 : utf16be || utf16le ? 2 : 1;
    size_t at = unit == 1 ? (len >= 3 && memcmp(data, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0) : unit;
    char *text = malloc((len / unit + 1) * 4 + 1);
    char *out = text;

    if (text == NULL) {
        ui_note("out of memory");
        return NULL;
    }
    if ((len - at) % unit != 0) {
        ui_note("the text ends within a character");
        free(text);
        return NULL;
    }
    for (; at < len; at += unit) {
        uint32_t c;

        if (unit == 1) {
            *out++ = (char)data[at];
        } else {
            c = utf32 ? (uint32_t)data[at] << 24 | (uint32_t)data[at + 1] << 16 |
                            (uint32_t)data[at + 2] << 8 | data[at + 3]
                : utf16be ? (uint32_t)data[at] << 8 | data[at + 1]
                          : (uint32_t)data[at + 1] << 8 | data[at];
            if (unit == 2 && c >= 0xD800 && c < 0xDC00 && at + 3 < len) {
                uint32_t low = utf16be ? (uint32_t)data[at + 2] << 8 | data[at + 3]
                                       : (uint32_t)data[at + 3] << 8 | data[at + 2];
                if (low >= 0xDC00 && low < 0xE000) {
                    c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
                    at += 2;
                }
            }
            if (c > 0x10FFFF || (c >= 0xD800 && c < 0xE000)) {
                ui_note("the text holds an invalid character at byte %zu", at);
                free(text);
                return NULL;
            }
            out = put_utf8(out, c);
        }
    }
    *out = '\0';
    if ((size_t)(out - text) != strlen(text)) {
        ui_note("the text holds a NUL character; this is neither CSV nor a partition table");
        free(text);
        return NULL;
    }
    return text;
}

/* Replaces $NAME and ${NAME} by the environment's values; unknown ones stay. The caller frees. */
static char *expand(const char *line)
{
    char *out = NULL;
    size_t len = 0;
    FILE *stream = open_memstream(&out, &len);

    if (stream == NULL) {
        return NULL;
    }
    while (*line != '\0') {
        const char *name = line + (line[1] == '{' ? 2 : 1);
        size_t name_len = 0;
        const char *value = NULL;

        if (*line == '$') {
            while (line[1] == '{'
                       ? name[name_len] != '\0' && name[name_len] != '}'
                       : isalnum((unsigned char)name[name_len]) || name[name_len] == '_') {
                name_len++;
            }
            if (name_len > 0 && (line[1] != '{' || name[name_len] == '}')) {
                char *copy = strndup(name, name_len);

                value = copy != NULL ? getenv(copy) : NULL;
                free(copy);
            }
        }
        if (value != NULL) {
            fputs(value, stream);
            line = name + name_len + (line[1] == '{' ? 1 : 0);
        } else {
            fputc(*line++, stream);
        }
    }
    if (fclose(stream) != 0) {
        free(out);
        return NULL;
    }
    return out;
}

/* --- rows --- */

static bool parse_flags(unsigned line, char *field, uint32_t *flags)
{
    *flags = 0;
    for (char *item = field, *next; item != NULL; item = next) {
        next = strchr(item, ':');
        if (next != NULL) {
            *next++ = '\0';
        }
        if (strcmp(item, "encrypted") == 0) {
            *flags |= FMT_PART_FLAG_ENCRYPTED;
        } else if (strcmp(item, "readonly") == 0) {
            *flags |= FMT_PART_FLAG_READONLY;
        } else if (*item != '\0') {
            return row_error(line, "CSV flag column contains unknown flag '%s'", item);
        }
    }
    return true;
}

/* Offset and size; for bootloaders and tables the options give them. */
static bool parse_place(const csv_options_t *o, csv_row_t *row, const char *offset,
                        const char *size)
{
    const words_t no_words = {o, 0, false};
    bool bootloader = row->type == FMT_PART_TYPE_BOOTLOADER;
    bool table = row->type == FMT_PART_TYPE_PARTITION_TABLE;

    if (bootloader && !o->has_primary_bootloader) {
        return row_error(row->line, "Primary bootloader offset is not defined. Give it with "
                                    "--primary-bootloader-offset.");
    }
    row->has_offset = true;
    if (bootloader && row->subtype == FMT_PART_BOOTLOADER_PRIMARY) {
        row->offset = o->primary_bootloader_offset;
    } else if (bootloader && row->subtype == FMT_PART_BOOTLOADER_RECOVERY) {
        if (!o->has_recovery_bootloader) {
            return row_error(row->line, "Recovery bootloader offset is not defined. Give it with "
                                        "--recovery-bootloader-offset.");
        }
        row->offset = o->recovery_bootloader_offset;
    } else if (table && row->subtype == FMT_PART_TABLE_PRIMARY) {
        row->offset = o->table_offset;
    } else if (*offset == '\0') {
        row->has_offset = false;
    } else if (!parse_field(row->line, offset, &no_words, &row->offset)) {
        return false;
    }
    if (bootloader) {
        row->size = (int64_t)o->table_offset - o->primary_bootloader_offset;
        return true;
    }
    if (table) {
        row->size = FMT_PARTITION_TABLE_SECTOR;
        return true;
    }
    if (*size == '\0') {
        return row_error(row->line, "Size field can't be empty");
    }
    return parse_field(row->line, size, &no_words, &row->size);
}

static bool parse_row(const csv_options_t *o, char *text, csv_row_t *row)
{
    char *fields[6] = {text};
    words_t words = {o, -1, true};

    for (int i = 1; i < 6; i++) {
        fields[i] = fields[i - 1] != NULL ? strchr(fields[i - 1], ',') : NULL;
        if (fields[i] != NULL) {
            *fields[i]++ = '\0';
        }
    }
    char *extra = fields[5] != NULL ? strchr(fields[5], ',') : NULL;

    if (extra != NULL) {
        *extra = '\0';
    }
    for (int i = 0; i < 6; i++) {
        static char empty[1];

        fields[i] = fields[i] != NULL ? trim(fields[i]) : empty;
    }
    row->name = strdup(fields[0]);
    if (row->name == NULL) {
        ui_note("out of memory");
        return false;
    }
    if (*fields[1] == '\0') {
        return row_error(row->line, "Field 'type' can't be left empty.");
    }
    if (!parse_field(row->line, fields[1], &words, &row->type)) {
        return false;
    }
    if (row->type < 0 || row->type > 0xFF) {
        return row_error(row->line, "Type %" PRId64 " is not in 0x00 to 0xff", row->type);
    }
    words.type = row->type;
    if (*fields[2] == '\0') {
        if (row->type == FMT_PART_TYPE_APP) {
            return row_error(row->line, "App partition cannot have an empty subtype");
        }
        row->subtype = FMT_PART_DATA_UNDEFINED;
    } else if (!parse_field(row->line, fields[2], &words, &row->subtype)) {
        return false;
    }
    if (row->subtype < 0 || row->subtype > 0xFF) {
        return row_error(row->line, "Subtype %" PRId64 " is not in 0x00 to 0xff", row->subtype);
    }
    return parse_place(o, row, fields[3], fields[4]) &&
           parse_flags(row->line, fields[5], &row->flags);
}

static bool is_primary(const csv_row_t *row)
{
    return (row->type == FMT_PART_TYPE_BOOTLOADER && row->subtype == FMT_PART_BOOTLOADER_PRIMARY) ||
           (row->type == FMT_PART_TYPE_PARTITION_TABLE && row->subtype == FMT_PART_TABLE_PRIMARY);
}

static bool assign_offsets(const csv_options_t *o, csv_table_t *table)
{
    int64_t last_end = (int64_t)o->table_offset + FMT_PARTITION_TABLE_SECTOR;

    for (size_t i = 0; i < table->count; i++) {
        csv_row_t *row = &table->rows[i];

        if (is_primary(row)) {
            continue;
        }
        if (row->has_offset && row->offset < last_end) {
            if (i == 0) {
                ui_note("CSV Error at line %u: Partitions overlap. Partition sets offset 0x%" PRIx64
                        ". The partition table itself takes the sector at 0x%" PRIx32
                        "; the lowest free offset is 0x%" PRIx64 ".",
                        row->line, row->offset, o->table_offset, last_end);
            } else {
                ui_note("CSV Error at line %u: Partitions overlap. Partition sets offset 0x%" PRIx64
                        ". Previous partition ends 0x%" PRIx64,
                        row->line, row->offset, last_end);
            }
            return false;
        }
        if (!row->has_offset) {
            int64_t align = row->type == FMT_PART_TYPE_APP ? APP_ALIGN : DATA_ALIGN;

            row->offset = (last_end + align - 1) / align * align;
            row->has_offset = true;
        }
        if (row->size < 0) {
            row->size = -row->size - row->offset;
        }
        if (row->size < 0 || row->offset > UINT32_MAX || row->size > UINT32_MAX ||
            row->offset + row->size > (int64_t)UINT32_MAX + 1) {
            return row_error(row->line,
                             "Partition '%s' at 0x%" PRIx64 " with %" PRId64
                             " bytes does not lie in the first 4 GiB",
                             row->name, row->offset, row->size);
        }
        last_end = row->offset + row->size;
    }
    return true;
}

/* Handles one line; blank ones and comments are fine. */
static bool parse_line(const csv_options_t *o, const char *line, unsigned number,
                       csv_table_t *table)
{
    char *expanded = expand(line);
    bool done = true;

    if (expanded == NULL) {
        ui_note("out of memory");
        return false;
    }
    if (expanded[0] == '$' && (isalpha((unsigned char)expanded[1]) || expanded[1] == '_')) {
        size_t len = 1;

        while (isalnum((unsigned char)expanded[len]) || expanded[len] == '_') {
            len++;
        }
        ui_note("unknown variable '%.*s'", (int)len - 1, expanded + 1);
        done = false;
    } else {
        char *text = trim(expanded);

        if (*text != '\0' && *text != '#') {
            csv_row_t *row = &table->rows[table->count];

            if (table->count == sizeof(table->rows) / sizeof(table->rows[0])) {
                ui_note("Error at line %u: more than %zu partitions", number, table->count);
                done = false;
            } else {
                memset(row, 0, sizeof(*row));
                row->line = number;
                table->count++;
                done = parse_row(o, text, row);
            }
        }
    }
    free(expanded);
    return done;
}

bool csv_parse(const csv_options_t *options, const uint8_t *data, size_t len, csv_table_t *table)
{
    char *text = decode_text(data, len);
    bool done = text != NULL;
    unsigned number = 1;

    memset(table, 0, sizeof(*table));
    for (char *line = text; done && line != NULL; number++) {
        char *end = line + strcspn(line, "\r\n");
        char *next = *end == '\0' ? NULL : end + (end[0] == '\r' && end[1] == '\n' ? 2 : 1);

        *end = '\0';
        done = parse_line(options, line, number, table);
        line = next;
    }
    free(text);
    return done && assign_offsets(options, table);
}

/* --- binary --- */

bool csv_from_binary(const csv_options_t *options, const uint8_t *data, size_t len,
                     csv_table_t *table)
{
    memset(table, 0, sizeof(*table));
    if (len % FMT_PARTITION_ROW_SIZE != 0) {
        ui_note("Partition table length must be a multiple of %u bytes, it has %zu.",
                FMT_PARTITION_ROW_SIZE, len);
        return false;
    }
    for (size_t at = 0; at < len; at += FMT_PARTITION_ROW_SIZE) {
        static const uint8_t erased[FMT_PARTITION_ROW_SIZE] = {
            0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
            0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
            0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
        fmt_partition_t entry;
        fmt_row_kind_t kind = fmt_partition_row_decode(data + at, &entry);
        uint8_t md5[16];
        csv_row_t *row = &table->rows[table->count];

        if (memcmp(data + at, erased, sizeof(erased)) == 0) {
            return true;
        }
        if (kind == FMT_ROW_MD5 && !options->no_md5) {
            if (mbedtls_md5(data, at, md5) != 0 || memcmp(md5, data + at + 16, sizeof(md5)) != 0) {
                ui_note("MD5 row at 0x%zx does not match the table.", at);
                return false;
            }
            continue;
        }
        if (kind != FMT_ROW_ENTRY) {
            ui_note("Row at 0x%zx: magic bytes %02x %02x: a partition starts with aa 50.", at,
                    data[at], data[at + 1]);
            return false;
        }
        if (table->count == sizeof(table->rows) / sizeof(table->rows[0])) {
            ui_note("Row at 0x%zx: too many partitions.", at);
            return false;
        }
        memset(row, 0, sizeof(*row));
        table->count++;
        row->name = strdup(entry.label);
        if (row->name == NULL) {
            ui_note("out of memory");
            return false;
        }
        row->type = entry.type;
        row->subtype = entry.subtype;
        row->offset = entry.offset;
        row->size = entry.size;
        row->has_offset = true;
        row->flags = entry.flags & (FMT_PART_FLAG_ENCRYPTED | FMT_PART_FLAG_READONLY);
        if (row->flags != entry.flags) {
            ui_note("WARNING: partition '%s' has unknown flags 0x%08" PRIx32 ", left out.",
                    row->name, entry.flags & ~row->flags);
        }
    }
    ui_note("Partition table is missing its end marker.");
    return false;
}

bool csv_read(const csv_options_t *options, const uint8_t *data, size_t len, csv_table_t *table,
              bool *binary)
{
    bool is_binary = len >= 2 && data[0] == 0xAA && data[1] == 0x50;

    if (binary != NULL) {
        *binary = is_binary;
    }
    return is_binary ? csv_from_binary(options, data, len, table)
                     : csv_parse(options, data, len, table);
}

/* --- rules --- */

static bool invalid(const csv_row_t *row, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static bool invalid(const csv_row_t *row, const char *format, ...)
{
    char text[256];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    ui_note("Partition %s invalid: %s", row->name, text);
    return false;
}

static void warn_about_name(const csv_options_t *o, const csv_row_t *row)
{
    uint8_t type, subtype;
    const char *name;
    bool is_subtype = false;
    int type_value = fmt_partition_type_by_name(row->name);

    /* Names of types and subtypes are lower-case; only such a name was perhaps meant as one. */
    if (type_value >= 0 && strcmp(fmt_partition_type_name((uint8_t)type_value), row->name) == 0 &&
        type_value != row->type) {
        ui_note("WARNING: partition '%s' has the name of a partition type but is of type 0x%02x; "
                "are columns mixed up?",
                row->name, (unsigned)row->type);
    }
    for (size_t i = 0; fmt_partition_subtype_at(i, &type, &subtype, &name); i++) {
        is_subtype = is_subtype || strcmp(name, row->name) == 0;
    }
    for (size_t i = 0; i < o->extra_count; i++) {
        is_subtype = is_subtype || strcmp(o->extra[i].name, row->name) == 0;
    }
    name = subtype_name(o, row->type, row->subtype);
    if (is_subtype && (name == NULL || strcmp(name, row->name) != 0)) {
        ui_note("WARNING: partition '%s' has the name of a partition subtype but is of type 0x%02x "
                "and subtype 0x%02x; are columns mixed up?",
                row->name, (unsigned)row->type, (unsigned)row->subtype);
    }
}

static bool is_data(const csv_row_t *row, unsigned subtype)
{
    return row->type == FMT_PART_TYPE_DATA && row->subtype == subtype;
}

static bool verify_row(const csv_options_t *o, const csv_row_t *row)
{
    bool app = row->type == FMT_PART_TYPE_APP;
    int64_t offset_align = app ? APP_ALIGN : DATA_ALIGN;
    int64_t size_align = app && o->secure_v1 ? APP_ALIGN : DATA_ALIGN;

    if (row->offset % offset_align != 0) {
        return invalid(row, "Offset 0x%" PRIx64 " is not aligned to 0x%" PRIx64, row->offset,
                       offset_align);
    }
    if (app && row->size % size_align != 0) {
        return invalid(row, "Size 0x%" PRIx64 " is not aligned to 0x%" PRIx64, row->size,
                       size_align);
    }
    warn_about_name(o, row);
    if ((row->flags & FMT_PART_FLAG_READONLY) != 0 &&
        (is_data(row, FMT_PART_DATA_OTA) || is_data(row, FMT_PART_DATA_COREDUMP))) {
        return invalid(row, "partitions of this subtype are written while running and cannot be "
                            "readonly");
    }
    if (is_data(row, FMT_PART_DATA_NVS) && row->size < 0x3000 &&
        (row->flags & FMT_PART_FLAG_READONLY) == 0) {
        return invalid(row, "NVS needs at least 0x3000 bytes to be written; make it larger or "
                            "flag it readonly");
    }
    return true;
}

static bool verify_single(const csv_table_t *table, unsigned subtype, const char *name)
{
    const csv_row_t *found = NULL;

    for (size_t i = 0; i < table->count; i++) {
        if (is_data(&table->rows[i], subtype)) {
            if (found != NULL) {
                ui_note("Found multiple %s partitions. A table may have one only ('%s' and '%s' "
                        "are).",
                        name, found->name, table->rows[i].name);
                return false;
            }
            found = &table->rows[i];
        }
    }
    if (found != NULL && found->size != 0x2000) {
        ui_note("%s partition must have size = 0x2000", name);
        return false;
    }
    return true;
}

/* Rows in order of offset. */
static void sort_rows(const csv_table_t *table, const csv_row_t **sorted)
{
    for (size_t i = 0; i < table->count; i++) {
        size_t at = i;

        while (at > 0 && sorted[at - 1]->offset > table->rows[i].offset) {
            sorted[at] = sorted[at - 1];
            at--;
        }
        sorted[at] = &table->rows[i];
    }
}

static bool verify_places(const csv_options_t *o, const csv_table_t *table)
{
    static const csv_row_t *sorted[sizeof(table->rows) / sizeof(table->rows[0])];
    const int64_t first = (int64_t)o->table_offset + FMT_PARTITION_TABLE_SECTOR;

    sort_rows(table, sorted);
    for (size_t i = 0; i < table->count; i++) {
        const csv_row_t *row = sorted[i];
        const csv_row_t *before = i > 0 ? sorted[i - 1] : NULL;

        if (row->offset < first && !is_primary(row)) {
            ui_note("Partition offset 0x%" PRIx64 " is below 0x%" PRIx64, row->offset, first);
            return false;
        }
        if (before != NULL && row->offset < before->offset + before->size) {
            ui_note("Partition at 0x%" PRIx64 " overlaps 0x%" PRIx64 "-0x%" PRIx64, row->offset,
                    before->offset, before->offset + before->size - 1);
            return false;
        }
    }
    return true;
}

bool csv_verify_flash_size(const csv_options_t *options, const csv_table_t *table)
{
    const csv_row_t *last = NULL;
    uint64_t end;

    for (size_t i = 0; i < table->count; i++) {
        if (last == NULL || table->rows[i].offset >= last->offset) {
            last = &table->rows[i];
        }
    }
    if (options->flash_size == 0 || last == NULL) {
        return true;
    }
    end = (uint64_t)(last->offset + last->size);
    if (end > options->flash_size) {
        ui_note("Partitions tables occupies %.1fMB of flash (%" PRIu64 " bytes) which does not fit "
                "in configured flash size %" PRIu64 "MB. Set a larger flash size, or make "
                "partitions smaller.",
                (double)end / 1048576.0, end, options->flash_size >> 20);
        return false;
    }
    return true;
}

bool csv_verify(const csv_options_t *options, const csv_table_t *table)
{
    for (size_t i = 0; i < table->count; i++) {
        if (!verify_row(options, &table->rows[i])) {
            return false;
        }
    }
    for (size_t i = 0; i < table->count; i++) {
        for (size_t k = 0; k < i; k++) {
            if (strcmp(table->rows[i].name, table->rows[k].name) == 0) {
                ui_note("Partition names must be unique ('%s' is there twice)",
                        table->rows[i].name);
                return false;
            }
        }
    }
    return verify_places(options, table) && verify_single(table, FMT_PART_DATA_OTA, "otadata") &&
           verify_single(table, FMT_PART_DATA_TEE_OTA, "TEE otadata") &&
           csv_verify_flash_size(options, table);
}

/* --- output --- */

bool csv_to_binary(const csv_options_t *options, const csv_table_t *table, uint8_t *out)
{
    fmt_partition_t *entries = calloc(table->count + 1, sizeof(*entries));
    esp_err_t err;

    if (entries == NULL) {
        ui_note("out of memory");
        return false;
    }
    for (size_t i = 0; i < table->count; i++) {
        const csv_row_t *row = &table->rows[i];

        entries[i].type = (uint8_t)row->type;
        entries[i].subtype = (uint8_t)row->subtype;
        entries[i].offset = (uint32_t)row->offset;
        entries[i].size = (uint32_t)row->size;
        entries[i].flags = row->flags;
        memcpy(entries[i].label, row->name, strnlen(row->name, FMT_PARTITION_LABEL_MAX));
    }
    err = fmt_partition_table_encode(entries, table->count, !options->no_md5, out);
    free(entries);
    if (err != ESP_OK) {
        ui_note("Binary partition table length (%zu) longer than max",
                (table->count + (options->no_md5 ? 0 : 1)) * FMT_PARTITION_ROW_SIZE);
        return false;
    }
    return true;
}

char *csv_to_text(const csv_options_t *options, const csv_table_t *table)
{
    char *text = NULL;
    size_t len = 0;
    FILE *stream = open_memstream(&text, &len);

    if (stream == NULL) {
        ui_note("out of memory");
        return NULL;
    }
    fputs("# ESP-IDF Partition Table\n# Name, Type, SubType, Offset, Size, Flags\n", stream);
    for (size_t i = 0; i < table->count; i++) {
        const csv_row_t *row = &table->rows[i];
        const char *type = fmt_partition_type_name((uint8_t)row->type);
        const char *subtype = subtype_name(options, row->type, row->subtype);

        fprintf(stream, "%s,", row->name);
        if (type != NULL) {
            fprintf(stream, "%s,", type);
        } else {
            fprintf(stream, "%" PRId64 ",", row->type);
        }
        if (subtype != NULL) {
            fprintf(stream, "%s,", subtype);
        } else {
            fprintf(stream, "%" PRId64 ",", row->subtype);
        }
        fprintf(stream, "0x%" PRIx64 ",", row->offset);
        if (row->size % 0x100000 == 0) {
            fprintf(stream, "%" PRId64 "M,", row->size / 0x100000);
        } else if (row->size % 0x400 == 0) {
            fprintf(stream, "%" PRId64 "K,", row->size / 0x400);
        } else {
            fprintf(stream, "0x%" PRIx64 ",", row->size);
        }
        fprintf(stream, "%s%s%s\n", (row->flags & FMT_PART_FLAG_ENCRYPTED) != 0 ? "encrypted" : "",
                row->flags == (FMT_PART_FLAG_ENCRYPTED | FMT_PART_FLAG_READONLY) ? ":" : "",
                (row->flags & FMT_PART_FLAG_READONLY) != 0 ? "readonly" : "");
    }
    if (fclose(stream) != 0) {
        free(text);
        ui_note("out of memory");
        return NULL;
    }
    return text;
}

void csv_free(csv_table_t *table)
{
    for (size_t i = 0; i < table->count; i++) {
        free(table->rows[i].name);
        table->rows[i].name = NULL;
    }
    table->count = 0;
}
