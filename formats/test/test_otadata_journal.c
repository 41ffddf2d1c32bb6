/* SPDX-License-Identifier: Apache-2.0
 *
 * The otadata journal on a board in memory: every flash operation of every kind of change cut in
 * several places, the healing cut again, each operation failing in turn, and foreign bytes. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "formats/crc32.h"
#include "formats/otadata_journal.h"
#include "hal/flash.h"
#include "linux_board/testing.h"

#define OTADATA 0xD000u

static uint8_t *sector(unsigned index)
{
    return linux_board_testing_flash() + OTADATA + index * FMT_OTADATA_SECTOR;
}

/* --- the flash --- */

static esp_err_t io_read(void *context, uint32_t offset, void *dst, size_t len)
{
    (void)context;
    assert_true(offset <= FMT_OTADATA_SIZE && len <= FMT_OTADATA_SIZE - offset);
    return hal_flash_read(OTADATA + offset, dst, len);
}

static esp_err_t io_program(void *context, uint32_t offset, const void *src, size_t len)
{
    (void)context;
    assert_true(offset <= FMT_OTADATA_SIZE && len <= FMT_OTADATA_SIZE - offset);
    return hal_flash_program(OTADATA + offset, src, len);
}

static esp_err_t io_erase_sector(void *context, uint32_t offset)
{
    (void)context;
    assert_true(offset == 0 || offset == FMT_OTADATA_SECTOR);
    return hal_flash_erase_sector(OTADATA + offset);
}

static const fmt_otadata_io_t io = {
    .read = io_read, .program = io_program, .erase_sector = io_erase_sector};
static const fmt_otadata_io_t plain_io = {
    .read = io_read, .program = io_program, .erase_sector = io_erase_sector, .plain = true};

/* --- entries --- */

typedef struct {
    fmt_otadata_entry_t at[2];
} pair_t;

static fmt_otadata_entry_t entry(uint32_t seq, uint32_t state)
{
    fmt_otadata_entry_t made;

    memset(&made, 0xFF, sizeof(made));
    if (seq != FMT_OTADATA_SEQ_EMPTY) {
        made.seq = seq;
        made.state = state;
        made.crc = fmt_otadata_crc(seq);
    }
    return made;
}

static fmt_otadata_entry_t nothing(void)
{
    return entry(FMT_OTADATA_SEQ_EMPTY, 0);
}

static bool same(const pair_t *a, const pair_t *b)
{
    return memcmp(a, b, sizeof(*a)) == 0;
}

static pair_t load(void)
{
    pair_t pair = {0};

    assert_int_equal(fmt_otadata_load(&io, pair.at), ESP_OK);
    /* Whatever flickers, it is the same each time. */
    for (int i = 0; i < 3; i++) {
        pair_t again = {0};
        assert_int_equal(fmt_otadata_load(&io, again.at), ESP_OK);
        assert_true(same(&pair, &again));
    }
    return pair;
}

static pair_t in_flash(void)
{
    pair_t pair = {0};

    fmt_otadata_decode(sector(0), &pair.at[0]);
    fmt_otadata_decode(sector(1), &pair.at[1]);
    return pair;
}

/* Whether a bit may read differently next time. */
static bool unstable(void)
{
    const linux_board_state_t *state = linux_board_testing_state();

    for (unsigned at = 0; at < FMT_OTADATA_SIZE; at++) {
        if (state->unstable[(OTADATA + at) / 4096] != 0 && sector(0)[at] != 0xFF) {
            return true;
        }
    }
    return false;
}

static void rewrite(unsigned index, fmt_otadata_entry_t to)
{
    const fmt_otadata_write_t write = {index, to};
    assert_int_equal(fmt_otadata_rewrite(&io, &write), ESP_OK);
}

static int new_board(void **state)
{
    (void)state;
    linux_board_testing_reset(LINUX_BOARD_MIN_FLASH);
    assert_int_equal(hal_flash_init(), ESP_OK);
    return 0;
}

/* As new_board(), for otadata alone, and fast. */
static void clean_otadata(void)
{
    linux_board_state_t *state = linux_board_testing_state();
    memset(sector(0), 0xFF, FMT_OTADATA_SIZE);
    state->unstable[OTADATA / 4096] = state->unstable[OTADATA / 4096 + 1] = 0;
    linux_board_testing_power_on();
}

/* --- one change and its cuts --- */

typedef struct {
    pair_t before;
    unsigned earlier; /* changes of the same entry that have filled the journal before */
    bool erase_all;
    fmt_otadata_write_t write;
} change_t;

static uint8_t s_prepared[FMT_OTADATA_SIZE];

/* Makes what is there before a change, and keeps it for prepare(). */
static void prepare_first(const change_t *c)
{
    clean_otadata();
    for (unsigned i = 0; i < 2; i++) {
        fmt_otadata_encode(&c->before.at[i], sector(i));
    }
    fmt_otadata_entry_t other = c->write.entry;
    for (unsigned i = 0; i < c->earlier; i++) {
        memset(other.label, (int)i, sizeof(other.label));
        rewrite(c->write.index, i + 1 == c->earlier ? c->before.at[c->write.index] : other);
    }
    memcpy(s_prepared, sector(0), sizeof(s_prepared));
}

static void prepare(void)
{
    clean_otadata();
    memcpy(sector(0), s_prepared, sizeof(s_prepared));
}

static esp_err_t make(const change_t *c)
{
    return c->erase_all ? fmt_otadata_erase_all(&io) : fmt_otadata_rewrite(&io, &c->write);
}

static pair_t result_of(const change_t *c)
{
    pair_t after = c->before;

    if (c->erase_all) {
        after.at[0] = after.at[1] = nothing();
    } else {
        after.at[c->write.index] = c->write.entry;
    }
    return after;
}

/* Whether the entries after a cut are as they may be. */
static bool allowed(const change_t *c, const pair_t *now)
{
    pair_t after = result_of(c);

    if (c->erase_all) {
        int old = fmt_otadata_active(c->before.at);
        int active = fmt_otadata_active(now->at);
        return active < 0 || memcmp(&now->at[active], &c->before.at[old], sizeof(now->at[0])) == 0;
    }
    return same(now, &c->before) || same(now, &after);
}

static const struct {
    linux_board_cut_mode_t mode;
    uint32_t byte;
} points[] = {
    {LINUX_BOARD_CUT_BEFORE, 0},          {LINUX_BOARD_CUT_INSIDE, 0},
    {LINUX_BOARD_CUT_INSIDE, 1},          {LINUX_BOARD_CUT_INSIDE_PERCENT, 3},
    {LINUX_BOARD_CUT_INSIDE_PERCENT, 10}, {LINUX_BOARD_CUT_INSIDE_PERCENT, 33},
    {LINUX_BOARD_CUT_INSIDE_PERCENT, 50}, {LINUX_BOARD_CUT_INSIDE_PERCENT, 75},
    {LINUX_BOARD_CUT_INSIDE_PERCENT, 90}, {LINUX_BOARD_CUT_INSIDE_PERCENT, 97},
    {LINUX_BOARD_CUT_INSIDE_PERCENT, 99}, {LINUX_BOARD_CUT_AFTER, 0},
};
#define POINTS (sizeof(points) / sizeof(points[0]))

static jmp_buf s_cut;
static unsigned s_cuts;

static void on_cut(void *arg)
{
    (void)arg;
    s_cuts++;
    longjmp(s_cut, 1);
}

typedef esp_err_t (*work_t)(const change_t *c);

/* Does the work with a cut at a point of its operation; false: it ended before that. */
static bool cut_in(work_t work, const change_t *c, uint64_t operation, size_t point)
{
    linux_board_testing_on_cut(on_cut, NULL);
    linux_board_testing_cut(operation, points[point].mode, points[point].byte);
    if (setjmp(s_cut) == 0) {
        assert_int_equal(work(c), ESP_OK);
        linux_board_testing_cut(1, LINUX_BOARD_CUT_NEVER, 0);
        return false;
    }
    linux_board_testing_power_on();
    return true;
}

static esp_err_t heal(const change_t *c)
{
    pair_t pair = {0};
    int healed;

    (void)c;
    return fmt_otadata_heal(&io, pair.at, &healed);
}

/* After a cut: heals with a second cut in each place of it (each board is remade up to the first
 * one), then without, and makes the change again. */
static void recover(const change_t *c, uint64_t operation, size_t point)
{
    pair_t now = load();
    assert_true(allowed(c, &now));
    for (volatile uint64_t second = 1;; second++) {
        volatile bool cut = false;
        for (volatile size_t at = 0; at < POINTS; at += at == 0 || at == POINTS - 2 ? 1 : 2) {
            prepare();
            assert_true(cut_in(make, c, operation, point));
            pair_t first = load();
            if (cut_in(heal, c, second, at)) {
                cut = true;
                pair_t then = load();
                assert_true(same(&first, &then));
                heal(c);
            }
            pair_t then = load();
            assert_true(same(&first, &then));
            pair_t raw = in_flash();
            assert_true(same(&first, &raw));
            /* All is done: nothing to heal any more, nothing flickers. (What a cut in the end of
             * erasing all leaves may need another time to be seen.) */
            for (int i = 0; i < 2 && c->erase_all; i++) {
                heal(c);
            }
            uint64_t operations = linux_board_testing_state()->operations;
            heal(c);
            assert_false(unstable());
            assert_int_equal(linux_board_testing_state()->operations, operations);
            assert_int_equal(make(c), ESP_OK);
            pair_t after = result_of(c);
            then = load();
            assert_true(same(&then, &after));
        }
        if (!cut) {
            break;
        }
    }
}

static void sweep(const change_t *c)
{
    pair_t after = result_of(c);
    prepare_first(c);
    for (volatile uint64_t operation = 1;; operation++) {
        volatile bool cut = false;
        for (volatile size_t point = 0; point < POINTS; point++) {
            prepare();
            if (cut_in(make, c, operation, point)) {
                cut = true;
                recover(c, operation, point);
            } else {
                pair_t now = load();
                pair_t raw = in_flash();
                assert_true(same(&now, &after));
                assert_true(same(&raw, &after));
            }
        }
        if (!cut) {
            break;
        }
    }
}

/* Every kind of change that the bootloader and app_update make. */
static const struct {
    const char *name;
    uint32_t before[2][2]; /* seq and state */
    unsigned index;
    uint32_t seq, state;
} kinds[] = {
#define EMPTY FMT_OTADATA_SEQ_EMPTY
    {"mark valid", {{1, 1}, {2, 1}}, 1, 2, 2},
    {"mark valid, no other entry", {{1, 1}, {EMPTY, 0}}, 0, 1, 2},
    {"mark invalid", {{3, 1}, {2, 2}}, 0, 3, 3},
    {"set boot over an older slot", {{3, 2}, {2, 2}}, 1, 4, 0},
    {"set boot over a rejected slot", {{3, 2}, {4, 4}}, 1, 4, 0},
    {"set boot of a first slot", {{EMPTY, 0}, {EMPTY, 0}}, 0, 1, 0xFFFFFFFF},
    {"set boot in place", {{3, 2}, {2, 2}}, 0, 3, 0},
    {"set boot with both rejected", {{9, 3}, {8, 4}}, 0, 1, 0},
    {"first boot", {{1, 2}, {2, 0}}, 1, 2, 1},
    {"not confirmed", {{1, 2}, {2, 1}}, 1, 2, 4},
    {"forget an older slot", {{3, 2}, {2, 2}}, 1, EMPTY, 0},
    {"forget a newer rejected slot", {{3, 2}, {4, 4}}, 1, EMPTY, 0},
};

static change_t kind(size_t k)
{
    return (change_t){
        .before = {{entry(kinds[k].before[0][0], kinds[k].before[0][1]),
                    entry(kinds[k].before[1][0], kinds[k].before[1][1])}},
        .write = {kinds[k].index, entry(kinds[k].seq, kinds[k].state)},
    };
}

static void no_cut_in_a_change_or_in_its_healing_loses_an_entry(void **state)
{
    (void)state;
    s_cuts = 0;
    for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
        change_t c = kind(k);
        sweep(&c);
    }
    print_message("%u cuts\n", s_cuts);
    assert_true(s_cuts > 10000);
}

static void no_cut_loses_an_entry_when_the_journal_is_full(void **state)
{
    (void)state;
    s_cuts = 0;
    for (unsigned earlier = FMT_OTADATA_PLACES - 1; earlier <= FMT_OTADATA_PLACES; earlier++) {
        change_t c = kind(3);
        c.earlier = earlier;
        prepare_first(&c);
        /* The last place is taken, or free still. */
        bool full = sector(0)[FMT_OTADATA_JOURNAL_OFFSET +
                              (FMT_OTADATA_PLACES - 1) * FMT_OTADATA_RECORD_SIZE] == 0;
        assert_int_equal(full, earlier == FMT_OTADATA_PLACES);
        sweep(&c);
    }
    print_message("%u cuts\n", s_cuts);
    assert_true(s_cuts > 2000);
}

static void no_cut_in_erasing_all_brings_another_choice(void **state)
{
    (void)state;
    s_cuts = 0;
    for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
        change_t c = kind(k);
        c.erase_all = true;
        sweep(&c);
        prepare_first(&c);
        assert_int_equal(make(&c), ESP_OK);
        for (unsigned i = 0; i < FMT_OTADATA_SIZE; i++) {
            assert_int_equal(sector(0)[i], 0xFF);
        }
    }
    print_message("%u cuts\n", s_cuts);
}

static void the_journal_never_runs_out(void **state)
{
    (void)state;
    fmt_otadata_entry_t other = entry(1, FMT_OTA_STATE_VALID);
    rewrite(0, other);
    for (uint32_t i = 0; i < 500; i++) {
        rewrite(1, entry(2 + i, FMT_OTA_STATE_NEW));
        pair_t now = load();
        assert_int_equal(now.at[1].seq, 2 + i);
        assert_memory_equal(&now.at[0], &other, sizeof(other));
    }
}

/* --- errors --- */

static void a_failed_operation_leaves_the_old_entry_or_brings_the_new_one(void **state)
{
    (void)state;
    unsigned failures = 0;
    for (size_t k = 0; k < 2 * sizeof(kinds) / sizeof(kinds[0]); k++) {
        change_t c = kind(k / 2);
        c.erase_all = k % 2 == 1;
        prepare_first(&c);
        for (uint64_t nth = 1;; nth++) {
            prepare();
            linux_board_testing_fail(LINUX_BOARD_FAULT_ANY, nth, ESP_ERR_FLASH_OP_TIMEOUT);
            esp_err_t err = make(&c);
            if (!linux_board_testing_failed()) {
                assert_int_equal(err, ESP_OK);
                break;
            }
            failures++;
            pair_t now = load();
            pair_t after = result_of(&c);
            pair_t raw = in_flash();
            assert_true(err == ESP_OK || err == ESP_ERR_FLASH_OP_TIMEOUT);
            assert_true(allowed(&c, &now));
            if (err == ESP_OK) {
                assert_true(same(&now, &after));
            } else if (same(&raw, &c.before)) {
                assert_true(same(&now, &c.before)); /* not at the next boot either */
            }
            heal(&c);
            pair_t then = load();
            raw = in_flash();
            assert_true(same(&now, &then));
            assert_true(same(&raw, &then));
            assert_int_equal(make(&c), ESP_OK);
            then = load();
            assert_true(same(&then, &after));
        }
    }
    print_message("%u failing operations\n", failures);
    assert_true(failures > 100);
}

static void a_failed_read_of_loading_comes_through(void **state)
{
    (void)state;
    rewrite(1, entry(2, FMT_OTA_STATE_VALID));
    for (uint64_t nth = 1;; nth++) {
        pair_t pair = {0};
        linux_board_testing_fail(LINUX_BOARD_FAULT_READ, nth, ESP_ERR_FLASH_OP_TIMEOUT);
        esp_err_t err = fmt_otadata_load(&io, pair.at);
        if (!linux_board_testing_failed()) {
            assert_int_equal(err, ESP_OK);
            assert_true(nth > 4);
            break;
        }
        assert_int_equal(err, ESP_ERR_FLASH_OP_TIMEOUT);
    }
}

/* An erase only sets bits, and in what order nobody knows: of an entry whose CRC is wrong it can
 * make, for a time, one whose CRC is right and whose sequence number is the largest. */
static void an_entry_that_a_torn_erase_makes_right_is_not_taken_for_a_later_one(void **state)
{
    (void)state;
    const fmt_otadata_entry_t right = entry(0xFFFFFFFE, FMT_OTA_STATE_VALID);
    for (unsigned bit = 0; bit < 64; bit++) {
        fmt_otadata_entry_t damaged = right;
        if (bit < 32) {
            damaged.seq &= ~(UINT32_C(1) << bit);
        } else {
            damaged.crc &= ~(UINT32_C(1) << (bit - 32));
        }
        if (memcmp(&damaged, &right, sizeof(right)) == 0) {
            continue;
        }
        change_t c = {
            .before = {{damaged, entry(3, FMT_OTA_STATE_VALID)}},
            .write = {0, entry(4, FMT_OTA_STATE_NEW)},
        };
        prepare_first(&c);
        assert_true(cut_in(make, &c, 2, 0)); /* the record is there, the erase has not begun */
        fmt_otadata_encode(&right, sector(0));
        pair_t after = result_of(&c);
        pair_t now = load();
        assert_true(same(&now, &after));
        assert_int_equal(heal(&c), ESP_OK);
        now = in_flash();
        assert_true(same(&now, &after));
        if (bit % 16 == 1) {
            sweep(&c);
        }
    }
}

/* --- other writers --- */

/* What stands in the journal for changing entry index to `to`. */
static void forge(unsigned host, unsigned place, uint32_t known, fmt_otadata_entry_t to)
{
    uint8_t *raw = sector(host) + FMT_OTADATA_JOURNAL_OFFSET + place * FMT_OTADATA_RECORD_SIZE;
    const uint32_t head[3] = {0x314A4F41, 1 - host, known};
    memcpy(raw, head, 12);
    fmt_otadata_encode(&to, raw + 12);
    uint32_t crc = fmt_crc32(0, raw, 44);
    memcpy(raw + 44, &crc, 4);
}

static void the_record_has_the_documented_bytes(void **state)
{
    change_t c = kind(3);
    (void)state;
    prepare_first(&c);
    /* After the record is written. */
    assert_true(cut_in(make, &c, 2, 0));
    uint8_t written[FMT_OTADATA_RECORD_SIZE];
    uint8_t *raw = sector(0) + FMT_OTADATA_JOURNAL_OFFSET;
    memcpy(written, raw, sizeof(written));
    forge(0, 0, 4, c.write.entry);
    assert_memory_equal(raw, written, sizeof(written));
}

static void an_entry_that_somebody_wrote_later_stays(void **state)
{
    (void)state;
    fmt_otadata_entry_t later = entry(7, FMT_OTA_STATE_VALID);
    fmt_otadata_encode(&later, sector(1));
    forge(0, 0, 6, entry(6, FMT_OTA_STATE_NEW));
    assert_int_equal(load().at[1].seq, 7);
    uint64_t before = linux_board_testing_state()->operations;
    heal(NULL);
    assert_int_equal(linux_board_testing_state()->operations, before + 1); /* retired */
    assert_int_equal(load().at[1].seq, 7);
    assert_int_equal(sector(0)[FMT_OTADATA_JOURNAL_OFFSET], 0);
}

static void without_the_journal_only_the_entry_is_written_and_records_are_not_seen(void **state)
{
    (void)state;
    forge(0, 0, 6, entry(6, FMT_OTA_STATE_NEW));
    const fmt_otadata_write_t write = {1, entry(5, FMT_OTA_STATE_NEW)};
    assert_int_equal(fmt_otadata_rewrite(&plain_io, &write), ESP_OK);
    assert_int_equal(linux_board_testing_state()->operations, 2);
    pair_t pair = {0};
    assert_int_equal(fmt_otadata_load(&plain_io, pair.at), ESP_OK);
    assert_int_equal(pair.at[1].seq, 5);
    int healed;
    assert_int_equal(fmt_otadata_heal(&plain_io, pair.at, &healed), ESP_OK);
    assert_int_equal(healed, -1);
    assert_int_equal(linux_board_testing_state()->operations, 2);
    assert_int_equal(fmt_otadata_erase_all(&plain_io), ESP_OK);
    assert_int_equal(linux_board_testing_state()->operations, 4);
}

static void foreign_bytes_do_not_stop_a_change(void **state)
{
    (void)state;
    for (int filled = 1; filled <= 3; filled++) {
        for (int blank = 0; blank < 2; blank++) {
            for (unsigned index = 0; index < 2; index++) {
                new_board(state);
                pair_t before = {{entry(3, 2), entry(2, 2)}};
                if (blank) {
                    before.at[1 - index] = nothing();
                }
                for (unsigned i = 0; i < 2; i++) {
                    if (filled & (1 << i)) {
                        memset(sector(i), 0x5A, FMT_OTADATA_SECTOR);
                    }
                    fmt_otadata_encode(&before.at[i], sector(i));
                }
                rewrite(index, entry(4, 0));
                before.at[index] = entry(4, 0);
                pair_t now = load();
                assert_true(same(&now, &before));
                /* From now on there is room, somewhere. */
                rewrite(index, entry(6, 0));
                assert_int_equal(load().at[index].seq, 6);
            }
        }
    }
}

/* Entries, records and marks of any content: defined behaviour, an end, and a change is a change.
 */
static void any_bytes_are_survived(void **state)
{
    (void)state;
    srand(7);
    for (int round = 0; round < 3000; round++) {
        clean_otadata();
        for (unsigned i = 0; i < 2; i++) {
            fmt_otadata_entry_t made = entry((uint32_t)rand() % 9, (uint32_t)rand() % 6);
            fmt_otadata_encode(&made, sector(i));
            for (int n = rand() % 90; n > 0; n--) {
                forge(i, (unsigned)rand() % FMT_OTADATA_PLACES, (uint32_t)rand() % 9,
                      entry((uint32_t)rand() % 9, (uint32_t)rand() % 6));
            }
            for (int n = rand() % 20; n > 0; n--) {
                sector(i)[rand() % 4096] = (uint8_t)rand();
            }
        }
        pair_t first = load();
        pair_t healed = {0};
        int index;
        /* A forged record can ask for bits that a place has no longer; then it is an error. */
        assert_int_equal(fmt_otadata_heal(&io, healed.at, &index), ESP_OK);
        assert_true(same(&first, &healed));
        heal(NULL);
        unsigned boots;
        assert_int_equal(fmt_otadata_boots(&io, 0, &boots), ESP_OK);
        assert_true(boots <= FMT_OTADATA_BOOTS_MAX);
        unsigned target = (unsigned)rand() % 2;
        pair_t before = load();
        before.at[target] = entry(20, FMT_OTA_STATE_VALID);
        rewrite(target, before.at[target]);
        pair_t after = load();
        assert_true(same(&before, &after));
    }
}

/* --- long random histories --- */

static fmt_otadata_write_t s_random_write;
static bool s_random_erase_all;

static esp_err_t random_work(const change_t *c)
{
    (void)c;
    return s_random_erase_all ? fmt_otadata_erase_all(&io)
                              : fmt_otadata_rewrite(&io, &s_random_write);
}

/* One board through thousands of changes with a cut in many of them: entries are always the old or
 * the new ones, and stay what they were once they were seen. */
static void a_long_history_of_changes_and_cuts_is_consistent(void **state)
{
    (void)state;
    srand(11);
    s_cuts = 0;
    volatile pair_t keep;
    pair_t before = load();
    for (volatile int round = 0; round < 60000; round++) {
        if (!unstable()) {
            linux_board_testing_state()->seed = (uint64_t)rand() << 20 | (uint64_t)rand();
        }
        memcpy((void *)&keep, &before, sizeof(before));
        s_random_erase_all = rand() % 16 == 0;
        s_random_write.index = (unsigned)rand() % 2;
        s_random_write.entry =
            rand() % 8 == 0 ? nothing() : entry((uint32_t)rand() % 1000 + 1, (uint32_t)rand() % 5);
        volatile bool cut = false;
        if (rand() % 3 != 0) {
            cut = cut_in(random_work, NULL, (uint64_t)rand() % 12 + 1, (size_t)rand() % POINTS);
        } else {
            assert_int_equal(random_work(NULL), ESP_OK);
        }
        pair_t now = load();
        memcpy(&before, (const void *)&keep, sizeof(before));
        pair_t after = before;
        if (s_random_erase_all) {
            after.at[0] = after.at[1] = nothing();
            int old = fmt_otadata_active(before.at);
            int active = fmt_otadata_active(now.at);
            assert_true(cut ? active < 0 || memcmp(&now.at[active], &before.at[old], 32) == 0
                            : same(&now, &after));
        } else {
            after.at[s_random_write.index] = s_random_write.entry;
            assert_true(same(&now, &after) || (cut && same(&now, &before)));
        }
        while (rand() % 3 != 0) {
            memcpy((void *)&keep, &now, sizeof(now));
            if (!cut_in(heal, NULL, (uint64_t)rand() % 4 + 1, (size_t)rand() % POINTS)) {
                break;
            }
            pair_t then = load();
            memcpy(&now, (const void *)&keep, sizeof(now));
            assert_true(same(&then, &now));
        }
        before = load();
    }
    print_message("%u cuts\n", s_cuts);
    assert_true(s_cuts > 20000);
}

/* --- boots of an unconfirmed app --- */

static void boots_are_counted_and_a_rewrite_starts_anew(void **state)
{
    (void)state;
    unsigned count;
    rewrite(0, entry(1, FMT_OTA_STATE_PENDING_VERIFY));
    for (unsigned i = 0; i <= FMT_OTADATA_BOOTS_MAX + 1; i++) {
        assert_int_equal(fmt_otadata_boots(&io, 0, &count), ESP_OK);
        assert_int_equal(count, i < FMT_OTADATA_BOOTS_MAX ? i : FMT_OTADATA_BOOTS_MAX);
        assert_int_equal(fmt_otadata_boots(&io, 1, &count), ESP_OK);
        assert_int_equal(count, 0);
        assert_int_equal(fmt_otadata_count_boot(&io, 0), ESP_OK);
    }
    /* They are in nobody's way. */
    for (unsigned i = 0; i < 2 * FMT_OTADATA_PLACES; i++) {
        rewrite(1, entry(2 + i, FMT_OTA_STATE_VALID));
    }
    rewrite(0, entry(1, FMT_OTA_STATE_VALID));
    assert_int_equal(fmt_otadata_boots(&io, 0, &count), ESP_OK);
    assert_int_equal(count, 0);
    linux_board_testing_fail(LINUX_BOARD_FAULT_READ, 1, ESP_ERR_FLASH_OP_TIMEOUT);
    assert_int_equal(fmt_otadata_count_boot(&io, 0), ESP_ERR_FLASH_OP_TIMEOUT);
    linux_board_testing_fail(LINUX_BOARD_FAULT_PROGRAM, 1, ESP_ERR_FLASH_OP_TIMEOUT);
    assert_int_equal(fmt_otadata_count_boot(&io, 0), ESP_ERR_FLASH_OP_TIMEOUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(no_cut_in_a_change_or_in_its_healing_loses_an_entry, new_board),
        cmocka_unit_test_setup(no_cut_loses_an_entry_when_the_journal_is_full, new_board),
        cmocka_unit_test_setup(no_cut_in_erasing_all_brings_another_choice, new_board),
        cmocka_unit_test_setup(the_journal_never_runs_out, new_board),
        cmocka_unit_test_setup(a_failed_operation_leaves_the_old_entry_or_brings_the_new_one,
                               new_board),
        cmocka_unit_test_setup(a_failed_read_of_loading_comes_through, new_board),
        cmocka_unit_test_setup(the_record_has_the_documented_bytes, new_board),
        cmocka_unit_test_setup(an_entry_that_a_torn_erase_makes_right_is_not_taken_for_a_later_one,
                               new_board),
        cmocka_unit_test_setup(an_entry_that_somebody_wrote_later_stays, new_board),
        cmocka_unit_test_setup(
            without_the_journal_only_the_entry_is_written_and_records_are_not_seen, new_board),
        cmocka_unit_test_setup(foreign_bytes_do_not_stop_a_change, new_board),
        cmocka_unit_test_setup(any_bytes_are_survived, new_board),
        cmocka_unit_test_setup(a_long_history_of_changes_and_cuts_is_consistent, new_board),
        cmocka_unit_test_setup(boots_are_counted_and_a_rewrite_starts_anew, new_board),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
