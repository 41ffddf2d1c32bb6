/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/efuse.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "bytes.h"
#include "formats/crc32.h"

#define COPY_OFFSET 0x1000u
#define COPY_SIZE   (offsetof(fmt_efuse_t, crc) + 4u)
#define DONE_OFFSET (COPY_OFFSET + COPY_SIZE)

/* First bit of SECURE_VERSION, in block 0 (as on an ESP32-C3). */
#define VERSION_BIT 142u

_Static_assert(sizeof(fmt_efuse_t) == COPY_SIZE, "the copy is written as it is");

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

static bool version_fuse(const fmt_efuse_t *efuse, unsigned fuse)
{
    unsigned bit = VERSION_BIT + fuse;
    return (efuse->dump[bit / 8] >> (bit % 8)) & 1u;
}

static unsigned usable_bits(unsigned bits)
{
    return bits < FMT_EFUSE_VERSION_BITS ? bits : FMT_EFUSE_VERSION_BITS;
}

uint32_t fmt_efuse_secure_version(const fmt_efuse_t *efuse, unsigned bits)
{
    uint32_t version = 0;

    bits = usable_bits(bits);
    for (unsigned fuse = 0; fuse < bits; fuse++) {
        version += version_fuse(efuse, fuse);
    }
    return version;
}

static uint32_t copy_crc(const fmt_efuse_t *efuse)
{
    return fmt_crc32(0, efuse, offsetof(fmt_efuse_t, crc));
}

/* --- reading --- */

static esp_err_t read_copy(const fmt_efuse_io_t *io, fmt_efuse_t *efuse, fmt_efuse_state_t *state)
{
    uint8_t done[4];
    esp_err_t err = io->read(io->context, COPY_OFFSET, efuse, COPY_SIZE);

    if (err == ESP_OK) {
        err = io->read(io->context, DONE_OFFSET, done, sizeof(done));
    }
    if (err != ESP_OK) {
        return err;
    }
    if (!is_blank(done, sizeof(done))) {
        *state = FMT_EFUSE_LEFT_OVER;
    } else if (memcmp(efuse->magic, copy_magic, sizeof(copy_magic)) == 0 &&
               get_u32(efuse->crc) == copy_crc(efuse)) {
        *state = FMT_EFUSE_UNFINISHED;
    } else {
        *state =
            is_blank((const uint8_t *)efuse, COPY_SIZE) ? FMT_EFUSE_AT_REST : FMT_EFUSE_LEFT_OVER;
    }
    return ESP_OK;
}

static esp_err_t load(const fmt_efuse_io_t *io, fmt_efuse_t *efuse, fmt_efuse_state_t *state)
{
    esp_err_t err;

    *state = FMT_EFUSE_AT_REST;
    if (io->size == 0) {
        return ESP_ERR_NOT_FOUND;
    }
    if (io->size < FMT_EFUSE_DUMP_SIZE) {
        return ESP_ERR_INVALID_SIZE;
    }
    if (io->size >= FMT_EFUSE_PARTITION_SIZE) {
        err = read_copy(io, efuse, state);
        if (err != ESP_OK || *state == FMT_EFUSE_UNFINISHED) {
            return err;
        }
    }
    err = io->read(io->context, 0, efuse->dump, FMT_EFUSE_DUMP_SIZE);
    if (err == ESP_OK && is_blank(efuse->dump, FMT_EFUSE_DUMP_SIZE)) {
        memset(efuse->dump, 0, FMT_EFUSE_DUMP_SIZE);
        *state = FMT_EFUSE_NEVER_USED;
    }
    return err;
}

esp_err_t fmt_efuse_load(const fmt_efuse_io_t *io, fmt_efuse_t *efuse, fmt_efuse_state_t *state)
{
    esp_err_t err = load(io, efuse, state);

    if (err != ESP_OK) {
        memset(efuse, 0, sizeof(*efuse));
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
        err = put(io, 0, efuse->dump, FMT_EFUSE_DUMP_SIZE);
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

    memcpy(efuse->magic, copy_magic, sizeof(copy_magic));
    put_u32(efuse->crc, copy_crc(efuse));
    /* Though it reads as blank: the erase before may have been cut short of its end. */
    err = io->erase_sector(io->context, COPY_OFFSET);
    if (err == ESP_OK) {
        err = put(io, COPY_OFFSET, efuse, COPY_SIZE);
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
        err = put(io, COPY_OFFSET, efuse, COPY_SIZE);
        return err == ESP_OK ? finish(io, efuse) : err;
    case FMT_EFUSE_AT_REST:
        break;
    }
    return ESP_OK;
}

/* --- with words --- */

static void begin_line(fmt_log_line_t *line)
{
    memset(line, 0, sizeof(*line));
    line->tag = "efuse";
    line->level = 'E';
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
    if (err == ESP_ERR_NOT_FOUND && io->size == 0) {
        snprintf(line->text, sizeof(line->text),
                 "no partition of type data, subtype efuse for the emulated eFuses: "
                 "the secure version counts as 0 and cannot be raised");
    } else if (io->size < FMT_EFUSE_PARTITION_SIZE) {
        /* Said also where the fuses could not be read for that reason. */
        snprintf(line->text, sizeof(line->text),
                 "the partition of the emulated eFuses has 0x%x bytes: "
                 "to burn one without risk takes 0x%x",
                 (unsigned)io->size, FMT_EFUSE_PARTITION_SIZE);
        return err == ESP_OK ? ESP_ERR_INVALID_SIZE : err;
    } else if (err != ESP_OK) {
        snprintf(line->text, sizeof(line->text),
                 "cannot read the emulated eFuses: error 0x%x; the secure version counts as 0",
                 (unsigned)err);
    } else {
        err = settle(io, efuse, state);
        if (err != ESP_OK) {
            snprintf(line->text, sizeof(line->text),
                     "cannot write the emulated eFuses: error 0x%x; the next start tries again",
                     (unsigned)err);
        } else if (state == FMT_EFUSE_UNFINISHED) {
            line->level = 'W';
            snprintf(line->text, sizeof(line->text),
                     "finished burning eFuses, which a power cut had interrupted");
        }
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
    for (unsigned fuse = 0; fuse < bits && count < version; fuse++) {
        unsigned bit = VERSION_BIT + fuse;

        if (!version_fuse(efuse, fuse)) {
            efuse->dump[bit / 8] |= (uint8_t)(1u << (bit % 8));
            count++;
        }
    }
    begin_line(line);
    err = io != NULL ? burn(io, efuse) : ESP_OK;
    if (err != ESP_OK) {
        snprintf(line->text, sizeof(line->text),
                 "cannot burn secure version %u into the emulated eFuses: error 0x%x",
                 (unsigned)version, (unsigned)err);
        /* What stands there now may be the one or the other. */
        (void)fmt_efuse_load(io, efuse, &state);
        return err;
    }
    line->level = 'I';
    snprintf(line->text, sizeof(line->text), "Anti-rollback is set. eFuse field is updated(%u).",
             (unsigned)version);
    return ESP_OK;
}
