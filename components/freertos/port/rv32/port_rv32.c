/* SPDX-License-Identifier: Apache-2.0
 *
 * The kernel's port to one bare rv32 hart in machine mode: ready lists by priority, deadlines in
 * order, and a context switch that is nothing but returning from a trap to another frame. A task
 * switches by ecall, which works with interrupts off as well; an interrupt handler by the frame it
 * returns. The critical section is interrupts off.
 *
 * The running task stays in its ready list, at the head. When nothing is ready the idle task runs,
 * which is in no list. */
#include <stdlib.h>
#include <string.h>

#include "hal/clock.h"
#include "kernel.h"
#include "sdkconfig.h"
#include "sifive_u/board.h"
#include "sifive_u/clock.h"
#include "sifive_u/mmio.h"
#include "sifive_u/tls.h"
#include "sifive_u/watchdog.h"

#include "os_rv32.h"

#define STACK_ALIGNMENT 16u
#define STACK_MIN_BYTES 768u
#define PAINT           0xA5u
/* This much of the paint at the end of a stack must be left when its task is switched away. */
#define GUARD_BYTES 16u

#define TICK_US (1000000u / configTICK_RATE_HZ)

#define MSTATUS_START (3u << 11 | 1u << 7) /* machine mode, interrupts on after mret */

/* Numbers of registers in a frame's x[], which begins with x1. */
#define REG_SP 1
#define REG_GP 2
#define REG_TP 3
#define REG_A0 9

/* Starvation of the emulator's threads must not look like a hung program, so the interrupt watchdog
 * never has less time than this. */
#define WATCHDOG_MIN_MS 2000u

typedef struct {
    task_t *head;
    task_t *tail;
} list_t;

static list_t ready[configMAX_PRIORITIES];
static uint32_t ready_priorities; /* bit n: ready[n] is not empty */
static list_t sleepers;           /* by deadline, earliest first */
static task_t *dead;              /* ended tasks whose memory the idle task frees */
static task_t *current;           /* NULL until the scheduler runs */
static unsigned boot_nesting;     /* of the critical section before that */
static unsigned scheduler_locks;
static uint64_t next_tick_us;

static task_t idle_task = {.name = "IDLE"};
static uint8_t idle_stack[configMINIMAL_STACK_SIZE] __attribute__((aligned(STACK_ALIGNMENT)));

_Static_assert(configMAX_PRIORITIES <= 32, "one bit a priority");

/* --- Lists --- */

static void link_before(list_t *list, task_t *task, task_t *place)
{
    task_t *before = place != NULL ? place->port.prev : list->tail;

    task->port.next = place;
    task->port.prev = before;
    if (before != NULL) {
        before->port.next = task;
    } else {
        list->head = task;
    }
    if (place != NULL) {
        place->port.prev = task;
    } else {
        list->tail = task;
    }
}

static void unlink_task(list_t *list, task_t *task)
{
    if (task->port.prev != NULL) {
        task->port.prev->port.next = task->port.next;
    } else {
        list->head = task->port.next;
    }
    if (task->port.next != NULL) {
        task->port.next->port.prev = task->port.prev;
    } else {
        list->tail = task->port.prev;
    }
    task->port.next = NULL;
    task->port.prev = NULL;
}

static void enter_ready_list(task_t *task, bool at_head)
{
    list_t *list = &ready[task->priority];

    link_before(list, task, at_head ? list->head : NULL);
    ready_priorities |= 1u << task->priority;
}

static void leave_ready_list(task_t *task, unsigned priority)
{
    unlink_task(&ready[priority], task);
    if (ready[priority].head == NULL) {
        ready_priorities &= ~(1u << priority);
    }
}

static void enter_sleepers(task_t *task)
{
    if (task->port.deadline_us == PORT_NO_DEADLINE) {
        return;
    }
    task_t *place = sleepers.head;
    while (place != NULL && place->port.deadline_us <= task->port.deadline_us) {
        place = place->port.next;
    }
    link_before(&sleepers, task, place);
}

static void leave_sleepers(task_t *task)
{
    if (task->port.deadline_us != PORT_NO_DEADLINE) {
        unlink_task(&sleepers, task);
        task->port.deadline_us = PORT_NO_DEADLINE;
    }
}

static void make_ready(task_t *task, bool timed_out)
{
    leave_sleepers(task);
    task->port.ready = true;
    task->port.timed_out = timed_out;
    enter_ready_list(task, false);
}

static void make_unready(task_t *task)
{
    if (task->port.ready) {
        leave_ready_list(task, task->priority);
        task->port.ready = false;
    } else {
        leave_sleepers(task);
    }
}

/* The task that should run. */
static task_t *choose(void)
{
    if (ready_priorities == 0) {
        return &idle_task;
    }
    return ready[31 - __builtin_clz(ready_priorities)].head;
}

/* --- Switching --- */

/* Interrupts when there is next something to do: at a tick or a deadline. */
static void set_timer(void)
{
    uint64_t when = next_tick_us;

    if (sleepers.head != NULL && sleepers.head->port.deadline_us < when) {
        when = sleepers.head->port.deadline_us;
    }
    sifive_u_mtimecmp_set(0, SIFIVE_U_SHARED->reset_time + when);
}

/* Of the running task, in a trap. The board has looked at the stack pointer; this finds a task that
 * was deeper before. */
static void check_stack(const task_t *task)
{
    for (unsigned i = 0; i < GUARD_BYTES; i++) {
        if (task->port.stack[i] != PAINT) {
            sifive_u_stack_overflow();
        }
    }
}

static void run_task(task_t *task)
{
    current = task;
    sifive_u_running_set(task->name, task->port.stack, task->port.stack_bytes);
}

/* In a trap: the interrupted task's frame in, the frame to go on with out. */
static sifive_u_trap_frame_t *switch_frame(sifive_u_trap_frame_t *frame)
{
    if (current == NULL) {
        /* Interrupts before the scheduler, and its start itself, which sets current after. */
        return frame;
    }
    if (scheduler_locks > 0 && current->port.ready) {
        return frame;
    }
    task_t *next = choose();
    if (next == current) {
        return frame;
    }
    current->port.frame = frame;
    check_stack(current);
    run_task(next);
    return next->port.frame;
}

static sifive_u_trap_frame_t *on_call(sifive_u_trap_frame_t *frame)
{
    if (current == NULL) {
        run_task(choose());
        return current->port.frame;
    }
    return switch_frame(frame);
}

static sifive_u_trap_frame_t *on_timer(sifive_u_trap_frame_t *frame)
{
    uint64_t now = port_now_us();

    while (sleepers.head != NULL && sleepers.head->port.deadline_us <= now) {
        make_ready(sleepers.head, true);
    }
    if (now >= next_tick_us) {
        next_tick_us += TICK_US;
        if (next_tick_us <= now) {
            next_tick_us = now + TICK_US; /* ticks were lost: time itself is not counted in them */
        }
        sifive_u_watchdog_feed();
        if (current != NULL) {
            check_stack(current);
        }
        /* Equal tasks take turns. */
        if (current != NULL && current->port.ready && current != &idle_task &&
            scheduler_locks == 0) {
            leave_ready_list(current, current->priority);
            enter_ready_list(current, false);
        }
    }
    set_timer();
    return switch_frame(frame);
}

static const sifive_u_kernel_t kernel = {
    .timer = on_timer,
    .leave = switch_frame,
    .call = on_call,
};

/* Goes on with the task that should run; returns when that is this one again. */
static void switch_now(void)
{
    __asm__ volatile("ecall" ::: "memory");
}

/* Kernel calls are frequent and a tick is long, so they look at the stack as well: a trap reports
 * what they find, on a stack that is not used up. */
static void look_at_stack(void)
{
    const uint8_t *sp = __builtin_frame_address(0);

    if (current != NULL && sp < current->port.stack + GUARD_BYTES && !sifive_u_in_interrupt()) {
        switch_now();
    }
}

/* --- Critical section --- */

static unsigned *nesting(void)
{
    return current != NULL ? &current->port.nesting : &boot_nesting;
}

void port_enter_critical(void)
{
    (void)irq_save();
    look_at_stack();
    (*nesting())++;
}

void port_exit_critical(void)
{
    unsigned *level = nesting();

    if (*level == 0) {
        kernel_panic("task \"%s\" leaves a critical section it did not enter",
                     current != NULL ? current->name : "start");
    }
    if (--*level > 0 || sifive_u_in_interrupt()) {
        return;
    }
    if (current != NULL && scheduler_locks == 0 && choose() != current) {
        switch_now();
    }
    irq_restore(MSTATUS_MIE);
}

unsigned port_nesting(void)
{
    return *nesting();
}

/* --- Tasks --- */

task_t *port_current(void)
{
    return current;
}

static void task_main(task_t *task)
{
    kernel_task_run(task);
}

static void prepare(task_t *task, uint8_t *stack, size_t bytes, void (*entry)(task_t *), void *tls)
{
    extern char __global_pointer$[];

    memset(stack, PAINT, bytes);
    task->port.stack = stack;
    task->port.stack_bytes = bytes;
    task->port.deadline_us = PORT_NO_DEADLINE;
    task->port.frame = (sifive_u_trap_frame_t *)(void *)(stack + bytes) - 1;
    *task->port.frame = (sifive_u_trap_frame_t){
        .mepc = (uint32_t)(uintptr_t)entry,
        .mstatus = MSTATUS_START,
        .x[REG_SP] = (uint32_t)(uintptr_t)(stack + bytes),
        .x[REG_GP] = (uint32_t)(uintptr_t)__global_pointer$,
        .x[REG_TP] = (uint32_t)(uintptr_t)tls,
        .x[REG_A0] = (uint32_t)(uintptr_t)task,
    };
}

static void free_memory(task_t *task)
{
    free(task->port.stack);
    kernel_task_free(task);
}

/* Takes one ended task off the list; NULL: there is none. */
static task_t *take_dead(void)
{
    port_enter_critical();
    task_t *task = dead;
    if (task != NULL) {
        dead = task->port.next;
    }
    port_exit_critical();
    return task;
}

bool port_task_create(task_t *task, size_t stack_bytes)
{
    /* The idle task may not have come to it. */
    for (task_t *gone = take_dead(); gone != NULL; gone = take_dead()) {
        free_memory(gone);
    }
    size_t bytes = stack_bytes < STACK_MIN_BYTES ? STACK_MIN_BYTES : stack_bytes;
    bytes = (bytes + STACK_ALIGNMENT - 1) / STACK_ALIGNMENT * STACK_ALIGNMENT;
    if (bytes < stack_bytes) {
        return false;
    }
    uint8_t *memory = aligned_alloc(STACK_ALIGNMENT, bytes + sifive_u_tls_size());
    if (memory == NULL) {
        return false;
    }
    sifive_u_tls_init(memory + bytes);
    prepare(task, memory, bytes, task_main, memory + bytes);
    task->port.nesting = 0;
    make_ready(task, false);
    return true;
}

bool port_wait(uint64_t deadline_us)
{
    if (deadline_us <= port_now_us()) {
        return false;
    }
    make_unready(current);
    current->port.deadline_us = deadline_us;
    enter_sleepers(current);
    set_timer();
    switch_now();
    return !current->port.timed_out;
}

void port_ready(task_t *task)
{
    if (!task->port.ready) {
        make_ready(task, false);
    }
}

void port_unready(task_t *task)
{
    make_unready(task);
}

void port_priority_changed(task_t *task, unsigned old)
{
    if (task->port.ready && task != &idle_task) {
        leave_ready_list(task, old);
        /* The running task gives way only to more urgent ones. */
        enter_ready_list(task, task == current);
    }
}

void port_task_end(task_t *task)
{
    make_unready(task);
    if (task != current) {
        free_memory(task);
        return;
    }
    task->port.next = dead;
    dead = task;
    /* It is needed until the switch is done, so whoever comes next frees it. */
    switch_now();
    kernel_panic("task \"%s\" runs after its end", task->name);
}

void port_yield(void)
{
    if (sifive_u_in_interrupt() || current == NULL || scheduler_locks > 0) {
        return;
    }
    port_enter_critical();
    if (current->port.ready) {
        leave_ready_list(current, current->priority);
        enter_ready_list(current, false);
    }
    port_exit_critical();
}

void port_lock_scheduler(void)
{
    uint32_t saved = irq_save();
    scheduler_locks++;
    irq_restore(saved);
}

void port_unlock_scheduler(void)
{
    port_enter_critical();
    scheduler_locks--;
    port_exit_critical();
}

size_t port_stack_unused(task_t *task)
{
    size_t count = 0;

    while (count < task->port.stack_bytes && task->port.stack[count] == PAINT) {
        count++;
    }
    return count;
}

bool port_in_interrupt(void)
{
    return sifive_u_in_interrupt();
}

uint64_t port_now_us(void)
{
    return hal_clock_us();
}

/* --- Start --- */

static void idle_main(task_t *task)
{
    (void)task;
    for (;;) {
        task_t *gone = take_dead();
        if (gone != NULL) {
            free_memory(gone);
        } else {
            wait_for_interrupt();
        }
    }
}

_Noreturn void port_start_scheduler(void)
{
    uint32_t watchdog_ms = 0;

#ifdef CONFIG_ESP_INT_WDT
    watchdog_ms = CONFIG_ESP_INT_WDT_TIMEOUT_MS;
#endif
    uint8_t *tls = aligned_alloc(STACK_ALIGNMENT, sifive_u_tls_size());
    if (tls == NULL || !os_rv32_start()) {
        kernel_panic("no memory to start the scheduler");
    }
    sifive_u_tls_init(tls);
    prepare(&idle_task, idle_stack, sizeof(idle_stack), idle_main, tls);
    if (watchdog_ms > 0) {
        sifive_u_watchdog_start(watchdog_ms > WATCHDOG_MIN_MS ? watchdog_ms : WATCHDOG_MIN_MS,
                                HAL_RESET_INT_WDT);
    } else {
        sifive_u_watchdog_stop();
    }
    (void)irq_save();
    next_tick_us = port_now_us() + TICK_US;
    sifive_u_kernel_set(&kernel);
    set_timer();
    switch_now();
    kernel_panic("the scheduler came back");
}
