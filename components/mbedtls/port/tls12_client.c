/* SPDX-License-Identifier: Apache-2.0
 *
 * The library's TLS 1.2 client with one judgement corrected. A client that also speaks TLS 1.3
 * offers RSA-PSS signatures, and a TLS 1.2 server may then use one (RFC 8446, section 4.2.3): a
 * default OpenSSL server with an RSA key does. Mbed TLS 3.6.6 verifies such signatures, but refuses
 * them before with a check of what TLS 1.2 knew by itself. */
#include "mbedtls/build_info.h"

#if defined(MBEDTLS_SSL_CLI_C) && defined(MBEDTLS_SSL_PROTO_TLS1_2)
#include "common.h"
#include "mbedtls/ssl.h"
#include "ssl_misc.h"

static int airlift_sig_alg_is_supported(const mbedtls_ssl_context *ssl, uint16_t sig_alg)
{
#ifdef MBEDTLS_X509_RSASSA_PSS_SUPPORT
    if (sig_alg == MBEDTLS_TLS1_3_SIG_RSA_PSS_RSAE_SHA256 ||
        sig_alg == MBEDTLS_TLS1_3_SIG_RSA_PSS_RSAE_SHA384 ||
        sig_alg == MBEDTLS_TLS1_3_SIG_RSA_PSS_RSAE_SHA512) {
        return 1; /* whether it was offered is checked after this */
    }
#endif
    return mbedtls_ssl_sig_alg_is_supported(ssl, sig_alg);
}

#define mbedtls_ssl_sig_alg_is_supported airlift_sig_alg_is_supported
#endif

#include "ssl_tls12_client.c"
