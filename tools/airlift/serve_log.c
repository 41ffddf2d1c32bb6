/* SPDX-License-Identifier: Apache-2.0
 *
 * The access log. */
#include "serve_log.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <string.h>
#include <time.h>

#define TARGET_MAX 1024 /* bytes of a target that a line shows; longer ones end in "..." */

void serve_log_address(const struct sockaddr *peer, char out[SERVE_ADDRESS_SIZE])
{
    const void *bytes = NULL;
    int family = AF_UNSPEC;

    if (peer != NULL && peer->sa_family == AF_INET) {
        family = AF_INET;
        bytes = &((const struct sockaddr_in *)(const void *)peer)->sin_addr;
    } else if (peer != NULL && peer->sa_family == AF_INET6) {
        const struct in6_addr *in6 = &((const struct sockaddr_in6 *)(const void *)peer)->sin6_addr;

        family = AF_INET6;
        bytes = in6;
        if (IN6_IS_ADDR_V4MAPPED(in6)) {
            family = AF_INET;
            bytes = in6->s6_addr + 12;
        }
    }
    if (bytes == NULL || inet_ntop(family, bytes, out, SERVE_ADDRESS_SIZE) == NULL) {
        memcpy(out, "-", 2);
    }
}

static void escape(const char *text, char out[TARGET_MAX + 4])
{
    static const char digits[] = "0123456789ABCDEF";
    size_t used = 0;

    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;

        if (used + 4 > TARGET_MAX) {
            memcpy(out + used, "...", 3);
            used += 3;
            break;
        }
        if (c < 0x20 || c >= 0x7F || c == '"' || c == '\\') {
            out[used++] = '\\';
            out[used++] = 'x';
            out[used++] = digits[c >> 4];
            out[used++] = digits[c & 15];
        } else {
            out[used++] = (char)c;
        }
    }
    out[used] = '\0';
}

void serve_log_write(FILE *out, const struct serve_log_entry *entry)
{
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    char target[TARGET_MAX + 4];
    char method[TARGET_MAX + 4];
    char status[12] = "-";
    char range[72] = "-";
    time_t now = time(NULL);
    struct tm tm;

    localtime_r(&now, &tm);
    escape(entry->target != NULL ? entry->target : "-", target);
    escape(entry->method != NULL ? entry->method : "-", method);
    if (entry->status != 0) {
        snprintf(status, sizeof(status), "%u", entry->status);
    }
    if (entry->has_range) {
        snprintf(range, sizeof(range), "%" PRIu64 "-%" PRIu64 "/%" PRIu64, entry->first,
                 entry->first + entry->length - 1, entry->size);
    }
    fprintf(out,
            "%s - - [%02d/%s/%04d %02d:%02d:%02d] \"%.64s %s %.16s\" %s %" PRIu64
            " range=%s time=%" PRIu64 ".%02" PRIu64 "ms %s\n",
            entry->address, tm.tm_mday, months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min,
            tm.tm_sec, method, target, entry->version != NULL ? entry->version : "-", status,
            entry->bytes, range, entry->duration_us / 1000, entry->duration_us % 1000 / 10,
            entry->end);
}
