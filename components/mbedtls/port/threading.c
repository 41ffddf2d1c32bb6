/* SPDX-License-Identifier: Apache-2.0
 *
 * Mutexes of Mbed TLS on FreeRTOS semaphores. This file takes the place of the library's
 * threading.c: its function pointers are set from the start, so that nobody has to call an
 * initialisation before the first use of PSA.
 *
 * A semaphore is made by the first lock and not by init, which cannot report a lack of memory. */
#include "mbedtls/threading.h"

#include "freertos/FreeRTOS.h"
#include "freertos/semphr.h"
#include "freertos/task.h"

static portMUX_TYPE s_creation = portMUX_INITIALIZER_UNLOCKED;

static void mutex_init(mbedtls_threading_mutex_t *mutex)
{
    mutex->semaphore = NULL;
}

static void mutex_free(mbedtls_threading_mutex_t *mutex)
{
    if (mutex->semaphore != NULL) {
        vSemaphoreDelete((SemaphoreHandle_t)mutex->semaphore);
        mutex->semaphore = NULL;
    }
}

static SemaphoreHandle_t semaphore_of(mbedtls_threading_mutex_t *mutex)
{
    taskENTER_CRITICAL(&s_creation);
    SemaphoreHandle_t semaphore = (SemaphoreHandle_t)mutex->semaphore;
    taskEXIT_CRITICAL(&s_creation);
    if (semaphore != NULL) {
        return semaphore;
    }
    SemaphoreHandle_t made = xSemaphoreCreateMutex();
    taskENTER_CRITICAL(&s_creation);
    semaphore = (SemaphoreHandle_t)mutex->semaphore;
    if (semaphore == NULL) {
        semaphore = made;
        mutex->semaphore = made;
        made = NULL;
    }
    taskEXIT_CRITICAL(&s_creation);
    if (made != NULL) {
        vSemaphoreDelete(made); /* another task was faster */
    }
    return semaphore;
}

static int mutex_lock(mbedtls_threading_mutex_t *mutex)
{
    SemaphoreHandle_t semaphore = semaphore_of(mutex);
    if (semaphore == NULL || xSemaphoreTake(semaphore, portMAX_DELAY) != pdTRUE) {
        return MBEDTLS_ERR_THREADING_MUTEX_ERROR;
    }
    return 0;
}

static int mutex_unlock(mbedtls_threading_mutex_t *mutex)
{
    SemaphoreHandle_t semaphore = (SemaphoreHandle_t)mutex->semaphore;
    if (semaphore == NULL || xSemaphoreGive(semaphore) != pdTRUE) {
        return MBEDTLS_ERR_THREADING_MUTEX_ERROR;
    }
    return 0;
}

void (*mbedtls_mutex_init)(mbedtls_threading_mutex_t *) = mutex_init;
void (*mbedtls_mutex_free)(mbedtls_threading_mutex_t *) = mutex_free;
int (*mbedtls_mutex_lock)(mbedtls_threading_mutex_t *) = mutex_lock;
int (*mbedtls_mutex_unlock)(mbedtls_threading_mutex_t *) = mutex_unlock;

#ifdef MBEDTLS_PSA_CRYPTO_C
mbedtls_threading_mutex_t mbedtls_threading_key_slot_mutex;
mbedtls_threading_mutex_t mbedtls_threading_psa_globaldata_mutex;
mbedtls_threading_mutex_t mbedtls_threading_psa_rngdata_mutex;
#endif
#ifdef MBEDTLS_HAVE_TIME_DATE
mbedtls_threading_mutex_t mbedtls_threading_gmtime_mutex;
#endif
