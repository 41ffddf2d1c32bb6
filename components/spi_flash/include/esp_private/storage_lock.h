/* SPDX-License-Identifier: Apache-2.0
 *
 * A mutex for file-scope state of the storage components: usable from the first call on, without
 * an initialisation step that two tasks could race for. Not recursive. */
#ifndef ESP_PRIVATE_STORAGE_LOCK_H
#define ESP_PRIVATE_STORAGE_LOCK_H

#include "freertos/FreeRTOS.h"
#include "freertos/semphr.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    SemaphoreHandle_t mutex; /* made at first use */
} storage_lock_t;

#define STORAGE_LOCK_INITIALIZER {NULL}

/* Waits for the lock. Calls abort() if there is no memory for the mutex at the first use. */
void storage_lock(storage_lock_t *lock);
void storage_unlock(storage_lock_t *lock);

#ifdef __cplusplus
}
#endif

#endif
