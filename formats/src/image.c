/* SPDX-License-Identifier: Apache-2.0
 *
 * Image verification: see image.h for the conversation, formats specification 5.6 for the rules.
 * Numbers in comments are those of that list. */
#include "formats/image.h"

#include <string.h>

#include "bytes.h"

#define SIGNATURE_V1_SIZE 68u
#define SIGNATURE_SECTOR  4096u

static fmt_image_status_t fail(fmt_image_verifier_t *v, fmt_image_status_t status, uint32_t value,
                               uint32_t expected)
{
    v->status = status;
    v->stage = FMT_IMAGE_NEED_DONE;
    v->value = value;
    v->expected = expected;
    return status;
}

static bool has(const fmt_image_verifier_t *v, uint32_t flags)
{
    return (v->params.flags & flags) == flags;
}

static bool is_app(const fmt_image_verifier_t *v)
{
    return !has(v, FMT_IMAGE_BOOTLOADER);
}

static uint32_t saturate(uint64_t value)
{
    return value > UINT32_MAX ? UINT32_MAX : (uint32_t)value;
}

/* 17 and 15: whether an image of at least length bytes can be here. */
static fmt_image_status_t check_room(fmt_image_verifier_t *v, uint64_t length)
{
    if (length > v->params.partition_size) {
        return fail(v, FMT_IMAGE_DOES_NOT_FIT, saturate(length), v->params.partition_size);
    }
    if (v->params.flash_address + length > (uint64_t)UINT32_MAX + 1) {
        return fail(v, FMT_IMAGE_WRAPPED, v->params.flash_address, saturate(length));
    }
    return FMT_IMAGE_OK;
}

/* Makes the next len bytes the piece that is asked for, of which `room` bytes must exist. */
static fmt_image_status_t ask(fmt_image_verifier_t *v, fmt_image_need_kind_t stage, uint32_t len,
                              uint32_t room)
{
    if (check_room(v, (uint64_t)v->position + room) == FMT_IMAGE_OK) {
        v->stage = stage;
        v->piece_left = len;
        v->buffered = 0;
    }
    return v->status;
}

fmt_image_status_t fmt_image_begin(fmt_image_verifier_t *v, const fmt_image_params_t *params)
{
    memset(v, 0, sizeof(*v));
    mbedtls_sha256_init(&v->sha);
    v->sha_live = true;
    v->stage = FMT_IMAGE_NEED_DONE;
    if (params == NULL || params->chip == NULL ||
        (params->mmu_page & (params->mmu_page - 1u)) != 0) {
        return fail(v, FMT_IMAGE_BAD_ARGUMENT, 0, 0);
    }
    v->params = *params;
    v->mmu_page = params->mmu_page != 0 ? params->mmu_page : FMT_MMU_PAGE_DEFAULT;
    v->params.mmu_page = v->mmu_page;
    v->xor_sum = FMT_IMAGE_CHECKSUM_SEED;
    if (params->partition_size > fmt_chip_image_limit(params->chip)) { /* 2 */
        return fail(v, FMT_IMAGE_PARTITION_TOO_BIG, params->partition_size,
                    fmt_chip_image_limit(params->chip));
    }
    return ask(v, FMT_IMAGE_NEED_HEADER, FMT_IMAGE_HEADER_SIZE, FMT_IMAGE_HEADER_SIZE);
}

bool fmt_image_need(const fmt_image_verifier_t *v, fmt_image_need_t *need)
{
    memset(need, 0, sizeof(*need));
    need->kind = v->stage;
    need->offset = v->position;
    need->remaining = v->piece_left;
    if (v->stage == FMT_IMAGE_NEED_SEGMENT_DATA) {
        const fmt_image_segment_t *segment = &v->segments[v->segment_count - 1];

        need->segment = v->segment_count - 1;
        need->segment_start = v->position == segment->data_offset;
        need->load_address = segment->load_address;
        need->length = segment->length;
        need->use = segment->use;
    }
    return v->stage != FMT_IMAGE_NEED_DONE;
}

/* --- the steps --- */

/* 5 to 7: what was found and what is wanted goes to value and expected. */
static fmt_image_status_t chip_rules(const fmt_image_header_t *header,
                                     const fmt_image_params_t *params, uint32_t *value,
                                     uint32_t *expected)
{
    const uint32_t max = header->max_chip_rev_full;

    *expected = 0;
    if (header->chip_id != params->chip->id) {
        *value = header->chip_id;
        *expected = params->chip->id;
        return FMT_IMAGE_WRONG_CHIP;
    }
    *value = params->chip_revision;
    if (params->chip_revision < header->min_chip_rev_full) {
        *expected = header->min_chip_rev_full;
        return FMT_IMAGE_CHIP_TOO_OLD;
    }
    if ((params->flags & (FMT_IMAGE_BOOTLOADER | FMT_IMAGE_IGNORE_MAX_REV)) == 0 && max != 0 &&
        max != UINT16_MAX && params->chip_revision > max) {
        *expected = max;
        return FMT_IMAGE_CHIP_TOO_NEW;
    }
    return FMT_IMAGE_OK;
}

fmt_image_status_t fmt_image_check_chip(const fmt_image_header_t *header,
                                        const fmt_image_params_t *params, fmt_log_line_t *line)
{
    uint32_t value, expected;
    fmt_image_status_t status = chip_rules(header, params, &value, &expected);

    if (line != NULL) {
        fmt_image_verifier_t v;

        memset(&v, 0, sizeof(v));
        fail(&v, status, value, expected);
        fmt_image_status_line(&v, line);
    }
    return status;
}

static fmt_image_status_t next_segment(fmt_image_verifier_t *v);

static fmt_image_status_t start_hash(fmt_image_verifier_t *v)
{
    const bool checked = is_app(v) || has(v, FMT_IMAGE_BOOTLOADER_HASH);

    if ((!checked && !has(v, FMT_IMAGE_REPORT_DIGESTS)) || has(v, FMT_IMAGE_SKIP_DIGESTS)) {
        return FMT_IMAGE_OK;
    }
    v->hashing = true;
    if (v->header.hash_appended == 0 && !has(v, FMT_IMAGE_REPORT_DIGESTS)) {
        /* What the hash would be over, if the byte that says there is one was damaged. */
        v->doubting = true;
        v->buffer[FMT_IMAGE_HEADER_SIZE - 1] = 1;
    }
    if (mbedtls_sha256_starts(&v->sha, 0) != 0 ||
        mbedtls_sha256_update(&v->sha, v->buffer, FMT_IMAGE_HEADER_SIZE) != 0) {
        return fail(v, FMT_IMAGE_HASH_ENGINE, 0, 0);
    }
    return FMT_IMAGE_OK;
}

static fmt_image_status_t take_header(fmt_image_verifier_t *v)
{
    fmt_image_header_decode(v->buffer, &v->header);
    if (v->header.magic != FMT_IMAGE_MAGIC) { /* 4 */
        return fail(v, FMT_IMAGE_BAD_MAGIC, v->header.magic, FMT_IMAGE_MAGIC);
    }
    if (!has(v, FMT_IMAGE_SKIP_CHIP)) {
        uint32_t value, expected;
        fmt_image_status_t status = chip_rules(&v->header, &v->params, &value, &expected);

        if (status != FMT_IMAGE_OK) {
            return fail(v, status, value, expected);
        }
    }
    if (v->header.segment_count > FMT_IMAGE_MAX_SEGMENTS) { /* 8 */
        return fail(v, FMT_IMAGE_SEGMENT_COUNT, v->header.segment_count, FMT_IMAGE_MAX_SEGMENTS);
    }
    return start_hash(v) == FMT_IMAGE_OK ? next_segment(v) : v->status;
}

/* 12: flash is mapped in whole pages, so address and place must agree within one. */
static fmt_image_status_t check_mapping(fmt_image_verifier_t *v, unsigned index)
{
    const fmt_image_segment_t *segment = &v->segments[index];
    uint32_t address = v->params.flash_address + segment->data_offset;

    if (segment->use == FMT_SEGMENT_MAP &&
        ((address ^ segment->load_address) & (v->mmu_page - 1u)) != 0) {
        v->bad_segment = index;
        return fail(v, FMT_IMAGE_BAD_MAPPING, segment->load_address, address);
    }
    return FMT_IMAGE_OK;
}

/* Whether the data about to come starts with the application descriptor. */
static bool expects_desc(const fmt_image_verifier_t *v)
{
    return is_app(v) && v->segment_count == 1;
}

static fmt_image_status_t take_segment_header(fmt_image_verifier_t *v)
{
    const unsigned index = v->segment_count++;
    fmt_image_segment_t *segment = &v->segments[index];

    segment->load_address = get_u32(v->buffer);
    segment->length = get_u32(v->buffer + 4);
    segment->data_offset = v->position;
    segment->use = fmt_chip_segment_use(v->params.chip, segment->load_address, v->params.mmu_page);
    if (segment->length % 4 != 0 ||
        segment->length >= fmt_chip_image_limit(v->params.chip)) { /* 9 */
        v->bad_segment = index;
        return fail(v, FMT_IMAGE_SEGMENT_LENGTH, segment->length,
                    fmt_chip_image_limit(v->params.chip));
    }
    if (expects_desc(v) && segment->length < FMT_APP_DESC_SIZE) { /* 10 */
        v->bad_segment = index;
        return fail(v, FMT_IMAGE_NO_ROOM_FOR_DESC, segment->length, FMT_APP_DESC_SIZE);
    }
    /* Where the descriptor tells the page size, the test waits for it. */
    if (!(expects_desc(v) && v->params.chip->mmu_page_configurable) &&
        check_mapping(v, index) != FMT_IMAGE_OK) {
        return v->status;
    }
    if (has(v, FMT_IMAGE_METADATA) && !expects_desc(v)) {
        if (check_room(v, (uint64_t)v->position + segment->length) != FMT_IMAGE_OK) {
            return v->status;
        }
        v->position += segment->length;
        return next_segment(v);
    }
    return ask(v, FMT_IMAGE_NEED_SEGMENT_DATA,
               has(v, FMT_IMAGE_METADATA) ? FMT_APP_DESC_SIZE : segment->length, segment->length);
}

/* The first 256 bytes of segment 0 are complete. */
static fmt_image_status_t take_desc(fmt_image_verifier_t *v)
{
    v->has_desc = fmt_app_desc_decode(v->buffer, sizeof(v->buffer), &v->app_desc) == ESP_OK;
    if (!v->params.chip->mmu_page_configurable) {
        return FMT_IMAGE_OK;
    }
    if (!v->has_desc) { /* 11 */
        v->bad_segment = 0;
        return fail(v, FMT_IMAGE_NO_DESC, get_u32(v->buffer), FMT_APP_DESC_MAGIC);
    }
    if (fmt_app_desc_mmu_page(&v->app_desc) != 0) {
        v->mmu_page = fmt_app_desc_mmu_page(&v->app_desc);
    }
    return check_mapping(v, 0);
}

/* 14 */
static fmt_image_status_t check_block_revision(fmt_image_verifier_t *v)
{
    const uint16_t revision = v->params.efuse_blk_rev;
    const uint16_t min = v->app_desc.min_efuse_blk_rev_full;
    const uint16_t max = v->app_desc.max_efuse_blk_rev_full;

    if (!v->has_desc || !v->params.chip->blk_rev_checked || has(v, FMT_IMAGE_SKIP_CHIP)) {
        return FMT_IMAGE_OK;
    }
    if (min != 0 && min != UINT16_MAX && revision < min) {
        return fail(v, FMT_IMAGE_BLK_REV_TOO_OLD, revision, min);
    }
    if (max != 0 && max != UINT16_MAX && revision > max && !has(v, FMT_IMAGE_IGNORE_MAX_BLK_REV)) {
        return fail(v, FMT_IMAGE_BLK_REV_TOO_NEW, revision, max);
    }
    return FMT_IMAGE_OK;
}

static fmt_image_status_t end_segment(fmt_image_verifier_t *v)
{
    const fmt_image_segment_t *segment = &v->segments[v->segment_count - 1];

    v->position = segment->data_offset + segment->length; /* metadata leaves the rest out */
    if (expects_desc(v) && check_block_revision(v) != FMT_IMAGE_OK) {
        return v->status;
    }
    return next_segment(v);
}

static fmt_image_status_t finish(fmt_image_verifier_t *v)
{
    v->stage = FMT_IMAGE_NEED_DONE;
    v->piece_left = 0;
    if (v->doubting) {
        memset(v->digest, 0, sizeof(v->digest)); /* not the digest of what is there */
    }
    if (is_app(v) && has(v, FMT_IMAGE_CHECK_SECURE_VERSION) &&
        (!v->has_desc || v->app_desc.secure_version < v->params.secure_version)) { /* 19 */
        return fail(v, FMT_IMAGE_SECURE_VERSION, v->has_desc ? v->app_desc.secure_version : 0,
                    v->params.secure_version);
    }
    return FMT_IMAGE_OK;
}

/* The trailer ends at position: fit, then the digest if there is one. */
static fmt_image_status_t after_trailer(fmt_image_verifier_t *v)
{
    uint64_t total;

    v->image_len = v->position;
    total = (uint64_t)v->position + (v->header.hash_appended != 0 ? FMT_IMAGE_DIGEST_SIZE : 0);
    if (v->params.signature == FMT_IMAGE_SIGNATURE_V1) {
        total += SIGNATURE_V1_SIZE;
    } else if (v->params.signature == FMT_IMAGE_SIGNATURE_V2) {
        total =
            (total + SIGNATURE_SECTOR - 1) / SIGNATURE_SECTOR * SIGNATURE_SECTOR + SIGNATURE_SECTOR;
    }
    if (check_room(v, total) != FMT_IMAGE_OK) { /* 17 */
        return v->status;
    }
    if (v->header.hash_appended != 0) {
        v->image_len += FMT_IMAGE_DIGEST_SIZE;
    } else if (!v->doubting || v->params.partition_size - v->position < FMT_IMAGE_DIGEST_SIZE ||
               UINT32_MAX - v->params.flash_address - v->position < FMT_IMAGE_DIGEST_SIZE) {
        return finish(v);
    }
    return ask(v, FMT_IMAGE_NEED_DIGEST, FMT_IMAGE_DIGEST_SIZE, FMT_IMAGE_DIGEST_SIZE);
}

/* After a segment, or the header: the next one, or the trailer. */
static fmt_image_status_t next_segment(fmt_image_verifier_t *v)
{
    uint32_t trailer;

    if (v->segment_count < v->header.segment_count) {
        return ask(v, FMT_IMAGE_NEED_SEGMENT_HEADER, FMT_IMAGE_SEGMENT_HEADER_SIZE,
                   FMT_IMAGE_SEGMENT_HEADER_SIZE);
    }
    trailer = 16u - v->position % 16u;
    if (has(v, FMT_IMAGE_METADATA)) {
        if (check_room(v, (uint64_t)v->position + trailer) != FMT_IMAGE_OK) {
            return v->status;
        }
        v->position += trailer;
        return after_trailer(v);
    }
    return ask(v, FMT_IMAGE_NEED_TRAILER, trailer, trailer);
}

static fmt_image_status_t take_trailer(fmt_image_verifier_t *v, uint8_t stored)
{
    v->stored_checksum = stored;
    if (!has(v, FMT_IMAGE_SKIP_DIGESTS)) {
        uint32_t sum = v->xor_sum ^ (v->xor_sum >> 16);

        v->checksum = (uint8_t)(sum ^ (sum >> 8));
        v->checksum_ok = v->checksum == stored;
        if (v->hashing && mbedtls_sha256_finish(&v->sha, v->digest) != 0) {
            return fail(v, FMT_IMAGE_HASH_ENGINE, 0, 0);
        }
        if (!v->checksum_ok && !has(v, FMT_IMAGE_REPORT_DIGESTS)) { /* 16 */
            return fail(v, FMT_IMAGE_BAD_CHECKSUM, v->checksum, stored);
        }
    }
    return after_trailer(v);
}

static fmt_image_status_t take_digest(fmt_image_verifier_t *v)
{
    if (v->doubting) {
        /* The very hash of the image with that byte repaired stands behind it: no accident. */
        return memcmp(v->digest, v->buffer, FMT_IMAGE_DIGEST_SIZE) != 0
                   ? finish(v)
                   : fail(v, FMT_IMAGE_BAD_HASH, 0, 1);
    }
    memcpy(v->stored_digest, v->buffer, FMT_IMAGE_DIGEST_SIZE);
    if (v->hashing) {
        v->digest_ok = memcmp(v->digest, v->stored_digest, FMT_IMAGE_DIGEST_SIZE) == 0;
        if (!v->digest_ok && !has(v, FMT_IMAGE_REPORT_DIGESTS)) { /* 18 */
            return fail(v, FMT_IMAGE_BAD_HASH, 0, 0);
        }
    }
    return finish(v);
}

/* --- feeding --- */

/* XOR of all bytes, word by word. Which byte of the sum a byte falls into does not matter: they are
 * folded in the end. */
static uint32_t xor_bytes(uint32_t sum, const uint8_t *data, size_t len)
{
    size_t lanes[4] = {0};

    while (len > 0 && (uintptr_t)data % sizeof(size_t) != 0) {
        sum ^= *data++;
        len--;
    }
    for (; len >= sizeof(lanes); len -= sizeof(lanes), data += sizeof(lanes)) {
        const uint8_t *aligned = __builtin_assume_aligned(data, sizeof(size_t));
        size_t words[4];

        memcpy(&words[0], aligned, sizeof(size_t));
        memcpy(&words[1], aligned + sizeof(size_t), sizeof(size_t));
        memcpy(&words[2], aligned + 2 * sizeof(size_t), sizeof(size_t));
        memcpy(&words[3], aligned + 3 * sizeof(size_t), sizeof(size_t));
        lanes[0] ^= words[0];
        lanes[1] ^= words[1];
        lanes[2] ^= words[2];
        lanes[3] ^= words[3];
    }
    while (len > 0) {
        sum ^= *data++;
        len--;
    }
    const uint64_t wide = lanes[0] ^ lanes[1] ^ lanes[2] ^ lanes[3];

    return sum ^ (uint32_t)wide ^ (uint32_t)(wide >> 32);
}

/* Collects up to want bytes of the current piece in v->buffer. */
static void collect(fmt_image_verifier_t *v, const uint8_t *data, size_t len, uint32_t want)
{
    size_t room = want - v->buffered;

    if (len > room) {
        len = room;
    }
    memcpy(v->buffer + v->buffered, data, len);
    v->buffered += (uint32_t)len;
}

static fmt_image_status_t feed_segment(fmt_image_verifier_t *v, const uint8_t *data, size_t len)
{
    if (expects_desc(v) && v->buffered < FMT_APP_DESC_SIZE && len > 0) {
        collect(v, data, len, FMT_APP_DESC_SIZE);
        if (v->buffered == FMT_APP_DESC_SIZE && take_desc(v) != FMT_IMAGE_OK) {
            return v->status;
        }
    }
    if (!has(v, FMT_IMAGE_SKIP_DIGESTS)) {
        v->xor_sum = xor_bytes(v->xor_sum, data, len);
    }
    return v->piece_left == 0 ? end_segment(v) : FMT_IMAGE_OK;
}

fmt_image_status_t fmt_image_feed(fmt_image_verifier_t *v, const void *data, size_t len)
{
    if (v->status != FMT_IMAGE_OK) {
        return v->status;
    }
    if (v->stage == FMT_IMAGE_NEED_DONE || len > v->piece_left) {
        return fail(v, FMT_IMAGE_BAD_ARGUMENT, saturate(len), v->piece_left);
    }
    if (len > 0 && v->hashing && v->stage != FMT_IMAGE_NEED_DIGEST &&
        mbedtls_sha256_update(&v->sha, data, len) != 0) {
        return fail(v, FMT_IMAGE_HASH_ENGINE, 0, 0);
    }
    v->position += (uint32_t)len;
    v->piece_left -= (uint32_t)len;
    if (v->stage == FMT_IMAGE_NEED_SEGMENT_DATA) {
        return feed_segment(v, data, len);
    }
    if (len == 0) {
        return FMT_IMAGE_OK;
    }
    if (v->stage == FMT_IMAGE_NEED_TRAILER) {
        return v->piece_left == 0 ? take_trailer(v, ((const uint8_t *)data)[len - 1])
                                  : FMT_IMAGE_OK;
    }
    collect(v, data, len, v->buffered + (uint32_t)len);
    if (v->piece_left > 0) {
        return FMT_IMAGE_OK;
    }
    switch (v->stage) {
    case FMT_IMAGE_NEED_HEADER:
        return take_header(v);
    case FMT_IMAGE_NEED_SEGMENT_HEADER:
        return take_segment_header(v);
    default:
        return take_digest(v);
    }
}

fmt_image_status_t fmt_image_refuse_segment(fmt_image_verifier_t *v, const char *why)
{
    const fmt_image_segment_t *segment;

    if (v->status != FMT_IMAGE_OK) {
        return v->status;
    }
    if (v->stage != FMT_IMAGE_NEED_SEGMENT_DATA) {
        return fail(v, FMT_IMAGE_BAD_ARGUMENT, 0, 0);
    }
    segment = &v->segments[v->segment_count - 1];
    v->bad_segment = v->segment_count - 1;
    v->why = why;
    return fail(v, FMT_IMAGE_BAD_LOAD_ADDRESS, segment->load_address,
                segment->load_address + segment->length); /* 13 */
}

void fmt_image_end(fmt_image_verifier_t *v)
{
    if (v->sha_live) {
        mbedtls_sha256_free(&v->sha);
        v->sha_live = false;
        v->hashing = false;
    }
}
