/* SPDX-License-Identifier: Apache-2.0
 *
 * Header values: ranges, dates, entity tags. */
#include "serve_header.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char *const day_names[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
static const char *const month_names[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

static const char *skip_blanks(const char *p)
{
    while (*p == ' ' || *p == '\t') {
        p++;
    }
    return p;
}

/* Reads decimal digits; a number too large becomes UINT64_MAX, which is beyond every file. Returns
 * NULL when there is no digit. */
static const char *read_number(const char *p, uint64_t *out)
{
    uint64_t n = 0;
    bool large = false;

    if (*p < '0' || *p > '9') {
        return NULL;
    }
    for (; *p >= '0' && *p <= '9'; p++) {
        unsigned digit = (unsigned)(*p - '0');

        if (n > (UINT64_MAX - digit) / 10) {
            large = true;
        } else {
            n = n * 10 + digit;
        }
    }
    *out = large ? UINT64_MAX : n;
    return p;
}

enum serve_range serve_range_parse(const char *value, uint64_t size, uint64_t *first,
                                   uint64_t *length)
{
    uint64_t from = 0;
    uint64_t to = UINT64_MAX;
    bool suffix = false;
    const char *p;

    if (value == NULL) {
        return SERVE_RANGE_WHOLE;
    }
    p = skip_blanks(value);
    if (strncasecmp(p, "bytes=", 6) != 0) {
        return SERVE_RANGE_WHOLE;
    }
    p = skip_blanks(p + 6);
    if (*p == '-') {
        suffix = true;
        p = read_number(p + 1, &to);
        if (p == NULL) {
            return SERVE_RANGE_WHOLE;
        }
    } else {
        p = read_number(p, &from);
        if (p == NULL || *p != '-') {
            return SERVE_RANGE_WHOLE;
        }
        p++;
        if (*p >= '0' && *p <= '9') {
            p = read_number(p, &to);
            if (to < from) {
                return SERVE_RANGE_WHOLE;
            }
        }
    }
    if (*skip_blanks(p) != '\0') {
        return SERVE_RANGE_WHOLE; /* a second range, or rubbish */
    }

    if (suffix) {
        if (to == 0) {
            return SERVE_RANGE_UNSATISFIABLE;
        }
        if (size == 0) {
            return SERVE_RANGE_WHOLE;
        }
        *length = to < size ? to : size;
        *first = size - *length;
        return SERVE_RANGE_PART;
    }
    if (from >= size) {
        return SERVE_RANGE_UNSATISFIABLE;
    }
    *first = from;
    *length = (to < size - 1 ? to : size - 1) - from + 1;
    return SERVE_RANGE_PART;
}

void serve_date_format(time_t t, char out[SERVE_DATE_SIZE])
{
    struct tm tm;

    /* A file's time can lie outside the four-digit years that the form has. */
    if (gmtime_r(&t, &tm) == NULL || tm.tm_year < -1900 || tm.tm_year > 9999 - 1900) {
        t = 0;
        gmtime_r(&t, &tm);
    }
    snprintf(out, SERVE_DATE_SIZE, "%s, %02u %s %04u %02u:%02u:%02u GMT",
             day_names[(unsigned)tm.tm_wday % 7], (unsigned)tm.tm_mday % 100,
             month_names[(unsigned)tm.tm_mon % 12], (unsigned)(tm.tm_year + 1900) % 10000,
             (unsigned)tm.tm_hour % 100, (unsigned)tm.tm_min % 100, (unsigned)tm.tm_sec % 100);
}

bool serve_date_parse(const char *value, time_t *out)
{
    char month[4];
    struct tm tm = {0};
    int end = -1;
    int year;

    /* Current form, the form of RFC 850 with a two-digit year, and that of C's asctime(). */
    if (sscanf(value, "%*3[A-Za-z], %2d %3[A-Za-z] %4d %2d:%2d:%2d GMT%n", &tm.tm_mday, month,
               &year, &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &end) == 6 &&
        end > 0) {
    } else if (sscanf(value, "%*9[A-Za-z], %2d-%3[A-Za-z]-%2d %2d:%2d:%2d GMT%n", &tm.tm_mday,
                      month, &year, &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &end) == 6 &&
               end > 0) {
        year += year < 70 ? 2000 : 1900;
    } else if (sscanf(value, "%*3[A-Za-z] %3[A-Za-z] %2d %2d:%2d:%2d %4d%n", month, &tm.tm_mday,
                      &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &year, &end) == 6 &&
               end > 0) {
    } else {
        return false;
    }
    if (*skip_blanks(value + end) != '\0' || tm.tm_mday < 1 || tm.tm_mday > 31 || tm.tm_hour < 0 ||
        tm.tm_hour > 23 || tm.tm_min < 0 || tm.tm_min > 59 || tm.tm_sec < 0 || tm.tm_sec > 60 ||
        year < 1) {
        return false;
    }
    for (tm.tm_mon = 0; tm.tm_mon < 12; tm.tm_mon++) {
        if (strcmp(month, month_names[tm.tm_mon]) == 0) {
            tm.tm_year = year - 1900;
            *out = timegm(&tm);
            return true;
        }
    }
    return false;
}

bool serve_etag_listed(const char *list, const char *etag, bool weak)
{
    size_t etag_len = strlen(etag);
    const char *p = skip_blanks(list);

    if (*p == '*' && *skip_blanks(p + 1) == '\0') {
        return true;
    }
    while (*p != '\0') {
        bool is_weak = p[0] == 'W' && p[1] == '/';
        const char *end;

        if (is_weak) {
            p += 2;
        }
        if (*p != '"' || (end = strchr(p + 1, '"')) == NULL) {
            return false;
        }
        end++;
        if ((weak || !is_weak) && (size_t)(end - p) == etag_len && memcmp(p, etag, etag_len) == 0) {
            return true;
        }
        p = skip_blanks(end);
        if (*p == ',') {
            p = skip_blanks(p + 1);
        }
    }
    return false;
}
