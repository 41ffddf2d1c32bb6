/* SPDX-License-Identifier: Apache-2.0
 *
 * airlift nvs: makes and shows images of NVS partitions. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "file.h"
#include "formats/partition_table.h"
#include "nvs_csv.h"
#include "nvs_image.h"
#include "ui.h"

#define FILE_MAX    (512u << 20)
#define RW_SIZE_MIN 0x3000u
#define SHOWN_BYTES 32u /* of a blob */
#define PAGE_SIZE   FMT_NVS_PAGE_SIZE
#define NAMES_MAX   256u

/* --- generate --- */

static void print_generate_help(void)
{
    puts(
        "usage: airlift nvs generate [options] INPUT.csv... OUTPUT.bin SIZE\n\n"
        "Makes the image of an NVS partition of SIZE bytes (a multiple of 4096; of 0x3000 or more\n"
        "the last page stays free, less is for read-only partitions) from lines\n"
        "key,type,encoding,value, byte for byte as Espressif's generator makes it.\n\n"
        "  type       encoding                              value\n"
        "  namespace                                        what follows belongs to it\n"
        "  data       u8 i8 u16 i16 u32 i32 u64 i64         whole number\n"
        "  data       string                                text\n"
        "  data       hex2bin base64 binary                 blob, written as that\n"
        "  data       blob_fill(N;0xXX) blob_sz_fill(N;0xXX)  text, filled up to N bytes;\n"
        "                                                   with its length in front\n"
        "  file       string hex2bin base64 binary          file with the value\n\n"
        "  --version 1|2   version of the format: 1 keeps a blob in one page (default 2)\n"
        "  -h, --help\n\n"
        "Exit status: 0 made, 1 not made, 2 the command line was not understood.");
}

static int generate(int argc, char **argv)
{
    static const char verb[] = "nvs generate";
    static const struct option long_options[] = {
        {"version", required_argument, NULL, 'v'},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    uint8_t version = FMT_NVS_VERSION_2;
    uint64_t size;
    int option;

    opterr = 0;
    while ((option = getopt_long(argc, argv, "h", long_options, NULL)) != -1) {
        switch (option) {
        case 'v':
            if (strcmp(optarg, "1") != 0 && strcmp(optarg, "2") != 0) {
                return ui_usage_error(verb, "--version: %s: must be 1 or 2", optarg);
            }
            version = optarg[0] == '1' ? FMT_NVS_VERSION_1 : FMT_NVS_VERSION_2;
            break;
        case 'h':
            print_generate_help();
            return AIRLIFT_EXIT_OK;
        default:
            return ui_bad_option(verb, argc, argv);
        }
    }
    if (argc - optind < 3) {
        return ui_usage_error(verb, "INPUT.csv, OUTPUT.bin and SIZE are wanted");
    }
    if (!ui_parse_number(argv[argc - 1], true, NVS_IMAGE_SIZE_MAX, &size) || size == 0 ||
        size % PAGE_SIZE != 0) {
        return ui_usage_error(verb, "SIZE: %s: must be a multiple of 4096 up to 64M",
                              argv[argc - 1]);
    }
    if (size < RW_SIZE_MIN) {
        ui_note("A partition of less than 0x3000 bytes can only be read: flag it readonly in the "
                "partition table.");
    }

    nvs_image_t image;
    nvs_namespaces_t namespaces = {0};
    bool good = true;

    nvs_image_begin(&image, (unsigned)(size / PAGE_SIZE), version);
    for (int i = optind; i < argc - 2 && good; i++) {
        good = nvs_csv_read(argv[i], &namespaces, &image);
    }
    good = good && file_write(argv[argc - 2], image.bytes, (size_t)size);
    nvs_image_free(&image);
    return good ? AIRLIFT_EXIT_OK : AIRLIFT_EXIT_FAILURE;
}

/* --- show --- */

typedef enum { SHOW_TEXT, SHOW_JSON, SHOW_CSV } show_t;

typedef struct {
    const uint8_t *page;
    unsigned number;
    fmt_nvs_page_header_t header;
} page_t;

typedef struct {
    fmt_nvs_entry_t entry;
    const uint8_t *data; /* behind the header, within the image */
} item_t;

typedef struct {
    const char *path;
    const char *partition;
    uint32_t table_offset;
    show_t how;
    uint8_t *file;
    size_t file_len;
    const uint8_t *image;
    size_t len;
    page_t *pages; /* those in use, in order of their sequence numbers */
    unsigned page_count;
    item_t *items;
    size_t item_count;
    char names[NAMES_MAX][FMT_NVS_KEY_MAX + 1];
    unsigned damaged; /* written entries that are part of no whole item */
    unsigned problems;
} job_t;

static void *checked(void *memory)
{
    if (memory == NULL) {
        abort();
    }
    return memory;
}

/* Of a whole flash, takes the partition: the one asked for, else the first of type data/nvs. */
static bool find_partition(job_t *job)
{
    fmt_table_report_t report;
    const uint8_t *table = job->file + job->table_offset;
    bool is_flash =
        job->table_offset < job->file_len &&
        job->file_len - job->table_offset >= FMT_PARTITION_TABLE_LEN &&
        fmt_partition_table_check(table, FMT_PARTITION_TABLE_LEN, UINT32_MAX, &report) == ESP_OK;

    job->image = job->file;
    job->len = job->file_len;
    if (!is_flash) {
        if (job->partition != NULL) {
            ui_error("%s: --partition %s: there is no partition table at 0x%" PRIx32 " of it",
                     job->path, job->partition, job->table_offset);
        }
        return job->partition == NULL;
    }
    for (unsigned i = 0; i < report.count; i++) {
        fmt_partition_t entry;
        if (fmt_partition_row_decode(table + (size_t)i * FMT_PARTITION_ROW_SIZE, &entry) !=
                FMT_ROW_ENTRY ||
            entry.type != FMT_PART_TYPE_DATA || entry.subtype != FMT_PART_DATA_NVS ||
            (job->partition != NULL && strcmp(job->partition, entry.label) != 0)) {
            continue;
        }
        if (entry.offset > job->file_len || entry.size > job->file_len - entry.offset) {
            ui_error("%s: partition %s at 0x%" PRIx32 " lies beyond the end of the file", job->path,
                     entry.label, entry.offset);
            return false;
        }
        job->image = job->file + entry.offset;
        job->len = entry.size;
        return true;
    }
    ui_error("%s: its partition table has no NVS partition%s%s", job->path,
             job->partition != NULL ? " of the name " : "",
             job->partition != NULL ? job->partition : "");
    return false;
}

static int by_sequence(const void *a, const void *b)
{
    const page_t *x = a;
    const page_t *y = b;
    if (x->header.seq != y->header.seq) {
        return x->header.seq < y->header.seq ? -1 : 1;
    }
    return x->number < y->number ? -1 : 1;
}

static void add_items(job_t *job, const page_t *page)
{
    unsigned index = 0;
    unsigned at;
    unsigned whole = 0;
    unsigned written = 0;
    item_t *item = &job->items[job->item_count];

    while (fmt_nvs_page_item(page->page, &index, &item->entry, &at)) {
        item->data = page->page + FMT_NVS_ENTRIES_OFFSET + (size_t)(at + 1) * FMT_NVS_ENTRY_SIZE;
        whole += item->entry.span;
        if (item->entry.ns == 0 && item->entry.type == FMT_NVS_TYPE_U8) {
            memcpy(job->names[item->entry.data[0]], item->entry.key, sizeof(item->entry.key));
        }
        item = &job->items[++job->item_count];
    }
    for (unsigned i = 0; i < FMT_NVS_PAGE_ENTRIES; i++) {
        written +=
            fmt_nvs_entry_state(page->page + FMT_NVS_BITMAP_OFFSET, i) == FMT_NVS_ENTRY_WRITTEN;
    }
    job->damaged += written - whole;
}

static void problem(job_t *job, const char *text, unsigned number)
{
    ui_warning("%s: page %u %s", job->path, number, text);
    job->problems++;
}

static bool read_pages(job_t *job)
{
    size_t count = job->len / PAGE_SIZE;

    if (count == 0 || job->len % PAGE_SIZE != 0) {
        ui_error("%s: %zu bytes: neither an NVS partition (a multiple of 4096 bytes) nor a flash "
                 "with a partition table at 0x%" PRIx32,
                 job->path, job->len, job->table_offset);
        return false;
    }
    job->pages = checked(calloc(count, sizeof(*job->pages)));
    /* One more than there can be: the one being looked for. */
    job->items = checked(calloc(count * FMT_NVS_PAGE_ENTRIES + 1, sizeof(*job->items)));
    for (unsigned i = 0; i < count; i++) {
        page_t *page = &job->pages[job->page_count];
        *page = (page_t){.page = job->image + (size_t)i * PAGE_SIZE, .number = i};
        switch (fmt_nvs_page_header_decode(page->page, &page->header)) {
        case FMT_NVS_PAGE_BLANK:
            break;
        case FMT_NVS_PAGE_USED:
            job->page_count++;
            break;
        case FMT_NVS_PAGE_CORRUPT:
            problem(job, "has no valid header; a device erases it", i);
            break;
        case FMT_NVS_PAGE_NEWER:
            problem(job, "is of a newer version of the format; a device refuses the partition", i);
            break;
        }
    }
    qsort(job->pages, job->page_count, sizeof(*job->pages), by_sequence);
    for (unsigned i = 0; i < job->page_count; i++) {
        add_items(job, &job->pages[i]);
    }
    return true;
}

static const char *state_name(uint32_t state)
{
    switch (state) {
    case FMT_NVS_STATE_ACTIVE:
        return "active";
    case FMT_NVS_STATE_FULL:
        return "full";
    default:
        return "freeing";
    }
}

static void print_pages(const job_t *job)
{
    for (unsigned i = 0; i < job->page_count; i++) {
        const page_t *page = &job->pages[i];
        unsigned states[4] = {0};
        for (unsigned k = 0; k < FMT_NVS_PAGE_ENTRIES; k++) {
            states[fmt_nvs_entry_state(page->page + FMT_NVS_BITMAP_OFFSET, k)]++;
        }
        printf("Page %u: %s, sequence %" PRIu32 ", version %d; entries: %u written, %u erased, %u "
               "empty\n",
               page->number, state_name(page->header.state), page->header.seq,
               0x100 - page->header.version, states[FMT_NVS_ENTRY_WRITTEN],
               states[FMT_NVS_ENTRY_ERASED], states[FMT_NVS_ENTRY_EMPTY]);
    }
    printf("%u of %zu pages in use\n\n", job->page_count, job->len / PAGE_SIZE);
}

static const char *type_name(uint8_t type)
{
    switch (type) {
    case FMT_NVS_TYPE_U8:
        return "u8";
    case FMT_NVS_TYPE_I8:
        return "i8";
    case FMT_NVS_TYPE_U16:
        return "u16";
    case FMT_NVS_TYPE_I16:
        return "i16";
    case FMT_NVS_TYPE_U32:
        return "u32";
    case FMT_NVS_TYPE_I32:
        return "i32";
    case FMT_NVS_TYPE_U64:
        return "u64";
    case FMT_NVS_TYPE_I64:
        return "i64";
    case FMT_NVS_TYPE_FLOAT:
        return "float";
    case FMT_NVS_TYPE_DOUBLE:
        return "double";
    case FMT_NVS_TYPE_STRING:
        return "string";
    default:
        return "blob";
    }
}

static void number_text(const fmt_nvs_entry_t *entry, char *text, size_t size)
{
    unsigned bytes = fmt_nvs_value_size(entry->type);
    uint64_t value = 0;

    for (unsigned i = 0; i < bytes; i++) {
        value |= (uint64_t)entry->data[i] << (8 * i);
    }
    if (entry->type == FMT_NVS_TYPE_FLOAT) {
        uint32_t bits = (uint32_t)value;
        float number;
        memcpy(&number, &bits, sizeof(number));
        snprintf(text, size, "%.9g", (double)number);
    } else if (entry->type == FMT_NVS_TYPE_DOUBLE) {
        double number;
        memcpy(&number, &value, sizeof(number));
        snprintf(text, size, "%.17g", number);
    } else if ((entry->type & 0xF0u) != 0) {
        /* Signed: from the sign of its own size to 64 bits. */
        unsigned unused = 64 - 8 * bytes;
        int64_t number = (int64_t)(value << unused) / (INT64_C(1) << unused);
        snprintf(text, size, "%" PRId64, number);
    } else {
        snprintf(text, size, "%" PRIu64, value);
    }
}

/* The bytes of a blob out of its chunks; NULL if one is missing. The caller frees them. */
static uint8_t *blob_bytes(const job_t *job, const fmt_nvs_entry_t *entry, size_t *len)
{
    const fmt_nvs_blob_index_t index = fmt_nvs_blob_index(entry);
    uint8_t *bytes = checked(malloc((size_t)index.count * FMT_NVS_DATA_MAX + 1));

    *len = 0;
    for (unsigned k = 0; k < index.count; k++) {
        const item_t *chunk = NULL;
        for (size_t i = 0; i < job->item_count && chunk == NULL; i++) {
            const fmt_nvs_entry_t *other = &job->items[i].entry;
            if (other->type == FMT_NVS_TYPE_BLOB_DATA && other->ns == entry->ns &&
                other->chunk == (uint8_t)(index.start + k) && strcmp(other->key, entry->key) == 0) {
                chunk = &job->items[i];
            }
        }
        size_t size = chunk != NULL ? fmt_nvs_data_size(&chunk->entry) : 0;
        if (chunk == NULL || fmt_nvs_crc(chunk->data, size) != fmt_nvs_data_crc(&chunk->entry)) {
            free(bytes);
            return NULL;
        }
        memcpy(bytes + *len, chunk->data, size);
        *len += size;
    }
    if (*len != index.size) {
        free(bytes);
        return NULL;
    }
    return bytes;
}

static void print_hex(const uint8_t *data, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        printf("%02x", data[i]);
    }
}

/* A field of a CSV line; whatever may be in it. */
static void print_csv_field(const char *text)
{
    if (strpbrk(text, ",\"\r\n") == NULL && text[0] != '#') {
        fputs(text, stdout);
        return;
    }
    putchar('"');
    for (; *text != '\0'; text++) {
        if (*text == '"') {
            putchar('"');
        }
        putchar(*text);
    }
    putchar('"');
}

/* Text on one line of a terminal. */
static void print_quoted(const char *text)
{
    putchar('"');
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\') {
            printf("\\%c", c);
        } else if (c < 0x20 || c == 0x7F) {
            printf("\\x%02x", c);
        } else {
            putchar(c);
        }
    }
    putchar('"');
}

typedef struct {
    const char *ns;
    const fmt_nvs_entry_t *entry;
    const char *text;    /* number or string; NULL: a blob */
    const uint8_t *blob; /* NULL with len 0: not all of it is there */
    size_t len;
    bool whole;
} value_t;

static void print_value_text(const value_t *value)
{
    printf("%-16s%-16s%-8s", value->ns, value->entry->key, type_name(value->entry->type));
    if (value->text != NULL && value->entry->type != FMT_NVS_TYPE_STRING) {
        printf("%s\n", value->text);
    } else if (value->text != NULL) {
        print_quoted(value->text);
        putchar('\n');
    } else if (!value->whole) {
        printf("(incomplete: a device erases it)\n");
    } else {
        printf("%zu bytes: ", value->len);
        print_hex(value->blob, value->len < SHOWN_BYTES ? value->len : SHOWN_BYTES);
        puts(value->len > SHOWN_BYTES ? "..." : "");
    }
}

static void print_value_json(const value_t *value, bool first)
{
    printf("%s\n    {\"namespace\": ", first ? "" : ",");
    ui_json_string(stdout, value->ns);
    printf(", \"key\": ");
    ui_json_string(stdout, value->entry->key);
    printf(", \"type\": \"%s\", \"value\": ", type_name(value->entry->type));
    if (value->text != NULL &&
        (value->entry->type == FMT_NVS_TYPE_STRING || strpbrk(value->text, "ni") != NULL)) {
        ui_json_string(stdout, value->text); /* JSON has no infinity */
    } else if (value->text != NULL) {
        printf("%s", value->text);
    } else if (!value->whole) {
        printf("null");
    } else {
        putchar('"');
        print_hex(value->blob, value->len);
        putchar('"');
    }
    putchar('}');
}

static void print_value_csv(job_t *job, const value_t *value, const char **ns)
{
    if (value->entry->type == FMT_NVS_TYPE_FLOAT || value->entry->type == FMT_NVS_TYPE_DOUBLE) {
        ui_warning("key %s: left out: CSV has no %s", value->entry->key,
                   type_name(value->entry->type));
        job->problems++;
        return;
    }
    if (value->text == NULL && !value->whole) {
        return;
    }
    if (*ns == NULL || strcmp(*ns, value->ns) != 0) {
        *ns = value->ns;
        print_csv_field(value->ns);
        puts(",namespace,,");
    }
    print_csv_field(value->entry->key);
    printf(",data,%s,", value->text == NULL ? "hex2bin" : type_name(value->entry->type));
    if (value->text != NULL) {
        print_csv_field(value->text);
    } else {
        print_hex(value->blob, value->len);
    }
    putchar('\n');
}

static void print_items(job_t *job)
{
    const char *csv_namespace = NULL;
    bool first = true;

    for (size_t i = 0; i < job->item_count; i++) {
        const item_t *item = &job->items[i];
        const fmt_nvs_entry_t *entry = &item->entry;
        char number[40];
        uint8_t *bytes = NULL;
        value_t value = {.ns = job->names[entry->ns], .entry = entry};

        if (value.ns[0] == '\0') {
            value.ns = "(no name)"; /* a device erases what belongs to no namespace */
        }

        if (entry->ns == 0 || entry->type == FMT_NVS_TYPE_BLOB_DATA) {
            continue;
        }
        if (entry->type == FMT_NVS_TYPE_STRING || entry->type == FMT_NVS_TYPE_BLOB_V1) {
            value.len = fmt_nvs_data_size(entry);
            bytes = checked(calloc(1, value.len + 1));
            memcpy(bytes, item->data, value.len);
            value.whole = fmt_nvs_crc(bytes, value.len) == fmt_nvs_data_crc(entry);
        } else if (entry->type == FMT_NVS_TYPE_BLOB_INDEX) {
            bytes = blob_bytes(job, entry, &value.len);
            value.whole = bytes != NULL;
        } else {
            number_text(entry, number, sizeof(number));
            value.text = number;
        }
        if (bytes != NULL && entry->type == FMT_NVS_TYPE_STRING && value.whole) {
            value.text = (const char *)bytes;
        }
        value.blob = bytes;
        if (value.text == NULL && !value.whole) {
            ui_warning("%s: key %s: its data is incomplete or damaged", job->path, entry->key);
            job->problems++;
        }
        if (job->how == SHOW_TEXT) {
            print_value_text(&value);
        } else if (job->how == SHOW_JSON) {
            print_value_json(&value, first);
        } else {
            print_value_csv(job, &value, &csv_namespace);
        }
        first = false;
        free(bytes);
    }
}

static void print_job(job_t *job)
{
    if (job->how == SHOW_TEXT) {
        print_pages(job);
        printf("%-16s%-16s%-8s%s\n", "Namespace", "Key", "Type", "Value");
        print_items(job);
    } else if (job->how == SHOW_CSV) {
        puts("key,type,encoding,value");
        print_items(job);
    } else {
        printf("{\n  \"pages\": %zu,\n  \"pages_in_use\": %u,\n  \"values\": [",
               job->len / PAGE_SIZE, job->page_count);
        print_items(job);
        printf("\n  ]\n}\n");
    }
    if (job->damaged > 0) {
        ui_warning("%s: %u entries are damaged or were not written completely (or the partition is "
                   "encrypted)",
                   job->path, job->damaged);
        job->problems++;
    }
}

static void print_show_help(void)
{
    puts("usage: airlift nvs show [options] FILE\n\n"
         "Shows the values in an NVS partition. FILE is the partition or a whole flash, such as\n"
         "build/flash.bin of a board.\n\n"
         "  --partition NAME   of a whole flash; default: the first of type data, nvs\n"
         "  --table-offset N   where a flash has its partition table (default 0x8000)\n"
         "  --csv              as lines that `airlift nvs generate` takes\n"
         "  --json             for programs\n"
         "  -h, --help\n\n"
         "Exit status: 0 shown, 1 unreadable or damaged, 2 the command line was not understood.");
}

static int show(int argc, char **argv)
{
    static const char verb[] = "nvs show";
    enum { PARTITION = 256, TABLE, CSV, JSON };
    static const struct option long_options[] = {
        {"partition", required_argument, NULL, PARTITION},
        {"table-offset", required_argument, NULL, TABLE},
        {"csv", no_argument, NULL, CSV},
        {"json", no_argument, NULL, JSON},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    static job_t job;
    uint64_t number;
    int option;

    job = (job_t){.table_offset = FMT_PARTITION_TABLE_OFFSET};
    opterr = 0;
    while ((option = getopt_long(argc, argv, "h", long_options, NULL)) != -1) {
        switch (option) {
        case PARTITION:
            job.partition = optarg;
            break;
        case TABLE:
            if (!ui_parse_number(optarg, true, UINT32_MAX, &number)) {
                return ui_usage_error(verb, "--table-offset: %s: not a number in range", optarg);
            }
            job.table_offset = (uint32_t)number;
            break;
        case CSV:
            job.how = SHOW_CSV;
            break;
        case JSON:
            job.how = SHOW_JSON;
            break;
        case 'h':
            print_show_help();
            return AIRLIFT_EXIT_OK;
        default:
            return ui_bad_option(verb, argc, argv);
        }
    }
    if (argc - optind != 1) {
        return ui_usage_error(verb, "one FILE is wanted");
    }
    job.path = argv[optind];
    bool good = file_read(job.path, FILE_MAX, &job.file, &job.file_len) && find_partition(&job) &&
                read_pages(&job);
    if (good) {
        print_job(&job);
    }
    free(job.pages);
    free(job.items);
    free(job.file);
    return good && job.problems == 0 ? AIRLIFT_EXIT_OK : AIRLIFT_EXIT_FAILURE;
}

static int run(int argc, char **argv)
{
    static const airlift_cmd_t subs[] = {
        {"generate", "make the image of an NVS partition from CSV files", generate},
        {"show", "show the values in an NVS partition", show},
        {0},
    };
    return airlift_run_sub("nvs", subs, argc, argv);
}

const airlift_cmd_t airlift_cmd_nvs = {"nvs", "make and show images of NVS partitions", run};
