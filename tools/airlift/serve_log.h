/* SPDX-License-Identifier: Apache-2.0
 *
 * The access log: one line for a request, written when the request is over. */
#ifndef AIRLIFT_SERVE_LOG_H
#define AIRLIFT_SERVE_LOG_H

#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>

#define SERVE_ADDRESS_SIZE 46 /* an IPv6 address in text and its NUL */

/* Writes the address of a peer without its port; an IPv4 address arriving on an IPv6 socket is
 * written as IPv4. "-" when there is none. */
void serve_log_address(const struct sockaddr *peer, char out[SERVE_ADDRESS_SIZE]);

struct serve_log_entry {
    const char *address;
    const char *method;   /* NULL: never understood */
    const char *target;   /* as received, any bytes; NULL: never understood */
    const char *version;  /* "HTTP/1.1"; NULL: never understood */
    unsigned status;      /* 0: no answer of ours */
    uint64_t bytes;       /* body bytes handed to the connection */
    int has_range;        /* a part was sent: the next three hold */
    uint64_t first;       /* first byte of it */
    uint64_t length;      /* its length, >= 1 */
    uint64_t size;        /* size of the whole file */
    uint64_t duration_us; /* from the request line to the end */
    const char *end;      /* one word: how it ended */
};

/* Writes the line for `entry` in one piece:
 *   ADDRESS - - [TIME] "GET /a.bin HTTP/1.1" 206 10 range=0-9/100 time=0.42ms complete
 * TIME is like 02/Mar/2021 14:32:26, local.
 * Bytes of the target that could forge or garble a line are written as \xHH. */
void serve_log_write(FILE *out, const struct serve_log_entry *entry);

#endif
