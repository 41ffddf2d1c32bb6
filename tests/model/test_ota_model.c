/* SPDX-License-Identifier: Apache-2.0
 *
 * The model check: random lives of random devices, with power cuts, on the real bootloader and
 * app_update, compared with model.c after every operation and every boot.
 *
 *   test_ota_model                        the everyday slice: a fixed seed and a new one
 *   test_ota_model --sequences N [--seed S]
 *   test_ota_model --replay X             one sequence, as a failure printed it
 *
 * A life is a list of operations made from its seed before it begins, so that operations can be
 * left out: a failing life is shortened before it is shown.
 *
 * What a power cut leaves is a set of permitted records: each write of the operation not begun,
 * done or (without the journal) torn. The next boot must agree with one of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "device.h"
#include "flash_build.h"
#include "sdkconfig.h"

#include "esp_ota_ops.h"

#ifdef CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE
#define ROLLBACK true
#else
#define ROLLBACK false
#endif
#ifdef CONFIG_BOOTLOADER_APP_ANTI_ROLLBACK
#define ANTI_ROLLBACK true
#else
#define ANTI_ROLLBACK false
#endif
#ifdef CONFIG_AIRLIFT_STRICT_COMPATIBILITY
#define JOURNAL false
#else
#define JOURNAL true
#endif

#ifdef CONFIG_BOOTLOADER_ROLLBACK_ATTEMPTS
#define ATTEMPTS CONFIG_BOOTLOADER_ROLLBACK_ATTEMPTS
#else
#define ATTEMPTS 1
#endif

/* --- random numbers --- */

static uint64_t s_random;

static uint64_t mix(uint64_t x)
{
    x += UINT64_C(0x9E3779B97F4A7C15);
    x = (x ^ (x >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94D049BB133111EB);
    return x ^ (x >> 31);
}

static uint32_t next_random(void)
{
    s_random += UINT64_C(0x9E3779B97F4A7C15);
    return (uint32_t)(mix(s_random) >> 32);
}

static unsigned below(unsigned limit)
{
    return next_random() % limit;
}

static bool chance(unsigned percent)
{
    return below(100) < percent;
}

/* --- what happened, and failing --- */

static struct {
    uint64_t sequences, operations, boots, cuts, boot_cuts, fallbacks, bricks_predicted, updates,
        confirmations, rollbacks;
} s_count;

static jmp_buf s_failed;
static char s_message[800];
static bool s_trace;

static void trace(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void trace(const char *format, ...)
{
    if (s_trace) {
        va_list arguments;
        va_start(arguments, format);
        vprintf(format, arguments);
        va_end(arguments);
    }
}

static _Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

static _Noreturn void fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(s_message, sizeof(s_message), format, arguments);
    va_end(arguments);
    longjmp(s_failed, 1);
}

/* --- operations --- */

typedef enum {
    OP_UPDATE, /* begin, write, end, set_boot */
    OP_BEGIN,
    OP_WRITE,
    OP_END,
    OP_ABORT,
    OP_SET_BOOT,
    OP_MARK_VALID,
    OP_REJECT_AND_REBOOT,
    OP_REJECT,
    OP_ERASE_LAST,
    OP_INVALIDATE_INACTIVE,
    OP_ERASE_OTADATA,
    OP_DAMAGE, /* a bit of an image flips */
    OP_RESET,
    OP_POWER_CYCLE,
    OP_SCRIBBLE_OTADATA, /* any content whatever, while the power is off */
    OP_SERIAL_FLASH,     /* a good image by cable */
    OP_QUERY,
    OP_KINDS,
} op_kind_t;

static const char *const OP_NAMES[] = {
    "update",         "begin",      "write",           "end",
    "abort",          "set_boot",   "mark valid",      "reject and reboot",
    "reject",         "erase last", "forget inactive", "erase otadata",
    "damage",         "reset",      "power cycle",     "scribble otadata",
    "flash by cable", "query",
};

typedef struct {
    op_kind_t kind;
    uint32_t r[4];
    unsigned cut; /* 0: none; n: power goes in the nth flash operation from the start of this */
    linux_board_cut_mode_t mode;
    unsigned percent;
} op_t;

#define OPS_MAX 28

typedef struct {
    uint64_t seed;
    model_table_t table;
    unsigned op_count;
    op_t ops[OPS_MAX];
} life_t;

static void make_table(model_table_t *table)
{
    static const uint8_t small[] = {1, 2, 2, 2, 2, 3, 3, 4};
    unsigned slots = chance(80) ? small[below(8)] : 1 + below(16);
    memset(table, 0, sizeof(*table));
    table->otadata = !chance(2);
    if (!ANTI_ROLLBACK && chance(60)) {
        table->subtype[table->places++] = MODEL_SUB_FACTORY;
    }
    if (!ANTI_ROLLBACK && chance(5)) {
        slots = 0;
    }
    unsigned gap = slots >= 3 && chance(4) ? below(slots) : 16;
    for (unsigned i = 0; i < slots; i++) {
        if (i != gap) {
            table->subtype[table->places++] = (uint8_t)(MODEL_SUB_OTA + i);
        }
    }
    if (!ANTI_ROLLBACK && (chance(20) || table->places == 0)) {
        table->subtype[table->places++] = MODEL_SUB_TEST;
    }
    if (table->places == 0) {
        table->subtype[table->places++] = MODEL_SUB_OTA;
    }
    if (chance(10)) {
        for (unsigned i = 0; i < table->places / 2; i++) {
            uint8_t keep = table->subtype[i];
            table->subtype[i] = table->subtype[table->places - 1 - i];
            table->subtype[table->places - 1 - i] = keep;
        }
    }
}

static op_kind_t random_kind(void)
{
    static const struct {
        op_kind_t kind;
        unsigned weight;
    } weights[] = {
        {OP_UPDATE, 26},       {OP_BEGIN, 4},      {OP_WRITE, 5},       {OP_END, 3},
        {OP_ABORT, 2},         {OP_SET_BOOT, 9},   {OP_MARK_VALID, 12}, {OP_REJECT_AND_REBOOT, 4},
        {OP_REJECT, 2},        {OP_ERASE_LAST, 2}, {OP_DAMAGE, 4},      {OP_INVALIDATE_INACTIVE, 2},
        {OP_ERASE_OTADATA, 2}, {OP_RESET, 10},     {OP_POWER_CYCLE, 5}, {OP_SCRIBBLE_OTADATA, 3},
        {OP_SERIAL_FLASH, 2},  {OP_QUERY, 3},
    };
    unsigned pick = below(100);
    for (unsigned i = 0; i < sizeof(weights) / sizeof(weights[0]); i++) {
        if (pick < weights[i].weight) {
            return weights[i].kind;
        }
        pick -= weights[i].weight;
    }
    return OP_QUERY;
}

static void make_life(life_t *life, uint64_t seed)
{
    s_random = seed;
    life->seed = seed;
    make_table(&life->table);
    life->op_count = 4 + below(OPS_MAX - 3);
    for (unsigned i = 0; i < life->op_count; i++) {
        op_t *op = &life->ops[i];
        op->kind = random_kind();
        for (unsigned k = 0; k < 4; k++) {
            op->r[k] = next_random();
        }
        static const linux_board_cut_mode_t modes[] = {
            LINUX_BOARD_CUT_BEFORE, LINUX_BOARD_CUT_INSIDE_PERCENT, LINUX_BOARD_CUT_INSIDE_PERCENT,
            LINUX_BOARD_CUT_AFTER};
        op->cut = chance(50) ? 1 + below(chance(70) ? 4 : 12) : 0;
        op->mode = modes[below(4)];
        op->percent = below(101);
    }
}

/* --- the device's images --- */

typedef struct {
    uint8_t bytes[DEVICE_PLACE_SIZE];
    size_t length; /* 0: none */
} image_t;

/* Two images may be whole in a place: the one that stands there and the one being written. */
static image_t s_good[MODEL_PLACES][2];
static uint32_t s_last_id;

static bool equals(int place, const image_t *image)
{
    return image->length > 0 && memcmp(device_place(place), image->bytes, image->length) == 0;
}

static image_t *new_image(int place, uint32_t r)
{
    image_t *image = &s_good[place][0];
    if (equals(place, image)) {
        image = &s_good[place][1];
    }
    build_image_t what = {
        .id = ++s_last_id,
        .secure_version = ANTI_ROLLBACK ? (r >> 8) % 4 : 0,
        .payload = 64 + r % 16 * 4,
    };
    if (r % 16 == 15) {
        what.payload = BUILD_SECTOR + 400; /* takes two sectors */
    }
    image->length = build_image(image->bytes, device_address(place), &what);
    return image;
}

/* The programs of this test have a digest. Where the byte that says so was damaged to 0, only the
 * checksum counts (specification 5.6) unless the digest gives it away; and of that, or even of the
 * data, a cut may have left a part. Whether such bytes are an image is looked up, not foreseen. */
static bool denies_digest(int place)
{
    return device_place(place)[BUILD_HAS_HASH] == 0;
}

static bool whole_without_digest(int place)
{
    uint8_t built[BUILD_IMAGE_ROOM(64)];
    const build_image_t what = {.payload = 64};
    const uint8_t *bytes = device_place(place);
    (void)build_image(built, device_address(place), &what);
    /* Beside the lengths, all that decides in headers and descriptor stands as it was built. */
    built[BUILD_HAS_HASH] = 0;
    return memcmp(bytes, built, BUILD_DESCRIPTOR + 4) == 0 &&
           memcmp(bytes + BUILD_DESCRIPTOR + 176, built + BUILD_DESCRIPTOR + 176, 84) == 0 &&
           build_image_whole(bytes, DEVICE_PLACE_SIZE);
}

static model_image_t image_at(int place)
{
    model_image_t image = {0};
    bool whole = false;
    for (unsigned i = 0; i < 2; i++) {
        const image_t *good = &s_good[place][i];
        if (equals(place, good)) {
            /* Of a sector that was not erased whole some bit reads wrong each time. */
            uint32_t address = device_address(place);
            whole = whole ||
                    (!device_unstable(address) &&
                     (good->length <= BUILD_SECTOR || !device_unstable(address + BUILD_SECTOR)));
        }
    }
    image.valid = whole || (denies_digest(place) && whole_without_digest(place));
    image.readable = build_read_descriptor(device_place(place), &image.secure_version);
    return image;
}

/* --- the model's side --- */

typedef struct {
    model_entry_t entry[2];
    unsigned boots[2];
    uint32_t efuse;
} records_t;

#define RECORDS_MAX 256

static model_t M;
/* After a cut: what the records may be. Empty: M.entry says it. */
static records_t s_records[RECORDS_MAX];
static unsigned s_record_count;
/* Without the journal: a torn record that may read differently. */
static bool s_fickle[2];

static void refresh_images(void)
{
    for (unsigned i = 0; i < M.table->places; i++) {
        if (denies_digest((int)i)) {
            /* With no digest to guard it, flickering bits would read as whole now and then. */
            device_settle(device_address((int)i));
            device_settle(device_address((int)i) + BUILD_SECTOR);
        }
        M.image[i] = image_at((int)i);
    }
}

static model_entry_t raw_entry(unsigned index)
{
    return model_entry(device_entry(index));
}

static bool same(const model_entry_t *a, const model_entry_t *b)
{
    return memcmp(a, b, sizeof(*a)) == 0;
}

static const char *show_entry(const model_entry_t *e)
{
    static char text[4][64];
    static unsigned turn;
    turn = (turn + 1) % 4;
    (void)snprintf(text[turn], sizeof(text[turn]), "seq %x state %x crc %s", (unsigned)e->seq,
                   (unsigned)e->state, e->crc == build_seq_crc(e->seq) ? "right" : "wrong");
    return text[turn];
}

static void may_be(const records_t *records)
{
    for (unsigned i = 0; i < s_record_count; i++) {
        if (memcmp(&s_records[i], records, sizeof(*records)) == 0) {
            return;
        }
    }
    if (s_record_count == RECORDS_MAX) {
        fail("the test's set of permitted records is full");
    }
    s_records[s_record_count++] = *records;
}

/* Whether raw can be what an interrupted change from old to new left. */
static bool torn_from(const model_entry_t *raw, const model_entry_t *old, const model_entry_t *new)
{
    uint8_t r[BUILD_ENTRY], o[BUILD_ENTRY], n[BUILD_ENTRY];
    model_entry_bytes(raw, r);
    model_entry_bytes(old, o);
    model_entry_bytes(new, n);
    bool erasing = true, programming = true;
    for (unsigned i = 0; i < BUILD_ENTRY; i++) {
        erasing = erasing && (r[i] & o[i]) == o[i];         /* an erase only sets bits */
        programming = programming && (r[i] & n[i]) == n[i]; /* a program clears no others */
    }
    return erasing || programming;
}

/* Whether the records in flash can come from cutting the writes of post, which began at pre. */
static bool explained(const records_t *pre, const model_t *post)
{
    records_t now = *pre;
    records_t raw = {.entry = {raw_entry(0), raw_entry(1)}};
    for (unsigned i = 0; i <= post->write_count; i++) {
        if (same(&raw.entry[0], &now.entry[0]) && same(&raw.entry[1], &now.entry[1])) {
            return true;
        }
        if (i == post->write_count) {
            break;
        }
        const model_write_t *w = &post->writes[i];
        if (w->kind != MODEL_WRITE_ENTRY) {
            continue;
        }
        if (same(&raw.entry[1 - w->index], &now.entry[1 - w->index]) &&
            torn_from(&raw.entry[w->index], &now.entry[w->index], &w->value)) {
            return true;
        }
        now.entry[w->index] = w->value;
    }
    return false;
}

/* Whatever a record reads as while its sector is not erased whole. */
static void add_readings(const records_t *stored, unsigned index)
{
    if (index == 2) {
        may_be(stored);
        return;
    }
    add_readings(stored, index + 1);
    if (!s_fickle[index]) {
        return;
    }
    const uint32_t states[] = {MODEL_PENDING, MODEL_VALID, MODEL_INVALID, MODEL_ABORTED,
                               MODEL_UNDEFINED};
    for (unsigned broken = 0; broken < 3; broken++) {
        for (unsigned s = 0; s <= sizeof(states) / sizeof(states[0]); s++) {
            records_t other = *stored;
            model_entry_t *e = &other.entry[index];
            if (s > 0) {
                if ((states[s - 1] & e->state) != e->state) {
                    continue; /* bits of a torn erase only read as ones instead of zeros */
                }
                e->state = states[s - 1];
            }
            if (broken == 1) {
                e->crc = ~build_seq_crc(e->seq);
            } else if (broken == 2) {
                e->seq = MODEL_EMPTY;
            }
            add_readings(&other, index + 1);
        }
    }
}

static records_t records_of(const model_t *m)
{
    records_t records = {.efuse = m->efuse};
    memcpy(records.entry, m->entry, sizeof(records.entry));
    memcpy(records.boots, m->boots, sizeof(records.boots));
    return records;
}

static void use_records(model_t *m, const records_t *records)
{
    memcpy(m->entry, records->entry, sizeof(m->entry));
    memcpy(m->boots, records->boots, sizeof(m->boots));
    m->efuse = records->efuse;
}

/* With the journal: what may be after cutting an operation that goes from pre to post. Each of its
 * writes is done or not. */
static void permit_after_cut(const records_t *pre, const model_t *post)
{
    unsigned erased = 0;
    for (unsigned i = 0; i < post->write_count; i++) {
        erased +=
            post->writes[i].kind == MODEL_WRITE_ENTRY && post->writes[i].value.seq == MODEL_EMPTY;
    }
    records_t now = *pre;
    may_be(&now);
    for (unsigned i = 0; i < post->write_count && erased < 2; i++) {
        const model_write_t *w = &post->writes[i];
        if (w->kind == MODEL_WRITE_ENTRY) {
            now.entry[w->index] = w->value;
            now.boots[w->index] = 0;
        } else if (w->kind == MODEL_COUNT_BOOT) {
            now.boots[w->index]++;
        } else if (w->kind == MODEL_WRITE_EFUSE) {
            now.efuse = w->version;
        }
        may_be(&now);
    }
    /* Of two that are erased either may go first, but the one in force only with the other. */
    for (unsigned i = 0; i < 2 && erased == 2; i++) {
        model_t half = *post;
        use_records(&half, pre);
        int before = model_active(&half);
        memset(&half.entry[i], 0xFF, sizeof(half.entry[i]));
        half.boots[i] = 0;
        if (model_active(&half) == before) {
            records_t records = records_of(&half);
            may_be(&records);
        }
    }
    if (erased == 2) {
        records_t records = records_of(post);
        may_be(&records);
    }
}

/* Power went in an operation that would have led from one of pre to that of posts. */
static void learn_cut(const records_t *pre, unsigned count, const model_t *posts)
{
    s_count.cuts++;
    if (ANTI_ROLLBACK) {
        /* Whether a torn descriptor can be read decides too much to be left to chance. */
        for (uint32_t at = DEVICE_APPS; at < DEVICE_END; at += BUILD_SECTOR) {
            device_settle(at);
        }
    }
    refresh_images();
    s_record_count = 0;
    if (JOURNAL) {
        for (unsigned i = 0; i < count; i++) {
            permit_after_cut(&pre[i], &posts[i]);
        }
        return;
    }
    bool good = false;
    for (unsigned i = 0; i < count && !good; i++) {
        good = explained(&pre[i], &posts[i]);
    }
    records_t raw = {.entry = {raw_entry(0), raw_entry(1)}};
    if (!good) {
        fail("after the cut otadata is [0] %s [1] %s, which no cut can leave",
             show_entry(&raw.entry[0]), show_entry(&raw.entry[1]));
    }
    for (unsigned i = 0; i < 2; i++) {
        uint32_t address = DEVICE_OTADATA + i * BUILD_SECTOR;
        if (chance(50)) {
            device_settle(address); /* the bits settled before the next boot */
        }
        s_fickle[i] = device_unstable(address);
    }
    for (unsigned i = 0; i < count; i++) {
        raw.efuse = pre[i].efuse;
        add_readings(&raw, 0);
        raw.efuse = posts[i].efuse;
        add_readings(&raw, 0);
    }
}

/* --- sessions --- */

typedef struct {
    bool open;
    int place;
    esp_ota_handle_t handle;
    image_t image; /* what is going to be written: may be damaged */
    size_t written;
} session_t;

static session_t s_session[2];

static void forget_sessions(void)
{
    for (unsigned i = 0; i < 2; i++) {
        if (s_session[i].open) {
            (void)esp_ota_abort(s_session[i].handle);
            s_session[i].open = false;
        }
    }
}

/* The application's RAM goes, in this order. */
static void power_on(void)
{
    forget_sessions();
    device_power_on();
}

static void restart(void)
{
    forget_sessions();
    device_reset();
}

static bool has_session(int place)
{
    return (s_session[0].open && s_session[0].place == place) ||
           (s_session[1].open && s_session[1].place == place);
}

/* --- comparing --- */

static void compare_records(const char *after)
{
    for (unsigned i = 0; i < 2; i++) {
        model_entry_t raw = raw_entry(i);
        if (!same(&raw, &M.entry[i])) {
            fail("after %s otadata[%u] is %s, the model says %s", after, i, show_entry(&raw),
                 show_entry(&M.entry[i]));
        }
    }
    if (device_trespass() != NULL) {
        fail("%s: %s", after, device_trespass());
    }
    if (ANTI_ROLLBACK && device_efuse() != M.efuse) {
        fail("after %s the secure version is %u, the model says %u", after, device_efuse(),
             (unsigned)M.efuse);
    }
}

static int place_of(const esp_partition_t *partition)
{
    for (unsigned i = 0; partition != NULL && i < M.table->places; i++) {
        if (partition->address == device_address((int)i)) {
            return (int)i;
        }
    }
    return MODEL_NOWHERE;
}

static void compare_place(const char *what, const esp_partition_t *real, int model)
{
    if (place_of(real) != model) {
        fail("%s is place %d, the model says %d", what, place_of(real), model);
    }
}

static void compare_queries(void)
{
    compare_place("the boot partition", esp_ota_get_boot_partition(), model_get_boot(&M));
    compare_place("the running partition", esp_ota_get_running_partition(), M.running);
    compare_place("the last invalid partition", esp_ota_get_last_invalid_partition(),
                  model_last_invalid(&M));
    compare_place("the next update partition", esp_ota_get_next_update_partition(NULL),
                  model_next_update(&M, M.running));
    if (esp_ota_get_app_partition_count() != model_app_count(&M)) {
        fail("%u slots", esp_ota_get_app_partition_count());
    }
    if (esp_ota_check_rollback_is_possible() != model_rollback_possible(&M)) {
        fail("rollback is %spossible, the model says the opposite",
             model_rollback_possible(&M) ? "im" : "");
    }
    for (unsigned i = 0; i < M.table->places; i++) {
        esp_ota_img_states_t state = 0;
        uint32_t expected = 0;
        int err = esp_ota_get_state_partition(device_partition((int)i), &state);
        int model_err = model_get_state(&M, (int)i, &expected);
        if (err != model_err || (err == MODEL_OK && (uint32_t)state != expected)) {
            fail("the state of place %u: error %x state %x, the model says %x %x", i, (unsigned)err,
                 (unsigned)state, (unsigned)model_err, (unsigned)expected);
        }
    }
}

/* --- booting --- */

static void rescue(void)
{
    /* Nothing boots, which the model foresaw; a good image by cable into some place. */
    s_count.bricks_predicted++;
    unsigned first = below(M.table->places);
    for (unsigned i = 0; i < M.table->places; i++) {
        int place = (int)((first + i) % M.table->places);
        image_t *image = new_image(place, (uint32_t)(M.efuse <= 3 ? M.efuse << 8 : 0));
        if (M.efuse > 3) {
            build_image_t what = {.id = ++s_last_id, .secure_version = M.efuse, .payload = 64};
            image->length = build_image(image->bytes, device_address(place), &what);
        }
        memset(device_place(place), 0xFF, DEVICE_PLACE_SIZE);
        memcpy(device_place(place), image->bytes, image->length);
        device_settle(device_address(place));
        device_settle(device_address(place) + BUILD_SECTOR);
        refresh_images();
        if (model_anything_bootable(&M)) {
            return;
        }
    }
    fail("no place of the table can be booted from");
}

/* Whether flash is what the model predicts; records that read differently may be written as read.
 */
static bool agrees(const model_t *after, const records_t *raw_before)
{
    if (ANTI_ROLLBACK && after->efuse != device_efuse()) {
        return false;
    }
    for (unsigned i = 0; i < 2; i++) {
        model_entry_t raw = raw_entry(i);
        bool written = false;
        if (JOURNAL && device_boots(i) != after->boots[i]) {
            return false;
        }
        for (unsigned k = 0; k < after->write_count; k++) {
            written = written ||
                      (after->writes[k].kind == MODEL_WRITE_ENTRY && after->writes[k].index == i);
        }
        if (same(&raw, &after->entry[i]) ||
            (s_fickle[i] && !written && same(&raw, &raw_before->entry[i])) ||
            (s_fickle[i] && written && raw.state == after->entry[i].state &&
             raw.crc == build_seq_crc(raw.seq))) {
            continue;
        }
        return false;
    }
    return true;
}

static void boot(unsigned cut, linux_board_cut_mode_t mode, unsigned percent)
{
    static records_t pre[RECORDS_MAX];
    static model_t post[RECORDS_MAX];
    static int places[RECORDS_MAX];
    for (;;) {
        if (s_record_count == 0) {
            s_record_count = 1;
            s_records[0] = records_of(&M);
        }
        unsigned count = s_record_count;
        for (unsigned i = 0; i < count; i++) {
            pre[i] = s_records[i];
            post[i] = M;
            use_records(&post[i], &pre[i]);
            places[i] = model_boot(&post[i]);
        }
        records_t raw_before = {.entry = {raw_entry(0), raw_entry(1)}};
        if (cut > 0) {
            device_plan_cut(cut, mode, percent);
        }
        int place;
        device_outcome_t outcome = device_boot(&place);
        device_no_cut();
        s_count.boots++;
        if (device_trespass() != NULL) {
            fail("the bootloader: %s", device_trespass());
        }
        if (outcome == DEVICE_CUT) {
            trace("  boot: cut\n");
            s_count.boot_cuts++;
            learn_cut(pre, count, post);
            power_on();
            cut = 0;
            continue;
        }
        unsigned match = 0;
        while (match < count && !(places[match] == place && agrees(&post[match], &raw_before))) {
            match++;
        }
        const model_entry_t raw[2] = {raw_entry(0), raw_entry(1)};
        trace("  boot: place %d; [0] %s [1] %s\n", place, show_entry(&raw[0]), show_entry(&raw[1]));
        if (match == count) {
            fail("booted place %d with [0] %s [1] %s secure version %u; the model says (first of "
                 "%u) place %d with [0] %s [1] %s secure version %u",
                 place, show_entry(&raw[0]), show_entry(&raw[1]), device_efuse(), count, places[0],
                 show_entry(&post[0].entry[0]), show_entry(&post[0].entry[1]),
                 (unsigned)post[0].efuse);
        }
        M = post[match];
        M.entry[0] = raw_entry(0);
        M.entry[1] = raw_entry(1);
        s_record_count = 0;
        for (unsigned i = 0; i < 2; i++) {
            s_fickle[i] = false;
            device_settle(DEVICE_OTADATA + i * BUILD_SECTOR);
        }
        if (place != MODEL_NOWHERE) {
            M.running = place;
            s_count.fallbacks += model_get_boot(&M) != place;
            return;
        }
        if (model_anything_bootable(&M)) {
            fail("nothing boots, but there is a valid image");
        }
        rescue();
        power_on();
    }
}

/* Compares a result and what is in flash; handles a cut. False: power went, and came back. */
static bool check(const char *what, int err, int model_err, const model_t *before)
{
    s_count.operations++;
    if (device_is_off()) {
        records_t pre = records_of(before);
        model_t post = M;
        M = *before;
        trace("  %s: cut\n", what);
        learn_cut(&pre, 1, &post);
        power_on();
        boot(0, LINUX_BOARD_CUT_NEVER, 0);
        return false;
    }
    trace("  %s: %x\n", what, (unsigned)err);
    if (err != model_err) {
        fail("%s gave 0x%x, the model says 0x%x", what, (unsigned)err, (unsigned)model_err);
    }
    refresh_images();
    compare_records(what);
    return true;
}

/* --- carrying out operations --- */

static int some_place(uint32_t r)
{
    return (int)(r % M.table->places);
}

static bool blank(int place, size_t length)
{
    const uint8_t *bytes = device_place(place);
    for (size_t i = 0; i < length; i++) {
        if (bytes[i] != 0xFF) {
            return false;
        }
    }
    return true;
}

static void spoil(image_t *image, uint32_t r)
{
    switch (r % 8) {
    case 0: { /* a flipped bit */
        size_t at = (r >> 4) % image->length;
        image->bytes[at] ^= (uint8_t)(1u << ((r >> 24) % 8));
        break;
    }
    case 1: /* too short */
        image->length = 1 + (r >> 4) % (image->length - 1);
        break;
    case 2:
        image->bytes[0] = 0x7F;
        break;
    case 3: /* the digest is there and denied */
        image->bytes[BUILD_HAS_HASH] = 0;
        break;
    default: /* good */
        break;
    }
}

static bool begin(session_t *session, const op_t *op, bool next)
{
    static model_t before;
    int place = next ? model_next_update(&M, M.running) : some_place(op->r[0]);
    if (place == MODEL_NOWHERE) {
        place = some_place(op->r[0]);
    }
    bool slot_like = M.table->subtype[place] >= MODEL_SUB_OTA &&
                     M.table->subtype[place] < MODEL_SUB_TEST && place != M.running;
    bool busy = has_session(place);
    if (slot_like && !busy) {
        session->image = *new_image(place, op->r[1]);
        spoil(&session->image, op->r[2]);
    }
    unsigned policy = op->r[3] % 8;
    size_t size = OTA_WITH_SEQUENTIAL_WRITES;
    size_t erased = 0;
    if (policy == 0) {
        size = OTA_SIZE_UNKNOWN;
        erased = DEVICE_PLACE_SIZE;
    } else if (policy == 1) {
        size = 0;
        erased = DEVICE_PLACE_SIZE;
    } else if (policy <= 3) {
        size = session->image.length > 0 ? session->image.length : 1;
        erased = (size + BUILD_SECTOR - 1) / BUILD_SECTOR * BUILD_SECTOR;
    } else if (policy == 4) {
        size = DEVICE_PLACE_SIZE + 1;
    }
    before = M;
    int expected = model_begin(&M, place, busy);
    if (expected == MODEL_OK && policy == 4) {
        M = before;
        M.write_count = 0;
        expected = MODEL_INVALID_SIZE;
    }
    esp_ota_handle_t handle = 0;
    device_allow(ROLLBACK, false, expected == MODEL_OK ? place : MODEL_NOWHERE);
    int err = esp_ota_begin(device_partition(place), size, &handle);
    if (err == ESP_OK) {
        *session =
            (session_t){.open = true, .place = place, .handle = handle, .image = session->image};
    }
    trace("  begin of place %d, size %x:\n", place, (unsigned)size);
    if (!check("begin", err, expected, &before)) {
        return false;
    }
    if (err == ESP_OK && !blank(place, erased)) {
        fail("begin left something in the first %u bytes of place %d", (unsigned)erased, place);
    }
    return err == ESP_OK;
}

static bool write_some(session_t *session, size_t size)
{
    static model_t before;
    before = M;
    M.write_count = 0;
    size_t left = session->image.length - session->written;
    size = size < left ? size : left;
    int expected = size > 0 && session->written == 0 && session->image.bytes[0] != 0xE9
                       ? MODEL_VALIDATE_FAILED
                       : MODEL_OK;
    device_allow(false, false, session->place);
    int err = esp_ota_write(session->handle, session->image.bytes + session->written, size);
    if (!check("write", err, expected, &before)) {
        return false;
    }
    if (err == ESP_OK) {
        session->written += size;
    }
    return err == ESP_OK;
}

static bool end(session_t *session)
{
    static model_t before;
    before = M;
    M.write_count = 0;
    refresh_images();
    int expected = session->written == 0           ? MODEL_INVALID_ARG
                   : M.image[session->place].valid ? MODEL_OK
                                                   : MODEL_VALIDATE_FAILED;
    device_allow(false, false, MODEL_NOWHERE);
    session->open = false;
    int err = esp_ota_end(session->handle);
    return check("end", err, expected, &before) && err == ESP_OK;
}

static bool abort_session(session_t *session)
{
    static model_t before;
    before = M;
    M.write_count = 0;
    session->open = false;
    device_allow(false, false, MODEL_NOWHERE);
    return check("abort", esp_ota_abort(session->handle), MODEL_OK, &before);
}

static bool set_boot(int place, bool validate)
{
    static model_t before;
    before = M;
    int expected = model_set_boot(&M, place, validate);
    device_allow(true, false,
                 expected == MODEL_SMALL_SEC_VER && place != M.running ? place : MODEL_NOWHERE);
    const esp_partition_t *partition = device_partition(place);
    int err = validate ? esp_ota_set_boot_partition(partition)
                       : esp_ota_set_boot_partition_skip_validate(partition);
    trace("  set_boot of place %d, %s:\n", place, validate ? "validated" : "unseen");
    bool went_on = check("set_boot", err, expected, &before);
    if (went_on && expected == MODEL_SMALL_SEC_VER && !blank(place, DEVICE_PLACE_SIZE)) {
        fail("an image below the secure version was not erased");
    }
    return went_on && err == ESP_OK;
}

static void update(session_t *session, const op_t *op)
{
    if (!begin(session, op, op->r[0] % 4 != 0)) {
        return;
    }
    size_t chunk = session->image.length;
    if (op->r[3] & 0x100) {
        chunk = 1 + (op->r[3] >> 10) % session->image.length;
        chunk = chunk < session->image.length / 4 ? session->image.length / 4 + 1 : chunk;
    }
    while (session->written < session->image.length) {
        if (!write_some(session, chunk)) {
            if (session->open) {
                (void)abort_session(session);
            }
            return;
        }
    }
    int place = session->place;
    if (end(session) && op->r[3] >> 28 != 0 && set_boot(place, true)) {
        s_count.updates++;
        if (op->r[2] >> 31) {
            trace("  restart\n");
            restart();
            boot(0, LINUX_BOARD_CUT_NEVER, 0);
        }
    }
}

static void simple(const char *what, int (*real)(void), int (*model)(model_t *), int place)
{
    static model_t before;
    before = M;
    int expected = model(&M);
    device_allow(true, true, place);
    int err = real();
    if (check(what, err, expected, &before) && err == ESP_OK && model == model_mark_valid) {
        s_count.confirmations++;
    }
}

static int erase_otadata(void)
{
    /* The factory app is chosen this way; without one, what erase-otadata does. */
    const esp_partition_t *otadata =
        esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_DATA_OTA, NULL);
    return otadata == NULL ? ESP_ERR_NOT_FOUND
                           : esp_partition_erase_range(otadata, 0, otadata->size);
}

static int model_plain_erase(model_t *m)
{
    return model_erase_otadata(m);
}

static void damage(const op_t *op)
{
    int place = some_place(op->r[0]);
    const image_t *image = equals(place, &s_good[place][0]) ? &s_good[place][0] : &s_good[place][1];
    if (place == M.running || has_session(place) || !equals(place, image)) {
        return;
    }
    size_t at = op->r[1] % image->length;
    device_place(place)[at] ^= (uint8_t)(1u << (op->r[2] % 8));
    device_forget_verified();
    refresh_images();
    trace("  byte %u of place %d\n", (unsigned)at, place);
}

static uint32_t interesting_seq(uint32_t r, unsigned n)
{
    const uint32_t values[] = {
        0, 1, 2, n, n + 1, 2 * n, MODEL_EMPTY - 1, MODEL_EMPTY, r % 40, MODEL_EMPTY - 1 - r % 40};
    return values[(r >> 8) % 10];
}

static void scribble(const op_t *op)
{
    unsigned n = model_app_count(&M);
    for (unsigned i = 0; i < 2; i++) {
        static const uint32_t states[] = {0, 1, 2, 3, 4, 5, MODEL_UNDEFINED, 0x01000000};
        uint32_t r = op->r[i];
        uint8_t *raw = device_entry(i);
        memset(raw, 0xFF, BUILD_SECTOR);
        if (r % 8 != 0) {
            build_entry(raw, interesting_seq(r, n), states[(r >> 16) % 8], (r >> 20) % 8 != 0);
        }
        if (r >> 30 == 3) {
            for (unsigned k = 4; k < 24; k++) {
                raw[k] = (uint8_t)(r >> (k % 8)); /* a label */
            }
        }
        device_settle(DEVICE_OTADATA + i * BUILD_SECTOR);
        M.entry[i] = raw_entry(i);
        M.boots[i] = 0;
        trace("  [%u] %s\n", i, show_entry(&M.entry[i]));
    }
}

static void by_cable(const op_t *op)
{
    int place = some_place(op->r[0]);
    image_t *image = new_image(place, op->r[1]);
    memset(device_place(place), 0xFF, DEVICE_PLACE_SIZE);
    memcpy(device_place(place), image->bytes, image->length);
    device_settle(device_address(place));
    device_settle(device_address(place) + BUILD_SECTOR);
    refresh_images();
    trace("  place %d\n", place);
}

static void reject_and_reboot(void)
{
    static model_t before;
    before = M;
    int expected = model_mark_invalid(&M);
    device_allow(true, false, MODEL_NOWHERE);
    int err = MODEL_OK;
    bool restarted = device_reject_and_reboot(&err);
    if (check("reject and reboot", err, expected, &before) != restarted && expected == MODEL_OK &&
        !device_is_off() && restarted) {
        return; /* power went */
    }
    if (restarted) {
        s_count.rollbacks++;
        restart();
        boot(0, LINUX_BOARD_CUT_NEVER, 0);
    }
}

static void carry_out(const op_t *op)
{
    session_t *session = &s_session[op->r[0] % 8 == 7];
    trace("%s%s\n", OP_NAMES[op->kind], op->cut > 0 ? " (cut planned)" : "");
    switch (op->kind) {
    case OP_UPDATE:
        if (!session->open) {
            update(session, op);
        }
        break;
    case OP_BEGIN:
        if (!session->open) {
            (void)begin(session, op, false);
        }
        break;
    case OP_WRITE:
        if (session->open) {
            (void)write_some(session, 1 + op->r[1] % (session->image.length));
        }
        break;
    case OP_END:
        if (session->open) {
            (void)end(session);
        }
        break;
    case OP_ABORT:
        if (session->open) {
            (void)abort_session(session);
        }
        break;
    case OP_SET_BOOT:
        (void)set_boot(some_place(op->r[0]), op->r[1] % 8 != 0);
        break;
    case OP_MARK_VALID:
        simple("mark valid", esp_ota_mark_app_valid_cancel_rollback, model_mark_valid,
               MODEL_NOWHERE);
        break;
    case OP_REJECT_AND_REBOOT:
        reject_and_reboot();
        break;
    case OP_REJECT:
        simple("reject", esp_ota_mark_app_invalid_rollback, model_mark_invalid, MODEL_NOWHERE);
        break;
    case OP_ERASE_LAST: {
        model_t probe = M;
        (void)model_erase_last(&probe);
        int place = probe.write_count > 0 ? (int)probe.writes[0].index : MODEL_NOWHERE;
        simple("erase last", esp_ota_erase_last_boot_app_partition, model_erase_last, place);
        break;
    }
    case OP_INVALIDATE_INACTIVE:
        simple("forget inactive", esp_ota_invalidate_inactive_ota_data_slot,
               model_invalidate_inactive, MODEL_NOWHERE);
        break;
    case OP_ERASE_OTADATA:
        if (JOURNAL) {
            device_no_cut(); /* not through the journal: as with the cable */
        }
        simple("erase otadata", erase_otadata, model_plain_erase, MODEL_NOWHERE);
        break;
    case OP_DAMAGE:
        damage(op);
        break;
    case OP_RESET:
        device_no_cut();
        restart();
        boot(op->cut, op->mode, op->percent);
        break;
    case OP_POWER_CYCLE:
        device_no_cut();
        power_on();
        boot(op->cut, op->mode, op->percent);
        break;
    case OP_SCRIBBLE_OTADATA:
        device_no_cut();
        if (M.table->otadata) {
            scribble(op);
        }
        power_on();
        boot(op->cut, op->mode, op->percent);
        break;
    case OP_SERIAL_FLASH:
        device_no_cut();
        forget_sessions();
        by_cable(op);
        power_on();
        boot(op->cut, op->mode, op->percent);
        break;
    case OP_QUERY:
    case OP_KINDS:
        compare_queries();
        break;
    }
}

/* --- a life --- */

static void live(const life_t *life)
{
    s_random = mix(life->seed);
    s_last_id = 0;
    for (unsigned i = 0; i < MODEL_PLACES; i++) {
        s_good[i][0].length = s_good[i][1].length = 0;
    }
    s_record_count = 0;
    s_fickle[0] = s_fickle[1] = false;
    device_new(&life->table, life->seed);
    memset(&M, 0, sizeof(M));
    M.table = &life->table;
    M.options = (model_options_t){.rollback = ROLLBACK,
                                  .anti_rollback = ANTI_ROLLBACK,
                                  .strict = !JOURNAL,
                                  .attempts = ATTEMPTS};
    if (ANTI_ROLLBACK && !chance(25)) {
        device_put_efuse(below(3));
    }
    M.efuse = device_efuse();
    for (unsigned i = 0; i < life->table.places; i++) {
        if (chance(life->table.subtype[i] == MODEL_SUB_FACTORY ? 90 : 65)) {
            image_t *image = new_image((int)i, next_random());
            memcpy(device_place((int)i), image->bytes, image->length);
        }
    }
    refresh_images();
    if (life->table.otadata && chance(40)) {
        op_t op = {.r = {next_random(), next_random()}};
        scribble(&op);
    }
    M.entry[0] = raw_entry(0);
    M.entry[1] = raw_entry(1);
    boot(0, LINUX_BOARD_CUT_NEVER, 0);
    for (unsigned i = 0; i < life->op_count; i++) {
        const op_t *op = &life->ops[i];
        if (op->cut > 0) {
            device_plan_cut(op->cut, op->mode, op->percent);
        }
        carry_out(op);
        device_no_cut();
        if (op->r[3] % 4 == 0) {
            compare_queries();
        }
    }
    power_on();
    boot(0, LINUX_BOARD_CUT_NEVER, 0);
    s_count.sequences++;
}

static bool passes(const life_t *life)
{
    if (setjmp(s_failed) != 0) {
        device_no_cut();
        power_on();
        return false;
    }
    live(life);
    return true;
}

static void report(life_t *life, const char *program)
{
    static life_t shorter;
    printf("\nFAILED: sequence %016llx: %s\n", (unsigned long long)life->seed, s_message);
    for (unsigned i = life->op_count; i-- > 0;) {
        shorter = *life;
        memmove(&shorter.ops[i], &shorter.ops[i + 1],
                (shorter.op_count - i - 1) * sizeof(shorter.ops[0]));
        shorter.op_count--;
        if (!passes(&shorter)) {
            *life = shorter;
        }
    }
    for (unsigned i = 0; i < life->op_count; i++) {
        unsigned cut = life->ops[i].cut;
        life->ops[i].cut = 0;
        if (cut > 0 && passes(life)) {
            life->ops[i].cut = cut;
        }
    }
    printf("Shortened to %u operations; table:", life->op_count);
    for (unsigned i = 0; i < life->table.places; i++) {
        printf(" %u:%02x", i, life->table.subtype[i]);
    }
    printf("%s\n", life->table.otadata ? "" : ", no otadata");
    s_trace = true;
    (void)passes(life);
    s_trace = false;
    printf("%s\nReplay: %s --replay %llx\n", s_message, program, (unsigned long long)life->seed);
}

static bool run(uint64_t seed, unsigned long sequences, const char *program)
{
    static life_t life;
    printf("%s --sequences %lu --seed %llu\n", program, sequences, (unsigned long long)seed);
    memset(&s_count, 0, sizeof(s_count));
    for (unsigned long i = 0; i < sequences; i++) {
        make_life(&life, mix(seed + i * UINT64_C(0x100000001)));
        if (!passes(&life)) {
            report(&life, program);
            return false;
        }
    }
    printf(
        "%s: seed %llu: %llu sequences, %llu operations, %llu power cuts (%llu in the bootloader), "
        "%llu boots, %llu fallbacks, %llu updates, %llu confirmations, %llu rollbacks, %llu "
        "times nothing to boot as foreseen",
        program, (unsigned long long)seed, (unsigned long long)s_count.sequences,
        (unsigned long long)s_count.operations, (unsigned long long)s_count.cuts,
        (unsigned long long)s_count.boot_cuts, (unsigned long long)s_count.boots,
        (unsigned long long)s_count.fallbacks, (unsigned long long)s_count.updates,
        (unsigned long long)s_count.confirmations, (unsigned long long)s_count.rollbacks,
        (unsigned long long)s_count.bricks_predicted);
    printf("\n");
    return true;
}

/* How to call this program from the root of the repository: ctest calls it by its whole path. */
static const char *from_root(const char *path)
{
    const char *found = path;
    for (const char *at = path; (at = strstr(at, "/build/unit")) != NULL; at++) {
        found = at + 1;
    }
    return found;
}

int main(int argc, char **argv)
{
    const char *program = from_root(argv[0]);
    (void)setvbuf(stdout, NULL, _IOLBF, 0); /* the seed is in the log whatever happens then */
    unsigned long sequences = 0;
    uint64_t seed = 1;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--sequences") == 0) {
            sequences = strtoul(argv[i + 1], NULL, 0);
        } else if (strcmp(argv[i], "--seed") == 0) {
            seed = strtoull(argv[i + 1], NULL, 0);
        } else if (strcmp(argv[i], "--replay") == 0) {
            static life_t life;
            make_life(&life, strtoull(argv[i + 1], NULL, 16));
            s_trace = true;
            bool good = passes(&life);
            printf("%s\n", good ? "passed" : s_message);
            return good ? 0 : 1;
        } else {
            fprintf(stderr, "usage: %s [--sequences N] [--seed S] | --replay X\n", argv[0]);
            return 2;
        }
    }
    if (sequences > 0) {
        return run(seed, sequences, program) ? 0 : 1;
    }
    return run(1, 6000, program) && run((uint64_t)time(NULL), 2000, program) ? 0 : 1;
}
