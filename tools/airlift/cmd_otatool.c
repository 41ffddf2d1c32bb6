/* SPDX-License-Identifier: Apache-2.0
 *
 * airlift otatool: boot records and OTA slots of a board's flash (the command line of ESP-IDF's
 * tool of that name). */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "formats/otadata.h"
#include "formats/otadata_journal.h"
#include "part_tool.h"
#include "ui.h"

#define VERB "otatool"

/* Both records' sectors together, which is how the option counts. */
#define SEC_SIZE 0x2000u

static const char *const subcommands[] = {"read_otadata",
                                          "erase_otadata",
                                          "read_ota_partition",
                                          "write_ota_partition",
                                          "erase_ota_partition",
                                          "switch_ota_partition",
                                          NULL};

typedef struct {
    part_tool_t tool;
    const char *name; /* the partition meant, or */
    bool has_slot;
    uint64_t slot;
    const char *file;

    const csv_row_t *otadata;
    fmt_otadata_entry_t entries[2];
} job_t;

static void print_help(void)
{
    printf("usage: airlift otatool [options] OPERATION [options]\n\n"
           "Looks at and changes what boots, and the update slots, in a board's flash. The board "
           "must not be\nrunning.\n\n"
           "  read_otadata           sequence numbers and CRCs of both boot records\n"
           "  erase_otadata          back to the factory app, or the first slot\n"
           "  switch_ota_partition SLOT\n"
           "                         make that slot the one that boots next\n"
           "  read_ota_partition SLOT --output FILE\n"
           "  write_ota_partition SLOT --input FILE\n"
           "                         the rest of the partition is erased\n"
           "  erase_ota_partition SLOT\n\n"
           "SLOT is --slot N, or --name PARTITION.\n\n"
           "Options:\n" BOARD_OPTIONS_HELP PART_TOOL_OPTIONS_HELP "  -h, --help\n\n"
           "read_otadata and switch_ota_partition take --spi-flash-sec-size too, which must be "
           "0x2000.\n"
           "`airlift otadata show` says what the records mean.\n\n"
           "Exit status: 0 done; 1 failed (2 with --quiet), or no operation was given; 2 the "
           "command line was\nnot understood.\n");
}

static bool sub_is(const job_t *job, const char *name)
{
    return part_tool_sub_is(&job->tool, name);
}

/* --- the operation's options --- */

static int check_options(const job_t *job)
{
    bool wants_slot = strstr(job->tool.sub, "ota_partition") != NULL;
    if (wants_slot && job->has_slot == (job->name != NULL)) {
        return ui_usage_error(VERB, "%s: needs either --slot or --name", job->tool.sub);
    }
    if (sub_is(job, "read_ota_partition") && job->file == NULL) {
        return ui_usage_error(VERB, "read_ota_partition: --output is missing");
    }
    if (sub_is(job, "write_ota_partition") && job->file == NULL) {
        return ui_usage_error(VERB, "write_ota_partition: --input is missing");
    }
    return -1;
}

/* -1: go on; else an exit status. */
static int take_options(void *context, int argc, char **argv)
{
    job_t *job = context;
    enum { SLOT = 256, NAME, OUTPUT, INPUT, SECTOR };
    static const struct option long_options[] = {
        {"slot", required_argument, NULL, SLOT},
        {"name", required_argument, NULL, NAME},
        {"output", required_argument, NULL, OUTPUT},
        {"input", required_argument, NULL, INPUT},
        {"spi-flash-sec-size", required_argument, NULL, SECTOR},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    bool wants_slot = strstr(job->tool.sub, "ota_partition") != NULL;
    uint64_t number;
    int option;

    optind = 0; /* begin anew, with another list */
    while ((option = getopt_long(argc, argv, "h", long_options, NULL)) != -1) {
        bool fits = true;
        switch (option) {
        case SLOT:
            fits = wants_slot;
            job->has_slot = true;
            if (!ui_parse_number(optarg, false, INT32_MAX, &job->slot)) {
                return ui_usage_error(VERB, "--slot: %s: not a number", optarg);
            }
            break;
        case NAME:
            fits = wants_slot;
            job->name = optarg;
            break;
        case OUTPUT:
            fits = sub_is(job, "read_ota_partition");
            job->file = optarg;
            break;
        case INPUT:
            fits = sub_is(job, "write_ota_partition");
            job->file = optarg;
            break;
        case SECTOR:
            fits = sub_is(job, "read_otadata") || sub_is(job, "switch_ota_partition");
            if (!ui_parse_number(optarg, false, UINT32_MAX, &number) || number != SEC_SIZE) {
                return ui_usage_error(VERB,
                                      "--spi-flash-sec-size: %s: must be 0x%x: the boot records "
                                      "are half of that apart",
                                      optarg, SEC_SIZE);
            }
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

/* --- boot records --- */

static esp_err_t io_result(linux_flash_result_t result)
{
    return result == LINUX_FLASH_OK ? ESP_OK : ESP_FAIL;
}

static esp_err_t io_read(void *context, uint32_t offset, void *dst, size_t len)
{
    job_t *job = context;
    return io_result(linux_flash_read(&job->tool.board.flash,
                                      (uint32_t)job->otadata->offset + offset, dst, len));
}

static esp_err_t io_program(void *context, uint32_t offset, const void *src, size_t len)
{
    job_t *job = context;
    return io_result(linux_flash_program(&job->tool.board.flash,
                                         (uint32_t)job->otadata->offset + offset, src, len));
}

static esp_err_t io_erase_sector(void *context, uint32_t offset)
{
    job_t *job = context;
    return io_result(linux_flash_erase(
        &job->tool.board.flash, (uint32_t)job->otadata->offset + offset, FMT_OTADATA_SECTOR));
}

/* As the firmware does it: a change of its own that was cut off is finished first, or it would be
 * made over ours at the next boot. */
static fmt_otadata_io_t otadata_io(job_t *job)
{
    /* A power cut planned for a run is not for this tool. */
    job->tool.board.flash.state->cut.mode = LINUX_BOARD_CUT_NEVER;
    return (fmt_otadata_io_t){
        .read = io_read, .program = io_program, .erase_sector = io_erase_sector, .context = job};
}

static bool find_otadata(job_t *job)
{
    part_tool_t *tool = &job->tool;
    const csv_row_t *row = part_tool_by_type(tool, FMT_PART_TYPE_DATA, FMT_PART_DATA_OTA);
    if (row == NULL) {
        ui_error("the partition table has no otadata partition");
        return false;
    }
    if (!part_tool_open(tool) || !part_tool_check_place(tool, row)) {
        return false;
    }
    if (row->size < FMT_OTADATA_SIZE) {
        ui_error("partition '%s': 0x%llx bytes: otadata has 0x%x", row->name, (long long)row->size,
                 FMT_OTADATA_SIZE);
        return false;
    }
    job->otadata = row;
    fmt_otadata_io_t io = otadata_io(job);
    if (fmt_otadata_load(&io, job->entries) != ESP_OK) {
        ui_error("partition '%s': cannot be read", row->name);
        return false;
    }
    return true;
}

static void read_otadata(const job_t *job)
{
    const fmt_otadata_entry_t *e = job->entries;
    printf("             OTA_SEQ \tCRC | \tOTA_SEQ \t CRC\n");
    printf("Firmware:  0x%06" PRIx32 " \t0x%06" PRIx32 " | \t0x%06" PRIx32 " \t 0x%06" PRIx32 "\n",
           e[0].seq, e[0].crc, e[1].seq, e[1].crc);
}

/* Slots count from 0 without a gap. */
static unsigned count_slots(const part_tool_t *tool)
{
    unsigned count = 0;
    while (count < FMT_OTA_SLOTS_MAX &&
           part_tool_by_type(tool, FMT_PART_TYPE_APP, FMT_PART_APP_OTA_0 + count) != NULL) {
        count++;
    }
    return count;
}

static bool find_slot(const job_t *job, unsigned slots, unsigned *slot)
{
    if (job->has_slot) {
        *slot = (unsigned)job->slot;
        return job->slot < slots;
    }
    for (unsigned i = 0; i < slots; i++) {
        const csv_row_t *row =
            part_tool_by_type(&job->tool, FMT_PART_TYPE_APP, FMT_PART_APP_OTA_0 + i);
        if (strcmp(row->name, job->name) == 0) {
            *slot = i;
            return true;
        }
    }
    return false;
}

static bool write_record(job_t *job, unsigned index, const fmt_otadata_entry_t *entry)
{
    const fmt_otadata_write_t write = {.index = index, .entry = *entry};
    fmt_otadata_io_t io = otadata_io(job);
    if (fmt_otadata_rewrite(&io, &write) != ESP_OK) {
        ui_error("partition '%s': cannot be written", job->otadata->name);
        return false;
    }
    return true;
}

static bool valid(const fmt_otadata_entry_t *entry)
{
    return entry->seq != FMT_OTADATA_SEQ_EMPTY && entry->crc == fmt_otadata_crc(entry->seq);
}

static bool switch_slot(job_t *job)
{
    unsigned slots = count_slots(&job->tool);
    unsigned slot;
    if (slots == 0) {
        ui_error("No ota app partitions found");
        return false;
    }
    if (!find_slot(job, slots, &slot)) {
        ui_error("Partition to switch to not found");
        return false;
    }
    const fmt_otadata_entry_t *e = job->entries;
    unsigned index = 0;
    uint32_t seq = slot + 1;
    if (valid(&e[0]) || valid(&e[1])) {
        /* The record with the larger number stays, in case the new slot does not boot. */
        unsigned base = valid(&e[0]) && (!valid(&e[1]) || e[0].seq >= e[1].seq) ? 0 : 1;
        index = 1 - base;
        seq = fmt_otadata_next_seq(e[base].seq, slot, slots);
    }
    if (seq == FMT_OTADATA_SEQ_EMPTY) {
        ui_error("the sequence numbers of the boot records are used up; erase_otadata begins anew");
        return false;
    }
    fmt_otadata_entry_t entry = e[index];
    entry.seq = seq;
    entry.crc = fmt_otadata_crc(seq);
    /* A state that is left over would keep the slot from booting. */
    entry.state = FMT_OTA_STATE_UNDEFINED;
    return write_record(job, index, &entry);
}

/* --- the work --- */

static const csv_row_t *find_partition(const job_t *job)
{
    const csv_row_t *row = NULL;
    if (job->name != NULL) {
        row = part_tool_by_name(&job->tool, job->name);
    } else if (job->slot < FMT_OTA_SLOTS_MAX) {
        row = part_tool_by_type(&job->tool, FMT_PART_TYPE_APP,
                                FMT_PART_APP_OTA_0 + (int64_t)job->slot);
    }
    if (row == NULL) {
        ui_error("Partition does not exist");
    }
    return row;
}

static bool tell(const job_t *job, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Says what was done, in the words that scripts know. */
static bool tell(const job_t *job, const char *format, ...)
{
    if (!job->tool.quiet) {
        va_list arguments;
        va_start(arguments, format);
        vprintf(format, arguments);
        va_end(arguments);
    }
    return true;
}

static bool work(void *context)
{
    job_t *job = context;
    part_tool_t *tool = &job->tool;
    if (!part_tool_read_table(tool) || !find_otadata(job)) {
        return false;
    }
    if (sub_is(job, "read_otadata")) {
        read_otadata(job);
        return true;
    }
    if (sub_is(job, "erase_otadata")) {
        return part_tool_erase(tool, job->otadata) &&
               tell(job, "Erased ota_data partition contents\n");
    }
    if (sub_is(job, "switch_ota_partition")) {
        return switch_slot(job);
    }
    const csv_row_t *row = find_partition(job);
    if (row == NULL) {
        return false;
    }
    if (sub_is(job, "read_ota_partition")) {
        return part_tool_read(tool, row, job->file) &&
               tell(job, "Read ota partition contents to file %s\n", job->file);
    }
    if (sub_is(job, "write_ota_partition")) {
        return part_tool_write(tool, row, job->file) &&
               tell(job, "Written contents of file %s to ota partition\n", job->file);
    }
    return part_tool_erase(tool, row) && tell(job, "Erased contents of ota partition\n");
}

static int run(int argc, char **argv)
{
    static job_t job;
    job = (job_t){.tool = {.verb = VERB,
                           .noun = "operation",
                           .subcommands = subcommands,
                           .print_help = print_help,
                           .take_options = take_options,
                           .work = work}};
    return part_tool_run(&job.tool, &job, argc, argv);
}

const airlift_cmd_t airlift_cmd_otatool = {VERB, "look at and change what boots, and the slots",
                                           run};
