/* SPDX-License-Identifier: Apache-2.0
 *
 * Connections of the file server: patience, TLS transport, failed handshakes. */
#include "serve_connection.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "serve_log.h"
#include "ui.h"

struct connection {
    struct connection *prev; /* list of the connections that owe us a request, oldest first */
    struct connection *next;
    bool waiting;         /* is in that list */
    uint64_t deadline_ms; /* when its patience ends */
    struct connections *all;
    int fd;
    char address[SERVE_ADDRESS_SIZE];
    gnutls_session_t session; /* NULL: plain */
    bool plain_peer;          /* the peer's first byte was not TLS */
    bool received;            /* the peer has sent something */
    bool established;         /* the handshake is over */
    bool handshake_failed;    /* the library said so */
    int alert;                /* the TLS alert the peer sent in the handshake, -1: none */
    unsigned char record[5];  /* head of the TLS record that is arriving */
    unsigned record_have;     /* bytes of it that are here */
    unsigned record_left;     /* bytes of its content that are not */
};

/* ---- connections that owe a request ---------------------------------------------------------- */

static uint64_t now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000u + (uint64_t)ts.tv_nsec / 1000000u;
}

/* Every wait is equally long, so the list stays sorted by adding at its end. */
static void wait_begin(struct connection *c)
{
    struct connections *all = c->all;

    pthread_mutex_lock(&all->lock);
    if (!c->waiting) {
        c->waiting = true;
        c->deadline_ms = now_ms() + all->patience_ms;
        c->next = NULL;
        c->prev = all->newest;
        if (c->prev != NULL) {
            c->prev->next = c;
        } else {
            all->oldest = c;
        }
        all->newest = c;
    }
    pthread_mutex_unlock(&all->lock);
}

static void wait_end_locked(struct connection *c)
{
    struct connections *all = c->all;

    if (c->waiting) {
        c->waiting = false;
        *(c->prev != NULL ? &c->prev->next : &all->oldest) = c->next;
        *(c->next != NULL ? &c->next->prev : &all->newest) = c->prev;
    }
}

static void wait_end(struct connection *c)
{
    pthread_mutex_lock(&c->all->lock);
    wait_end_locked(c);
    pthread_mutex_unlock(&c->all->lock);
}

uint64_t connections_expire(struct connections *all)
{
    uint64_t patience = all->patience_ms;
    uint64_t now = now_ms();

    pthread_mutex_lock(&all->lock);
    while (all->oldest != NULL && all->oldest->deadline_ms <= now) {
        /* The worker sees the end of the stream and closes. The descriptor is still open: a
         * connection leaves the list, under this lock, before its socket is closed. */
        shutdown(all->oldest->fd, SHUT_RDWR);
        wait_end_locked(all->oldest);
    }
    if (all->oldest != NULL && all->oldest->deadline_ms - now < patience) {
        patience = all->oldest->deadline_ms - now;
    }
    pthread_mutex_unlock(&all->lock);
    return patience;
}

/* ---- TLS transport --------------------------------------------------------------------------- */

/* The connection this worker thread last moved bytes for. libmicrohttpd reports a failed handshake
 * without saying whose; it is this one's. */
static _Thread_local struct connection *current;

/* Looks for an alert among the records of a handshake. A client that refuses a TLS 1.3 certificate
 * may say so before it encrypts, and GnuTLS drops that as undecipherable. */
static void watch_records(struct connection *c, const unsigned char *data, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (c->record_have < sizeof(c->record)) {
            c->record[c->record_have++] = data[i];
            c->record_left = (unsigned)c->record[3] << 8 | c->record[4];
        } else {
            c->record_left--;
            if (c->record_left == 0 && c->record[0] == 21 && c->record[3] == 0 &&
                c->record[4] == 2) {
                c->alert = data[i];
            }
        }
        if (c->record_have == sizeof(c->record) && c->record_left == 0) {
            c->record_have = 0;
        }
    }
}

static ssize_t transport_pull(gnutls_transport_ptr_t ptr, void *data, size_t size)
{
    static const char answer[] = "HTTP/1.0 400 Bad Request\r\nContent-Type: text/plain\r\n"
                                 "Connection: close\r\n\r\n"
                                 "This port speaks HTTPS: use https:// in the URL.\n";
    struct connection *c = ptr;
    ssize_t n;

    current = c;
    if (c->plain_peer) {
        return 0;
    }
    n = recv(c->fd, data, size, 0);
    if (n > 0 && !c->established) {
        bool first = !c->received;

        c->received = true;
        if (first && *(const unsigned char *)data >= 'A') { /* of a method; TLS begins with 22 */
            c->plain_peer = true;
            (void)send(c->fd, answer, sizeof(answer) - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
            return 0;
        }
        watch_records(c, data, (size_t)n);
    }
    return n;
}

static ssize_t transport_push(gnutls_transport_ptr_t ptr, const void *data, size_t size)
{
    struct connection *c = ptr;

    current = c;
    return send(c->fd, data, size, MSG_NOSIGNAL);
}

static int transport_wait(gnutls_transport_ptr_t ptr, unsigned ms)
{
    struct pollfd p = {.fd = ((struct connection *)ptr)->fd, .events = POLLIN};

    return poll(&p, 1, ms == GNUTLS_INDEFINITE_TIMEOUT ? -1 : (int)ms);
}

/* Called by GnuTLS when the handshake's last messages have passed. */
static int on_finished(gnutls_session_t session, unsigned type, unsigned when, unsigned incoming,
                       const gnutls_datum_t *message)
{
    struct connection *c = gnutls_transport_get_ptr(session);

    (void)type;
    (void)when;
    (void)message;
    if (incoming) {
        c->established = true;
    }
    return 0;
}

/* libmicrohttpd's own messages. They are about single connections and mostly about clients that
 * went away, which the access log says better. What counts is that a failed handshake is reported
 * here while its session still exists. */
void connections_message(void *cls, const char *format, va_list args)
{
    struct connections *all = cls;
    struct connection *c = current;

    if (!atomic_load(&all->started)) {
        char text[256];

        /* This is why it will not start. */
        vsnprintf(text, sizeof(text), format, args);
        text[strcspn(text, "\n")] = '\0';
        ui_error("libmicrohttpd: %s", text);
        return;
    }
    if (c == NULL || c->established || c->handshake_failed) {
        return;
    }
    c->handshake_failed = true;
    if (c->alert < 0 && gnutls_alert_get(c->session) != GNUTLS_A_CLOSE_NOTIFY) {
        c->alert = (int)gnutls_alert_get(c->session);
    }
    if (c->alert < 0 && !c->plain_peer) {
        gnutls_alert_send(c->session, GNUTLS_AL_FATAL, GNUTLS_A_HANDSHAKE_FAILURE);
    }
}

static void explain_failed_handshake(const struct connection *c)
{
    const char *name;

    if (c->plain_peer) {
        ui_warning("%s: spoke plain HTTP on the HTTPS port; its URL must begin with https://",
                   c->address);
        return;
    }
    name = c->alert < 0 ? NULL : gnutls_alert_get_name((gnutls_alert_description_t)c->alert);
    if (name == NULL) {
        ui_warning("%s: the TLS handshake failed: the client ended it, or fell silent, or "
                   "offered nothing this server accepts (TLS %s with AES-GCM, AES-CCM or "
                   "ChaCha20)",
                   c->address, c->all->tls13_only ? "1.3" : "1.2 or 1.3");
    } else if (c->alert == GNUTLS_A_UNKNOWN_CA || c->alert == GNUTLS_A_BAD_CERTIFICATE ||
               c->alert == GNUTLS_A_CERTIFICATE_UNKNOWN) {
        ui_warning("%s: refused this server's certificate (TLS alert %d: %s). It must trust the "
                   "ca_cert.pem in use here, and the host in its URL must be a name of it",
                   c->address, c->alert, name);
    } else {
        ui_warning("%s: broke off the TLS handshake (TLS alert %d: %s)", c->address, c->alert,
                   name);
    }
}

void connections_notify(void *cls, struct MHD_Connection *mhd, void **context,
                        enum MHD_ConnectionNotificationCode code)
{
    struct connections *all = cls;
    struct connection *c = *context;
    const union MHD_ConnectionInfo *info;

    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
        if (c != NULL) {
            wait_end(c);
            if (current == c) {
                current = NULL;
            }
            if (c->received && !c->established && !atomic_load(&all->stopping)) {
                explain_failed_handshake(c);
            }
            free(c);
        }
        *context = NULL;
        return;
    }

    c = calloc(1, sizeof(*c));
    *context = c;
    if (c == NULL) {
        return; /* served all the same, without the extras */
    }
    c->all = all;
    c->alert = -1;
    info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
    c->fd = info->connect_fd;
    info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    serve_log_address(info != NULL ? info->client_addr : NULL, c->address);
    if (all->tls) {
        info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_GNUTLS_SESSION);
        c->session = (gnutls_session_t)info->tls_session;
        gnutls_transport_set_ptr(c->session, c);
        gnutls_transport_set_pull_function(c->session, transport_pull);
        gnutls_transport_set_push_function(c->session, transport_push);
        gnutls_transport_set_pull_timeout_function(c->session, transport_wait);
        gnutls_handshake_set_hook_function(c->session, GNUTLS_HANDSHAKE_FINISHED, GNUTLS_HOOK_POST,
                                           on_finished);
        gnutls_session_ticket_enable_server(c->session, &all->ticket_key);
    }
    wait_begin(c);
}

struct connection *connection_of(struct MHD_Connection *mhd)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    return info != NULL ? info->socket_context : NULL;
}

void connection_requests(struct connection *c)
{
    if (c != NULL && c->session != NULL) {
        /* In TLS 1.2 GnuTLS 3.7 agrees to the fragment length that a client with a small buffer
         * asks for and forgets it when it sends. It can be reminded once the handshake is over. */
        gnutls_record_set_max_size(c->session, gnutls_record_get_max_size(c->session));
    }
}

void connection_is_served(struct connection *c)
{
    if (c != NULL) {
        wait_end(c);
    }
}

void connection_waits(struct connection *c)
{
    if (c != NULL) {
        wait_begin(c);
    }
}

const char *connection_address(const struct connection *c)
{
    return c != NULL ? c->address : "-";
}

/* ---- all of them ----------------------------------------------------------------------------- */

bool connections_init(struct connections *all)
{
    int rc;

    all->ticket_key.data = NULL;
    all->oldest = NULL;
    all->newest = NULL;
    atomic_init(&all->started, false);
    atomic_init(&all->stopping, false);
    if (all->tls) {
        rc = gnutls_session_ticket_key_generate(&all->ticket_key);
        if (rc != GNUTLS_E_SUCCESS) {
            ui_error("no key for TLS session tickets: %s", gnutls_strerror(rc));
            return false;
        }
    }
    pthread_mutex_init(&all->lock, NULL);
    return true;
}

void connections_free(struct connections *all)
{
    if (all->ticket_key.data != NULL) {
        gnutls_memset(all->ticket_key.data, 0, all->ticket_key.size);
        gnutls_free(all->ticket_key.data);
        all->ticket_key.data = NULL;
    }
    pthread_mutex_destroy(&all->lock);
}

void connections_started(struct connections *all)
{
    atomic_store(&all->started, true);
}

void connections_stopping(struct connections *all)
{
    atomic_store(&all->stopping, true);
}
