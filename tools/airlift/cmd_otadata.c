/* SPDX-License-Identifier: Apache-2.0
 *
 * airlift otadata: what the two records say, and which slot boots next and why. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "file.h"
#include "formats/boot_select.h"
#include "image_tool.h"
#include "ui.h"

#define VERB     "otadata show"
#define FILE_MAX (512u << 20)

typedef struct {
    const char *path;
    uint8_t *data;
    size_t len;
    bool whole_flash; /* data is a flash, not otadata alone */
    uint32_t table_offset;
    uint64_t slots; /* given on the command line; 0: not */
    bool no_factory;
    bool rollback;
    bool anti_rollback;
    uint64_t secure_version;
    bool json;
    fmt_boot_table_t table;
    const uint8_t *otadata; /* FMT_OTADATA_SIZE bytes */
} job_t;

/* --- candidates --- */

static const char *index_name(int index, char *text, size_t size)
{
    if (index == FMT_BOOT_FACTORY) {
        snprintf(text, size, "factory");
    } else if (index == FMT_BOOT_TEST) {
        snprintf(text, size, "test");
    } else {
        snprintf(text, size, "ota_%d", index);
    }
    return text;
}

/* The bytes of a candidate in the flash file; NULL when they are not there. */
static const uint8_t *candidate(const job_t *job, int index, size_t *len)
{
    fmt_boot_pos_t pos = fmt_boot_position(&job->table, index);

    if (!job->whole_flash || pos.size == 0 || pos.offset >= job->len) {
        return NULL;
    }
    *len = pos.size < job->len - pos.offset ? pos.size : job->len - pos.offset;
    return job->data + pos.offset;
}

static bool app_secure_version(void *context, int index, uint32_t *version)
{
    size_t len;
    const uint8_t *data = candidate(context, index, &len);
    fmt_app_desc_t desc;

    if (data == NULL || len < FMT_APP_DESC_IMAGE_OFFSET ||
        fmt_app_desc_decode(data + FMT_APP_DESC_IMAGE_OFFSET, len - FMT_APP_DESC_IMAGE_OFFSET,
                            &desc) != ESP_OK) {
        return false;
    }
    *version = desc.secure_version;
    return true;
}

/* Verifies a candidate as the bootloader would, with the chip its header names. */
static bool candidate_boots(const job_t *job, int index, char *why, size_t size)
{
    size_t len;
    const uint8_t *data = candidate(job, index, &len);
    fmt_boot_pos_t pos = fmt_boot_position(&job->table, index);
    fmt_image_params_t params = {0};
    fmt_image_header_t header;
    fmt_image_verifier_t v;

    if (data == NULL || len < FMT_IMAGE_HEADER_SIZE) {
        snprintf(why, size, "lies beyond the end of the file");
        return false;
    }
    fmt_image_header_decode(data, &header);
    params.chip = fmt_chip_by_id(header.chip_id);
    if (header.magic == FMT_IMAGE_MAGIC && params.chip == NULL) {
        snprintf(why, size, "chip id 0x%04x is unknown", header.chip_id);
        return false;
    }
    if (params.chip == NULL) {
        params.chip = fmt_chip_by_id(FMT_CHIP_ID_LINUX);
    }
    params.flash_address = pos.offset;
    params.partition_size = pos.size;
    params.flags = FMT_IMAGE_SKIP_CHIP;
    if (job->anti_rollback) {
        params.flags |= FMT_IMAGE_CHECK_SECURE_VERSION;
        params.secure_version = (uint32_t)job->secure_version;
    }
    if (image_verify_memory(&v, &params, data, len) != FMT_IMAGE_OK) {
        image_status_text(&v, why, size);
        return false;
    }
    char version[33];

    if (v.has_desc) {
        fmt_text_field(version, sizeof(version), v.app_desc.version, sizeof(v.app_desc.version));
        snprintf(why, size, "valid image, version %s", version);
    } else {
        snprintf(why, size, "valid image");
    }
    return true;
}

/* --- records --- */

static const char *state_text(uint32_t state, bool rollback)
{
    switch (state) {
    case FMT_OTA_STATE_NEW:
        return rollback ? "NEW: boots once, on trial"
                        : "NEW: boots (a trial only in a rollback build)";
    case FMT_OTA_STATE_PENDING_VERIFY:
        return rollback ? "PENDING_VERIFY: was booted on trial and did not confirm; the next boot "
                          "aborts it"
                        : "PENDING_VERIFY: boots (in a rollback build it would be aborted)";
    case FMT_OTA_STATE_VALID:
        return "VALID: confirmed";
    case FMT_OTA_STATE_INVALID:
        return "INVALID: rejected by the application, never boots";
    case FMT_OTA_STATE_ABORTED:
        return "ABORTED: did not confirm in time, never boots";
    case FMT_OTA_STATE_UNDEFINED:
        return "UNDEFINED: not tracked, boots";
    default:
        return "no known state; counts as one that boots";
    }
}

static void print_record(const job_t *job, unsigned i, const fmt_otadata_entry_t *e, bool active)
{
    const char *bold = ui_style(stdout, UI_BOLD);
    const char *plain = ui_style(stdout, UI_PLAIN);
    bool crc_ok = e->crc == fmt_otadata_crc(e->seq);

    printf("%sRecord %u%s%s\n", bold, i, plain, active ? " (the one that counts)" : "");
    if (e->seq == FMT_OTADATA_SEQ_EMPTY) {
        printf("  sequence number: none (0xffffffff): empty\n");
        if (e->state != FMT_OTA_STATE_UNDEFINED) {
            printf("  state: 0x%08" PRIx32 ", ignored\n", e->state);
        }
        return;
    }
    printf("  sequence number: %" PRIu32, e->seq);
    if (job->table.ota_count > 0) {
        printf(" -> slot ota_%u of %u", fmt_otadata_slot(e, job->table.ota_count),
               job->table.ota_count);
    }
    printf("\n  crc: 0x%08" PRIx32 " %s%s%s", e->crc, ui_style(stdout, crc_ok ? UI_GREEN : UI_RED),
           crc_ok ? "(right)" : "(wrong)", plain);
    if (!crc_ok) {
        printf(", must be 0x%08" PRIx32 ": the record is ignored", fmt_otadata_crc(e->seq));
    }
    printf("\n  state: 0x%08" PRIx32 ", %s\n", e->state, state_text(e->state, job->rollback));
}

static void print_why(const fmt_otadata_entry_t entries[2], const fmt_boot_choice_t *choice)
{
    if (choice->active >= 0) {
        const fmt_otadata_entry_t *other = &entries[1 - choice->active];

        printf("Why: record %d has sequence number %" PRIu32 ", a right CRC and a state that boots",
               choice->active, entries[choice->active].seq);
        if (other->seq == FMT_OTADATA_SEQ_EMPTY) {
            printf("; the other record is empty.\n");
        } else if (fmt_otadata_blank(other)) {
            printf("; the other record has a wrong CRC.\n");
        } else if (fmt_otadata_blocked(other)) {
            printf("; the other record is %s.\n", fmt_otadata_state_name(other->state));
        } else {
            printf("; the other record's number, %" PRIu32 ", is %s.\n", other->seq,
                   other->seq == entries[choice->active].seq ? "the same, and the first wins"
                                                             : "lower");
        }
        return;
    }
    for (unsigned i = 0; i < choice->action_count; i++) {
        const fmt_boot_action_t *action = &choice->actions[i];
        fmt_log_line_t line;

        if (action->kind == FMT_BOOT_ACT_LOG &&
            fmt_boot_message_line(action->message, action->arg, action->arg2, &line) &&
            line.level != 'D' && action->message != FMT_BOOT_MSG_SECURE_VERSION &&
            action->message != FMT_BOOT_MSG_ANTI_ROLLBACK_ON) {
            printf("Why: no record counts; the bootloader says \"%s\".\n", line.text);
        }
    }
}

/* The first candidate that boots; without the images, the first of the order. */
static int print_order(const job_t *job, const fmt_boot_choice_t *choice)
{
    fmt_boot_order_t order;
    int index, result = FMT_BOOT_UNRECOVERABLE;
    char name[16], why[FMT_LOG_TEXT_SIZE];

    fmt_boot_order_begin(&order, &job->table, choice->start);
    while (result == FMT_BOOT_UNRECOVERABLE && fmt_boot_order_next(&order, &index, NULL)) {
        if (!job->whole_flash) {
            result = index;
            break;
        }
        bool boots = candidate_boots(job, index, why, sizeof(why));

        printf("  %-8s at 0x%08" PRIx32 ": %s%s%s\n", index_name(index, name, sizeof(name)),
               fmt_boot_position(&job->table, index).offset,
               ui_style(stdout, boots ? UI_GREEN : UI_RED), why, ui_style(stdout, UI_PLAIN));
        if (boots) {
            result = index;
        }
    }
    return result;
}

static void print_text(const job_t *job, const fmt_otadata_entry_t entries[2],
                       const fmt_boot_choice_t *choice)
{
    char name[16];
    int next;

    for (unsigned i = 0; i < 2; i++) {
        print_record(job, i, &entries[i], choice->active == (int)i);
    }
    printf("\n");
    if (choice->start == FMT_BOOT_UNRECOVERABLE) {
        printf("Boots next: nothing; the bootloader resets again and again.\n");
        return;
    }
    print_why(entries, choice);
    if (job->whole_flash) {
        printf("Candidates, in the order they are tried:\n");
    }
    next = print_order(job, choice);
    if (next == FMT_BOOT_UNRECOVERABLE) {
        printf("Boots next: nothing; no candidate %s.\n",
               job->whole_flash ? "holds a valid image" : "exists");
        return;
    }
    printf("Boots next: %s%s%s%s\n", ui_style(stdout, UI_BOLD),
           index_name(next, name, sizeof(name)), ui_style(stdout, UI_PLAIN),
           job->whole_flash ? "" : ", if a valid image is there");
    for (unsigned i = 0; i < choice->action_count; i++) {
        const fmt_boot_action_t *action = &choice->actions[i];

        if (action->kind == FMT_BOOT_ACT_WRITE_OTADATA) {
            printf("That boot rewrites record %u as %s.\n", action->write.index,
                   fmt_otadata_state_name(action->write.entry.state));
        }
    }
}

static int first_candidate(const job_t *job, const fmt_boot_choice_t *choice)
{
    fmt_boot_order_t order;
    int index;
    char why[FMT_LOG_TEXT_SIZE];

    fmt_boot_order_begin(&order, &job->table, choice->start);
    while (fmt_boot_order_next(&order, &index, NULL)) {
        if (!job->whole_flash || candidate_boots(job, index, why, sizeof(why))) {
            return index;
        }
    }
    return FMT_BOOT_UNRECOVERABLE;
}

static void print_json(const job_t *job, const fmt_otadata_entry_t entries[2],
                       const fmt_boot_choice_t *choice)
{
    char name[16];
    int next = first_candidate(job, choice);

    printf("{\n  \"slots\": %u,\n  \"factory\": %s,\n  \"records\": [", job->table.ota_count,
           job->table.has_factory ? "true" : "false");
    for (unsigned i = 0; i < 2; i++) {
        const fmt_otadata_entry_t *e = &entries[i];

        printf("%s\n    {\"seq\": %" PRIu32 ", \"state\": \"%s\", \"state_value\": %" PRIu32
               ", \"crc\": %" PRIu32 ", \"crc_valid\": %s, \"empty\": %s, \"valid\": %s",
               i > 0 ? "," : "", e->seq, fmt_otadata_state_name(e->state), e->state, e->crc,
               e->crc == fmt_otadata_crc(e->seq) ? "true" : "false",
               e->seq == FMT_OTADATA_SEQ_EMPTY ? "true" : "false",
               fmt_otadata_valid(e) ? "true" : "false");
        if (job->table.ota_count > 0 && e->seq != FMT_OTADATA_SEQ_EMPTY) {
            printf(", \"slot\": %u", fmt_otadata_slot(e, job->table.ota_count));
        }
        printf("}");
    }
    printf("\n  ],\n  \"active\": %d,\n  \"start\": ", choice->active);
    if (choice->start == FMT_BOOT_UNRECOVERABLE) {
        printf("null");
    } else {
        printf("\"%s\"", index_name(choice->start, name, sizeof(name)));
    }
    printf(",\n  \"boots\": ");
    if (next == FMT_BOOT_UNRECOVERABLE) {
        printf("null");
    } else {
        printf("\"%s\"", index_name(next, name, sizeof(name)));
    }
    printf("\n}\n");
}

/* --- input --- */

/* Takes the roles out of the table in a flash file, and otadata out of its partition. */
static bool open_flash(job_t *job)
{
    fmt_table_report_t report;
    fmt_log_line_t line;

    if (job->table_offset > job->len || job->len - job->table_offset < FMT_PARTITION_TABLE_LEN) {
        ui_error("%s: %zu bytes: neither otadata (0x%x bytes) nor a flash with a partition table "
                 "at 0x%" PRIx32,
                 job->path, job->len, FMT_OTADATA_SIZE, job->table_offset);
        return false;
    }
    if (fmt_partition_table_check(job->data + job->table_offset, FMT_PARTITION_TABLE_LEN,
                                  UINT32_MAX, &report) != ESP_OK) {
        fmt_table_report_line(&report, &line);
        ui_error("%s: partition table at 0x%" PRIx32 ": %s", job->path, job->table_offset,
                 line.text);
        return false;
    }
    job->whole_flash = true;
    fmt_boot_table_scan(job->data + job->table_offset, report.count, &job->table);
    if (!job->table.has_otadata) {
        ui_error("%s: its partition table has no otadata partition", job->path);
        return false;
    }
    if (job->table.otadata.size < FMT_OTADATA_SIZE || job->table.otadata.offset > job->len ||
        job->len - job->table.otadata.offset < FMT_OTADATA_SIZE) {
        ui_error("%s: otadata partition at 0x%" PRIx32 ", 0x%" PRIx32 " bytes: %s", job->path,
                 job->table.otadata.offset, job->table.otadata.size,
                 job->table.otadata.size < FMT_OTADATA_SIZE ? "smaller than 0x2000"
                                                            : "lies beyond the end of the file");
        return false;
    }
    job->otadata = job->data + job->table.otadata.offset;
    return true;
}

/* otadata alone: the slots come from the command line, or are the usual two. */
static void open_otadata(job_t *job)
{
    if (job->slots == 0) {
        job->slots = 2;
        ui_note("Assuming 2 OTA slots%s; --slots and --no-factory say otherwise, and a whole "
                "flash file is asked itself.",
                job->no_factory ? "" : " and a factory partition");
    }
    job->otadata = job->data;
    job->table.has_otadata = true;
    job->table.otadata.size = FMT_OTADATA_SIZE;
    job->table.ota_count = (unsigned)job->slots;
    for (uint64_t i = 0; i < job->slots; i++) {
        job->table.ota[i].size = 1;
    }
    job->table.has_factory = !job->no_factory;
    job->table.factory.size = job->no_factory ? 0 : 1;
}

static bool show(job_t *job)
{
    fmt_boot_config_t config = {.rollback = job->rollback,
                                .anti_rollback = job->anti_rollback,
                                .secure_version = (uint32_t)job->secure_version,
                                .app_secure_version = app_secure_version,
                                .context = job};
    fmt_otadata_entry_t entries[2];
    fmt_boot_choice_t choice;

    if (job->len == FMT_OTADATA_SIZE) {
        open_otadata(job);
    } else if (!open_flash(job)) {
        return false;
    }
    fmt_otadata_decode(job->otadata, &entries[0]);
    fmt_otadata_decode(job->otadata + FMT_OTADATA_SECTOR, &entries[1]);
    fmt_boot_choose(&job->table, &config, job->otadata, job->otadata + FMT_OTADATA_SECTOR, &choice);
    (job->json ? print_json : print_text)(job, entries, &choice);
    return true;
}

static void print_help(void)
{
    puts("usage: airlift otadata show [options] FILE\n\n"
         "Says what both records of otadata mean, which slot boots next and why. FILE is the\n"
         "otadata partition (0x2000 bytes) or a whole flash; of a flash the partition table is\n"
         "used and every image that may boot is verified.\n\n"
         "  --slots N          number of OTA slots, if FILE is otadata alone (default 2)\n"
         "  --no-factory       there is no factory partition, likewise\n"
         "  --table-offset N   where a flash has its partition table (default 0x8000)\n"
         "  --rollback         the bootloader was built with rollback\n"
         "  --anti-rollback V  and with anti-rollback; the chip's secure version is V\n"
         "  --json             for programs\n"
         "  -h, --help\n\n"
         "Exit status: 0 shown, 1 unreadable, 2 the command line was not understood.");
}

static int show_main(int argc, char **argv)
{
    enum { SLOTS = 256, NO_FACTORY, TABLE, ROLLBACK, ANTI, JSON };
    static const struct option long_options[] = {
        {"slots", required_argument, NULL, SLOTS},
        {"no-factory", no_argument, NULL, NO_FACTORY},
        {"table-offset", required_argument, NULL, TABLE},
        {"rollback", no_argument, NULL, ROLLBACK},
        {"anti-rollback", required_argument, NULL, ANTI},
        {"json", no_argument, NULL, JSON},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    job_t job = {.table_offset = FMT_PARTITION_TABLE_OFFSET};
    uint64_t number;
    int option;
    bool done;

    opterr = 0;
    while ((option = getopt_long(argc, argv, "h", long_options, NULL)) != -1) {
        switch (option) {
        case SLOTS:
            if (!ui_parse_number(optarg, false, FMT_OTA_SLOTS_MAX, &job.slots) || job.slots == 0) {
                return ui_usage_error(VERB, "--slots: %s: must be 1 to 16", optarg);
            }
            break;
        case NO_FACTORY:
            job.no_factory = true;
            break;
        case TABLE:
            if (!ui_parse_number(optarg, true, UINT32_MAX, &number)) {
                return ui_usage_error(VERB, "--table-offset: %s: not a number in range", optarg);
            }
            job.table_offset = (uint32_t)number;
            break;
        case ROLLBACK:
            job.rollback = true;
            break;
        case ANTI:
            if (!ui_parse_number(optarg, false, 32, &job.secure_version)) {
                return ui_usage_error(VERB, "--anti-rollback: %s: must be 0 to 32", optarg);
            }
            job.rollback = true; /* the one option implies the other */
            job.anti_rollback = true;
            break;
        case JSON:
            job.json = true;
            break;
        case 'h':
            print_help();
            return AIRLIFT_EXIT_OK;
        default:
            return ui_bad_option(VERB, argc, argv);
        }
    }
    if (argc - optind != 1) {
        return ui_usage_error(VERB, "exactly one file is needed");
    }
    job.path = argv[optind];
    if (!file_read(job.path, FILE_MAX, &job.data, &job.len)) {
        return AIRLIFT_EXIT_FAILURE;
    }
    done = show(&job);
    free(job.data);
    return done ? AIRLIFT_EXIT_OK : AIRLIFT_EXIT_FAILURE;
}

static const airlift_cmd_t verbs[] = {
    {"show", "explain the boot records and which slot boots next", show_main},
    {0},
};

static int run(int argc, char **argv)
{
    return airlift_run_sub("otadata", verbs, argc, argv);
}

const airlift_cmd_t airlift_cmd_otadata = {"otadata", "explain which slot boots next", run};
