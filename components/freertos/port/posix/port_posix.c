/* SPDX-License-Identifier: Apache-2.0
 *
 * The kernel's port to a host with POSIX threads: each task is a thread, the critical section is
 * one mutex, and a task that is not ready sleeps on a condition variable of its own. Running
 * threads are scheduled by the host, on as many processors as it has; the kernel's promises about
 * them are those port.h makes for ports whose tasks run in parallel.
 *
 * Ending another task: if it sleeps in the kernel it is told to leave; if it is in a system call
 * that blocks, pthread_cancel() gets it out; if it computes, it leaves when it next enters the
 * kernel. So code that holds a host lock over a cancellation point must disable cancellation there,
 * or the lock stays taken. */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "kernel.h"

/* The host's C library and sanitizers need far more stack than the firmware's figures. */
#define STACK_MIN_BYTES  (256u * 1024u)
#define STACK_FACTOR     8u
#define STACK_PAGE_BYTES 4096u

/* On top of that, for signal handlers. */
#define SIGNAL_STACK_BYTES (64u * 1024u)

/* What an unused stack is filled with, below this much that the filling itself may use. */
#define PAINT           0xa5
#define PAINT_GAP_BYTES 4096u
#define NO_SANITIZING   __attribute__((noinline, no_sanitize("address"), no_sanitize("thread")))

static pthread_mutex_t kernel_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t thread_gone = PTHREAD_COND_INITIALIZER;

static _Thread_local task_t *current;
static pthread_key_t current_key; /* only for its destructor, which runs at every end of a thread */
static pthread_once_t current_key_made = PTHREAD_ONCE_INIT;

static struct timespec start_time;

/* --- Time --- */

__attribute__((constructor)) static void note_start_time(void)
{
    clock_gettime(CLOCK_MONOTONIC, &start_time);
}

uint64_t port_now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t us = (int64_t)(now.tv_sec - start_time.tv_sec) * 1000000 +
                 (now.tv_nsec - start_time.tv_nsec) / 1000;
    return us > 0 ? (uint64_t)us : 0;
}

static struct timespec host_time(uint64_t us)
{
    /* Rounded up by a microsecond: start_time's nanoseconds were rounded down above. */
    uint64_t ns = (uint64_t)start_time.tv_nsec + us % 1000000u * 1000u + 1000u;
    struct timespec time = {
        .tv_sec = start_time.tv_sec + (time_t)(us / 1000000u) + (time_t)(ns / 1000000000u),
        .tv_nsec = (long)(ns % 1000000000u),
    };
    return time;
}

/* --- Threads --- */

static void init_port_task(task_t *task)
{
    pthread_condattr_t attributes;

    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&task->port.changed, &attributes);
    pthread_condattr_destroy(&attributes);
    task->port.ready = true;
}

/* The thread of task ends, for whatever reason. */
static void thread_ends(void *arg)
{
    task_t *task = arg;

    current = NULL;
    pthread_mutex_lock(&kernel_lock);
    if (!task->port.ended) {
        kernel_task_forget(task);
    }
    if (task->port.stopped != NULL) {
        *task->port.stopped = true;
        pthread_cond_broadcast(&thread_gone);
    }
    pthread_mutex_unlock(&kernel_lock);
    pthread_cond_destroy(&task->port.changed);
    kernel_task_free(task);
}

static void make_current_key(void)
{
    if (pthread_key_create(&current_key, thread_ends) != 0) {
        kernel_panic("the host has no thread key left");
    }
}

static void set_current(task_t *task)
{
    pthread_once(&current_key_made, make_current_key);
    if (pthread_setspecific(current_key, task) != 0) {
        kernel_panic("no memory for the task of a thread");
    }
    current = task;
}

static void adopt_thread(void)
{
    pthread_mutex_lock(&kernel_lock);
    task_t *task = kernel_task_adopt();
    if (task != NULL) {
        init_port_task(task);
        task->port.thread = pthread_self();
        task->port.adopted = true;
    }
    pthread_mutex_unlock(&kernel_lock);
    if (task == NULL) {
        kernel_panic("no memory for the task of a host thread");
    }
    set_current(task);
}

task_t *port_current(void)
{
    if (current == NULL) {
        adopt_thread();
    }
    return current;
}

static _Noreturn void leave_thread(task_t *self)
{
    self->port.nesting = 0;
    pthread_mutex_unlock(&kernel_lock);
    pthread_exit(NULL);
}

/* Sleeps until self is ready, or until its deadline; ends the thread if the task was ended. With
 * the lock held. Returns false if the deadline came. */
static bool sleep_until_ready(task_t *self)
{
    bool in_time = true;
    int cancel_state;

    if (self->port.ready && !self->port.ended) {
        return true; /* nearly always */
    }
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
    while (!self->port.ready && !self->port.ended) {
        uint64_t deadline = self->port.deadline_us;
        if (deadline == PORT_NO_DEADLINE) {
            pthread_cond_wait(&self->port.changed, &kernel_lock);
        } else if (port_now_us() >= deadline) {
            self->port.ready = true;
            in_time = false;
        } else {
            struct timespec until = host_time(deadline);
            pthread_cond_timedwait(&self->port.changed, &kernel_lock, &until);
        }
    }
    if (self->port.ended) {
        leave_thread(self);
    }
    pthread_setcancelstate(cancel_state, NULL);
    return in_time;
}

/* --- Critical section --- */

void port_enter_critical(void)
{
    task_t *self = port_current();

    if (self->port.nesting == 0) {
        pthread_mutex_lock(&kernel_lock);
        sleep_until_ready(self);
    }
    self->port.nesting++;
}

void port_exit_critical(void)
{
    task_t *self = port_current();

    if (self->port.nesting == 0) {
        kernel_panic("task \"%s\" leaves a critical section it did not enter", self->name);
    }
    if (--self->port.nesting == 0) {
        pthread_mutex_unlock(&kernel_lock);
    }
}

unsigned port_nesting(void)
{
    return port_current()->port.nesting;
}

/* --- Stack use --- */

NO_SANITIZING static void paint_stack(volatile uint8_t *low, volatile uint8_t *end)
{
    while (low < end) {
        *low++ = PAINT;
    }
}

NO_SANITIZING static size_t count_paint(const volatile uint8_t *low)
{
    size_t count = 0;

    while (low[count] == PAINT) {
        count++;
    }
    return count;
}

/* Fills what is below its own frame, so it must have one. */
__attribute__((noinline)) static void prepare_stack(task_t *self)
{
    pthread_attr_t attributes;
    void *low;
    size_t size;

    if (pthread_getattr_np(pthread_self(), &attributes) != 0) {
        return;
    }
    pthread_attr_getstack(&attributes, &low, &size);
    pthread_attr_destroy(&attributes);

    uint8_t *end = (uint8_t *)__builtin_frame_address(0) - PAINT_GAP_BYTES;
    if (end > (uint8_t *)low) {
        self->port.stack_low = low;
        paint_stack(low, end);
    }
}

size_t port_stack_unused(task_t *task)
{
    return task->port.stack_low != NULL ? count_paint(task->port.stack_low) : 0;
}

/* --- Tasks --- */

/* Lets the board's crash report run when this thread's stack has overflowed: signal handlers get
 * the memory given, which must stay until the thread ends. A sanitizer has done so already. */
static void give_signal_stack(void *memory, size_t size)
{
    const stack_t fresh = {.ss_sp = memory, .ss_size = size};
    stack_t old;

    if (sigaltstack(NULL, &old) == 0 && (old.ss_flags & SS_DISABLE) != 0) {
        sigaltstack(&fresh, NULL);
    }
}

static void *thread_main(void *arg)
{
    task_t *self = arg;
    uint8_t signal_stack[SIGNAL_STACK_BYTES];

    set_current(self);
    give_signal_stack(signal_stack, sizeof(signal_stack));
    prepare_stack(self);
    /* Who creates the task is still inside; then it may have been suspended or ended already. */
    port_enter_critical();
    port_exit_critical();
    kernel_task_run(self);
}

bool port_task_create(task_t *task, size_t stack_bytes)
{
    pthread_attr_t attributes;
    size_t size =
        stack_bytes < STACK_MIN_BYTES / STACK_FACTOR ? STACK_MIN_BYTES : stack_bytes * STACK_FACTOR;

    size += SIGNAL_STACK_BYTES;
    size = (size + STACK_PAGE_BYTES - 1) / STACK_PAGE_BYTES * STACK_PAGE_BYTES;
    init_port_task(task);
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    bool created = pthread_attr_setstacksize(&attributes, size) == 0 &&
                   pthread_create(&task->port.thread, &attributes, thread_main, task) == 0;
    pthread_attr_destroy(&attributes);
    if (created) {
        pthread_setname_np(task->port.thread, task->name);
    } else {
        pthread_cond_destroy(&task->port.changed);
    }
    return created;
}

bool port_wait(uint64_t deadline_us)
{
    task_t *self = port_current();

    self->port.ready = false;
    self->port.deadline_us = deadline_us;
    return sleep_until_ready(self);
}

void port_ready(task_t *task)
{
    task->port.ready = true;
    pthread_cond_signal(&task->port.changed);
}

void port_unready(task_t *task)
{
    task->port.ready = false;
    task->port.deadline_us = PORT_NO_DEADLINE;
    pthread_cond_signal(&task->port.changed);
}

void port_priority_changed(task_t *task, unsigned old)
{
    (void)task;
    (void)old;
}

void port_task_end(task_t *task)
{
    task_t *self = port_current();
    bool stopped = false;
    int cancel_state;

    task->port.ended = true;
    if (task == self) {
        leave_thread(self);
    }
    pthread_cond_signal(&task->port.changed);
    pthread_cancel(task->port.thread);
    if (self->port.nesting > 1) {
        return;
    }
    task->port.stopped = &stopped;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
    while (!stopped) {
        pthread_cond_wait(&thread_gone, &kernel_lock);
    }
    pthread_setcancelstate(cancel_state, NULL);
}

void port_yield(void)
{
    port_enter_critical();
    port_exit_critical();
    sched_yield();
}

void port_lock_scheduler(void)
{
    port_enter_critical();
}

void port_unlock_scheduler(void)
{
    port_exit_critical();
}

_Noreturn void port_start_scheduler(void)
{
    for (;;) {
        pause();
    }
}

bool port_in_interrupt(void)
{
    return false;
}
