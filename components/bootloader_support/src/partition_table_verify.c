/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/partition_table.h"

#include "esp_flash.h"
#include "esp_flash_partitions.h"
#include "log_line.h"

_Static_assert(sizeof(esp_partition_info_t) == FMT_PARTITION_ROW_SIZE, "one row layout");

esp_err_t esp_partition_table_verify(const esp_partition_info_t *partition_table, bool log_errors,
                                     int *num_partitions)
{
    if (partition_table == NULL || num_partitions == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    *num_partitions = 0;
    uint32_t flash_size;
    esp_err_t err = esp_flash_get_size(NULL, &flash_size);
    if (err != ESP_OK) {
        return err;
    }
    fmt_table_report_t report;
    err = fmt_partition_table_check((const uint8_t *)partition_table, ESP_PARTITION_TABLE_MAX_LEN,
                                    flash_size, &report);
    if (err != ESP_OK) {
        fmt_log_line_t line;
        if (log_errors && fmt_table_report_line(&report, &line)) {
            log_line_print(&line);
        }
        return err;
    }
    *num_partitions = (int)report.count;
    return ESP_OK;
}
