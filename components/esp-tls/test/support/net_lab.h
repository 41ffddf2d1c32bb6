/* SPDX-License-Identifier: Apache-2.0
 *
 * Servers, certificates and a log capture for tests of the network components.
 *
 * TLS servers are openssl's s_server, so that both ends are not our own; plain servers are threads
 * with a script. */
#ifndef NET_LAB_H
#define NET_LAB_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* --- Log --- */

/* Starts to keep all log output, from now on or again from the start. */
void lab_log_start(void);
/* What was logged since, NUL-terminated. */
const char *lab_log(void);
bool lab_log_has(const char *text);
int lab_log_count(const char *text);

/* --- Certificates, in the working folder --- */

/* Runs a shell command; its failure ends the test. */
void lab_run(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* NAME.pem and NAME.key: self-signed, with that subject ("/CN=localhost") and, if not NULL, that
 * subjectAltName. A second call with the same name and arguments makes other ones. */
void lab_self_signed(const char *name, const char *subject, const char *alt_names);
/* NAME.pem and NAME.key, signed by CA.pem. */
void lab_signed_by(const char *name, const char *subject, const char *alt_names, const char *ca);
/* A file's content with a NUL behind it; *len (may be NULL) without that. The caller frees. */
char *lab_read_file(const char *path, size_t *len);
void lab_write_file(const char *path, const void *data, size_t len);

/* --- TLS servers --- */

typedef struct {
    pid_t pid;
    int port;
    int in;  /* what is written here goes to the client (without -WWW or -HTTP) */
    int out; /* what s_server prints; without -WWW or -HTTP also what the client sends */
} lab_tls_server_t;

/* openssl s_server with NAME.pem and NAME.key on 127.0.0.1, and more arguments (may be NULL). */
lab_tls_server_t lab_tls_server(const char *name, const char *arguments);
/* Kills it, which cuts its connections without close_notify. */
void lab_tls_server_kill(lab_tls_server_t *server);

/* --- Plain TCP servers --- */

typedef struct lab_server lab_server_t;
/* Called for each connection in turn with the request (all up to the first blank line, or nothing
 * if wait_request is off); the connection is closed after it. */
typedef void (*lab_script_t)(int fd, const char *request, int number, void *arg);

lab_server_t *lab_server_start(lab_script_t script, void *arg, bool wait_request);
int lab_server_port(const lab_server_t *server);
int lab_server_connections(const lab_server_t *server);
void lab_server_stop(lab_server_t *server);
void lab_send(int fd, const char *text);
/* Reads the next request on a connection that stays open; empty when the client closed. */
void lab_read_request(int fd, char *buf, size_t size);
/* A port where nobody listens. */
int lab_closed_port(void);

#endif
