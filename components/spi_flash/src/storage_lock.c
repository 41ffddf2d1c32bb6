/* SPDX-License-Identifier: Apache-2.0 */
#include "esp_private/storage_lock.h"

#include <stdlib.h>

#include "esp_log.h"

static portMUX_TYPE s_create_guard = portMUX_INITIALIZER_UNLOCKED;

static SemaphoreHandle_t current(storage_lock_t *lock)
{
    return __atomic_load_n(&lock->mutex, __ATOMIC_ACQUIRE);
}

void storage_lock(storage_lock_t *lock)
{
    SemaphoreHandle_t mutex = current(lock);
    if (mutex == NULL) {
        /* Created outside the critical section, which must stay short; if another task was faster
         * ours is not needed. */
        SemaphoreHandle_t fresh = xSemaphoreCreateMutex();
        portENTER_CRITICAL(&s_create_guard);
        if (lock->mutex == NULL) {
            __atomic_store_n(&lock->mutex, fresh, __ATOMIC_RELEASE);
            fresh = NULL;
        }
        mutex = lock->mutex;
        portEXIT_CRITICAL(&s_create_guard);
        if (fresh != NULL) {
            vSemaphoreDelete(fresh);
        }
        if (mutex == NULL) {
            ESP_EARLY_LOGE("spi_flash", "no memory for a lock");
            abort();
        }
    }
    xSemaphoreTake(mutex, portMAX_DELAY);
}

void storage_unlock(storage_lock_t *lock)
{
    xSemaphoreGive(current(lock));
}
