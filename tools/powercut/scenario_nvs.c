/* SPDX-License-Identifier: Apache-2.0
 *
 * NVS: values of every kind, rewritten until pages have been collected several times. */
#include <stdio.h>
#include <string.h>

#include "airlift_powercut.h"
#include "esp_partition.h"
#include "nvs_flash.h"

#define ROUNDS   16u
#define BLOB_MAX 700u

static const char *needs_nvs(void)
{
    return esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_DATA_NVS,
                                    NULL) == NULL
               ? "the partition table has no nvs"
               : NULL;
}

static size_t blob_of(uint32_t round, uint8_t blob[BLOB_MAX])
{
    size_t len = 100 + round * 97 % 600;
    for (size_t i = 0; i < len; i++) {
        blob[i] = (uint8_t)(i * 13 + round);
    }
    return len;
}

/* Which round the value belongs to: first or second. */
static uint32_t round_of_text(nvs_handle_t nvs, uint32_t first, uint32_t second)
{
    char text[64];
    char wanted[64];
    size_t len = sizeof(text);
    esp_err_t err = nvs_get_str(nvs, "text", text, &len);
    for (uint32_t round = first; err == ESP_OK; round = second) {
        snprintf(wanted, sizeof(wanted), "the text of round %u", (unsigned)round);
        if (strcmp(text, wanted) == 0) {
            return round;
        }
        if (round == second) {
            break;
        }
    }
    airlift_powercut_lost("nvs: \"text\" is neither of round %u nor of %u (error 0x%x)",
                          (unsigned)first, (unsigned)second, (unsigned)err);
}

static void check_blob(nvs_handle_t nvs, uint32_t first, uint32_t second)
{
    static uint8_t blob[BLOB_MAX];
    static uint8_t wanted[BLOB_MAX];
    size_t len = sizeof(blob);
    esp_err_t err = nvs_get_blob(nvs, "blob", blob, &len);
    bool is_first =
        err == ESP_OK && blob_of(first, wanted) == len && memcmp(blob, wanted, len) == 0;
    bool is_second =
        err == ESP_OK && blob_of(second, wanted) == len && memcmp(blob, wanted, len) == 0;
    if (!is_first && !is_second) {
        airlift_powercut_lost("nvs: \"blob\" is neither of round %u nor of %u (error 0x%x)",
                              (unsigned)first, (unsigned)second, (unsigned)err);
    }
}

/* Every value that was reported written is there, or the next one's is. Returns the round. */
static uint32_t read_back(nvs_handle_t nvs)
{
    uint32_t reported = 0;
    uint32_t round = 0;
    uint8_t fixed = 0;
    airlift_powercut_was_done("round", &reported);
    esp_err_t err = nvs_get_u32(nvs, "round", &round);
    if (reported == 0 && err == ESP_ERR_NVS_NOT_FOUND) {
        return 0;
    }
    if (err != ESP_OK || (round != reported && round != reported + 1)) {
        airlift_powercut_lost("nvs: round is %u (error 0x%x), but %u was reported written",
                              (unsigned)round, (unsigned)err, (unsigned)reported);
    }
    err = nvs_get_u8(nvs, "fixed", &fixed);
    if (err != ESP_OK || fixed != 42) {
        airlift_powercut_lost("nvs: a value that never changes is %u (error 0x%x)", fixed,
                              (unsigned)err);
    }
    if (reported > 0) {
        round_of_text(nvs, reported, reported + 1);
        check_blob(nvs, reported, reported + 1);
    }
    return round;
}

/* The round is written last: once it is there, so is the rest. */
static void write_round(nvs_handle_t nvs, uint32_t round)
{
    static uint8_t blob[BLOB_MAX];
    char text[64];
    size_t len = blob_of(round, blob);
    snprintf(text, sizeof(text), "the text of round %u", (unsigned)round);
    airlift_powercut_must(nvs_set_u8(nvs, "fixed", 42), "nvs_set_u8");
    airlift_powercut_must(nvs_set_str(nvs, "text", text), "nvs_set_str");
    airlift_powercut_must(nvs_set_blob(nvs, "blob", blob, len), "nvs_set_blob");
    airlift_powercut_must(nvs_set_u32(nvs, "round", round), "nvs_set_u32");
    airlift_powercut_must(nvs_commit(nvs), "nvs_commit");
    airlift_powercut_done("round", round);
    if (round % 4 == 0) {
        esp_err_t err = nvs_erase_key(nvs, "passing");
        if (err != ESP_OK && err != ESP_ERR_NVS_NOT_FOUND) {
            airlift_powercut_must(err, "nvs_erase_key");
        }
    } else {
        airlift_powercut_must(nvs_set_i64(nvs, "passing", -(int64_t)round), "nvs_set_i64");
    }
}

static void run_nvs(void)
{
    nvs_handle_t nvs;
    airlift_powercut_must(nvs_flash_init(), "nvs_flash_init");
    airlift_powercut_must(nvs_open("powercut", NVS_READWRITE, &nvs), "nvs_open");
    uint32_t round = read_back(nvs);
    if (round > 0) {
        airlift_powercut_done("round", round);
    }
    while (round < ROUNDS) {
        write_round(nvs, ++round);
    }
    nvs_close(nvs);
    airlift_powercut_must(nvs_flash_deinit(), "nvs_flash_deinit");
}

static void check_nvs(void)
{
    nvs_handle_t nvs;
    airlift_powercut_must(nvs_flash_init(), "nvs_flash_init");
    airlift_powercut_must(nvs_open("powercut", NVS_READONLY, &nvs), "nvs_open");
    if (read_back(nvs) != ROUNDS) {
        airlift_powercut_lost("nvs: the last round is not there");
    }
    nvs_close(nvs);
    airlift_powercut_must(nvs_flash_deinit(), "nvs_flash_deinit");
}

AIRLIFT_POWERCUT_SCENARIO(nvs, .name = "nvs",
                          .summary = "NVS writes of every kind, with page collection",
                          .skip = needs_nvs, .run = run_nvs, .check = check_nvs)
