/* SPDX-License-Identifier: Apache-2.0 */
#include "linux_board_host/board_files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LOCK_PATIENCE_MS 2000u

static bool fail(char *error, const char *path, const char *why)
{
    snprintf(error, LINUX_BOARD_ERROR_SIZE, "%s: %s", path, why);
    return false;
}

static bool state_path(char path[PATH_MAX], const char *flash_path, char *error)
{
    int len = snprintf(path, PATH_MAX, "%s.state", flash_path);
    if (len < 0 || len >= PATH_MAX) {
        return fail(error, flash_path, "the name is too long");
    }
    return true;
}

static bool write_all(int fd, const void *data, size_t len)
{
    const char *bytes = data;
    while (len > 0) {
        ssize_t written = write(fd, bytes, len);
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            return false;
        }
        bytes += written;
        len -= (size_t)written;
    }
    return true;
}

static bool write_erased(int fd, uint32_t size)
{
    static uint8_t erased[LINUX_BOARD_BLOCK_SIZE];
    memset(erased, 0xFF, sizeof(erased));
    for (uint32_t at = 0; at < size; at += sizeof(erased)) {
        if (!write_all(fd, erased, sizeof(erased))) {
            return false;
        }
    }
    return true;
}

static bool write_new_state(int fd, uint32_t flash_size)
{
    linux_board_state_t *state = malloc(sizeof(*state));
    if (state == NULL) {
        return false;
    }
    linux_board_state_init(state, flash_size);
    bool done = write_all(fd, state, sizeof(*state));
    free(state);
    return done;
}

/* A board whose runner was killed (a power cut) holds its flash until the kernel has ended it,
 * which may be after the next command began. A lock cannot be awaited with a limit, so it is tried
 * again and again. */
static bool lock(int fd, const char *path, char *error)
{
    const struct timespec pause = {.tv_nsec = 10000000};
    for (unsigned tries = LOCK_PATIENCE_MS / 10; tries > 0; tries--) {
        if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
            return true;
        }
        if (errno != EWOULDBLOCK) {
            return fail(error, path, strerror(errno));
        }
        nanosleep(&pause, NULL);
    }
    return fail(error, path, "the board is in use by another process");
}

bool linux_board_create(const char *path, uint32_t size, char error[LINUX_BOARD_ERROR_SIZE])
{
    char other[PATH_MAX];
    if (!state_path(other, path, error)) {
        return false;
    }
    int flash_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (flash_fd < 0) {
        return fail(error, path, strerror(errno));
    }
    if (!lock(flash_fd, path, error)) {
        close(flash_fd);
        return false;
    }
    bool done = false;
    int state_fd = open(other, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (state_fd < 0) {
        fail(error, other, strerror(errno));
    } else if (ftruncate(state_fd, 0) != 0 || !write_new_state(state_fd, size)) {
        fail(error, other, strerror(errno));
    } else if (ftruncate(flash_fd, 0) != 0 || !write_erased(flash_fd, size)) {
        fail(error, path, strerror(errno));
    } else {
        done = true;
    }
    if (state_fd >= 0) {
        close(state_fd);
    }
    close(flash_fd);
    return done;
}

static bool file_size(int fd, const char *path, uint64_t *size, char *error)
{
    struct stat info;
    if (fstat(fd, &info) != 0) {
        return fail(error, path, strerror(errno));
    }
    *size = (uint64_t)info.st_size;
    return true;
}

static bool map(int fd, size_t size, const char *path, void **memory, char *error)
{
    *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (*memory == MAP_FAILED) {
        *memory = NULL;
        return fail(error, path, strerror(errno));
    }
    return true;
}

static bool open_flash(linux_board_files_t *board, const char *path, linux_board_access_t access,
                       uint64_t *size, char *error)
{
    board->flash_fd = open(path, O_RDWR | O_CLOEXEC);
    if (board->flash_fd < 0) {
        return fail(error, path, strerror(errno));
    }
    if (access == LINUX_BOARD_USE && !lock(board->flash_fd, path, error)) {
        return false;
    }
    if (!file_size(board->flash_fd, path, size, error)) {
        return false;
    }
    if (!linux_board_flash_size_valid(*size)) {
        return fail(error, path,
                    "not a flash file: its size is no power of two from 1 MiB to 128 MiB");
    }
    void *memory;
    if (!map(board->flash_fd, (size_t)*size, path, &memory, error)) {
        return false;
    }
    board->flash.bytes = memory;
    return true;
}

static bool open_state(linux_board_files_t *board, const char *path, uint64_t flash_size,
                       char *error)
{
    board->state_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    uint64_t size;
    if (board->state_fd < 0) {
        return fail(error, path, strerror(errno));
    }
    if (!file_size(board->state_fd, path, &size, error)) {
        return false;
    }
    if (size == 0) {
        if (!write_new_state(board->state_fd, (uint32_t)flash_size)) {
            return fail(error, path, strerror(errno));
        }
        size = sizeof(linux_board_state_t);
    }
    const char *problem = NULL;
    void *memory = NULL;
    if (size < sizeof(linux_board_state_t)) {
        problem = "it is too short for a board state";
    } else if (!map(board->state_fd, sizeof(linux_board_state_t), path, &memory, error)) {
        return false;
    } else {
        board->flash.state = memory;
        problem = linux_board_state_problem(memory, size, flash_size);
    }
    if (problem != NULL) {
        char why[160];
        snprintf(why, sizeof(why),
                 "not this board's state: %s (remove it for a board with no history)", problem);
        return fail(error, path, why);
    }
    return true;
}

bool linux_board_open(linux_board_files_t *board, const char *path, linux_board_access_t access,
                      char error[LINUX_BOARD_ERROR_SIZE])
{
    *board = (linux_board_files_t){.flash_fd = -1, .state_fd = -1};
    char other[PATH_MAX];
    uint64_t flash_size = 0;
    if (state_path(other, path, error) && open_flash(board, path, access, &flash_size, error) &&
        open_state(board, other, flash_size, error)) {
        return true;
    }
    if (board->flash.bytes != NULL) {
        munmap(board->flash.bytes, (size_t)flash_size);
        board->flash.bytes = NULL;
    }
    linux_board_close(board);
    return false;
}

/* A running board answers at once, but the machine may be busy. */
#define ANSWER_MS 20000

bool linux_board_ask_pins(const linux_board_files_t *board, const char *path)
{
    char state[PATH_MAX];
    char error[LINUX_BOARD_ERROR_SIZE];
    if (board->flash.state->pins_on_request == 0) {
        return true;
    }
    /* One whose runner was killed left its word in the state, and its flash is free. */
    if (flock(board->flash_fd, LOCK_SH | LOCK_NB) == 0) {
        flock(board->flash_fd, LOCK_UN);
        return false;
    }
    if (!state_path(state, path, error)) {
        return false;
    }
    int answer = inotify_init1(IN_CLOEXEC);
    bool told = false;
    if (answer >= 0 && inotify_add_watch(answer, state, IN_ATTRIB) >= 0) {
        int question = open(state, O_WRONLY | O_CLOEXEC);
        if (question >= 0) {
            close(question);
            struct pollfd event = {.fd = answer, .events = POLLIN};
            told = poll(&event, 1, ANSWER_MS) == 1;
        }
    }
    if (answer >= 0) {
        close(answer);
    }
    return told;
}

void linux_board_tell_pins(const linux_board_files_t *board)
{
    (void)futimens(board->state_fd, NULL);
}

void linux_board_close(linux_board_files_t *board)
{
    if (board->flash.bytes != NULL && board->flash.state != NULL) {
        munmap(board->flash.bytes, board->flash.state->flash_size);
    }
    if (board->flash.state != NULL) {
        munmap(board->flash.state, sizeof(*board->flash.state));
    }
    if (board->flash_fd >= 0) {
        close(board->flash_fd);
    }
    if (board->state_fd >= 0) {
        close(board->state_fd);
    }
    *board = (linux_board_files_t){.flash_fd = -1, .state_fd = -1};
}
