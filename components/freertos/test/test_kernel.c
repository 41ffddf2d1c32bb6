/* SPDX-License-Identifier: Apache-2.0
 *
 * The kernel's promises, tried from outside. Where a test needs a task to be waiting it asks for
 * its state; order is then checked by what the tasks recorded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dies.h"

#include "freertos/FreeRTOS.h"
#include "freertos/event_groups.h"
#include "freertos/queue.h"
#include "freertos/semphr.h"
#include "freertos/task.h"
#include "freertos/timers.h"
#include "freertos/wait_until.h"

#define STACK 4096
#define EQUAL (tskIDLE_PRIORITY + 1) /* of the task that runs the tests: they take turns */
#define LONG  pdMS_TO_TICKS(60000)   /* only reached when something is broken */

/* --- Helpers --- */

static SemaphoreHandle_t done; /* given by each helper task at its end */

static int set_up(void **state)
{
    (void)state;
    done = xSemaphoreCreateCounting(1000, 0);
    return done == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    vSemaphoreDelete(done);
    return 0;
}

static TaskHandle_t spawn(TaskFunction_t function, const char *name, void *arg,
                          UBaseType_t priority)
{
    TaskHandle_t task = NULL;
    assert_int_equal(xTaskCreate(function, name, STACK, arg, priority, &task), pdPASS);
    assert_non_null(task);
    return task;
}

static _Noreturn void finish(void)
{
    xSemaphoreGive(done);
    vTaskDelete(NULL);
    abort();
}

static void wait_done(int count)
{
    for (int i = 0; i < count; i++) {
        assert_int_equal(xSemaphoreTake(done, LONG), pdTRUE);
    }
}

static void wait_state(TaskHandle_t task, eTaskState state)
{
    while (eTaskGetState(task) != state) {
        taskYIELD();
    }
}

/* What happened, in order: letters appended under a critical section. */
static char record[64];
static portMUX_TYPE record_lock = portMUX_INITIALIZER_UNLOCKED;

static void note(char letter)
{
    portENTER_CRITICAL(&record_lock);
    size_t length = strlen(record);
    assert_true(length + 1 < sizeof(record));
    record[length] = letter;
    portEXIT_CRITICAL(&record_lock);
}

static size_t record_length(void)
{
    portENTER_CRITICAL(&record_lock);
    size_t length = strlen(record);
    portEXIT_CRITICAL(&record_lock);
    return length;
}

static void clear_record(void)
{
    memset(record, 0, sizeof(record));
}

/* Tasks that ended themselves may still be on their way out. */
static UBaseType_t settled_number_of_tasks(void)
{
    UBaseType_t lasting = xTimerGetTimerDaemonTaskHandle() != NULL ? 2 : 1;
    while (uxTaskGetNumberOfTasks() > lasting) {
        vTaskDelay(1); /* less urgent ones, too */
    }
    return lasting;
}

/* --- Time --- */

static void delay_does_not_end_before_its_tick(void **state)
{
    (void)state;
    TickType_t before = xTaskGetTickCount();
    vTaskDelay(5);
    assert_true(xTaskGetTickCount() - before >= 5);
}

static void delay_until_keeps_its_period(void **state)
{
    (void)state;
    TickType_t wake = xTaskGetTickCount();
    TickType_t first = wake;
    for (TickType_t i = 1; i <= 5; i++) {
        /* It does not wait where the host was slow and the tick has passed. */
        xTaskDelayUntil(&wake, 2);
        assert_int_equal(wake, first + 2 * i);
        assert_true((int32_t)(xTaskGetTickCount() - wake) >= 0);
    }
    wake = xTaskGetTickCount();
    assert_int_equal(xTaskDelayUntil(&wake, 20), pdTRUE);
    wake -= 100;
    assert_int_equal(xTaskDelayUntil(&wake, 50), pdFALSE);
}

static void milliseconds_become_ticks_rounded_down(void **state)
{
    (void)state;
    assert_int_equal(pdMS_TO_TICKS(5), 0);
    assert_int_equal(pdMS_TO_TICKS(10), 1);
    assert_int_equal(pdMS_TO_TICKS(1999), 199);
    assert_int_equal(portTICK_PERIOD_MS, 10);
    assert_int_equal(pdTICKS_TO_MS(7), 70);
}

static void every_wait_without_an_event_times_out(void **state)
{
    (void)state;
    QueueHandle_t queue = xQueueCreate(1, sizeof(int));
    SemaphoreHandle_t semaphore = xSemaphoreCreateBinary();
    EventGroupHandle_t group = xEventGroupCreate();
    int item = 7;

    TickType_t before = xTaskGetTickCount();
    assert_int_equal(xQueueReceive(queue, &item, 2), pdFALSE);
    assert_int_equal(item, 7);
    assert_int_equal(xQueuePeek(queue, &item, 2), pdFALSE);
    assert_int_equal(xQueueSend(queue, &item, 2), pdTRUE);
    assert_int_equal(xQueueSend(queue, &item, 2), errQUEUE_FULL);
    assert_int_equal(xSemaphoreTake(semaphore, 2), pdFALSE);
    assert_int_equal(xEventGroupWaitBits(group, 1, pdTRUE, pdTRUE, 2), 0);
    assert_int_equal(ulTaskNotifyTake(pdTRUE, 2), 0);
    assert_int_equal(xTaskNotifyWait(0, 0, NULL, 2), pdFALSE);
    assert_true(xTaskGetTickCount() - before >= 14);

    before = xTaskGetTickCount();
    assert_int_equal(xSemaphoreTake(semaphore, 0), pdFALSE);
    assert_int_equal(xQueueSend(queue, &item, 0), errQUEUE_FULL);
    assert_true(xTaskGetTickCount() - before < LONG);

    vQueueDelete(queue);
    vSemaphoreDelete(semaphore);
    vEventGroupDelete(group);
}

/* --- Tasks --- */

static void remember_self(void *arg)
{
    TaskHandle_t *self = arg;
    /* The creator's handle was written before this task began. */
    assert_ptr_equal(*self, xTaskGetCurrentTaskHandle());
    assert_string_equal(pcTaskGetName(NULL), "fifteen-letters");
    assert_int_equal(uxTaskPriorityGet(NULL), 7);
    assert_true(uxTaskGetStackHighWaterMark(NULL) > 1024);
    finish();
}

static void new_task_knows_its_handle_name_and_priority(void **state)
{
    (void)state;
    static TaskHandle_t task;
    assert_int_equal(xTaskCreate(remember_self, "fifteen-letters-and-more", STACK, &task, 7, &task),
                     pdPASS);
    wait_done(1);
}

static void wait_for_ever(void *arg)
{
    QueueHandle_t queue = arg;
    int item;
    xQueueReceive(queue, &item, portMAX_DELAY);
    note('!');
    finish();
}

static void task_deleted_while_it_waits_leaves_its_queue_to_others(void **state)
{
    (void)state;
    clear_record();
    QueueHandle_t queue = xQueueCreate(1, sizeof(int));
    UBaseType_t tasks_before = settled_number_of_tasks();
    TaskHandle_t task = spawn(wait_for_ever, "waiter", queue, 5);
    wait_state(task, eBlocked);
    assert_int_equal(uxTaskGetNumberOfTasks(), tasks_before + 1);
    vTaskDelete(task);
    assert_int_equal(uxTaskGetNumberOfTasks(), tasks_before);

    int item = 1;
    assert_int_equal(xQueueSend(queue, &item, 0), pdTRUE);
    assert_int_equal(uxQueueMessagesWaiting(queue), 1);
    assert_int_equal(xQueueReceive(queue, &item, 0), pdTRUE);
    assert_string_equal(record, "");
    vQueueDelete(queue);
}

static atomic_uint turns;

static void take_turns(void *arg)
{
    (void)arg;
    for (;;) {
        atomic_fetch_add(&turns, 1);
        taskYIELD();
    }
}

static void running_task_makes_no_step_after_it_was_deleted(void **state)
{
    (void)state;
    atomic_store(&turns, 0);
    TaskHandle_t task = spawn(take_turns, "turns", NULL, EQUAL);
    while (atomic_load(&turns) < 100) {
        taskYIELD();
    }
    vTaskDelete(task);
    unsigned at_end = atomic_load(&turns);
    vTaskDelay(3);
    assert_int_equal(atomic_load(&turns), at_end);
}

static void suspended_task_makes_no_step_until_resumed(void **state)
{
    (void)state;
    atomic_store(&turns, 0);
    TaskHandle_t task = spawn(take_turns, "turns", NULL, EQUAL);
    while (atomic_load(&turns) < 100) {
        taskYIELD();
    }
    vTaskSuspend(task);
    assert_int_equal(eTaskGetState(task), eSuspended);
    unsigned at_rest = atomic_load(&turns);
    vTaskDelay(5);
    /* At most the step it was in, on its way to a kernel call. */
    assert_true(atomic_load(&turns) - at_rest <= 1);
    at_rest++;
    vTaskResume(task);
    while (atomic_load(&turns) <= at_rest) {
        taskYIELD();
    }
    vTaskSuspend(task);
    vTaskDelete(task); /* a suspended task can be deleted */
}

static void suspend_self(void *arg)
{
    (void)arg;
    note('a');
    vTaskSuspend(NULL);
    note('b');
    finish();
}

static void task_that_suspends_itself_goes_on_when_resumed(void **state)
{
    (void)state;
    clear_record();
    TaskHandle_t task = spawn(suspend_self, "self", NULL, 5);
    wait_state(task, eSuspended);
    assert_string_equal(record, "a");
    vTaskResume(task);
    wait_done(1);
    assert_string_equal(record, "ab");
}

static void receive_one(void *arg)
{
    int item = 0;
    if (xQueueReceive(arg, &item, LONG) == pdTRUE) {
        note((char)item);
    }
    finish();
}

static void suspended_waiter_is_passed_over_and_looks_again_when_resumed(void **state)
{
    (void)state;
    clear_record();
    QueueHandle_t queue = xQueueCreate(2, sizeof(int));
    TaskHandle_t first = spawn(receive_one, "first", queue, 9);
    wait_state(first, eBlocked);
    vTaskSuspend(first);
    TaskHandle_t second = spawn(receive_one, "second", queue, 3);
    wait_state(second, eBlocked);

    int item = 'x';
    xQueueSend(queue, &item, 0);
    wait_done(1);
    item = 'y';
    xQueueSend(queue, &item, 0);
    assert_int_equal(uxQueueMessagesWaiting(queue), 1);
    vTaskResume(first);
    wait_done(1);
    assert_string_equal(record, "xy");
    vQueueDelete(queue);
}

static void nobody_else_passes_the_kernel_while_the_scheduler_is_suspended(void **state)
{
    (void)state;
    atomic_store(&turns, 0);
    TaskHandle_t task = spawn(take_turns, "turns", NULL, EQUAL);
    while (atomic_load(&turns) < 10) {
        taskYIELD();
    }
    vTaskSuspendAll();
    vTaskSuspendAll();
    assert_int_equal(xTaskGetSchedulerState(), taskSCHEDULER_SUSPENDED);
    unsigned before = atomic_load(&turns);
    for (volatile int i = 0; i < 2000000; i++) {
    }
    /* At most the step it was in. */
    assert_true(atomic_load(&turns) - before <= 1);
    xTaskResumeAll();
    assert_int_equal(xTaskGetSchedulerState(), taskSCHEDULER_SUSPENDED);
    xTaskResumeAll();
    assert_int_equal(xTaskGetSchedulerState(), taskSCHEDULER_RUNNING);
    while (atomic_load(&turns) < before + 10) {
        taskYIELD();
    }
    vTaskDelete(task);
}

static void return_at_once(void *arg)
{
    (void)arg;
}

static void let_a_task_return(void)
{
    xTaskCreate(return_at_once, "careless", STACK, NULL, 1, NULL);
    vTaskDelay(portMAX_DELAY);
}

static void wait_in_critical_section(void)
{
    portMUX_TYPE lock = portMUX_INITIALIZER_UNLOCKED;
    portENTER_CRITICAL(&lock);
    vTaskDelay(1);
}

static void wait_with_scheduler_suspended(void)
{
    vTaskSuspendAll();
    vTaskDelay(1);
}

static SemaphoreHandle_t foreign_mutex;

static void take_foreign_mutex(void *arg)
{
    (void)arg;
    xSemaphoreTake(foreign_mutex, portMAX_DELAY);
    xSemaphoreGive(done);
    vTaskDelay(portMAX_DELAY);
}

static void give_foreign_mutex(void)
{
    foreign_mutex = xSemaphoreCreateMutex();
    xTaskCreate(take_foreign_mutex, "holder", STACK, NULL, 1, NULL);
    xSemaphoreTake(done, portMAX_DELAY);
    xSemaphoreGive(foreign_mutex);
}

static void delete_queue_with_waiter(void)
{
    QueueHandle_t queue = xQueueCreate(1, 4);
    TaskHandle_t task;
    xTaskCreate(receive_one, "waiter", STACK, queue, 1, &task);
    wait_state(task, eBlocked);
    vQueueDelete(queue);
}

static const struct {
    const char *name;
    void (*function)(void);
    const char *message;
} misuses[] = {
    {"return", let_a_task_return, "the function of task \"careless\" returned"},
    {"critical", wait_in_critical_section, "would wait inside a critical section"},
    {"suspended", wait_with_scheduler_suspended, "while the scheduler is suspended"},
    {"give", give_foreign_mutex, "gives a mutex held by task \"holder\""},
    {"delete", delete_queue_with_waiter, "while task \"waiter\" waits on it"},
};

#define MISUSES (sizeof(misuses) / sizeof(misuses[0]))

static void misuse_ends_the_program_with_a_message(void **state)
{
    (void)state;
    for (size_t i = 0; i < MISUSES; i++) {
        assert_dies_saying(misuses[i].name, misuses[i].message);
    }
}

/* --- Notifications --- */

static void take_three_notifications(void *arg)
{
    (void)arg;
    uint32_t value = 0;
    note((char)('0' + ulTaskNotifyTake(pdFALSE, LONG)));
    note((char)('0' + ulTaskNotifyTake(pdTRUE, LONG)));
    xTaskNotifyWait(0, 0xf, &value, LONG);
    note((char)('0' + value));
    finish();
}

static void notifications_count_are_taken_and_carry_values(void **state)
{
    (void)state;
    clear_record();
    TaskHandle_t task = spawn(take_three_notifications, "notified", NULL, 5);
    vTaskSuspend(task);
    xTaskNotifyGive(task);
    xTaskNotifyGive(task);
    vTaskResume(task);
    /* 2 are there: one is taken, then the rest. */
    while (record_length() < 2) {
        taskYIELD();
    }
    wait_state(task, eBlocked);
    xTaskNotify(task, 5, eSetValueWithOverwrite);
    wait_done(1);
    assert_string_equal(record, "215");
}

static void notification_actions_change_the_value_as_named(void **state)
{
    (void)state;
    TaskHandle_t self = xTaskGetCurrentTaskHandle();
    uint32_t value;

    xTaskNotifyStateClear(NULL);
    ulTaskNotifyValueClear(NULL, 0xffffffff);
    assert_int_equal(xTaskNotify(self, 6, eSetBits), pdPASS);
    assert_int_equal(xTaskNotify(self, 9, eSetValueWithoutOverwrite), pdFAIL);
    assert_int_equal(xTaskNotifyAndQuery(self, 0, eNoAction, &value), pdPASS);
    assert_int_equal(value, 6);
    assert_int_equal(xTaskNotifyWait(0xffffffff, 2, &value, 0), pdTRUE);
    assert_int_equal(value, 6);
    assert_int_equal(xTaskNotify(self, 9, eSetValueWithoutOverwrite), pdPASS);
    assert_int_equal(ulTaskNotifyValueClear(NULL, 1), 9);
    assert_int_equal(ulTaskNotifyTake(pdTRUE, 0), 8);
    assert_int_equal(ulTaskNotifyTake(pdTRUE, 0), 0);
}

/* --- Queues --- */

static void queue_keeps_order_front_back_and_wraps(void **state)
{
    (void)state;
    QueueHandle_t queue = xQueueCreate(3, 1);
    char out;
    for (int round = 0; round < 5; round++) {
        assert_int_equal(xQueueSend(queue, "b", 0), pdTRUE);
        assert_int_equal(xQueueSendToBack(queue, "c", 0), pdTRUE);
        assert_int_equal(xQueueSendToFront(queue, "a", 0), pdTRUE);
        assert_int_equal(xQueueSend(queue, "d", 0), errQUEUE_FULL);
        assert_int_equal(uxQueueSpacesAvailable(queue), 0);
        assert_int_equal(xQueuePeek(queue, &out, 0), pdTRUE);
        assert_int_equal(out, 'a');
        for (const char *expected = "abc"; *expected != '\0'; expected++) {
            assert_int_equal(xQueueReceive(queue, &out, 0), pdTRUE);
            assert_int_equal(out, *expected);
        }
        assert_int_equal(xQueueReceive(queue, &out, 0), pdFALSE);
        xQueueSend(queue, "x", 0);
        xQueueReset(queue);
        assert_int_equal(uxQueueMessagesWaiting(queue), 0);
        xQueueSend(queue, "y", 0); /* move the start along */
        xQueueReceive(queue, &out, 0);
    }
    vQueueDelete(queue);

    queue = xQueueCreate(1, 1);
    xQueueOverwrite(queue, "1");
    xQueueOverwrite(queue, "2");
    xQueueReceive(queue, &out, 0);
    assert_int_equal(out, '2');
    vQueueDelete(queue);

    assert_null(xQueueCreate(0, 4));
    assert_null(xQueueCreate(0x80000000u, 0xffffffffu));
}

static void note_priority_on_item(void *arg)
{
    char item;
    assert_int_equal(xQueueReceive(arg, &item, LONG), pdTRUE);
    note((char)('0' + uxTaskPriorityGet(NULL)));
    note(item);
    finish();
}

static void items_go_to_the_most_urgent_waiter_first(void **state)
{
    (void)state;
    clear_record();
    QueueHandle_t queue = xQueueCreate(5, 1);
    const UBaseType_t priorities[] = {2, 8, 5, 8};
    for (int i = 0; i < 4; i++) {
        wait_state(spawn(note_priority_on_item, "waiter", queue, priorities[i]), eBlocked);
    }
    /* One at a time, so that what they record is in the order in which they were served. */
    for (const char *item = "abcd"; *item != '\0'; item++) {
        xQueueSend(queue, item, 0);
        wait_done(1);
    }
    assert_string_equal(record, "8a8b5c2d");
    vQueueDelete(queue);
}

static void changed_priority_moves_a_waiter(void **state)
{
    (void)state;
    clear_record();
    QueueHandle_t queue = xQueueCreate(5, 1);
    TaskHandle_t low = spawn(note_priority_on_item, "low", queue, 2);
    wait_state(low, eBlocked);
    wait_state(spawn(note_priority_on_item, "high", queue, 5), eBlocked);
    vTaskPrioritySet(low, 9);
    xQueueSend(queue, "a", 0);
    wait_done(1);
    xQueueSend(queue, "b", 0);
    wait_done(1);
    assert_string_equal(record, "9a5b");
    vQueueDelete(queue);
}

static void send_c(void *arg)
{
    assert_int_equal(xQueueSend(arg, "c", LONG), pdTRUE);
    finish();
}

static void waiting_sender_gets_the_place_that_becomes_free(void **state)
{
    (void)state;
    QueueHandle_t queue = xQueueCreate(2, 1);
    char out;
    xQueueSend(queue, "a", 0);
    xQueueSend(queue, "b", 0);
    wait_state(spawn(send_c, "sender", queue, 4), eBlocked);
    assert_int_equal(xQueueReceive(queue, &out, 0), pdTRUE);
    /* Handed over at once: nobody else could take the place. */
    assert_int_equal(uxQueueMessagesWaiting(queue), 2);
    assert_int_equal(xQueueSend(queue, "d", 0), errQUEUE_FULL);
    wait_done(1);
    xQueueReceive(queue, &out, 0);
    assert_int_equal(out, 'b');
    xQueueReceive(queue, &out, 0);
    assert_int_equal(out, 'c');
    vQueueDelete(queue);
}

static void peek_one(void *arg)
{
    char item;
    assert_int_equal(xQueuePeek(arg, &item, LONG), pdTRUE);
    note(item);
    finish();
}

static void waiting_peekers_see_the_item_and_leave_it(void **state)
{
    (void)state;
    clear_record();
    QueueHandle_t queue = xQueueCreate(1, 1);
    wait_state(spawn(peek_one, "peek1", queue, 6), eBlocked);
    wait_state(spawn(peek_one, "peek2", queue, 5), eBlocked);
    xQueueSend(queue, "p", 0);
    wait_done(2);
    assert_string_equal(record, "pp");
    assert_int_equal(uxQueueMessagesWaiting(queue), 1);
    vQueueDelete(queue);
}

/* --- Semaphores and mutexes --- */

static void semaphores_count_to_their_limit(void **state)
{
    (void)state;
    SemaphoreHandle_t binary = xSemaphoreCreateBinary();
    assert_int_equal(xSemaphoreTake(binary, 0), pdFALSE);
    assert_int_equal(xSemaphoreGive(binary), pdTRUE);
    assert_int_equal(xSemaphoreGive(binary), pdFALSE);
    assert_int_equal(xSemaphoreTake(binary, 0), pdTRUE);
    vSemaphoreDelete(binary);

    SemaphoreHandle_t counting = xSemaphoreCreateCounting(3, 2);
    assert_int_equal(uxSemaphoreGetCount(counting), 2);
    assert_int_equal(xSemaphoreGive(counting), pdTRUE);
    assert_int_equal(xSemaphoreGive(counting), pdFALSE);
    vSemaphoreDelete(counting);
    assert_null(xSemaphoreCreateCounting(2, 3));
}

static void recursive_mutex_needs_as_many_gives_as_takes(void **state)
{
    (void)state;
    SemaphoreHandle_t mutex = xSemaphoreCreateRecursiveMutex();
    TaskHandle_t self = xTaskGetCurrentTaskHandle();
    assert_int_equal(xSemaphoreGiveRecursive(mutex), pdFALSE);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(xSemaphoreTakeRecursive(mutex, 0), pdTRUE);
    }
    for (int i = 0; i < 3; i++) {
        assert_ptr_equal(xSemaphoreGetMutexHolder(mutex), self);
        assert_int_equal(xSemaphoreGiveRecursive(mutex), pdTRUE);
    }
    assert_null(xSemaphoreGetMutexHolder(mutex));
    assert_int_equal(xSemaphoreGiveRecursive(mutex), pdFALSE);
    vSemaphoreDelete(mutex);
}

static void take_recursive_and_give(void *arg)
{
    assert_int_equal(xSemaphoreTakeRecursive(arg, 0), pdFALSE);
    assert_int_equal(xSemaphoreTakeRecursive(arg, LONG), pdTRUE);
    assert_int_equal(xSemaphoreGiveRecursive(arg), pdTRUE);
    finish();
}

static void recursive_mutex_keeps_others_out_until_the_last_give(void **state)
{
    (void)state;
    SemaphoreHandle_t mutex = xSemaphoreCreateRecursiveMutex();
    xSemaphoreTakeRecursive(mutex, 0);
    xSemaphoreTakeRecursive(mutex, 0);
    TaskHandle_t other = spawn(take_recursive_and_give, "other", mutex, 4);
    wait_state(other, eBlocked);
    xSemaphoreGiveRecursive(mutex);
    assert_int_equal(eTaskGetState(other), eBlocked);
    xSemaphoreGiveRecursive(mutex);
    wait_done(1);
    vSemaphoreDelete(mutex);
}

typedef struct {
    SemaphoreHandle_t first;
    SemaphoreHandle_t second;
    TickType_t ticks;
} mutex_pair_t;

static void take_pair(void *arg)
{
    mutex_pair_t *pair = arg;
    if (pair->first != NULL) {
        xSemaphoreTake(pair->first, LONG);
    }
    if (xSemaphoreTake(pair->second, pair->ticks) == pdTRUE) {
        xSemaphoreGive(pair->second);
    }
    if (pair->first != NULL) {
        xSemaphoreGive(pair->first);
    }
    finish();
}

static void mutex_lends_priority_along_the_chain_of_holders(void **state)
{
    (void)state;
    SemaphoreHandle_t a = xSemaphoreCreateMutex();
    SemaphoreHandle_t b = xSemaphoreCreateMutex();
    UBaseType_t own = uxTaskPriorityGet(NULL);
    xSemaphoreTake(a, 0);
    /* middle holds b and waits for a (held here); high waits for b. */
    mutex_pair_t middle_wants = {b, a, LONG};
    mutex_pair_t high_wants = {NULL, b, LONG};
    TaskHandle_t middle = spawn(take_pair, "middle", &middle_wants, 3);
    wait_state(middle, eBlocked);
    assert_int_equal(uxTaskPriorityGet(NULL), 3);
    TaskHandle_t high = spawn(take_pair, "high", &high_wants, 9);
    wait_state(high, eBlocked);
    assert_int_equal(uxTaskPriorityGet(middle), 9);
    assert_int_equal(uxTaskPriorityGet(NULL), 9);
    xSemaphoreGive(a);
    assert_int_equal(uxTaskPriorityGet(NULL), own);
    wait_done(2);
    vSemaphoreDelete(a);
    vSemaphoreDelete(b);
}

static void lent_priority_ends_when_the_waiter_gives_up_or_is_deleted(void **state)
{
    (void)state;
    SemaphoreHandle_t mutex = xSemaphoreCreateMutex();
    UBaseType_t own = uxTaskPriorityGet(NULL);
    xSemaphoreTake(mutex, 0);

    mutex_pair_t impatient = {NULL, mutex, 2};
    TaskHandle_t task = spawn(take_pair, "impatient", &impatient, 9);
    (void)task;
    wait_done(1);
    assert_int_equal(uxTaskPriorityGet(NULL), own);

    mutex_pair_t patient = {NULL, mutex, LONG};
    task = spawn(take_pair, "patient", &patient, 9);
    wait_state(task, eBlocked);
    assert_int_equal(uxTaskPriorityGet(NULL), 9);
    vTaskDelete(task);
    assert_int_equal(uxTaskPriorityGet(NULL), own);
    xSemaphoreGive(mutex);
    vSemaphoreDelete(mutex);
}

static void hold_for_ever(void *arg)
{
    xSemaphoreTake(arg, LONG);
    xSemaphoreGive(done);
    vTaskDelay(portMAX_DELAY);
}

static void mutex_of_a_deleted_task_stays_taken(void **state)
{
    (void)state;
    SemaphoreHandle_t mutex = xSemaphoreCreateMutex();
    TaskHandle_t task = spawn(hold_for_ever, "holder", mutex, 4);
    wait_done(1);
    vTaskDelete(task);
    assert_int_equal(xSemaphoreTake(mutex, 1), pdFALSE);
    assert_null(xSemaphoreGetMutexHolder(mutex));
    vSemaphoreDelete(mutex);
}

/* --- Event groups --- */

typedef struct {
    EventGroupHandle_t group;
    EventBits_t bits;
    BaseType_t clear;
    BaseType_t all;
    EventBits_t result;
} bits_wait_t;

static void wait_for_bits(void *arg)
{
    bits_wait_t *wait = arg;
    wait->result = xEventGroupWaitBits(wait->group, wait->bits, wait->clear, wait->all, LONG);
    finish();
}

static void one_set_serves_all_waiters_and_clears_afterwards(void **state)
{
    (void)state;
    EventGroupHandle_t group = xEventGroupCreate();
    bits_wait_t any = {group, 0x5, pdTRUE, pdFALSE, 0};
    bits_wait_t all = {group, 0x6, pdFALSE, pdTRUE, 0};
    bits_wait_t other = {group, 0x10, pdTRUE, pdTRUE, 0};
    wait_state(spawn(wait_for_bits, "any", &any, 4), eBlocked);
    TaskHandle_t all_task = spawn(wait_for_bits, "all", &all, 5);
    wait_state(all_task, eBlocked);
    TaskHandle_t other_task = spawn(wait_for_bits, "other", &other, 6);
    wait_state(other_task, eBlocked);

    assert_int_equal(xEventGroupSetBits(group, 0x2), 0x2);
    assert_int_equal(eTaskGetState(all_task), eBlocked);
    /* 4 completes both; only the bits of "any" are cleared, after both have seen them. */
    assert_int_equal(xEventGroupSetBits(group, 0x4), 0x2);
    wait_done(2);
    assert_int_equal(any.result, 0x6);
    assert_int_equal(all.result, 0x6);
    assert_int_equal(eTaskGetState(other_task), eBlocked);

    assert_int_equal(xEventGroupClearBits(group, 0x2), 0x2);
    assert_int_equal(xEventGroupGetBits(group), 0);
    vEventGroupDelete(group); /* wakes who still waits */
    wait_done(1);
    assert_int_equal(other.result, 0);
}

static void bits_already_set_need_no_wait_and_clear_only_what_was_asked(void **state)
{
    (void)state;
    EventGroupHandle_t group = xEventGroupCreate();
    xEventGroupSetBits(group, 0x7);
    assert_int_equal(xEventGroupWaitBits(group, 0x3, pdTRUE, pdTRUE, 0), 0x7);
    assert_int_equal(xEventGroupGetBits(group), 0x4);
    assert_int_equal(xEventGroupWaitBits(group, 0x5, pdTRUE, pdTRUE, 1), 0x4);
    assert_int_equal(xEventGroupGetBits(group), 0x4);
    vEventGroupDelete(group);
}

static EventGroupHandle_t meeting;

static void meet(void *arg)
{
    EventBits_t own = (EventBits_t)(uintptr_t)arg;
    assert_int_equal(xEventGroupSync(meeting, own, 0x7, LONG) & 0x7, 0x7);
    finish();
}

static void tasks_meet_at_a_sync_again_and_again(void **state)
{
    (void)state;
    meeting = xEventGroupCreate();
    for (int round = 0; round < 20; round++) {
        spawn(meet, "one", (void *)1, 3);
        spawn(meet, "two", (void *)2, 4);
        assert_int_equal(xEventGroupSync(meeting, 4, 7, LONG) & 7, 7);
        wait_done(2);
        assert_int_equal(xEventGroupGetBits(meeting), 0);
    }
    vEventGroupDelete(meeting);
}

/* --- Timers --- */

static void note_timer_id(TimerHandle_t timer)
{
    note(*(const char *)pvTimerGetTimerID(timer));
    xSemaphoreGive(done);
}

static void timers_fire_in_order_of_expiry(void **state)
{
    (void)state;
    clear_record();
    TimerHandle_t c = xTimerCreate("c", 150, pdFALSE, "c", note_timer_id);
    TimerHandle_t a = xTimerCreate("a", 50, pdFALSE, "a", note_timer_id);
    TimerHandle_t b = xTimerCreate("b", 100, pdFALSE, "b", note_timer_id);
    assert_int_equal(xTimerIsTimerActive(a), pdFALSE);
    xTimerStart(c, 0);
    xTimerStart(b, 0);
    xTimerStart(a, 0);
    assert_int_equal(xTimerIsTimerActive(c), pdTRUE);
    wait_done(3);
    assert_string_equal(record, "abc");
    assert_int_equal(xTimerIsTimerActive(a), pdFALSE);
    assert_string_equal(pcTaskGetName(xTimerGetTimerDaemonTaskHandle()), "Tmr Svc");

    clear_record();
    xTimerStart(a, 0);
    xTimerStart(b, 0);
    xTimerStop(a, 0);
    xTimerChangePeriod(c, 1, 0);
    wait_done(2);
    assert_string_equal(record, "cb");
    xTimerDelete(a, 0);
    xTimerDelete(b, 0);
    xTimerDelete(c, 0);
    assert_null(xTimerCreate("zero", 0, pdFALSE, NULL, note_timer_id));
}

static void delete_at_third_call(TimerHandle_t timer)
{
    int *calls = pvTimerGetTimerID(timer);
    if (++*calls == 3) {
        xTimerDelete(timer, 0);
        xSemaphoreGive(done);
    }
}

static void repeating_timer_may_delete_itself(void **state)
{
    (void)state;
    static int calls;
    calls = 0;
    TimerHandle_t timer = xTimerCreate("r", 1, pdTRUE, &calls, delete_at_third_call);
    xTimerStart(timer, 0);
    wait_done(1);
    vTaskDelay(3);
    assert_int_equal(calls, 3);
}

static void note_value(void *arg, uint32_t value)
{
    (void)arg;
    note((char)value);
    xSemaphoreGive(done);
}

static void pended_calls_run_in_order(void **state)
{
    (void)state;
    clear_record();
    for (uint32_t value = 'a'; value <= 'm'; value++) {
        assert_int_equal(xTimerPendFunctionCall(note_value, NULL, value, LONG), pdPASS);
    }
    wait_done(13);
    assert_string_equal(record, "abcdefghijklm");
}

static void microsecond_wait_ends_early_on_a_notification(void **state)
{
    (void)state;
    xTaskNotifyStateClear(NULL);
    ulTaskNotifyValueClear(NULL, 0xffffffff);
    assert_int_equal(airlift_notify_take_us(1500), 0);
    xTaskNotifyGive(xTaskGetCurrentTaskHandle());
    assert_int_equal(airlift_notify_take_us(UINT64_MAX), 1);
}

/* --- Many at once --- */

#define STRESS_PAIRS 8
#define STRESS_ITEMS 3000

typedef struct {
    QueueHandle_t queue;
    SemaphoreHandle_t mutex;
    uint64_t *sum;
} stress_t;

static void stress_send(void *arg)
{
    stress_t *stress = arg;
    for (uint32_t i = 1; i <= STRESS_ITEMS; i++) {
        assert_int_equal(xQueueSend(stress->queue, &i, portMAX_DELAY), pdTRUE);
    }
    finish();
}

static void stress_receive(void *arg)
{
    stress_t *stress = arg;
    for (uint32_t i = 1; i <= STRESS_ITEMS; i++) {
        uint32_t item;
        while (xQueueReceive(stress->queue, &item, 1) != pdTRUE) {
        }
        xSemaphoreTake(stress->mutex, portMAX_DELAY);
        *stress->sum += item;
        xSemaphoreGive(stress->mutex);
        if (i % 500 == 0) {
            vTaskPrioritySet(NULL, i / 500 % 20);
        }
    }
    finish();
}

static void no_item_is_lost_or_doubled_between_many_tasks(void **state)
{
    (void)state;
    uint64_t sum = 0;
    stress_t stress = {xQueueCreate(3, sizeof(uint32_t)), xSemaphoreCreateMutex(), &sum};
    for (UBaseType_t i = 0; i < STRESS_PAIRS; i++) {
        spawn(stress_send, "send", &stress, i);
        spawn(stress_receive, "receive", &stress, STRESS_PAIRS - i);
    }
    for (int i = 0; i < 2 * STRESS_PAIRS; i++) {
        assert_int_equal(xSemaphoreTake(done, pdMS_TO_TICKS(300000)), pdTRUE);
    }
    assert_true(sum == (uint64_t)STRESS_PAIRS * STRESS_ITEMS * (STRESS_ITEMS + 1) / 2);
    vQueueDelete(stress.queue);
    vSemaphoreDelete(stress.mutex);
}

static void churn(void *arg)
{
    xSemaphoreTake(arg, 1);
    for (;;) {
        vTaskDelay(portMAX_DELAY);
    }
}

static void tasks_come_and_go_without_a_trace(void **state)
{
    (void)state;
    SemaphoreHandle_t semaphore = xSemaphoreCreateBinary();
    UBaseType_t before = settled_number_of_tasks();
    for (int i = 0; i < 300; i++) {
        TaskHandle_t task = spawn(churn, "churn", semaphore, 5);
        if (i % 3 == 0) {
            taskYIELD();
        } else if (i % 3 == 1) {
            vTaskSuspend(task);
        }
        vTaskDelete(task);
    }
    assert_int_equal(uxTaskGetNumberOfTasks(), before);
    vSemaphoreDelete(semaphore);
}

#define T(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(int argc, char **argv)
{
    for (size_t i = 0; argc == 2 && i < MISUSES; i++) {
        if (strcmp(argv[1], misuses[i].name) == 0) {
            set_up(NULL);
            misuses[i].function();
            return 0;
        }
    }

    const struct CMUnitTest tests[] = {
        T(delay_does_not_end_before_its_tick),
        T(delay_until_keeps_its_period),
        T(milliseconds_become_ticks_rounded_down),
        T(every_wait_without_an_event_times_out),
        T(new_task_knows_its_handle_name_and_priority),
        T(task_deleted_while_it_waits_leaves_its_queue_to_others),
        T(running_task_makes_no_step_after_it_was_deleted),
        T(suspended_task_makes_no_step_until_resumed),
        T(task_that_suspends_itself_goes_on_when_resumed),
        T(suspended_waiter_is_passed_over_and_looks_again_when_resumed),
        T(nobody_else_passes_the_kernel_while_the_scheduler_is_suspended),
        T(misuse_ends_the_program_with_a_message),
        T(notifications_count_are_taken_and_carry_values),
        T(notification_actions_change_the_value_as_named),
        T(queue_keeps_order_front_back_and_wraps),
        T(items_go_to_the_most_urgent_waiter_first),
        T(changed_priority_moves_a_waiter),
        T(waiting_sender_gets_the_place_that_becomes_free),
        T(waiting_peekers_see_the_item_and_leave_it),
        T(semaphores_count_to_their_limit),
        T(recursive_mutex_needs_as_many_gives_as_takes),
        T(recursive_mutex_keeps_others_out_until_the_last_give),
        T(mutex_lends_priority_along_the_chain_of_holders),
        T(lent_priority_ends_when_the_waiter_gives_up_or_is_deleted),
        T(mutex_of_a_deleted_task_stays_taken),
        T(one_set_serves_all_waiters_and_clears_afterwards),
        T(bits_already_set_need_no_wait_and_clear_only_what_was_asked),
        T(tasks_meet_at_a_sync_again_and_again),
        T(timers_fire_in_order_of_expiry),
        T(repeating_timer_may_delete_itself),
        T(pended_calls_run_in_order),
        T(microsecond_wait_ends_early_on_a_notification),
        T(no_item_is_lost_or_doubled_between_many_tasks),
        T(tasks_come_and_go_without_a_trace),
    };
    return cmocka_run_group_tests_name("freertos kernel", tests, NULL, NULL);
}
