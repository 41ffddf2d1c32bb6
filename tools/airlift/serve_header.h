/* SPDX-License-Identifier: Apache-2.0
 *
 * The header values of HTTP that a file server must understand: byte ranges, dates, entity tags.
 * Pure functions on strings; nothing here allocates or keeps state. */
#ifndef AIRLIFT_SERVE_HEADER_H
#define AIRLIFT_SERVE_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

enum serve_range {
    SERVE_RANGE_WHOLE,         /* no usable range: send the whole file with 200 */
    SERVE_RANGE_PART,          /* one range: send it with 206 */
    SERVE_RANGE_UNSATISFIABLE, /* the file has no byte of it: 416 */
};

/* Reads the value of a Range header (NULL: there is none) for a file of `size` bytes.
 * For SERVE_RANGE_PART, *first is the offset of the first byte and *length, at least 1, the number
 * of bytes, clipped to the file; otherwise both are untouched. A malformed value, another unit, a
 * list of several ranges, and a suffix of an empty file count as no range, which RFC 9110
 * section 14.2 allows. */
enum serve_range serve_range_parse(const char *value, uint64_t size, uint64_t *first,
                                   uint64_t *length);

#define SERVE_DATE_SIZE 30 /* "Sun, 06 Nov 1994 08:49:37 GMT" and its NUL */

/* Writes `t` as an HTTP date. */
void serve_date_format(time_t t, char out[SERVE_DATE_SIZE]);

/* Reads an HTTP date in any of the three forms of RFC 9110 section 5.6.7. Returns false, *out
 * untouched, for anything else. */
bool serve_date_parse(const char *value, time_t *out);

/* Whether `etag` (quoted, strong) is in the list of entity tags `list`, or the list is "*".
 * A weak tag of the list matches only when `weak` is true. */
bool serve_etag_listed(const char *list, const char *etag, bool weak);

#endif
