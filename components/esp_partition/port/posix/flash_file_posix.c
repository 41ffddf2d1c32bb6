/* SPDX-License-Identifier: Apache-2.0
 *
 * A flash in a file of the host. */
#include "flash_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "formats/partition_table.h"

#include "esp_flash_internal.h"
#include "esp_flash_partitions.h"
#include "esp_log.h"
#include "esp_private/partition_linux.h"

static const char TAG[] = "partition";

#define SECTOR       4096u
#define SIZE_MAX_MIB 128u

static esp_partition_file_mmap_ctrl_t input;
static esp_partition_file_mmap_ctrl_t act;
static uint8_t *memory; /* of the file; NULL: the board's flash is used */

esp_partition_file_mmap_ctrl_t *esp_partition_get_file_mmap_ctrl_input(void)
{
    return &input;
}

esp_partition_file_mmap_ctrl_t *esp_partition_get_file_mmap_ctrl_act(void)
{
    uint32_t size;
    if (memory == NULL) {
        act.flash_file_size = esp_flash_get_size(NULL, &size) == ESP_OK ? size : 0;
    }
    return &act;
}

bool flash_file_wished(void)
{
    return input.flash_file_name[0] != '\0' || input.flash_file_size != 0 ||
           input.partition_file_name[0] != '\0';
}

static esp_err_t fail(esp_err_t err, const char *what, const char *why)
{
    ESP_LOGE(TAG, "%s: %s", what, why);
    return err;
}

/* The table sector of a new flash: of the file that is named, or of the flash used so far (which
 * need not have one: then it is erased). *end: where the last partition ends. */
static esp_err_t read_table(uint8_t table[FMT_PARTITION_TABLE_SECTOR], uint32_t *end)
{
    const char *name = input.partition_file_name;
    memset(table, 0xFF, FMT_PARTITION_TABLE_SECTOR);
    if (name[0] == '\0') {
        if (esp_flash_read(NULL, table, ESP_PARTITION_TABLE_OFFSET, FMT_PARTITION_TABLE_SECTOR) !=
            ESP_OK) {
            memset(table, 0xFF, FMT_PARTITION_TABLE_SECTOR);
        }
    } else {
        int fd = open(name, O_RDONLY | O_CLOEXEC);
        if (fd < 0) {
            return fail(ESP_ERR_NOT_FOUND, name, strerror(errno));
        }
        ssize_t len = read(fd, table, FMT_PARTITION_TABLE_SECTOR);
        close(fd);
        if (len < 0) {
            return fail(ESP_ERR_NOT_FOUND, name, strerror(errno));
        }
    }
    fmt_table_report_t report;
    *end = 0;
    if (fmt_partition_table_load(table, FMT_PARTITION_TABLE_SECTOR, WITH_MD5, &report) != ESP_OK) {
        return name[0] == '\0' ? ESP_OK
                               : fail(ESP_ERR_INVALID_ARG, name, "it holds no valid table");
    }
    for (unsigned i = 0; i < report.count; i++) {
        fmt_partition_t entry;
        fmt_partition_row_decode(table + i * FMT_PARTITION_ROW_SIZE, &entry);
        uint64_t last = (uint64_t)entry.offset + entry.size;
        *end = last > UINT32_MAX ? UINT32_MAX : last > *end ? (uint32_t)last : *end;
    }
    return ESP_OK;
}

static esp_err_t map(int fd, const char *name, size_t size, esp_err_t err)
{
    void *bytes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (bytes == MAP_FAILED) {
        return fail(err, name, strerror(errno));
    }
    err = esp_flash_replace(bytes, (uint32_t)size);
    if (err != ESP_OK) {
        munmap(bytes, size);
        return err;
    }
    memory = bytes;
    return ESP_OK;
}

static bool size_possible(uint64_t size)
{
    return size != 0 && size % SECTOR == 0 && size <= (uint64_t)SIZE_MAX_MIB << 20;
}

static esp_err_t open_file(void)
{
    const char *name = input.flash_file_name;
    struct stat info;
    if (input.flash_file_size != 0 || input.partition_file_name[0] != '\0') {
        return fail(ESP_ERR_INVALID_ARG, name, "a flash file brings its own size and table");
    }
    int fd = open(name, O_RDWR | O_CLOEXEC);
    if (fd < 0) {
        return fail(errno == ENOENT ? ESP_ERR_NOT_FOUND : ESP_ERR_NOT_FINISHED, name,
                    strerror(errno));
    }
    esp_err_t err = ESP_ERR_NOT_FINISHED;
    if (fstat(fd, &info) != 0) {
        fail(err, name, strerror(errno));
    } else if (!S_ISREG(info.st_mode) || !size_possible((uint64_t)info.st_size)) {
        fail(err, name, "not a flash file: its size is no multiple of 4096 up to 128 MiB");
    } else {
        err = map(fd, name, (size_t)info.st_size, err);
    }
    close(fd);
    if (err == ESP_OK) {
        act = input;
        act.flash_file_size = (size_t)info.st_size;
    }
    return err;
}

static esp_err_t make_file(void)
{
    static uint8_t table[FMT_PARTITION_TABLE_SECTOR]; /* too large for a task's stack */
    uint32_t end;
    esp_err_t err = read_table(table, &end);
    if (err != ESP_OK) {
        return err;
    }
    uint64_t size = input.flash_file_size;
    if (size == 0) {
        size = ((uint64_t)end + SECTOR - 1) / SECTOR * SECTOR;
    }
    if (!size_possible(size) || size < ESP_PARTITION_TABLE_OFFSET + FMT_PARTITION_TABLE_SECTOR ||
        size < end) {
        return fail(ESP_ERR_INVALID_SIZE, "flash_file_size",
                    "must be a multiple of 4096 up to 128 MiB that holds all partitions");
    }
    const char *folder = getenv("TMPDIR");
    esp_partition_file_mmap_ctrl_t made = input;
    int len = snprintf(made.flash_file_name, sizeof(made.flash_file_name),
                       "%s/idf-partition-XXXXXX", folder != NULL ? folder : "/tmp");
    if (len < 0 || (size_t)len >= sizeof(made.flash_file_name)) {
        return fail(ESP_ERR_NOT_FINISHED, "TMPDIR", "the name is too long");
    }
    int fd = mkostemp(made.flash_file_name, O_CLOEXEC);
    if (fd < 0) {
        return fail(ESP_ERR_NOT_FINISHED, made.flash_file_name, strerror(errno));
    }
    if (posix_fallocate(fd, 0, (off_t)size) != 0) {
        err = fail(ESP_ERR_INVALID_SIZE, made.flash_file_name, "there is no room for it");
    } else {
        err = map(fd, made.flash_file_name, (size_t)size, ESP_ERR_NO_MEM);
    }
    close(fd);
    if (err != ESP_OK) {
        unlink(made.flash_file_name);
        return err;
    }
    memset(memory, 0xFF, (size_t)size);
    memcpy(memory + ESP_PARTITION_TABLE_OFFSET, table, sizeof(table));
    made.flash_file_size = (size_t)size;
    act = made;
    return ESP_OK;
}

esp_err_t flash_file_open(void)
{
    if (!flash_file_wished()) {
        return ESP_OK;
    }
    if (memory != NULL) {
        return fail(ESP_ERR_NOT_FINISHED, act.flash_file_name,
                    "is in use; call esp_partition_file_munmap() first");
    }
    esp_err_t err = input.flash_file_name[0] != '\0' ? open_file() : make_file();
    if (err == ESP_OK) {
        memset(&input, 0, sizeof(input));
    }
    return err;
}

esp_err_t flash_file_close(void)
{
    if (memory == NULL) {
        return ESP_OK;
    }
    esp_err_t err = esp_flash_replace(NULL, 0);
    if (munmap(memory, act.flash_file_size) != 0) {
        err = fail(ESP_ERR_INVALID_RESPONSE, act.flash_file_name, strerror(errno));
    }
    memory = NULL;
    if (act.remove_dump && unlink(act.flash_file_name) != 0) {
        err = fail(errno == ENOENT ? ESP_ERR_NOT_FOUND : ESP_ERR_INVALID_RESPONSE,
                   act.flash_file_name, strerror(errno));
    }
    memset(&act, 0, sizeof(act));
    return err;
}
