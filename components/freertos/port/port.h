/* SPDX-License-Identifier: Apache-2.0
 *
 * What the kernel needs from the machine it runs on. The kernel's objects (queues, event groups,
 * notifications, timers) know nothing else of it.
 *
 * A port is a folder port/NAME with port_types.h, which defines port_task_t (the port's part of a
 * task), and the functions below. port/posix runs each task on a thread of the host; a port for a
 * bare machine keeps ready lists and switches contexts itself.
 *
 * The model. A task is either ready (it may run) or not. Only the kernel decides which:
 *   - a new task is ready;
 *   - port_wait() makes the calling task not ready until port_ready(), or until its deadline;
 *   - port_unready() makes any other task not ready (suspension): until port_ready(), whatever
 *     deadline it was waiting for.
 * Which of the ready tasks run is the port's business. A port that schedules itself must always run
 * the ready task with the highest task->priority, tasks of equal priority in turn, one tick each; a
 * change that makes a more urgent task ready takes effect when the critical section ends. A port
 * whose tasks run in parallel cannot stop a running task from outside: there a task made not ready,
 * or ended, stops when it next enters a critical section.
 *
 * Time is in microseconds since the port's start, in 64 bits. Deadlines lie on that axis;
 * PORT_NO_DEADLINE never comes. The kernel turns ticks into such times itself. */
#ifndef FREERTOS_PORT_H
#define FREERTOS_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "port_types.h"

#define PORT_NO_DEADLINE UINT64_MAX

struct tskTaskControlBlock;

/* --- Critical section ---
 * One for the whole kernel; nests; a context switch keeps each task's nesting level. While a task
 * is inside, no other task and no interrupt handler is. On one processor: interrupts off.
 * port_nesting() is the calling task's level, 1 after the first port_enter_critical(). */
void port_enter_critical(void);
void port_exit_critical(void);
unsigned port_nesting(void);

/* --- Tasks ---
 * All but port_current() and port_yield() are called inside the critical section. */

/* Makes the machine's part of task, with a stack of at least stack_bytes bytes, ready to run
 * kernel_task_run(task). It must not run before the critical section ends. False: no memory. */
bool port_task_create(struct tskTaskControlBlock *task, size_t stack_bytes);

/* The calling task; NULL only where no task runs yet. Ports on which threads exist that the kernel
 * did not create make a task for them here with kernel_task_adopt(). */
struct tskTaskControlBlock *port_current(void);

/* The calling task is not ready from now on. Leaves the critical section (nesting level 1), and
 * returns inside it again once the task is ready: true if port_ready() did it, false if the
 * deadline came. A deadline in the past returns false at once. */
bool port_wait(uint64_t deadline_us);

/* Makes task ready, or not ready, as described above. Both may be repeated. port_ready() may come
 * from an interrupt handler. port_unready() is never given the calling task. */
void port_ready(struct tskTaskControlBlock *task);
void port_unready(struct tskTaskControlBlock *task);

/* task->priority has changed from old. */
void port_priority_changed(struct tskTaskControlBlock *task, unsigned old);

/* task never runs again; the kernel has taken it off all its lists. When nothing of the machine
 * uses its memory any more the port calls kernel_task_free(task), inside the critical section or
 * not, from whatever task. For the calling task: does not return. For another one: if the nesting
 * level is 1, returns only after it has really stopped, leaving the critical section meanwhile. */
void port_task_end(struct tskTaskControlBlock *task);

/* Gives way to other ready tasks of the same or a higher priority. Outside the critical section. */
void port_yield(void);

/* Keeps all other tasks from running (interrupt handlers still do) until the matching unlock;
 * the kernel nests the calls itself. Outside the critical section. A port whose tasks run in
 * parallel may hold the critical section instead; port_nesting() then counts that. */
void port_lock_scheduler(void);
void port_unlock_scheduler(void);

/* Starts running the ready tasks, from the board's initial stack. */
_Noreturn void port_start_scheduler(void);

/* The least number of bytes of task's stack that were ever unused; 0 if that is not known. */
size_t port_stack_unused(struct tskTaskControlBlock *task);

/* Whether the caller is an interrupt handler. */
bool port_in_interrupt(void);

/* --- Time --- */
uint64_t port_now_us(void);

#endif
