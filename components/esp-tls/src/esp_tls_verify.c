/* SPDX-License-Identifier: Apache-2.0
 *
 * Says in words what is wrong with a server's certificate: which one, which name was asked for,
 * which names it has, and what to do. Everything in a certificate may be hostile, so only
 * printable ASCII of it reaches the log. */
#include "esp_tls_private.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mbedtls/asn1.h"
#include "mbedtls/oid.h"

#define VERDICT_SIZE 768

typedef struct {
    char *text;
    size_t size;
    size_t used;
} words_t;

__attribute__((format(printf, 2, 3))) static void say(words_t *words, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int len = vsnprintf(words->text + words->used, words->size - words->used, format, args);
    va_end(args);
    if (len > 0) {
        size_t room = words->size - words->used - 1;
        words->used += (size_t)len < room ? (size_t)len : room;
    }
}

static void say_bytes(words_t *words, const unsigned char *bytes, size_t len)
{
    for (size_t i = 0; i < len && i < 128; i++) {
        say(words, "%c", bytes[i] >= 0x20 && bytes[i] < 0x7f && bytes[i] != '"' ? bytes[i] : '?');
    }
}

static void say_dn(words_t *words, const mbedtls_x509_name *name)
{
    char text[192] = "";
    int len = mbedtls_x509_dn_gets(text, sizeof(text), name);
    if (len == MBEDTLS_ERR_X509_BUFFER_TOO_SMALL) {
        text[sizeof(text) - 1] = '\0';
        len = (int)strlen(text);
    }
    if (len <= 0) {
        say(words, "(no name)");
        return;
    }
    say_bytes(words, (const unsigned char *)text, (size_t)len);
}

static void say_ip(words_t *words, const mbedtls_x509_buf *ip)
{
    if (ip->len == 4) {
        say(words, "IP:%u.%u.%u.%u", ip->p[0], ip->p[1], ip->p[2], ip->p[3]);
    } else if (ip->len == 16) {
        say(words, "IP:");
        for (size_t i = 0; i < 16; i += 2) {
            say(words, i == 0 ? "%x" : ":%x", (unsigned)(ip->p[i] << 8 | ip->p[i + 1]));
        }
    } else {
        say(words, "IP:(%u bytes)", (unsigned)ip->len);
    }
}

/* The names a certificate is valid for: those of subjectAltName if it is there, else the CNs. */
static void say_names(words_t *words, const mbedtls_x509_crt *crt)
{
    int count = 0;
    if (mbedtls_x509_crt_has_ext_type(crt, MBEDTLS_X509_EXT_SUBJECT_ALT_NAME)) {
        for (const mbedtls_x509_sequence *san = &crt->subject_alt_names; san != NULL;
             san = san->next) {
            const char *kind = NULL;
            switch (san->buf.tag & MBEDTLS_ASN1_TAG_VALUE_MASK) {
            case MBEDTLS_X509_SAN_DNS_NAME:
                kind = "DNS:";
                break;
            case MBEDTLS_X509_SAN_UNIFORM_RESOURCE_IDENTIFIER:
                kind = "URI:";
                break;
            case MBEDTLS_X509_SAN_IP_ADDRESS:
                kind = "";
                break;
            default:
                break;
            }
            if (kind == NULL) {
                continue;
            }
            say(words, "%s%s", count++ > 0 ? ", " : "", kind);
            if (kind[0] == '\0') {
                say_ip(words, &san->buf);
            } else {
                say_bytes(words, san->buf.p, san->buf.len);
            }
        }
    } else {
        for (const mbedtls_x509_name *name = &crt->subject; name != NULL; name = name->next) {
            if (name->oid.p != NULL && MBEDTLS_OID_CMP(MBEDTLS_OID_AT_CN, &name->oid) == 0) {
                say(words, "%sCN=", count++ > 0 ? ", " : "");
                say_bytes(words, name->val.p, name->val.len);
            }
        }
    }
    if (count == 0) {
        say(words, "no name at all");
    }
}

static bool same_bytes(const mbedtls_x509_buf *a, const mbedtls_x509_buf *b)
{
    return a->len == b->len && (a->len == 0 || memcmp(a->p, b->p, a->len) == 0);
}

static const mbedtls_x509_crt *anchors_of(const esp_tls_t *tls)
{
    if (tls->cfg == NULL || tls->cfg->crt_bundle_attach != NULL) {
        return NULL;
    }
    return tls->cfg->use_global_ca_store ? esp_tls_get_global_ca_store() : &tls->cacert;
}

static void say_not_trusted(words_t *words, const esp_tls_t *tls, const mbedtls_x509_crt *crt)
{
    const mbedtls_x509_crt *anchors = anchors_of(tls);
    bool self_issued = same_bytes(&crt->subject_raw, &crt->issuer_raw);
    unsigned count = 0;
    for (const mbedtls_x509_crt *anchor = anchors; anchor != NULL && anchor->raw.p != NULL;
         anchor = anchor->next) {
        count++;
        if (same_bytes(&anchor->raw, &crt->raw)) {
            say(words, "it is among the trusted certificates, but it is not self-signed and so no "
                       "anchor; trust the certificate of its issuer \"");
            say_dn(words, &crt->issuer);
            say(words, "\" instead. ");
            return;
        }
        if (same_bytes(&anchor->subject_raw, &crt->issuer_raw)) {
            say(words, "a trusted certificate has its issuer's name \"");
            say_dn(words, &crt->issuer);
            say(words,
                "\" but %s; was the certificate made anew? Give the device the present one. ",
                self_issued ? "is a different certificate"
                            : "did not sign it or may not sign certificates");
            return;
        }
    }
    if (self_issued) {
        say(words,
            "it is self-signed and not one of the device's %u trusted certificates; give the "
            "device this certificate, or the server one the device trusts. ",
            count);
    } else {
        say(words, "none of the device's %u trusted certificates is its issuer \"", count);
        say_dn(words, &crt->issuer);
        say(words, "\"; give the device the certificate of that authority, or let the server send "
                   "the missing intermediate ones. ");
    }
}

int esp_tls_explain_certificate(void *arg, mbedtls_x509_crt *crt, int depth, uint32_t *flags)
{
    esp_tls_t *tls = arg;
    if (*flags == 0) {
        return 0;
    }
    if (tls->verdict == NULL) {
        tls->verdict = calloc(1, VERDICT_SIZE);
        if (tls->verdict == NULL) {
            return 0; /* the handshake fails all the same, with fewer words */
        }
    }
    words_t words = {.text = tls->verdict, .size = VERDICT_SIZE, .used = strlen(tls->verdict)};
    uint32_t left = *flags;
    say(&words, depth == 0 ? "The server's certificate \"" : "The certificate \"");
    say_dn(&words, &crt->subject);
    say(&words, "\" is refused: ");
    if (left & MBEDTLS_X509_BADCERT_CN_MISMATCH) {
        const char *asked =
            tls->cfg != NULL && tls->cfg->common_name != NULL ? tls->cfg->common_name : tls->host;
        say(&words, "it is valid for ");
        say_names(&words, crt);
        say(&words,
            ", but the device asks for \"%.64s\"; use a name of the certificate in the URL "
            "or make a certificate for \"%.64s\". ",
            asked, asked);
    }
    if (left & MBEDTLS_X509_BADCERT_NOT_TRUSTED) {
        say_not_trusted(&words, tls, crt);
    }
    if (left & MBEDTLS_X509_BADCERT_EXPIRED) {
        say(&words, "it expired on %04d-%02d-%02d; renew it, or set the device's clock. ",
            crt->valid_to.year, crt->valid_to.mon, crt->valid_to.day);
    }
    if (left & MBEDTLS_X509_BADCERT_FUTURE) {
        say(&words, "it is valid only from %04d-%02d-%02d; set the device's clock. ",
            crt->valid_from.year, crt->valid_from.mon, crt->valid_from.day);
    }
    if (left & (MBEDTLS_X509_BADCERT_BAD_MD | MBEDTLS_X509_BADCERT_BAD_PK)) {
        say(&words, "it is signed with a hash or algorithm that is not accepted; use SHA-256 or "
                    "better with RSA or ECDSA. ");
    }
    if (left & MBEDTLS_X509_BADCERT_BAD_KEY) {
        say(&words, "its key is too weak; use RSA of 2048 bits or more, or P-256 or better. ");
    }
    if (left & (MBEDTLS_X509_BADCERT_KEY_USAGE | MBEDTLS_X509_BADCERT_EXT_KEY_USAGE |
                MBEDTLS_X509_BADCERT_NS_CERT_TYPE)) {
        say(&words, "its key usage does not allow a TLS server. ");
    }
    left &= ~(uint32_t)(MBEDTLS_X509_BADCERT_CN_MISMATCH | MBEDTLS_X509_BADCERT_NOT_TRUSTED |
                        MBEDTLS_X509_BADCERT_EXPIRED | MBEDTLS_X509_BADCERT_FUTURE |
                        MBEDTLS_X509_BADCERT_BAD_MD | MBEDTLS_X509_BADCERT_BAD_PK |
                        MBEDTLS_X509_BADCERT_BAD_KEY | MBEDTLS_X509_BADCERT_KEY_USAGE |
                        MBEDTLS_X509_BADCERT_EXT_KEY_USAGE | MBEDTLS_X509_BADCERT_NS_CERT_TYPE);
    if (left != 0) {
        say(&words, "verification flags 0x%x. ", (unsigned)left);
    }
    return 0;
}
