/* SPDX-License-Identifier: Apache-2.0
 *
 * airlift cert: a self-signed certificate for an update server. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "commands.h"
#include "file.h"
#include "ui.h"

#define NAMES_MAX 64
#define DAYS_MAX  36500

static void print_help(void)
{
    printf("usage: airlift cert [options]\n\n"
           "Makes a self-signed certificate for an update server, and its key: ca_cert.pem, which\n"
           "devices trust (put it into the project's server_certs/), and ca_key.pem, which stays\n"
           "with the server.\n\n"
           "  --name NAME|ADDRESS  host in the devices' URLs; may be repeated, the first is also\n"
           "                       the common name (default: localhost, 127.0.0.1 and ::1)\n"
           "  --key rsa2048|ecdsa-p256  kind of key (default rsa2048)\n"
           "  --days N             validity from now, 1 to %d (default 365)\n"
           "  --out DIR            folder to write to, made if missing (default: this one)\n"
           "  --force              replace existing files\n",
           DAYS_MAX);
}

struct arguments {
    const char *names[NAMES_MAX];
    size_t name_count;
    bool ecdsa;
    bool force;
    uint64_t days;
    const char *out;
};

/* A host name of letters, digits, hyphens and underscores, perhaps with "*." in front. */
static bool is_host_name(const char *name)
{
    size_t label = 0;

    if (strlen(name) > 253) {
        return false;
    }
    if (strncmp(name, "*.", 2) == 0) {
        name += 2;
    }
    for (const char *p = name;; p++) {
        bool inner = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
                     (*p >= '0' && *p <= '9') || *p == '_';

        if (inner || (*p == '-' && label > 0)) {
            label++;
        } else if ((*p == '.' || *p == '\0') && label > 0 && label <= 63 && p[-1] != '-') {
            label = 0;
            if (*p == '\0') {
                return true;
            }
        } else {
            return false;
        }
    }
}

/* The bytes of an IPv4 or IPv6 address: 4, 16, or 0 when it is none. */
static unsigned address_bytes(const char *name, unsigned char out[16])
{
    return inet_pton(AF_INET, name, out) == 1 ? 4u : inet_pton(AF_INET6, name, out) == 1 ? 16u : 0u;
}

/* Returns AIRLIFT_EXIT_OK to go on, or -1 when the help was printed. */
static int parse(int argc, char **argv, struct arguments *a)
{
    enum { NAME = 256, KEY, DAYS, OUT, FORCE };
    static const struct option options[] = {
        {"name", required_argument, NULL, NAME},
        {"key", required_argument, NULL, KEY},
        {"days", required_argument, NULL, DAYS},
        {"out", required_argument, NULL, OUT},
        {"force", no_argument, NULL, FORCE},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    static const char *const standard[] = {"localhost", "127.0.0.1", "::1"};
    unsigned char bytes[16];
    int c;

    *a = (struct arguments){.days = 365, .out = "."};
    opterr = 0;
    while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        switch (c) {
        case NAME:
            if (address_bytes(optarg, bytes) == 0 && !is_host_name(optarg)) {
                return ui_usage_error("cert",
                                      "--name: %s: must be a host name or an IP address, "
                                      "without scheme and port",
                                      optarg);
            }
            if (a->name_count == NAMES_MAX) {
                return ui_usage_error("cert", "--name: more than %d names", NAMES_MAX);
            }
            a->names[a->name_count++] = optarg;
            break;
        case KEY:
            if (strcmp(optarg, "rsa2048") != 0 && strcmp(optarg, "ecdsa-p256") != 0) {
                return ui_usage_error("cert", "--key: %s: must be rsa2048 or ecdsa-p256", optarg);
            }
            a->ecdsa = optarg[0] == 'e';
            break;
        case DAYS:
            if (!ui_parse_number(optarg, false, DAYS_MAX, &a->days) || a->days == 0) {
                return ui_usage_error("cert", "--days: %s: must be 1 to %d", optarg, DAYS_MAX);
            }
            break;
        case OUT:
            a->out = optarg;
            break;
        case FORCE:
            a->force = true;
            break;
        case 'h':
            print_help();
            return -1;
        default:
            return ui_bad_option("cert", argc, argv);
        }
    }
    if (optind < argc) {
        return ui_usage_error("cert", "%s: not expected; names are given with --name",
                              argv[optind]);
    }
    if (a->name_count == 0) {
        memcpy(a->names, standard, sizeof(standard));
        a->name_count = sizeof(standard) / sizeof(standard[0]);
    }
    return AIRLIFT_EXIT_OK;
}

/* Names, validity and extensions. Without a key usage, as the guide's openssl line makes it: the
 * one certificate is both the trust anchor and what the server shows. */
static int describe(gnutls_x509_crt_t cert, gnutls_x509_privkey_t key, const struct arguments *a)
{
    unsigned char serial[20];
    unsigned char id[64];
    unsigned char bytes[16];
    size_t id_len = sizeof(id);
    time_t now = time(NULL);
    /* A common name has at most 64 bytes; what clients compare are the alternative names. */
    const char *common = strlen(a->names[0]) <= 64 ? a->names[0] : "airlift";
    int rc;

    if ((rc = gnutls_rnd(GNUTLS_RND_NONCE, serial, sizeof(serial))) < 0) {
        return rc;
    }
    serial[0] = (unsigned char)((serial[0] & 0x3F) | 0x40); /* positive, 20 bytes long */
    if ((rc = gnutls_x509_crt_set_version(cert, 3)) < 0 ||
        (rc = gnutls_x509_crt_set_serial(cert, serial, sizeof(serial))) < 0 ||
        (rc = gnutls_x509_crt_set_activation_time(cert, now)) < 0 ||
        (rc = gnutls_x509_crt_set_expiration_time(cert, now + (time_t)a->days * 86400)) < 0 ||
        (rc = gnutls_x509_crt_set_key(cert, key)) < 0 ||
        (rc = gnutls_x509_crt_set_dn_by_oid(cert, GNUTLS_OID_X520_COMMON_NAME, 0, common,
                                            (unsigned)strlen(common))) < 0 ||
        (rc = gnutls_x509_crt_get_key_id(cert, GNUTLS_KEYID_USE_SHA1, id, &id_len)) < 0 ||
        (rc = gnutls_x509_crt_set_subject_key_id(cert, id, id_len)) < 0 ||
        (rc = gnutls_x509_crt_set_authority_key_id(cert, id, id_len)) < 0 ||
        (rc = gnutls_x509_crt_set_basic_constraints(cert, 1, -1)) < 0) {
        return rc;
    }
    for (size_t i = 0; i < a->name_count; i++) {
        unsigned len = address_bytes(a->names[i], bytes);

        if (len > 0) {
            rc = gnutls_x509_crt_set_subject_alt_name(cert, GNUTLS_SAN_IPADDRESS, bytes, len,
                                                      GNUTLS_FSAN_APPEND);
        } else {
            rc = gnutls_x509_crt_set_subject_alt_name(cert, GNUTLS_SAN_DNSNAME, a->names[i],
                                                      (unsigned)strlen(a->names[i]),
                                                      GNUTLS_FSAN_APPEND);
        }
        if (rc < 0) {
            return rc;
        }
    }
    return gnutls_x509_crt_sign2(cert, cert, key, GNUTLS_DIG_SHA256, 0);
}

/* Makes both texts; the caller frees them with gnutls_free(). */
static bool make(const struct arguments *a, gnutls_datum_t *cert_text, gnutls_datum_t *key_text)
{
    gnutls_x509_crt_t cert = NULL;
    gnutls_x509_privkey_t key = NULL;
    int rc;

    if ((rc = gnutls_x509_privkey_init(&key)) >= 0 && (rc = gnutls_x509_crt_init(&cert)) >= 0) {
        const unsigned p256 = GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1);

        rc = a->ecdsa ? gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA, p256, 0)
                      : gnutls_x509_privkey_generate(key, GNUTLS_PK_RSA, 2048, 0);
    }
    if (rc >= 0 && (rc = describe(cert, key, a)) >= 0 &&
        (rc = gnutls_x509_crt_export2(cert, GNUTLS_X509_FMT_PEM, cert_text)) >= 0) {
        rc = gnutls_x509_privkey_export2_pkcs8(key, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN,
                                               key_text);
    }
    if (rc < 0) {
        ui_error("the certificate could not be made: %s", gnutls_strerror(rc));
    }
    if (cert != NULL) {
        gnutls_x509_crt_deinit(cert);
    }
    if (key != NULL) {
        gnutls_x509_privkey_deinit(key);
    }
    return rc >= 0;
}

/* Writes a new file `path` with exactly `mode`, whatever the umask; it must not exist. */
static bool write_new(const char *path, mode_t mode, const gnutls_datum_t *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    size_t done = 0;
    bool good = fd >= 0 && fchmod(fd, mode) == 0;

    while (good && done < text->size) {
        ssize_t n = write(fd, text->data + done, text->size - done);

        if (n >= 0) {
            done += (size_t)n;
        } else if (errno != EINTR) {
            good = false;
        }
    }
    good = good && fsync(fd) == 0;
    if (!good) {
        ui_error("%s: cannot be written: %s", path, strerror(errno));
    }
    if (fd >= 0) {
        if (close(fd) != 0 && good) {
            ui_error("%s: cannot be written: %s", path, strerror(errno));
            good = false;
        }
        if (!good) {
            unlink(path);
        }
    }
    return good;
}

/* Puts `temporary` in the place of `path`, or, unless `force`, where nothing was. */
static bool put_in_place(const char *temporary, const char *path, bool force)
{
    int rc;

    if (force) {
        rc = rename(temporary, path);
    } else {
        rc = renameat2(AT_FDCWD, temporary, AT_FDCWD, path, RENAME_NOREPLACE);
        if (rc != 0 && errno == EINVAL && access(path, F_OK) != 0) {
            rc = rename(temporary, path); /* a file system without that flag */
        }
    }
    if (rc != 0) {
        ui_error("%s: cannot be written: %s", path, strerror(errno));
    }
    return rc == 0;
}

struct paths {
    char *cert;
    char *key;
    char *new_cert; /* beside them, until both are complete */
    char *new_key;
};

static bool name_paths(const char *dir, struct paths *p)
{
    long id = (long)getpid();

    *p = (struct paths){0};
    if (asprintf(&p->cert, "%s/ca_cert.pem", dir) < 0) {
        p->cert = NULL;
    }
    if (asprintf(&p->key, "%s/ca_key.pem", dir) < 0) {
        p->key = NULL;
    }
    if (asprintf(&p->new_cert, "%s/.ca_cert.pem.%ld", dir, id) < 0) {
        p->new_cert = NULL;
    }
    if (asprintf(&p->new_key, "%s/.ca_key.pem.%ld", dir, id) < 0) {
        p->new_key = NULL;
    }
    if (p->cert == NULL || p->key == NULL || p->new_cert == NULL || p->new_key == NULL) {
        ui_error("%s: out of memory", dir);
        return false;
    }
    return true;
}

static bool write_pair(const struct paths *p, bool force, const gnutls_datum_t *cert,
                       const gnutls_datum_t *key)
{
    if (!write_new(p->new_key, 0600, key)) {
        return false;
    }
    if (!write_new(p->new_cert, 0644, cert)) {
        unlink(p->new_key);
        return false;
    }
    if (!put_in_place(p->new_key, p->key, force)) {
        unlink(p->new_key);
        unlink(p->new_cert);
        return false;
    }
    if (!put_in_place(p->new_cert, p->cert, force)) {
        unlink(p->new_cert);
        return false;
    }
    return true;
}

static int run(int argc, char **argv)
{
    struct arguments a;
    struct paths p;
    struct stat st;
    gnutls_datum_t cert = {NULL, 0};
    gnutls_datum_t key = {NULL, 0};
    int status = parse(argc, argv, &a);
    bool good;

    if (status != AIRLIFT_EXIT_OK) {
        return status < 0 ? AIRLIFT_EXIT_OK : status;
    }
    good = name_paths(a.out, &p) && file_make_parents(p.cert);
    if (good && !a.force) {
        const char *existing = lstat(p.cert, &st) == 0  ? p.cert
                               : lstat(p.key, &st) == 0 ? p.key
                                                        : NULL;
        if (existing != NULL) {
            ui_error("%s: exists, and devices may trust it; --force replaces it", existing);
            good = false;
        }
    }
    good = good && make(&a, &cert, &key) && write_pair(&p, a.force, &cert, &key);
    if (good) {
        printf("%s: certificate for", p.cert);
        for (size_t i = 0; i < a.name_count; i++) {
            printf(" %s%s", a.names[i], i + 1 < a.name_count ? "," : "");
        }
        printf("; %u days\n%s: its private key (%s); keep it with the server\n", (unsigned)a.days,
               p.key, a.ecdsa ? "ECDSA P-256" : "RSA 2048");
    }
    gnutls_free(cert.data);
    if (key.data != NULL) {
        gnutls_memset(key.data, 0, key.size);
        gnutls_free(key.data);
    }
    free(p.cert);
    free(p.key);
    free(p.new_cert);
    free(p.new_key);
    return good ? AIRLIFT_EXIT_OK : AIRLIFT_EXIT_FAILURE;
}

const airlift_cmd_t airlift_cmd_cert = {
    .name = "cert",
    .summary = "make a self-signed certificate for an update server",
    .run = run,
};
