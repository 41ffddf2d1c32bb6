/* SPDX-License-Identifier: Apache-2.0
 *
 * The mutex type of Mbed TLS on FreeRTOS; port/threading.c has the functions. */
#ifndef AIRLIFT_THREADING_ALT_H
#define AIRLIFT_THREADING_ALT_H

typedef struct {
    void *semaphore; /* a SemaphoreHandle_t, created by the first lock; NULL before */
} mbedtls_threading_mutex_t;

#endif
