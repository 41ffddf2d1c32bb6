/* SPDX-License-Identifier: Apache-2.0 */
#include "rom.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "formats/image.h"
#include "hal/reset.h"

#define WINDOW_LOW  0x80000000u
#define WINDOW_HIGH 0xC0000000u
#define PIECE       65536u

typedef struct {
    linux_flash_t *flash;
    linux_rom_print_t print;
    void *arg;
    fmt_image_verifier_t verifier;
    int program; /* a memory file: the executable */
    uint8_t piece[PIECE];
} rom_t;

static void say(rom_t *rom, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say(rom_t *rom, const char *format, ...)
{
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (len > 0) {
        rom->print(text, (size_t)len < sizeof(text) ? (size_t)len : sizeof(text) - 1, rom->arg);
    }
}

/* Code and name of a reset cause, as a chip's ROM reports it. */
static void reset_cause(uint32_t reason, unsigned *code, const char **name)
{
    static const struct {
        hal_reset_reason_t reason;
        unsigned code;
        const char *name;
    } causes[] = {
        {HAL_RESET_POWERON, 0x1, "POWERON"},
        {HAL_RESET_EXTERNAL, 0x15, "USB_UART_CHIP_RESET"},
        {HAL_RESET_SOFTWARE, 0x3, "RTC_SW_SYS_RST"},
        {HAL_RESET_PANIC, 0xc, "RTC_SW_CPU_RST"},
        {HAL_RESET_INT_WDT, 0x8, "TG1WDT_SYS_RST"},
        {HAL_RESET_TASK_WDT, 0x7, "TG0WDT_SYS_RST"},
        {HAL_RESET_WDT, 0x9, "RTCWDT_SYS_RST"},
        {HAL_RESET_DEEPSLEEP, 0x5, "DSLEEP"},
        {HAL_RESET_BROWNOUT, 0xf, "BROWN_OUT_RST"},
    };
    for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++) {
        if ((uint32_t)causes[i].reason == reason) {
            *code = causes[i].code;
            *name = causes[i].name;
            return;
        }
    }
    *code = 0;
    *name = "NO_MEAN";
}

/* Puts a piece of segment data into the program; false if it cannot be. */
static bool keep(rom_t *rom, const fmt_image_need_t *need, size_t len)
{
    uint32_t done = need->length - need->remaining;
    off_t at = (off_t)(need->load_address - WINDOW_LOW) + (off_t)done;
    size_t written = 0;
    while (written < len) {
        ssize_t got =
            pwrite(rom->program, rom->piece + written, len - written, at + (off_t)written);
        if (got <= 0) {
            say(rom, "cannot keep the bootloader in memory: %s\n", strerror(errno));
            return false;
        }
        written += (size_t)got;
    }
    return true;
}

/* Reads all of the image; false after a line that says why it is not usable. */
static bool load(rom_t *rom)
{
    fmt_image_verifier_t *v = &rom->verifier;
    fmt_image_need_t need;
    while (fmt_image_need(v, &need)) {
        uint32_t len = need.remaining < PIECE ? need.remaining : PIECE;
        if (linux_flash_read(rom->flash, need.offset, rom->piece, len) != LINUX_FLASH_OK) {
            say(rom, "flash read err, 0x%x\n", (unsigned)need.offset);
            return false;
        }
        bool loads = need.kind == FMT_IMAGE_NEED_SEGMENT_DATA && need.use == FMT_SEGMENT_LOAD;
        if (loads && need.segment_start) {
            say(rom, "load:0x%08x,len:0x%x\n", (unsigned)need.load_address, (unsigned)need.length);
            if (!fmt_chip_may_load(v->params.chip, need.load_address, need.length)) {
                fmt_image_refuse_segment(v, "bad load address range");
                continue;
            }
        }
        bool program = loads && need.load_address >= WINDOW_LOW && need.load_address < WINDOW_HIGH;
        if (program && !keep(rom, &need, len)) {
            return false;
        }
        fmt_image_feed(v, rom->piece, len);
    }
    return true;
}

static void explain(rom_t *rom)
{
    const fmt_image_verifier_t *v = &rom->verifier;
    fmt_log_line_t line;
    if (v->status == FMT_IMAGE_BAD_MAGIC) {
        uint8_t word[4] = {0xFF, 0xFF, 0xFF, 0xFF};
        linux_flash_read(rom->flash, 0, word, sizeof(word));
        say(rom, "invalid header: 0x%02x%02x%02x%02x\n", word[3], word[2], word[1], word[0]);
    } else if (v->status == FMT_IMAGE_BAD_CHECKSUM) {
        say(rom, "csum err:0x%x!=0x%x\n", v->stored_checksum, v->checksum);
    } else if (fmt_image_status_line(v, &line)) {
        say(rom, "bootloader: %s\n", line.text);
    } else {
        say(rom, "bootloader: not usable (0x%x)\n", (unsigned)fmt_image_status_err(v->status));
    }
}

int linux_rom_load(linux_flash_t *flash, linux_rom_print_t print, void *arg)
{
    static rom_t rom;
    rom = (rom_t){.flash = flash, .print = print, .arg = arg};
    unsigned code;
    const char *name;
    reset_cause(atomic_load(&flash->state->reset_reason), &code, &name);
    say(&rom, "rst:0x%x (%s),boot:0x%x (%s)\n", code, name, 0x8, "SPI_FAST_FLASH_BOOT");

    rom.program = memfd_create("airlift-bootloader", MFD_CLOEXEC);
    if (rom.program < 0) {
        say(&rom, "cannot keep the bootloader in memory: %s\n", strerror(errno));
        return -1;
    }
    const fmt_image_params_t params = {
        .chip = fmt_chip_by_id(FMT_CHIP_ID_LINUX),
        .flash_address = 0,
        .partition_size =
            flash->state->flash_size < 0x1000000u ? flash->state->flash_size : 0x1000000u,
        .chip_revision = LINUX_BOARD_CHIP_REVISION,
        .flags = FMT_IMAGE_BOOTLOADER,
    };
    fmt_image_begin(&rom.verifier, &params);
    bool complete = load(&rom);
    fmt_image_end(&rom.verifier);
    if (complete && rom.verifier.status == FMT_IMAGE_OK) {
        if (rom.verifier.header.entry == WINDOW_LOW && lseek(rom.program, 0, SEEK_END) > 0) {
            say(&rom, "entry 0x%08x\n", (unsigned)rom.verifier.header.entry);
            return rom.program;
        }
        say(&rom, "bootloader: the image holds no program for this board\n");
    } else if (complete) {
        explain(&rom);
    }
    close(rom.program);
    return -1;
}
