/* SPDX-License-Identifier: Apache-2.0
 *
 * The secure version in emulated eFuses: in a partition, or in RAM. */
#include "esp_efuse.h"

#include "esp_log.h"
#include "esp_partition.h"
#include "esp_private/storage_lock.h"
#include "formats/efuse.h"
#include "sdkconfig.h"

#ifndef CONFIG_BOOTLOADER_APP_SEC_VER_SIZE_EFUSE_FIELD
#define CONFIG_BOOTLOADER_APP_SEC_VER_SIZE_EFUSE_FIELD FMT_EFUSE_VERSION_BITS
#endif

#define VERSION_BITS ((unsigned)CONFIG_BOOTLOADER_APP_SEC_VER_SIZE_EFUSE_FIELD)

static storage_lock_t s_lock = STORAGE_LOCK_INITIALIZER;
static fmt_efuse_t s_efuse;

#ifdef CONFIG_EFUSE_VIRTUAL_KEEP_IN_FLASH

static esp_err_t io_read(void *partition, uint32_t offset, void *dst, size_t len)
{
    return esp_partition_read(partition, offset, dst, len);
}

static esp_err_t io_program(void *partition, uint32_t offset, const void *src, size_t len)
{
    return esp_partition_write(partition, offset, src, len);
}

static esp_err_t io_erase_sector(void *partition, uint32_t offset)
{
    return esp_partition_erase_range(partition, offset, 0x1000);
}

/* Finds the partition. In *io, or NULL for fuses that are in RAM alone. */
static const fmt_efuse_io_t *fuses_io(fmt_efuse_io_t *io)
{
    const esp_partition_t *partition = esp_partition_find_first(
        ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_DATA_EFUSE_EM, NULL);
    *io = (fmt_efuse_io_t){
        .read = io_read,
        .program = io_program,
        .erase_sector = io_erase_sector,
        .context = (void *)partition, /* which the three do not change */
    };
    s_efuse.partition_size = partition != NULL ? partition->size : 0;
    return io;
}

#else

static const fmt_efuse_io_t *fuses_io(fmt_efuse_io_t *io)
{
    (void)io;
    return NULL;
}

#endif

static void print(const fmt_log_line_t *line)
{
    esp_log_level_t level = line->level == 'I'   ? ESP_LOG_INFO
                            : line->level == 'W' ? ESP_LOG_WARN
                                                 : ESP_LOG_ERROR;
    if (line->text[0] != '\0') {
        ESP_LOG_LEVEL(level, line->tag, "%s", line->text);
    }
}

uint32_t esp_efuse_read_secure_version(void)
{
    fmt_efuse_io_t io;
    fmt_log_line_t line;

    storage_lock(&s_lock);
    (void)fmt_efuse_open(fuses_io(&io), &s_efuse, &line);
    uint32_t version = fmt_efuse_secure_version(&s_efuse, VERSION_BITS);
    storage_unlock(&s_lock);
    print(&line);
    return version;
}

bool esp_efuse_check_secure_version(uint32_t v)
{
    return v >= esp_efuse_read_secure_version();
}

esp_err_t esp_efuse_update_secure_version(uint32_t v)
{
    fmt_efuse_io_t io;
    fmt_log_line_t line;

    storage_lock(&s_lock);
    esp_err_t err = fmt_efuse_raise_secure_version(fuses_io(&io), &s_efuse, VERSION_BITS, v, &line);
    storage_unlock(&s_lock);
    print(&line);
    return err;
}

bool esp_efuse_is_flash_encryption_enabled(void)
{
    return false;
}
