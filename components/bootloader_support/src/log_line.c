/* SPDX-License-Identifier: Apache-2.0 */
#include "log_line.h"

#include "esp_log.h"

void log_line_print(const fmt_log_line_t *line)
{
    switch (line->level) {
    case 'E':
        ESP_LOGE(line->tag, "%s", line->text);
        break;
    case 'W':
        ESP_LOGW(line->tag, "%s", line->text);
        break;
    case 'I':
        ESP_LOGI(line->tag, "%s", line->text);
        break;
    case 'D':
        ESP_LOGD(line->tag, "%s", line->text);
        break;
    default:
        ESP_LOGV(line->tag, "%s", line->text);
        break;
    }
}
