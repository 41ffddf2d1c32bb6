/* SPDX-License-Identifier: Apache-2.0
 *
 * Request target to open file. */
#include "serve_path.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FILE_FLAGS (O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }
    return -1;
}

enum serve_path_status serve_path_decode(const char *target, char *out, size_t size)
{
    size_t used = 0;
    bool component_start = true;

    if (strncasecmp(target, "http://", 7) == 0 || strncasecmp(target, "https://", 8) == 0) {
        target = strchr(target, ':') + 3;
        target += strcspn(target, "/?#");
    }
    if (*target != '/') {
        return SERVE_PATH_BAD;
    }
    for (; *target != '\0' && *target != '?' && *target != '#'; target++) {
        char c = *target;

        if (c == '%') {
            int high = hex_digit(target[1]);
            int low = high < 0 ? -1 : hex_digit(target[2]);

            if (low < 0 || (high == 0 && low == 0)) {
                return SERVE_PATH_BAD;
            }
            c = (char)(high * 16 + low);
            target += 2;
        }
        if (c == '/') {
            component_start = true;
            continue;
        }
        if (component_start && c == '.') {
            return SERVE_PATH_FORBIDDEN;
        }
        if (used + (component_start && used > 0) + 2 > size) {
            return SERVE_PATH_MISSING; /* longer than any path can be */
        }
        if (component_start && used > 0) {
            out[used++] = '/';
        }
        component_start = false;
        out[used++] = c;
    }
    out[used] = '\0';
    /* "/" and "dir/" name directories, which are not listed; "file.bin/" names nothing. */
    return component_start ? SERVE_PATH_MISSING : SERVE_PATH_OK;
}

/* For kernels and sandboxes without openat2(): one component at a time, following no link. */
static int open_by_steps(int root_fd, const char *path)
{
    char name[NAME_MAX + 1];
    int dir = root_fd;

    for (;;) {
        size_t len = strcspn(path, "/");
        bool last = path[len] == '\0';
        int next;
        int saved;

        if (len > NAME_MAX) {
            errno = ENAMETOOLONG;
            next = -1;
        } else {
            memcpy(name, path, len);
            name[len] = '\0';
            next = openat(dir, name,
                          (last ? FILE_FLAGS : O_PATH | O_DIRECTORY | O_CLOEXEC) | O_NOFOLLOW);
        }
        saved = errno;
        if (dir != root_fd) {
            close(dir);
        }
        errno = saved;
        if (next < 0 || last) {
            return next;
        }
        dir = next;
        path += len + 1;
    }
}

static int open_below(int root_fd, const char *path)
{
    struct open_how how = {
        .flags = FILE_FLAGS,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
    };
    int fd;

    /* EAGAIN: something was renamed while the kernel walked; the next try sees the new state. */
    for (int tries = 0; tries < 16; tries++) {
        fd = (int)syscall(SYS_openat2, root_fd, path, &how, sizeof(how));
        if (fd >= 0 || (errno != EAGAIN && errno != EINTR)) {
            break;
        }
    }
    if (fd < 0 && (errno == ENOSYS || errno == EPERM || errno == E2BIG)) {
        fd = open_by_steps(root_fd, path);
    }
    return fd;
}

enum serve_path_status serve_path_open(int root_fd, const char *path, int *fd, struct stat *st,
                                       const char **why)
{
    enum serve_path_status status;

    *fd = open_below(root_fd, path);
    if (*fd < 0) {
        switch (errno) {
        case ENOENT:
        case ENOTDIR:
        case ENAMETOOLONG:
        case ENXIO: /* a socket, or a device without driver */
            *why = "no such file";
            return SERVE_PATH_MISSING;
        case EXDEV:
        case ELOOP:
            *why = "a symbolic link leads out of the served folder";
            return SERVE_PATH_FORBIDDEN;
        case EACCES:
        case EPERM:
            *why = "this server may not read that file";
            return SERVE_PATH_FORBIDDEN;
        case EMFILE:
        case ENFILE:
        case ENOMEM:
            *why = strerror(errno);
            return SERVE_PATH_BUSY;
        default:
            *why = strerror(errno);
            return SERVE_PATH_FAILED;
        }
    }
    if (fstat(*fd, st) != 0) {
        *why = strerror(errno);
        status = SERVE_PATH_FAILED;
    } else if (!S_ISREG(st->st_mode)) {
        *why = S_ISDIR(st->st_mode) ? "that is a folder; name a file in it"
                                    : "that is not a regular file";
        status = SERVE_PATH_MISSING;
    } else {
        return SERVE_PATH_OK;
    }
    close(*fd);
    *fd = -1;
    return status;
}
