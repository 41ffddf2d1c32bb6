/* SPDX-License-Identifier: Apache-2.0
 *
 * The NOR driver against a chip model that forgives nothing: what the emulator lets pass and a real
 * chip does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "nor.h"

/* --- the chip --- */

#define WIP 0x01u
#define WEL 0x02u

static struct {
    uint8_t *cells;
    uint32_t size;
    uint8_t id[3];
    uint8_t status;
    unsigned busy_reads; /* status reads until the running operation is over */
    unsigned busy_for;   /* how many each operation takes */
    bool selected;
    bool reset_enabled;
    bool four_byte_mode;
    bool asleep;
    bool protected; /* write enable is ignored */
    bool stuck;     /* never gets ready */
    bool absent;    /* the line is open */
    uint32_t in_op; /* bytes since select */
    uint8_t head[8];
    uint8_t page[256]; /* data of a program */
    uint32_t page_len;
    unsigned erases, programs, reads;
    uint64_t now;
    int fail_transfer; /* that transfer from now on hangs; 0: none */
} chip;

static unsigned address_bytes(uint8_t opcode)
{
    switch (opcode) {
    case 0x0C:
    case 0x12:
    case 0x21:
    case 0xDC:
        return 4;
    case 0x0B:
    case 0x02:
    case 0x20:
    case 0xD8:
        return chip.four_byte_mode ? 4 : 3;
    default:
        return 0;
    }
}

static uint32_t address_of(void)
{
    uint32_t address = 0;
    for (unsigned i = 0; i < address_bytes(chip.head[0]); i++) {
        address = address << 8 | chip.head[1 + i];
    }
    return address;
}

static bool is_busy(void)
{
    return (chip.status & WIP) != 0;
}

static void start_operation(void)
{
    chip.status &= (uint8_t)~WEL;
    if (chip.busy_for > 0 || chip.stuck) {
        chip.status |= WIP;
        chip.busy_reads = chip.busy_for;
    }
}

static uint8_t answer(uint8_t sent)
{
    uint8_t opcode = chip.head[0];
    uint32_t at = chip.in_op - 1;

    if (chip.absent || (chip.asleep && opcode != 0xAB)) {
        return 0xFF;
    }
    if (opcode == 0x05) {
        uint8_t status = chip.status;
        if (is_busy() && !chip.stuck && chip.busy_reads-- == 0) {
            chip.status &= (uint8_t)~WIP;
            status = chip.status;
        }
        return at >= 1 ? status : 0;
    }
    if (opcode == 0xAB) {
        return 0; /* harmless at any time */
    }
    assert_false(is_busy()); /* a busy chip must be asked for its status only */
    if (opcode == 0x9F) {
        return at >= 1 && at <= 3 ? chip.id[at - 1] : 0;
    }
    unsigned head_len = 1 + address_bytes(opcode);
    if (opcode == 0x0B || opcode == 0x0C) {
        head_len++;
        if (at >= head_len) {
            uint32_t address = address_of() + (at - head_len);
            assert_true(address < chip.size); /* no wrapping round */
            return chip.cells[address];
        }
    }
    if ((opcode == 0x02 || opcode == 0x12) && at >= head_len) {
        assert_true(chip.page_len < 256);
        chip.page[chip.page_len++] = sent;
    }
    return 0;
}

static void finish_command(void)
{
    uint8_t opcode = chip.head[0];
    uint32_t address = address_of();
    bool enabled = (chip.status & WEL) != 0;

    if (chip.in_op == 0 || chip.absent || (chip.asleep && opcode != 0xAB)) {
        return;
    }
    switch (opcode) {
    case 0xAB:
        chip.asleep = false;
        break;
    case 0x06:
        assert_false(is_busy());
        if (!chip.protected) {
            chip.status |= WEL;
        }
        break;
    case 0x66:
        break;
    case 0x99:
        assert_true(chip.reset_enabled);
        chip.four_byte_mode = false;
        chip.status = 0;
        break;
    case 0x02:
    case 0x12:
        assert_true(enabled);
        if (chip.page_len == 0) {
            break; /* the bus failed before the data: nothing to program */
        }
        assert_true(address % 256 + chip.page_len <= 256); /* no page wrap */
        assert_true(address + chip.page_len <= chip.size);
        for (uint32_t i = 0; i < chip.page_len; i++) {
            chip.cells[address + i] &= chip.page[i];
        }
        chip.programs++;
        start_operation();
        break;
    case 0x20:
    case 0x21:
    case 0xD8:
    case 0xDC: {
        uint32_t unit = opcode == 0x20 || opcode == 0x21 ? 4096 : 65536;
        assert_true(enabled);
        assert_int_equal(chip.in_op, 1 + address_bytes(opcode));
        assert_int_equal(address % unit, 0);
        assert_true(address + unit <= chip.size);
        memset(chip.cells + address, 0xFF, unit);
        chip.erases++;
        start_operation();
        break;
    }
    case 0x0B:
    case 0x0C:
        chip.reads++;
        break;
    case 0x05:
    case 0x9F:
        break;
    default:
        fail_msg("the driver sent opcode 0x%02x", opcode);
    }
    chip.reset_enabled = opcode == 0x66;
}

static void bus_select(bool on)
{
    assert_int_not_equal(chip.selected, on);
    chip.selected = on;
    if (on) {
        chip.in_op = 0;
        chip.page_len = 0;
        memset(chip.head, 0, sizeof(chip.head));
    } else {
        finish_command();
    }
}

static bool bus_transfer(const uint8_t *tx, uint8_t *rx, size_t len)
{
    assert_true(chip.selected);
    if (chip.fail_transfer > 0 && --chip.fail_transfer == 0) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        uint8_t sent = tx != NULL ? tx[i] : 0;
        if (chip.in_op < sizeof(chip.head)) {
            chip.head[chip.in_op] = sent;
        }
        chip.in_op++;
        uint8_t got = answer(sent);
        if (rx != NULL) {
            rx[i] = got;
        }
    }
    return true;
}

static uint64_t bus_now(void)
{
    return chip.now += 100;
}

static const nor_bus_t bus = {.select = bus_select, .transfer = bus_transfer, .now_us = bus_now};

static nor_t nor;

static void new_chip(uint8_t capacity)
{
    free(chip.cells);
    memset(&chip, 0, sizeof(chip));
    chip.size = 1u << capacity;
    chip.cells = malloc(chip.size);
    assert_non_null(chip.cells);
    memset(chip.cells, 0xFF, chip.size);
    chip.id[0] = 0x9D;
    chip.id[1] = 0x70;
    chip.id[2] = capacity;
    chip.busy_for = 3;
}

static int set_up(void **state)
{
    (void)state;
    new_chip(25);
    assert_int_equal(nor_init(&nor, &bus), ESP_OK);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    free(chip.cells);
    chip.cells = NULL;
    return 0;
}

/* --- tests --- */

static void test_size_comes_from_the_id(void **state)
{
    (void)state;
    for (uint8_t capacity = 20; capacity <= 27; capacity++) {
        new_chip(capacity);
        assert_int_equal(nor_init(&nor, &bus), ESP_OK);
        assert_int_equal(nor.size, 1u << capacity);
        assert_int_equal(nor.id, 0x9D7000u | capacity);
    }
}

static void test_chips_of_no_known_size_are_refused(void **state)
{
    static const uint8_t ids[][3] = {
        {0, 0, 0}, {0xFF, 0xFF, 0xFF}, {0x9D, 0x70, 19}, {0x9D, 0x70, 28}, {0x9D, 0x70, 0xFF}};
    (void)state;
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        memcpy(chip.id, ids[i], 3);
        chip.absent = ids[i][0] == 0xFF;
        assert_int_equal(nor_init(&nor, &bus), ESP_ERR_FLASH_UNSUPPORTED_CHIP);
        assert_int_equal(nor.size, 0);
        uint8_t byte;
        assert_int_equal(nor_read(&nor, 0, &byte, 1), ESP_ERR_INVALID_ARG);
    }
}

static void test_init_finds_a_chip_in_any_state_a_reset_leaves_it_in(void **state)
{
    (void)state;
    chip.four_byte_mode = true;
    chip.asleep = true;
    chip.status = WEL;
    assert_int_equal(nor_init(&nor, &bus), ESP_OK);
    assert_false(chip.four_byte_mode);
    assert_int_equal(chip.status, 0);
    /* Reset in the middle of an erase. */
    chip.status = WIP;
    chip.busy_reads = 100;
    assert_int_equal(nor_init(&nor, &bus), ESP_OK);
    assert_int_equal(nor.size, 1u << 25);
}

static void test_program_splits_at_pages_and_keeps_neighbours(void **state)
{
    uint8_t data[1000];
    (void)state;
    for (size_t i = 0; i < sizeof(data); i++) {
        data[i] = (uint8_t)(i * 13 + 1);
    }
    for (uint32_t offset = 0x1000F8; offset < 0x100108; offset++) {
        memset(chip.cells + 0x100000, 0xFF, 4096);
        chip.programs = 0;
        assert_int_equal(nor_program(&nor, offset, data, sizeof(data)), ESP_OK);
        assert_memory_equal(chip.cells + offset, data, sizeof(data));
        assert_int_equal(chip.cells[offset - 1], 0xFF);
        assert_int_equal(chip.cells[offset + sizeof(data)], 0xFF);
        uint32_t pages = (offset + sizeof(data) - 1) / 256 - offset / 256 + 1;
        assert_int_equal(chip.programs, pages);
    }
}

static void test_reads_at_any_address_even_across_16_mib(void **state)
{
    uint8_t out[64];
    (void)state;
    for (uint32_t i = 0; i < 64; i++) {
        chip.cells[0xFFFFE0 + i] = (uint8_t)(i + 1);
    }
    assert_int_equal(nor_read(&nor, 0xFFFFE0, out, sizeof(out)), ESP_OK);
    assert_memory_equal(out, chip.cells + 0xFFFFE0, sizeof(out));
    assert_int_equal(nor_read(&nor, chip.size - 64, out, 64), ESP_OK);
    assert_int_equal(nor_read(&nor, 5, out, 0), ESP_OK);
    assert_int_equal(nor_read(&nor, chip.size, out, 0), ESP_OK);
}

static void test_programs_and_erases_beyond_16_mib(void **state)
{
    uint8_t data[300];
    (void)state;
    memset(data, 0x5A, sizeof(data));
    assert_int_equal(nor_program(&nor, 0xFFFF90, data, sizeof(data)), ESP_OK);
    assert_memory_equal(chip.cells + 0xFFFF90, data, sizeof(data));
    assert_int_equal(chip.cells[0], 0xFF);
    assert_int_equal(nor_erase_sector(&nor, 0x1000000), ESP_OK);
    assert_int_equal(chip.cells[0x1000000], 0xFF);
    assert_int_equal(chip.cells[0xFFFFFF], 0x5A);
    assert_int_equal(nor_erase_block(&nor, 0xFF0000), ESP_OK);
    assert_int_equal(chip.cells[0xFFFFFF], 0xFF);
}

static void test_bad_ranges_reach_no_chip(void **state)
{
    uint8_t byte = 0;
    (void)state;
    chip.reads = chip.erases = chip.programs = 0;
    assert_int_equal(nor_read(&nor, chip.size, &byte, 1), ESP_ERR_INVALID_ARG);
    assert_int_equal(nor_read(&nor, chip.size - 1, &byte, 2), ESP_ERR_INVALID_ARG);
    assert_int_equal(nor_read(&nor, UINT32_MAX, &byte, 1), ESP_ERR_INVALID_ARG);
    assert_int_equal(nor_read(&nor, 1, &byte, SIZE_MAX), ESP_ERR_INVALID_ARG);
    assert_int_equal(nor_program(&nor, chip.size - 1, &byte, 2), ESP_ERR_INVALID_ARG);
    assert_int_equal(nor_erase_sector(&nor, 1), ESP_ERR_INVALID_ARG);
    assert_int_equal(nor_erase_sector(&nor, chip.size), ESP_ERR_INVALID_ARG);
    assert_int_equal(nor_erase_block(&nor, 4096), ESP_ERR_INVALID_ARG);
    assert_int_equal(nor_erase_block(&nor, chip.size), ESP_ERR_INVALID_ARG);
    assert_int_equal(chip.reads + chip.erases + chip.programs, 0);
}

static void test_a_busy_chip_is_waited_for(void **state)
{
    uint8_t data[512] = {0};
    (void)state;
    chip.busy_for = 400; /* of 100 us each, and some */
    assert_int_equal(nor_erase_sector(&nor, 0), ESP_OK);
    assert_false(is_busy());
    chip.busy_for = 30;
    assert_int_equal(nor_program(&nor, 0, data, sizeof(data)), ESP_OK);
    assert_false(is_busy());
}

static void test_a_chip_that_stays_busy_times_out(void **state)
{
    uint8_t byte = 0;
    (void)state;
    chip.stuck = true;
    assert_int_equal(nor_erase_sector(&nor, 0), ESP_ERR_FLASH_OP_TIMEOUT);
    chip.status = 0;
    assert_int_equal(nor_erase_block(&nor, 0), ESP_ERR_FLASH_OP_TIMEOUT);
    chip.status = 0;
    assert_int_equal(nor_program(&nor, 0, &byte, 1), ESP_ERR_FLASH_OP_TIMEOUT);
}

static void test_a_protected_chip_is_an_error_not_silence(void **state)
{
    uint8_t byte = 0;
    (void)state;
    chip.protected = true;
    assert_int_equal(nor_program(&nor, 0, &byte, 1), ESP_ERR_FLASH_OP_FAIL);
    assert_int_equal(nor_erase_sector(&nor, 0), ESP_ERR_FLASH_OP_FAIL);
    assert_int_equal(nor_erase_block(&nor, 0), ESP_ERR_FLASH_OP_FAIL);
}

static void test_a_hanging_bus_is_an_error_and_releases_the_chip(void **state)
{
    uint8_t data[600] = {0};
    (void)state;
    for (int at = 1; at <= 20; at++) {
        chip.fail_transfer = at;
        esp_err_t err = nor_program(&nor, 0, data, sizeof(data));
        assert_true(err == ESP_OK || err == ESP_ERR_FLASH_OP_TIMEOUT);
        assert_false(chip.selected);
        chip.fail_transfer = 0;
        chip.status = 0;
    }
    chip.fail_transfer = 1;
    assert_int_equal(nor_read(&nor, 0, data, 1), ESP_ERR_FLASH_OP_TIMEOUT);
    assert_false(chip.selected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_size_comes_from_the_id),
        cmocka_unit_test(test_chips_of_no_known_size_are_refused),
        cmocka_unit_test_setup(test_init_finds_a_chip_in_any_state_a_reset_leaves_it_in, set_up),
        cmocka_unit_test_setup(test_program_splits_at_pages_and_keeps_neighbours, set_up),
        cmocka_unit_test_setup(test_reads_at_any_address_even_across_16_mib, set_up),
        cmocka_unit_test_setup(test_programs_and_erases_beyond_16_mib, set_up),
        cmocka_unit_test_setup(test_bad_ranges_reach_no_chip, set_up),
        cmocka_unit_test_setup(test_a_busy_chip_is_waited_for, set_up),
        cmocka_unit_test_setup(test_a_chip_that_stays_busy_times_out, set_up),
        cmocka_unit_test_setup(test_a_protected_chip_is_an_error_not_silence, set_up),
        cmocka_unit_test_setup(test_a_hanging_bus_is_an_error_and_releases_the_chip, set_up),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
