/* SPDX-License-Identifier: Apache-2.0
 *
 * The kernel on the bare hart: an application with tasks, which runs one test for each command. */
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "freertos/FreeRTOS.h"
#include "freertos/event_groups.h"
#include "freertos/queue.h"
#include "freertos/semphr.h"
#include "freertos/task.h"
#include "freertos/timers.h"
#include "hal/clock.h"
#include "hal/console.h"
#include "hal/flash.h"
#include "hal/start.h"
#include "heap_memory.h"
#include "print.h"
#include "probe.h"
#include "sifive_u/mmio.h"
#include "sifive_u/trap.h"

#define STACK 2048

/* What the kernel takes of other components. */
int esp_rom_printf(const char *format, ...);

int esp_rom_printf(const char *format, ...)
{
    char text[200];
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    hal_console_write(text, strlen(text));
    return len;
}

void abort(void)
{
    sifive_u_panic("abort() was called");
}

static TaskHandle_t spawn(TaskFunction_t function, const char *name, void *arg,
                          UBaseType_t priority)
{
    TaskHandle_t task = NULL;

    if (xTaskCreate(function, name, STACK, arg, priority, &task) != pdPASS) {
        sifive_u_panic("no memory for a task");
    }
    return task;
}

static SemaphoreHandle_t s_go, s_done;
static volatile uint32_t s_order;

static void note(uint32_t who)
{
    taskENTER_CRITICAL(NULL);
    s_order = s_order * 16u + who;
    taskEXIT_CRITICAL(NULL);
}

/* --- preempt: a more urgent task runs within the call that wakes it --- */

static void urgent(void *arg)
{
    (void)arg;
    xSemaphoreTake(s_go, portMAX_DELAY);
    note(2);
    xSemaphoreGive(s_done);
    vTaskDelete(NULL);
}

static void cmd_preempt(const uint32_t *args)
{
    (void)args;
    s_order = 0;
    spawn(urgent, "urgent", NULL, 10);
    note(1);
    xSemaphoreGive(s_go);
    note(3);
    xSemaphoreTake(s_done, portMAX_DELAY);
    print("= order %x\n", s_order);
}

/* --- turns: equal tasks that never wait share the hart --- */

static volatile bool s_stop;

static void busy(void *arg)
{
    volatile uint32_t *count = arg;

    while (!s_stop) {
        (*count)++;
    }
    xSemaphoreGive(s_done);
    vTaskDelete(NULL);
}

static void cmd_turns(const uint32_t *args)
{
    static volatile uint32_t counts[3];

    (void)args;
    memset((void *)counts, 0, sizeof(counts));
    s_stop = false;
    for (unsigned i = 0; i < 3; i++) {
        spawn(busy, "busy", (void *)&counts[i], 1);
    }
    vTaskDelay(pdMS_TO_TICKS(600));
    s_stop = true;
    for (unsigned i = 0; i < 3; i++) {
        xSemaphoreTake(s_done, portMAX_DELAY);
    }
    print("= turns %u %u %u\n", counts[0], counts[1], counts[2]);
}

/* --- delay MS --- */

static void cmd_delay(const uint32_t *args)
{
    uint64_t start = hal_clock_us();
    vTaskDelay(pdMS_TO_TICKS(args[0]));
    uint64_t slept = hal_clock_us();
    BaseType_t taken = xSemaphoreTake(s_go, pdMS_TO_TICKS(args[0]));
    uint64_t end = hal_clock_us();
    print("= delay %u timeout %u taken %u\n", (uint32_t)(slept - start), (uint32_t)(end - slept),
          (uint32_t)taken);
}

/* --- queue COUNT: numbers through a short queue between two tasks --- */

static QueueHandle_t s_queue;

static void producer(void *arg)
{
    for (uint32_t i = 0; i < (uint32_t)(uintptr_t)arg; i++) {
        xQueueSend(s_queue, &i, portMAX_DELAY);
    }
    vTaskDelete(NULL);
}

static void cmd_queue(const uint32_t *args)
{
    uint32_t wrong = 0, value;

    s_queue = xQueueCreate(4, sizeof(uint32_t));
    spawn(producer, "producer", (void *)(uintptr_t)args[0], 3);
    for (uint32_t i = 0; i < args[0]; i++) {
        wrong += xQueueReceive(s_queue, &value, pdMS_TO_TICKS(60000)) != pdTRUE || value != i;
    }
    vQueueDelete(s_queue);
    print("= queue wrong %u\n", wrong);
}

/* --- inherit: a mutex lends its holder the priority of who waits for it --- */

static SemaphoreHandle_t s_mutex;

static void holder(void *arg)
{
    (void)arg;
    xSemaphoreTake(s_mutex, portMAX_DELAY);
    xSemaphoreGive(s_go);
    /* The middle task keeps this one from the hart unless it is lent more. */
    for (uint64_t end = hal_clock_us() + 50000; hal_clock_us() < end;) {
    }
    note(1);
    xSemaphoreGive(s_mutex);
    xSemaphoreGive(s_done);
    vTaskDelete(NULL);
}

static void waiter(void *arg)
{
    (void)arg;
    xSemaphoreTake(s_mutex, portMAX_DELAY);
    note(2);
    xSemaphoreGive(s_mutex);
    xSemaphoreGive(s_done);
    vTaskDelete(NULL);
}

static void middle(void *arg)
{
    (void)arg;
    note(3);
    xSemaphoreGive(s_done);
    vTaskDelete(NULL);
}

static void cmd_inherit(const uint32_t *args)
{
    (void)args;
    s_order = 0;
    s_mutex = xSemaphoreCreateMutex();
    spawn(holder, "holder", NULL, 3);
    xSemaphoreTake(s_go, portMAX_DELAY);
    vTaskSuspendAll();
    spawn(waiter, "waiter", NULL, 12);
    spawn(middle, "middle", NULL, 8);
    xTaskResumeAll();
    for (unsigned i = 0; i < 3; i++) {
        xSemaphoreTake(s_done, portMAX_DELAY);
    }
    vSemaphoreDelete(s_mutex);
    print("= order %x\n", s_order);
}

/* --- births COUNT: tasks that end by themselves and tasks that are ended leave nothing --- */

static void short_lived(void *arg)
{
    errno = (int)(uintptr_t)arg;
    taskYIELD();
    if (errno != (int)(uintptr_t)arg) {
        sifive_u_panic("errno is shared by tasks");
    }
    xSemaphoreGive(s_done);
    vTaskDelete(NULL);
}

static void sleeper(void *arg)
{
    (void)arg;
    vTaskDelay(portMAX_DELAY - 1);
}

static void cmd_births(const uint32_t *args)
{
    size_t before = 0;

    for (uint32_t i = 0; i < args[0]; i++) {
        spawn(short_lived, "short", (void *)(uintptr_t)(i + 1), i % 2 ? 2 : 7);
        TaskHandle_t other = spawn(sleeper, "sleeper", NULL, 6);
        xSemaphoreTake(s_done, portMAX_DELAY);
        vTaskDelete(other);
        if (i == 4) {
            vTaskDelay(pdMS_TO_TICKS(50)); /* the idle task frees */
            before = heap_memory_used();
        }
    }
    vTaskDelay(pdMS_TO_TICKS(50));
    print("= births leaked %u\n", (uint32_t)(heap_memory_used() - before));
}

/* --- timers --- */

static volatile uint32_t s_fired;

static void fired(TimerHandle_t timer)
{
    (void)timer;
    s_fired++;
}

static void cmd_timers(const uint32_t *args)
{
    (void)args;
    s_fired = 0;
    TimerHandle_t timer = xTimerCreate("t", pdMS_TO_TICKS(50), pdTRUE, NULL, fired);
    xTimerStart(timer, portMAX_DELAY);
    vTaskDelay(pdMS_TO_TICKS(525));
    xTimerStop(timer, portMAX_DELAY);
    uint32_t count = s_fired;
    vTaskDelay(pdMS_TO_TICKS(150));
    print("= fired %u later %u\n", count, s_fired - count);
    xTimerDelete(timer, portMAX_DELAY);
}

/* --- events --- */

static EventGroupHandle_t s_events;

static void setter(void *arg)
{
    vTaskDelay(pdMS_TO_TICKS(20));
    xEventGroupSetBits(s_events, (EventBits_t)(uintptr_t)arg);
    vTaskDelete(NULL);
}

static void cmd_events(const uint32_t *args)
{
    (void)args;
    s_events = xEventGroupCreate();
    spawn(setter, "one", (void *)1, 4);
    spawn(setter, "two", (void *)2, 4);
    EventBits_t bits = xEventGroupWaitBits(s_events, 3, pdTRUE, pdTRUE, pdMS_TO_TICKS(2000));
    print("= bits %x left %x\n", (uint32_t)bits, (uint32_t)xEventGroupGetBits(s_events));
    vEventGroupDelete(s_events);
}

/* --- registers MS: whether a preempted computation goes on as if nothing had happened --- */

static uint32_t compute(uint32_t seed)
{
    uint32_t a = seed, b = ~seed, c = seed * 3, d = seed ^ 0x55555555u, e = 1, f = seed >> 3;

    for (unsigned i = 0; i < 20000; i++) {
        a = a * 1664525u + b;
        b = (b << 7 | b >> 25) ^ c;
        c += d * 9u;
        d ^= e + a;
        e = e * 31u + f;
        f = f / 3u + c;
    }
    return a ^ b ^ c ^ d ^ e ^ f;
}

static volatile uint32_t s_wrong, s_rounds;

static void computer(void *arg)
{
    uint32_t seed = (uint32_t)(uintptr_t)arg;
    uint32_t expected = compute(seed);

    while (!s_stop) {
        s_wrong += compute(seed) != expected;
        s_rounds++;
    }
    xSemaphoreGive(s_done);
    vTaskDelete(NULL);
}

static void cmd_registers(const uint32_t *args)
{
    s_stop = false;
    s_wrong = 0;
    s_rounds = 0;
    for (uint32_t i = 0; i < 4; i++) {
        spawn(computer, "computer", (void *)(uintptr_t)(i + 77), 2);
    }
    for (uint64_t end = hal_clock_us() + args[0] * 1000u; hal_clock_us() < end;) {
        vTaskDelay(1);
    }
    s_stop = true;
    for (unsigned i = 0; i < 4; i++) {
        xSemaphoreTake(s_done, portMAX_DELAY);
    }
    print("= registers wrong %u rounds %u\n", s_wrong, s_rounds);
}

/* --- flash from two tasks at once --- */

static void flash_user(void *arg)
{
    uint32_t base = (uint32_t)(uintptr_t)arg;
    uint32_t words[64];

    for (unsigned round = 0; round < 20; round++) {
        hal_flash_erase_sector(base);
        for (unsigned i = 0; i < 64; i++) {
            words[i] = base + round * 64 + i;
        }
        hal_flash_program(base, words, sizeof(words));
        memset(words, 0, sizeof(words));
        hal_flash_read(base, words, sizeof(words));
        for (unsigned i = 0; i < 64; i++) {
            s_wrong += words[i] != base + round * 64 + i;
        }
    }
    xSemaphoreGive(s_done);
    vTaskDelete(NULL);
}

static void cmd_flash_tasks(const uint32_t *args)
{
    (void)args;
    hal_flash_init();
    s_wrong = 0;
    for (uint32_t i = 0; i < 3; i++) {
        spawn(flash_user, "flash", (void *)(uintptr_t)(0x400000 + i * 0x1000), 2);
    }
    for (unsigned i = 0; i < 3; i++) {
        xSemaphoreTake(s_done, portMAX_DELAY);
    }
    print("= flash wrong %u\n", s_wrong);
}

/* --- programs that go wrong --- */

static void overflow(void *arg)
{
    volatile uint8_t waste[STACK + 64];

    (void)arg;
    memset((void *)waste, 1, sizeof(waste));
    vTaskDelay(1);
    waste[0] = 2;
    vTaskDelete(NULL);
}

static void cmd_overflow(const uint32_t *args)
{
    (void)args;
    /* Memory below the stack that may be overwritten. */
    void *below = malloc(1024);
    spawn(overflow, "overflow", NULL, 9);
    vTaskDelay(pdMS_TO_TICKS(1000));
    free(below);
    print("! nobody noticed\n");
}

/* Deeper and deeper, without a kernel call. */
static uint32_t dig(volatile uint32_t *depth)
{
    volatile uint32_t local[16];

    local[0] = ++*depth;
    return local[0] == UINT32_MAX ? 0 : dig(depth) + local[0];
}

static void digger(void *arg)
{
    static volatile uint32_t depth;

    /* Interrupts off: what it runs into must stop it. */
    if (arg != NULL) {
        (void)irq_save();
    }
    print("= %u\n", dig(&depth));
    vTaskDelete(NULL);
}

static void cmd_dig(const uint32_t *args)
{
    spawn(digger, "digger", (void *)(uintptr_t)args[0], 9);
}

/* A function with much on its stack damages what lies below and returns; a kernel call inside. */
static void leap(void *arg)
{
    volatile uint8_t waste[2 * STACK];

    waste[sizeof(waste) - 1] = 1;
    xSemaphoreGive((SemaphoreHandle_t)arg);
    waste[0] = 2;
    vTaskDelete(NULL);
}

static void cmd_leap(const uint32_t *args)
{
    (void)args;
    void *below = malloc(4 * STACK);
    spawn(leap, "leaper", s_go, 9);
    free(below);
    print("! nobody noticed\n");
}

static void faulty(void *arg)
{
    *(volatile uint32_t *)arg = 1;
    vTaskDelete(NULL);
}

static void cmd_fault(const uint32_t *args)
{
    (void)args;
    spawn(faulty, "faulty", NULL, 9);
}

static void cmd_free_twice(const uint32_t *args)
{
    (void)args;
    /* Not to be seen through by the compiler. */
    void *volatile memory = malloc(100);
    free(memory);
    free(memory);
    print("! nobody noticed\n");
}

static void cmd_heap(const uint32_t *args)
{
    (void)args;
    heap_region_t region = heap_memory_region();
    void *most = malloc(heap_memory_largest_free());
    void *more = malloc(16384);
    print("= heap size %u all %u more %u\n", (uint32_t)region.size, (uint32_t)(most != NULL),
          (uint32_t)(more != NULL));
    free(most);
    free(more);
}

/* The stack the command task has left. */
static void cmd_stack(const uint32_t *args)
{
    (void)args;
    print("= stack %u\n", (uint32_t)uxTaskGetStackHighWaterMark(NULL));
}

static const probe_command_t s_more[] = {
    {"preempt", cmd_preempt},
    {"turns", cmd_turns},
    {"delay", cmd_delay},
    {"queue", cmd_queue},
    {"inherit", cmd_inherit},
    {"births", cmd_births},
    {"timers", cmd_timers},
    {"events", cmd_events},
    {"registers", cmd_registers},
    {"flash_tasks", cmd_flash_tasks},
    {"overflow", cmd_overflow},
    {"fault", cmd_fault},
    {"dig", cmd_dig},
    {"leap", cmd_leap},
    {"free_twice", cmd_free_twice},
    {"heap", cmd_heap},
    {"stack", cmd_stack},
    {NULL, NULL},
};

static void serve(void *arg)
{
    (void)arg;
    probe_serve("probe_kernel", s_more);
}

_Noreturn void app_start(void)
{
    s_go = xSemaphoreCreateCounting(100, 0);
    s_done = xSemaphoreCreateCounting(100, 0);
    if (xTaskCreate(serve, "serve", 4096, NULL, 5, NULL) != pdPASS) {
        sifive_u_panic("no memory");
    }
    vTaskStartScheduler();
}
