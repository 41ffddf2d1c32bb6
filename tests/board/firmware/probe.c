/* SPDX-License-Identifier: Apache-2.0
 *
 * A program that does to its board what the console says: one command a line, one answer a line. */
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/app_desc.h"
#include "hal/clock.h"
#include "hal/console.h"
#include "hal/flash.h"
#include "hal/gpio.h"
#include "hal/loader.h"
#include "hal/network.h"
#include "hal/random.h"
#include "hal/reset.h"
#include "hal/start.h"
#include "mbedtls/sha256.h"

__attribute__((section(".flash.appdesc"), used)) const fmt_app_desc_t esp_app_desc = {
    .magic_word = FMT_APP_DESC_MAGIC,
    .version = PROBE_VERSION,
    .project_name = "probe",
    .idf_ver = "test",
    .mmu_page_size = 16,
};

static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void say(const char *format, ...)
{
    char line[512];
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    hal_console_write(line, (size_t)len);
}

/* One line of input without its end; false when there is no more. */
static bool read_line(char *line, size_t size)
{
    size_t len = 0;
    char c;
    while (hal_console_read(&c, 1) == 1) {
        if (c == '\n') {
            line[len] = '\0';
            return true;
        }
        if (len + 1 < size) {
            line[len++] = c;
        }
    }
    return false;
}

static void read_flash(uint32_t address, size_t len)
{
    uint8_t data[128];
    char text[2 * sizeof(data) + 1];
    len = len < sizeof(data) ? len : sizeof(data);
    esp_err_t err = hal_flash_read(address, data, len);
    for (size_t i = 0; i < len; i++) {
        snprintf(text + 2 * i, 3, "%02x", data[i]);
    }
    text[2 * len] = '\0';
    say("read %d %s\n", err, text);
}

/* FNV-1a, to compare sectors by. */
static uint32_t sum(const uint8_t *data, size_t len)
{
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < len; i++) {
        hash = (hash ^ data[i]) * 16777619u;
    }
    return hash;
}

static void fill_flash(uint32_t address, size_t len, unsigned value)
{
    static uint8_t data[HAL_FLASH_BLOCK_SIZE];
    memset(data, (int)value, sizeof(data));
    say("program %d\n", hal_flash_program(address, data, len < sizeof(data) ? len : sizeof(data)));
}

static void sum_sector(uint32_t address)
{
    static uint8_t data[HAL_FLASH_SECTOR_SIZE];
    esp_err_t err = hal_flash_read(address, data, sizeof(data));
    say("sum %d %08x\n", err, (unsigned)sum(data, sizeof(data)));
}

#ifdef PROBE_NETWORK

static void on_network(const hal_network_info_t *info, void *arg)
{
    const uint8_t *ip = (const uint8_t *)&info->ip;
    (void)arg;
    say("network %s %u.%u.%u.%u\n", info->name, ip[0], ip[1], ip[2], ip[3]);
}

static void start_network(void)
{
    esp_err_t err = hal_network_start(on_network, NULL);
    say("started %d, again %d\n", err, hal_network_start(on_network, NULL));
}

#else

static void start_network(void)
{
    say("no network\n");
}

#endif

/* Hashes an area of flash as it is read, then as much again from memory; says how long it took. */
static void hash_flash(uint32_t address, size_t len)
{
    static uint8_t data[16384];
    uint8_t digest[32];
    uint64_t times[2];
    for (unsigned pass = 0; pass < 2; pass++) {
        mbedtls_sha256_context sha;
        uint64_t begin = hal_clock_us();
        mbedtls_sha256_init(&sha);
        mbedtls_sha256_starts(&sha, 0);
        for (size_t at = 0; at < len; at += sizeof(data)) {
            size_t part = len - at < sizeof(data) ? len - at : sizeof(data);
            if (pass == 0 && hal_flash_read(address + (uint32_t)at, data, part) != ESP_OK) {
                say("read error\n");
                return;
            }
            mbedtls_sha256_update(&sha, data, part);
        }
        mbedtls_sha256_finish(&sha, digest);
        times[pass] = hal_clock_us() - begin;
    }
    say("hash %u %u\n", (unsigned)times[0], (unsigned)times[1]);
}

static void crash(void)
{
    volatile int *volatile nowhere = NULL;
    *nowhere = 1;
}

static bool execute(const char *line)
{
    unsigned a, b, c;
    char text[64];
    if (sscanf(line, "reset %u", &a) == 1) {
        hal_reset((hal_reset_reason_t)a);
    } else if (strcmp(line, "crash") == 0) {
        crash();
    } else if (strcmp(line, "abort") == 0) {
        abort();
    } else if (sscanf(line, "exit %u", &a) == 1) {
        exit((int)a);
    } else if (strcmp(line, "hang") == 0) {
        for (;;) {
            hal_clock_spin_us(1000000);
        }
    } else if (sscanf(line, "read %x %u", &a, &b) == 2) {
        read_flash(a, b);
    } else if (sscanf(line, "sum %x", &a) == 1) {
        sum_sector(a);
    } else if (sscanf(line, "fill %x %u %x", &a, &b, &c) == 3) {
        fill_flash(a, b, c);
    } else if (sscanf(line, "erase-block %x", &a) == 1) {
        say("erase %d\n", hal_flash_erase_block(a));
    } else if (sscanf(line, "erase %x", &a) == 1) {
        say("erase %d\n", hal_flash_erase_sector(a));
    } else if (sscanf(line, "pin %u input pull %u", &a, &b) == 2) {
        say("pin %d\n", hal_gpio_configure(a, true, false, (hal_gpio_pull_t)b));
    } else if (sscanf(line, "pin %u output %u", &a, &b) == 2) {
        esp_err_t err = hal_gpio_configure(a, true, true, HAL_GPIO_PULL_NONE);
        say("pin %d %d\n", err, hal_gpio_set(a, (int)b));
    } else if (sscanf(line, "pin %u", &a) == 1) {
        say("level %d\n", hal_gpio_get(a));
    } else if (sscanf(line, "remember %63s", text) == 1) {
        memcpy(hal_reset_retain_memory(), text, sizeof(text));
        say("remembered\n");
    } else if (strcmp(line, "recall") == 0) {
        memcpy(text, hal_reset_retain_memory(), sizeof(text));
        text[sizeof(text) - 1] = '\0';
        say("recalled '%s'\n", text);
    } else if (strcmp(line, "network") == 0) {
        start_network();
    } else if (strcmp(line, "id") == 0) {
        say("id %06x\n", (unsigned)hal_flash_id());
    } else if (sscanf(line, "hash %x %u", &a, &b) == 2) {
        hash_flash(a, b);
    } else if (strcmp(line, "random") == 0) {
        uint8_t bytes[16];
        hal_random_fill(bytes, sizeof(bytes));
        say("random %08x\n", (unsigned)sum(bytes, sizeof(bytes)));
    } else if (sscanf(line, "say %63[^\n]", text) == 1) {
        say("%s\n", text);
    } else if (sscanf(line, "flood %u", &a) == 1) {
        for (unsigned i = 0; i < a; i++) {
            say("flood line %u\n", i);
        }
    } else {
        return false;
    }
    return true;
}

_Noreturn void app_start(void)
{
    hal_flash_init();
    say("probe " PROBE_VERSION " from 0x%x, reset reason %d, flash %u\n",
        (unsigned)hal_loader_running_offset(), (int)hal_reset_reason(), (unsigned)hal_flash_size());
    char line[256];
    while (read_line(line, sizeof(line))) {
        if (!execute(line)) {
            say("unknown command\n");
        }
    }
    say("no more input\n");
    for (;;) {
        hal_clock_spin_us(1000000);
    }
}
