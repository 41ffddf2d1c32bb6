/* SPDX-License-Identifier: Apache-2.0
 *
 * airlift check-sizes: whether what was built fits where it goes. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "commands.h"
#include "file.h"
#include "partition_csv.h"
#include "ui.h"

#define VERB "check-sizes"

typedef struct {
    csv_options_t csv;
    bool allow_failures;
    const char *type;
    const char *subtype;
} job_t;

static bool file_size(const char *path, uint64_t *size)
{
    struct stat status;

    if (stat(path, &status) != 0 || !S_ISREG(status.st_mode)) {
        ui_error("%s: %s", path, errno != 0 ? strerror(errno) : "not a regular file");
        return false;
    }
    *size = (uint64_t)status.st_size;
    return true;
}

static unsigned percent(uint64_t part, uint64_t whole)
{
    return whole > 0 ? (unsigned)((part * 200 + whole) / (whole * 2)) : 0;
}

/* A failure, which --allow-failures makes a warning. */
static int failure(const job_t *job)
{
    return job->allow_failures ? AIRLIFT_EXIT_OK : AIRLIFT_EXIT_FAILURE;
}

static int check_bootloader(const job_t *job, const char *offset_text, const char *path)
{
    uint64_t offset, size, room;

    if (!ui_parse_number(offset_text, false, UINT32_MAX, &offset)) {
        return ui_usage_error(VERB, "%s: not a flash offset", offset_text);
    }
    if (offset >= job->csv.table_offset) {
        return ui_usage_error(VERB, "%s: must be below the partition table at 0x%" PRIx32,
                              offset_text, job->csv.table_offset);
    }
    if (!file_size(path, &size)) {
        return AIRLIFT_EXIT_FAILURE;
    }
    room = job->csv.table_offset - offset;
    if (size > room) {
        ui_note("%s: Bootloader binary size 0x%" PRIx64 " bytes is too large for partition table "
                "offset 0x%" PRIx32 ": at most 0x%" PRIx64 " bytes fit. Make the bootloader "
                "smaller or move the table with CONFIG_PARTITION_TABLE_OFFSET.",
                job->allow_failures ? "Warning" : "Error", size, job->csv.table_offset, room);
        return failure(job);
    }
    printf("Bootloader binary size 0x%" PRIx64 " bytes. 0x%" PRIx64 " bytes (%u%%) free.\n", size,
           room - size, percent(room - size, room));
    return AIRLIFT_EXIT_OK;
}

/* Type or subtype as a name or number; -1: neither. */
static int number_or_name(const char *text, int by_name)
{
    uint64_t number;

    if (by_name >= 0) {
        return by_name;
    }
    return ui_parse_number(text, false, 0xFF, &number) ? (int)number : -1;
}

static int compare_partitions(const job_t *job, const csv_table_t *table, int type, int subtype,
                              const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash != NULL ? slash + 1 : path;
    const char *type_name = fmt_partition_type_name((uint8_t)type);
    const csv_row_t *smallest = NULL;
    unsigned count = 0;
    unsigned too_small = 0;
    uint64_t size;

    if (!file_size(path, &size)) {
        return AIRLIFT_EXIT_FAILURE;
    }
    bool matches[sizeof(table->rows) / sizeof(table->rows[0])] = {false};

    for (size_t i = 0; i < table->count; i++) {
        const csv_row_t *row = &table->rows[i];

        /* The TEE's slots hold another program. */
        matches[i] = row->type == type && (subtype < 0 || row->subtype == subtype) &&
                     !(type == FMT_PART_TYPE_APP && subtype < 0 &&
                       (row->subtype == FMT_PART_APP_TEE_0 || row->subtype == FMT_PART_APP_TEE_1));
        if (matches[i]) {
            count++;
            too_small += (uint64_t)row->size < size;
            if (smallest == NULL || row->size < smallest->size) {
                smallest = row;
            }
        }
    }
    if (count == 0) {
        ui_note("Warning: the partition table has no partition of type %s for %s.", job->type,
                name);
        return AIRLIFT_EXIT_OK;
    }
    if (type_name == NULL) {
        type_name = job->type;
    }
    if (too_small == 0) {
        uint64_t free_bytes = (uint64_t)smallest->size - size;
        unsigned free_percent = percent(free_bytes, (uint64_t)smallest->size);

        printf("%s binary size 0x%" PRIx64 " bytes. Smallest %s partition is 0x%" PRIx64
               " bytes. 0x%" PRIx64 " bytes (%u%%) free.\n",
               name, size, type_name, (uint64_t)smallest->size, free_bytes, free_percent);
        if (free_bytes * 20 < (uint64_t)smallest->size) {
            ui_note("Warning: The smallest %s partition is nearly full (%u%% free space left)!",
                    type_name, free_percent);
        }
        return AIRLIFT_EXIT_OK;
    }
    bool all = too_small == count;
    const char *level = all && !job->allow_failures ? "Error" : "Warning";

    if (!all) {
        ui_note("%s: %u/%u %s partitions are too small for binary %s size 0x%" PRIx64 ":", level,
                too_small, count, type_name, name, size);
    } else if (count > 1) {
        ui_note("%s: All %s partitions are too small for binary %s size 0x%" PRIx64 ":", level,
                type_name, name, size);
    } else {
        ui_note("%s: %s partition is too small for binary %s size 0x%" PRIx64 ":", level, type_name,
                name, size);
    }
    for (size_t i = 0; i < table->count; i++) {
        const csv_row_t *row = &table->rows[i];

        if (matches[i] && (uint64_t)row->size < size) {
            ui_note("  - Part '%s' %" PRId64 "/%" PRId64 " @ 0x%" PRIx64 " size 0x%" PRIx64
                    " (overflow 0x%" PRIx64 ")",
                    row->name, row->type, row->subtype, row->offset, (uint64_t)row->size,
                    size - (uint64_t)row->size);
        }
    }
    return all ? failure(job) : AIRLIFT_EXIT_OK;
}

static int check_partition(const job_t *job, const char *table_path, const char *path)
{
    static csv_table_t table;
    uint8_t *data;
    size_t len;
    int type, subtype = -1;
    int status = AIRLIFT_EXIT_FAILURE;

    if (job->type == NULL) {
        return ui_usage_error(VERB, "--type is needed");
    }
    type = number_or_name(job->type, fmt_partition_type_by_name(job->type));
    if (type < 0) {
        return ui_usage_error(VERB, "--type: %s: no such partition type", job->type);
    }
    if (job->subtype != NULL) {
        subtype = number_or_name(job->subtype,
                                 fmt_partition_subtype_by_name((uint8_t)type, job->subtype));
        if (subtype < 0) {
            return ui_usage_error(VERB, "--subtype: %s: no such subtype of %s", job->subtype,
                                  job->type);
        }
    }
    if (!file_read(table_path, 1u << 20, &data, &len)) {
        return AIRLIFT_EXIT_FAILURE;
    }
    if (csv_read(&job->csv, data, len, &table, NULL)) {
        status = compare_partitions(job, &table, type, subtype, path);
    } else {
        ui_error("%s: not a valid partition table", table_path);
    }
    csv_free(&table);
    free(data);
    return status;
}

static void print_help(void)
{
    puts("usage: airlift check-sizes [options] bootloader BOOTLOADER_OFFSET FILE\n"
         "       airlift check-sizes [options] partition --type T [--subtype S] TABLE FILE\n\n"
         "Checks that a bootloader ends before the partition table, or that a program fits the\n"
         "partitions of its type. Some too small: a warning; all too small: a failure.\n\n"
         "  --offset N, -o N   where the partition table is in flash (default 0x8000)\n"
         "  --allow-failures   failures become warnings\n"
         "  --target T         accepted, not needed\n"
         "  --primary-bootloader-offset N\n"
         "                     for rows of type bootloader in a CSV table\n"
         "  -h, --help\n\n"
         "Exit status: 0 fits, 1 does not, 2 the command line was not understood.");
}

static int run(int argc, char **argv)
{
    enum { ALLOW = 256, TARGET, TYPE, SUBTYPE, PRIMARY };
    static const struct option long_options[] = {
        {"offset", required_argument, NULL, 'o'},
        {"allow-failures", no_argument, NULL, ALLOW},
        {"target", required_argument, NULL, TARGET},
        {"type", required_argument, NULL, TYPE},
        {"subtype", required_argument, NULL, SUBTYPE},
        {"primary-bootloader-offset", required_argument, NULL, PRIMARY},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    job_t job = {0};
    uint64_t number;
    int option;

    job.csv.table_offset = FMT_PARTITION_TABLE_OFFSET;
    opterr = 0;
    while ((option = getopt_long(argc, argv, "o:h", long_options, NULL)) != -1) {
        switch (option) {
        case 'o':
        case PRIMARY:
            if (!ui_parse_number(optarg, false, UINT32_MAX, &number)) {
                return ui_usage_error(VERB, "%s: not a flash offset", optarg);
            }
            if (option == 'o') {
                job.csv.table_offset = (uint32_t)number;
            } else {
                job.csv.primary_bootloader_offset = (uint32_t)number;
                job.csv.has_primary_bootloader = true;
            }
            break;
        case ALLOW:
            job.allow_failures = true;
            break;
        case TARGET:
            break;
        case TYPE:
            job.type = optarg;
            break;
        case SUBTYPE:
            job.subtype = optarg;
            break;
        case 'h':
            print_help();
            return AIRLIFT_EXIT_OK;
        default:
            return ui_bad_option(VERB, argc, argv);
        }
    }
    if (argc - optind == 3 && strcmp(argv[optind], "bootloader") == 0) {
        return check_bootloader(&job, argv[optind + 1], argv[optind + 2]);
    }
    if (argc - optind == 3 && strcmp(argv[optind], "partition") == 0) {
        return check_partition(&job, argv[optind + 1], argv[optind + 2]);
    }
    return ui_usage_error(VERB, "needs `bootloader` or `partition` and two arguments");
}

const airlift_cmd_t airlift_cmd_check_sizes = {"check-sizes",
                                               "check that a program fits its partition", run};
