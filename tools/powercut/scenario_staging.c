/* SPDX-License-Identifier: Apache-2.0
 *
 * Bootloader and partition table replaced through a slot, with a copy at the end. A chip has one
 * place for each: while the copy is written there is no whole one, and a cut then cannot be
 * survived, here as there. Every other cut must be. */
#include <stdlib.h>
#include <string.h>

#include "airlift_powercut.h"
#include "esp_flash.h"
#include "esp_ota_ops.h"
#include "esp_partition.h"
#include "formats/bootloader_desc.h"
#include "formats/image.h"
#include "formats/partition_table.h"
#include "mbedtls/sha256.h"

#define CHUNK     4096u
#define NEW_LABEL "added"

static const esp_partition_t *find_bootloader(void)
{
    return esp_partition_find_first(ESP_PARTITION_TYPE_BOOTLOADER,
                                    ESP_PARTITION_SUBTYPE_BOOTLOADER_PRIMARY, NULL);
}

static const esp_partition_t *find_table(void)
{
    return esp_partition_find_first(ESP_PARTITION_TYPE_PARTITION_TABLE,
                                    ESP_PARTITION_SUBTYPE_PARTITION_TABLE_PRIMARY, NULL);
}

static const char *needs_slot(void)
{
    const esp_partition_t *next = esp_ota_get_next_update_partition(NULL);
    return next == NULL || next == esp_ota_get_running_partition()
               ? "the partition table has no slot to stage in"
               : NULL;
}

static void *allocate(size_t size)
{
    void *memory = malloc(size);
    if (memory == NULL) {
        airlift_powercut_lost("no memory for %u bytes", (unsigned)size);
    }
    return memory;
}

static void replace(const esp_partition_t *final, const uint8_t *content, size_t size)
{
    const esp_partition_t *slot = esp_ota_get_next_update_partition(NULL);
    esp_ota_handle_t handle;
    /* The whole of final is copied, so the whole of it must have been erased. */
    airlift_powercut_must(esp_ota_begin(slot, final->size, &handle), "esp_ota_begin");
    airlift_powercut_must(esp_ota_set_final_partition(handle, final, true),
                          "esp_ota_set_final_partition");
    for (size_t at = 0; at < size; at += CHUNK) {
        airlift_powercut_must(
            esp_ota_write(handle, content + at, size - at < CHUNK ? size - at : CHUNK),
            "esp_ota_write");
    }
    airlift_powercut_must(esp_ota_end(handle), "esp_ota_end");
}

/* --- bootloader --- */

static const char *needs_bootloader(void)
{
    return find_bootloader() == NULL
               ? "the partition table has no entry of type bootloader, subtype primary"
               : needs_slot();
}

static uint32_t bootloader_version(void)
{
    esp_bootloader_desc_t desc;
    airlift_powercut_must(esp_ota_get_bootloader_description(NULL, &desc),
                          "reading the bootloader's description");
    return desc.version;
}

static void prepare_bootloader(void)
{
    airlift_powercut_done("old", bootloader_version());
}

/* The bootloader in flash with its version raised by one, checksum and hash made anew. */
static size_t next_bootloader(const esp_partition_t *partition, uint8_t *image)
{
    airlift_powercut_must(esp_partition_read(partition, 0, image, partition->size),
                          "reading the bootloader");
    fmt_bootloader_desc_t desc;
    uint8_t *raw = image + FMT_BOOTLOADER_DESC_IMAGE_OFFSET;
    memcpy(&desc, raw, sizeof(desc));
    desc.version++;
    memcpy(raw, &desc, sizeof(desc));
    fmt_image_header_t header;
    fmt_image_header_decode(image, &header);
    uint8_t sum = FMT_IMAGE_CHECKSUM_SEED;
    size_t at = FMT_IMAGE_HEADER_SIZE;
    for (unsigned i = 0; i < header.segment_count && at + 8 < partition->size; i++) {
        uint32_t len;
        memcpy(&len, image + at + 4, sizeof(len));
        at += FMT_IMAGE_SEGMENT_HEADER_SIZE;
        if (len > partition->size - at) {
            airlift_powercut_lost("the bootloader's partition is smaller than its image");
        }
        sum = fmt_image_checksum(sum, image + at, len);
        at += len;
    }
    at = fmt_image_checksum_offset((uint32_t)at);
    if (at + 1 + FMT_IMAGE_DIGEST_SIZE > partition->size) {
        airlift_powercut_lost("the bootloader's partition is smaller than its image");
    }
    image[at++] = sum;
    if (header.hash_appended) {
        mbedtls_sha256(image, at, image + at, 0);
        at += FMT_IMAGE_DIGEST_SIZE;
    }
    return at;
}

static void run_bootloader(void)
{
    uint32_t old = 0;
    airlift_powercut_was_done("old", &old);
    if (bootloader_version() == old) {
        const esp_partition_t *final = find_bootloader();
        uint8_t *image = allocate(final->size);
        replace(final, image, next_bootloader(final, image));
        free(image);
        airlift_powercut_done("new", old + 1);
    }
}

static void check_bootloader(void)
{
    uint32_t wanted;
    if (airlift_powercut_was_done("new", &wanted) && bootloader_version() != wanted) {
        airlift_powercut_lost("bootloader %u was reported installed, but it is %u",
                              (unsigned)wanted, (unsigned)bootloader_version());
    }
}

AIRLIFT_POWERCUT_SCENARIO(bootloader, .name = "bootloader",
                          .summary = "a new bootloader, staged in a slot and copied",
                          .skip = needs_bootloader, .prepare = prepare_bootloader,
                          .run = run_bootloader, .check = check_bootloader,
                          .replaces_boot_area = true)

/* --- partition table --- */

static uint32_t flash_end(void)
{
    uint32_t size = 0;
    airlift_powercut_must(esp_flash_get_size(NULL, &size), "esp_flash_get_size");
    return size;
}

static const char *needs_table(void)
{
    if (find_table() == NULL) {
        return "the partition table has no entry of type partition_table, subtype primary";
    }
    uint32_t end = 0;
    esp_partition_iterator_t it =
        esp_partition_find(ESP_PARTITION_TYPE_ANY, ESP_PARTITION_SUBTYPE_ANY, NULL);
    for (; it != NULL; it = esp_partition_next(it)) {
        const esp_partition_t *partition = esp_partition_get(it);
        if (partition->address + partition->size > end) {
            end = partition->address + partition->size;
        }
    }
    if (end > flash_end() - 0x1000) {
        return "the flash has no free sector at its end for one more partition";
    }
    return needs_slot();
}

static const esp_partition_t *find_added(void)
{
    return esp_partition_find_first(ESP_PARTITION_TYPE_ANY, ESP_PARTITION_SUBTYPE_ANY, NEW_LABEL);
}

/* The table in flash with one row more. */
static void next_table(const esp_partition_t *partition, uint8_t *raw)
{
    fmt_partition_t rows[FMT_PARTITION_TABLE_LEN / FMT_PARTITION_ROW_SIZE];
    size_t count = 0;
    airlift_powercut_must(esp_partition_read(partition, 0, raw, FMT_PARTITION_TABLE_LEN),
                          "reading the table");
    while (fmt_partition_row_decode(raw + count * FMT_PARTITION_ROW_SIZE, &rows[count]) ==
           FMT_ROW_ENTRY) {
        count++;
    }
    rows[count++] = (fmt_partition_t){.type = 0x40,
                                      .subtype = 0,
                                      .offset = flash_end() - 0x1000,
                                      .size = 0x1000,
                                      .label = NEW_LABEL};
    memset(raw, 0xFF, partition->size);
    airlift_powercut_must(fmt_partition_table_encode(rows, count, true, raw), "making the table");
}

static void run_table(void)
{
    if (find_added() == NULL) {
        uint32_t done;
        if (airlift_powercut_was_done("table", &done)) {
            airlift_powercut_lost("the new table was reported installed, but the old one is there");
        }
        const esp_partition_t *final = find_table();
        uint8_t *raw = allocate(final->size);
        next_table(final, raw);
        replace(final, raw, FMT_PARTITION_TABLE_LEN);
        free(raw);
        airlift_powercut_done("table", 1);
    }
}

AIRLIFT_POWERCUT_SCENARIO(table, .name = "partition-table",
                          .summary = "a new partition table, staged in a slot and copied",
                          .skip = needs_table, .run = run_table, .replaces_boot_area = true)
