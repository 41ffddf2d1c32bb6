/* SPDX-License-Identifier: Apache-2.0
 *
 * The ROM stage: what a chip's mask ROM does. It finds out why the board was reset, reads the
 * bootloader image from the start of the flash chip, and starts it. It is linked into the window
 * that the emulator restores at every reset, and leaves DRAM alone but for what it loads. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "console.h"
#include "formats/image.h"
#include "hal/chip.h"
#include "hal/flash.h"
#include "hal/reset.h"
#include "print.h"
#include "protection.h"
#include "random.h"
#include "sifive_u/board.h"
#include "sifive_u/clock.h"
#include "sifive_u/mmio.h"
#include "sifive_u/watchdog.h"

/* A bootloader that is not up and running by then has failed. */
#define BOOT_TIMEOUT_MS 9000u

/* Before the watchdog bites. */
#define BITE_CHANCES   5u
#define BITE_CHANCE_US 50000u

/* Bootloader images lie before the partition table. */
#define BOOTLOADER_SPACE 0x8000u

void rom_main(void);
void rom_watchdog_bite(void);
_Noreturn void rom_trap(uint32_t cause, uint32_t pc, uint32_t value);

static const char *reason_name(uint32_t reason)
{
    switch (reason) {
    case HAL_RESET_POWERON:
        return "POWERON";
    case HAL_RESET_EXTERNAL:
        return "EXTERNAL";
    case HAL_RESET_SOFTWARE:
        return "SOFTWARE";
    case HAL_RESET_PANIC:
        return "PANIC";
    case HAL_RESET_INT_WDT:
        return "INT_WDT";
    case HAL_RESET_TASK_WDT:
        return "TASK_WDT";
    case HAL_RESET_WDT:
        return "WDT";
    case HAL_RESET_DEEPSLEEP:
        return "DEEPSLEEP";
    case HAL_RESET_BROWNOUT:
        return "BROWNOUT";
    case HAL_RESET_NO_BOOTABLE_APP:
        return "NO_BOOTABLE_APP";
    default:
        return "UNKNOWN";
    }
}

static void note_reset(void)
{
    volatile sifive_u_shared_t *shared = SIFIVE_U_SHARED;
    uint64_t now = sifive_u_mtime();
    const uint32_t magic = SIFIVE_U_SHARED_MAGIC;

    if (shared->magic != magic || shared->magic_inverse != ~magic ||
        shared->version != SIFIVE_U_SHARED_VERSION) {
        /* The memory lost power. What the runner said about the pins came before us: keep it. */
        uint32_t driven = shared->gpio.driven;
        uint32_t level = shared->gpio.level;
        memset((void *)(uintptr_t)SIFIVE_U_SHARED_BASE, 0, sizeof(*shared));
        shared->gpio.driven = driven;
        shared->gpio.level = level;
        shared->version = SIFIVE_U_SHARED_VERSION;
        shared->magic_inverse = ~magic;
        shared->magic = magic;
        shared->reset_reason = HAL_RESET_POWERON;
    } else {
        shared->reset_reason = shared->next_reason;
    }
    /* A reset that nobody announces came from outside. */
    shared->next_reason = HAL_RESET_EXTERNAL;
    shared->watchdog_reason = HAL_RESET_WDT;
    shared->running_offset = UINT32_MAX;
    shared->gpio.pull_up = 0;
    SIFIVE_U_RUNNING->in_panic = 0;
    SIFIVE_U_RUNNING->stack_bytes = 0;
    shared->reset_time = now;
    shared->boots++;
}

/* The second UART leads to whoever runs the board: it learns of every boot and of a dead end
 * without reading the console. On a board without a listener the bytes go nowhere. */
#define STATUS_TXDATA (SIFIVE_U_UART1_BASE + 0x00u)
#define STATUS_TXCTRL (SIFIVE_U_UART1_BASE + 0x08u)

static void tell_runner(char what, uint32_t value)
{
    char text[5] = {what, "0123456789abcdef"[value >> 4 & 15u], "0123456789abcdef"[value & 15u],
                    '\n', '\0'};

    mmio_write(STATUS_TXCTRL, 1);
    for (const char *c = text; *c != '\0'; c++) {
        while (mmio_read(STATUS_TXDATA) & 1u << 31) {
        }
        mmio_write(STATUS_TXDATA, (uint8_t)*c);
    }
}

/* Nothing to start. Like a chip, stay here until someone resets the board. */
static _Noreturn void wait_for_reset(void)
{
    sifive_u_watchdog_stop();
    tell_runner(SIFIVE_U_STATUS_DEAD_END, 0);
    for (;;) {
        wait_for_interrupt();
    }
}

static _Noreturn void flash_failed(esp_err_t err)
{
    print("flash read err, 0x%x\n", (uint32_t)err);
    wait_for_reset();
}

/* A bootloader's segments go to the part of DRAM that is set aside for it. */
static void *place(const fmt_image_need_t *need)
{
    uint32_t low = SIFIVE_U_BOOTLOADER_BASE;

    if (need->load_address < low || need->load_address - low > SIFIVE_U_BOOTLOADER_SIZE ||
        need->length > SIFIVE_U_BOOTLOADER_SIZE - (need->load_address - low)) {
        return NULL;
    }
    return (void *)(uintptr_t)need->load_address;
}

/* Whether the image puts something to execute at its entry address. */
static bool entry_is_loaded(const fmt_image_verifier_t *v)
{
    for (unsigned i = 0; i < v->segment_count; i++) {
        const fmt_image_segment_t *segment = &v->segments[i];
        if (segment->use == FMT_SEGMENT_LOAD && v->header.entry % 2 == 0 &&
            v->header.entry >= segment->load_address &&
            v->header.entry - segment->load_address < segment->length) {
            return true;
        }
    }
    return false;
}

/* Loads the image at flash offset 0; returns its entry address. */
static uint32_t load_bootloader(void)
{
    static fmt_image_verifier_t v;
    static uint8_t buffer[512];
    fmt_image_need_t need;
    uint8_t *destination = NULL;
    esp_err_t err = ESP_OK;

    fmt_image_params_t params = {
        .chip = hal_chip(),
        .flash_address = 0,
        .partition_size = BOOTLOADER_SPACE,
        .chip_revision = hal_chip_revision(),
        .flags = FMT_IMAGE_BOOTLOADER | FMT_IMAGE_BOOTLOADER_HASH,
    };
    fmt_image_begin(&v, &params);
    while (fmt_image_need(&v, &need)) {
        size_t len = need.remaining;
        uint8_t *to = buffer;

        if (need.kind == FMT_IMAGE_NEED_SEGMENT_DATA && need.use == FMT_SEGMENT_LOAD) {
            if (need.segment_start) {
                destination = place(&need);
                if (destination == NULL) {
                    fmt_image_refuse_segment(&v, "bad load address range");
                    break;
                }
                print("load:0x%08x,len:0x%x\n", need.load_address, need.length);
            }
            to = destination + (need.length - need.remaining);
        } else if (len > sizeof(buffer)) {
            len = sizeof(buffer);
        }
        err = hal_flash_read(need.offset, to, len);
        if (err != ESP_OK) {
            flash_failed(err);
        }
        fmt_image_feed(&v, to, len);
    }
    fmt_image_end(&v);
    if (v.status != FMT_IMAGE_OK) {
        fmt_log_line_t line;
        if (fmt_image_status_line(&v, &line)) {
            print("%s\n", line.text);
        }
        print("bootloader image is not valid (%u)\n", (uint32_t)v.status);
        wait_for_reset();
    }
    if (!entry_is_loaded(&v)) {
        print("bootloader entry 0x%08x is not valid\n", v.header.entry);
        wait_for_reset();
    }
    return v.header.entry;
}

void rom_main(void)
{
    uint32_t word;

    sifive_u_protect_memory();
    note_reset();
    tell_runner(SIFIVE_U_STATUS_BOOT, SIFIVE_U_SHARED->reset_reason);
    sifive_u_console_init();
    sifive_u_watchdog_start(BOOT_TIMEOUT_MS, HAL_RESET_WDT);
    print("\nAirlift ROM: sifive_u\n");
    print("rst:0x%x (%s),boot:0xc (SPI_FAST_FLASH_BOOT)\n", SIFIVE_U_SHARED->reset_reason,
          reason_name(SIFIVE_U_SHARED->reset_reason));
    sifive_u_random_boot();

    esp_err_t err = hal_flash_init();
    if (err == ESP_OK) {
        err = hal_flash_read(0, &word, sizeof(word));
    }
    if (err != ESP_OK) {
        flash_failed(err);
    }
    if ((word & 0xFFu) != FMT_IMAGE_MAGIC) {
        print("invalid header: 0x%08x\n", word);
        wait_for_reset();
    }
    uint32_t entry = load_bootloader();
    print("entry 0x%08x\n", entry);

    SIFIVE_U_SHARED->running_offset = 0;
    __asm__ volatile("fence iorw, iorw\n\tfence.i" ::: "memory");
    ((void (*)(void))(uintptr_t)entry)();
    __builtin_unreachable();
}

/* Runs on hart 1 when its comparator was reached. Time may have passed without anyone running: the
 * emulator was stopped, or kept from running by a busy host. So hart 0 is given some more chances
 * to feed, and another stop takes no more than one of them. */
void rom_watchdog_bite(void)
{
    for (unsigned chance = 0; chance < BITE_CHANCES; chance++) {
        uint64_t end = sifive_u_mtime() + BITE_CHANCE_US;
        do {
            if (sifive_u_mtime() < sifive_u_mtimecmp_get(1)) {
                return; /* fed */
            }
        } while (sifive_u_mtime() < end);
    }
    uint32_t reason = SIFIVE_U_SHARED->watchdog_reason;
    print("\nwatchdog: hart 0 did not answer in time, resetting (%s)\n", reason_name(reason));
    hal_reset((hal_reset_reason_t)reason);
}

_Noreturn void rom_trap(uint32_t cause, uint32_t pc, uint32_t value)
{
    print("\nROM trap: cause 0x%08x at 0x%08x, value 0x%08x\n", cause, pc, value);
    hal_reset(HAL_RESET_PANIC);
}
