/* SPDX-License-Identifier: Apache-2.0
 *
 * The kernel's inside: tasks and how they wait. Everything here is called inside the critical
 * section unless it says otherwise. */
#ifndef FREERTOS_KERNEL_H
#define FREERTOS_KERNEL_H

#include <stdbool.h>
#include <stdint.h>

#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "port.h"

typedef struct tskTaskControlBlock task_t;

/* Tasks that wait for the same thing: most urgent first, among equals in order of arrival. */
typedef struct {
    task_t *first;
} wait_list_t;

#define KERNEL_WAIT_LIST_EMPTY {NULL}

struct tskTaskControlBlock {
    port_task_t port;
    char name[configMAX_TASK_NAME_LEN];
    UBaseType_t priority;      /* in force: base_priority, or what a mutex lends */
    UBaseType_t base_priority; /* as asked for */
    TaskFunction_t function;
    void *arg;
    task_t *next_task; /* list of all tasks */

    /* Waiting. wait_list is NULL while it waits for nothing but time or a notification. */
    bool waiting;
    bool suspended;
    bool ended;
    bool woken; /* what it waited for has happened: set by kernel_wake() */
    wait_list_t *wait_list;
    task_t *wait_next;
    struct QueueDefinition *wait_mutex; /* the mutex it waits for */
    union {
        struct {
            void *buffer; /* where a received item goes, or the item to send */
            BaseType_t mode;
        } queue;
        struct {
            uint32_t bits; /* wanted; after waking: the group's bits */
            bool all;
            bool clear;
        } event;
        UBaseType_t notify_index;
    } wait;

    struct QueueDefinition *held_mutexes;

    uint32_t notify_value[configTASK_NOTIFICATION_ARRAY_ENTRIES];
    bool notify_pending[configTASK_NOTIFICATION_ARRAY_ENTRIES];
    bool notify_waiting;
};

/* Ends the program with a message. Any context. */
_Noreturn void kernel_panic(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The moment ticks from now; PORT_NO_DEADLINE for portMAX_DELAY. Any context. */
uint64_t kernel_deadline(TickType_t ticks);
/* Ticks since start without wrapping, and the moment a tick begins. Any context. */
uint64_t kernel_ticks(void);
uint64_t kernel_tick_start_us(uint64_t tick);

/* The calling task waits in list (or in none) until kernel_wake(), until deadline_us, or until it
 * was suspended and resumed. True if it was woken. what names the call for the message that ends
 * the program where waiting is not allowed. */
bool kernel_wait(wait_list_t *list, uint64_t deadline_us, const char *what);

/* Ends the wait of a task: takes it off its list and makes it ready. */
void kernel_wake(task_t *task);

/* After a change of task->priority candidates (base priority, mutexes it holds, tasks waiting for
 * those): works out the priority in force, and follows the chain of mutex holders. */
void kernel_update_priority(task_t *task);

/* Sets *woken if waking task should make an interrupt handler switch. */
void kernel_report_woken(const task_t *task, BaseType_t *woken);

/* --- For the port --- */

/* Body of a new task; outside the critical section. */
_Noreturn void kernel_task_run(task_t *task);

/* A task for a thread the kernel did not create, or NULL: no memory. When such a thread ends, the
 * port calls kernel_task_forget() and kernel_task_free(). */
task_t *kernel_task_adopt(void);

/* Takes task off all the kernel's lists, if it still is on any. */
void kernel_task_forget(task_t *task);

/* Frees the memory of an ended task. Any context. */
void kernel_task_free(task_t *task);

/* --- Mutexes, for task.c --- */

/* The highest priority among the tasks that wait for mutexes task holds; 0 if none. */
UBaseType_t queue_mutexes_inherited(const task_t *task);
/* The holder of mutex, or NULL. */
task_t *queue_mutex_holder(const struct QueueDefinition *mutex);
/* task ends: its mutexes stay taken, by nobody. */
void queue_mutexes_abandon(task_t *task);

#endif
