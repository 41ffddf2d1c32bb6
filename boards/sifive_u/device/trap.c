/* SPDX-License-Identifier: Apache-2.0 */
#include "sifive_u/trap.h"

#include <stdbool.h>
#include <stddef.h>

#include "panic.h"
#include "print.h"
#include "sifive_u/board.h"
#include "sifive_u/irq.h"
#include "sifive_u/mmio.h"

#define CAUSE_INTERRUPT (1u << 31)
#define CAUSE_TIMER     7u
#define CAUSE_EXTERNAL  11u
#define CAUSE_CALL      11u /* not an interrupt */

#define TRAP_STACK_BYTES 4096u /* as in app.ld */

static const sifive_u_kernel_t s_no_kernel;
static const sifive_u_kernel_t *s_kernel = &s_no_kernel;

void sifive_u_trap_init(void)
{
    sifive_u_irq_init();
    csr_write(mtvec, (uint32_t)(uintptr_t)trap_entry);
}

void sifive_u_kernel_set(const sifive_u_kernel_t *kernel)
{
    s_kernel = kernel;
    csr_set(mie, MIE_MTIE);
}

static bool s_in_interrupt;

bool sifive_u_in_interrupt(void)
{
    return s_in_interrupt;
}

void sifive_u_running_set(const char *name, const void *stack, size_t bytes)
{
    volatile sifive_u_running_t *running = SIFIVE_U_RUNNING;

    running->stack_low = (uint32_t)(uintptr_t)stack;
    running->stack_bytes = bytes;
    for (size_t i = 0; i < sizeof(running->name); i++) {
        running->name[i] = *name;
        if (*name != '\0') {
            name++;
        }
    }
}

/* The task that runs; "": none. Ends with a NUL, whatever memory holds. */
static void running_name(char out[sizeof(SIFIVE_U_RUNNING->name)])
{
    const volatile sifive_u_running_t *running = SIFIVE_U_RUNNING;

    for (size_t i = 0; i < sizeof(running->name); i++) {
        out[i] = running->stack_bytes != 0 ? running->name[i] : '\0';
    }
    out[sizeof(running->name) - 1] = '\0';
}

static void report_overflow(void)
{
    char name[sizeof(SIFIVE_U_RUNNING->name)];

    running_name(name);
    print("\n***ERROR*** A stack overflow in task %s has been detected: it has used more than its "
          "stack of %u bytes.\n",
          name, SIFIVE_U_RUNNING->stack_bytes);
}

_Noreturn void sifive_u_stack_overflow(void)
{
    sifive_u_panic_begin();
    report_overflow();
    sifive_u_panic_end();
}

/* Whether the interrupted stack pointer lies below the task's stack. A handler's, on the trap
 * stack, can only be that of an exception. */
static bool overflown(const sifive_u_trap_frame_t *frame)
{
    extern char __trap_stack_top[];
    uint32_t sp = frame->x[1], top = (uint32_t)(uintptr_t)__trap_stack_top;

    if (SIFIVE_U_RUNNING->stack_bytes == 0 || sp >= SIFIVE_U_RUNNING->stack_low) {
        return false;
    }
    return (frame->mcause & CAUSE_INTERRUPT) != 0 || sp > top || top - sp > TRAP_STACK_BYTES;
}

static const char *cause_text(uint32_t cause)
{
    static const char *const texts[] = {
        "Instruction address misaligned",
        "Instruction access fault",
        "Illegal instruction",
        "Breakpoint",
        "Load address misaligned",
        "Load access fault",
        "Store address misaligned",
        "Store access fault",
        "Environment call from user mode",
        "Environment call",
        "Environment call",
        "Environment call",
    };
    if (cause < sizeof(texts) / sizeof(texts[0])) {
        return texts[cause];
    }
    return "Unknown exception";
}

static void print_stack(uint32_t sp)
{
    extern char __stack_low[], __stack_high[];

    if (sp % 4 != 0 || sp < (uintptr_t)__stack_low || sp >= (uintptr_t)__stack_high) {
        print("Stack pointer is outside the program's memory.\n");
        return;
    }
    print("Stack memory:\n");
    for (unsigned line = 0; line < 8; line++) {
        uint32_t at = sp + line * 32;
        if (at > (uintptr_t)__stack_high - 32) {
            break;
        }
        print("%08x:", at);
        for (unsigned i = 0; i < 8; i++) {
            print(" %08x", *(const volatile uint32_t *)(uintptr_t)(at + 4 * i));
        }
        print("\n");
    }
}

static _Noreturn void exception(const sifive_u_trap_frame_t *frame)
{
    char task[sizeof(SIFIVE_U_RUNNING->name)];

    sifive_u_panic_begin();
    if (overflown(frame)) {
        report_overflow();
    }
    print("\nGuru Meditation Error: Core  0 panic'ed (%s). Exception was unhandled.\n",
          cause_text(frame->mcause));
    running_name(task);
    if (task[0] != '\0') {
        print("Task: %s\n", task);
    }
    sifive_u_panic_registers(frame);
    print_stack(frame->x[1]);
    sifive_u_panic_end();
}

static sifive_u_trap_frame_t *interrupt(sifive_u_trap_frame_t *frame)
{
    switch (frame->mcause & ~CAUSE_INTERRUPT) {
    case CAUSE_TIMER:
        if (s_kernel->timer != NULL) {
            return s_kernel->timer(frame);
        }
        csr_clear(mie, MIE_MTIE);
        return frame;
    case CAUSE_EXTERNAL:
        sifive_u_irq_dispatch();
        return s_kernel->leave != NULL ? s_kernel->leave(frame) : frame;
    default:
        exception(frame);
    }
}

sifive_u_trap_frame_t *sifive_u_trap(sifive_u_trap_frame_t *frame)
{
    extern char __trap_stack_top[];

    /* Before anything else: the program's data cannot be relied on. */
    if ((frame->mcause & CAUSE_INTERRUPT || frame->mcause == CAUSE_CALL) && overflown(frame)) {
        sifive_u_stack_overflow();
    }
    if ((uintptr_t)frame + sizeof(*frame) == (uintptr_t)__trap_stack_top - 1024) {
        /* The stack pointer was out of bounds: there is nothing to return to. */
        exception(frame);
    }
    if (frame->mcause == CAUSE_CALL && s_kernel->call != NULL) {
        frame->mepc += 4;
        return s_kernel->call(frame);
    }
    if (!(frame->mcause & CAUSE_INTERRUPT)) {
        exception(frame);
    }
    s_in_interrupt = true;
    frame = interrupt(frame);
    s_in_interrupt = false;
    return frame;
}
