/* SPDX-License-Identifier: Apache-2.0
 *
 * The core has no atomic instructions, so what a program's atomics need beyond plain loads and
 * stores the compiler calls by the names of its library for that. On one hart an operation is
 * atomic while interrupts are off. Memory orders say nothing more here. */
#include <stdbool.h>
#include <stdint.h>

#include "sifive_u/mmio.h"

/* The compiler knows functions of these names and would not let them be defined; hence the labels.
 */
#define NAMED(name) __asm__("__atomic_" #name)

#define FETCH(type, size, name, expression)                                                        \
    type sifive_u_fetch_##name##_##size(volatile type *at, type value, int order)                  \
        NAMED(fetch_##name##_##size);                                                              \
    type sifive_u_fetch_##name##_##size(volatile type *at, type value, int order)                  \
    {                                                                                              \
        (void)order;                                                                               \
        uint32_t saved = irq_save();                                                               \
        type old = *at;                                                                            \
        *at = (type)(expression);                                                                  \
        irq_restore(saved);                                                                        \
        return old;                                                                                \
    }

#define ATOMICS(type, size)                                                                        \
    type sifive_u_load_##size(const volatile type *at, int order) NAMED(load_##size);              \
    type sifive_u_load_##size(const volatile type *at, int order)                                  \
    {                                                                                              \
        (void)order;                                                                               \
        uint32_t saved = irq_save();                                                               \
        type value = *at;                                                                          \
        irq_restore(saved);                                                                        \
        return value;                                                                              \
    }                                                                                              \
    void sifive_u_store_##size(volatile type *at, type value, int order) NAMED(store_##size);      \
    void sifive_u_store_##size(volatile type *at, type value, int order)                           \
    {                                                                                              \
        (void)order;                                                                               \
        uint32_t saved = irq_save();                                                               \
        *at = value;                                                                               \
        irq_restore(saved);                                                                        \
    }                                                                                              \
    bool sifive_u_compare_exchange_##size(volatile type *at, type *expected, type desired,         \
                                          int success, int failure)                                \
        NAMED(compare_exchange_##size);                                                            \
    bool sifive_u_compare_exchange_##size(volatile type *at, type *expected, type desired,         \
                                          int success, int failure)                                \
    {                                                                                              \
        (void)success;                                                                             \
        (void)failure;                                                                             \
        uint32_t saved = irq_save();                                                               \
        bool same = *at == *expected;                                                              \
        if (same) {                                                                                \
            *at = desired;                                                                         \
        } else {                                                                                   \
            *expected = *at;                                                                       \
        }                                                                                          \
        irq_restore(saved);                                                                        \
        return same;                                                                               \
    }                                                                                              \
    type sifive_u_exchange_##size(volatile type *at, type value, int order)                        \
        NAMED(exchange_##size);                                                                    \
    type sifive_u_exchange_##size(volatile type *at, type value, int order)                        \
    {                                                                                              \
        (void)order;                                                                               \
        uint32_t saved = irq_save();                                                               \
        type old = *at;                                                                            \
        *at = value;                                                                               \
        irq_restore(saved);                                                                        \
        return old;                                                                                \
    }                                                                                              \
    FETCH(type, size, add, old + value)                                                            \
    FETCH(type, size, sub, old - value)                                                            \
    FETCH(type, size, and, old &value)                                                             \
    FETCH(type, size, or, old | value)                                                             \
    FETCH(type, size, xor, old ^ value)                                                            \
    FETCH(type, size, nand, ~(old & value))

ATOMICS(uint8_t, 1)
ATOMICS(uint16_t, 2)
ATOMICS(uint32_t, 4)
ATOMICS(uint64_t, 8)
