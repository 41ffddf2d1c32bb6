/* SPDX-License-Identifier: Apache-2.0
 *
 * The kernel under lwIP. */
#include "lwip/sys.h"

#include <stdbool.h>
#include <stdlib.h>

#include "freertos/FreeRTOS.h"
#include "freertos/queue.h"
#include "freertos/semphr.h"
#include "freertos/task.h"
#include "lwip/debug.h"
#include "lwip/tcpip.h"

#include "esp_rom_sys.h"
#include "hal/clock.h"
#include "hal/random.h"

static portMUX_TYPE lock = portMUX_INITIALIZER_UNLOCKED;

uint32_t lwip_port_random(void)
{
    uint32_t value;

    hal_random_fill(&value, sizeof(value));
    return value;
}

void lwip_port_assert_failed(const char *text, const char *file, int line)
{
    esp_rom_printf("lwip: %s (%s:%d)\n", text, file, line);
    abort();
}

/* Sockets work from the first task on, whether or not the interface was started. */
__attribute__((constructor)) static void start_stack(void)
{
    tcpip_init(NULL, NULL);
}

void sys_init(void)
{
}

u32_t sys_now(void)
{
    return (u32_t)(hal_clock_us() / 1000u);
}

u32_t sys_jiffies(void)
{
    return sys_now();
}

sys_prot_t sys_arch_protect(void)
{
    portENTER_CRITICAL(&lock);
    return 0;
}

void sys_arch_unprotect(sys_prot_t level)
{
    (void)level;
    portEXIT_CRITICAL(&lock);
}

/* lwIP's time limits: 0 waits for ever, else at least one whole tick. */
static TickType_t ticks(u32_t timeout_ms)
{
    if (timeout_ms == 0) {
        return portMAX_DELAY;
    }
    uint64_t count = (uint64_t)timeout_ms * configTICK_RATE_HZ / 1000u + 1u;
    return count < portMAX_DELAY ? (TickType_t)count : portMAX_DELAY - 1;
}

/* --- semaphores and mutexes --- */

err_t sys_sem_new(sys_sem_t *sem, u8_t count)
{
    *sem = xSemaphoreCreateCounting(UINT16_MAX, count);
    return *sem != NULL ? ERR_OK : ERR_MEM;
}

void sys_sem_signal(sys_sem_t *sem)
{
    xSemaphoreGive(*sem);
}

u32_t sys_arch_sem_wait(sys_sem_t *sem, u32_t timeout)
{
    u32_t start = sys_now();

    if (xSemaphoreTake(*sem, ticks(timeout)) != pdTRUE) {
        return SYS_ARCH_TIMEOUT;
    }
    return sys_now() - start;
}

void sys_sem_free(sys_sem_t *sem)
{
    vSemaphoreDelete(*sem);
    *sem = NULL;
}

err_t sys_mutex_new(sys_mutex_t *mutex)
{
    *mutex = xSemaphoreCreateMutex();
    return *mutex != NULL ? ERR_OK : ERR_MEM;
}

void sys_mutex_lock(sys_mutex_t *mutex)
{
    xSemaphoreTake(*mutex, portMAX_DELAY);
}

void sys_mutex_unlock(sys_mutex_t *mutex)
{
    xSemaphoreGive(*mutex);
}

void sys_mutex_free(sys_mutex_t *mutex)
{
    vSemaphoreDelete(*mutex);
    *mutex = NULL;
}

/* --- mailboxes: queues of pointers --- */

err_t sys_mbox_new(sys_mbox_t *mbox, int size)
{
    *mbox = xQueueCreate((UBaseType_t)size, sizeof(void *));
    return *mbox != NULL ? ERR_OK : ERR_MEM;
}

void sys_mbox_post(sys_mbox_t *mbox, void *message)
{
    xQueueSend(*mbox, &message, portMAX_DELAY);
}

err_t sys_mbox_trypost(sys_mbox_t *mbox, void *message)
{
    return xQueueSend(*mbox, &message, 0) == pdTRUE ? ERR_OK : ERR_MEM;
}

err_t sys_mbox_trypost_fromisr(sys_mbox_t *mbox, void *message)
{
    return xQueueSendFromISR(*mbox, &message, NULL) == pdTRUE ? ERR_OK : ERR_MEM;
}

u32_t sys_arch_mbox_fetch(sys_mbox_t *mbox, void **message, u32_t timeout)
{
    u32_t start = sys_now();
    void *received = NULL;
    bool came = xQueueReceive(*mbox, &received, ticks(timeout)) == pdTRUE;

    if (message != NULL) {
        *message = received;
    }
    return came ? sys_now() - start : SYS_ARCH_TIMEOUT;
}

u32_t sys_arch_mbox_tryfetch(sys_mbox_t *mbox, void **message)
{
    void *received;

    if (xQueueReceive(*mbox, &received, 0) != pdTRUE) {
        return SYS_MBOX_EMPTY;
    }
    if (message != NULL) {
        *message = received;
    }
    return 0;
}

void sys_mbox_free(sys_mbox_t *mbox)
{
    vQueueDelete(*mbox);
    *mbox = NULL;
}

sys_thread_t sys_thread_new(const char *name, lwip_thread_fn function, void *arg, int stack_size,
                            int priority)
{
    TaskHandle_t task = NULL;

    LWIP_ASSERT("no memory for a task", xTaskCreate(function, name, (uint32_t)stack_size, arg,
                                                    (UBaseType_t)priority, &task) == pdPASS);
    return task;
}
