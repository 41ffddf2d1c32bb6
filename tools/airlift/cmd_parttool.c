/* SPDX-License-Identifier: Apache-2.0
 *
 * airlift parttool: partitions of a board's flash by name or type (the command line of ESP-IDF's
 * tool of that name). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "part_tool.h"
#include "ui.h"

#define VERB      "parttool"
#define INFO_MAX  16
#define MATCH_MAX (FMT_PARTITION_TABLE_ROWS * 4)

static const char *const subcommands[] = {"read_partition", "write_partition", "erase_partition",
                                          "get_partition_info", NULL};

typedef struct {
    part_tool_t tool;
    const char *name, *type, *subtype;
    bool boot_default;
    const char *file; /* --input or --output */
    bool ignore_readonly;
    const char *info[INFO_MAX];
    size_t info_count;
    bool part_list;
} job_t;

static void print_help(void)
{
    printf("usage: airlift parttool [options] SUBCOMMAND [options]\n\n"
           "Reads, writes and erases partitions of a board's flash, which must not be running, and "
           "says what\nthe partition table knows of them.\n\n"
           "  read_partition SELECTOR --output FILE\n"
           "  write_partition SELECTOR --input FILE [--ignore-readonly]\n"
           "                         the rest of the partition is erased\n"
           "  erase_partition SELECTOR\n"
           "  get_partition_info SELECTOR [--info WHAT ...] [--part_list]\n"
           "                         WHAT: name, type, subtype, offset, size, encrypted, readonly\n"
           "                         (default: offset size); --part_list: of all that match\n\n"
           "SELECTOR is one of\n"
           "  -n, --partition-name NAME\n"
           "  -t, --partition-type TYPE -s, --partition-subtype SUBTYPE   names or numbers\n"
           "  -d, --partition-boot-default   factory, else the first of ota_0 .. ota_15\n\n"
           "Options:\n" BOARD_OPTIONS_HELP PART_TOOL_OPTIONS_HELP "  -h, --help\n\n"
           "Exit status: 0 done, and for get_partition_info also: there is no such partition; 1 "
           "failed (2 with\n--quiet); 2 the command line was not understood.\n");
}

/* --- the subcommand's options --- */

static bool is_info(const char *word)
{
    static const char *const words[] = {"name", "type",      "subtype", "offset",
                                        "size", "encrypted", "readonly"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(words[i], word) == 0) {
            return true;
        }
    }
    return false;
}

static int take_info(job_t *job, int argc, char **argv)
{
    const char *word = optarg;
    job->info_count = 0;
    for (;;) {
        if (!is_info(word)) {
            return ui_usage_error(VERB,
                                  "--info: %s: must be name, type, subtype, offset, size, "
                                  "encrypted or readonly",
                                  word);
        }
        if (job->info_count == INFO_MAX) {
            return ui_usage_error(VERB, "--info: more than %d words", INFO_MAX);
        }
        job->info[job->info_count++] = word;
        if (optind == argc || argv[optind][0] == '-') {
            return -1;
        }
        word = argv[optind++];
    }
}

static bool sub_is(const job_t *job, const char *name)
{
    return part_tool_sub_is(&job->tool, name);
}

static int check_options(const job_t *job)
{
    int selectors = (job->name != NULL) + (job->type != NULL) + job->boot_default;
    if (selectors > 1) {
        return ui_usage_error(VERB, "give one of --partition-name, --partition-type and "
                                    "--partition-boot-default");
    }
    if (sub_is(job, "read_partition") && job->file == NULL) {
        return ui_usage_error(VERB, "read_partition: --output is missing");
    }
    if (sub_is(job, "write_partition") && job->file == NULL) {
        return ui_usage_error(VERB, "write_partition: --input is missing");
    }
    return -1;
}

/* -1: go on; else an exit status. */
static int take_options(void *context, int argc, char **argv)
{
    job_t *job = context;
    enum { OUTPUT = 256, INPUT, IGNORE, INFO, LIST };
    static const struct option long_options[] = {
        {"partition-name", required_argument, NULL, 'n'},
        {"partition-type", required_argument, NULL, 't'},
        {"partition-subtype", required_argument, NULL, 's'},
        {"partition-boot-default", no_argument, NULL, 'd'},
        {"output", required_argument, NULL, OUTPUT},
        {"input", required_argument, NULL, INPUT},
        {"ignore-readonly", no_argument, NULL, IGNORE},
        {"info", required_argument, NULL, INFO},
        {"part_list", no_argument, NULL, LIST},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    int option, status;

    job->info[0] = "offset";
    job->info[1] = "size";
    job->info_count = 2;
    optind = 0; /* begin anew, with another list */
    while ((option = getopt_long(argc, argv, "n:t:s:dh", long_options, NULL)) != -1) {
        bool fits = true;
        switch (option) {
        case 'n':
            job->name = optarg;
            break;
        case 't':
            job->type = optarg;
            break;
        case 's':
            job->subtype = optarg;
            break;
        case 'd':
            job->boot_default = true;
            break;
        case OUTPUT:
            fits = sub_is(job, "read_partition");
            job->file = optarg;
            break;
        case INPUT:
            fits = sub_is(job, "write_partition");
            job->file = optarg;
            break;
        case IGNORE:
            fits = sub_is(job, "write_partition");
            job->ignore_readonly = true;
            break;
        case INFO:
            fits = sub_is(job, "get_partition_info");
            status = take_info(job, argc, argv);
            if (status >= 0) {
                return status;
            }
            break;
        case LIST:
            fits = sub_is(job, "get_partition_info");
            job->part_list = true;
            break;
        case 'h':
            job->tool.help = true;
            return -1;
        default:
            return ui_bad_option(VERB, argc, argv);
        }
        if (!fits) {
            return ui_usage_error(VERB, "%s has no such option: %s", job->tool.sub,
                                  argv[optind - 1]);
        }
    }
    if (optind != argc) {
        return ui_usage_error(VERB, "%s: not expected", argv[optind]);
    }
    return check_options(job);
}

/* --- selecting --- */

static bool parse_type(const char *text, uint64_t *type)
{
    int value = fmt_partition_type_by_name(text);
    if (value < 0) {
        return ui_parse_number(text, false, 0xFF, type);
    }
    *type = (uint64_t)value;
    return true;
}

static bool parse_subtype(const csv_options_t *csv, uint64_t type, const char *text,
                          uint64_t *subtype)
{
    int value = csv_subtype_by_name(csv, (int64_t)type, text);
    if (value < 0) {
        return ui_parse_number(text, false, 0xFF, subtype);
    }
    *subtype = (uint64_t)value;
    return true;
}

static const csv_row_t *boot_default(const part_tool_t *tool)
{
    const csv_row_t *row = part_tool_by_type(tool, FMT_PART_TYPE_APP, FMT_PART_APP_FACTORY);
    for (int64_t sub = FMT_PART_APP_OTA_0; row == NULL && sub <= FMT_PART_APP_OTA_15; sub++) {
        row = part_tool_by_type(tool, FMT_PART_TYPE_APP, sub);
    }
    return row;
}

/* All rows that are meant, in the table's order. False after an error message. */
static bool select_rows(const job_t *job, const csv_row_t *rows[MATCH_MAX], size_t *count)
{
    const part_tool_t *tool = &job->tool;
    uint64_t type = 0, subtype = 0;
    *count = 0;
    if (job->boot_default) {
        rows[0] = boot_default(tool);
        *count = rows[0] != NULL;
        return true;
    }
    if (job->name == NULL && (job->type == NULL || job->subtype == NULL)) {
        ui_error(VERB ": which partition? Give --partition-name, --partition-type with "
                      "--partition-subtype, or --partition-boot-default");
        return false;
    }
    if (job->name == NULL && (!parse_type(job->type, &type) ||
                              !parse_subtype(&tool->csv, type, job->subtype, &subtype))) {
        ui_error(VERB ": type %s, subtype %s: neither known names nor numbers up to 0xff",
                 job->type, job->subtype);
        return false;
    }
    for (size_t i = 0; i < tool->table.count; i++) {
        const csv_row_t *row = &tool->table.rows[i];
        bool match = job->name != NULL
                         ? strcmp(row->name, job->name) == 0
                         : row->type == (int64_t)type && row->subtype == (int64_t)subtype;
        if (match) {
            rows[(*count)++] = row;
        }
    }
    return true;
}

/* --- the work --- */

static void print_info(const csv_row_t *row, const char *info)
{
    if (strcmp(info, "name") == 0) {
        printf("%s", row->name);
    } else if (strcmp(info, "type") == 0) {
        printf("%lld", (long long)row->type);
    } else if (strcmp(info, "subtype") == 0) {
        printf("%lld", (long long)row->subtype);
    } else if (strcmp(info, "offset") == 0) {
        printf("0x%llx", (long long)row->offset);
    } else if (strcmp(info, "size") == 0) {
        printf("0x%llx", (long long)row->size);
    } else {
        uint32_t flag =
            strcmp(info, "readonly") == 0 ? FMT_PART_FLAG_READONLY : FMT_PART_FLAG_ENCRYPTED;
        printf("%s", row->flags & flag ? "True" : "False");
    }
}

static void get_info(const job_t *job, const csv_row_t *const *rows, size_t count)
{
    const char *separator = "";
    for (size_t i = 0; i < count && (i == 0 || job->part_list); i++) {
        for (size_t k = 0; k < job->info_count; k++) {
            printf("%s", separator);
            print_info(rows[i], job->info[k]);
            separator = " ";
        }
    }
    if (count > 0) {
        printf("\n");
    }
}

static bool work(void *context)
{
    job_t *job = context;
    static const csv_row_t *rows[MATCH_MAX];
    part_tool_t *tool = &job->tool;
    size_t count;
    if (!part_tool_read_table(tool) || !select_rows(job, rows, &count)) {
        return false;
    }
    if (sub_is(job, "get_partition_info")) {
        get_info(job, rows, count);
        return true;
    }
    if (count == 0) {
        ui_error("Partition does not exist");
        return false;
    }
    const csv_row_t *row = rows[0];
    if (sub_is(job, "read_partition")) {
        if (part_tool_read(tool, row, job->file)) {
            ui_note("Read partition '%s' contents from device at offset 0x%llx to file '%s'",
                    row->name, (long long)row->offset, job->file);
            return true;
        }
    } else if (sub_is(job, "erase_partition")) {
        if (part_tool_erase(tool, row)) {
            ui_note("Erased partition '%s' at offset 0x%llx", row->name, (long long)row->offset);
            return true;
        }
    } else if (row->flags & FMT_PART_FLAG_READONLY && !job->ignore_readonly) {
        ui_error("partition '%s' is read-only; --ignore-readonly writes it all the same",
                 row->name);
    } else if (part_tool_write(tool, row, job->file)) {
        ui_note("Written contents of file '%s' at offset 0x%llx", job->file,
                (long long)row->offset);
        return true;
    }
    return false;
}

static int run(int argc, char **argv)
{
    static job_t job;
    job = (job_t){.tool = {.verb = VERB,
                           .noun = "subcommand",
                           .subcommands = subcommands,
                           .print_help = print_help,
                           .take_options = take_options,
                           .work = work}};
    return part_tool_run(&job.tool, &job, argc, argv);
}

const airlift_cmd_t airlift_cmd_parttool = {VERB, "read, write or erase a partition by its name",
                                            run};
