/* SPDX-License-Identifier: Apache-2.0
 *
 * Finds the board: the two descriptors the runner left, or a board in memory for unit tests. */
#include "board.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "linux_board/testing.h"

static linux_flash_t the_board;
static bool private_board;
static bool owned; /* the private board's memory is ours */
static pthread_once_t found = PTHREAD_ONCE_INIT;

static linux_board_reset_hook_t reset_hook;
static void *reset_hook_arg;
static linux_board_cut_hook_t cut_hook;
static void *cut_hook_arg;

uint64_t board_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static _Noreturn void give_up(const char *what, const char *why)
{
    fprintf(stderr, "linux board: %s: %s\n", what, why);
    exit(EXIT_FAILURE);
}

static void *map_or_give_up(int fd, size_t size, const char *what)
{
    int flags = fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED;
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, fd, 0);
    if (memory == MAP_FAILED) {
        give_up(what, strerror(errno));
    }
    return memory;
}

static void make_private_board(uint32_t flash_size)
{
    if (!linux_board_flash_size_valid(flash_size)) {
        give_up("flash size", "must be a power of two from 1 MiB to 128 MiB");
    }
    private_board = true;
    owned = true;
    the_board.state = map_or_give_up(-1, sizeof(linux_board_state_t), "state");
    the_board.bytes = map_or_give_up(-1, flash_size, "flash");
    memset(the_board.bytes, 0xFF, flash_size);
    linux_board_state_init(the_board.state, flash_size);
    linux_board_state_power_on(the_board.state, board_now_ns());
}

static uint64_t file_size(int fd, const char *what)
{
    struct stat info;
    if (fstat(fd, &info) != 0) {
        give_up(what, strerror(errno));
    }
    return (uint64_t)info.st_size;
}

static void find_board(void)
{
    const char *descriptors = getenv(LINUX_BOARD_ENVIRONMENT);
    if (descriptors == NULL) {
        make_private_board(LINUX_BOARD_TESTING_FLASH_SIZE);
        return;
    }
    int flash_fd, state_fd;
    char rest;
    if (sscanf(descriptors, "%d,%d%c", &flash_fd, &state_fd, &rest) != 2) {
        give_up(LINUX_BOARD_ENVIRONMENT, "must be FLASHFD,STATEFD");
    }
    uint64_t flash_size = file_size(flash_fd, "flash file");
    uint64_t state_size = file_size(state_fd, "state file");
    if (state_size < sizeof(linux_board_state_t)) {
        give_up("state file", "it is too short for a board state");
    }
    the_board.state = map_or_give_up(state_fd, sizeof(linux_board_state_t), "state file");
    const char *problem = linux_board_state_problem(the_board.state, state_size, flash_size);
    if (problem != NULL) {
        give_up("state file", problem);
    }
    the_board.bytes = map_or_give_up(flash_fd, (size_t)flash_size, "flash file");
}

linux_flash_t *board(void)
{
    pthread_once(&found, find_board);
    return &the_board;
}

bool board_is_private(void)
{
    board();
    return private_board;
}

_Noreturn void board_exit(int status)
{
    _exit(status);
}

void board_call_reset_hook(uint32_t reason)
{
    if (reset_hook != NULL) {
        reset_hook((hal_reset_reason_t)reason, reset_hook_arg);
    }
}

bool board_call_cut_hook(void)
{
    if (cut_hook == NULL) {
        return false;
    }
    cut_hook(cut_hook_arg);
    return true;
}

static linux_flash_t *private_or_give_up(void)
{
    linux_flash_t *flash = board();
    if (!private_board) {
        give_up("testing", "this process runs on a board of the runner");
    }
    return flash;
}

static void forget_private_board(void)
{
    linux_flash_t *flash = private_or_give_up();
    if (owned) {
        munmap(flash->bytes, flash->state->flash_size);
        munmap(flash->state, sizeof(*flash->state));
    }
    reset_hook = NULL;
    cut_hook = NULL;
    linux_board_testing_on_start(NULL, NULL);
    linux_board_testing_on_operation(NULL, NULL);
    linux_board_testing_skip_waiting(false);
    board_flash_forget(true);
    board_loader_forget();
}

void linux_board_testing_reset(uint32_t flash_size)
{
    forget_private_board();
    make_private_board(flash_size);
}

static void find_nothing(void)
{
    private_board = true;
}

void linux_board_testing_attach(uint8_t *flash, linux_board_state_t *state)
{
    /* Where this is the first call, no other board need be made. */
    pthread_once(&found, find_nothing);
    forget_private_board();
    owned = false;
    the_board = (linux_flash_t){.bytes = flash, .state = state};
}

uint8_t *linux_board_testing_flash(void)
{
    return private_or_give_up()->bytes;
}

linux_board_state_t *linux_board_testing_state(void)
{
    return private_or_give_up()->state;
}

void linux_board_testing_on_reset(linux_board_reset_hook_t hook, void *arg)
{
    reset_hook = hook;
    reset_hook_arg = arg;
}

void linux_board_testing_on_cut(linux_board_cut_hook_t hook, void *arg)
{
    cut_hook = hook;
    cut_hook_arg = arg;
}

void linux_board_testing_cut(uint64_t operation, linux_board_cut_mode_t mode, uint32_t byte)
{
    linux_board_state_t *state = private_or_give_up()->state;
    state->cut = (linux_board_cut_t){
        .mode = mode,
        .byte = byte,
        .operation = atomic_load(&state->operations) + operation,
    };
}

void linux_board_testing_power_on(void)
{
    linux_board_state_power_on(private_or_give_up()->state, board_now_ns());
    board_flash_forget(false);
}

void linux_board_testing_reboot(hal_reset_reason_t reason)
{
    linux_board_state_reset(private_or_give_up()->state, reason, board_now_ns());
}
