/* SPDX-License-Identifier: Apache-2.0 */
#include "bootloader.h"
#include "config.h"
#include "hal/flash.h"
#include "log.h"

static const char TAG[] = "boot";

static void print_row(unsigned number, const uint8_t *row)
{
    fmt_partition_t entry;
    fmt_partition_row_decode(row, &entry);
    for (char *c = entry.label; *c != '\0'; c++) {
        /* Whatever is in flash, the console stays readable. */
        if ((unsigned char)*c < 0x20 || (unsigned char)*c == 0x7F) {
            *c = '?';
        }
    }
    boot_log('I', TAG, "%2d %-16s %-16s %02x %02x %08x %08x", (int)number, entry.label,
             fmt_partition_usage(entry.type, entry.subtype), entry.type, entry.subtype,
             (unsigned)entry.offset, (unsigned)entry.size);
}

bool boot_table_read(boot_table_t *table, uint32_t flash_size)
{
    esp_err_t err = hal_flash_read(CONFIG_PARTITION_TABLE_OFFSET, table->rows, sizeof(table->rows));
    if (err != ESP_OK) {
        boot_log('E', TAG, "cannot read the partition table at 0x%x: error 0x%x",
                 (unsigned)CONFIG_PARTITION_TABLE_OFFSET, (unsigned)err);
        return false;
    }
    fmt_table_report_t report;
    err = fmt_partition_table_check(table->rows, sizeof(table->rows), flash_size, &report);
    if (err != ESP_OK) {
        fmt_log_line_t line;
        if (fmt_table_report_line(&report, &line)) {
            boot_log_line(&line);
        }
        boot_log('E', TAG, "Failed to verify partition table");
        return false;
    }
    table->count = report.count;
    boot_log('I', TAG, "Partition Table:");
    boot_log('I', TAG, "## Label            Usage          Type ST Offset   Length");
    for (unsigned i = 0; i < table->count; i++) {
        print_row(i, table->rows + (size_t)i * FMT_PARTITION_ROW_SIZE);
    }
    boot_log('I', TAG, "End of partition table");
    fmt_boot_table_scan(table->rows, table->count, &table->roles);
    return true;
}
