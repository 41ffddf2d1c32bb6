/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/efuse.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "bytes.h"
#include "formats/crc32.h"

#define COPY_OFFSET 0x1000u
#define COPY_SIZE   (8u + FMT_EFUSE_DUMP_SIZE + 4u)
#define DONE_OFFSET (COPY_OFFSET + COPY_SIZE)

/* SECURE_VERSION is bits 142 to 157 of block 0 (as on an ESP32-C3): within the word at byte 16. */
#define VERSION_WORD  16u
#define VERSION_SHIFT 14u

_Static_assert(sizeof(((fmt_efuse_t *)NULL)->copy) == COPY_SIZE, "the copy is written as it is");

static const uint8_t copy_magic[8] = {'A', 'F', 'U', 'S', 'E', 'C', 'P', 'Y'};

/* --- the fuses --- */

static bool is_blank(const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] != 0xFF) {
            return false;
        }
    }
    return true;
}

static unsigned usable_bits(unsigned bits)
{
    return bits < FMT_EFUSE_VERSION_BITS ? bits : FMT_EFUSE_VERSION_BITS;
}

/* The first `bits` fuses of the field. */
static uint32_t version_field(const fmt_efuse_t *efuse, unsigned bits)
{
    return get_u32(efuse->copy.dump + VERSION_WORD) >> VERSION_SHIFT & ((1u << bits) - 1u);
}

uint32_t fmt_efuse_secure_version(const fmt_efuse_t *efuse, unsigned bits)
{
    uint32_t version = 0;

    for (uint32_t field = version_field(efuse, usable_bits(bits)); field != 0; field &= field - 1) {
        version++;
    }
    return version;
}

static uint32_t copy_crc(const fmt_efuse_t *efuse)
{
    return fmt_crc32(0, &efuse->copy, COPY_SIZE - 4u);
}

/* --- reading --- */

static esp_err_t read_copy(const fmt_efuse_io_t *io, fmt_efuse_t *efuse, fmt_efuse_state_t *state)
{
    uint8_t done[4];
    esp_err_t err = io->read(io->context, COPY_OFFSET, &efuse->copy, COPY_SIZE);

    if (err == ESP_OK) {
        err = io->read(io->context, DONE_OFFSET, done, sizeof(done));
    }
    if (err != ESP_OK) {
        return err;
    }
    if (!is_blank(done, sizeof(done))) {
        *state = FMT_EFUSE_LEFT_OVER;
    } else if (memcmp(efuse->copy.magic, copy_magic, sizeof(copy_magic)) == 0 &&
               get_u32(efuse->copy.crc) == copy_crc(efuse)) {
        *state = FMT_EFUSE_UNFINISHED;
    } else {
        *state = is_blank((const uint8_t *)&efuse->copy, COPY_SIZE) ? FMT_EFUSE_AT_REST
                                                                    : FMT_EFUSE_LEFT_OVER;
    }
    return ESP_OK;
}

static esp_err_t load(const fmt_efuse_io_t *io, fmt_efuse_t *efuse, fmt_efuse_state_t *state)
{
    esp_err_t err;

    *state = FMT_EFUSE_AT_REST;
    if (efuse->partition_size == 0) {
        return ESP_ERR_NOT_FOUND;
    }
    if (efuse->partition_size < FMT_EFUSE_DUMP_SIZE) {
        return ESP_ERR_INVALID_SIZE;
    }
    if (efuse->partition_size >= FMT_EFUSE_PARTITION_SIZE) {
        err = read_copy(io, efuse, state);
        if (err != ESP_OK || *state == FMT_EFUSE_UNFINISHED) {
            return err;
        }
    }
    err = io->read(io->context, 0, efuse->copy.dump, FMT_EFUSE_DUMP_SIZE);
    if (err == ESP_OK && is_blank(efuse->copy.dump, FMT_EFUSE_DUMP_SIZE)) {
        memset(efuse->copy.dump, 0, FMT_EFUSE_DUMP_SIZE);
        *state = FMT_EFUSE_NEVER_USED;
    }
    return err;
}

esp_err_t fmt_efuse_load(const fmt_efuse_io_t *io, fmt_efuse_t *efuse, fmt_efuse_state_t *state)
{
    esp_err_t err = load(io, efuse, state);

    if (err != ESP_OK) {
        memset(&efuse->copy, 0, sizeof(efuse->copy));
    }
    return err;
}

/* --- writing --- */

/* Programs, and looks whether it is there. */
static esp_err_t put(const fmt_efuse_io_t *io, uint32_t offset, const void *src, size_t len)
{
    esp_err_t err = io->program(io->context, offset, src, len);

    for (size_t at = 0; err == ESP_OK && at < len;) {
        uint8_t piece[32];
        size_t count = len - at < sizeof(piece) ? len - at : sizeof(piece);

        err = io->read(io->context, offset + (uint32_t)at, piece, count);
        if (err == ESP_OK && memcmp(piece, (const uint8_t *)src + at, count) != 0) {
            err = ESP_FAIL;
        }
        at += count;
    }
    return err;
}

/* The copy is in flash: makes the dump the same, then takes the copy away. The mark comes before
 * that erase, because a copy that is only partly erased may still look whole from time to time, and
 * must not make the next start erase the dump. */
static esp_err_t finish(const fmt_efuse_io_t *io, const fmt_efuse_t *efuse)
{
    static const uint8_t done[4] = {0};
    esp_err_t err = io->erase_sector(io->context, 0);

    if (err == ESP_OK) {
        err = put(io, 0, efuse->copy.dump, FMT_EFUSE_DUMP_SIZE);
    }
    if (err == ESP_OK) {
        err = put(io, DONE_OFFSET, done, sizeof(done));
    }
    return err == ESP_OK ? io->erase_sector(io->context, COPY_OFFSET) : err;
}

/* Writes *efuse into a partition at rest. */
static esp_err_t burn(const fmt_efuse_io_t *io, fmt_efuse_t *efuse)
{
    esp_err_t err;

    memcpy(efuse->copy.magic, copy_magic, sizeof(copy_magic));
    put_u32(efuse->copy.crc, copy_crc(efuse));
    /* Though it reads as blank: the erase before may have been cut short of its end. */
    err = io->erase_sector(io->context, COPY_OFFSET);
    if (err == ESP_OK) {
        err = put(io, COPY_OFFSET, &efuse->copy, COPY_SIZE);
    }
    return err == ESP_OK ? finish(io, efuse) : err;
}

static esp_err_t settle(const fmt_efuse_io_t *io, fmt_efuse_t *efuse, fmt_efuse_state_t state)
{
    esp_err_t err;

    switch (state) {
    case FMT_EFUSE_NEVER_USED:
        return burn(io, efuse);
    case FMT_EFUSE_LEFT_OVER:
        return io->erase_sector(io->context, COPY_OFFSET);
    case FMT_EFUSE_UNFINISHED:
        /* Again, in case the last bits were cut off while they were only half programmed. */
        err = put(io, COPY_OFFSET, &efuse->copy, COPY_SIZE);
        return err == ESP_OK ? finish(io, efuse) : err;
    case FMT_EFUSE_AT_REST:
        break;
    }
    return ESP_OK;
}

/* --- with words --- */

static void begin_line(fmt_log_line_t *line)
{
    line->level = 'E';
    line->not_silent = false;
    line->tag = "efuse";
    line->text[0] = '\0';
}

static void say_cannot(fmt_log_line_t *line, const char *what, esp_err_t err)
{
    snprintf(line->text, sizeof(line->text), "cannot %s the emulated eFuses: error 0x%x", what,
             (unsigned)err);
}

esp_err_t fmt_efuse_open(const fmt_efuse_io_t *io, fmt_efuse_t *efuse, fmt_log_line_t *line)
{
    fmt_efuse_state_t state;
    esp_err_t err;

    begin_line(line);
    if (io == NULL) {
        return ESP_OK;
    }
    err = fmt_efuse_load(io, efuse, &state);
    if (efuse->partition_size < FMT_EFUSE_PARTITION_SIZE) {
        /* Said also where the fuses could not be read for that reason. */
        snprintf(line->text, sizeof(line->text),
                 "to burn eFuses takes a partition of type data, subtype efuse, with 0x%x bytes; "
                 "there are 0x%x",
                 FMT_EFUSE_PARTITION_SIZE, (unsigned)efuse->partition_size);
        return err == ESP_OK ? ESP_ERR_INVALID_SIZE : err;
    }
    if (err != ESP_OK) {
        say_cannot(line, "read", err);
        return err;
    }
    err = settle(io, efuse, state);
    if (err != ESP_OK) {
        say_cannot(line, "write", err);
    } else if (state == FMT_EFUSE_UNFINISHED) {
        line->level = 'W';
        snprintf(line->text, sizeof(line->text),
                 "finished burning eFuses, which a power cut had interrupted");
    }
    return err;
}

esp_err_t fmt_efuse_raise_secure_version(const fmt_efuse_io_t *io, fmt_efuse_t *efuse,
                                         unsigned bits, uint32_t version, fmt_log_line_t *line)
{
    fmt_efuse_state_t state;
    esp_err_t err = fmt_efuse_open(io, efuse, line);
    uint32_t count = fmt_efuse_secure_version(efuse, bits);

    bits = usable_bits(bits);
    if (version > bits) {
        begin_line(line);
        snprintf(line->text, sizeof(line->text),
                 "Max secure version is %u. Given %u version can not be written.", bits,
                 (unsigned)version);
        return ESP_ERR_INVALID_ARG;
    }
    if (version == count) {
        return ESP_OK;
    }
    if (version < count) {
        begin_line(line);
        snprintf(line->text, sizeof(line->text),
                 "Anti-rollback is not set. secure_version of app is lower that eFuse field(%u).",
                 (unsigned)count);
        return ESP_FAIL;
    }
    if (err != ESP_OK) {
        return err;
    }
    for (uint32_t field = version_field(efuse, bits); count < version; count++) {
        field |= field + 1; /* the first one that is not burnt */
        put_u32(efuse->copy.dump + VERSION_WORD,
                get_u32(efuse->copy.dump + VERSION_WORD) | field << VERSION_SHIFT);
    }
    begin_line(line);
    err = io != NULL ? burn(io, efuse) : ESP_OK;
    if (err != ESP_OK) {
        say_cannot(line, "burn", err);
        /* What stands there now may be the one or the other. */
        (void)fmt_efuse_load(io, efuse, &state);
        return err;
    }
    line->level = 'I';
    snprintf(line->text, sizeof(line->text), "Anti-rollback is set. eFuse field is updated(%u).",
             (unsigned)version);
    return ESP_OK;
}
