/* SPDX-License-Identifier: Apache-2.0
 *
 * What the processor's exceptions are on a chip, signals are here: a report on the console, then a
 * reset with reason panic. Addresses are those of the program's ELF file, for addr2line. */
#include <elf.h>
#include <execinfo.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>

#include "board.h"
#include "hal/reset.h"
#include "hal/start.h"

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif

#ifdef SANITIZED

void board_catch_crashes(void)
{
    /* The sanitizer's own report says more. */
}

#else

#define MAX_FRAMES 32

extern const Elf64_Ehdr __ehdr_start __attribute__((visibility("hidden")));
extern const char etext __attribute__((visibility("hidden")));

static uintptr_t in_file(uintptr_t address)
{
    uintptr_t base = (uintptr_t)&__ehdr_start;
    return __ehdr_start.e_type == ET_DYN ? address - base : address;
}

static bool is_ours(uintptr_t address)
{
    return address >= (uintptr_t)&__ehdr_start && address < (uintptr_t)&etext;
}

static const char *exception_name(int signal_number)
{
    switch (signal_number) {
    case SIGSEGV:
        return "Memory access fault";
    case SIGBUS:
        return "Bus error";
    case SIGILL:
        return "Illegal instruction";
    case SIGFPE:
        return "Arithmetic exception";
    default:
        return "Unknown exception";
    }
}

static void print(const char *text, int len)
{
    /* No lock: the task that crashed may hold it. */
    ssize_t written = write(STDOUT_FILENO, text, (size_t)len);
    (void)written;
}

static void on_crash(int signal_number, siginfo_t *info, void *context)
{
    static const char rebooting[] = "Rebooting...\n";

    /* A crash in here ends the process; the runner reports that. */
    signal(signal_number, SIG_DFL);

    void *frames[MAX_FRAMES];
    int count = backtrace(frames, MAX_FRAMES);
    char line[32 + MAX_FRAMES * 20];
    int len;
    if (signal_number == SIGABRT) {
        uintptr_t caller = 0;
        for (int i = 1; i < count && caller == 0; i++) {
            if (is_ours((uintptr_t)frames[i])) {
                caller = in_file((uintptr_t)frames[i]);
            }
        }
        len = snprintf(line, sizeof(line), "\nabort() was called at PC 0x%08lx on core 0\n",
                       (unsigned long)caller);
    } else {
        uintptr_t pc = 0;
#if defined(__x86_64__)
        pc = (uintptr_t)((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
#elif defined(__aarch64__)
        pc = (uintptr_t)((ucontext_t *)context)->uc_mcontext.pc;
#endif
        len =
            snprintf(line, sizeof(line),
                     "\nGuru Meditation Error: Core  0 panic'ed (%s). Exception was unhandled.\n"
                     "PC      : 0x%08lx  FAULT   : 0x%08lx\n",
                     exception_name(signal_number), (unsigned long)(is_ours(pc) ? in_file(pc) : pc),
                     (unsigned long)(uintptr_t)info->si_addr);
    }
    (void)context;
    print(line, len);
    len = snprintf(line, sizeof(line), "Backtrace:");
    for (int i = 1; i < count; i++) {
        uintptr_t frame = (uintptr_t)frames[i];
        if (is_ours(frame)) {
            len += snprintf(line + len, sizeof(line) - (size_t)len, " 0x%lx",
                            (unsigned long)in_file(frame));
        }
    }
    len += snprintf(line + len, sizeof(line) - (size_t)len, "\n");
    print(line, len);
    if (app_panic_details != NULL) {
        app_panic_details();
    }
    print(rebooting, sizeof(rebooting) - 1);
    hal_reset(HAL_RESET_PANIC);
}

void board_catch_crashes(void)
{
    /* The first call may allocate; later ones, in the handler, do not. */
    void *frame;
    (void)backtrace(&frame, 1);

    /* A stack of its own, for when the main task's overflows. */
    static char stack[64 * 1024];
    const stack_t crash_stack = {.ss_sp = stack, .ss_size = sizeof(stack)};
    sigaltstack(&crash_stack, NULL);

    struct sigaction action = {.sa_sigaction = on_crash, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigemptyset(&action.sa_mask);
    static const int crashes[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};
    for (size_t i = 0; i < sizeof(crashes) / sizeof(crashes[0]); i++) {
        sigaction(crashes[i], &action, NULL);
    }
}

#endif
