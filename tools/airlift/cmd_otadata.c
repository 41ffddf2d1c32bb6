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
#include "formats/efuse.h"
#include "formats/otadata_journal.h"
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
    bool ask_fuses; /* the secure version is that of the fuses in the flash */
    bool strict;
    uint64_t attempts;
    uint64_t secure_version;
    bool json;
    fmt_boot_table_t table;
    fmt_boot_pos_t fuses;
    const uint8_t *otadata; /* FMT_OTADATA_SIZE bytes */
} job_t;

/* An application that the bootloader tries. */
typedef struct {
    int index;
    bool boots;
    bool damaged; /* it was read, and can never start */
    uint32_t secure_version;
    char why[FMT_LOG_TEXT_SIZE];
} candidate_t;

/* A record that this boot writes. */
typedef struct {
    fmt_otadata_write_t write;
    const char *reason;
} planned_t;

/* What the next boot finds and does. */
typedef struct {
    fmt_otadata_entry_t stored[2];  /* the records as they are in flash */
    fmt_otadata_entry_t entries[2]; /* once a change that was cut off is finished */
    int pending;                    /* the record that change is about; -1: there is none */
    unsigned boots[2];              /* given on trial, after the first */
    unsigned changes[2];            /* journal of each sector: changes done, */
    unsigned room[2];               /* and how many more fit */
    fmt_boot_config_t config;
    fmt_boot_choice_t choice;
    fmt_otadata_entry_t after[2]; /* entries once the choice is made */
    bool has_fuses;
    bool fuses_readable;
    fmt_efuse_state_t fuses_state;
    uint32_t fuses_version;
    char why[512];
    candidate_t tried[FMT_OTA_SLOTS_MAX + 2];
    unsigned tried_count;
    int next; /* what boots; FMT_BOOT_UNRECOVERABLE: nothing */
    planned_t writes[8];
    unsigned write_count;
    bool raises;
    uint32_t raise_to;
} plan_t;

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
static const uint8_t *image_bytes(const job_t *job, int index, size_t *len)
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
    const uint8_t *data = image_bytes(context, index, &len);
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
static void judge_candidate(const job_t *job, const plan_t *plan, candidate_t *c)
{
    size_t len;
    const uint8_t *data = image_bytes(job, c->index, &len);
    fmt_boot_pos_t pos = fmt_boot_position(&job->table, c->index);
    fmt_image_params_t params = {0};
    fmt_image_header_t header;
    fmt_image_verifier_t v;
    char version[33];

    c->boots = c->damaged = false;
    if (data == NULL || len < FMT_IMAGE_HEADER_SIZE) {
        snprintf(c->why, sizeof(c->why), "lies beyond the end of the file");
        return;
    }
    if (plan->config.anti_rollback) {
        uint32_t secure = 0;
        bool readable = app_secure_version((void *)job, c->index, &secure);

        if (!fmt_boot_eligible(&plan->config, readable, secure)) {
            snprintf(c->why, sizeof(c->why),
                     readable ? "secure version %" PRIu32 " is less than the chip's, %" PRIu32
                              : "no application descriptor",
                     secure, plan->config.secure_version);
            return;
        }
    }
    fmt_image_header_decode(data, &header);
    params.chip = fmt_chip_by_id(header.chip_id);
    if (header.magic == FMT_IMAGE_MAGIC && params.chip == NULL) {
        snprintf(c->why, sizeof(c->why), "chip id 0x%04x is unknown", header.chip_id);
        c->damaged = true;
        return;
    }
    if (params.chip == NULL) {
        params.chip = fmt_chip_by_id(FMT_CHIP_ID_LINUX);
    }
    params.flash_address = pos.offset;
    params.partition_size = pos.size;
    params.flags = FMT_IMAGE_SKIP_CHIP;
    if (image_verify_memory(&v, &params, data, len) != FMT_IMAGE_OK) {
        image_status_text(&v, c->why, sizeof(c->why));
        c->damaged = true;
        return;
    }
    c->boots = true;
    if (!v.has_desc) {
        snprintf(c->why, sizeof(c->why), "valid image");
        return;
    }
    c->secure_version = v.app_desc.secure_version;
    fmt_text_field(version, sizeof(version), v.app_desc.version, sizeof(v.app_desc.version));
    snprintf(c->why, sizeof(c->why), "valid image, version %s", version);
}

/* --- the next boot --- */

static esp_err_t memory_read(void *bytes, uint32_t offset, void *dst, size_t len)
{
    memcpy(dst, (uint8_t *)bytes + offset, len);
    return ESP_OK;
}

static esp_err_t memory_program(void *bytes, uint32_t offset, const void *src, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        ((uint8_t *)bytes)[offset + i] &= ((const uint8_t *)src)[i];
    }
    return ESP_OK;
}

static esp_err_t memory_erase(void *bytes, uint32_t offset)
{
    memset((uint8_t *)bytes + offset, 0xFF, FMT_OTADATA_SECTOR);
    return ESP_OK;
}

/* Reads otadata and its journal, on a copy: this command changes nothing. */
static void read_otadata(const job_t *job, plan_t *plan)
{
    static uint8_t copy[FMT_OTADATA_SIZE];
    const fmt_otadata_io_t io = {.read = memory_read,
                                 .program = memory_program,
                                 .erase_sector = memory_erase,
                                 .context = copy,
                                 .plain = job->strict};

    memcpy(copy, job->otadata, sizeof(copy));
    for (unsigned i = 0; i < 2; i++) {
        fmt_otadata_decode(copy + i * FMT_OTADATA_SECTOR, &plan->stored[i]);
        fmt_otadata_journal_usage(&io, i, &plan->changes[i], &plan->room[i]);
    }
    fmt_otadata_heal(&io, plan->entries, &plan->pending);
    for (unsigned i = 0; i < 2; i++) {
        fmt_otadata_boots(&io, i, &plan->boots[i]);
        plan->config.more_boots[i] = (uint8_t)plan->boots[i];
    }
    memcpy(plan->after, plan->entries, sizeof(plan->after));
    /* The boot for which the bootloader wrote this did not come about; bootloader/src/otadata.c
     * has the same. */
    if (plan->pending >= 0 && plan->after[plan->pending].state == FMT_OTA_STATE_PENDING_VERIFY) {
        plan->after[plan->pending].state = FMT_OTA_STATE_NEW;
    }
}

static void read_fuses(const job_t *job, plan_t *plan)
{
    fmt_efuse_t efuse = {.partition_size = job->fuses.size};

    plan->has_fuses = job->fuses.size > 0;
    if (!plan->has_fuses || job->fuses.offset > job->len ||
        job->fuses.size > job->len - job->fuses.offset) {
        return;
    }
    const fmt_efuse_io_t io = {.read = memory_read, .context = job->data + job->fuses.offset};

    plan->fuses_readable = fmt_efuse_load(&io, &efuse, &plan->fuses_state) == ESP_OK;
    plan->fuses_version = fmt_efuse_secure_version(&efuse, FMT_EFUSE_VERSION_BITS);
}

static void plan_write(plan_t *plan, const fmt_otadata_write_t *write, const char *reason)
{
    if (plan->write_count < sizeof(plan->writes) / sizeof(plan->writes[0])) {
        plan->writes[plan->write_count].write = *write;
        plan->writes[plan->write_count++].reason = reason;
    }
    plan->after[write->index] = write->entry;
}

static const char *reason_of(uint32_t state)
{
    return state == FMT_OTA_STATE_ABORTED ? "it was on trial and was not confirmed"
                                          : "its application boots on trial";
}

/* Why the record that is not in force is not. */
static void say_other(const job_t *job, const plan_t *plan, unsigned other, char *text, size_t size)
{
    const fmt_otadata_entry_t *e = &plan->after[other];
    uint32_t version = 0;

    if (e->seq == FMT_OTADATA_SEQ_EMPTY) {
        snprintf(text, size, "record %u is empty", other);
    } else if (fmt_otadata_blank(e)) {
        snprintf(text, size, "record %u has a wrong CRC", other);
    } else if (fmt_otadata_blocked(e)) {
        snprintf(text, size, "record %u is %s", other, fmt_otadata_state_name(e->state));
    } else if (plan->config.anti_rollback && job->table.ota_count > 0) {
        unsigned slot = fmt_otadata_slot(e, job->table.ota_count);

        if (!app_secure_version((void *)job, (int)slot, &version)) {
            snprintf(text, size, "record %u is passed over: ota_%u has no readable descriptor",
                     other, slot);
        } else if (version < plan->config.secure_version) {
            snprintf(text, size,
                     "record %u is passed over: secure version %" PRIu32
                     " of ota_%u is less than the chip's, %" PRIu32,
                     other, version, slot, plan->config.secure_version);
        } else {
            text[0] = '\0';
        }
    } else {
        text[0] = '\0';
    }
}

static void say_why(const job_t *job, plan_t *plan)
{
    char others[2][160];
    const fmt_boot_choice_t *choice = &plan->choice;

    for (unsigned i = 0; i < 2; i++) {
        say_other(job, plan, i, others[i], sizeof(others[i]));
    }
    if (choice->active >= 0) {
        unsigned active = (unsigned)choice->active, other = 1 - active;
        uint32_t seq = plan->after[active].seq;

        if (others[other][0] != '\0') {
            snprintf(plan->why, sizeof(plan->why), "record %u counts; %s", active, others[other]);
        } else if (plan->after[other].seq == seq) {
            snprintf(plan->why, sizeof(plan->why),
                     "both records have sequence number %" PRIu32 ", and the first wins", seq);
        } else {
            snprintf(plan->why, sizeof(plan->why),
                     "record %u has the larger sequence number of two that count: %" PRIu32
                     "; that of record %u, %" PRIu32 ", is lower",
                     active, seq, other, plan->after[other].seq);
        }
        return;
    }
    for (unsigned i = 0; i < choice->action_count; i++) {
        const fmt_boot_action_t *action = &choice->actions[i];
        fmt_log_line_t line;

        if (action->kind == FMT_BOOT_ACT_LOG && action->message != FMT_BOOT_MSG_SECURE_VERSION &&
            action->message != FMT_BOOT_MSG_ANTI_ROLLBACK_ON &&
            action->message != FMT_BOOT_MSG_NO_DESCRIPTION &&
            fmt_boot_message_line(action->message, action->arg, action->arg2, &line) &&
            line.level != 'D') {
            snprintf(plan->why, sizeof(plan->why), "%s%s%s; the bootloader says \"%s\"",
                     job->table.ota_count == 0 ? "there are no OTA slots" : others[0],
                     job->table.ota_count == 0 || others[1][0] == '\0' ? "" : ", ",
                     job->table.ota_count == 0 ? "" : others[1], line.text);
            return;
        }
    }
}

/* The candidates up to the one that boots; without the images, the first of the order. */
static void try_candidates(const job_t *job, plan_t *plan)
{
    fmt_boot_order_t order;
    int index;

    plan->next = FMT_BOOT_UNRECOVERABLE;
    fmt_boot_order_begin(&order, &job->table, plan->choice.start);
    while (plan->next == FMT_BOOT_UNRECOVERABLE && fmt_boot_order_next(&order, &index, NULL)) {
        candidate_t *c = &plan->tried[plan->tried_count];

        c->index = index;
        if (job->whole_flash) {
            plan->tried_count++;
            judge_candidate(job, plan, c);
        }
        if (!job->whole_flash || c->boots) {
            plan->next = index;
        }
    }
}

/* What the bootloader writes about an application that starts. */
static void plan_start(const job_t *job, plan_t *plan)
{
    const candidate_t *last = &plan->tried[plan->tried_count > 0 ? plan->tried_count - 1 : 0];
    bool confirmed = false, chosen_damaged = false;
    uint32_t damaged = 0;
    fmt_otadata_write_t writes[2];

    if (plan->next == FMT_BOOT_UNRECOVERABLE) {
        return;
    }
    for (unsigned i = 0; i < plan->choice.action_count; i++) {
        confirmed = confirmed || plan->choice.actions[i].kind == FMT_BOOT_ACT_SECURE_VERSION;
    }
    for (unsigned i = 0; i < plan->tried_count; i++) {
        const candidate_t *c = &plan->tried[i];

        damaged |= c->damaged && c->index >= 0 ? 1u << c->index : 0u;
        chosen_damaged = chosen_damaged || (c->damaged && c->index == plan->choice.start);
    }
    if (plan->choice.initial && plan->next >= 0) {
        fmt_otadata_initial((unsigned)plan->next, &writes[0]);
        plan_write(plan, &writes[0], "it is the first boot of an OTA slot");
    } else if (chosen_damaged && !job->strict) {
        unsigned count = fmt_boot_follow(&job->table, plan->after, damaged, plan->next, writes);

        for (unsigned i = 0; i < count; i++) {
            plan_write(plan, &writes[i],
                       writes[i].entry.state == FMT_OTA_STATE_INVALID
                           ? "its image is damaged"
                           : "otadata follows the application that runs");
        }
    }
    if (job->whole_flash && plan->config.anti_rollback &&
        last->secure_version > plan->config.secure_version &&
        ((confirmed && plan->next == plan->choice.start) ||
         (plan->choice.initial && plan->next >= 0))) {
        plan->raises = true;
        plan->raise_to = last->secure_version;
    }
}

static void make_plan(const job_t *job, plan_t *plan)
{
    memset(plan, 0, sizeof(*plan));
    read_fuses(job, plan);
    plan->config = (fmt_boot_config_t){
        .rollback = job->rollback,
        .anti_rollback = job->anti_rollback,
        .secure_version = job->ask_fuses ? plan->fuses_version : (uint32_t)job->secure_version,
        .app_secure_version = app_secure_version,
        .attempts = (uint8_t)job->attempts,
        .context = (void *)job,
    };
    read_otadata(job, plan);
    fmt_boot_choose(&job->table, &plan->config, &plan->after[0], &plan->after[1], &plan->choice);
    for (unsigned i = 0; i < plan->choice.action_count; i++) {
        const fmt_boot_action_t *action = &plan->choice.actions[i];

        if (action->kind == FMT_BOOT_ACT_WRITE_OTADATA) {
            plan_write(plan, &action->write, reason_of(action->write.entry.state));
        }
    }
    say_why(job, plan);
    try_candidates(job, plan);
    plan_start(job, plan);
}

/* --- as text --- */

static const char *state_text(uint32_t state, bool rollback)
{
    switch (state) {
    case FMT_OTA_STATE_NEW:
        return rollback ? "NEW: boots once, on trial"
                        : "NEW: boots (a trial only in a rollback build)";
    case FMT_OTA_STATE_PENDING_VERIFY:
        return rollback ? "PENDING_VERIFY: was booted on trial and did not confirm"
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

static void print_entry(const job_t *job, const fmt_otadata_entry_t *e)
{
    bool crc_ok = e->crc == fmt_otadata_crc(e->seq);

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
           crc_ok ? "(right)" : "(wrong)", ui_style(stdout, UI_PLAIN));
    if (!crc_ok) {
        printf(", must be 0x%08" PRIx32 ": the record is ignored", fmt_otadata_crc(e->seq));
    }
    printf("\n  state: 0x%08" PRIx32 ", %s\n", e->state, state_text(e->state, job->rollback));
}

static void print_record(const job_t *job, const plan_t *plan, unsigned i)
{
    const fmt_otadata_entry_t *e = &plan->stored[i];
    bool on_trial = e->seq != FMT_OTADATA_SEQ_EMPTY && e->state == FMT_OTA_STATE_PENDING_VERIFY;

    printf("%sRecord %u%s%s\n", ui_style(stdout, UI_BOLD), i, ui_style(stdout, UI_PLAIN),
           plan->choice.active == (int)i ? " (the one that counts)" : "");
    print_entry(job, e);
    if (on_trial && (plan->boots[i] > 0 || job->rollback)) {
        printf("  boots given on trial: %u%s", plan->boots[i] + 1, job->rollback ? " of " : "\n");
        if (job->rollback) {
            printf("%u\n", (unsigned)job->attempts);
        }
    }
    /* Records of a change stand in the other sector. */
    if (plan->pending == (int)i) {
        printf("  A power cut interrupted a change of this record. The next boot makes it:\n");
        print_entry(job, &plan->entries[i]);
    }
    if (plan->changes[1 - i] > 0) {
        printf("  journal: %u finished changes of this record, room for %u more\n",
               plan->changes[1 - i], plan->room[1 - i]);
    }
}

static void print_fuses(const plan_t *plan)
{
    if (!plan->has_fuses) {
        return;
    }
    if (!plan->fuses_readable) {
        printf("Emulated eFuses: not within the file\n");
        return;
    }
    printf("Emulated eFuses: secure version %" PRIu32 "%s\n", plan->fuses_version,
           plan->fuses_state == FMT_EFUSE_UNFINISHED
               ? "; a power cut interrupted a burn, which the next start finishes"
           : plan->fuses_state == FMT_EFUSE_NEVER_USED ? " (never used)"
                                                       : "");
}

static void print_text(const job_t *job, const plan_t *plan)
{
    char name[16];

    for (unsigned i = 0; i < 2; i++) {
        print_record(job, plan, i);
    }
    print_fuses(plan);
    printf("\n");
    if (plan->choice.start == FMT_BOOT_UNRECOVERABLE) {
        printf("Boots next: nothing; the bootloader resets again and again.\n");
        return;
    }
    if (plan->why[0] != '\0') {
        printf("Why: %s.\n", plan->why);
    }
    if (job->whole_flash) {
        printf("Candidates, in the order they are tried:\n");
    }
    for (unsigned i = 0; i < plan->tried_count; i++) {
        const candidate_t *c = &plan->tried[i];

        printf("  %-8s at 0x%08" PRIx32 ": %s%s%s\n", index_name(c->index, name, sizeof(name)),
               fmt_boot_position(&job->table, c->index).offset,
               ui_style(stdout, c->boots ? UI_GREEN : UI_RED), c->why, ui_style(stdout, UI_PLAIN));
    }
    if (plan->next == FMT_BOOT_UNRECOVERABLE) {
        printf("Boots next: nothing; no candidate %s.\n",
               job->whole_flash ? "holds a valid image" : "exists");
    } else {
        printf("Boots next: %s%s%s%s\n", ui_style(stdout, UI_BOLD),
               index_name(plan->next, name, sizeof(name)), ui_style(stdout, UI_PLAIN),
               job->whole_flash ? "" : ", if a valid image is there");
    }
    for (unsigned i = 0; i < plan->write_count; i++) {
        const fmt_otadata_write_t *write = &plan->writes[i].write;

        printf("That boot rewrites record %u as %s (sequence number %" PRIu32 "): %s.\n",
               write->index, fmt_otadata_state_name(write->entry.state), write->entry.seq,
               plan->writes[i].reason);
    }
    for (unsigned i = 0; i < plan->choice.action_count; i++) {
        if (plan->choice.actions[i].kind == FMT_BOOT_ACT_COUNT_BOOT) {
            printf("That boot is number %u of %u on trial for record %u.\n",
                   plan->boots[plan->choice.actions[i].arg] + 2, (unsigned)job->attempts,
                   (unsigned)plan->choice.actions[i].arg);
        }
    }
    if (plan->raises) {
        printf("That boot raises the chip's secure version from %" PRIu32 " to %" PRIu32 ".\n",
               plan->config.secure_version, plan->raise_to);
    }
}

/* --- as JSON --- */

static void print_json_record(const job_t *job, const plan_t *plan, unsigned i)
{
    const fmt_otadata_entry_t *e = &plan->stored[i];

    printf("{\"seq\": %" PRIu32 ", \"state\": \"%s\", \"state_value\": %" PRIu32
           ", \"crc\": %" PRIu32 ", \"crc_valid\": %s, \"empty\": %s, \"valid\": %s, "
           "\"boots_given_again\": %u, \"changes\": %u",
           e->seq, fmt_otadata_state_name(e->state), e->state, e->crc,
           e->crc == fmt_otadata_crc(e->seq) ? "true" : "false",
           e->seq == FMT_OTADATA_SEQ_EMPTY ? "true" : "false",
           fmt_otadata_valid(e) ? "true" : "false", plan->boots[i], plan->changes[1 - i]);
    if (job->table.ota_count > 0 && e->seq != FMT_OTADATA_SEQ_EMPTY) {
        printf(", \"slot\": %u", fmt_otadata_slot(e, job->table.ota_count));
    }
    if (plan->pending == (int)i) {
        printf(", \"becomes\": {\"seq\": %" PRIu32 ", \"state\": \"%s\"}", plan->entries[i].seq,
               fmt_otadata_state_name(plan->entries[i].state));
    }
    printf("}");
}

static void print_json_index(const char *key, int index)
{
    char name[16];

    printf("  \"%s\": ", key);
    if (index == FMT_BOOT_UNRECOVERABLE) {
        printf("null,\n");
    } else {
        printf("\"%s\",\n", index_name(index, name, sizeof(name)));
    }
}

static void print_json(const job_t *job, const plan_t *plan)
{
    char name[16];

    printf("{\n  \"slots\": %u,\n  \"factory\": %s,\n  \"records\": [", job->table.ota_count,
           job->table.has_factory ? "true" : "false");
    for (unsigned i = 0; i < 2; i++) {
        printf("%s\n    ", i > 0 ? "," : "");
        print_json_record(job, plan, i);
    }
    printf("\n  ],\n");
    if (plan->fuses_readable) {
        printf("  \"chip_secure_version\": %" PRIu32 ",\n", plan->fuses_version);
    }
    printf("  \"active\": %d,\n", plan->choice.active);
    print_json_index("start", plan->choice.start);
    printf("  \"why\": ");
    ui_json_string(stdout, plan->why);
    printf(",\n  \"candidates\": [");
    for (unsigned i = 0; i < plan->tried_count; i++) {
        const candidate_t *c = &plan->tried[i];

        printf("%s\n    {\"name\": \"%s\", \"boots\": %s, \"why\": ", i > 0 ? "," : "",
               index_name(c->index, name, sizeof(name)), c->boots ? "true" : "false");
        ui_json_string(stdout, c->why);
        printf("}");
    }
    printf("%s],\n  \"writes\": [", plan->tried_count > 0 ? "\n  " : "");
    for (unsigned i = 0; i < plan->write_count; i++) {
        const fmt_otadata_write_t *write = &plan->writes[i].write;

        printf("%s\n    {\"record\": %u, \"seq\": %" PRIu32 ", \"state\": \"%s\", \"why\": ",
               i > 0 ? "," : "", write->index, write->entry.seq,
               fmt_otadata_state_name(write->entry.state));
        ui_json_string(stdout, plan->writes[i].reason);
        printf("}");
    }
    printf("%s],\n", plan->write_count > 0 ? "\n  " : "");
    if (plan->raises) {
        printf("  \"raises_secure_version_to\": %" PRIu32 ",\n", plan->raise_to);
    }
    printf("  \"boots\": ");
    if (plan->next == FMT_BOOT_UNRECOVERABLE) {
        printf("null\n}\n");
    } else {
        printf("\"%s\"\n}\n", index_name(plan->next, name, sizeof(name)));
    }
}

/* --- input --- */

/* Of several partitions the first, as the bootloader has it. */
static void find_fuses(job_t *job, unsigned rows)
{
    for (unsigned i = 0; i < rows && job->fuses.size == 0; i++) {
        fmt_partition_t entry;

        if (fmt_partition_row_decode(
                job->data + job->table_offset + (size_t)i * FMT_PARTITION_ROW_SIZE, &entry) ==
                FMT_ROW_ENTRY &&
            entry.type == FMT_PART_TYPE_DATA && entry.subtype == FMT_PART_DATA_EFUSE) {
            job->fuses = (fmt_boot_pos_t){entry.offset, entry.size};
        }
    }
}

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
    find_fuses(job, report.count);
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
    static plan_t plan;

    if (job->len == FMT_OTADATA_SIZE) {
        open_otadata(job);
    } else if (!open_flash(job)) {
        return false;
    }
    make_plan(job, &plan);
    if (job->ask_fuses && !plan.fuses_readable) {
        ui_error(
            "%s: has no readable partition of emulated eFuses; give the chip's secure version: "
            "--anti-rollback N",
            job->path);
        return false;
    }
    (job->json ? print_json : print_text)(job, &plan);
    return true;
}

static void print_help(void)
{
    puts(
        "usage: airlift otadata show [options] FILE\n\n"
        "Says what both records of otadata mean, which slot boots next and why. FILE is the\n"
        "otadata partition (0x2000 bytes) or a whole flash; of a flash the partition table is\n"
        "used and every image that may boot is verified.\n\n"
        "  --slots N          number of OTA slots, if FILE is otadata alone (default 2)\n"
        "  --no-factory       there is no factory partition, likewise\n"
        "  --table-offset N   where a flash has its partition table (default 0x8000)\n"
        "  --rollback         the bootloader was built with rollback\n"
        "  --attempts N       and gives an unconfirmed application N boots (default 1)\n"
        "  --anti-rollback V  and with anti-rollback; the chip's secure version is V, or what the\n"
        "                     emulated eFuses in the flash say: efuse\n"
        "  --strict           it was built for strict compatibility with ESP-IDF: no journal\n"
        "  --json             for programs\n"
        "  -h, --help\n\n"
        "Exit status: 0 shown, 1 unreadable, 2 the command line was not understood.");
}

static int show_main(int argc, char **argv)
{
    enum { SLOTS = 256, NO_FACTORY, TABLE, ROLLBACK, ATTEMPTS, ANTI, STRICT, JSON };
    static const struct option long_options[] = {
        {"slots", required_argument, NULL, SLOTS},
        {"no-factory", no_argument, NULL, NO_FACTORY},
        {"table-offset", required_argument, NULL, TABLE},
        {"rollback", no_argument, NULL, ROLLBACK},
        {"attempts", required_argument, NULL, ATTEMPTS},
        {"strict", no_argument, NULL, STRICT},
        {"anti-rollback", required_argument, NULL, ANTI},
        {"json", no_argument, NULL, JSON},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    job_t job = {.table_offset = FMT_PARTITION_TABLE_OFFSET, .attempts = 1};
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
        case ATTEMPTS:
            if (!ui_parse_number(optarg, false, FMT_OTADATA_BOOTS_MAX, &job.attempts) ||
                job.attempts == 0) {
                return ui_usage_error(VERB, "--attempts: %s: must be 1 to 16", optarg);
            }
            job.rollback = true;
            break;
        case STRICT:
            job.strict = true;
            break;
        case ANTI:
            job.ask_fuses = strcmp(optarg, "efuse") == 0;
            if (!job.ask_fuses && !ui_parse_number(optarg, false, 32, &job.secure_version)) {
                return ui_usage_error(VERB, "--anti-rollback: %s: must be 0 to 32, or efuse",
                                      optarg);
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
