/* SPDX-License-Identifier: Apache-2.0
 *
 * Loading and checking the server's certificate and key. */
#include "serve_tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "ui.h"

#define PEM_MAX (256 * 1024)

/* Reads a small text file whole. The buffer never moves, so no copy of a key stays behind. */
static char *read_pem(const char *path, struct stat *st)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    char *text = NULL;
    size_t len = 0;
    ssize_t n = 0;

    if (fd < 0) {
        if (errno == ENOENT) {
            ui_error("%s: there is no such file; `airlift cert` makes ca_cert.pem and ca_key.pem, "
                     "and --http serves without them",
                     path);
        } else {
            ui_error("%s: cannot be opened: %s", path, strerror(errno));
        }
        return NULL;
    }
    if (fstat(fd, st) != 0 || (text = malloc(PEM_MAX + 1)) == NULL) {
        ui_error("%s: cannot be read: %s", path, strerror(errno));
        close(fd);
        return NULL;
    }
    while (len < PEM_MAX) {
        n = read(fd, text + len, PEM_MAX - len);
        if (n == 0 || (n < 0 && errno != EINTR)) {
            break;
        }
        len += n > 0 ? (size_t)n : 0;
    }
    if (n != 0) {
        if (n < 0) {
            ui_error("%s: cannot be read: %s", path, strerror(errno));
        } else {
            ui_error("%s: larger than %d KiB, not a certificate or key", path, PEM_MAX / 1024);
        }
        gnutls_memset(text, 0, len);
        free(text);
        text = NULL;
    } else {
        text[len] = '\0';
    }
    close(fd);
    return text;
}

static void append(char *out, size_t size, const char *text)
{
    size_t used = strlen(out);

    snprintf(out + used, size - used, "%s%s", used > 0 ? ", " : "", text);
}

/* Only what can stand in a name is shown: a certificate is not to write control characters. */
static void append_printable(char *out, size_t size, const char *text, size_t len)
{
    char copy[128];
    size_t n = 0;

    for (size_t i = 0; i < len && n < sizeof(copy) - 1; i++) {
        unsigned char c = (unsigned char)text[i];

        copy[n++] = c >= 0x20 && c < 0x7F ? (char)c : '?';
    }
    copy[n] = '\0';
    append(out, size, copy);
}

static void list_names(gnutls_x509_crt_t cert, char *out, size_t size)
{
    char name[256];
    size_t len;

    out[0] = '\0';
    for (unsigned i = 0;; i++) {
        int type;

        len = sizeof(name);
        type = gnutls_x509_crt_get_subject_alt_name(cert, i, name, &len, NULL);
        if (type == GNUTLS_E_SHORT_MEMORY_BUFFER) {
            continue;
        }
        if (type < 0) {
            break;
        }
        if (type == GNUTLS_SAN_IPADDRESS && (len == 4 || len == 16)) {
            char text[INET6_ADDRSTRLEN];

            inet_ntop(len == 4 ? AF_INET : AF_INET6, name, text, sizeof(text));
            append(out, size, text);
        } else if (type == GNUTLS_SAN_DNSNAME) {
            append_printable(out, size, name, len);
        }
    }
    len = sizeof(name);
    if (out[0] == '\0' && gnutls_x509_crt_get_dn_by_oid(cert, GNUTLS_OID_X520_COMMON_NAME, 0, 0,
                                                        name, &len) == GNUTLS_E_SUCCESS) {
        append_printable(out, size, name, len);
    }
}

static bool check_certificate(const char *path, gnutls_x509_crt_t cert,
                              struct serve_identity *identity)
{
    time_t now = time(NULL);
    time_t begin = gnutls_x509_crt_get_activation_time(cert);
    time_t end = gnutls_x509_crt_get_expiration_time(cert);
    struct tm tm;

    list_names(cert, identity->names, sizeof(identity->names));
    memcpy(identity->expires, "?", 2);
    if (end != (time_t)-1 && gmtime_r(&end, &tm) != NULL) {
        strftime(identity->expires, sizeof(identity->expires), "%Y-%m-%d", &tm);
    }
    if (end != (time_t)-1 && end < now) {
        ui_warning("%s: expired on %s; clients with a clock refuse it; "
                   "`airlift cert --force` makes a new one",
                   path, identity->expires);
    } else if (begin != (time_t)-1 && begin > now) {
        ui_warning("%s: not valid yet by this machine's clock", path);
    }
    return true;
}

static bool check_pair(const char *cert_path, const char *key_path, struct serve_identity *identity)
{
    gnutls_datum_t cert_text = {(unsigned char *)identity->cert_pem,
                                (unsigned)strlen(identity->cert_pem)};
    gnutls_datum_t key_text = {(unsigned char *)identity->key_pem,
                               (unsigned)strlen(identity->key_pem)};
    unsigned char cert_id[64];
    unsigned char key_id[64];
    size_t cert_id_len = sizeof(cert_id);
    size_t key_id_len = sizeof(key_id);
    gnutls_x509_crt_t *certs = NULL;
    gnutls_x509_privkey_t key = NULL;
    unsigned count = 0;
    bool good = false;
    int rc;
    int algorithm;

    rc = gnutls_x509_crt_list_import2(&certs, &count, &cert_text, GNUTLS_X509_FMT_PEM, 0);
    if (rc < 0 || count == 0) {
        ui_error("%s: not a certificate in PEM form: %s", cert_path, gnutls_strerror(rc));
        goto out;
    }
    rc = gnutls_x509_privkey_init(&key);
    if (rc == GNUTLS_E_SUCCESS) {
        rc = gnutls_x509_privkey_import2(key, &key_text, GNUTLS_X509_FMT_PEM, NULL, 0);
    }
    if (rc == GNUTLS_E_DECRYPTION_FAILED || rc == GNUTLS_E_PK_INVALID_PUBKEY_PARAMS ||
        strstr(identity->key_pem, "ENCRYPTED") != NULL) {
        ui_error("%s: the key is protected by a password, which a server cannot type; "
                 "`openssl pkey` removes it",
                 key_path);
        goto out;
    }
    if (rc != GNUTLS_E_SUCCESS) {
        ui_error("%s: not a private key in PEM form: %s", key_path, gnutls_strerror(rc));
        goto out;
    }
    algorithm = gnutls_x509_privkey_get_pk_algorithm(key);
    if (algorithm != GNUTLS_PK_RSA && algorithm != GNUTLS_PK_RSA_PSS &&
        algorithm != GNUTLS_PK_ECDSA) {
        ui_error("%s: a key of type %s; RSA and ECDSA keys are served", key_path,
                 gnutls_pk_get_name((gnutls_pk_algorithm_t)algorithm));
        goto out;
    }
    rc = gnutls_x509_crt_get_key_id(certs[0], GNUTLS_KEYID_USE_SHA256, cert_id, &cert_id_len);
    if (rc == GNUTLS_E_SUCCESS) {
        rc = gnutls_x509_privkey_get_key_id(key, GNUTLS_KEYID_USE_SHA256, key_id, &key_id_len);
    }
    if (rc != GNUTLS_E_SUCCESS) {
        ui_error("%s: %s", key_path, gnutls_strerror(rc));
        goto out;
    }
    if (cert_id_len != key_id_len || memcmp(cert_id, key_id, key_id_len) != 0) {
        ui_error("%s: not the key of %s; make both anew with `airlift cert --force`", key_path,
                 cert_path);
        goto out;
    }
    good = check_certificate(cert_path, certs[0], identity);
out:
    for (unsigned i = 0; i < count; i++) {
        gnutls_x509_crt_deinit(certs[i]);
    }
    gnutls_free(certs);
    if (key != NULL) {
        gnutls_x509_privkey_deinit(key);
    }
    return good;
}

bool serve_identity_load(const char *dir, struct serve_identity *identity)
{
    char *cert_path = NULL;
    char *key_path = NULL;
    struct stat st;
    bool good = false;

    memset(identity, 0, sizeof(*identity));
    if (asprintf(&cert_path, "%s/ca_cert.pem", dir) < 0) {
        cert_path = NULL;
    }
    if (asprintf(&key_path, "%s/ca_key.pem", dir) < 0) {
        key_path = NULL;
    }
    if (cert_path == NULL || key_path == NULL) {
        ui_error("%s: out of memory", dir);
    } else if ((identity->cert_pem = read_pem(cert_path, &st)) != NULL &&
               (identity->key_pem = read_pem(key_path, &st)) != NULL) {
        identity->key_dev = st.st_dev;
        identity->key_ino = st.st_ino;
        good = check_pair(cert_path, key_path, identity);
    }
    if (!good) {
        serve_identity_free(identity);
    }
    free(cert_path);
    free(key_path);
    return good;
}

void serve_identity_free(struct serve_identity *identity)
{
    if (identity->key_pem != NULL) {
        gnutls_memset(identity->key_pem, 0, strlen(identity->key_pem));
    }
    free(identity->key_pem);
    free(identity->cert_pem);
    memset(identity, 0, sizeof(*identity));
}
