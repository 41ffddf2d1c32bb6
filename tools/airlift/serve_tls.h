/* SPDX-License-Identifier: Apache-2.0
 *
 * The certificate and key a server shows, looked at before the first device does. */
#ifndef AIRLIFT_SERVE_TLS_H
#define AIRLIFT_SERVE_TLS_H

#include <stdbool.h>
#include <sys/types.h>

struct serve_identity {
    char *cert_pem; /* text of CERT_DIR/ca_cert.pem */
    char *key_pem;  /* text of CERT_DIR/ca_key.pem */
    dev_t key_dev;  /* which file the key is */
    ino_t key_ino;
    char names[256]; /* names and addresses of the certificate for people, cut when too long */
    char expires[32];
};

/* Reads ca_cert.pem and ca_key.pem from the folder `dir` and checks them: both parse, the key is
 * not encrypted, is RSA or ECDSA, and belongs to the first certificate. A certificate that is not
 * valid today is accepted with a warning, since a device without a clock does not see it.
 * Returns false after explaining with ui_error(); then `identity` needs no freeing. */
bool serve_identity_load(const char *dir, struct serve_identity *identity);

/* Wipes the key and frees both texts. */
void serve_identity_free(struct serve_identity *identity);

#endif
