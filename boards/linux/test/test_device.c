/* SPDX-License-Identifier: Apache-2.0
 *
 * The rest of the linux board's device side: pins, reset, clock, SHA-256 engine, loader, network.
 */
#include <arpa/inet.h>
#include <elf.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "cable.h"
#include "hal/chip.h"
#include "hal/clock.h"
#include "hal/flash.h"
#include "hal/gpio.h"
#include "hal/loader.h"
#include "hal/network.h"
#include "hal/random.h"
#include "hal/reset.h"
#include "hal/sha256.h"
#include "linux_board/testing.h"

static int new_board(void **state)
{
    (void)state;
    linux_board_testing_reset(LINUX_BOARD_MIN_FLASH);
    return 0;
}

static void drive(unsigned pin, linux_board_drive_t level)
{
    atomic_store(&linux_board_testing_state()->pins[pin].drive, (uint8_t)level);
}

static void a_pin_reads_its_driver_then_its_output_then_its_pull(void **state)
{
    (void)state;
    assert_int_equal(hal_gpio_get(3), 0);
    assert_int_equal(hal_gpio_configure(3, true, false, HAL_GPIO_PULL_UP), ESP_OK);
    assert_int_equal(hal_gpio_get(3), 1);
    drive(3, LINUX_BOARD_DRIVE_LOW);
    assert_int_equal(hal_gpio_get(3), 0);
    drive(3, LINUX_BOARD_DRIVE_NONE);
    assert_int_equal(hal_gpio_configure(3, true, true, HAL_GPIO_PULL_UP), ESP_OK);
    assert_int_equal(hal_gpio_set(3, 0), ESP_OK);
    assert_int_equal(hal_gpio_get(3), 0);
    assert_int_equal(hal_gpio_set(3, 5), ESP_OK);
    assert_int_equal(hal_gpio_get(3), 1);
    assert_int_equal(hal_gpio_configure(3, true, false, HAL_GPIO_PULL_DOWN), ESP_OK);
    assert_int_equal(hal_gpio_get(3), 0);
    drive(3, LINUX_BOARD_DRIVE_HIGH);
    assert_int_equal(hal_gpio_get(3), 1);
    assert_int_equal(hal_gpio_configure(3, false, false, HAL_GPIO_PULL_UP), ESP_OK);
    assert_int_equal(hal_gpio_get(3), 0);
}

static void pins_that_do_not_exist_are_refused(void **state)
{
    (void)state;
    unsigned none = hal_gpio_count();
    assert_int_equal(hal_gpio_configure(none, true, false, HAL_GPIO_PULL_UP), ESP_ERR_INVALID_ARG);
    assert_int_equal(hal_gpio_set(none, 1), ESP_ERR_INVALID_ARG);
    assert_int_equal(hal_gpio_get(none), 0);
}

static jmp_buf away;
static hal_reset_reason_t seen_reason;

static void on_reset(hal_reset_reason_t reason, void *arg)
{
    (void)arg;
    seen_reason = reason;
    longjmp(away, 1);
}

static void a_reset_keeps_retain_memory_and_tells_its_reason(void **state)
{
    (void)state;
    assert_int_equal(hal_reset_reason(), HAL_RESET_POWERON);
    uint8_t *memory = hal_reset_retain_memory();
    for (unsigned i = 0; i < HAL_RETAIN_SIZE; i++) {
        assert_int_equal(memory[i], 0);
    }
    memory[5] = 7;
    assert_int_equal(hal_gpio_configure(3, true, false, HAL_GPIO_PULL_UP), ESP_OK);
    linux_board_testing_on_reset(on_reset, NULL);
    if (setjmp(away) == 0) {
        hal_reset(HAL_RESET_PANIC);
    }
    assert_int_equal(seen_reason, HAL_RESET_PANIC);
    linux_board_testing_reboot(seen_reason);
    assert_int_equal(hal_reset_reason(), HAL_RESET_PANIC);
    assert_int_equal(((uint8_t *)hal_reset_retain_memory())[5], 7);
    assert_int_equal(hal_gpio_get(3), 0);
    linux_board_testing_power_on();
    assert_int_equal(hal_reset_reason(), HAL_RESET_POWERON);
    assert_int_equal(((uint8_t *)hal_reset_retain_memory())[5], 0);
}

static void the_clock_starts_at_reset_and_only_goes_on(void **state)
{
    (void)state;
    uint64_t last = hal_clock_us();
    assert_true(last < 10000000);
    hal_clock_spin_us(2000);
    assert_true(hal_clock_us() >= last + 2000);
    for (int i = 0; i < 1000; i++) {
        uint64_t now = hal_clock_us();
        assert_true(now >= last);
        last = now;
    }
}

static void random_bytes_are_not_repeated(void **state)
{
    (void)state;
    uint8_t a[32] = {0}, b[32] = {0};
    hal_random_fill(a, sizeof(a));
    hal_random_fill(b, sizeof(b));
    assert_memory_not_equal(a, b, sizeof(a));
    hal_random_fill(a, 0);
}

static void the_chip_is_the_linux_boards(void **state)
{
    (void)state;
    assert_int_equal(hal_chip()->id, FMT_CHIP_ID_LINUX);
    assert_true(hal_chip_revision() <= hal_chip()->rev_max);
}

static void the_sha256_engine_agrees_with_the_published_digests(void **state)
{
    (void)state;
    /* FIPS 180-4 example: "abc". */
    uint32_t words[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                         0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    uint8_t block[64] = {'a', 'b', 'c', 0x80, [63] = 24};
    if (!hal_sha256_compress(words, block, 1)) {
        skip();
    }
    const uint32_t expected[8] = {0xba7816bf, 0x8f01cfea, 0x414140de, 0x5dae2223,
                                  0xb00361a3, 0x96177a9c, 0xb410ff61, 0xf20015ad};
    assert_memory_equal(words, expected, sizeof(words));
}

static void the_sha256_engine_takes_many_blocks_like_one_after_the_other(void **state)
{
    (void)state;
    uint8_t blocks[64 * 7 + 1];
    uint32_t at_once[8], one_by_one[8];
    hal_random_fill(blocks, sizeof(blocks));
    hal_random_fill(at_once, sizeof(at_once));
    memcpy(one_by_one, at_once, sizeof(at_once));
    /* From an odd address. */
    if (!hal_sha256_compress(at_once, blocks + 1, 7)) {
        skip();
    }
    for (int i = 0; i < 7; i++) {
        assert_true(hal_sha256_compress(one_by_one, blocks + 1 + 64 * i, 1));
    }
    assert_memory_equal(at_once, one_by_one, sizeof(at_once));
    assert_true(hal_sha256_compress(at_once, NULL, 0));
    assert_memory_equal(at_once, one_by_one, sizeof(at_once));
}

/* --- loader --- */

static uint32_t started_entry, started_offset;

static void on_start(uint32_t entry, uint32_t image_offset, void *arg)
{
    (void)arg;
    started_entry = entry;
    started_offset = image_offset;
    longjmp(away, 1);
}

static void put_program(void)
{
    const char *why = NULL;
    Elf64_Ehdr *program = hal_loader_place(0x80000000, sizeof(*program), &why);
    assert_non_null(program);
    memset(program, 0, sizeof(*program));
    memcpy(program->e_ident, ELFMAG, SELFMAG);
    program->e_ident[EI_CLASS] = ELFCLASS64;
    program->e_type = ET_DYN;
}

static void a_placed_program_is_started_with_its_offset(void **state)
{
    (void)state;
    assert_int_equal(hal_loader_running_offset(), UINT32_MAX);
    hal_loader_reset();
    put_program();
    linux_board_testing_on_start(on_start, NULL);
    if (setjmp(away) == 0) {
        (void)hal_loader_start(0x80000000, 0x110000);
        fail_msg("not started");
    }
    assert_int_equal(started_entry, 0x80000000);
    assert_int_equal(started_offset, 0x110000);
    assert_int_equal(hal_loader_running_offset(), 0x110000);
    hal_loader_reset();
}

static void what_is_no_program_is_not_started(void **state)
{
    (void)state;
    const char *why = NULL;
    hal_loader_reset();
    assert_int_equal(hal_loader_start(0x80000000, 0), ESP_ERR_IMAGE_INVALID);
    assert_non_null(hal_loader_place(0x80000000, 4, &why));
    assert_int_equal(hal_loader_start(0x80000000, 0), ESP_ERR_IMAGE_INVALID);
    hal_loader_reset();
    put_program();
    assert_int_equal(hal_loader_start(0x80000004, 0), ESP_ERR_IMAGE_INVALID);
    hal_loader_reset();
    assert_int_equal(hal_loader_start(0x80000000, 0), ESP_ERR_IMAGE_INVALID);
}

static void only_the_window_takes_segments_and_only_once(void **state)
{
    (void)state;
    const struct {
        uint32_t address, len;
    } bad[] = {{0x7FFFFFFF, 16}, {0xBFFFFFF0, 17}, {0xC0000000, 4}, {0x80000000, 0x40000001},
               {0x80000000, 0},  {0x3FC80000, 4},  {0x80001010, 4}, {0x80000FF0, 17}};
    const char *why = NULL;
    hal_loader_reset();
    assert_non_null(hal_loader_place(0x80001000, 4096, &why));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        why = NULL;
        assert_null(hal_loader_place(bad[i].address, bad[i].len, &why));
        assert_string_equal(why, "bad load address range");
    }
    uint8_t *beside = hal_loader_place(0x80002000, 5, &why);
    assert_non_null(beside);
    memset(beside, 1, 5);
    assert_non_null(hal_loader_place(0x80002005, 3, &why));
    hal_loader_reset();
}

/* --- network --- */

static pthread_mutex_t network_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t network_told = PTHREAD_COND_INITIALIZER;
static hal_network_info_t network_info;
static int network_calls;

static void on_network(const hal_network_info_t *info, void *arg)
{
    assert_ptr_equal(arg, &network_calls);
    pthread_mutex_lock(&network_lock);
    network_info = *info;
    network_calls++;
    pthread_cond_signal(&network_told);
    pthread_mutex_unlock(&network_lock);
}

static void wait_for_network(void)
{
    pthread_mutex_lock(&network_lock);
    while (network_calls == 0) {
        pthread_cond_wait(&network_told, &network_lock);
    }
    pthread_mutex_unlock(&network_lock);
}

static void the_network_tells_an_address_and_starts_once_at_a_time(void **state)
{
    (void)state;
    for (int round = 0; round < 3; round++) {
        network_calls = 0;
        assert_int_equal(hal_network_start(on_network, &network_calls), ESP_OK);
        assert_int_equal(hal_network_start(on_network, &network_calls), ESP_ERR_INVALID_STATE);
        wait_for_network();
        hal_network_stop();
        hal_network_stop();
        assert_string_equal(network_info.name, "en1");
        assert_int_not_equal(network_info.ip, 0);
        assert_int_not_equal(network_info.netmask, 0);
        assert_true(network_info.link_up);
    }
}

/* A UDP socket of the board at a port of its own; *address is where that is. */
static int board_socket(struct sockaddr_in *address)
{
    int fd = __wrap_socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    socklen_t size = sizeof(*address);
    *address =
        (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)address, size), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)address, &size), 0);
    return fd;
}

/* How many of count packets arrive; over loopback they are there when sendto() returns. */
static unsigned arriving(int fd, const struct sockaddr_in *address, unsigned count)
{
    int sender = socket(AF_INET, SOCK_DGRAM, 0);
    unsigned arrived = 0;
    char byte = 0;
    assert_true(sender >= 0);
    for (unsigned i = 0; i < count; i++) {
        assert_int_equal(
            sendto(sender, &byte, 1, 0, (const struct sockaddr *)address, sizeof(*address)), 1);
        arrived += recv(fd, &byte, 1, 0) == 1;
    }
    close(sender);
    return arrived;
}

static void nothing_arrives_while_the_cable_is_pulled(void **state)
{
    (void)state;
    struct sockaddr_in first_address, second_address;
    int first = board_socket(&first_address);
    assert_int_equal(arriving(first, &first_address, 10), 10);
    atomic_store(&linux_board_testing_state()->link_off, 1);
    cable_update();
    int second = board_socket(&second_address); /* made meanwhile */
    assert_int_equal(arriving(first, &first_address, 10), 0);
    assert_int_equal(arriving(second, &second_address, 10), 0);
    network_calls = 0;
    assert_int_equal(hal_network_start(on_network, &network_calls), ESP_OK);
    wait_for_network();
    hal_network_stop();
    assert_false(network_info.link_up);
    assert_int_equal(network_info.ip, 0);
    atomic_store(&linux_board_testing_state()->link_off, 0);
    cable_update();
    assert_int_equal(arriving(first, &first_address, 10), 10);
    assert_int_equal(arriving(second, &second_address, 10), 10);
    close(first);
    close(second);
}

static void so_many_packets_are_lost_as_was_asked_for(void **state)
{
    (void)state;
    struct sockaddr_in address;
    linux_board_testing_state()->loss_percent = 50;
    int fd = board_socket(&address);
    unsigned arrived = arriving(fd, &address, 10000);
    assert_in_range(arrived, 4500, 5500); /* ten standard deviations */
    linux_board_testing_state()->loss_percent = 5;
    cable_update();
    assert_in_range(arriving(fd, &address, 10000), 9250, 9750);
    close(fd);
}

static void an_attached_board_is_the_callers_memory(void **state)
{
    (void)state;
    static uint8_t flash[LINUX_BOARD_MIN_FLASH];
    static linux_board_state_t board;
    memset(flash, 0x5A, sizeof(flash));
    linux_board_state_init(&board, sizeof(flash));
    linux_board_testing_attach(flash, &board);
    assert_ptr_equal(linux_board_testing_flash(), flash);
    assert_int_equal(flash[0], 0x5A);
    assert_int_equal(hal_flash_erase_sector(0), ESP_OK);
    assert_int_equal(flash[0], 0xFF);
    assert_int_equal(flash[HAL_FLASH_SECTOR_SIZE], 0x5A);
    assert_int_equal(atomic_load(&board.operations), 1);
    linux_board_testing_reset(LINUX_BOARD_MIN_FLASH);
    assert_ptr_not_equal(linux_board_testing_flash(), flash);
}

typedef struct {
    unsigned programs;
    unsigned erases;
    uint32_t address;
    size_t len;
    uint8_t first;
} seen_t;

static void see(uint32_t address, const void *data, size_t len, void *arg)
{
    seen_t *seen = arg;
    seen->address = address;
    seen->len = len;
    if (data != NULL) {
        seen->programs++;
        seen->first = *(const uint8_t *)data;
    } else {
        seen->erases++;
    }
}

static void the_operation_hook_sees_each_operation_that_is_in_range(void **state)
{
    (void)state;
    seen_t seen = {0};
    const uint8_t data[3] = {7, 8, 9};
    linux_board_testing_on_operation(see, &seen);
    assert_int_equal(hal_flash_erase_block(0x10000), ESP_OK);
    assert_int_equal(seen.erases, 1);
    assert_int_equal(seen.address, 0x10000);
    assert_int_equal(seen.len, HAL_FLASH_BLOCK_SIZE);
    assert_int_equal(hal_flash_program(0x123, data, sizeof(data)), ESP_OK);
    assert_int_equal(seen.programs, 1);
    assert_int_equal(seen.address, 0x123);
    assert_int_equal(seen.len, sizeof(data));
    assert_int_equal(seen.first, 7);
    assert_int_equal(hal_flash_program(LINUX_BOARD_MIN_FLASH - 1, data, sizeof(data)),
                     ESP_ERR_INVALID_ARG);
    assert_int_equal(seen.programs, 1);
}

static void skipped_waiting_moves_the_clock(void **state)
{
    (void)state;
    linux_board_testing_skip_waiting(true);
    uint64_t before = hal_clock_us();
    hal_clock_spin_us(2000000000);
    assert_true(hal_clock_us() - before >= 2000000000);
    linux_board_testing_skip_waiting(false);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, new_board)
    const struct CMUnitTest tests[] = {
        TEST(an_attached_board_is_the_callers_memory),
        TEST(the_operation_hook_sees_each_operation_that_is_in_range),
        TEST(skipped_waiting_moves_the_clock),
        TEST(a_pin_reads_its_driver_then_its_output_then_its_pull),
        TEST(pins_that_do_not_exist_are_refused),
        TEST(a_reset_keeps_retain_memory_and_tells_its_reason),
        TEST(the_clock_starts_at_reset_and_only_goes_on),
        TEST(random_bytes_are_not_repeated),
        TEST(the_chip_is_the_linux_boards),
        TEST(the_sha256_engine_agrees_with_the_published_digests),
        TEST(the_sha256_engine_takes_many_blocks_like_one_after_the_other),
        TEST(a_placed_program_is_started_with_its_offset),
        TEST(what_is_no_program_is_not_started),
        TEST(only_the_window_takes_segments_and_only_once),
        TEST(the_network_tells_an_address_and_starts_once_at_a_time),
        TEST(nothing_arrives_while_the_cable_is_pulled),
        TEST(so_many_packets_are_lost_as_was_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
