/* SPDX-License-Identifier: Apache-2.0
 *
 * From the target of a request to an open file inside the served folder, and nowhere else. */
#ifndef AIRLIFT_SERVE_PATH_H
#define AIRLIFT_SERVE_PATH_H

#include <limits.h>
#include <stddef.h>
#include <sys/stat.h>

/* What a request may come to; the number is the HTTP status that says it. */
enum serve_path_status {
    SERVE_PATH_OK = 200,
    SERVE_PATH_BAD = 400,       /* the target cannot be understood */
    SERVE_PATH_FORBIDDEN = 403, /* it leads outside, to a hidden file, or may not be read */
    SERVE_PATH_MISSING = 404,   /* there is no such regular file */
    SERVE_PATH_FAILED = 500,    /* the file could not be opened for another reason */
    SERVE_PATH_BUSY = 503,      /* no descriptor or memory left */
};

/* Turns a request target ("/a%20b.bin?x", or the absolute form with scheme and host) into a path
 * relative to the served folder: without query, percent signs decoded once, no empty components.
 * `out` has room for `size` bytes. Refused: bad or NUL escapes, and every component that starts
 * with a dot, so neither `..` nor hidden files can be named in any spelling. */
enum serve_path_status serve_path_decode(const char *target, char *out, size_t size);

/* Opens the regular file `path` (from serve_path_decode) below the directory `root_fd` for reading.
 * Symbolic links are followed as long as they stay below; where the kernel cannot promise that, no
 * link is followed at all. On SERVE_PATH_OK the caller owns *fd, and *st describes it; otherwise
 * *fd is -1 and *why a text for people (static, or of strerror()). Never blocks on a FIFO. */
enum serve_path_status serve_path_open(int root_fd, const char *path, int *fd, struct stat *st,
                                       const char **why);

#endif
