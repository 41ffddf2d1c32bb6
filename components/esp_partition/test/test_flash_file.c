/* SPDX-License-Identifier: Apache-2.0
 *
 * A flash file of the test's own in the place of the board's flash. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage_board.h"

#include "esp_private/partition_linux.h"
#include "nvs_flash.h"

#define TABLE_FILE "flash_file_table.bin"

static esp_partition_file_mmap_ctrl_t *input;
static esp_partition_file_mmap_ctrl_t *act;
static const uint8_t *bytes;

/* The file that a test left behind. */
static char left[PATH_MAX];

static int new_board(void **state)
{
    (void)state;
    board_new(UINT32_MAX);
    input = esp_partition_get_file_mmap_ctrl_input();
    act = esp_partition_get_file_mmap_ctrl_act();
    memset(input, 0, sizeof(*input));
    left[0] = '\0';
    return 0;
}

static int clean_up(void **state)
{
    (void)state;
    memset(input, 0, sizeof(*input));
    (void)esp_partition_file_munmap();
    if (left[0] != '\0') {
        unlink(left);
    }
    unlink(TABLE_FILE);
    return 0;
}

static void write_table(uint32_t nvs_size)
{
    const fmt_partition_t rows[] = {
        {.type = 1, .subtype = 2, .offset = 0x9000, .size = nvs_size, .label = "nvs"},
        {.type = 1, .subtype = 6, .offset = 0x9000 + nvs_size, .size = 0x2000, .label = "mine"},
    };
    uint8_t table[FMT_PARTITION_TABLE_LEN];
    assert_int_equal(fmt_partition_table_encode(rows, 2, true, table), ESP_OK);
    FILE *file = fopen(TABLE_FILE, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(table, 1, sizeof(table), file), sizeof(table));
    fclose(file);
}

static const esp_partition_t *mine(void)
{
    return esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_ANY, "mine");
}

static void without_a_wish_the_boards_flash_is_used(void **state)
{
    (void)state;
    assert_int_equal(esp_partition_file_munmap(), ESP_ERR_NO_MEM);
    assert_int_equal(esp_partition_file_mmap(&bytes), ESP_OK);
    assert_ptr_equal(bytes, board_flash(0));
    act = esp_partition_get_file_mmap_ctrl_act();
    assert_string_equal(act->flash_file_name, "");
    assert_int_equal(act->flash_file_size, BOARD_FLASH_SIZE);
    assert_int_equal(esp_partition_file_munmap(), ESP_OK);
    assert_int_equal(esp_partition_file_munmap(), ESP_ERR_NO_MEM);
    board_partition("storage");
    assert_int_equal(esp_partition_file_munmap(), ESP_OK); /* finding has mapped it */
}

static void a_new_file_takes_its_size_from_the_table(void **state)
{
    (void)state;
    write_table(0x5000);
    strcpy(input->partition_file_name, TABLE_FILE);
    assert_int_equal(esp_partition_file_mmap(&bytes), ESP_OK);
    strcpy(left, act->flash_file_name);
    assert_non_null(strstr(left, "/idf-partition-"));
    assert_string_equal(act->partition_file_name, TABLE_FILE);
    assert_int_equal(act->flash_file_size, 0x10000);
    assert_string_equal(input->partition_file_name, "");
    struct stat info;
    assert_int_equal(stat(left, &info), 0);
    assert_int_equal(info.st_size, 0x10000);

    const esp_partition_t *partition = mine();
    assert_non_null(partition);
    assert_int_equal(partition->address, 0xE000);
    assert_int_equal(esp_partition_write(partition, 16, "hello", 6), ESP_OK);
    assert_string_equal(bytes + 0xE010, "hello");
    assert_int_equal(board_flash(0xE010)[0], 0xFF);
    /* The rules of a chip. */
    assert_int_equal(esp_partition_write(partition, 16, "jello", 6), ESP_ERR_FLASH_OP_FAIL);
    assert_int_equal(esp_partition_erase_range(partition, 0, 4096), ESP_OK);
    assert_int_equal(bytes[0xE010], 0xFF);
    assert_null(esp_partition_find_first(ESP_PARTITION_TYPE_APP, ESP_PARTITION_SUBTYPE_ANY, NULL));

    assert_int_equal(esp_partition_file_munmap(), ESP_OK);
    assert_int_equal(stat(left, &info), 0);
    board_partition("storage"); /* of the board again */
}

static void a_file_is_opened_again_with_its_content_and_removed_if_wished(void **state)
{
    (void)state;
    write_table(0x5000);
    strcpy(input->partition_file_name, TABLE_FILE);
    input->flash_file_size = 0x100000;
    assert_int_equal(esp_partition_file_mmap(&bytes), ESP_OK);
    strcpy(left, act->flash_file_name);
    assert_int_equal(act->flash_file_size, 0x100000);
    assert_int_equal(nvs_flash_init(), ESP_OK);
    nvs_handle_t nvs;
    assert_int_equal(nvs_open("space", NVS_READWRITE, &nvs), ESP_OK);
    assert_int_equal(nvs_set_u32(nvs, "number", 42), ESP_OK);
    nvs_close(nvs);
    assert_int_equal(nvs_flash_deinit(), ESP_OK);
    assert_int_equal(esp_partition_file_munmap(), ESP_OK);

    strcpy(input->flash_file_name, left);
    input->remove_dump = true;
    assert_non_null(mine()); /* finding takes the wish, too */
    assert_string_equal(act->flash_file_name, left);
    assert_int_equal(act->flash_file_size, 0x100000);
    assert_int_equal(nvs_flash_init(), ESP_OK);
    assert_int_equal(nvs_open("space", NVS_READONLY, &nvs), ESP_OK);
    uint32_t number;
    assert_int_equal(nvs_get_u32(nvs, "number", &number), ESP_OK);
    assert_int_equal(number, 42);
    nvs_close(nvs);
    assert_int_equal(nvs_flash_deinit(), ESP_OK);
    assert_int_equal(esp_partition_file_munmap(), ESP_OK);
    assert_int_equal(access(left, F_OK), -1);

    strcpy(input->flash_file_name, left);
    assert_int_equal(esp_partition_file_mmap(&bytes), ESP_ERR_NOT_FOUND);
}

static void without_a_table_file_the_boards_table_is_taken(void **state)
{
    (void)state;
    input->flash_file_size = 0x200000;
    assert_int_equal(esp_partition_file_mmap(&bytes), ESP_OK);
    strcpy(left, act->flash_file_name);
    assert_int_equal(board_partition("storage")->address, BOARD_STORAGE);
    assert_memory_equal(bytes + 0x8000, board_flash(0x8000), 4096);
    assert_int_equal(bytes[BOARD_OTADATA], 0xFF);
}

static void refused(esp_err_t err)
{
    bytes = NULL;
    assert_int_equal(esp_partition_file_mmap(&bytes), err);
    assert_null(bytes);
    memset(input, 0, sizeof(*input));
    board_partition("storage");
    assert_int_equal(esp_partition_file_munmap(), ESP_OK);
}

static void impossible_wishes_are_refused_and_the_boards_flash_stays(void **state)
{
    (void)state;
    write_table(0x5000);
    strcpy(input->flash_file_name, TABLE_FILE);
    input->flash_file_size = 0x100000;
    refused(ESP_ERR_INVALID_ARG);
    strcpy(input->flash_file_name, TABLE_FILE);
    strcpy(input->partition_file_name, TABLE_FILE);
    refused(ESP_ERR_INVALID_ARG);
    strcpy(input->flash_file_name, TABLE_FILE); /* 3 KiB */
    refused(ESP_ERR_NOT_FINISHED);
    strcpy(input->flash_file_name, ".");
    refused(ESP_ERR_NOT_FINISHED);
    strcpy(input->flash_file_name, "no such file");
    refused(ESP_ERR_NOT_FOUND);
    strcpy(input->partition_file_name, "no such file");
    refused(ESP_ERR_NOT_FOUND);
    strcpy(input->partition_file_name, TABLE_FILE);
    input->flash_file_size = 0xF000;
    refused(ESP_ERR_INVALID_SIZE);
    input->flash_file_size = 0x200001;
    refused(ESP_ERR_INVALID_SIZE);
    input->flash_file_size = 0x8001000;
    refused(ESP_ERR_INVALID_SIZE);
    assert_int_equal(truncate(TABLE_FILE, 20), 0);
    strcpy(input->partition_file_name, TABLE_FILE);
    refused(ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_partition_file_mmap(NULL), ESP_ERR_INVALID_ARG);
}

static void a_file_that_is_gone_at_its_removal_is_reported(void **state)
{
    (void)state;
    input->flash_file_size = 0x200000;
    input->remove_dump = true;
    assert_int_equal(esp_partition_file_mmap(&bytes), ESP_OK);
    assert_int_equal(unlink(act->flash_file_name), 0);
    assert_int_equal(esp_partition_file_munmap(), ESP_ERR_NOT_FOUND);
    board_partition("storage");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(without_a_wish_the_boards_flash_is_used, new_board,
                                        clean_up),
        cmocka_unit_test_setup_teardown(a_new_file_takes_its_size_from_the_table, new_board,
                                        clean_up),
        cmocka_unit_test_setup_teardown(
            a_file_is_opened_again_with_its_content_and_removed_if_wished, new_board, clean_up),
        cmocka_unit_test_setup_teardown(without_a_table_file_the_boards_table_is_taken, new_board,
                                        clean_up),
        cmocka_unit_test_setup_teardown(impossible_wishes_are_refused_and_the_boards_flash_stays,
                                        new_board, clean_up),
        cmocka_unit_test_setup_teardown(a_file_that_is_gone_at_its_removal_is_reported, new_board,
                                        clean_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
