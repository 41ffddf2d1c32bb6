/* SPDX-License-Identifier: Apache-2.0
 *
 * The whole bootloader on a board in memory: what it starts, what it writes, what survives a power
 * cut in each of its flash operations and a fault in each of its reads. */
#include <elf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config.h"
#include "formats/image.h"
#include "formats/otadata.h"
#include "formats/partition_table.h"
#include "formats/retain.h"
#include "hal/flash.h"
#include "hal/reset.h"
#include "hal/start.h"
#include "linux_board/testing.h"
#include "mbedtls/sha256.h"

#define OTADATA   0xD000u
#define FACTORY   0x10000u
#define SLOT_SIZE 0x20000u
#define OTA(n)    (FACTORY + SLOT_SIZE * (1u + (n)))
#define TEST_APP  OTA(4)
#define EFUSES    OTA(5)
#define EFUSES_2  (EFUSES + 0x2000u)
#define NOTHING   0xFFFFFFFFu

/* Erase and program; with the journal, the record before and its end after. */
#define OPERATIONS_OF_A_WRITE (BOOTLOADER_STRICT ? 2u : 4u)

static uint8_t *flash(void)
{
    return linux_board_testing_flash();
}

/* --- what is on flash --- */

enum {
    WITH_FACTORY = 1,
    WITH_OTA = 2,
    WITH_TEST = 4,
    WITH_OTADATA = 8,
    WITH_EFUSE = 16,
    WITH_SECOND_EFUSE = 32,
    WITH_SMALL_EFUSE = 64, /* one sector */
};

static void put_table(unsigned parts)
{
    fmt_partition_t rows[12];
    size_t count = 0;
    rows[count++] = (fmt_partition_t){.type = FMT_PART_TYPE_DATA,
                                      .subtype = FMT_PART_DATA_NVS,
                                      .offset = 0x9000,
                                      .size = 0x4000,
                                      .label = "nvs"};
    if (parts & WITH_OTADATA) {
        rows[count++] = (fmt_partition_t){.type = FMT_PART_TYPE_DATA,
                                          .subtype = FMT_PART_DATA_OTA,
                                          .offset = OTADATA,
                                          .size = 0x2000,
                                          .label = "otadata"};
    }
    if (parts & (WITH_EFUSE | WITH_SMALL_EFUSE)) {
        rows[count++] = (fmt_partition_t){.type = FMT_PART_TYPE_DATA,
                                          .subtype = FMT_PART_DATA_EFUSE,
                                          .offset = EFUSES,
                                          .size = parts & WITH_EFUSE ? 0x2000 : 0x1000,
                                          .label = "efuse_em"};
    }
    if (parts & WITH_SECOND_EFUSE) {
        rows[count++] = (fmt_partition_t){.type = FMT_PART_TYPE_DATA,
                                          .subtype = FMT_PART_DATA_EFUSE,
                                          .offset = EFUSES_2,
                                          .size = 0x2000,
                                          .label = "efuse_2"};
    }
    if (parts & WITH_FACTORY) {
        rows[count++] = (fmt_partition_t){.subtype = FMT_PART_APP_FACTORY,
                                          .offset = FACTORY,
                                          .size = SLOT_SIZE,
                                          .label = "factory"};
    }
    for (unsigned i = 0; i < 4 && (parts & WITH_OTA); i++) {
        rows[count++] = (fmt_partition_t){.subtype = (uint8_t)(FMT_PART_APP_OTA_0 + i),
                                          .offset = OTA(i),
                                          .size = SLOT_SIZE,
                                          .label = "ota"};
    }
    if (parts & WITH_TEST) {
        rows[count++] = (fmt_partition_t){
            .subtype = FMT_PART_APP_TEST, .offset = TEST_APP, .size = SLOT_SIZE, .label = "test"};
    }
    assert_int_equal(fmt_partition_table_encode(rows, count, true, flash() + 0x8000), ESP_OK);
}

static void put_bootloader_header(uint8_t size_code)
{
    const fmt_image_header_t header = {
        .magic = FMT_IMAGE_MAGIC,
        .segment_count = 1,
        .spi_mode = FMT_SPI_MODE_DIO,
        .spi_speed = 0xF,
        .spi_size = size_code,
        .chip_id = FMT_CHIP_ID_LINUX,
    };
    fmt_image_header_encode(&header, flash());
}

/* A valid image of about 10 KiB whose program is no more than an ELF header. */
static uint32_t put_app(uint32_t address, uint32_t secure_version)
{
    uint8_t *image = flash() + address;
    const fmt_image_header_t header = {
        .magic = FMT_IMAGE_MAGIC,
        .segment_count = 2,
        .spi_mode = FMT_SPI_MODE_DIO,
        .entry = 0x80000000,
        .wp_pin = FMT_IMAGE_WP_PIN_DISABLED,
        .chip_id = FMT_CHIP_ID_LINUX,
        .max_chip_rev_full = 199,
        .hash_appended = 1,
    };
    const fmt_app_desc_t desc = {
        .magic_word = FMT_APP_DESC_MAGIC,
        .secure_version = secure_version,
        .version = "1",
        .project_name = "test",
        .mmu_page_size = 16,
    };
    static uint8_t program[10000];
    Elf64_Ehdr elf = {.e_type = ET_DYN};
    memcpy(elf.e_ident, ELFMAG, SELFMAG);
    elf.e_ident[EI_CLASS] = ELFCLASS64;
    for (size_t i = 0; i < sizeof(program); i++) {
        program[i] = (uint8_t)(i * 7);
    }
    memcpy(program, &elf, sizeof(elf));

    memset(image, 0xFF, SLOT_SIZE);
    fmt_image_header_encode(&header, image);
    uint32_t at = FMT_IMAGE_HEADER_SIZE;
    fmt_image_segment_header_encode(0x3C000020, FMT_APP_DESC_SIZE, image + at);
    at += FMT_IMAGE_SEGMENT_HEADER_SIZE;
    fmt_app_desc_encode(&desc, image + at);
    uint8_t sum = fmt_image_checksum(FMT_IMAGE_CHECKSUM_SEED, image + at, FMT_APP_DESC_SIZE);
    at += FMT_APP_DESC_SIZE;
    fmt_image_segment_header_encode(0x80000000, sizeof(program), image + at);
    at += FMT_IMAGE_SEGMENT_HEADER_SIZE;
    memcpy(image + at, program, sizeof(program));
    sum = fmt_image_checksum(sum, program, sizeof(program));
    at += sizeof(program);
    uint32_t end = fmt_image_checksum_offset(at);
    memset(image + at, 0, end - at);
    image[end] = sum;
    mbedtls_sha256(image, end + 1, image + end + 1, 0);
    return end + 1 + FMT_IMAGE_DIGEST_SIZE;
}

static void put_otadata(unsigned index, uint32_t seq, uint32_t state)
{
    fmt_otadata_entry_t entry = {.seq = seq, .state = state, .crc = fmt_otadata_crc(seq)};
    memset(entry.label, 0xFF, sizeof(entry.label));
    uint8_t *sector = flash() + OTADATA + index * FMT_OTADATA_SECTOR;
    memset(sector, 0xFF, FMT_OTADATA_SECTOR);
    fmt_otadata_encode(&entry, sector);
}

static uint32_t state_of(unsigned index)
{
    fmt_otadata_entry_t entry;
    fmt_otadata_decode(flash() + OTADATA + index * FMT_OTADATA_SECTOR, &entry);
    return entry.state;
}

static int new_board(void **state)
{
    (void)state;
    linux_board_testing_reset(LINUX_BOARD_MIN_FLASH);
    put_bootloader_header(0);
    put_table(WITH_FACTORY | WITH_OTA | WITH_OTADATA);
    put_app(FACTORY, 0);
    return 0;
}

/* --- running it --- */

static jmp_buf away;
static uint32_t started;
static hal_reset_reason_t gave_up;
static bool cut;

static void on_start(uint32_t entry, uint32_t image_offset, void *arg)
{
    (void)entry;
    (void)arg;
    started = image_offset;
    longjmp(away, 1);
}

static void on_reset(hal_reset_reason_t reason, void *arg)
{
    (void)arg;
    gave_up = reason;
    longjmp(away, 1);
}

static void on_cut(void *arg)
{
    (void)arg;
    cut = true;
    longjmp(away, 1);
}

/* Boots once; the flash offset of what was started, or NOTHING. */
static uint32_t boot(void)
{
    started = NOTHING;
    gave_up = HAL_RESET_UNKNOWN;
    cut = false;
    linux_board_testing_on_start(on_start, NULL);
    linux_board_testing_on_reset(on_reset, NULL);
    linux_board_testing_on_cut(on_cut, NULL);
    if (setjmp(away) == 0) {
        bootloader_main();
    }
    if (cut) {
        linux_board_testing_power_on();
    }
    return started;
}

static void assert_gives_up(void)
{
    assert_int_equal(boot(), NOTHING);
    assert_int_equal(gave_up, HAL_RESET_NO_BOOTABLE_APP);
}

/* --- tests of every configuration --- */

#ifndef CONFIG_BOOTLOADER_APP_ANTI_ROLLBACK

static void blank_otadata_means_factory(void **state)
{
    (void)state;
    put_app(OTA(0), 0);
    assert_int_equal(boot(), FACTORY);
    assert_int_equal(linux_board_testing_state()->operations, 0);
}

static void otadata_selects_each_slot(void **state)
{
    (void)state;
    for (unsigned slot = 0; slot < 4; slot++) {
        put_app(OTA(slot), 0);
    }
    for (uint32_t seq = 1; seq < 12; seq++) {
        put_otadata(seq % 2, seq, FMT_OTA_STATE_VALID);
        assert_int_equal(boot(), OTA((seq - 1) % 4));
    }
}

static void a_bad_slot_falls_to_lower_ones_then_factory_then_higher_ones_then_test(void **state)
{
    (void)state;
    put_table(WITH_FACTORY | WITH_OTA | WITH_OTADATA | WITH_TEST);
    put_otadata(0, 3, FMT_OTA_STATE_VALID);
    put_app(OTA(1), 0);
    put_app(OTA(0), 0);
    put_app(OTA(3), 0);
    put_app(TEST_APP, 0);
    const uint32_t order[] = {OTA(1), OTA(0), FACTORY, OTA(3), TEST_APP};
    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
        assert_int_equal(boot(), order[i]);
        flash()[order[i] + 300] ^= 0x40;
    }
    assert_gives_up();
}

static void every_flipped_bit_of_an_image_is_noticed(void **state)
{
    (void)state;
    uint32_t len = put_app(FACTORY, 0);
    /* Every bit of the first 600 bytes and of the last 100, every 97th byte between. */
    for (uint32_t at = 0; at < len; at += at < 600 || at + 100 >= len ? 1 : 97) {
        for (unsigned bit = 0; bit < 8; bit++) {
            flash()[FACTORY + at] ^= (uint8_t)(1u << bit);
            if (boot() != NOTHING) {
                fail_msg("bit %u of byte %u", bit, at);
            }
            flash()[FACTORY + at] ^= (uint8_t)(1u << bit);
        }
    }
    assert_int_equal(boot(), FACTORY);
}

static void an_image_cut_anywhere_is_noticed(void **state)
{
    (void)state;
    uint32_t len = put_app(FACTORY, 0);
    static uint8_t image[SLOT_SIZE];
    memcpy(image, flash() + FACTORY, len);
    for (uint32_t keep = 0; keep < len; keep += keep < 400 ? 1 : 61) {
        memset(flash() + FACTORY + keep, 0xFF, len - keep);
        if (memcmp(image, flash() + FACTORY, len) != 0) {
            assert_int_equal(boot(), NOTHING);
        }
        memcpy(flash() + FACTORY, image, len);
    }
}

static void without_otadata_partition_factory_boots(void **state)
{
    (void)state;
    put_table(WITH_FACTORY | WITH_OTA);
    put_otadata(0, 1, FMT_OTA_STATE_VALID);
    put_app(OTA(0), 0);
    assert_int_equal(boot(), FACTORY);
}

static void without_factory_the_first_slot_is_recorded_once(void **state)
{
    (void)state;
    put_table(WITH_OTA | WITH_OTADATA);
    put_app(OTA(0), 0);
    assert_int_equal(boot(), OTA(0));
    assert_int_equal(state_of(0), FMT_OTA_STATE_VALID);
    assert_int_equal(linux_board_testing_state()->operations, OPERATIONS_OF_A_WRITE);
    assert_int_equal(boot(), OTA(0));
    assert_int_equal(linux_board_testing_state()->operations, OPERATIONS_OF_A_WRITE);
}

static void a_cut_while_the_first_slot_is_recorded_harms_nothing(void **state)
{
    for (unsigned operation = 1; operation <= OPERATIONS_OF_A_WRITE; operation++) {
        for (uint32_t percent = 0; percent <= 100; percent += 5) {
            new_board(state);
            put_table(WITH_OTA | WITH_OTADATA);
            put_app(OTA(0), 0);
            linux_board_testing_cut(operation, LINUX_BOARD_CUT_INSIDE_PERCENT, percent);
            assert_int_equal(boot(), NOTHING);
            assert_true(cut);
            assert_int_equal(boot(), OTA(0));
            assert_int_equal(boot(), OTA(0));
        }
    }
}

static void a_failed_otadata_write_does_not_stop_the_boot(void **state)
{
    (void)state;
    put_table(WITH_OTA | WITH_OTADATA);
    put_app(OTA(0), 0);
    linux_board_testing_fail(LINUX_BOARD_FAULT_ERASE, 1, ESP_ERR_FLASH_OP_TIMEOUT);
    assert_int_equal(boot(), OTA(0));
    assert_true(linux_board_testing_failed());
}

static void a_read_that_fails_never_starts_something_unverified(void **state)
{
    (void)state;
    put_app(OTA(0), 0);
    put_otadata(0, 1, FMT_OTA_STATE_VALID);
    for (uint64_t nth = 1;; nth++) {
        linux_board_testing_fail(LINUX_BOARD_FAULT_READ, nth, ESP_ERR_FLASH_OP_TIMEOUT);
        uint32_t offset = boot();
        if (!linux_board_testing_failed()) {
            assert_true(nth > 5);
            break;
        }
        /* Header, table and otadata are needed; an image that cannot be read is passed over. */
        assert_true(offset == FACTORY ||
                    (offset == NOTHING && gave_up == HAL_RESET_NO_BOOTABLE_APP) ||
                    /* the number of boots, which is not asked for here */
                    (offset == OTA(0) && CONFIG_BOOTLOADER_ROLLBACK_ATTEMPTS > 1));
    }
}

static void a_bad_table_or_a_foreign_bootloader_header_gives_up(void **state)
{
    (void)state;
    flash()[0x8000] ^= 1;
    assert_gives_up();
    put_table(0);
    assert_gives_up();
    put_table(WITH_FACTORY);
    assert_int_equal(boot(), FACTORY);
    flash()[12] ^= 1;
    assert_gives_up();
}

static void a_header_that_promises_more_flash_than_there_is_does_not_matter(void **state)
{
    (void)state;
    put_bootloader_header(4);
    assert_int_equal(boot(), FACTORY);
    put_bootloader_header(9);
    assert_int_equal(boot(), FACTORY);
}

static void any_otadata_whatever_boots_something(void **state)
{
    (void)state;
    put_app(OTA(0), 0);
    put_app(OTA(2), 0);
    srand(1);
    for (int round = 0; round < 3000; round++) {
        for (unsigned i = 0; i < 2; i++) {
            uint8_t *raw = flash() + OTADATA + i * FMT_OTADATA_SECTOR;
            put_otadata(i, (uint32_t)rand() % 9, (uint32_t)rand() % 6);
            for (int flips = rand() % 3; flips > 0; flips--) {
                raw[rand() % 32] ^= (uint8_t)(1 << rand() % 8);
            }
        }
        assert_int_not_equal(boot(), NOTHING);
    }
}

/* --- after a fallback --- */

static uint32_t seq_of(unsigned index)
{
    fmt_otadata_entry_t entry;
    fmt_otadata_decode(flash() + OTADATA + index * FMT_OTADATA_SECTOR, &entry);
    return entry.seq;
}

static uint64_t operations(void)
{
    return linux_board_testing_state()->operations;
}

static void put_damaged_app(uint32_t address)
{
    put_app(address, 0);
    flash()[address + 5000] ^= 1;
}

#ifdef CONFIG_AIRLIFT_STRICT_COMPATIBILITY

static void the_damaged_app_is_tried_at_each_boot_and_nothing_is_written(void **state)
{
    (void)state;
    put_app(OTA(0), 0);
    put_damaged_app(OTA(1));
    put_otadata(0, 1, FMT_OTA_STATE_VALID);
    put_otadata(1, 2, FMT_OTA_STATE_VALID);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(boot(), OTA(0));
    }
    assert_int_equal(operations(), 0);
    assert_int_equal(state_of(1), FMT_OTA_STATE_VALID);
}

static void only_the_first_32_bytes_of_a_sector_are_written_and_records_are_not_seen(void **state)
{
    (void)state;
    put_table(WITH_OTA | WITH_OTADATA);
    put_app(OTA(0), 0);
    assert_int_equal(boot(), OTA(0));
    assert_int_equal(seq_of(0), 1);
    assert_int_equal(operations(), 2);
    for (unsigned at = 32; at < FMT_OTADATA_SIZE; at++) {
        assert_int_equal(flash()[OTADATA + at], 0xFF);
    }
}

#else

static void after_a_fallback_the_record_of_the_damaged_app_is_invalid(void **state)
{
    (void)state;
    put_app(OTA(0), 0);
    put_damaged_app(OTA(1));
    put_otadata(0, 1, FMT_OTA_STATE_VALID);
    put_otadata(1, 2, FMT_OTA_STATE_UNDEFINED);
    assert_int_equal(boot(), OTA(0));
    assert_int_equal(state_of(0), FMT_OTA_STATE_VALID);
    assert_int_equal(state_of(1), FMT_OTA_STATE_INVALID);
    /* It is not tried again, even whole, and nothing more is written. */
    uint64_t before = operations();
    put_app(OTA(1), 0);
    assert_int_equal(boot(), OTA(0));
    assert_int_equal(operations(), before);
}

static void after_a_fallback_the_app_that_runs_has_the_record_in_force(void **state)
{
    (void)state;
    put_app(OTA(2), 0);
    put_damaged_app(OTA(3));
    put_damaged_app(OTA(0));
    put_otadata(0, 1, FMT_OTA_STATE_VALID);
    put_otadata(1, 4, FMT_OTA_STATE_VALID);
    assert_int_equal(boot(), OTA(2));
    /* Slot 0 was not tried: its record stays, and the damaged one's gives way. */
    assert_int_equal(seq_of(0), 1);
    assert_int_equal(state_of(0), FMT_OTA_STATE_VALID);
    assert_int_equal(seq_of(1), 7);
    assert_int_equal(state_of(1), FMT_OTA_STATE_UNDEFINED);
    /* When slot 2 is gone too, slot 0 was tried. */
    put_damaged_app(OTA(2));
    assert_int_equal(boot(), FACTORY);
    assert_int_equal(state_of(0), FMT_OTA_STATE_INVALID);
    assert_int_equal(state_of(1), FMT_OTA_STATE_INVALID);
    uint64_t before = operations();
    assert_int_equal(boot(), FACTORY);
    assert_int_equal(operations(), before);
}

static void a_rejected_app_that_is_all_there_is_counts_again(void **state)
{
    (void)state;
    put_table(WITH_OTA | WITH_OTADATA);
    put_app(OTA(0), 0);
    put_damaged_app(OTA(1));
    put_otadata(0, 1, FMT_OTA_STATE_ABORTED);
    put_otadata(1, 2, FMT_OTA_STATE_VALID);
    assert_int_equal(boot(), OTA(0));
    assert_int_equal(state_of(0), FMT_OTA_STATE_UNDEFINED);
    assert_int_equal(state_of(1), FMT_OTA_STATE_INVALID);
}

static void a_slot_that_starts_because_factory_is_damaged_has_the_record(void **state)
{
    (void)state;
    put_damaged_app(FACTORY);
    put_app(OTA(1), 0);
    assert_int_equal(boot(), OTA(1)); /* blank otadata */
    assert_int_equal(seq_of(0), 2);
    assert_int_equal(state_of(0), FMT_OTA_STATE_UNDEFINED);
}

static void an_app_that_could_not_be_read_keeps_its_record(void **state)
{
    (void)state;
    put_app(OTA(0), 0);
    put_app(OTA(1), 0);
    put_otadata(0, 1, FMT_OTA_STATE_VALID);
    put_otadata(1, 2, FMT_OTA_STATE_VALID);
    unsigned fallbacks = 0;
    for (uint64_t nth = 1;; nth++) {
        linux_board_testing_fail(LINUX_BOARD_FAULT_READ, nth, ESP_ERR_FLASH_OP_TIMEOUT);
        uint32_t offset = boot();
        if (!linux_board_testing_failed()) {
            break;
        }
        fallbacks += offset == OTA(0);
        assert_int_equal(state_of(1), FMT_OTA_STATE_VALID);
        linux_board_testing_fail(LINUX_BOARD_FAULT_READ, 0, 0);
        assert_int_equal(boot(), OTA(1));
    }
    assert_true(fallbacks > 0);
    assert_int_equal(operations(), 0);
}

static void a_cut_anywhere_after_a_fallback_starts_the_same_app_again(void **state)
{
    /* Its own record, rejected; a new one beside; a new one in the place of the damaged one's. */
    static const uint32_t other[][2] = {
        {1, FMT_OTA_STATE_INVALID}, {3, FMT_OTA_STATE_INVALID}, {3, FMT_OTA_STATE_VALID}};
    unsigned cuts = 0;
    for (size_t which = 0; which < 3; which++) {
        for (unsigned operation = 1;; operation++) {
            bool was_cut = false;
            for (uint32_t percent = 0; percent <= 100; percent += 10) {
                new_board(state);
                put_app(OTA(0), 0);
                put_damaged_app(OTA(1));
                put_app(OTA(2), 0);
                put_otadata(0, other[which][0], other[which][1]);
                put_otadata(1, 6, FMT_OTA_STATE_VALID);
                linux_board_testing_cut(operation, LINUX_BOARD_CUT_INSIDE_PERCENT, percent);
                uint32_t offset = boot();
                was_cut = was_cut || cut;
                cuts += cut;
                assert_int_equal(offset, cut ? NOTHING : OTA(0));
                assert_int_equal(boot(), OTA(0));
                assert_int_equal(boot(), OTA(0));
                uint64_t before = operations();
                assert_int_equal(boot(), OTA(0));
                assert_int_equal(operations(), before);
            }
            if (!was_cut) {
                break;
            }
        }
    }
    print_message("%u cuts\n", cuts);
    assert_int_equal(cuts, (8 + 8 + 4) * 11);
}

#endif

#ifdef CONFIG_BOOTLOADER_FACTORY_RESET

/* With the button held, otadata is emptied: whenever power is cut in that, the old choice or
 * factory starts afterwards, without the button, and stays. */
static void a_cut_in_a_factory_reset_leaves_the_old_choice_or_factory(void **state)
{
    unsigned cuts = 0;
    linux_board_pin_t *pin = NULL;
    for (unsigned operation = 1;; operation++) {
        bool was_cut = false;
        for (uint32_t percent = 0; percent <= 100; percent += 10) {
            new_board(state);
            put_app(OTA(0), 0);
            put_app(OTA(1), 0);
            put_otadata(0, 1, FMT_OTA_STATE_VALID);
            put_otadata(1, 2, FMT_OTA_STATE_VALID);
            pin = &linux_board_testing_state()->pins[CONFIG_BOOTLOADER_NUM_PIN_FACTORY_RESET];
            pin->drive = LINUX_BOARD_DRIVE_LOW;
            linux_board_testing_cut(operation, LINUX_BOARD_CUT_INSIDE_PERCENT, percent);
            uint32_t offset = boot();
            was_cut = was_cut || cut;
            cuts += cut;
            assert_int_equal(offset, cut ? NOTHING : FACTORY);
            const uint8_t *kept = hal_reset_retain_memory();
            assert_int_equal(kept[FMT_RETAIN_FLAGS], cut ? 0 : FMT_RETAIN_FACTORY_RESET);
            pin->drive = LINUX_BOARD_DRIVE_NONE;
            offset = boot();
            assert_true(offset == FACTORY || (was_cut && offset == OTA(1)));
            for (int i = 0; i < 3; i++) {
                assert_int_equal(boot(), offset);
            }
        }
        if (!was_cut) {
            break;
        }
    }
    print_message("%u cuts\n", cuts);
    assert_true(cuts > 8 * 11);
}

#endif

#endif

#if defined(CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE) && !defined(CONFIG_BOOTLOADER_APP_ANTI_ROLLBACK)

#if CONFIG_BOOTLOADER_ROLLBACK_ATTEMPTS == 1

static void a_new_app_gets_one_boot_to_be_confirmed(void **state)
{
    (void)state;
    put_app(OTA(0), 0);
    put_otadata(0, 1, FMT_OTA_STATE_NEW);
    assert_int_equal(boot(), OTA(0));
    assert_int_equal(state_of(0), FMT_OTA_STATE_PENDING_VERIFY);
    assert_int_equal(boot(), FACTORY);
    assert_int_equal(state_of(0), FMT_OTA_STATE_ABORTED);
    assert_int_equal(boot(), FACTORY);
}

static void rollback_goes_to_the_slot_before(void **state)
{
    (void)state;
    put_app(OTA(0), 0);
    put_app(OTA(1), 0);
    put_otadata(0, 1, FMT_OTA_STATE_VALID);
    put_otadata(1, 2, FMT_OTA_STATE_PENDING_VERIFY);
    assert_int_equal(boot(), OTA(0));
    assert_int_equal(state_of(0), FMT_OTA_STATE_VALID);
    assert_int_equal(state_of(1), FMT_OTA_STATE_ABORTED);
}

#ifdef CONFIG_AIRLIFT_STRICT_COMPATIBILITY

static void a_cut_in_any_otadata_write_still_boots_something(void **state)
{
    for (unsigned operation = 1; operation <= OPERATIONS_OF_A_WRITE; operation++) {
        for (uint32_t percent = 0; percent <= 100; percent += 5) {
            new_board(state);
            put_app(OTA(0), 0);
            put_app(OTA(1), 0);
            put_otadata(0, 1, FMT_OTA_STATE_VALID);
            put_otadata(1, 2, FMT_OTA_STATE_NEW);
            linux_board_testing_cut(operation, LINUX_BOARD_CUT_INSIDE_PERCENT, percent);
            assert_int_equal(boot(), NOTHING);
            assert_true(cut);
            uint32_t offset = boot();
            assert_true(offset == OTA(0) || offset == OTA(1));
        }
    }
}

#else

/* Between the record and the app nothing else happens, so only a cut after all of it can cost the
 * app its boot. */
static void a_cut_before_the_first_boot_does_not_cost_a_new_app_its_chance(void **state)
{
    for (unsigned operation = 1; operation <= OPERATIONS_OF_A_WRITE; operation++) {
        for (uint32_t percent = 0; percent <= 100; percent += 5) {
            new_board(state);
            put_app(OTA(0), 0);
            put_app(OTA(1), 0);
            put_otadata(0, 1, FMT_OTA_STATE_VALID);
            put_otadata(1, 2, FMT_OTA_STATE_NEW);
            linux_board_testing_cut(operation, LINUX_BOARD_CUT_INSIDE_PERCENT, percent);
            assert_int_equal(boot(), NOTHING);
            assert_true(cut);
            /* The last operation ends the record: what is done is done. */
            bool over = operation == OPERATIONS_OF_A_WRITE;
            uint32_t offset = boot();
            assert_true(offset == OTA(1) || (over && offset == OTA(0)));
            if (offset == OTA(1)) {
                assert_int_equal(state_of(1), FMT_OTA_STATE_PENDING_VERIFY);
                assert_int_equal(boot(), OTA(0));
            }
            assert_int_equal(state_of(1), FMT_OTA_STATE_ABORTED);
        }
    }
}

static void a_cut_while_giving_up_an_app_never_starts_it_again(void **state)
{
    for (unsigned operation = 1; operation <= OPERATIONS_OF_A_WRITE; operation++) {
        for (uint32_t percent = 0; percent <= 100; percent += 5) {
            new_board(state);
            put_app(OTA(0), 0);
            put_app(OTA(1), 0);
            put_otadata(0, 1, FMT_OTA_STATE_VALID);
            put_otadata(1, 2, FMT_OTA_STATE_PENDING_VERIFY);
            linux_board_testing_cut(operation, LINUX_BOARD_CUT_INSIDE_PERCENT, percent);
            assert_int_equal(boot(), NOTHING);
            assert_true(cut);
            assert_int_equal(boot(), OTA(0));
            assert_int_equal(state_of(1), FMT_OTA_STATE_ABORTED);
            assert_int_equal(boot(), OTA(0));
        }
    }
}

static void a_healing_that_fails_does_not_stop_the_boot(void **state)
{
    for (uint64_t nth = 1; nth <= 4; nth++) {
        new_board(state);
        put_app(OTA(0), 0);
        put_app(OTA(1), 0);
        put_otadata(0, 1, FMT_OTA_STATE_VALID);
        put_otadata(1, 2, FMT_OTA_STATE_PENDING_VERIFY);
        linux_board_testing_cut(3, LINUX_BOARD_CUT_BEFORE, 0); /* the sector is erased */
        assert_int_equal(boot(), NOTHING);
        linux_board_testing_fail(LINUX_BOARD_FAULT_PROGRAM, nth, ESP_ERR_FLASH_OP_TIMEOUT);
        assert_int_equal(boot(), OTA(0));
        linux_board_testing_fail(LINUX_BOARD_FAULT_PROGRAM, 0, 0);
        assert_int_equal(boot(), OTA(0));
        assert_int_equal(state_of(1), FMT_OTA_STATE_ABORTED);
    }
}

#endif

#else

static void a_new_app_gets_its_boots_to_be_confirmed(void **state)
{
    (void)state;
    put_app(OTA(0), 0);
    put_otadata(0, 1, FMT_OTA_STATE_NEW);
    for (int i = 0; i < CONFIG_BOOTLOADER_ROLLBACK_ATTEMPTS; i++) {
        assert_int_equal(boot(), OTA(0));
        assert_int_equal(state_of(0), FMT_OTA_STATE_PENDING_VERIFY);
    }
    assert_int_equal(boot(), FACTORY);
    assert_int_equal(state_of(0), FMT_OTA_STATE_ABORTED);
    assert_int_equal(boot(), FACTORY);
}

static void a_cut_in_any_boot_of_an_unconfirmed_app_costs_at_most_that_boot(void **state)
{
    unsigned cuts = 0;
    for (unsigned at = 0; at <= CONFIG_BOOTLOADER_ROLLBACK_ATTEMPTS; at++) {
        for (unsigned operation = 1; operation <= OPERATIONS_OF_A_WRITE; operation++) {
            for (uint32_t percent = 0; percent <= 100; percent += 5) {
                new_board(state);
                put_app(OTA(0), 0);
                put_app(OTA(1), 0);
                put_otadata(0, 1, FMT_OTA_STATE_VALID);
                put_otadata(1, 2, FMT_OTA_STATE_NEW);
                unsigned starts = 0;
                for (unsigned i = 0; i < 2 * CONFIG_BOOTLOADER_ROLLBACK_ATTEMPTS; i++) {
                    if (i == at) {
                        linux_board_testing_cut(operation, LINUX_BOARD_CUT_INSIDE_PERCENT, percent);
                    }
                    uint32_t offset = boot();
                    linux_board_testing_cut(1, LINUX_BOARD_CUT_NEVER, 0);
                    cuts += cut;
                    starts += offset == OTA(1);
                    assert_true(offset == OTA(1) || offset == OTA(0) || cut);
                }
                assert_in_range(starts, CONFIG_BOOTLOADER_ROLLBACK_ATTEMPTS - 1,
                                CONFIG_BOOTLOADER_ROLLBACK_ATTEMPTS);
                assert_int_equal(state_of(1), FMT_OTA_STATE_ABORTED);
            }
        }
    }
    assert_int_equal(cuts, (4 + 1 + 1 + 4) * 21);
}

static void a_boot_that_cannot_be_counted_is_a_boot(void **state)
{
    (void)state;
    put_app(OTA(0), 0);
    put_otadata(0, 1, FMT_OTA_STATE_PENDING_VERIFY);
    linux_board_testing_fail(LINUX_BOARD_FAULT_PROGRAM, 1, ESP_ERR_FLASH_OP_TIMEOUT);
    assert_int_equal(boot(), OTA(0));
    assert_true(linux_board_testing_failed());
}

#endif

#elif !defined(CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE)

static void without_rollback_states_are_left_alone(void **state)
{
    (void)state;
    put_app(OTA(0), 0);
    put_otadata(0, 1, FMT_OTA_STATE_NEW);
    assert_int_equal(boot(), OTA(0));
    put_otadata(0, 1, FMT_OTA_STATE_PENDING_VERIFY);
    assert_int_equal(boot(), OTA(0));
    assert_int_equal(linux_board_testing_state()->operations, 0);
}

#endif

#ifdef CONFIG_BOOTLOADER_APP_ANTI_ROLLBACK

static unsigned burnt_at(uint32_t partition)
{
    unsigned count = 0;
    for (unsigned bit = 142; bit < 158; bit++) {
        count += (flash()[partition + bit / 8] >> (bit % 8)) & 1u;
    }
    return count;
}

static unsigned burnt(void)
{
    return burnt_at(EFUSES);
}

static void put_fuses_at(uint32_t partition, unsigned version)
{
    memset(flash() + partition, 0xFF, 0x2000);
    memset(flash() + partition, 0, 352);
    for (unsigned bit = 142; bit < 142 + version; bit++) {
        flash()[partition + bit / 8] |= (uint8_t)(1u << (bit % 8));
    }
}

static void put_fuses(unsigned version)
{
    put_fuses_at(EFUSES, version);
}

static int anti_rollback_board(void **state)
{
    new_board(state);
    put_table(WITH_OTA | WITH_OTADATA | WITH_EFUSE);
    put_app(OTA(0), 1);
    put_app(OTA(1), 2);
    return 0;
}

static void the_first_boot_takes_any_slot_and_raises_the_version(void **state)
{
    (void)state;
    assert_int_equal(boot(), OTA(0));
    assert_int_equal(state_of(0), FMT_OTA_STATE_VALID);
    assert_int_equal(burnt(), 1);
}

static void an_older_version_is_never_started_again(void **state)
{
    (void)state;
    put_otadata(0, 1, FMT_OTA_STATE_VALID);
    put_otadata(1, 2, FMT_OTA_STATE_VALID);
    assert_int_equal(boot(), OTA(1));
    assert_int_equal(burnt(), 2);
    put_otadata(1, 2, FMT_OTA_STATE_INVALID);
    assert_int_equal(boot(), OTA(1));
    flash()[OTA(1) + 5000] ^= 1;
    assert_gives_up();
    assert_int_equal(burnt(), 2);
}

static void an_unconfirmed_app_does_not_raise_the_version(void **state)
{
    (void)state;
    put_otadata(0, 1, FMT_OTA_STATE_VALID);
    assert_int_equal(boot(), OTA(0));
    put_otadata(1, 2, FMT_OTA_STATE_NEW);
    assert_int_equal(boot(), OTA(1));
    assert_int_equal(burnt(), 1);
    assert_int_equal(boot(), OTA(0));
}

static void a_version_beyond_the_fuses_is_not_written(void **state)
{
    (void)state;
    put_app(OTA(0), 17);
    put_otadata(0, 1, FMT_OTA_STATE_VALID);
    assert_int_equal(boot(), OTA(0));
    assert_int_equal(burnt(), 0);
}

static void only_a_confirmed_record_raises_the_version(void **state)
{
    (void)state;
    put_otadata(1, 2, FMT_OTA_STATE_UNDEFINED);
    assert_int_equal(boot(), OTA(1));
    assert_int_equal(burnt(), 0);
    put_otadata(1, 2, 77);
    assert_int_equal(boot(), OTA(1));
    assert_int_equal(burnt(), 0);
    put_otadata(1, 2, FMT_OTA_STATE_VALID);
    assert_int_equal(boot(), OTA(1));
    assert_int_equal(burnt(), 2);
}

static void records_of_older_apps_do_not_count_in_the_choice(void **state)
{
    (void)state;
    put_fuses(2);
    put_app(OTA(0), 2);
    put_app(OTA(1), 1);
    put_otadata(0, 1, FMT_OTA_STATE_VALID);
    put_otadata(1, 2, FMT_OTA_STATE_NEW);
    assert_int_equal(boot(), OTA(0));
    /* It was not chosen: its state stays. */
    assert_int_equal(state_of(1), FMT_OTA_STATE_NEW);
    /* No descriptor is as bad as an old one. */
    memset(flash() + OTA(1), 0xFF, SLOT_SIZE);
    assert_int_equal(boot(), OTA(0));
    assert_int_equal(state_of(1), FMT_OTA_STATE_NEW);
}

static void without_a_usable_record_the_slots_are_tried_and_nothing_is_recorded(void **state)
{
    (void)state;
    memset(flash() + OTA(0), 0xFF, SLOT_SIZE);
    put_otadata(0, 1, FMT_OTA_STATE_VALID);
    assert_int_equal(boot(), OTA(1));
    assert_int_equal(burnt(), 0);
    assert_int_equal(state_of(0), FMT_OTA_STATE_VALID);
}

static void the_first_boot_passes_over_slots_that_are_too_old(void **state)
{
    (void)state;
    put_fuses(2);
    /* A wrong CRC is as good as blank. */
    put_otadata(1, 1, FMT_OTA_STATE_VALID);
    flash()[OTADATA + FMT_OTADATA_SECTOR + 28] ^= 1;
    assert_int_equal(boot(), OTA(1));
    fmt_otadata_entry_t entry;
    fmt_otadata_decode(flash() + OTADATA, &entry);
    assert_int_equal(entry.seq, 2);
    assert_int_equal(entry.state, FMT_OTA_STATE_VALID);
    assert_int_equal(burnt(), 2);
}

static void factory_and_test_app_must_be_new_enough_too(void **state)
{
    (void)state;
    put_table(WITH_FACTORY | WITH_OTA | WITH_TEST | WITH_OTADATA | WITH_EFUSE);
    put_fuses(3);
    put_app(FACTORY, 2);
    put_app(TEST_APP, 2);
    assert_gives_up();
    put_app(TEST_APP, 3);
    assert_int_equal(boot(), TEST_APP);
    put_app(FACTORY, 3);
    assert_int_equal(boot(), FACTORY);
    assert_int_equal(burnt(), 3);
}

/* A damaged image loses its record; one that is whole and too old does not. */
static void after_a_fallback_only_damaged_apps_are_marked(void **state)
{
    (void)state;
    put_app(OTA(2), 2);
    put_otadata(0, 1, FMT_OTA_STATE_VALID);
    put_otadata(1, 2, FMT_OTA_STATE_UNDEFINED);
    flash()[OTA(1) + 5000] ^= 1;
    assert_int_equal(boot(), OTA(0));
    assert_int_equal(state_of(0), FMT_OTA_STATE_VALID);
    assert_int_equal(state_of(1), FMT_OTA_STATE_INVALID);
    put_fuses(2);
    put_otadata(1, 2, FMT_OTA_STATE_UNDEFINED);
    assert_int_equal(boot(), OTA(2));
    assert_int_equal(state_of(0), FMT_OTA_STATE_VALID);
    fmt_otadata_entry_t entry;
    fmt_otadata_decode(flash() + OTADATA + FMT_OTADATA_SECTOR, &entry);
    assert_int_equal(entry.seq, 3);
}

/* As an update leaves it that was cut off while it overwrote the confirmed slot. */
static void a_damaged_app_burns_nothing_whatever_version_it_claims(void **state)
{
    (void)state;
    put_app(OTA(1), 9);
    flash()[OTA(1) + 5000] ^= 1;
    put_otadata(0, 1, FMT_OTA_STATE_VALID);
    put_otadata(1, 2, FMT_OTA_STATE_VALID);
    assert_int_equal(boot(), OTA(0));
    assert_int_equal(burnt(), 0);
    assert_int_equal(boot(), OTA(0));
}

static void without_fuses_to_burn_boot_goes_on(void **state)
{
    (void)state;
    put_otadata(0, 1, FMT_OTA_STATE_VALID);
    put_table(WITH_OTA | WITH_OTADATA);
    assert_int_equal(boot(), OTA(0));
    put_table(WITH_OTA | WITH_OTADATA | WITH_SMALL_EFUSE);
    assert_int_equal(boot(), OTA(0));
    assert_int_equal(linux_board_testing_state()->operations, 0);
    /* One sector is read all the same. */
    put_fuses(2);
    assert_int_equal(boot(), OTA(1));
    assert_int_equal(linux_board_testing_state()->operations, 0);
}

static void of_two_partitions_of_fuses_the_first_counts(void **state)
{
    (void)state;
    put_table(WITH_OTA | WITH_OTADATA | WITH_EFUSE | WITH_SECOND_EFUSE);
    put_fuses_at(EFUSES_2, 9);
    put_otadata(0, 1, FMT_OTA_STATE_VALID);
    assert_int_equal(boot(), OTA(0));
    assert_int_equal(burnt(), 1);
    assert_int_equal(burnt_at(EFUSES_2), 9);
}

static void a_cut_in_a_version_step_never_lowers_the_version_and_never_stops_the_boot(void **state)
{
    for (uint32_t percent = 0; percent <= 100; percent += 4) {
        for (uint64_t operation = 1;; operation++) {
            anti_rollback_board(state);
            linux_board_testing_state()->seed = percent + 1;
            put_fuses(1);
            put_otadata(0, 1, FMT_OTA_STATE_VALID);
            put_otadata(1, 2, FMT_OTA_STATE_VALID);
            linux_board_testing_cut(operation, LINUX_BOARD_CUT_INSIDE_PERCENT, percent);
            (void)boot();
            if (!cut) {
                assert_int_equal(started, OTA(1));
                assert_int_equal(operation, 7);
                break;
            }
            assert_int_equal(boot(), OTA(1));
            assert_int_equal(burnt(), 2);
        }
    }
}

static void a_cut_anywhere_in_the_first_boot_of_all_is_made_good(void **state)
{
    for (uint32_t percent = 0; percent <= 100; percent += 5) {
        for (uint64_t operation = 1;; operation++) {
            anti_rollback_board(state);
            linux_board_testing_state()->seed = percent + 1;
            linux_board_testing_cut(operation, LINUX_BOARD_CUT_INSIDE_PERCENT, percent);
            (void)boot();
            if (!cut) {
                assert_true(operation > 12); /* fuses made, record written, fuse burnt */
                break;
            }
            assert_int_equal(boot(), OTA(0));
            assert_int_equal(state_of(0), FMT_OTA_STATE_VALID);
            assert_int_equal(burnt(), 1);
        }
    }
}

static void a_flash_operation_that_fails_in_a_version_step_does_not_stop_the_boot(void **state)
{
    for (uint64_t nth = 1;; nth++) {
        anti_rollback_board(state);
        put_fuses(1);
        put_otadata(1, 2, FMT_OTA_STATE_VALID);
        linux_board_testing_fail(nth % 2 == 0 ? LINUX_BOARD_FAULT_ERASE : LINUX_BOARD_FAULT_PROGRAM,
                                 (nth + 1) / 2, ESP_ERR_FLASH_OP_TIMEOUT);
        assert_int_equal(boot(), OTA(1));
        if (!linux_board_testing_failed()) {
            assert_true(nth > 6);
            break;
        }
        assert_int_equal(boot(), OTA(1));
        assert_int_equal(burnt(), 2);
    }
}

#endif

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, new_board)
    const struct CMUnitTest tests[] = {
#ifndef CONFIG_BOOTLOADER_APP_ANTI_ROLLBACK
        TEST(blank_otadata_means_factory),
        TEST(otadata_selects_each_slot),
        TEST(a_bad_slot_falls_to_lower_ones_then_factory_then_higher_ones_then_test),
        TEST(every_flipped_bit_of_an_image_is_noticed),
        TEST(an_image_cut_anywhere_is_noticed),
        TEST(without_otadata_partition_factory_boots),
        TEST(without_factory_the_first_slot_is_recorded_once),
        TEST(a_cut_while_the_first_slot_is_recorded_harms_nothing),
        TEST(a_failed_otadata_write_does_not_stop_the_boot),
        TEST(a_read_that_fails_never_starts_something_unverified),
        TEST(a_bad_table_or_a_foreign_bootloader_header_gives_up),
        TEST(a_header_that_promises_more_flash_than_there_is_does_not_matter),
        TEST(any_otadata_whatever_boots_something),
#ifdef CONFIG_AIRLIFT_STRICT_COMPATIBILITY
        TEST(the_damaged_app_is_tried_at_each_boot_and_nothing_is_written),
        TEST(only_the_first_32_bytes_of_a_sector_are_written_and_records_are_not_seen),
#else
        TEST(after_a_fallback_the_record_of_the_damaged_app_is_invalid),
        TEST(after_a_fallback_the_app_that_runs_has_the_record_in_force),
        TEST(a_rejected_app_that_is_all_there_is_counts_again),
        TEST(a_slot_that_starts_because_factory_is_damaged_has_the_record),
        TEST(an_app_that_could_not_be_read_keeps_its_record),
        TEST(a_cut_anywhere_after_a_fallback_starts_the_same_app_again),
#endif
#ifdef CONFIG_BOOTLOADER_FACTORY_RESET
        TEST(a_cut_in_a_factory_reset_leaves_the_old_choice_or_factory),
#endif
#endif
#if defined(CONFIG_BOOTLOADER_APP_ANTI_ROLLBACK)
        cmocka_unit_test_setup(the_first_boot_takes_any_slot_and_raises_the_version,
                               anti_rollback_board),
        cmocka_unit_test_setup(an_older_version_is_never_started_again, anti_rollback_board),
        cmocka_unit_test_setup(an_unconfirmed_app_does_not_raise_the_version, anti_rollback_board),
        cmocka_unit_test_setup(a_version_beyond_the_fuses_is_not_written, anti_rollback_board),
        cmocka_unit_test_setup(only_a_confirmed_record_raises_the_version, anti_rollback_board),
        cmocka_unit_test_setup(records_of_older_apps_do_not_count_in_the_choice,
                               anti_rollback_board),
        cmocka_unit_test_setup(without_a_usable_record_the_slots_are_tried_and_nothing_is_recorded,
                               anti_rollback_board),
        cmocka_unit_test_setup(the_first_boot_passes_over_slots_that_are_too_old,
                               anti_rollback_board),
        cmocka_unit_test_setup(factory_and_test_app_must_be_new_enough_too, anti_rollback_board),
        cmocka_unit_test_setup(after_a_fallback_only_damaged_apps_are_marked, anti_rollback_board),
        cmocka_unit_test_setup(a_damaged_app_burns_nothing_whatever_version_it_claims,
                               anti_rollback_board),
        cmocka_unit_test_setup(without_fuses_to_burn_boot_goes_on, anti_rollback_board),
        cmocka_unit_test_setup(of_two_partitions_of_fuses_the_first_counts, anti_rollback_board),
        cmocka_unit_test_setup(
            a_cut_in_a_version_step_never_lowers_the_version_and_never_stops_the_boot,
            anti_rollback_board),
        cmocka_unit_test_setup(a_cut_anywhere_in_the_first_boot_of_all_is_made_good,
                               anti_rollback_board),
        cmocka_unit_test_setup(
            a_flash_operation_that_fails_in_a_version_step_does_not_stop_the_boot,
            anti_rollback_board),
#elif defined(CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE)
#if CONFIG_BOOTLOADER_ROLLBACK_ATTEMPTS > 1
        TEST(a_new_app_gets_its_boots_to_be_confirmed),
        TEST(a_cut_in_any_boot_of_an_unconfirmed_app_costs_at_most_that_boot),
        TEST(a_boot_that_cannot_be_counted_is_a_boot),
#else
        TEST(a_new_app_gets_one_boot_to_be_confirmed),
        TEST(rollback_goes_to_the_slot_before),
#ifdef CONFIG_AIRLIFT_STRICT_COMPATIBILITY
        TEST(a_cut_in_any_otadata_write_still_boots_something),
#else
        TEST(a_cut_before_the_first_boot_does_not_cost_a_new_app_its_chance),
        TEST(a_cut_while_giving_up_an_app_never_starts_it_again),
        TEST(a_healing_that_fails_does_not_stop_the_boot),
#endif
#endif
#else
        TEST(without_rollback_states_are_left_alone),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
