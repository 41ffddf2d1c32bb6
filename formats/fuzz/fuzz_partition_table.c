/* SPDX-License-Identifier: Apache-2.0
 *
 * Both readers of the partition table, and the round trip of what they accept. */
#include "fuzz.h"

#include <string.h>

#include "formats/boot_select.h"
#include "formats/partition_table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fmt_partition_t entries[FMT_PARTITION_TABLE_ROWS];
    uint8_t again[FMT_PARTITION_TABLE_LEN];
    fmt_table_report_t report, report2;
    fmt_boot_table_t roles;
    fmt_log_line_t line;
    unsigned count = 0;
    bool plain = true;

    fmt_partition_table_load(data, size, true, &report);
    fmt_table_report_line(&report, &line);
    fmt_partition_table_load(data, size, false, &report);
    CHECK(report.count * FMT_PARTITION_ROW_SIZE <= size);
    if (fmt_partition_table_check(data, size, 0x1000000, &report) != ESP_OK) {
        CHECK(report.count == 0);
        CHECK(fmt_table_report_line(&report, &line));
        return 0;
    }
    CHECK(report.reason == FMT_TABLE_OK && report.count < FMT_PARTITION_TABLE_ROWS);
    CHECK(report.count * FMT_PARTITION_ROW_SIZE < size);
    fmt_boot_table_scan(data, report.count, &roles);
    for (int i = -2; i < 100; i++) {
        fmt_boot_position(&roles, i);
    }
    for (unsigned i = 0; i < report.count; i++) {
        const uint8_t *row = data + i * FMT_PARTITION_ROW_SIZE;

        if (fmt_partition_row_decode(row, &entries[count]) != FMT_ROW_ENTRY) {
            plain = false; /* entries behind an MD5 row */
            continue;
        }
        CHECK(strlen(entries[count].label) <= FMT_PARTITION_LABEL_MAX);
        CHECK(entries[count].offset <= 0x1000000 &&
              entries[count].size <= 0x1000000 - entries[count].offset);
        fmt_partition_usage(entries[count].type, entries[count].subtype);
        count++;
    }
    if (plain && fmt_partition_table_encode(entries, count, true, again) == ESP_OK) {
        CHECK(fmt_partition_table_check(again, sizeof(again), 0x1000000, &report2) == ESP_OK);
        CHECK(report2.count == count && report2.has_md5);
    }
    return 0;
}
