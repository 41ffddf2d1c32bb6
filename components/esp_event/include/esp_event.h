/* SPDX-License-Identifier: Apache-2.0
 *
 * Event loops: events are posted from anywhere and delivered one after the other, in the order of
 * posting, to the handlers registered for them.
 *
 * For one event the handlers for any base come first, then those for its base with any id, then
 * those for exactly its id; in each group in order of registration. A broader handler that is
 * registered after narrower ones does not overtake them: it comes after those.
 *
 * While a handler runs, other tasks that register or unregister on that loop wait for its end; so
 * after an unregistration the handler does not run any more. */
#ifndef ESP_EVENT_H
#define ESP_EVENT_H

#include <stddef.h>
#include <stdint.h>

#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "esp_err.h"
#include "esp_event_base.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    int32_t queue_size;        /* events that may wait, > 0 */
    const char *task_name;     /* task that runs the loop; NULL: none, call esp_event_loop_run() */
    UBaseType_t task_priority; /* of that task */
    uint32_t task_stack_size;  /* bytes */
    BaseType_t task_core_id;   /* tskNO_AFFINITY or a core */
} esp_event_loop_args_t;

/* --- Loops of one's own --- */

/* ESP_ERR_INVALID_ARG: NULL or queue_size < 1. ESP_ERR_NO_MEM. ESP_FAIL: the task could not be
 * created. */
esp_err_t esp_event_loop_create(const esp_event_loop_args_t *args, esp_event_loop_handle_t *out);

/* Ends the loop: waits for a running handler, forgets handlers and waiting events. May be called in
 * a handler of that loop if the loop has a task; then it does not return.
 * ESP_ERR_INVALID_ARG: NULL. ESP_ERR_INVALID_STATE: in a handler of a loop without a task. */
esp_err_t esp_event_loop_delete(esp_event_loop_handle_t loop);

/* For loops without a task: delivers events until ticks have passed; portMAX_DELAY: for ever, 0:
 * those that wait. ESP_ERR_INVALID_ARG: NULL. ESP_ERR_INVALID_STATE: another task runs it. */
esp_err_t esp_event_loop_run(esp_event_loop_handle_t loop, TickType_t ticks);

/* Registers handler for base/id (id may be ESP_EVENT_ANY_ID, base ESP_EVENT_ANY_BASE only with it).
 * The same handler again for the same base and id: its arg is replaced, with a warning.
 * ESP_ERR_INVALID_ARG: handler or loop NULL, or any base with a specific id. ESP_ERR_NO_MEM. */
esp_err_t esp_event_handler_register_with(esp_event_loop_handle_t loop, esp_event_base_t base,
                                          int32_t id, esp_event_handler_t handler, void *arg);
/* The same handler may be registered many times; *instance (may be NULL) names this one. */
esp_err_t esp_event_handler_instance_register_with(esp_event_loop_handle_t loop,
                                                   esp_event_base_t base, int32_t id,
                                                   esp_event_handler_t handler, void *arg,
                                                   esp_event_handler_instance_t *instance);
/* Takes effect at once, for handlers that run later for the same event too. Allowed in handlers.
 * ESP_ERR_NOT_FOUND: not registered so. ESP_ERR_INVALID_ARG as for registering. */
esp_err_t esp_event_handler_unregister_with(esp_event_loop_handle_t loop, esp_event_base_t base,
                                            int32_t id, esp_event_handler_t handler);
esp_err_t esp_event_handler_instance_unregister_with(esp_event_loop_handle_t loop,
                                                     esp_event_base_t base, int32_t id,
                                                     esp_event_handler_instance_t instance);

/* Posts an event with a copy of size bytes at data; NULL or 0: handlers get NULL. Waits up to ticks
 * for room, not at all in a handler of that loop.
 * ESP_ERR_INVALID_ARG: loop NULL, any base or any id. ESP_ERR_NO_MEM. ESP_ERR_TIMEOUT: no room. */
esp_err_t esp_event_post_to(esp_event_loop_handle_t loop, esp_event_base_t base, int32_t id,
                            const void *data, size_t size, TickType_t ticks);

/* --- The default loop: task "sys_evt" --- */

/* ESP_ERR_INVALID_STATE: there is one already. Others as esp_event_loop_create(). */
esp_err_t esp_event_loop_create_default(void);

/* ESP_ERR_INVALID_STATE: there is none. */
esp_err_t esp_event_loop_delete_default(void);

/* As the functions above; ESP_ERR_INVALID_STATE without a default loop. */
esp_err_t esp_event_handler_register(esp_event_base_t base, int32_t id, esp_event_handler_t handler,
                                     void *arg);
esp_err_t esp_event_handler_instance_register(esp_event_base_t base, int32_t id,
                                              esp_event_handler_t handler, void *arg,
                                              esp_event_handler_instance_t *instance);
esp_err_t esp_event_handler_unregister(esp_event_base_t base, int32_t id,
                                       esp_event_handler_t handler);
esp_err_t esp_event_handler_instance_unregister(esp_event_base_t base, int32_t id,
                                                esp_event_handler_instance_t instance);
esp_err_t esp_event_post(esp_event_base_t base, int32_t id, const void *data, size_t size,
                         TickType_t ticks);

#ifdef __cplusplus
}
#endif

#endif
