/* SPDX-License-Identifier: Apache-2.0
 *
 * What the drivers need from a kernel, if there is one. The bootloader has none: there a lock does
 * nothing and waiting is wfi. The kernel's port replaces the functions when its scheduler starts.
 */
#ifndef SIFIVE_U_OS_H
#define SIFIVE_U_OS_H

#include <stdbool.h>

/* Locks that drivers take, one mutex each. */
typedef enum {
    SIFIVE_U_LOCK_FLASH,
    SIFIVE_U_LOCK_CONSOLE_IN,
    SIFIVE_U_LOCK_STDIO,
    SIFIVE_U_LOCK_RANDOM,
    SIFIVE_U_LOCK_COUNT,
} sifive_u_lock_t;

/* Events that interrupt handlers report to one waiting task each. */
typedef enum {
    SIFIVE_U_EVENT_CONSOLE_IN,
    SIFIVE_U_EVENT_NETWORK,
    SIFIVE_U_EVENT_COUNT,
} sifive_u_event_t;

typedef struct {
    void (*lock)(sifive_u_lock_t lock);
    void (*unlock)(sifive_u_lock_t lock);
    /* Blocks the calling task until signal(event) is called; returns at once if it was called
     * since the last wait. false: timeout_ms passed (0: waits forever). */
    bool (*wait)(sifive_u_event_t event, unsigned timeout_ms);
    /* From an interrupt handler or a task. */
    void (*signal)(sifive_u_event_t event);
} sifive_u_os_t;

/* ops: static storage; NULL goes back to the functions for a program without a kernel. */
void sifive_u_os_set(const sifive_u_os_t *ops);

/* The functions in force, never NULL. */
const sifive_u_os_t *sifive_u_os(void);

#endif
