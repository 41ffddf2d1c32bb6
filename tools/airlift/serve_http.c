/* SPDX-License-Identifier: Apache-2.0
 *
 * The file server, on libmicrohttpd. Its worker threads share one listening socket; each serves
 * its connections from a poll() loop: the epoll loop of libmicrohttpd 0.9.75 spins while a client
 * pauses in its TLS handshake, which a small device does for a second and more. Bodies are read
 * from the file in large blocks, also without TLS, where that proved faster than the library's
 * sendfile(), and shows a file that changes meanwhile. */
#include "serve_http.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "serve_connection.h"
#include "serve_header.h"
#include "serve_log.h"
#include "serve_path.h"
#include "ui.h"

/* A block is what one read from the file takes and what libmicrohttpd holds per response. Below
 * 16 KiB TLS records get short; above 64 KiB nothing is gained (bench/serve). */
#define BODY_BLOCK (64 * 1024)

/* AES-128-GCM first: both a PC and a device with AES hardware are fastest there. The rest is what
 * devices without it, or with other configurations of Mbed TLS, may offer. */
#define TLS_CIPHERS                                                                                \
    ":-CIPHER-ALL:+AES-128-GCM:+AES-256-GCM:+CHACHA20-POLY1305:+AES-128-CCM"                       \
    ":-MAC-ALL:+AEAD:-KX-ALL:+ECDHE-ECDSA:+ECDHE-RSA"                                              \
    ":-GROUP-ALL:+GROUP-X25519:+GROUP-SECP256R1:+GROUP-SECP384R1:+GROUP-SECP521R1"                 \
    ":%SERVER_PRECEDENCE"

struct serve {
    struct serve_config config;
    struct MHD_Daemon *daemon;
    struct connections connections;
};

struct request {
    struct serve *serve;
    struct connection *connection; /* NULL only if memory ran out when it was opened */
    bool headers_seen;
    char *method;
    char *target;
    char version[16];
    uint64_t start_ns;
    int fd;         /* the file, -1: none */
    struct stat st; /* as it was when opened */
    bool is_part;
    uint64_t first; /* the part of the file that the body is */
    uint64_t length;
    uint64_t sent;       /* body bytes known to be handed to the connection */
    unsigned status;     /* of our answer, 0: none yet */
    const char *trouble; /* word for the log when the body had to be broken off, or NULL */
};

static uint64_t now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* ---- answers --------------------------------------------------------------------------------- */

static const char *header(struct MHD_Connection *mhd, const char *name)
{
    return MHD_lookup_connection_value(mhd, MHD_HEADER_KIND, name);
}

static enum MHD_Result answer(struct request *r, struct MHD_Connection *mhd, unsigned status,
                              struct MHD_Response *response)
{
    enum MHD_Result result;

    if (response == NULL) {
        return MHD_NO; /* no memory: the connection is closed */
    }
    r->status = status;
    result = MHD_queue_response(mhd, status, response);
    MHD_destroy_response(response);
    return result;
}

/* A short answer in words; `extra` and `value` are one more header, or NULL. */
static enum MHD_Result answer_text(struct request *r, struct MHD_Connection *mhd, unsigned status,
                                   const char *text, const char *extra, const char *value)
{
    char body[160];
    int n = snprintf(body, sizeof(body), "%u %s\n", status, text);
    struct MHD_Response *response;

    if (n >= (int)sizeof(body)) {
        n = (int)sizeof(body) - 1;
    }
    response = MHD_create_response_from_buffer((size_t)n, body, MHD_RESPMEM_MUST_COPY);
    r->length = r->method != NULL && strcmp(r->method, "HEAD") == 0 ? 0 : (uint64_t)n;
    if (response != NULL) {
        MHD_add_response_header(response, "Content-Type", "text/plain; charset=utf-8");
        if (extra != NULL) {
            MHD_add_response_header(response, extra, value);
        }
    }
    return answer(r, mhd, status, response);
}

/* Whether the file is still the one that was opened. A build that replaces the image while a
 * device downloads it must not produce a mixture that looks complete. */
static bool file_unchanged(const struct request *r)
{
    struct stat st;

    return fstat(r->fd, &st) == 0 && st.st_size == r->st.st_size &&
           st.st_mtim.tv_sec == r->st.st_mtim.tv_sec && st.st_mtim.tv_nsec == r->st.st_mtim.tv_nsec;
}

static ssize_t read_body(void *cls, uint64_t pos, char *buffer, size_t max)
{
    struct request *r = cls;
    uint64_t left = r->length - pos;
    ssize_t n;

    r->sent = pos; /* libmicrohttpd asks for a block when all before it has gone */
    if (max > left) {
        max = (size_t)left;
    }
    do {
        n = pread(r->fd, buffer, max, (off_t)(r->first + pos));
    } while (n < 0 && errno == EINTR);
    if (n <= 0) {
        r->trouble = n < 0 ? "file-unreadable" : "file-truncated";
        return MHD_CONTENT_READER_END_WITH_ERROR;
    }
    if (!file_unchanged(r)) {
        r->trouble = "file-changed";
        return MHD_CONTENT_READER_END_WITH_ERROR;
    }
    return n;
}

/* A private key in the served folder (ca_key.pem stands there by default) is never given away. */
static bool is_private_key(const struct request *r)
{
    char head[4097];
    ssize_t n;

    if (r->serve->config.key_pem != NULL && r->st.st_dev == r->serve->config.key_dev &&
        r->st.st_ino == r->serve->config.key_ino) {
        return true;
    }
    n = pread(r->fd, head, sizeof(head) - 1, 0);
    if (n <= 0) {
        return false;
    }
    head[n] = '\0';
    return strncmp(head, "-----BEGIN ", 11) == 0 && strstr(head, "PRIVATE KEY-----") != NULL;
}

/* RFC 9110 section 13.2.2: what the preconditions make of the request; 200 is "go on". */
static unsigned precondition(struct MHD_Connection *mhd, const char *etag, time_t modified)
{
    const char *value;
    time_t date;

    value = header(mhd, "If-Match");
    if (value != NULL) {
        if (!serve_etag_listed(value, etag, false)) {
            return MHD_HTTP_PRECONDITION_FAILED;
        }
    } else {
        value = header(mhd, "If-Unmodified-Since");
        if (value != NULL && serve_date_parse(value, &date) && modified > date) {
            return MHD_HTTP_PRECONDITION_FAILED;
        }
    }
    value = header(mhd, "If-None-Match");
    if (value != NULL) {
        return serve_etag_listed(value, etag, true) ? MHD_HTTP_NOT_MODIFIED : MHD_HTTP_OK;
    }
    value = header(mhd, "If-Modified-Since");
    if (value != NULL && serve_date_parse(value, &date) && modified <= date) {
        return MHD_HTTP_NOT_MODIFIED;
    }
    return MHD_HTTP_OK;
}

/* Whether If-Range, if present, names exactly this state of the file. A date is proof only when
 * the file was at least a second old by then: two states could share one second. */
static bool range_still_valid(struct MHD_Connection *mhd, const char *etag, time_t modified)
{
    const char *value = header(mhd, "If-Range");
    time_t date;

    if (value == NULL) {
        return true;
    }
    if (value[0] == '"' || value[0] == 'W') {
        return strcmp(value, etag) == 0;
    }
    return serve_date_parse(value, &date) && date == modified && modified < time(NULL);
}

static enum MHD_Result answer_file(struct request *r, struct MHD_Connection *mhd)
{
    char path[PATH_MAX];
    char etag[64];
    char date[SERVE_DATE_SIZE];
    char content_range[80];
    const char *why = "bad URL";
    bool head = strcmp(r->method, "HEAD") == 0;
    struct MHD_Response *response;
    enum serve_path_status found;
    uint64_t size;
    unsigned status;

    found = serve_path_decode(r->target, path, sizeof(path));
    if (found == SERVE_PATH_FORBIDDEN) {
        why = "hidden names and .. are not served";
    } else if (found == SERVE_PATH_MISSING) {
        why = "that is a folder; name a file in it";
    } else if (found == SERVE_PATH_OK) {
        found = serve_path_open(r->serve->config.root_fd, path, &r->fd, &r->st, &why);
    }
    if (found == SERVE_PATH_OK && is_private_key(r)) {
        found = SERVE_PATH_FORBIDDEN;
        why = "private keys are not served";
    }
    if (found != SERVE_PATH_OK) {
        return answer_text(r, mhd, (unsigned)found, why, NULL, NULL);
    }

    size = (uint64_t)r->st.st_size;
    snprintf(etag, sizeof(etag), "\"%" PRIx64 "-%" PRIx64 "-%" PRIx64 "\"", (uint64_t)r->st.st_ino,
             size, (uint64_t)r->st.st_mtim.tv_sec * 1000000000u + (uint64_t)r->st.st_mtim.tv_nsec);
    serve_date_format(r->st.st_mtim.tv_sec, date);

    status = precondition(mhd, etag, r->st.st_mtim.tv_sec);
    if (status == MHD_HTTP_PRECONDITION_FAILED) {
        return answer_text(r, mhd, status, "the file is another one by now", "ETag", etag);
    }
    r->first = 0;
    r->length = size;
    if (status == MHD_HTTP_OK && !head && range_still_valid(mhd, etag, r->st.st_mtim.tv_sec)) {
        switch (serve_range_parse(header(mhd, "Range"), size, &r->first, &r->length)) {
        case SERVE_RANGE_PART:
            status = MHD_HTTP_PARTIAL_CONTENT;
            r->is_part = true;
            break;
        case SERVE_RANGE_UNSATISFIABLE:
            snprintf(content_range, sizeof(content_range), "bytes */%" PRIu64, size);
            return answer_text(r, mhd, MHD_HTTP_RANGE_NOT_SATISFIABLE, "the file has no such bytes",
                               "Content-Range", content_range);
        case SERVE_RANGE_WHOLE:
            break;
        }
    }

    response = r->length == 0
                   ? MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT)
                   : MHD_create_response_from_callback(r->length, BODY_BLOCK, read_body, r, NULL);
    if (response == NULL) {
        return MHD_NO;
    }
    MHD_add_response_header(response, "Content-Type", "application/octet-stream");
    MHD_add_response_header(response, "Accept-Ranges", "bytes");
    MHD_add_response_header(response, "ETag", etag);
    MHD_add_response_header(response, "Last-Modified", date);
    if (r->is_part) {
        snprintf(content_range, sizeof(content_range), "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64,
                 r->first, r->first + r->length - 1, size);
        MHD_add_response_header(response, "Content-Range", content_range);
    }
    if (head || status == MHD_HTTP_NOT_MODIFIED) {
        r->length = 0; /* for the log; the length that is announced stays the file's */
    }
    return answer(r, mhd, status, response);
}

/* ---- requests -------------------------------------------------------------------------------- */

/* First word of a request: its line has arrived, and no more is known. */
static void *on_request_line(void *cls, const char *target, struct MHD_Connection *mhd)
{
    struct request *r = calloc(1, sizeof(*r));

    if (r == NULL) {
        return NULL;
    }
    r->serve = cls;
    r->connection = connection_of(mhd);
    connection_requests(r->connection);
    r->fd = -1;
    r->start_ns = now_ns();
    r->target = strdup(target != NULL ? target : "");
    return r;
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *mhd, const char *url,
                                  const char *method, const char *version, const char *upload_data,
                                  size_t *upload_size, void **context)
{
    struct request *r = *context;
    const char *length;

    (void)cls;
    (void)url;
    (void)upload_data;
    if (r == NULL || r->target == NULL) {
        return MHD_NO;
    }
    if (!r->headers_seen) {
        r->headers_seen = true;
        connection_is_served(r->connection);
        r->method = strdup(method);
        snprintf(r->version, sizeof(r->version), "%s", version);
        if (r->method == NULL) {
            return MHD_NO;
        }
        length = header(mhd, "Content-Length");
        if (header(mhd, "Transfer-Encoding") == NULL &&
            (length == NULL || length[strspn(length, "0")] == '\0')) {
            return MHD_YES; /* answered at the next call; answering now would end keep-alive */
        }
        /* A body has no meaning here. It is not read: the answer comes now, then the end. */
        if (strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0) {
            return answer_text(r, mhd, MHD_HTTP_BAD_REQUEST, "a request for a file has no body",
                               "Connection", "close");
        }
    }
    if (*upload_size != 0) {
        *upload_size = 0;
        return MHD_YES;
    }
    if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0) {
        return answer_text(r, mhd, MHD_HTTP_METHOD_NOT_ALLOWED, "this server only gives files",
                           "Allow", "GET, HEAD");
    }
    return answer_file(r, mhd);
}

static void on_request_end(void *cls, struct MHD_Connection *mhd, void **context,
                           enum MHD_RequestTerminationCode code)
{
    struct request *r = *context;
    struct serve_log_entry entry = {0};
    (void)cls;
    (void)mhd;

    if (r == NULL) {
        return;
    }
    *context = NULL;
    entry.address = connection_address(r->connection);
    entry.method = r->method;
    entry.target = r->target;
    entry.version = r->version[0] != '\0' ? r->version : NULL;
    entry.status = r->status;
    entry.has_range = r->is_part;
    entry.first = r->first;
    entry.length = r->length;
    entry.size = (uint64_t)r->st.st_size;
    entry.duration_us = (now_ns() - r->start_ns) / 1000u;
    entry.bytes = r->sent;
    switch (code) {
    case MHD_REQUEST_TERMINATED_COMPLETED_OK:
        entry.end = "complete";
        entry.bytes = r->length;
        if (r->fd >= 0 && r->length > 0 && r->status < 300 && !file_unchanged(r)) {
            entry.end = "file-changed";
        }
        break;
    case MHD_REQUEST_TERMINATED_TIMEOUT_REACHED:
        entry.end = "timed-out";
        break;
    case MHD_REQUEST_TERMINATED_DAEMON_SHUTDOWN:
        entry.end = "server-stopped";
        break;
    default:
        entry.end = r->headers_seen ? "aborted" : "refused";
        break;
    }
    if (r->trouble != NULL) {
        entry.end = r->trouble;
    }
    serve_log_write(r->serve->config.access_log, &entry);
    connection_waits(r->connection);
    if (r->fd >= 0) {
        close(r->fd);
    }
    free(r->method);
    free(r->target);
    free(r);
}

/* The target is taken from on_request_line() and decoded by serve_path_decode(), once. */
static size_t keep_escaped(void *cls, struct MHD_Connection *mhd, char *text)
{
    (void)cls;
    (void)mhd;
    return strlen(text);
}

/* ---- start and stop -------------------------------------------------------------------------- */

struct serve *serve_start(const struct serve_config *config)
{
    struct serve *serve = calloc(1, sizeof(*serve));
    unsigned flags = MHD_USE_POLL_INTERNAL_THREAD | MHD_USE_ITC | MHD_USE_ERROR_LOG;
    struct MHD_OptionItem options[20];
    unsigned n = 0;

    if (serve == NULL) {
        ui_error("out of memory");
        return NULL;
    }
    serve->config = *config;
    serve->connections.tls = config->cert_pem != NULL;
    serve->connections.tls13_only = config->tls13_only;
    serve->connections.patience_ms = (uint64_t)config->timeout_s * 1000u;
    if (!connections_init(&serve->connections)) {
        free(serve);
        return NULL;
    }

#define OPTION(name, number, pointer)                                                              \
    options[n++] = (struct MHD_OptionItem)                                                         \
    {                                                                                              \
        (name), (intptr_t)(number), (pointer)                                                      \
    }
    /* The logger goes first: it is wanted for what is wrong with the others. */
    OPTION(MHD_OPTION_EXTERNAL_LOGGER, connections_message, &serve->connections);
    OPTION(MHD_OPTION_NOTIFY_COMPLETED, on_request_end, serve);
    OPTION(MHD_OPTION_NOTIFY_CONNECTION, connections_notify, &serve->connections);
    OPTION(MHD_OPTION_URI_LOG_CALLBACK, on_request_line, serve);
    OPTION(MHD_OPTION_UNESCAPE_CALLBACK, keep_escaped, NULL);
    OPTION(MHD_OPTION_LISTEN_SOCKET, config->listen_fd, NULL);
    OPTION(MHD_OPTION_CONNECTION_TIMEOUT, config->timeout_s, NULL);
    OPTION(MHD_OPTION_CONNECTION_LIMIT, config->connections, NULL);
    OPTION(MHD_OPTION_STRICT_FOR_CLIENT, 1, NULL);
    if (config->threads > 1) {
        OPTION(MHD_OPTION_THREAD_POOL_SIZE, config->threads, NULL);
    }
    if (config->cert_pem != NULL) {
        flags |= MHD_USE_TLS;
        OPTION(MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)(uintptr_t)config->cert_pem);
        OPTION(MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)(uintptr_t)config->key_pem);
        OPTION(MHD_OPTION_HTTPS_PRIORITIES, 0,
               config->tls13_only ? "SECURE128:-VERS-ALL:+VERS-TLS1.3" TLS_CIPHERS
                                  : "SECURE128:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2" TLS_CIPHERS);
    }
    OPTION(MHD_OPTION_END, 0, NULL);
#undef OPTION

    serve->daemon = MHD_start_daemon(flags, 0, NULL, NULL, on_request, serve, MHD_OPTION_ARRAY,
                                     options, MHD_OPTION_END);
    if (serve->daemon == NULL) {
        ui_error("the server could not be started");
        connections_free(&serve->connections);
        free(serve);
        return NULL;
    }
    connections_started(&serve->connections);
    return serve;
}

uint64_t serve_expire(struct serve *serve)
{
    return connections_expire(&serve->connections);
}

void serve_stop(struct serve *serve)
{
    connections_stopping(&serve->connections);
    MHD_stop_daemon(serve->daemon);
    connections_free(&serve->connections);
    free(serve);
}
