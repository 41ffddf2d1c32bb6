/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "formats/nvs.h"
#include "mbedtls/sha256.h"
#include "nvs_vector.h"

static uint8_t s_image[NVS_VECTOR_SIZE];

static void the_vector_is_the_one_of_the_specification(void **state)
{
    (void)state;
    uint8_t digest[32];
    char text[65];
    nvs_vector_fill(s_image);
    mbedtls_sha256(s_image, sizeof(s_image), digest, 0);
    for (unsigned i = 0; i < 32; i++) {
        snprintf(text + 2 * i, 3, "%02x", digest[i]);
    }
    assert_string_equal(text, NVS_VECTOR_SHA256);
}

static void the_vector_is_read(void **state)
{
    (void)state;
    static const struct {
        unsigned at;
        uint8_t ns, type, span, chunk;
        const char *key;
    } expected[] = {
        {0, 0, FMT_NVS_TYPE_U8, 1, 0xFF, "ota"},
        {1, 1, FMT_NVS_TYPE_U32, 1, 0xFF, "count"},
        {2, 1, FMT_NVS_TYPE_STRING, 2, 0xFF, "url"},
        {4, 1, FMT_NVS_TYPE_BLOB_DATA, 2, 0, "blob"},
        {6, 1, FMT_NVS_TYPE_BLOB_INDEX, 1, 0xFF, "blob"},
        {7, 1, FMT_NVS_TYPE_I8, 1, 0xFF, "neg"},
    };
    nvs_vector_fill(s_image);
    fmt_nvs_page_header_t header;
    assert_int_equal(fmt_nvs_page_header_decode(s_image, &header), FMT_NVS_PAGE_USED);
    assert_int_equal(header.state, FMT_NVS_STATE_ACTIVE);
    assert_int_equal(header.seq, 0);
    assert_int_equal(header.version, FMT_NVS_VERSION_2);
    assert_int_equal(fmt_nvs_page_header_decode(s_image + 0x1000, &header), FMT_NVS_PAGE_BLANK);

    unsigned index = 0;
    unsigned at;
    fmt_nvs_entry_t entry;
    for (unsigned i = 0; i < 6; i++) {
        assert_true(fmt_nvs_page_item(s_image, &index, &entry, &at));
        assert_int_equal(at, expected[i].at);
        assert_int_equal(entry.ns, expected[i].ns);
        assert_int_equal(entry.type, expected[i].type);
        assert_int_equal(entry.span, expected[i].span);
        assert_int_equal(entry.chunk, expected[i].chunk);
        assert_string_equal(entry.key, expected[i].key);
        if (i == 2) {
            assert_int_equal(fmt_nvs_data_size(&entry), 11);
            assert_int_equal(fmt_nvs_data_crc(&entry), fmt_nvs_crc("http://a/b", 11));
        } else if (i == 4) {
            fmt_nvs_blob_index_t blob = fmt_nvs_blob_index(&entry);
            assert_int_equal(blob.size, 17);
            assert_int_equal(blob.count, 1);
            assert_int_equal(blob.start, 0);
        }
    }
    assert_false(fmt_nvs_page_item(s_image, &index, &entry, &at));
}

static void put(uint8_t *page, unsigned *index, const fmt_nvs_entry_t *entry, const void *data,
                size_t size)
{
    uint8_t *at = page + FMT_NVS_ENTRIES_OFFSET + *index * FMT_NVS_ENTRY_SIZE;
    fmt_nvs_entry_encode(entry, at);
    if (size > 0) {
        memcpy(at + FMT_NVS_ENTRY_SIZE, data, size);
    }
    for (unsigned i = 0; i < entry->span; i++) {
        fmt_nvs_entry_set_state(page + FMT_NVS_BITMAP_OFFSET, (*index)++, FMT_NVS_ENTRY_WRITTEN);
    }
}

static void the_vector_is_written(void **state)
{
    (void)state;
    static uint8_t made[NVS_VECTOR_SIZE];
    memset(made, 0xFF, sizeof(made));
    nvs_vector_fill(s_image);
    fmt_nvs_page_header_encode(&(fmt_nvs_page_header_t){FMT_NVS_STATE_ACTIVE, 0, FMT_NVS_VERSION_2},
                               made);
    const uint8_t one = 1;
    const uint32_t count = 7;
    const int8_t neg = -2;
    unsigned index = 0;
    fmt_nvs_entry_t entry;
    fmt_nvs_make_value(&entry, 0, "ota", FMT_NVS_TYPE_U8, &one);
    put(made, &index, &entry, NULL, 0);
    fmt_nvs_make_value(&entry, 1, "count", FMT_NVS_TYPE_U32, &count);
    put(made, &index, &entry, NULL, 0);
    fmt_nvs_make_data(&entry, 1, "url", FMT_NVS_TYPE_STRING, FMT_NVS_CHUNK_NONE, "http://a/b", 11);
    put(made, &index, &entry, "http://a/b", 11);
    fmt_nvs_make_data(&entry, 1, "blob", FMT_NVS_TYPE_BLOB_DATA, 0, NVS_VECTOR_BLOB, 17);
    put(made, &index, &entry, NVS_VECTOR_BLOB, 17);
    fmt_nvs_make_blob_index(&entry, 1, "blob", &(fmt_nvs_blob_index_t){17, 1, 0});
    put(made, &index, &entry, NULL, 0);
    fmt_nvs_make_value(&entry, 1, "neg", FMT_NVS_TYPE_I8, &neg);
    put(made, &index, &entry, NULL, 0);
    assert_memory_equal(made, s_image, sizeof(made));
}

static void a_damaged_page_header_is_corrupt(void **state)
{
    (void)state;
    fmt_nvs_page_header_t header;
    uint8_t raw[32];
    for (unsigned bit = 0; bit < 32 * 8; bit++) {
        nvs_vector_fill(s_image);
        memcpy(raw, s_image, sizeof(raw));
        raw[bit / 8] ^= (uint8_t)(1u << bit % 8);
        fmt_nvs_page_kind_t kind = fmt_nvs_page_header_decode(raw, &header);
        if (bit == 1) {
            assert_int_equal(kind, FMT_NVS_PAGE_USED); /* ACTIVE became FULL */
            assert_int_equal(header.state, FMT_NVS_STATE_FULL);
        } else {
            assert_int_equal(kind, FMT_NVS_PAGE_CORRUPT);
        }
    }
    memset(raw, 0, sizeof(raw));
    assert_int_equal(fmt_nvs_page_header_decode(raw, &header), FMT_NVS_PAGE_CORRUPT);
    fmt_nvs_page_header_encode(&(fmt_nvs_page_header_t){FMT_NVS_STATE_FREEING, 5, 0xFD}, raw);
    assert_int_equal(fmt_nvs_page_header_decode(raw, &header), FMT_NVS_PAGE_NEWER);
    fmt_nvs_page_header_encode(&(fmt_nvs_page_header_t){FMT_NVS_STATE_FREEING, 5, 0xFF}, raw);
    assert_int_equal(fmt_nvs_page_header_decode(raw, &header), FMT_NVS_PAGE_USED);
}

static void a_damaged_entry_is_left_out(void **state)
{
    (void)state;
    for (unsigned bit = 0; bit < 32 * 8; bit++) {
        nvs_vector_fill(s_image);
        s_image[0x60 + bit / 8] ^= (uint8_t)(1u << bit % 8);
        unsigned index = 0;
        unsigned at;
        unsigned count = 0;
        fmt_nvs_entry_t entry;
        while (fmt_nvs_page_item(s_image, &index, &entry, &at)) {
            count++;
            assert_string_not_equal(entry.key, "count");
        }
        assert_int_equal(count, 5);
    }
    /* An item whose last entry is not marked as written. */
    nvs_vector_fill(s_image);
    fmt_nvs_entry_set_state(s_image + 32, 3, FMT_NVS_ENTRY_EMPTY);
    unsigned index = 2;
    unsigned at;
    fmt_nvs_entry_t entry;
    assert_true(fmt_nvs_page_item(s_image, &index, &entry, &at));
    assert_string_equal(entry.key, "blob");
}

static void entries_are_consistent_or_not(void **state)
{
    (void)state;
    fmt_nvs_entry_t entry;
    const uint64_t value = 0;
    fmt_nvs_make_value(&entry, 1, "k", FMT_NVS_TYPE_DOUBLE, &value);
    assert_true(fmt_nvs_entry_consistent(&entry, 125));
    entry.span = 2;
    assert_false(fmt_nvs_entry_consistent(&entry, 0));
    entry.span = 1;
    entry.type = 0x99;
    assert_false(fmt_nvs_entry_consistent(&entry, 0));

    static const uint8_t data[4000];
    fmt_nvs_make_data(&entry, 1, "k", FMT_NVS_TYPE_STRING, 0xFF, data, 4000);
    assert_int_equal(entry.span, 126);
    assert_true(fmt_nvs_entry_consistent(&entry, 0));
    assert_false(fmt_nvs_entry_consistent(&entry, 1));
    fmt_nvs_make_data(&entry, 1, "k", FMT_NVS_TYPE_STRING, 0xFF, data, 32);
    assert_int_equal(entry.span, 2);
    assert_true(fmt_nvs_entry_consistent(&entry, 124));
    assert_false(fmt_nvs_entry_consistent(&entry, 125));
    entry.data[0] = 33;
    assert_false(fmt_nvs_entry_consistent(&entry, 0));
    fmt_nvs_make_data(&entry, 1, "k", FMT_NVS_TYPE_BLOB_DATA, 0xFF, data, 0);
    assert_false(fmt_nvs_entry_consistent(&entry, 0));
    entry.chunk = 0x80;
    assert_true(fmt_nvs_entry_consistent(&entry, 0));

    fmt_nvs_make_blob_index(&entry, 1, "k", &(fmt_nvs_blob_index_t){127 * 4000, 127, 0});
    assert_true(fmt_nvs_entry_consistent(&entry, 0));
    fmt_nvs_make_blob_index(&entry, 1, "k", &(fmt_nvs_blob_index_t){127 * 4000 + 1, 127, 0});
    assert_false(fmt_nvs_entry_consistent(&entry, 0));
    fmt_nvs_make_blob_index(&entry, 1, "k", &(fmt_nvs_blob_index_t){1, 1, 0});
    entry.chunk = 0;
    assert_false(fmt_nvs_entry_consistent(&entry, 0));
}

static void a_key_without_an_end_is_refused(void **state)
{
    (void)state;
    fmt_nvs_entry_t entry;
    uint8_t raw[32];
    const uint8_t one = 1;
    fmt_nvs_make_value(&entry, 1, "123456789012345", FMT_NVS_TYPE_U8, &one);
    fmt_nvs_entry_encode(&entry, raw);
    assert_true(fmt_nvs_entry_decode(raw, &entry));
    entry.key[15] = 'x';
    fmt_nvs_entry_encode(&entry, raw);
    assert_false(fmt_nvs_entry_decode(raw, &entry));
}

static void every_garbage_page_can_be_walked(void **state)
{
    (void)state;
    static uint8_t page[FMT_NVS_PAGE_SIZE];
    uint32_t random = 1;
    for (unsigned round = 0; round < 200; round++) {
        for (size_t i = 0; i < sizeof(page); i++) {
            random = random * 1664525u + 1013904223u;
            page[i] = (uint8_t)(random >> 24);
        }
        unsigned index = 0;
        unsigned at;
        fmt_nvs_entry_t entry;
        while (fmt_nvs_page_item(page, &index, &entry, &at)) {
            assert_true(at + entry.span <= FMT_NVS_PAGE_ENTRIES);
        }
        assert_int_equal(index, FMT_NVS_PAGE_ENTRIES);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_vector_is_the_one_of_the_specification),
        cmocka_unit_test(the_vector_is_read),
        cmocka_unit_test(the_vector_is_written),
        cmocka_unit_test(a_damaged_page_header_is_corrupt),
        cmocka_unit_test(a_damaged_entry_is_left_out),
        cmocka_unit_test(entries_are_consistent_or_not),
        cmocka_unit_test(a_key_without_an_end_is_refused),
        cmocka_unit_test(every_garbage_page_can_be_walked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
