/* SPDX-License-Identifier: Apache-2.0 */
#include "probe.h"

#include <stddef.h>
#include <string.h>

#include "hal/chip.h"
#include "hal/clock.h"
#include "hal/console.h"
#include "hal/flash.h"
#include "hal/gpio.h"
#include "hal/loader.h"
#include "hal/random.h"
#include "hal/reset.h"
#include "print.h"
#include "sifive_u/mmio.h"
#include "sifive_u/watchdog.h"

static uint8_t s_buffer[600];

static void cmd_reason(const uint32_t *args)
{
    (void)args;
    print("= reason %u\n", (uint32_t)hal_reset_reason());
}

static void cmd_reset(const uint32_t *args)
{
    hal_reset((hal_reset_reason_t)args[0]);
}

static void cmd_retain(const uint32_t *args)
{
    uint32_t *words = hal_reset_retain_memory();

    if (args[0] != 0) {
        words[args[1]] = args[0];
    }
    print("= retain %x\n", words[args[1]]);
}

static void cmd_chip(const uint32_t *args)
{
    (void)args;
    print("= chip %s %x running %x\n", hal_chip()->name, (uint32_t)hal_chip()->id,
          hal_loader_running_offset());
}

static void cmd_flash_size(const uint32_t *args)
{
    (void)args;
    esp_err_t err = hal_flash_init();
    print("= size %x err %x\n", hal_flash_size(), (uint32_t)err);
}

static void cmd_erase(const uint32_t *args)
{
    esp_err_t err = args[1] ? hal_flash_erase_block(args[0]) : hal_flash_erase_sector(args[0]);
    print("= erase %x\n", (uint32_t)err);
}

static uint8_t pattern(uint32_t address)
{
    return (uint8_t)(address * 7u + (address >> 8));
}

/* program ADDRESS LEN */
static void cmd_program(const uint32_t *args)
{
    for (uint32_t i = 0; i < args[1] && i < sizeof(s_buffer); i++) {
        s_buffer[i] = pattern(args[0] + i);
    }
    print("= program %x\n", (uint32_t)hal_flash_program(args[0], s_buffer, args[1]));
}

/* check ADDRESS LEN: 0 if the pattern stands there */
static void cmd_check(const uint32_t *args)
{
    memset(s_buffer, 0x5A, sizeof(s_buffer));
    esp_err_t err = hal_flash_read(args[0], s_buffer, args[1]);
    uint32_t wrong = 0;
    for (uint32_t i = 0; i < args[1] && i < sizeof(s_buffer); i++) {
        wrong += s_buffer[i] != pattern(args[0] + i);
    }
    print("= check %x wrong %u\n", (uint32_t)err, wrong);
}

static void cmd_word(const uint32_t *args)
{
    uint32_t word = 0;
    esp_err_t err = hal_flash_read(args[0], &word, sizeof(word));
    print("= word %08x err %x\n", word, (uint32_t)err);
}

static void cmd_time(const uint32_t *args)
{
    uint64_t start = hal_clock_us();
    hal_clock_spin_us(args[0]);
    uint64_t end = hal_clock_us();
    print("= time %u spun %u\n", (uint32_t)start, (uint32_t)(end - start));
}

static void cmd_pin(const uint32_t *args)
{
    print("= pin %x\n", (uint32_t)hal_gpio_configure(args[0], args[1] & 1, args[1] >> 1 & 1,
                                                     (hal_gpio_pull_t)args[2]));
}

static void cmd_get(const uint32_t *args)
{
    print("= level %u\n", (uint32_t)hal_gpio_get(args[0]));
}

/* wait_level PIN LEVEL: for at most a minute */
static void cmd_wait_level(const uint32_t *args)
{
    uint64_t end = hal_clock_us() + 60000000u;

    while ((uint32_t)hal_gpio_get(args[0]) != args[1] && hal_clock_us() < end) {
    }
    print("= level %u\n", (uint32_t)hal_gpio_get(args[0]));
}

static void cmd_set(const uint32_t *args)
{
    print("= set %x\n", (uint32_t)hal_gpio_set(args[0], (int)args[1]));
}

static void cmd_random(const uint32_t *args)
{
    uint32_t words[4];

    (void)args;
    hal_random_fill(words, sizeof(words));
    print("= random %08x%08x%08x%08x\n", words[0], words[1], words[2], words[3]);
}

static void cmd_watchdog(const uint32_t *args)
{
    sifive_u_watchdog_feed_on_progress(0);
    if (args[0] == 0) {
        sifive_u_watchdog_stop();
    } else {
        sifive_u_watchdog_start(args[0], (hal_reset_reason_t)args[1]);
    }
    print("= watchdog\n");
}

static void cmd_hang(const uint32_t *args)
{
    (void)args;
    (void)irq_save();
    csr_write(mie, 0);
    print("= hanging\n");
    for (;;) {
        __asm__ volatile("");
    }
}

static void cmd_load(const uint32_t *args)
{
    print("= load %x\n", *(volatile uint32_t *)(uintptr_t)args[0]);
}

static void cmd_store(const uint32_t *args)
{
    *(volatile uint32_t *)(uintptr_t)args[0] = args[1];
    print("= stored\n");
}

static void cmd_jump(const uint32_t *args)
{
    ((void (*)(void))(uintptr_t)args[0])();
}

static void cmd_illegal(const uint32_t *args)
{
    (void)args;
    __asm__ volatile(".word 0");
}

static void cmd_bad_stack(const uint32_t *args)
{
    __asm__ volatile("mv sp, %0\n\tsw zero, 0(zero)" ::"r"(args[0]));
}

static const probe_command_t s_commands[] = {
    {"reason", cmd_reason},
    {"reset", cmd_reset},
    {"retain", cmd_retain},
    {"chip", cmd_chip},
    {"size", cmd_flash_size},
    {"erase", cmd_erase},
    {"program", cmd_program},
    {"check", cmd_check},
    {"word", cmd_word},
    {"time", cmd_time},
    {"pin", cmd_pin},
    {"get", cmd_get},
    {"set", cmd_set},
    {"wait_level", cmd_wait_level},
    {"random", cmd_random},
    {"watchdog", cmd_watchdog},
    {"hang", cmd_hang},
    {"load", cmd_load},
    {"store", cmd_store},
    {"jump", cmd_jump},
    {"illegal", cmd_illegal},
    {"bad_stack", cmd_bad_stack},
    {NULL, NULL},
};

static bool run(const probe_command_t *commands, const char *name, const uint32_t *args)
{
    for (; commands->name != NULL; commands++) {
        if (strcmp(commands->name, name) == 0) {
            commands->run(args);
            return true;
        }
    }
    return false;
}

/* Decimal or 0x...; without the C library's errno, which a bootloader has no place for. */
static uint32_t parse_number(const char **text)
{
    const char *p = *text;
    uint32_t value = 0, base = 10;

    while (*p == ' ') {
        p++;
    }
    if (p[0] == '0' && p[1] == 'x') {
        base = 16;
        p += 2;
    }
    for (;; p++) {
        uint32_t digit = *p >= 'a' ? (uint32_t)(*p - 'a') + 10u : (uint32_t)(*p - '0');
        if (digit >= base) {
            break;
        }
        value = value * base + digit;
    }
    *text = p;
    return value;
}

static void serve_line(char *line, const probe_command_t *more)
{
    uint32_t args[PROBE_MAX_ARGS] = {0};
    char *rest = strchr(line, ' ');

    if (rest != NULL) {
        *rest++ = '\0';
        const char *numbers = rest;
        for (unsigned i = 0; i < PROBE_MAX_ARGS; i++) {
            args[i] = parse_number(&numbers);
        }
    }
    if (!run(s_commands, line, args) && !run(more, line, args)) {
        print("! unknown command %s\n", line);
    }
}

_Noreturn void probe_serve(const char *name, const probe_command_t *more)
{
    static char line[80];
    size_t len = 0;

    print("%s ready\n", name);
    for (;;) {
        char c;
        hal_console_read(&c, 1);
        if (c == '\n') {
            line[len] = '\0';
            serve_line(line, more);
            len = 0;
        } else if (len < sizeof(line) - 1) {
            line[len++] = c;
        }
    }
}
