/* SPDX-License-Identifier: Apache-2.0
 *
 * Event loops.
 *
 * A loop keeps its handlers in one list, in the order in which any event passes them: delivering an
 * event is one walk over the list. A handler finds its place when it is registered:
 *
 *   - The list consists of stages. A handler for any base joins the last stage, unless that has
 *     narrower handlers already; then it opens a new stage.
 *   - In a stage, handlers for any base come first. Those of one base are in rounds, in each round
 *     the handlers for any id first: a handler for any id joins the last round of its base in the
 *     last stage, unless that has handlers for an id already; then it opens a new round.
 *
 * So a broad handler runs before all narrow ones that were registered after it, and after those
 * that were registered before it. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "esp_event.h"
#include "esp_log.h"
#include "freertos/queue.h"
#include "freertos/semphr.h"

static const char TAG[] = "event";

/* What an event needs of the stack besides what the application configured for its handlers. */
#define DEFAULT_TASK_STACK_RESERVE 512
#define DEFAULT_TASK_PRIORITY      20

typedef enum {
    BREADTH_ANY_BASE = 0,
    BREADTH_ANY_ID,
    BREADTH_ONE_ID,
} breadth_t;

typedef struct handler {
    struct handler *next;
    esp_event_base_t base;
    int32_t id;
    esp_event_handler_t function;
    void *arg;
    unsigned stage;
    unsigned round;
    uint32_t first_event; /* number of the first event it may get */
    bool removed;         /* during a delivery: to be freed after it */
} handler_t;

typedef struct {
    esp_event_base_t base;
    int32_t id;
    void *data;
} event_t;

typedef struct {
    QueueHandle_t queue;
    event_t event;           /* being delivered; its data is the loop's */
    SemaphoreHandle_t mutex; /* recursive: guards what follows, held while handlers run */
    handler_t *handlers;
    uint32_t events; /* number of the event being delivered, or of the last one */
    bool delivering;
    TaskHandle_t task;   /* of its own, or NULL */
    TaskHandle_t runner; /* who is in esp_event_loop_run() */
} loop_t;

static loop_t *default_loop;
static portMUX_TYPE lock = portMUX_INITIALIZER_UNLOCKED; /* default_loop, runner */

/* --- Handlers; with the loop's mutex --- */

static breadth_t breadth_of(const handler_t *handler)
{
    return handler->base == ESP_EVENT_ANY_BASE ? BREADTH_ANY_BASE
           : handler->id == ESP_EVENT_ANY_ID   ? BREADTH_ANY_ID
                                               : BREADTH_ONE_ID;
}

static void find_stage(const loop_t *loop, handler_t *fresh)
{
    bool has_narrower = false;

    fresh->stage = 0;
    for (const handler_t *each = loop->handlers; each != NULL; each = each->next) {
        if (each->removed) {
            continue;
        }
        if (each->stage > fresh->stage) {
            fresh->stage = each->stage;
            has_narrower = false;
        }
        has_narrower = has_narrower || breadth_of(each) != BREADTH_ANY_BASE;
    }
    if (breadth_of(fresh) == BREADTH_ANY_BASE && has_narrower) {
        fresh->stage++;
    }
}

static void find_round(const loop_t *loop, handler_t *fresh)
{
    bool has_narrower = false;

    fresh->round = 0;
    if (breadth_of(fresh) == BREADTH_ANY_BASE) {
        return;
    }
    for (const handler_t *each = loop->handlers; each != NULL; each = each->next) {
        if (each->removed || each->base != fresh->base || each->stage != fresh->stage) {
            continue;
        }
        if (each->round > fresh->round) {
            fresh->round = each->round;
            has_narrower = false;
        }
        has_narrower = has_narrower || breadth_of(each) == BREADTH_ONE_ID;
    }
    if (breadth_of(fresh) == BREADTH_ANY_ID && has_narrower) {
        fresh->round++;
    }
}

/* Whether a comes before b; equals stay in order of registration. */
static bool is_before(const handler_t *a, const handler_t *b)
{
    if (a->stage != b->stage) {
        return a->stage < b->stage;
    }
    bool a_any = breadth_of(a) == BREADTH_ANY_BASE;
    bool b_any = breadth_of(b) == BREADTH_ANY_BASE;
    if (a_any != b_any) {
        return a_any;
    }
    if (a->round != b->round) {
        return a->round < b->round;
    }
    return breadth_of(a) < breadth_of(b);
}

static void insert_handler(loop_t *loop, handler_t *fresh)
{
    handler_t **place = &loop->handlers;

    find_stage(loop, fresh);
    find_round(loop, fresh);
    while (*place != NULL && !is_before(fresh, *place)) {
        place = &(*place)->next;
    }
    fresh->next = *place;
    *place = fresh;
}

static void free_removed(loop_t *loop)
{
    for (handler_t **place = &loop->handlers; *place != NULL;) {
        handler_t *each = *place;
        if (each->removed) {
            *place = each->next;
            free(each);
        } else {
            place = &each->next;
        }
    }
}

static void remove_handler(loop_t *loop, handler_t *handler)
{
    handler->removed = true;
    if (!loop->delivering) {
        free_removed(loop);
    }
}

/* --- Delivery --- */

static bool wants(const handler_t *handler, const event_t *event, uint32_t number)
{
    /* The difference is signed, so that the numbers may wrap. */
    return !handler->removed && (int32_t)(number - handler->first_event) >= 0 &&
           (handler->base == ESP_EVENT_ANY_BASE || handler->base == event->base) &&
           (handler->id == ESP_EVENT_ANY_ID || handler->id == event->id);
}

/* Takes the next event out of the queue and runs its handlers. False: none came. */
static bool deliver_next(loop_t *loop, TickType_t ticks)
{
    event_t *event = &loop->event;

    if (xQueueReceive(loop->queue, event, ticks) != pdTRUE) {
        return false;
    }
    xSemaphoreTakeRecursive(loop->mutex, portMAX_DELAY);
    loop->delivering = true;
    uint32_t number = ++loop->events;
    bool handled = false;
    for (handler_t *each = loop->handlers; each != NULL; each = each->next) {
        if (wants(each, event, number)) {
            handled = true;
            each->function(each->arg, event->base, event->id, event->data);
        }
    }
    if (!handled) {
        ESP_LOGD(TAG, "nobody handles event %s:%" PRIi32, event->base, event->id);
    }
    loop->delivering = false;
    free(event->data);
    event->data = NULL;
    free_removed(loop);
    xSemaphoreGiveRecursive(loop->mutex);
    return true;
}

static void loop_task(void *arg)
{
    for (;;) {
        deliver_next(arg, portMAX_DELAY);
    }
}

static bool claim_loop(loop_t *loop)
{
    portENTER_CRITICAL(&lock);
    bool is_free = loop->runner == NULL;
    if (is_free) {
        loop->runner = xTaskGetCurrentTaskHandle();
    }
    portEXIT_CRITICAL(&lock);
    return is_free;
}

esp_err_t esp_event_loop_run(esp_event_loop_handle_t handle, TickType_t ticks)
{
    loop_t *loop = handle;

    if (loop == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    if (loop->task != NULL || !claim_loop(loop)) {
        ESP_LOGE(TAG, "another task runs this event loop");
        return ESP_ERR_INVALID_STATE;
    }
    TickType_t start = xTaskGetTickCount();
    TickType_t left = ticks;
    while (deliver_next(loop, left)) {
        if (ticks != portMAX_DELAY) {
            TickType_t passed = xTaskGetTickCount() - start;
            if (ticks > 0 && passed >= ticks) {
                break;
            }
            left = ticks - (ticks > 0 ? passed : 0);
        }
    }
    portENTER_CRITICAL(&lock);
    loop->runner = NULL;
    portEXIT_CRITICAL(&lock);
    return ESP_OK;
}

/* --- Life of a loop --- */

static void free_loop(loop_t *loop)
{
    do {
        /* The one in delivery first: its handler or its task has just ended the loop. */
        free(loop->event.data);
        loop->event.data = NULL;
    } while (loop->queue != NULL && xQueueReceive(loop->queue, &loop->event, 0) == pdTRUE);
    for (handler_t *each = loop->handlers; each != NULL; each = each->next) {
        each->removed = true;
    }
    free_removed(loop);
    vQueueDelete(loop->queue);
    vSemaphoreDelete(loop->mutex);
    free(loop);
}

esp_err_t esp_event_loop_create(const esp_event_loop_args_t *args, esp_event_loop_handle_t *out)
{
    if (args == NULL || out == NULL || args->queue_size < 1) {
        ESP_LOGE(TAG, "an event loop needs arguments and a queue of at least one event");
        return ESP_ERR_INVALID_ARG;
    }
    loop_t *loop = calloc(1, sizeof(*loop));
    if (loop == NULL) {
        ESP_LOGE(TAG, "no memory for an event loop");
        return ESP_ERR_NO_MEM;
    }
    loop->queue = xQueueCreate((UBaseType_t)args->queue_size, sizeof(event_t));
    loop->mutex = xSemaphoreCreateRecursiveMutex();
    if (loop->queue == NULL || loop->mutex == NULL) {
        ESP_LOGE(TAG, "no memory for an event loop's queue of %" PRIi32, args->queue_size);
        free_loop(loop);
        return ESP_ERR_NO_MEM;
    }
    if (args->task_name != NULL &&
        xTaskCreatePinnedToCore(loop_task, args->task_name, args->task_stack_size, loop,
                                args->task_priority, &loop->task, args->task_core_id) != pdPASS) {
        ESP_LOGE(TAG, "no memory for the event loop task %s", args->task_name);
        loop->task = NULL;
        free_loop(loop);
        return ESP_FAIL;
    }
    *out = loop;
    return ESP_OK;
}

esp_err_t esp_event_loop_delete(esp_event_loop_handle_t handle)
{
    loop_t *loop = handle;

    if (loop == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    TaskHandle_t task = loop->task;
    bool is_self = task == xTaskGetCurrentTaskHandle();

    /* With the mutex no handler runs, unless this is one. */
    xSemaphoreTakeRecursive(loop->mutex, portMAX_DELAY);
    if (loop->delivering && !is_self) {
        xSemaphoreGiveRecursive(loop->mutex);
        ESP_LOGE(TAG, "a handler cannot delete its loop, which has no task");
        return ESP_ERR_INVALID_STATE;
    }
    if (task != NULL && !is_self) {
        vTaskDelete(task);
    }
    free_loop(loop);
    if (is_self) {
        vTaskDelete(NULL);
    }
    return ESP_OK;
}

/* --- Registration --- */

static esp_err_t check_ids(const loop_t *loop, esp_event_base_t base, int32_t id)
{
    if (loop == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    if (base == ESP_EVENT_ANY_BASE && id != ESP_EVENT_ANY_ID) {
        ESP_LOGE(TAG, "an id without a base means nothing");
        return ESP_ERR_INVALID_ARG;
    }
    return ESP_OK;
}

static handler_t *find_handler(const loop_t *loop, esp_event_base_t base, int32_t id,
                               esp_event_handler_t function, const handler_t *instance)
{
    for (handler_t *each = loop->handlers; each != NULL; each = each->next) {
        bool same = instance != NULL ? each == instance : each->function == function;
        if (same && !each->removed && each->base == base && each->id == id) {
            return each;
        }
    }
    return NULL;
}

/* once: replace an equal registration. */
static esp_err_t register_handler(loop_t *loop, esp_event_base_t base, int32_t id,
                                  esp_event_handler_t function, void *arg, bool once,
                                  esp_event_handler_instance_t *instance)
{
    esp_err_t err = check_ids(loop, base, id);

    if (err != ESP_OK || function == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    xSemaphoreTakeRecursive(loop->mutex, portMAX_DELAY);
    handler_t *handler = once ? find_handler(loop, base, id, function, NULL) : NULL;
    if (handler != NULL) {
        ESP_LOGW(TAG, "handler already registered, overwriting");
        handler->arg = arg;
    } else if ((handler = calloc(1, sizeof(*handler))) == NULL) {
        ESP_LOGE(TAG, "no memory for an event handler");
        err = ESP_ERR_NO_MEM;
    } else {
        handler->base = base;
        handler->id = id;
        handler->function = function;
        handler->arg = arg;
        handler->first_event = loop->events + 1;
        insert_handler(loop, handler);
    }
    if (err == ESP_OK && instance != NULL) {
        *instance = handler;
    }
    xSemaphoreGiveRecursive(loop->mutex);
    return err;
}

static esp_err_t unregister_handler(loop_t *loop, esp_event_base_t base, int32_t id,
                                    esp_event_handler_t function, const handler_t *instance)
{
    esp_err_t err = check_ids(loop, base, id);

    if (err != ESP_OK || (function == NULL && instance == NULL)) {
        return ESP_ERR_INVALID_ARG;
    }
    xSemaphoreTakeRecursive(loop->mutex, portMAX_DELAY);
    handler_t *handler = find_handler(loop, base, id, function, instance);
    if (handler != NULL) {
        remove_handler(loop, handler);
    } else {
        err = ESP_ERR_NOT_FOUND;
    }
    xSemaphoreGiveRecursive(loop->mutex);
    return err;
}

esp_err_t esp_event_handler_register_with(esp_event_loop_handle_t loop, esp_event_base_t base,
                                          int32_t id, esp_event_handler_t handler, void *arg)
{
    return register_handler(loop, base, id, handler, arg, true, NULL);
}

esp_err_t esp_event_handler_instance_register_with(esp_event_loop_handle_t loop,
                                                   esp_event_base_t base, int32_t id,
                                                   esp_event_handler_t handler, void *arg,
                                                   esp_event_handler_instance_t *instance)
{
    return register_handler(loop, base, id, handler, arg, false, instance);
}

esp_err_t esp_event_handler_unregister_with(esp_event_loop_handle_t loop, esp_event_base_t base,
                                            int32_t id, esp_event_handler_t handler)
{
    return unregister_handler(loop, base, id, handler, NULL);
}

esp_err_t esp_event_handler_instance_unregister_with(esp_event_loop_handle_t loop,
                                                     esp_event_base_t base, int32_t id,
                                                     esp_event_handler_instance_t instance)
{
    return unregister_handler(loop, base, id, NULL, instance);
}

/* --- Posting --- */

static bool in_handler_of(const loop_t *loop)
{
    TaskHandle_t self = xTaskGetCurrentTaskHandle();

    portENTER_CRITICAL(&lock);
    bool is_runner = loop->task == self || loop->runner == self;
    portEXIT_CRITICAL(&lock);
    return is_runner;
}

esp_err_t esp_event_post_to(esp_event_loop_handle_t handle, esp_event_base_t base, int32_t id,
                            const void *data, size_t size, TickType_t ticks)
{
    loop_t *loop = handle;
    event_t event = {.base = base, .id = id, .data = NULL};

    if (loop == NULL || base == ESP_EVENT_ANY_BASE || id == ESP_EVENT_ANY_ID) {
        return ESP_ERR_INVALID_ARG;
    }
    if (data != NULL && size > 0) {
        event.data = malloc(size);
        if (event.data == NULL) {
            ESP_LOGE(TAG, "no memory for an event with %u bytes of data", (unsigned)size);
            return ESP_ERR_NO_MEM;
        }
        memcpy(event.data, data, size);
    }
    /* The only task that could make room must not wait for it. */
    if (xQueueSend(loop->queue, &event, in_handler_of(loop) ? 0 : ticks) != pdTRUE) {
        free(event.data);
        return ESP_ERR_TIMEOUT;
    }
    return ESP_OK;
}

/* --- The default loop --- */

static loop_t *get_default_loop(void)
{
    portENTER_CRITICAL(&lock);
    loop_t *loop = default_loop;
    portEXIT_CRITICAL(&lock);
    return loop;
}

esp_err_t esp_event_loop_create_default(void)
{
    const esp_event_loop_args_t args = {
        .queue_size = CONFIG_ESP_SYSTEM_EVENT_QUEUE_SIZE,
        .task_name = "sys_evt",
        .task_priority = DEFAULT_TASK_PRIORITY,
        .task_stack_size = CONFIG_ESP_SYSTEM_EVENT_TASK_STACK_SIZE + DEFAULT_TASK_STACK_RESERVE,
        .task_core_id = 0,
    };
    esp_event_loop_handle_t fresh;

    if (get_default_loop() != NULL) {
        return ESP_ERR_INVALID_STATE;
    }
    esp_err_t err = esp_event_loop_create(&args, &fresh);
    if (err != ESP_OK) {
        return err;
    }
    portENTER_CRITICAL(&lock);
    bool was_first = default_loop == NULL;
    if (was_first) {
        default_loop = fresh;
    }
    portEXIT_CRITICAL(&lock);
    if (!was_first) {
        esp_event_loop_delete(fresh);
        return ESP_ERR_INVALID_STATE;
    }
    return ESP_OK;
}

esp_err_t esp_event_loop_delete_default(void)
{
    portENTER_CRITICAL(&lock);
    loop_t *loop = default_loop;
    default_loop = NULL;
    portEXIT_CRITICAL(&lock);
    return loop != NULL ? esp_event_loop_delete(loop) : ESP_ERR_INVALID_STATE;
}

esp_err_t esp_event_handler_register(esp_event_base_t base, int32_t id, esp_event_handler_t handler,
                                     void *arg)
{
    loop_t *loop = get_default_loop();
    return loop != NULL ? esp_event_handler_register_with(loop, base, id, handler, arg)
                        : ESP_ERR_INVALID_STATE;
}

esp_err_t esp_event_handler_instance_register(esp_event_base_t base, int32_t id,
                                              esp_event_handler_t handler, void *arg,
                                              esp_event_handler_instance_t *instance)
{
    loop_t *loop = get_default_loop();
    return loop != NULL
               ? esp_event_handler_instance_register_with(loop, base, id, handler, arg, instance)
               : ESP_ERR_INVALID_STATE;
}

esp_err_t esp_event_handler_unregister(esp_event_base_t base, int32_t id,
                                       esp_event_handler_t handler)
{
    loop_t *loop = get_default_loop();
    return loop != NULL ? esp_event_handler_unregister_with(loop, base, id, handler)
                        : ESP_ERR_INVALID_STATE;
}

esp_err_t esp_event_handler_instance_unregister(esp_event_base_t base, int32_t id,
                                                esp_event_handler_instance_t instance)
{
    loop_t *loop = get_default_loop();
    return loop != NULL ? esp_event_handler_instance_unregister_with(loop, base, id, instance)
                        : ESP_ERR_INVALID_STATE;
}

esp_err_t esp_event_post(esp_event_base_t base, int32_t id, const void *data, size_t size,
                         TickType_t ticks)
{
    loop_t *loop = get_default_loop();
    if (base == ESP_EVENT_ANY_BASE || id == ESP_EVENT_ANY_ID) {
        return ESP_ERR_INVALID_ARG;
    }
    return loop != NULL ? esp_event_post_to(loop, base, id, data, size, ticks)
                        : ESP_ERR_INVALID_STATE;
}
