/* SPDX-License-Identifier: Apache-2.0 */
#include "cable.h"

#include <dirent.h>
#include <errno.h>
#include <linux/filter.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "board.h"

/* A socket is made, or all of them are gone through; and what they follow. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

bool cable_is_pulled(void)
{
    return atomic_load(&board()->state->link_off) != 0;
}

static bool is_network(int fd)
{
    int domain;
    socklen_t size = sizeof(domain);
    return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 &&
           (domain == AF_INET || domain == AF_INET6);
}

/* Packets for fd are dropped or not, as the cable is. */
static void follow(int fd)
{
    unsigned percent = cable_is_pulled() ? 100 : board()->state->loss_percent;
    if (percent == 0) {
        int unused = 0;
        setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &unused, sizeof(unused));
        return;
    }
    /* Drop it if a random 32-bit number is not above this. */
    uint32_t limit = (uint32_t)((uint64_t)UINT32_MAX * percent / 100);
    struct sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_RANDOM)),
        BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, limit, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
        BPF_STMT(BPF_RET | BPF_K, 0),
    };
    struct sock_fprog filter = {.len = sizeof(program) / sizeof(program[0]), .filter = program};
    setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter));
}

void cable_update(void)
{
    DIR *open_files = opendir("/proc/self/fd");
    if (open_files == NULL) {
        return;
    }
    pthread_mutex_lock(&lock);
    for (const struct dirent *entry; (entry = readdir(open_files)) != NULL;) {
        int fd = atoi(entry->d_name); /* "." and ".." are 0, no socket of the network either */
        if (is_network(fd)) {
            follow(fd);
        }
    }
    pthread_mutex_unlock(&lock);
    closedir(open_files);
}

int __wrap_socket(int domain, int type, int protocol)
{
    pthread_mutex_lock(&lock);
    int fd = (int)syscall(SYS_socket, domain, type, protocol);
    int error = errno;
    if (fd >= 0 && is_network(fd)) {
        follow(fd);
    }
    pthread_mutex_unlock(&lock);
    errno = error;
    return fd;
}

int cable_open_watch(void)
{
    const char *descriptors = getenv(LINUX_BOARD_ENVIRONMENT);
    int state_fd;
    if (descriptors == NULL || sscanf(descriptors, "%*d,%d", &state_fd) != 1) {
        return -1; /* a board in memory, which no tool reaches */
    }
    char path[40];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", state_fd);
    int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (fd >= 0 && inotify_add_watch(fd, path, IN_CLOSE_WRITE) < 0) {
        close(fd);
        return -1;
    }
    return fd;
}
