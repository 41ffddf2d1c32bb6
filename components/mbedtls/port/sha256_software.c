/* SPDX-License-Identifier: Apache-2.0
 *
 * The library's own SHA-256 once more, under names of its own, so that its compression function in
 * C is there beside the process hook of sha256_engine.c. The linker drops all but
 * airlift_sha256_process_software(). */
#include "mbedtls/build_info.h"

#undef MBEDTLS_SHA256_PROCESS_ALT

#define mbedtls_internal_sha256_process airlift_sha256_process_software
#define mbedtls_sha256_init             airlift_sha256_init_software
#define mbedtls_sha256_free             airlift_sha256_free_software
#define mbedtls_sha256_clone            airlift_sha256_clone_software
#define mbedtls_sha256_starts           airlift_sha256_starts_software
#define mbedtls_sha256_update           airlift_sha256_update_software
#define mbedtls_sha256_finish           airlift_sha256_finish_software
#define mbedtls_sha256                  airlift_sha256_software

#include "sha256.c"
