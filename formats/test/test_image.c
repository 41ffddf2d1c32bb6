/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <stdio.h>

#include "formats/image.h"
#include "mbedtls/sha256.h"

/* --- making images --- */

static uint8_t image[4096];
static uint32_t image_len;
static fmt_image_params_t params;
static fmt_image_verifier_t v;

static void put(const void *data, size_t len)
{
    memcpy(image + image_len, data, len);
    image_len += (uint32_t)len;
}

static void put_segment(uint32_t address, const void *data, uint32_t len)
{
    uint8_t header[8];

    fmt_image_segment_header_encode(address, len, header);
    put(header, 8);
    put(data, len);
    image[1]++;
}

static void put_header(uint16_t chip_id, uint32_t entry)
{
    const fmt_image_header_t header = {
        .magic = FMT_IMAGE_MAGIC,
        .spi_mode = FMT_SPI_MODE_DIO,
        .spi_size = 2,
        .entry = entry,
        .wp_pin = FMT_IMAGE_WP_PIN_DISABLED,
        .chip_id = chip_id,
        .min_chip_rev = 3,
        .min_chip_rev_full = 3,
        .max_chip_rev_full = 199,
        .hash_appended = 1,
    };
    uint8_t raw[FMT_IMAGE_HEADER_SIZE];

    image_len = 0;
    memset(image, 0, sizeof(image));
    fmt_image_header_encode(&header, raw);
    put(raw, sizeof(raw));
}

static fmt_app_desc_t make_desc(void)
{
    fmt_app_desc_t desc;

    memset(&desc, 0, sizeof(desc));
    desc.magic_word = FMT_APP_DESC_MAGIC;
    memcpy(desc.version, "1.0", 3);
    memcpy(desc.project_name, "min", 3);
    desc.max_efuse_blk_rev_full = 199;
    desc.mmu_page_size = 16;
    desc.spi_flash_mode = 3;
    return desc;
}

/* Makes checksum and digest anew over what stands in image. */
static void put_footer(bool digest)
{
    uint32_t at = FMT_IMAGE_HEADER_SIZE;
    uint8_t sum = FMT_IMAGE_CHECKSUM_SEED;

    image[23] = digest;
    for (unsigned i = 0; i < image[1]; i++) {
        uint32_t len;

        memcpy(&len, image + at + 4, 4);
        sum = fmt_image_checksum(sum, image + at + 8, len);
        at += 8 + len;
    }
    image_len = fmt_image_checksum_offset(at) + 1;
    image[image_len - 1] = sum;
    if (digest) {
        mbedtls_sha256(image, image_len, image + image_len, 0);
        image_len += 32;
    }
}

/* The minimal image of the specification, 9.3. */
static void make_minimal(bool second_segment, bool digest)
{
    static const uint8_t data[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    fmt_app_desc_t desc = make_desc();

    put_header(FMT_CHIP_ID_ESP32C3, 0x40380000);
    put_segment(0x3C000020, &desc, sizeof(desc));
    if (second_segment) {
        put_segment(0x40380000, data, sizeof(data));
    }
    put_footer(digest);
}

static int setup(void **state)
{
    (void)state;
    memset(&params, 0, sizeof(params));
    params.chip = fmt_chip_by_id(FMT_CHIP_ID_ESP32C3);
    params.flash_address = 0x10000;
    params.partition_size = 0x100000;
    params.chip_revision = 3;
    make_minimal(true, true);
    return 0;
}

/* --- verifying them --- */

/* Feeds the image in pieces of at most chunk bytes, from a buffer of exactly that length, so that a
 * sanitiser sees a read too far. */
static fmt_image_status_t verify_in(size_t chunk)
{
    fmt_image_need_t need;

    fmt_image_begin(&v, &params);
    while (fmt_image_need(&v, &need)) {
        size_t len = need.remaining < chunk ? need.remaining : chunk;
        uint8_t *exact = test_malloc(len > 0 ? len : 1);

        assert_true((uint64_t)need.offset + need.remaining <= params.partition_size);
        memset(exact, 0xFF, len > 0 ? len : 1);
        for (size_t i = 0; i < len && need.offset + i < sizeof(image); i++) {
            exact[i] = image[need.offset + i];
        }
        fmt_image_feed(&v, exact, len);
        test_free(exact);
    }
    fmt_image_end(&v);
    return v.status;
}

static fmt_image_status_t verify(void)
{
    return verify_in(4096);
}

/* The image fails with that status, error, and line; the line is left out when silent or not. */
static void assert_refused(fmt_image_status_t status, esp_err_t err, const char *tag,
                           bool not_silent, const char *text)
{
    fmt_log_line_t line;

    assert_int_equal(verify(), status);
    assert_int_equal(fmt_image_status_err(v.status), err);
    assert_true(fmt_image_status_line(&v, &line));
    assert_string_equal(line.text, text);
    assert_string_equal(line.tag, tag);
    assert_int_equal(line.level, 'E');
    assert_int_equal(line.not_silent, not_silent);
}

/* --- vectors --- */

static void assert_vector(const char *digest, uint32_t len, uint32_t checksum_at)
{
    uint8_t want[32], whole[32];

    from_hex(digest, want);
    assert_int_equal(image_len, len);
    assert_int_equal(image[checksum_at], 0x7E);
    assert_int_equal(verify(), FMT_IMAGE_OK);
    assert_int_equal(v.image_len, len);
    assert_true(v.checksum_ok);
    if (v.header.hash_appended) {
        assert_memory_equal(v.digest, want, 32);
        assert_true(v.digest_ok);
    } else {
        mbedtls_sha256(image, image_len, whole, 0);
        assert_memory_equal(whole, want, 32);
    }
}

static void minimal_image_has_the_published_bytes_and_digest(void **state)
{
    uint8_t header[24], segment[8];

    (void)state;
    make_minimal(false, true);
    from_hex("e901022000003840ee0000000500030300c7000000000001", header);
    from_hex("2000003c00010000", segment);
    assert_memory_equal(image, header, 24);
    assert_memory_equal(image + 24, segment, 8);
    assert_vector("d502945268c4fa21bf985aa65cb1abb038b471a56ba17bbfbe22108b6b3d1e3f", 336, 303);
}

static void minimal_image_without_digest_has_the_published_bytes(void **state)
{
    (void)state;
    make_minimal(false, false);
    assert_vector("3ae80406dcec361922eb8d70b2268ad3c543ef9cc83e5eb7f66f7c5bba138189", 304, 303);
}

static void minimal_image_with_second_segment_has_the_published_digest(void **state)
{
    (void)state;
    assert_vector("eea7e99ff1c6398958d14195c7d84e19aa7c5fdbd2b70b1306012be172a2dba1", 352, 319);
}

/* --- what a good image yields --- */

static void any_chunk_size_gives_the_same_result(void **state)
{
    (void)state;
    for (size_t chunk = 1; chunk < 300; chunk++) {
        assert_int_equal(verify_in(chunk), FMT_IMAGE_OK);
        assert_int_equal(v.image_len, 352);
        assert_true(v.digest_ok && v.checksum_ok && v.has_desc);
    }
}

static void results_describe_header_segments_and_descriptor(void **state)
{
    (void)state;
    assert_int_equal(verify(), FMT_IMAGE_OK);
    assert_int_equal(v.header.entry, 0x40380000);
    assert_int_equal(v.header.chip_id, 5);
    assert_int_equal(v.segment_count, 2);
    assert_int_equal(v.segments[0].use, FMT_SEGMENT_MAP);
    assert_int_equal(v.segments[0].data_offset, 32);
    assert_int_equal(v.segments[1].use, FMT_SEGMENT_LOAD);
    assert_int_equal(v.segments[1].data_offset, 296);
    assert_int_equal(v.segments[1].length, 16);
    assert_string_equal(v.app_desc.version, "1.0");
}

static void needs_come_in_order_and_say_where_a_segment_begins(void **state)
{
    static const fmt_image_need_kind_t kinds[] = {
        FMT_IMAGE_NEED_HEADER,         FMT_IMAGE_NEED_SEGMENT_HEADER, FMT_IMAGE_NEED_SEGMENT_DATA,
        FMT_IMAGE_NEED_SEGMENT_HEADER, FMT_IMAGE_NEED_SEGMENT_DATA,   FMT_IMAGE_NEED_TRAILER,
        FMT_IMAGE_NEED_DIGEST,
    };
    static const uint32_t offsets[] = {0, 24, 32, 288, 296, 312, 320};
    fmt_image_need_t need;

    (void)state;
    fmt_image_begin(&v, &params);
    for (size_t i = 0; i < 7; i++) {
        assert_true(fmt_image_need(&v, &need));
        assert_int_equal(need.kind, kinds[i]);
        assert_int_equal(need.offset, offsets[i]);
        if (need.kind == FMT_IMAGE_NEED_SEGMENT_DATA) {
            assert_true(need.segment_start);
            fmt_image_feed(&v, image + need.offset, 4);
            assert_true(fmt_image_need(&v, &need));
            assert_false(need.segment_start);
            assert_int_equal(need.remaining, need.length - 4);
        }
        fmt_image_feed(&v, image + need.offset, need.remaining);
    }
    assert_false(fmt_image_need(&v, &need));
    assert_int_equal(v.status, FMT_IMAGE_OK);
    fmt_image_end(&v);
    fmt_image_end(&v);
}

static void segment_lines_are_the_loaders(void **state)
{
    fmt_image_need_t need;
    fmt_log_line_t line;
    char lines[2][FMT_LOG_TEXT_SIZE];

    (void)state;
    fmt_image_begin(&v, &params);
    while (fmt_image_need(&v, &need)) {
        if (need.kind == FMT_IMAGE_NEED_SEGMENT_DATA) {
            fmt_image_segment_line(&v, &need, true, &line);
            strcpy(lines[need.segment], line.text);
            fmt_image_segment_line(&v, &need, false, &line);
        }
        fmt_image_feed(&v, image + need.offset, need.remaining);
    }
    fmt_image_end(&v);
    assert_string_equal(lines[0],
                        "segment 0: paddr=00010020 vaddr=3c000020 size=00100h (   256) map");
    assert_string_equal(lines[1],
                        "segment 1: paddr=00010128 vaddr=40380000 size=00010h (    16) load");
    assert_string_equal(line.text,
                        "segment 1: paddr=00010128 vaddr=40380000 size=00010h (    16) ");
    assert_string_equal(line.tag, "esp_image");
    assert_int_equal(line.level, 'I');
}

static void empty_segment_has_its_turn(void **state)
{
    fmt_app_desc_t desc = make_desc();

    (void)state;
    put_header(FMT_CHIP_ID_ESP32C3, 0x40380000);
    put_segment(0x3C000020, &desc, sizeof(desc));
    put_segment(0x40380000, "", 0);
    put_segment(0, "\0\0\0\0", 4);
    put_footer(true);
    assert_int_equal(verify(), FMT_IMAGE_OK);
    assert_int_equal(v.segment_count, 3);
    assert_int_equal(v.segments[2].use, FMT_SEGMENT_NONE);
}

static void image_without_segments_is_only_a_header_and_a_trailer(void **state)
{
    (void)state;
    put_header(FMT_CHIP_ID_ESP32C3, 0);
    put_footer(true);
    assert_int_equal(verify(), FMT_IMAGE_OK);
    assert_int_equal(v.image_len, 64);
    assert_false(v.has_desc);
}

static void trailer_takes_a_whole_block_when_segments_end_on_one(void **state)
{
    uint8_t data[264] = {0};
    fmt_app_desc_t desc = make_desc();

    (void)state;
    memcpy(data, &desc, sizeof(desc));
    put_header(FMT_CHIP_ID_ESP32C3, 0x3C000020);
    put_segment(0x3C000020, data, 264); /* ends at 296 = 18.5 blocks */
    put_segment(0x40380000, "\1\2\3\4\5\6\7\0", 0);
    put_footer(true); /* ends at 304 = 19 blocks */
    assert_int_equal(fmt_image_checksum_offset(304), 319);
    assert_int_equal(image_len, 320 + 32);
    assert_int_equal(verify(), FMT_IMAGE_OK);
}

static void pad_bytes_are_ignored_but_hashed(void **state)
{
    (void)state;
    image[312] = 0x55;
    assert_int_equal(verify(), FMT_IMAGE_BAD_HASH);
    make_minimal(true, false);
    image[312] = 0x55;
    assert_int_equal(verify(), FMT_IMAGE_OK);
}

/* --- each rule violated once --- */

static void rule_1_senseless_parameters(void **state)
{
    (void)state;
    assert_int_equal(fmt_image_begin(&v, NULL), FMT_IMAGE_BAD_ARGUMENT);
    fmt_image_end(&v);
    params.mmu_page = 0x10001;
    assert_int_equal(verify(), FMT_IMAGE_BAD_ARGUMENT);
    params.mmu_page = 0;
    params.chip = NULL;
    assert_int_equal(verify(), FMT_IMAGE_BAD_ARGUMENT);
    assert_int_equal(fmt_image_status_err(v.status), ESP_ERR_INVALID_ARG);
}

static void rule_2_partition_above_the_limit(void **state)
{
    (void)state;
    params.partition_size = 0x1000000;
    assert_int_equal(verify(), FMT_IMAGE_OK);
    params.partition_size++;
    assert_refused(FMT_IMAGE_PARTITION_TOO_BIG, ESP_ERR_INVALID_ARG, "esp_image", true,
                   "partition size 0x1000001 invalid, larger than 16MB");
}

static void rule_4_wrong_magic(void **state)
{
    (void)state;
    image[0] = 0xFF;
    assert_refused(FMT_IMAGE_BAD_MAGIC, ESP_ERR_IMAGE_INVALID, "esp_image", true,
                   "image at 0x10000 has invalid magic byte (nothing flashed here?)");
}

static void rule_5_other_chip(void **state)
{
    (void)state;
    params.chip = fmt_chip_by_id(FMT_CHIP_ID_LINUX);
    assert_refused(FMT_IMAGE_WRONG_CHIP, ESP_FAIL, "boot_comm", false,
                   "mismatch chip ID, expected 41221, found 5");
}

static void rule_6_chip_too_old(void **state)
{
    (void)state;
    params.chip_revision = 2;
    assert_refused(FMT_IMAGE_CHIP_TOO_OLD, ESP_FAIL, "boot_comm", false,
                   "chip revision check failed. Required >= v0.3, found v0.2.");
}

static void rule_7_chip_too_new_for_apps_unless_the_chip_ignores_it(void **state)
{
    (void)state;
    params.chip_revision = 201;
    assert_refused(FMT_IMAGE_CHIP_TOO_NEW, ESP_FAIL, "boot_comm", false,
                   "chip revision check failed. Required <= v1.99, found v2.1.");
    params.flags = FMT_IMAGE_IGNORE_MAX_REV;
    assert_int_equal(verify(), FMT_IMAGE_OK);
    params.flags = FMT_IMAGE_BOOTLOADER;
    assert_int_equal(verify(), FMT_IMAGE_OK);
    params.flags = 0;
    image[17] = image[18] = 0xFF; /* no maximum */
    put_footer(true);
    assert_int_equal(verify(), FMT_IMAGE_OK);
    image[17] = image[18] = 0;
    put_footer(true);
    assert_int_equal(verify(), FMT_IMAGE_OK);
}

static void rule_8_too_many_segments(void **state)
{
    (void)state;
    image[1] = 17;
    assert_refused(FMT_IMAGE_SEGMENT_COUNT, ESP_ERR_IMAGE_INVALID, "esp_image", true,
                   "image at 0x10000 segment count 17 exceeds max 16");
}

static void rule_9_segment_length(void **state)
{
    (void)state;
    image[292] = 0x11;
    assert_refused(FMT_IMAGE_SEGMENT_LENGTH, ESP_ERR_IMAGE_INVALID, "esp_image", true,
                   "invalid segment length 0x11");
    assert_int_equal(v.bad_segment, 1);
    memcpy(image + 292, "\0\0\0\1", 4); /* 16 MB */
    assert_refused(FMT_IMAGE_SEGMENT_LENGTH, ESP_ERR_IMAGE_INVALID, "esp_image", true,
                   "invalid segment length 0x1000000");
}

static void rule_10_no_room_for_the_descriptor(void **state)
{
    (void)state;
    image[28] = 0xFC;
    image[29] = 0;
    assert_refused(FMT_IMAGE_NO_ROOM_FOR_DESC, ESP_ERR_IMAGE_INVALID, "esp_image", false,
                   "Segment 0: length 0xfc is too short for app description");
}

static void rule_11_no_descriptor_on_chips_that_need_it(void **state)
{
    fmt_app_desc_t desc = make_desc();

    (void)state;
    desc.magic_word = 1;
    put_header(FMT_CHIP_ID_ESP32C6, 0x42000020);
    put_segment(0x42000020, &desc, sizeof(desc));
    put_footer(true);
    params.chip = fmt_chip_by_id(FMT_CHIP_ID_ESP32C6);
    assert_refused(FMT_IMAGE_NO_DESC, ESP_FAIL, "esp_image", false,
                   "Failed to fetch app description header!");
    image[12] = FMT_CHIP_ID_ESP32C3; /* there it does not matter, and maps nothing */
    params.chip = fmt_chip_by_id(FMT_CHIP_ID_ESP32C3);
    put_footer(true);
    assert_int_equal(verify(), FMT_IMAGE_OK);
    assert_false(v.has_desc);
}

static void rule_12_mapped_segment_off_its_place_in_the_page(void **state)
{
    (void)state;
    params.flash_address = 0x11000;
    assert_refused(FMT_IMAGE_BAD_MAPPING, ESP_ERR_IMAGE_INVALID, "esp_image", true,
                   "Segment 0 load address 0x3c000020, doesn't match data 0x00011020");
    params.mmu_page = 0x1000; /* now it does */
    assert_int_equal(verify(), FMT_IMAGE_OK);
}

static void rule_12_uses_the_page_size_of_the_descriptor_where_it_may(void **state)
{
    fmt_app_desc_t desc = make_desc();

    (void)state;
    desc.mmu_page_size = 15;
    put_header(FMT_CHIP_ID_ESP32C6, 0x42008020);
    put_segment(0x42008020, &desc, sizeof(desc));
    put_footer(true);
    params.chip = fmt_chip_by_id(FMT_CHIP_ID_ESP32C6);
    assert_int_equal(verify(), FMT_IMAGE_OK);
    assert_int_equal(v.mmu_page, 0x8000);
    image[32 + 180] = 16;
    put_footer(true);
    assert_int_equal(verify(), FMT_IMAGE_BAD_MAPPING);
    image[32 + 180] = 99; /* senseless: the build's */
    params.mmu_page = 0x8000;
    put_footer(true);
    assert_int_equal(verify(), FMT_IMAGE_OK);
}

static void rule_13_loader_refuses_the_address(void **state)
{
    fmt_image_need_t need;
    fmt_log_line_t line;

    (void)state;
    fmt_image_begin(&v, &params);
    while (fmt_image_need(&v, &need)) {
        if (need.kind == FMT_IMAGE_NEED_SEGMENT_DATA && need.segment == 1) {
            fmt_image_refuse_segment(&v, "bad load address range");
        } else {
            fmt_image_feed(&v, image + need.offset, need.remaining);
        }
    }
    fmt_image_end(&v);
    assert_int_equal(v.status, FMT_IMAGE_BAD_LOAD_ADDRESS);
    assert_int_equal(fmt_image_status_err(v.status), ESP_ERR_IMAGE_INVALID);
    assert_true(fmt_image_status_line(&v, &line));
    assert_string_equal(line.text,
                        "Segment 1 0x40380000-0x40380010 invalid: bad load address range");
    assert_false(line.not_silent);
    assert_int_equal(fmt_image_refuse_segment(&v, "again"), FMT_IMAGE_BAD_LOAD_ADDRESS);
}

static void rule_14_efuse_block_revision(void **state)
{
    (void)state;
    image[32 + 176] = 101;
    put_footer(true);
    params.efuse_blk_rev = 100;
    assert_refused(FMT_IMAGE_BLK_REV_TOO_OLD, ESP_FAIL, "boot_comm", false,
                   "Image requires efuse blk rev >= v1.1, but chip is v1.0");
    params.efuse_blk_rev = 200;
    assert_refused(FMT_IMAGE_BLK_REV_TOO_NEW, ESP_FAIL, "boot_comm", false,
                   "Image requires efuse blk rev <= v1.99, but chip is v2.0");
    params.flags = FMT_IMAGE_IGNORE_MAX_BLK_REV;
    assert_int_equal(verify(), FMT_IMAGE_OK);
    params.flags = FMT_IMAGE_BOOTLOADER;
    assert_int_equal(verify(), FMT_IMAGE_OK);
}

static void rule_15_addresses_wrap(void **state)
{
    (void)state;
    params.flash_address = 0xFFFF0000;
    assert_int_equal(verify(), FMT_IMAGE_OK);
    params.chip = fmt_chip_by_id(FMT_CHIP_ID_ESP32S3);
    params.partition_size = 0xFFFFFFFF;
    params.flash_address = 0xFFFFFF00;
    image[12] = FMT_CHIP_ID_ESP32S3;
    image[24] = 0x20;
    image[25] = 0xFF; /* load address that fits the page */
    put_footer(true);
    assert_refused(FMT_IMAGE_WRAPPED, ESP_ERR_IMAGE_INVALID, "esp_image", true,
                   "image offset has wrapped");
}

static void rule_16_wrong_checksum(void **state)
{
    (void)state;
    image[319] ^= 0xFF;
    assert_refused(FMT_IMAGE_BAD_CHECKSUM, ESP_ERR_IMAGE_INVALID, "esp_image", true,
                   "Checksum failed. Calculated 0x7e read 0x81");
}

static void rule_17_longer_than_the_partition(void **state)
{
    (void)state;
    for (params.partition_size = 0; params.partition_size < 352; params.partition_size++) {
        assert_int_equal(verify(), FMT_IMAGE_DOES_NOT_FIT);
    }
    assert_int_equal(verify(), FMT_IMAGE_OK);
    params.partition_size = 351;
    assert_refused(FMT_IMAGE_DOES_NOT_FIT, ESP_ERR_IMAGE_INVALID, "esp_image", true,
                   "Image length 352 doesn't fit in partition length 351");
}

static void rule_17_counts_the_signature(void **state)
{
    (void)state;
    params.signature = FMT_IMAGE_SIGNATURE_V1;
    params.partition_size = 352 + 67;
    assert_refused(FMT_IMAGE_DOES_NOT_FIT, ESP_ERR_IMAGE_INVALID, "esp_image", true,
                   "Image length 420 doesn't fit in partition length 419");
    params.partition_size++;
    assert_int_equal(verify(), FMT_IMAGE_OK);
    params.signature = FMT_IMAGE_SIGNATURE_V2;
    params.partition_size = 8191;
    assert_int_equal(verify(), FMT_IMAGE_DOES_NOT_FIT);
    params.partition_size = 8192;
    assert_int_equal(verify(), FMT_IMAGE_OK);
}

static void rule_18_wrong_hash(void **state)
{
    (void)state;
    image[320] ^= 1;
    assert_refused(FMT_IMAGE_BAD_HASH, ESP_ERR_IMAGE_INVALID, "esp_image", false,
                   "Image hash failed - image is corrupt");
}

static void rule_19_secure_version(void **state)
{
    (void)state;
    image[36] = 2;
    put_footer(true);
    params.flags = FMT_IMAGE_CHECK_SECURE_VERSION;
    params.secure_version = 2;
    assert_int_equal(verify(), FMT_IMAGE_OK);
    params.secure_version = 3;
    assert_int_equal(verify(), FMT_IMAGE_SECURE_VERSION);
    assert_int_equal(fmt_image_status_err(v.status), ESP_FAIL);
    params.flags |= FMT_IMAGE_BOOTLOADER;
    assert_int_equal(verify(), FMT_IMAGE_OK);
}

static void any_changed_bit_of_the_image_is_found(void **state)
{
    (void)state;
    for (uint32_t bit = 0; bit < 352 * 8; bit++) {
        /* hash_appended set to another non-zero value still means there is one; it is hashed. */
        image[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        assert_int_not_equal(verify(), FMT_IMAGE_OK);
        image[bit / 8] ^= (uint8_t)(1u << (bit % 8));
    }
}

/* What stands behind an image without a hash is nobody's business, unless it is the very hash. */
static void an_image_without_a_hash_may_be_followed_by_anything(void **state)
{
    static const uint8_t zeros[32];

    (void)state;
    image[23] = 0;
    assert_int_equal(verify(), FMT_IMAGE_BAD_HASH);
    for (uint32_t at = 320; at < 352; at++) {
        image[at] ^= 0x10;
        assert_int_equal(verify(), FMT_IMAGE_OK);
        assert_int_equal(v.image_len, 320);
        assert_memory_equal(v.digest, zeros, 32);
        image[at] ^= 0x10;
    }
    /* The partition ends before it could all be there. */
    for (params.partition_size = 320; params.partition_size < 352; params.partition_size++) {
        assert_int_equal(verify(), FMT_IMAGE_OK);
    }
    assert_int_equal(verify(), FMT_IMAGE_BAD_HASH);
    params.flags = FMT_IMAGE_REPORT_DIGESTS;
    assert_int_equal(verify(), FMT_IMAGE_OK);
    params.flags = FMT_IMAGE_BOOTLOADER;
    assert_int_equal(verify(), FMT_IMAGE_OK);
}

/* --- modes --- */

static void bootloader_image_is_checked_by_checksum_and_on_request_by_hash(void **state)
{
    uint8_t desc[80] = {80};

    (void)state;
    put_header(FMT_CHIP_ID_ESP32C3, 0x3FC80000);
    put_segment(0x3FC80000, desc, sizeof(desc));
    put_footer(true);
    params.flash_address = 0;
    params.flags = FMT_IMAGE_BOOTLOADER;
    assert_int_equal(verify(), FMT_IMAGE_OK);
    image[image_len - 1] ^= 1;
    assert_int_equal(verify(), FMT_IMAGE_OK);
    params.flags |= FMT_IMAGE_BOOTLOADER_HASH;
    assert_int_equal(verify(), FMT_IMAGE_BAD_HASH);
    params.flags = FMT_IMAGE_BOOTLOADER;
    image[32] ^= 1;
    assert_int_equal(verify(), FMT_IMAGE_BAD_CHECKSUM);
}

static void loading_without_validation_still_checks_the_structure(void **state)
{
    (void)state;
    params.flags = FMT_IMAGE_NO_VALIDATE;
    params.chip_revision = 0;
    image[12] = 7;   /* chip */
    image[300] ^= 1; /* data */
    image[319] ^= 1; /* checksum */
    image[351] ^= 1; /* hash */
    assert_int_equal(verify(), FMT_IMAGE_OK);
    params.partition_size = 351;
    assert_int_equal(verify(), FMT_IMAGE_DOES_NOT_FIT);
    params.partition_size = 0x100000;
    params.flash_address = 0x10100;
    assert_int_equal(verify(), FMT_IMAGE_BAD_MAPPING);
    params.flash_address = 0x10000;
    image[0] = 0;
    assert_int_equal(verify(), FMT_IMAGE_BAD_MAGIC);
}

static void metadata_reads_only_headers_descriptor_and_digest(void **state)
{
    fmt_image_need_t need;
    uint32_t fed = 0;

    (void)state;
    params.flags = FMT_IMAGE_METADATA;
    params.chip = fmt_chip_by_id(FMT_CHIP_ID_ESP32C3);
    image[300] ^= 1;
    fmt_image_begin(&v, &params);
    while (fmt_image_need(&v, &need)) {
        fed += need.remaining;
        fmt_image_feed(&v, image + need.offset, need.remaining);
    }
    fmt_image_end(&v);
    assert_int_equal(v.status, FMT_IMAGE_OK);
    assert_int_equal(fed, 24 + 8 + 256 + 8 + 32);
    assert_int_equal(v.image_len, 352);
    assert_memory_equal(v.stored_digest, image + 320, 32);
    assert_true(v.has_desc);
    params.partition_size = 351;
    assert_int_equal(verify(), FMT_IMAGE_DOES_NOT_FIT);
    params.partition_size = 300;
    assert_int_equal(verify(), FMT_IMAGE_DOES_NOT_FIT);
}

static void reporting_mode_goes_on_after_wrong_digests(void **state)
{
    (void)state;
    params.flags = FMT_IMAGE_REPORT_DIGESTS;
    image[300] ^= 1;
    assert_int_equal(verify(), FMT_IMAGE_OK);
    assert_false(v.checksum_ok);
    assert_false(v.digest_ok);
    assert_int_equal(v.image_len, 352);
}

static void feeding_too_much_or_after_the_end_is_an_error(void **state)
{
    (void)state;
    fmt_image_begin(&v, &params);
    assert_int_equal(fmt_image_feed(&v, image, 25), FMT_IMAGE_BAD_ARGUMENT);
    assert_int_equal(fmt_image_feed(&v, image, 1), FMT_IMAGE_BAD_ARGUMENT);
    fmt_image_end(&v);
    assert_int_equal(verify(), FMT_IMAGE_OK);
    assert_int_equal(fmt_image_feed(&v, image, 1), FMT_IMAGE_BAD_ARGUMENT);
}

static void early_chip_test_needs_only_the_header(void **state)
{
    fmt_image_header_t header;
    fmt_log_line_t line;

    (void)state;
    fmt_image_header_decode(image, &header);
    assert_int_equal(fmt_image_check_chip(&header, &params, &line), FMT_IMAGE_OK);
    params.chip_revision = 200;
    assert_int_equal(fmt_image_check_chip(&header, &params, &line), FMT_IMAGE_CHIP_TOO_NEW);
    assert_string_equal(line.text, "chip revision check failed. Required <= v1.99, found v2.0.");
    params.chip_revision = 0;
    assert_int_equal(fmt_image_check_chip(&header, &params, NULL), FMT_IMAGE_CHIP_TOO_OLD);
    header.chip_id = 9;
    assert_int_equal(fmt_image_check_chip(&header, &params, &line), FMT_IMAGE_WRONG_CHIP);
}

/* --- codes --- */

static void header_survives_decoding_and_encoding_whatever_its_bytes(void **state)
{
    uint8_t raw[24], again[24];
    fmt_image_header_t header;

    (void)state;
    for (unsigned seed = 0; seed < 256; seed++) {
        for (unsigned i = 0; i < 24; i++) {
            raw[i] = (uint8_t)(seed * 31 + i * 17);
        }
        fmt_image_header_decode(raw, &header);
        fmt_image_header_encode(&header, again);
        assert_memory_equal(raw, again, 24);
    }
}

static void flash_sizes_modes_and_speeds_have_names_and_codes(void **state)
{
    const fmt_chip_t *c3 = fmt_chip_by_name("esp32c3");

    (void)state;
    assert_int_equal(fmt_flash_size_bytes(2), 4u << 20);
    assert_int_equal(fmt_flash_size_bytes(8), 0);
    assert_int_equal(fmt_flash_size_code(128u << 20), 7);
    assert_int_equal(fmt_flash_size_code(3), -1);
    assert_string_equal(fmt_flash_size_name(7), "128MB");
    assert_string_equal(fmt_flash_size_name(15), "2MB");
    assert_int_equal(fmt_spi_mode_by_name("DIO"), 2);
    assert_int_equal(fmt_spi_mode_by_name("x"), -1);
    assert_null(fmt_spi_mode_name(6));
    assert_string_equal(fmt_spi_speed_name(c3, 15), "80m");
    assert_int_equal(fmt_spi_speed_by_name(c3, "26m"), 1);
    assert_int_equal(fmt_spi_speed_by_name(fmt_chip_by_name("esp32c5"), "26m"), -1);
    assert_int_equal(fmt_spi_speed_by_name(fmt_chip_by_name("esp32c6"), "80m"), 0);
    assert_string_equal(fmt_spi_speed_name(fmt_chip_by_name("esp32h2"), 15), "48m");
    assert_null(fmt_spi_speed_name(c3, 7));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, setup)
    const struct CMUnitTest tests[] = {
        TEST(minimal_image_has_the_published_bytes_and_digest),
        TEST(minimal_image_without_digest_has_the_published_bytes),
        TEST(minimal_image_with_second_segment_has_the_published_digest),
        TEST(any_chunk_size_gives_the_same_result),
        TEST(results_describe_header_segments_and_descriptor),
        TEST(needs_come_in_order_and_say_where_a_segment_begins),
        TEST(segment_lines_are_the_loaders),
        TEST(empty_segment_has_its_turn),
        TEST(image_without_segments_is_only_a_header_and_a_trailer),
        TEST(trailer_takes_a_whole_block_when_segments_end_on_one),
        TEST(pad_bytes_are_ignored_but_hashed),
        TEST(rule_1_senseless_parameters),
        TEST(rule_2_partition_above_the_limit),
        TEST(rule_4_wrong_magic),
        TEST(rule_5_other_chip),
        TEST(rule_6_chip_too_old),
        TEST(rule_7_chip_too_new_for_apps_unless_the_chip_ignores_it),
        TEST(rule_8_too_many_segments),
        TEST(rule_9_segment_length),
        TEST(rule_10_no_room_for_the_descriptor),
        TEST(rule_11_no_descriptor_on_chips_that_need_it),
        TEST(rule_12_mapped_segment_off_its_place_in_the_page),
        TEST(rule_12_uses_the_page_size_of_the_descriptor_where_it_may),
        TEST(rule_13_loader_refuses_the_address),
        TEST(rule_14_efuse_block_revision),
        TEST(rule_15_addresses_wrap),
        TEST(rule_16_wrong_checksum),
        TEST(rule_17_longer_than_the_partition),
        TEST(rule_17_counts_the_signature),
        TEST(rule_18_wrong_hash),
        TEST(rule_19_secure_version),
        TEST(any_changed_bit_of_the_image_is_found),
        TEST(an_image_without_a_hash_may_be_followed_by_anything),
        TEST(bootloader_image_is_checked_by_checksum_and_on_request_by_hash),
        TEST(loading_without_validation_still_checks_the_structure),
        TEST(metadata_reads_only_headers_descriptor_and_digest),
        TEST(reporting_mode_goes_on_after_wrong_digests),
        TEST(feeding_too_much_or_after_the_end_is_an_error),
        TEST(early_chip_test_needs_only_the_header),
        TEST(header_survives_decoding_and_encoding_whatever_its_bytes),
        TEST(flash_sizes_modes_and_speeds_have_names_and_codes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
