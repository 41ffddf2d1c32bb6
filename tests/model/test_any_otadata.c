/* SPDX-License-Identifier: Apache-2.0
 *
 * Any otadata content whatever: every pair of interesting records, on every kind of table, with
 * every, one and some images whole, booted by the real bootloader and by the model. Both must start
 * the same place and leave the same records, and something starts while anything can.
 *
 * Everyday every 10th combination, others each time; AIRLIFT_SLOW=1: all (under sanitizers every
 * 5th). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "device.h"
#include "flash_build.h"
#include "sdkconfig.h"

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
#define STRICT true
#else
#define STRICT false
#endif

#ifdef CONFIG_BOOTLOADER_ROLLBACK_ATTEMPTS
#define ATTEMPTS CONFIG_BOOTLOADER_ROLLBACK_ATTEMPTS
#else
#define ATTEMPTS 1
#endif

#define RECORDS_MAX 200
#define STRIDE      10
#ifdef __SANITIZE_ADDRESS__
#define SLOW_STRIDE 5
#else
#define SLOW_STRIDE 1
#endif

static uint8_t s_records[RECORDS_MAX][BUILD_ENTRY];
static unsigned s_record_count;

static void add_record(const uint8_t *raw)
{
    for (unsigned i = 0; i < s_record_count; i++) {
        if (memcmp(s_records[i], raw, BUILD_ENTRY) == 0) {
            return;
        }
    }
    assert_true(s_record_count < RECORDS_MAX);
    memcpy(s_records[s_record_count++], raw, BUILD_ENTRY);
}

static void make_records(uint32_t slots)
{
    const uint32_t seqs[] = {0, 1, 2, slots, slots + 1, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF};
    const uint32_t states[] = {0, 1, 2, 3, 4, 5, 0xFF, 0xFFFFFFFF};
    uint8_t raw[BUILD_ENTRY];
    s_record_count = 0;
    for (unsigned s = 0; s < sizeof(seqs) / sizeof(seqs[0]); s++) {
        for (unsigned k = 0; k < sizeof(states) / sizeof(states[0]); k++) {
            for (unsigned crc = 0; crc < 2; crc++) {
                build_entry(raw, seqs[s], states[k], crc == 0);
                add_record(raw);
            }
        }
    }
    /* Erased; programmed up to the middle of each field; a label; one bit short of erased. */
    static const unsigned torn[] = {0, 1, 3, 4, 10, 24, 25, 27, 28, 30, 31};
    for (unsigned t = 0; t < sizeof(torn) / sizeof(torn[0]); t++) {
        build_entry(raw, 2, 2, true);
        memset(raw + torn[t], 0xFF, sizeof(raw) - torn[t]);
        add_record(raw);
    }
    build_entry(raw, 1, 0, true);
    memset(raw + 4, 0x41, 20);
    add_record(raw);
    memset(raw, 0xFF, sizeof(raw));
    raw[31] = 0x7F;
    add_record(raw);
    memset(raw, 0, sizeof(raw));
    add_record(raw);
}

static void row(model_table_t *table, uint8_t subtype)
{
    table->subtype[table->places++] = subtype;
}

static void slots(model_table_t *table, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        row(table, (uint8_t)(MODEL_SUB_OTA + i));
    }
}

#define TABLES_MAX 80

static model_table_t s_tables[TABLES_MAX];
static unsigned s_table_count;

static model_table_t *new_table(void)
{
    model_table_t *table = &s_tables[s_table_count++];
    memset(table, 0, sizeof(*table));
    table->otadata = true;
    return table;
}

static void make_tables(void)
{
    s_table_count = 0;
    for (unsigned n = ANTI_ROLLBACK ? 1 : 0; n <= 16; n++) {
        for (unsigned others = 0; others < (ANTI_ROLLBACK ? 1 : 4); others++) {
            if (n == 0 && others == 0) {
                continue; /* no app at all */
            }
            model_table_t *table = new_table();
            if (others & 1) {
                row(table, MODEL_SUB_FACTORY);
            }
            slots(table, n);
            if (others & 2) {
                row(table, MODEL_SUB_TEST);
            }
        }
    }
    model_table_t *gap = new_table(); /* ota_0 and ota_2 */
    slots(gap, 1);
    row(gap, MODEL_SUB_OTA + 2);
    model_table_t *late = new_table(); /* ota_1 and ota_2 alone */
    row(late, MODEL_SUB_OTA + 2);
    row(late, MODEL_SUB_OTA + 1);
    model_table_t *last = new_table(); /* ota_15 alone: no index reaches it */
    row(last, MODEL_SUB_OTA + 15);
    model_table_t *twice = new_table(); /* the later ota_1 counts, and both count as slots */
    slots(twice, 3);
    row(twice, MODEL_SUB_OTA + 1);
    if (!ANTI_ROLLBACK) {
        row(twice, MODEL_SUB_FACTORY);
        row(twice, MODEL_SUB_FACTORY);
        model_table_t *no_otadata = new_table();
        row(no_otadata, MODEL_SUB_FACTORY);
        slots(no_otadata, 2);
        no_otadata->otadata = false;
    }
    assert_true(s_table_count <= TABLES_MAX);
}

/* Images: 0 all whole; 1 only one, another each time; 2 a random choice. Secure versions 0 to 2. */
static bool is_whole(unsigned pattern, unsigned place, unsigned places, uint32_t r)
{
    return pattern == 0 || (pattern == 1 ? place == r % places : ((r >> place) & 1) != 0);
}

static uint64_t mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94D049BB133111EB);
    return x ^ (x >> 31);
}

static void compare(const model_table_t *table, unsigned pattern, unsigned a, unsigned b,
                    unsigned *nothing)
{
    /* The images stay where they are; only their magic bytes come and go. */
    uint32_t r = (uint32_t)mix(((uint64_t)a << 32 | b << 8 | pattern) + 1);
    model_t m = {.table = table,
                 .options = {.rollback = ROLLBACK,
                             .anti_rollback = ANTI_ROLLBACK,
                             .strict = STRICT,
                             .attempts = ATTEMPTS}};
    for (unsigned i = 0; i < table->places; i++) {
        m.image[i].valid = is_whole(pattern, i, table->places, r);
        m.image[i].readable =
            build_read_descriptor(device_place((int)i), &m.image[i].secure_version);
        device_place((int)i)[0] = m.image[i].valid ? 0xE9 : 0x00;
    }
    const unsigned which[2] = {a, b};
    for (unsigned i = 0; i < 2; i++) {
        memset(device_entry(i), 0xFF, BUILD_SECTOR);
        if (table->otadata) {
            memcpy(device_entry(i), s_records[which[i]], BUILD_ENTRY);
        }
        m.entry[i] = model_entry(device_entry(i));
    }
    if (ANTI_ROLLBACK) {
        m.efuse = (r >> 30) % 3;
        device_put_efuse(m.efuse);
    }
    bool bootable = model_anything_bootable(&m);
    int expected = model_boot(&m);
    int place;
    device_power_on();
    device_outcome_t outcome = device_boot(&place);
    bool same = place == expected && (outcome == DEVICE_STARTED) == (place != MODEL_NOWHERE) &&
                device_trespass() == NULL;
    for (unsigned i = 0; i < 2; i++) {
        model_entry_t after = model_entry(device_entry(i));
        same = same && memcmp(&after, &m.entry[i], sizeof(after)) == 0;
    }
    if (ANTI_ROLLBACK) {
        same = same && device_efuse() == m.efuse;
    }
    if (!same || (bootable && place == MODEL_NOWHERE)) {
        fail_msg(
            "table %d, images %u, records %u and %u: booted place %d, the model says %d; "
            "records after: [0] seq %x state %x [1] seq %x state %x, the model says %x %x and "
            "%x %x; %s",
            (int)(table - s_tables), pattern, a, b, place, expected,
            (unsigned)build_get_u32(device_entry(0)), (unsigned)build_get_u32(device_entry(0) + 24),
            (unsigned)build_get_u32(device_entry(1)), (unsigned)build_get_u32(device_entry(1) + 24),
            (unsigned)m.entry[0].seq, (unsigned)m.entry[0].state, (unsigned)m.entry[1].seq,
            (unsigned)m.entry[1].state, device_trespass() != NULL ? device_trespass() : "");
    }
    *nothing += place == MODEL_NOWHERE;
}

static void any_pair_of_records_boots_what_the_specification_says(void **state)
{
    (void)state;
    const char *slow = getenv("AIRLIFT_SLOW");
    unsigned stride = slow != NULL && slow[0] == '1' ? SLOW_STRIDE : STRIDE;
    unsigned long boots = 0;
    unsigned nothing = 0;
    unsigned long turn = stride > 1 ? (unsigned long)time(NULL) : 0;
    print_message("every %u. combination from %lu\n", stride, turn % stride);
    make_tables();
    for (unsigned t = 0; t < s_table_count; t++) {
        const model_table_t *table = &s_tables[t];
        unsigned count = 0;
        device_new(table, t + 1);
        for (unsigned i = 0; i < table->places; i++) {
            const build_image_t image = {.id = i, .secure_version = i % 3, .payload = 64};
            (void)build_image(device_place((int)i), device_address((int)i), &image);
            count += table->subtype[i] >= MODEL_SUB_OTA && table->subtype[i] < MODEL_SUB_TEST;
        }
        make_records(count);
        for (unsigned pattern = 0; pattern < 3; pattern++) {
            for (unsigned a = 0; a < s_record_count; a++) {
                for (unsigned b = 0; b < s_record_count; b++) {
                    if (turn++ % stride == 0) {
                        compare(table, pattern, a, b, &nothing);
                        boots++;
                    }
                }
            }
        }
    }
    print_message("%lu boots on %u tables, %u of them without anything bootable\n", boots,
                  s_table_count, nothing);
    assert_true(boots > 10000 && nothing < boots / 4 * 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_pair_of_records_boots_what_the_specification_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
