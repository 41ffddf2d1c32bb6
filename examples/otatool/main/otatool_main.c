/* SPDX-License-Identifier: Apache-2.0
 *
 * Says which partition it runs from and what the others hold. What boots is changed from the host,
 * with otatool. */
#include <stdio.h>

#include "esp_log.h"
#include "esp_ota_ops.h"
#include "esp_partition.h"
#include "esp_system.h"

static const char *TAG = "example";

static void show_app_partitions(void)
{
    const esp_partition_t *boot = esp_ota_get_boot_partition();
    esp_partition_iterator_t at =
        esp_partition_find(ESP_PARTITION_TYPE_APP, ESP_PARTITION_SUBTYPE_ANY, NULL);

    for (; at != NULL; at = esp_partition_next(at)) {
        const esp_partition_t *partition = esp_partition_get(at);
        const char *next = partition == boot ? ", the boot records' choice" : "";
        esp_app_desc_t app;

        if (esp_ota_get_partition_description(partition, &app) == ESP_OK) {
            ESP_LOGI(TAG, "%s: %.*s version %.*s%s", partition->label,
                     (int)sizeof(app.project_name), app.project_name, (int)sizeof(app.version),
                     app.version, next);
        } else {
            ESP_LOGI(TAG, "%s: no application%s", partition->label, next);
        }
    }
}

void app_main(void)
{
    ESP_LOGI(TAG, "OTA Tool Example");
    show_app_partitions();
    ESP_LOGI(TAG, "Running partition: %s", esp_ota_get_running_partition()->label);
    ESP_LOGI(TAG, "Example end");
}
