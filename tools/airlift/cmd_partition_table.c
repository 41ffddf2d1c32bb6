/* SPDX-License-Identifier: Apache-2.0
 *
 * airlift partition-table: show, gen, and convert (the command line of ESP-IDF's own generator). */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "file.h"
#include "partition_csv.h"
#include "ui.h"

/* Scripts around ESP-IDF expect this status for a bad table. */
#define EXIT_BAD_TABLE 2
#define FILE_MAX       (512u << 20)

typedef struct {
    const char *verb;
    csv_options_t csv;
    const char *input;
    const char *output;
    uint64_t at; /* where the table begins in the input */
    bool at_given;
    bool no_verify;
    bool quiet;
    bool json;
} job_t;

/* --- options --- */

enum {
    OPT_FLASH_SIZE = 256,
    OPT_NO_MD5,
    OPT_NO_VERIFY,
    OPT_OFFSET,
    OPT_PRIMARY,
    OPT_RECOVERY,
    OPT_SECURE,
    OPT_EXTRA,
    OPT_AT,
    OPT_JSON,
};

#define COMMON_OPTIONS                                                                             \
    {"flash-size", required_argument, NULL, OPT_FLASH_SIZE},                                       \
        {"disable-md5sum", no_argument, NULL, OPT_NO_MD5},                                         \
        {"no-verify", no_argument, NULL, OPT_NO_VERIFY},                                           \
        {"offset", required_argument, NULL, OPT_OFFSET},                                           \
        {"primary-bootloader-offset", required_argument, NULL, OPT_PRIMARY},                       \
        {"recovery-bootloader-offset", required_argument, NULL, OPT_RECOVERY},                     \
        {"secure", optional_argument, NULL, OPT_SECURE},                                           \
        {"extra-partition-subtypes", required_argument, NULL, OPT_EXTRA},                          \
        {"verify", no_argument, NULL, 'v'}, {"quiet", no_argument, NULL, 'q'},                     \
        {"help", no_argument, NULL, 'h'}

#define COMMON_HELP                                                                                \
    "  --flash-size SIZE       1MB .. 128MB: the table must end within it\n"                       \
    "  --disable-md5sum        no MD5 row\n"                                                       \
    "  --no-verify             do not check the table\n"                                           \
    "  --primary-bootloader-offset N, --recovery-bootloader-offset N\n"                            \
    "                          for rows of type bootloader\n"                                      \
    "  --secure[=v1|v2]        signing scheme; v1 (when bare) wants app sizes in 64 KiB steps\n"   \
    "  --extra-partition-subtypes \"TYPE,NAME,0xNN\" ...\n"                                        \
    "                          subtypes of the project; takes all words up to the next option,\n"  \
    "                          `--` ends them\n"

/* True when understood. */
static bool flash_size_option(const char *text, uint64_t *size)
{
    return ui_parse_number(text, true, 128u << 20, size) && strchr(text, 'B') != NULL &&
           *size >= 1u << 20 && (*size & (*size - 1)) == 0;
}

static bool offset_option(const char *text, uint32_t *value)
{
    uint64_t number;

    if (!ui_parse_number(text, false, UINT32_MAX, &number)) {
        return false;
    }
    *value = (uint32_t)number;
    return true;
}

/* Words after --extra-partition-subtypes belong to it, up to the next option. */
static bool extra_option(csv_options_t *csv, int argc, char **argv)
{
    if (!csv_add_subtype(csv, optarg)) {
        return false;
    }
    while (optind < argc && argv[optind][0] != '-') {
        if (!csv_add_subtype(csv, argv[optind++])) {
            return false;
        }
    }
    return true;
}

/* Handles what all verbs share. -1: fine; else an exit status. */
static int common_option(job_t *job, int option, int argc, char **argv)
{
    csv_options_t *csv = &job->csv;
    bool understood = true;

    switch (option) {
    case OPT_FLASH_SIZE:
        understood = flash_size_option(optarg, &csv->flash_size);
        break;
    case OPT_NO_MD5:
        csv->no_md5 = true;
        break;
    case OPT_NO_VERIFY:
        job->no_verify = true;
        break;
    case OPT_OFFSET:
        understood = offset_option(optarg, &csv->table_offset) &&
                     csv->table_offset % FMT_PARTITION_TABLE_SECTOR == 0;
        break;
    case OPT_PRIMARY:
        csv->has_primary_bootloader = true;
        understood = offset_option(optarg, &csv->primary_bootloader_offset);
        break;
    case OPT_RECOVERY:
        csv->has_recovery_bootloader = true;
        understood = offset_option(optarg, &csv->recovery_bootloader_offset);
        break;
    case OPT_SECURE:
        /* The upstream tool takes the version as a word of its own. */
        if (optarg == NULL && optind < argc &&
            (strcmp(argv[optind], "v1") == 0 || strcmp(argv[optind], "v2") == 0)) {
            optarg = argv[optind++];
        }
        understood = optarg == NULL || strcmp(optarg, "v1") == 0 || strcmp(optarg, "v2") == 0;
        csv->secure_v1 = optarg == NULL || strcmp(optarg, "v1") == 0;
        break;
    case OPT_EXTRA:
        return extra_option(csv, argc, argv) ? -1 : EXIT_BAD_TABLE;
    case 'v':
        break;
    case 'q':
        job->quiet = true;
        break;
    default:
        return ui_bad_option(job->verb, argc, argv);
    }
    return understood ? -1 : ui_usage_error(job->verb, "%s: not a valid value", optarg);
}

/* --- work --- */

static bool check_options(const job_t *job)
{
    const csv_options_t *csv = &job->csv;

    if (csv->has_primary_bootloader && csv->primary_bootloader_offset >= csv->table_offset) {
        ui_note("Primary bootloader offset 0x%" PRIx32 " must be below the partition table "
                "offset 0x%" PRIx32,
                csv->primary_bootloader_offset, csv->table_offset);
        return false;
    }
    return true;
}

/* A flash dump holds the table somewhere: cuts it out. */
static bool cut_out(const job_t *job, uint8_t **data, size_t *len)
{
    if (!job->at_given) {
        return true;
    }
    if (job->at > *len || *len - job->at < FMT_PARTITION_ROW_SIZE) {
        ui_error("%s: --at 0x%" PRIx64 ": the file has %zu bytes", job->input, job->at, *len);
        return false;
    }
    *len -= job->at;
    if (*len > FMT_PARTITION_TABLE_LEN) {
        *len = FMT_PARTITION_TABLE_LEN;
    }
    memmove(*data, *data + job->at, *len);
    return true;
}

static void print_json(const csv_table_t *table)
{
    printf("[");
    for (size_t i = 0; i < table->count; i++) {
        const csv_row_t *row = &table->rows[i];

        printf("%s\n  {\"name\": ", i > 0 ? "," : "");
        ui_json_string(stdout, row->name);
        printf(", \"type\": %" PRId64 ", \"subtype\": %" PRId64 ", \"offset\": %" PRId64
               ", \"size\": %" PRId64 ", \"encrypted\": %s, \"readonly\": %s, \"usage\": \"%s\"}",
               row->type, row->subtype, row->offset, row->size,
               (row->flags & FMT_PART_FLAG_ENCRYPTED) != 0 ? "true" : "false",
               (row->flags & FMT_PART_FLAG_READONLY) != 0 ? "true" : "false",
               fmt_partition_usage((uint8_t)row->type, (uint8_t)row->subtype));
    }
    printf("\n]\n");
}

/* Reads, checks and writes: to_binary 1 yes, 0 no, -1: the other form. */
static int work(const job_t *job, int to_binary)
{
    static csv_table_t table;
    uint8_t binary_form[FMT_PARTITION_TABLE_LEN];
    uint8_t *data = NULL;
    char *text = NULL;
    size_t len;
    bool binary = false;
    bool done;

    if (!check_options(job)) {
        return EXIT_BAD_TABLE;
    }
    if (!file_read(job->input, FILE_MAX, &data, &len) || !cut_out(job, &data, &len)) {
        free(data);
        return EXIT_BAD_TABLE;
    }
    if (!job->quiet) {
        ui_note("%s", len >= 2 && data[0] == 0xAA && data[1] == 0x50
                          ? "Parsing binary partition input..."
                          : "Parsing CSV input...");
    }
    done = csv_read(&job->csv, data, len, &table, &binary);
    if (done && !job->no_verify) {
        if (!job->quiet) {
            ui_note("Verifying table...");
        }
        done = csv_verify(&job->csv, &table);
    }
    if (to_binary < 0) {
        to_binary = !binary;
    }
    if (done && to_binary == 1) {
        done = csv_to_binary(&job->csv, &table, binary_form) &&
               file_write(job->output, binary_form, sizeof(binary_form));
    } else if (done && job->json) {
        print_json(&table);
    } else if (done) {
        text = csv_to_text(&job->csv, &table);
        done = text != NULL && file_write(job->output, text, strlen(text));
    }
    free(text);
    free(data);
    csv_free(&table);
    return done ? AIRLIFT_EXIT_OK : EXIT_BAD_TABLE;
}

static int show(int argc, char **argv)
{
    static const struct option long_options[] = {
        COMMON_OPTIONS,
        {"at", required_argument, NULL, OPT_AT},
        {"json", no_argument, NULL, OPT_JSON},
        {0},
    };
    job_t job = {.verb = "partition-table show", .output = "-", .quiet = true};
    int option;

    job.csv.table_offset = FMT_PARTITION_TABLE_OFFSET;
    opterr = 0;
    while ((option = getopt_long(argc, argv, "hqv", long_options, NULL)) != -1) {
        int status = -1;

        if (option == 'h') {
            puts("usage: airlift partition-table show [options] FILE\n\n"
                 "Checks a partition table, binary or CSV, and prints it as CSV with every offset "
                 "filled in.\n\n"
                 "  --at N                  FILE is a flash dump with the table N bytes into it\n"
                 "  --json                  for programs\n"
                 "  --offset N              where the table is in flash (default "
                 "0x8000)\n" COMMON_HELP "  -h, --help\n\n"
                 "Exit status: 0 valid, 2 invalid, unreadable, or the command line was not "
                 "understood.");
            return AIRLIFT_EXIT_OK;
        }
        if (option == OPT_AT) {
            job.at_given = ui_parse_number(optarg, true, FILE_MAX, &job.at);
            if (!job.at_given) {
                return ui_usage_error(job.verb, "--at: %s: not a number in range", optarg);
            }
        } else if (option == OPT_JSON) {
            job.json = true;
        } else {
            status = common_option(&job, option, argc, argv);
        }
        if (status >= 0) {
            return status;
        }
    }
    if (argc - optind != 1) {
        return ui_usage_error(job.verb, "exactly one file is needed");
    }
    job.input = argv[optind];
    return work(&job, 0);
}

static int gen(int argc, char **argv)
{
    static const struct option long_options[] = {
        COMMON_OPTIONS,
        {"output", required_argument, NULL, 'o'},
        {0},
    };
    job_t job = {.verb = "partition-table gen", .output = "-", .quiet = true};
    int option;

    job.csv.table_offset = FMT_PARTITION_TABLE_OFFSET;
    opterr = 0;
    while ((option = getopt_long(argc, argv, "o:hqv", long_options, NULL)) != -1) {
        int status = -1;

        if (option == 'h') {
            puts("usage: airlift partition-table gen [options] CSV\n\n"
                 "Makes the binary partition table, 0xC00 bytes, of a CSV file.\n\n"
                 "  -o, --output FILE       where to write it (default: standard output)\n"
                 "  --offset N              where the table is in flash (default "
                 "0x8000)\n" COMMON_HELP "  -h, --help\n\n"
                 "Exit status: 0 written, 2 invalid, unreadable, or the command line was not "
                 "understood.");
            return AIRLIFT_EXIT_OK;
        }
        if (option == 'o') {
            job.output = optarg;
        } else {
            status = common_option(&job, option, argc, argv);
        }
        if (status >= 0) {
            return status;
        }
    }
    if (argc - optind != 1) {
        return ui_usage_error(job.verb, "exactly one CSV file is needed");
    }
    job.input = argv[optind];
    return work(&job, 1);
}

static int convert(int argc, char **argv)
{
    static const struct option long_options[] = {COMMON_OPTIONS, {0}};
    job_t job = {.verb = "partition-table convert", .output = "-"};
    int option;

    job.csv.table_offset = FMT_PARTITION_TABLE_OFFSET;
    opterr = 0;
    while ((option = getopt_long(argc, argv, "o:hqv", long_options, NULL)) != -1) {
        int status;

        if (option == 'h') {
            puts("usage: airlift partition-table convert [options] INPUT [OUTPUT]\n\n"
                 "CSV in gives the binary table out, a binary table in gives CSV out, with the "
                 "command line\nof ESP-IDF's gen_esp32part.py.\n\n"
                 "  -o, --offset N          where the table is in flash (default 0x8000)\n"
                 "  -q, --quiet             no progress on standard error\n" COMMON_HELP
                 "  -h, --help\n\n"
                 "Exit status: 0 written, 2 invalid, unreadable, or the command line was not "
                 "understood.");
            return AIRLIFT_EXIT_OK;
        }
        status = common_option(&job, option == 'o' ? OPT_OFFSET : option, argc, argv);
        if (status >= 0) {
            return status;
        }
    }
    if (argc - optind < 1 || argc - optind > 2) {
        return ui_usage_error(job.verb, "an input and at most one output file are needed");
    }
    job.input = argv[optind];
    if (argc - optind == 2) {
        job.output = argv[optind + 1];
    }
    return work(&job, -1);
}

static const airlift_cmd_t verbs[] = {
    {"show", "check a partition table and print it as CSV", show},
    {"gen", "make the binary table of a CSV file", gen},
    {"convert", "either way, with gen_esp32part's command line", convert},
    {0},
};

static int run(int argc, char **argv)
{
    return airlift_run_sub("partition-table", verbs, argc, argv);
}

const airlift_cmd_t airlift_cmd_partition_table = {"partition-table",
                                                   "show and make partition tables", run};
