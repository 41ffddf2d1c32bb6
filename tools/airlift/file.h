/* SPDX-License-Identifier: Apache-2.0
 *
 * Files, read and written whole. Functions explain their failures with ui_error() themselves. */
#ifndef AIRLIFT_FILE_H
#define AIRLIFT_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reads all of path ("-": stdin) into memory the caller frees; more than max bytes is refused.
 * *data has one NUL byte behind its *len bytes. */
bool file_read(const char *path, size_t max, uint8_t **data, size_t *len);

/* Writes data to path ("-": stdout), through a temporary file beside it that replaces path only
 * when complete. Missing folders are made. */
bool file_write(const char *path, const void *data, size_t len);

/* Makes the folders path lies in. */
bool file_make_parents(const char *path);

#endif
