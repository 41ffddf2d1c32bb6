/* SPDX-License-Identifier: Apache-2.0
 *
 * The file server of `airlift serve`: answers GET and HEAD for the regular files of one folder,
 * over TLS or plain, and writes one line for every request. */
#ifndef AIRLIFT_SERVE_HTTP_H
#define AIRLIFT_SERVE_HTTP_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

struct serve_config {
    int listen_fd;        /* listening TCP socket; the server takes it over */
    int root_fd;          /* the served folder, open; stays the caller's, kept open meanwhile */
    const char *cert_pem; /* certificate chain, PEM text; NULL: plain HTTP */
    const char *key_pem;  /* its private key, PEM text */
    dev_t key_dev;        /* the key's own file is never served, under whatever name */
    ino_t key_ino;
    bool tls13_only;      /* refuse TLS 1.2 */
    unsigned threads;     /* >= 1 */
    unsigned connections; /* most connections at a time, >= threads */
    unsigned timeout_s;   /* >= 1: patience with a client that makes no progress */
    FILE *access_log;     /* line-buffered; stays the caller's */
};

struct serve;

/* Starts the server's threads. All texts of `config` must live as long as the server. The calling
 * thread should have blocked the signals that it wants to handle itself before. Returns NULL after
 * saying why with ui_error(); the listening socket may be closed or not then. */
struct serve *serve_start(const struct serve_config *config);

/* Closes every connection that has gone without a complete request for longer than the time-out.
 * Returns the milliseconds after which to call again, 1 or more. */
uint64_t serve_expire(struct serve *serve);

/* Ends all connections, writes their lines, frees everything. */
void serve_stop(struct serve *serve);

#endif
