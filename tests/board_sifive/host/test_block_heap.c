/* SPDX-License-Identifier: Apache-2.0
 *
 * The heap of the bare-metal boards, on the host. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "block_heap.h"

#define MEMORY 65536u
#define BLOCKS 200u

static _Alignas(16) char memory[MEMORY];
static block_heap_t heap;

static int set_up(void **state)
{
    (void)state;
    memset(memory, 0xA5, sizeof(memory));
    block_heap_init(&heap, memory, memory + sizeof(memory));
    return 0;
}

static void test_all_memory_can_be_had_at_once_and_again(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        size_t largest = block_heap_largest(&heap);
        assert_true(largest > MEMORY - 64);
        assert_null(block_heap_alloc(&heap, largest + 1, 8));
        void *all = block_heap_alloc(&heap, largest, 8);
        assert_non_null(all);
        assert_int_equal(block_heap_largest(&heap), 0);
        assert_null(block_heap_alloc(&heap, 1, 8));
        assert_true(block_heap_free(&heap, all));
        assert_int_equal(heap.used, 0);
    }
}

static void test_a_heap_too_small_for_a_block_gives_none(void **state)
{
    (void)state;
    for (size_t size = 0; size < 64; size++) {
        block_heap_init(&heap, memory + 3, memory + 3 + size);
        void *got = block_heap_alloc(&heap, 1, 8);
        assert_true(got == NULL || ((char *)got >= memory + 3 && (char *)got < memory + 3 + size));
    }
    assert_null(block_heap_alloc(&heap, SIZE_MAX, 8));
    assert_null(block_heap_alloc(&heap, SIZE_MAX - 7, 8));
}

static void test_alignment_is_kept(void **state)
{
    void *blocks[40];
    (void)state;
    for (unsigned i = 0; i < 40; i++) {
        size_t alignment = (size_t)8 << i % 6;
        blocks[i] = block_heap_alloc(&heap, 1 + i * 3, alignment);
        assert_non_null(blocks[i]);
        assert_int_equal((uintptr_t)blocks[i] % alignment, 0);
        memset(blocks[i], 0xEE, block_heap_room(blocks[i]));
    }
    for (unsigned i = 0; i < 40; i++) {
        assert_true(block_heap_free(&heap, blocks[(i * 7) % 40]));
    }
    assert_int_equal(heap.used, 0);
    assert_true(block_heap_largest(&heap) > MEMORY - 64);
}

static void test_damage_and_second_frees_are_refused(void **state)
{
    (void)state;
    char *a = block_heap_alloc(&heap, 100, 8);
    char *b = block_heap_alloc(&heap, 100, 8);
    char *c = block_heap_alloc(&heap, 100, 8);
    assert_true(block_heap_free(&heap, b));
    assert_false(block_heap_free(&heap, b));
    assert_false(block_heap_free(&heap, a + 8));
    assert_false(block_heap_free(&heap, a + 1));
    assert_false(block_heap_free(&heap, memory + sizeof(memory) + 64));
    assert_true(block_heap_free(&heap, a));
    assert_false(block_heap_free(&heap, a));
    assert_false(block_heap_free(&heap, b));
    /* Written beyond its end. */
    char *d = block_heap_alloc(&heap, 40, 8);
    memset(d, 0, block_heap_room(d) + 8);
    assert_false(block_heap_free(&heap, d));
    assert_true(block_heap_free(&heap, c) || 1);
}

static void test_resize_grows_into_free_neighbours_and_shrinks_in_place(void **state)
{
    (void)state;
    char *a = block_heap_alloc(&heap, 100, 8);
    char *b = block_heap_alloc(&heap, 100, 8);
    memset(a, 7, 100);
    assert_false(block_heap_resize(&heap, a, 200));
    assert_true(block_heap_free(&heap, b));
    assert_true(block_heap_resize(&heap, a, 200));
    assert_true(block_heap_room(a) >= 200);
    for (unsigned i = 0; i < 100; i++) {
        assert_int_equal(a[i], 7);
    }
    size_t used = heap.used;
    assert_true(block_heap_resize(&heap, a, 20));
    assert_true(heap.used < used);
    assert_false(block_heap_resize(&heap, a, SIZE_MAX));
    assert_false(block_heap_resize(&heap, a, MEMORY));
    assert_true(block_heap_free(&heap, a));
    assert_int_equal(heap.used, 0);
}

static uint32_t next_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

static void test_random_use_keeps_contents_and_returns_everything(void **state)
{
    struct {
        uint8_t *at;
        size_t size;
        uint8_t mark;
    } blocks[BLOCKS] = {0};
    uint32_t seed = 2463534242u;
    unsigned failed = 0;

    (void)state;
    for (unsigned step = 0; step < 200000; step++) {
        unsigned i = next_random(&seed) % BLOCKS;
        for (size_t k = 0; k < blocks[i].size; k++) {
            assert_int_equal(blocks[i].at[k], blocks[i].mark);
        }
        size_t size = next_random(&seed) % (next_random(&seed) % 8 == 0 ? 4000 : 300);
        if (blocks[i].at != NULL && next_random(&seed) % 4 == 0) {
            if (block_heap_resize(&heap, blocks[i].at, size)) {
                memset(blocks[i].at, blocks[i].mark, size);
                blocks[i].size = size;
            }
            continue;
        }
        if (blocks[i].at != NULL) {
            assert_true(block_heap_free(&heap, blocks[i].at));
        }
        blocks[i].size = 0;
        blocks[i].at = block_heap_alloc(&heap, size, (size_t)8 << next_random(&seed) % 4);
        if (blocks[i].at == NULL) {
            failed++;
            continue;
        }
        assert_true(block_heap_room(blocks[i].at) >= size);
        blocks[i].size = size;
        blocks[i].mark = (uint8_t)step;
        memset(blocks[i].at, blocks[i].mark, size);
    }
    for (unsigned i = 0; i < BLOCKS; i++) {
        assert_true(blocks[i].at == NULL || block_heap_free(&heap, blocks[i].at));
    }
    assert_int_equal(heap.used, 0);
    assert_true(heap.most_used > MEMORY / 2);
    assert_true(block_heap_largest(&heap) > MEMORY - 64);
    assert_true(failed > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_all_memory_can_be_had_at_once_and_again, set_up),
        cmocka_unit_test_setup(test_a_heap_too_small_for_a_block_gives_none, set_up),
        cmocka_unit_test_setup(test_alignment_is_kept, set_up),
        cmocka_unit_test_setup(test_damage_and_second_frees_are_refused, set_up),
        cmocka_unit_test_setup(test_resize_grows_into_free_neighbours_and_shrinks_in_place, set_up),
        cmocka_unit_test_setup(test_random_use_keeps_contents_and_returns_everything, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
