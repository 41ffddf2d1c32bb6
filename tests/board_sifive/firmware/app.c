/* SPDX-License-Identifier: Apache-2.0
 *
 * The probe in an application's place. */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>

#include "hal/start.h"
#include "print.h"
#include "probe.h"
#include "sifive_u/gpio.h"
#include "sifive_u/watchdog.h"

static volatile uint32_t s_edges;
static int s_initialised = 1234;

static void on_edge(unsigned pin)
{
    s_edges += 1u << 8 * (pin % 4);
    print("edge on pin %u\n", (uint32_t)pin);
}

/* edge PIN RISING FALLING */
static void cmd_edge(const uint32_t *args)
{
    print("= edge %x\n",
          (uint32_t)sifive_u_gpio_on_edge(args[0], args[1] != 0, args[2] != 0, on_edge));
}

/* What the start code has set up: data, bss, thread-local memory, formatted output. */
static void cmd_start(const uint32_t *args)
{
    extern char __heap_start[], __heap_end[];

    (void)args;
    errno = 7;
    printf("= start data %d bss %d errno %d float %.3f heap %u\n", s_initialised, (int)s_edges, errno,
           1.5, (unsigned)(__heap_end - __heap_start));
}

static const probe_command_t s_more[] = {
    {"edge", cmd_edge},
    {"start", cmd_start},
    {NULL, NULL},
};

_Noreturn void app_start(void)
{
    sifive_u_watchdog_stop();
    probe_serve("probe_app", s_more);
}
