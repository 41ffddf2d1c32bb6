/* SPDX-License-Identifier: Apache-2.0
 *
 * What Mbed TLS gets from the board and from FreeRTOS. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#include "freertos/FreeRTOS.h"
#include "freertos/semphr.h"
#include "freertos/task.h"
#include "mbedtls/entropy.h"
#include "mbedtls/md5.h"
#include "mbedtls/sha256.h"
#include "mbedtls/ssl.h"
#include "mbedtls/ssl_ciphersuites.h"
#include "mbedtls/threading.h"
#include "psa/crypto.h"

/* The bootloader's, under another name. */
#define mbedtls_internal_md5_process md5_process_small
int mbedtls_internal_md5_process(mbedtls_md5_context *ctx, const unsigned char data[64]);
#include "../port/md5_small.c"
#undef mbedtls_internal_md5_process

int airlift_sha256_process_software(mbedtls_sha256_context *ctx, const unsigned char data[64]);

/* FIPS 180-2, appendix B.1: "abc" as the one padded block of a message. */
static void software_hash_is_right_and_agrees_with_the_engine(void **state)
{
    (void)state;
    static const uint8_t expected[32] = {
        0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40,
        0xde, 0x5d, 0xae, 0x22, 0x23, 0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17,
        0x7a, 0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad,
    };
    uint8_t digest[32];
    assert_int_equal(mbedtls_sha256((const uint8_t *)"abc", 3, digest, 0), 0);
    assert_memory_equal(digest, expected, sizeof(digest));

    uint8_t block[64] = {'a', 'b', 'c', 0x80, [63] = 24};
    mbedtls_sha256_context ctx;
    mbedtls_sha256_init(&ctx);
    assert_int_equal(mbedtls_sha256_starts(&ctx, 0), 0);
    assert_int_equal(airlift_sha256_process_software(&ctx, block), 0);
    for (int i = 0; i < 32; i++) {
        assert_int_equal((uint8_t)(ctx.MBEDTLS_PRIVATE(state)[i / 4] >> (24 - 8 * (i % 4))),
                         expected[i]);
    }

    for (unsigned round = 0; round < 1000; round++) { /* the engine, if any, block by block */
        for (int i = 0; i < 64; i++) {
            block[i] = (uint8_t)(block[i] * 5 + i + (int)round);
        }
        mbedtls_sha256_context other = ctx;
        assert_int_equal(airlift_sha256_process_software(&ctx, block), 0);
        assert_int_equal(mbedtls_internal_sha256_process(&other, block), 0);
        assert_memory_equal(ctx.MBEDTLS_PRIVATE(state), other.MBEDTLS_PRIVATE(state), 32);
    }
    mbedtls_sha256_free(&ctx);
}

static void hash_of_odd_pieces_is_that_of_the_whole(void **state)
{
    (void)state;
    uint8_t data[3000];
    for (size_t i = 0; i < sizeof(data); i++) {
        data[i] = (uint8_t)(i * 7);
    }
    uint8_t whole[32];
    uint8_t pieces[32];
    assert_int_equal(mbedtls_sha256(data, sizeof(data), whole, 0), 0);
    mbedtls_sha256_context ctx;
    mbedtls_sha256_init(&ctx);
    assert_int_equal(mbedtls_sha256_starts(&ctx, 0), 0);
    for (size_t at = 0, len = 0; at < sizeof(data); at += len) {
        len = 1 + at % 131;
        len = len < sizeof(data) - at ? len : sizeof(data) - at;
        assert_int_equal(mbedtls_sha256_update(&ctx, data + at, len), 0);
    }
    assert_int_equal(mbedtls_sha256_finish(&ctx, pieces), 0);
    assert_memory_equal(whole, pieces, 32);
    mbedtls_sha256_free(&ctx);
}

static void random_numbers_come_and_differ(void **state)
{
    (void)state;
    uint8_t first[32] = {0};
    uint8_t second[32] = {0};
    assert_int_equal(psa_crypto_init(), PSA_SUCCESS);
    assert_int_equal(psa_generate_random(first, sizeof(first)), PSA_SUCCESS);
    assert_int_equal(psa_generate_random(second, sizeof(second)), PSA_SUCCESS);
    assert_memory_not_equal(first, second, sizeof(first));
    mbedtls_entropy_context entropy;
    mbedtls_entropy_init(&entropy);
    assert_int_equal(mbedtls_entropy_func(&entropy, first, sizeof(first)), 0);
    assert_memory_not_equal(first, second, sizeof(first));
    mbedtls_entropy_free(&entropy);
}

#define TASKS 4

typedef struct {
    bool (*function)(void *arg);
    void *arg;
    atomic_int succeeded;
    SemaphoreHandle_t ended;
} job_t;

static void do_job(void *arg)
{
    job_t *job = arg;
    if (job->function(job->arg)) {
        atomic_fetch_add(&job->succeeded, 1);
    }
    xSemaphoreGive(job->ended);
    vTaskDelete(NULL);
}

/* The function must succeed in four tasks at the same time. */
static void assert_tasks_succeed(bool (*function)(void *arg), void *arg)
{
    job_t job = {.function = function, .arg = arg};
    atomic_init(&job.succeeded, 0);
    job.ended = xSemaphoreCreateCounting(TASKS, 0);
    assert_non_null(job.ended);
    for (int i = 0; i < TASKS; i++) {
        assert_int_equal(xTaskCreate(do_job, "job", 8192, &job, 1, NULL), pdPASS);
    }
    for (int i = 0; i < TASKS; i++) {
        assert_int_equal(xSemaphoreTake(job.ended, portMAX_DELAY), pdTRUE);
    }
    vSemaphoreDelete(job.ended);
    assert_int_equal(atomic_load(&job.succeeded), TASKS);
}

typedef struct {
    mbedtls_threading_mutex_t *mutex;
    int *counter;
} work_t;

static bool count(void *arg)
{
    work_t *work = arg;
    for (int i = 0; i < 20000; i++) {
        if (mbedtls_mutex_lock(work->mutex) != 0) {
            return false;
        }
        ++*work->counter;
        if (mbedtls_mutex_unlock(work->mutex) != 0) {
            return false;
        }
    }
    return true;
}

static void mutex_is_made_at_first_use_and_excludes(void **state)
{
    (void)state;
    mbedtls_threading_mutex_t mutex;
    mbedtls_mutex_init(&mutex);
    assert_int_equal(mbedtls_mutex_unlock(&mutex), MBEDTLS_ERR_THREADING_MUTEX_ERROR);
    int counter = 0;
    work_t work = {&mutex, &counter};
    assert_tasks_succeed(count, &work);
    assert_int_equal(counter, 80000);
    mbedtls_mutex_free(&mutex);
    mbedtls_mutex_free(&mutex); /* does no harm */
}

static bool agree(void *arg)
{
    (void)arg;
    for (int i = 0; i < 10; i++) {
        psa_key_attributes_t attributes = PSA_KEY_ATTRIBUTES_INIT;
        psa_set_key_type(&attributes, PSA_KEY_TYPE_ECC_KEY_PAIR(PSA_ECC_FAMILY_SECP_R1));
        psa_set_key_bits(&attributes, 256);
        psa_set_key_usage_flags(&attributes, PSA_KEY_USAGE_DERIVE);
        psa_set_key_algorithm(&attributes, PSA_ALG_ECDH);
        psa_key_id_t keys[2];
        uint8_t public[2][80];
        size_t public_len[2];
        uint8_t secret[2][32];
        size_t secret_len;
        for (int k = 0; k < 2; k++) {
            if (psa_generate_key(&attributes, &keys[k]) != PSA_SUCCESS ||
                psa_export_public_key(keys[k], public[k], sizeof(public[k]), &public_len[k]) !=
                    PSA_SUCCESS) {
                return false;
            }
        }
        for (int k = 0; k < 2; k++) {
            if (psa_raw_key_agreement(PSA_ALG_ECDH, keys[k], public[1 - k], public_len[1 - k],
                                      secret[k], sizeof(secret[k]), &secret_len) != PSA_SUCCESS ||
                psa_destroy_key(keys[k]) != PSA_SUCCESS) {
                return false;
            }
        }
        if (memcmp(secret[0], secret[1], sizeof(secret[0])) != 0) {
            return false;
        }
    }
    return true;
}

static void tasks_use_psa_keys_at_the_same_time(void **state)
{
    (void)state;
    assert_int_equal(psa_crypto_init(), PSA_SUCCESS);
    assert_tasks_succeed(agree, NULL);
}

static void every_cipher_suite_offered_is_known_and_has_forward_secrecy(void **state)
{
    (void)state;
    static const int suites[] = {MBEDTLS_SSL_CIPHERSUITES, 0};
    for (size_t i = 0; suites[i] != 0; i++) {
        const mbedtls_ssl_ciphersuite_t *info = mbedtls_ssl_ciphersuite_from_id(suites[i]);
        assert_non_null(info);
        const char *name = mbedtls_ssl_get_ciphersuite_name(suites[i]);
        assert_true(strncmp(name, "TLS1-3-", 7) == 0 || strncmp(name, "TLS-ECDHE-", 10) == 0);
        assert_true(strstr(name, "GCM") != NULL || strstr(name, "POLY1305") != NULL);
    }
}

static void the_small_md5_gives_what_the_library_gives(void **state)
{
    (void)state;
    mbedtls_md5_context small;
    mbedtls_md5_context library;
    unsigned char data[64];
    uint32_t random = 1;
    mbedtls_md5_init(&small);
    mbedtls_md5_init(&library);
    assert_int_equal(mbedtls_md5_starts(&small), 0);
    assert_int_equal(mbedtls_md5_starts(&library), 0);
    for (int round = 0; round < 1000; round++) {
        for (size_t i = 0; i < sizeof(data); i++) {
            random = random * 1664525u + 1013904223u;
            data[i] = (unsigned char)(random >> 24);
        }
        assert_int_equal(md5_process_small(&small, data), 0);
        assert_int_equal(mbedtls_internal_md5_process(&library, data), 0);
        assert_memory_equal(small.MBEDTLS_PRIVATE(state), library.MBEDTLS_PRIVATE(state), 16);
    }
    mbedtls_md5_free(&small);
    mbedtls_md5_free(&library);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(software_hash_is_right_and_agrees_with_the_engine),
        cmocka_unit_test(hash_of_odd_pieces_is_that_of_the_whole),
        cmocka_unit_test(the_small_md5_gives_what_the_library_gives),
        cmocka_unit_test(random_numbers_come_and_differ),
        cmocka_unit_test(mutex_is_made_at_first_use_and_excludes),
        cmocka_unit_test(tasks_use_psa_keys_at_the_same_time),
        cmocka_unit_test(every_cipher_suite_offered_is_known_and_has_forward_secrecy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
