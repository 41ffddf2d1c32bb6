/* SPDX-License-Identifier: Apache-2.0
 *
 * What libmicrohttpd does not do for a connection by itself: an end for clients that keep a
 * connection without completing a request, TLS session tickets, and a line that says why a
 * handshake failed. */
#ifndef AIRLIFT_SERVE_CONNECTION_H
#define AIRLIFT_SERVE_CONNECTION_H

#include <gnutls/gnutls.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct connection; /* one connection; lives as long as libmicrohttpd's */

/* All connections of a server. The first three are set by the owner, the rest is private. */
struct connections {
    bool tls;
    bool tls13_only;      /* for the words of a message */
    uint64_t patience_ms; /* how long a client may be without a complete request */
    gnutls_datum_t ticket_key;
    atomic_bool started;
    atomic_bool stopping;
    pthread_mutex_t lock; /* guards the list below and what it links */
    struct connection *oldest;
    struct connection *newest;
};

/* Makes the list empty and, for TLS, a key for session tickets. Returns false after explaining
 * with ui_error(). connections_free() is needed only after true. */
bool connections_init(struct connections *all);
void connections_free(struct connections *all);

/* From now on messages of libmicrohttpd are no longer reasons for a failed start ... */
void connections_started(struct connections *all);
/* ... and from now on handshakes that break are our own doing. */
void connections_stopping(struct connections *all);

/* Ends every connection that has gone without a complete request for longer than the patience.
 * Returns the milliseconds after which to call again, 1 or more. */
uint64_t connections_expire(struct connections *all);

/* For MHD_OPTION_NOTIFY_CONNECTION and MHD_OPTION_EXTERNAL_LOGGER; cls is a struct connections. */
void connections_notify(void *cls, struct MHD_Connection *mhd, void **context,
                        enum MHD_ConnectionNotificationCode code);
void connections_message(void *cls, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));

/* Ours to libmicrohttpd's connection; NULL if memory ran out when it was opened. The functions
 * below take that NULL. */
struct connection *connection_of(struct MHD_Connection *mhd);

/* The line of a request has come; the handshake is long over. */
void connection_requests(struct connection *c);
/* The request is complete: the client's patience with us counts, no longer ours with it. */
void connection_is_served(struct connection *c);
/* The response is over, and the next request owed. */
void connection_waits(struct connection *c);

/* The peer's address in text, "-" if unknown. */
const char *connection_address(const struct connection *c);

#endif
