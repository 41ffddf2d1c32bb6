/* SPDX-License-Identifier: Apache-2.0 */
#include "trap.h"

#include <stdbool.h>
#include <stddef.h>

#include "hal/console.h"
#include "hal/reset.h"
#include "mmio.h"
#include "print.h"
#include "sifive_u/board.h"

/* Hart 0 has one interrupt context, machine mode: number 0. */
#define PLIC_PRIORITY(irq) (SIFIVE_U_PLIC_BASE + 4u * (irq))
#define PLIC_ENABLE(irq)   (SIFIVE_U_PLIC_BASE + 0x2000u + 4u * ((irq) / 32u))
#define PLIC_THRESHOLD     (SIFIVE_U_PLIC_BASE + 0x200000u)
#define PLIC_CLAIM         (SIFIVE_U_PLIC_BASE + 0x200004u)

#define MSIP0 SIFIVE_U_CLINT_BASE

#define CAUSE_INTERRUPT (1u << 31)
#define CAUSE_SOFTWARE  3u
#define CAUSE_TIMER     7u
#define CAUSE_EXTERNAL  11u

extern void trap_entry(void);

static void (*s_handlers[SIFIVE_U_IRQ_COUNT])(void);

static const sifive_u_kernel_t s_no_kernel;
static const sifive_u_kernel_t *s_kernel = &s_no_kernel;

void sifive_u_trap_init(void)
{
    csr_write(mie, 0);
    csr_write(mtvec, (uint32_t)(uintptr_t)trap_entry);
    for (unsigned irq = 1; irq < SIFIVE_U_IRQ_COUNT; irq++) {
        mmio_write(PLIC_PRIORITY(irq), 0);
    }
    mmio_write(PLIC_ENABLE(0), 0);
    mmio_write(PLIC_ENABLE(32), 0);
    mmio_write(PLIC_THRESHOLD, 0);
    csr_set(mie, MIE_MEIE);
}

void sifive_u_irq_enable(unsigned source, void (*handler)(void))
{
    uint32_t saved = irq_save();

    s_handlers[source] = handler;
    mmio_write(PLIC_PRIORITY(source), 1);
    mmio_write(PLIC_ENABLE(source), mmio_read(PLIC_ENABLE(source)) | 1u << source % 32u);
    irq_restore(saved);
}

void sifive_u_irq_disable(unsigned source)
{
    uint32_t saved = irq_save();

    mmio_write(PLIC_ENABLE(source), mmio_read(PLIC_ENABLE(source)) & ~(1u << source % 32u));
    irq_restore(saved);
}

void sifive_u_kernel_set(const sifive_u_kernel_t *kernel)
{
    s_kernel = kernel;
    csr_set(mie, MIE_MSIE | MIE_MTIE);
}

void sifive_u_software_interrupt(void)
{
    mmio_write(MSIP0, 1);
    /* The interrupt is taken at the next instruction that allows it; make the caller see the write
     * done, so that "yield" means yielded when it returns. */
    (void)mmio_read(MSIP0);
}

void sifive_u_software_interrupt_clear(void)
{
    mmio_write(MSIP0, 0);
}

static void handle_devices(void)
{
    for (;;) {
        uint32_t source = mmio_read(PLIC_CLAIM);
        if (source == 0) {
            return;
        }
        if (source < SIFIVE_U_IRQ_COUNT && s_handlers[source] != NULL) {
            s_handlers[source]();
        } else {
            sifive_u_irq_disable(source);
        }
        mmio_write(PLIC_CLAIM, source);
    }
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
        print("Stack pointer is outside the program's memory.\r\n");
        return;
    }
    print("Stack memory:\r\n");
    for (unsigned line = 0; line < 8; line++) {
        uint32_t at = sp + line * 32;
        if (at > (uintptr_t)__stack_high - 32) {
            break;
        }
        print("%08x:", at);
        for (unsigned i = 0; i < 8; i++) {
            print(" %08x", *(const volatile uint32_t *)(uintptr_t)(at + 4 * i));
        }
        print("\r\n");
    }
}

static void print_registers(const sifive_u_trap_frame_t *frame)
{
    static const char names[31][5] = {
        "RA", "SP", "GP", "TP",  "T0",  "T1", "T2", "S0", "S1", "A0", "A1",
        "A2", "A3", "A4", "A5",  "A6",  "A7", "S2", "S3", "S4", "S5", "S6",
        "S7", "S8", "S9", "S10", "S11", "T3", "T4", "T5", "T6",
    };

    print("%-8s: 0x%08x", "MEPC", frame->mepc);
    for (unsigned i = 0; i < 31; i++) {
        print("%s%-8s: 0x%08x", i % 4 == 3 ? "\r\n" : "  ", names[i], frame->x[i]);
    }
    print("\r\n%-8s: 0x%08x  %-8s: 0x%08x  %-8s: 0x%08x\r\n", "MSTATUS", frame->mstatus, "MCAUSE",
          frame->mcause, "MTVAL", frame->mtval);
}

/* A fault inside the output of a fault: say no more, reset. */
static volatile bool s_in_panic;

static _Noreturn void panic_end(void)
{
    print("\r\nRebooting...\r\n");
    hal_reset(HAL_RESET_PANIC);
}

static void panic_begin(void)
{
    (void)irq_save();
    if (s_in_panic) {
        hal_reset(HAL_RESET_PANIC);
    }
    s_in_panic = true;
}

static _Noreturn void exception(const sifive_u_trap_frame_t *frame)
{
    const char *task = s_kernel->task_name != NULL ? s_kernel->task_name() : NULL;

    panic_begin();
    print("\r\nGuru Meditation Error: Core  0 panic'ed (%s). Exception was unhandled.\r\n\r\n",
          cause_text(frame->mcause));
    if (task != NULL) {
        print("Task: %s\r\n", task);
    }
    print("Core  0 register dump:\r\n");
    print_registers(frame);
    print("\r\n");
    print_stack(frame->x[1]);
    panic_end();
}

_Noreturn void sifive_u_panic(const char *why)
{
    panic_begin();
    print("\r\n%s\r\n", why);
    panic_end();
}

/* Called by trap_entry on the trap stack; returns the frame to go on with. */
sifive_u_trap_frame_t *sifive_u_trap(sifive_u_trap_frame_t *frame);

sifive_u_trap_frame_t *sifive_u_trap(sifive_u_trap_frame_t *frame)
{
    extern char __trap_stack_top[];

    if (!(frame->mcause & CAUSE_INTERRUPT)) {
        exception(frame);
    }
    if ((uintptr_t)frame + sizeof(*frame) == (uintptr_t)__trap_stack_top - 1024) {
        /* An interrupt found the stack pointer out of bounds: there is nothing to return to. */
        exception(frame);
    }
    switch (frame->mcause & ~CAUSE_INTERRUPT) {
    case CAUSE_TIMER:
        if (s_kernel->timer != NULL) {
            return s_kernel->timer(frame);
        }
        csr_clear(mie, MIE_MTIE);
        return frame;
    case CAUSE_SOFTWARE:
        sifive_u_software_interrupt_clear();
        if (s_kernel->software != NULL) {
            return s_kernel->software(frame);
        }
        return frame;
    case CAUSE_EXTERNAL:
        handle_devices();
        return s_kernel->leave != NULL ? s_kernel->leave(frame) : frame;
    default:
        exception(frame);
    }
}
