/* SPDX-License-Identifier: Apache-2.0
 *
 * Firmware under test, with anti-rollback: obeys commands of the console, each answered by a line
 * that starts with "agent:".
 *
 *   ota URL    esp_https_ota() from URL; "agent: ota ok" or "agent: ota failed NAME"
 *   confirm    confirms the running app; "agent: confirm NAME"
 *   secure     "agent: secure version N of the chip"
 *   restart    esp_restart() */
#include <stdio.h>
#include <string.h>

#include "esp_app_desc.h"
#include "esp_efuse.h"
#include "esp_event.h"
#include "esp_https_ota.h"
#include "esp_netif.h"
#include "esp_ota_ops.h"
#include "esp_system.h"
#include "nvs_flash.h"
#include "protocol_examples_common.h"

extern const char ca_cert[] asm("_binary_ca_cert_pem_start");

static void obey(const char *line)
{
    if (strncmp(line, "ota ", 4) == 0) {
        esp_http_client_config_t http = {.url = line + 4, .cert_pem = ca_cert};
        esp_https_ota_config_t ota = {.http_config = &http};
        esp_err_t err = esp_https_ota(&ota);
        if (err == ESP_OK) {
            printf("agent: ota ok\n");
        } else {
            printf("agent: ota failed %s\n", esp_err_to_name(err));
        }
    } else if (strcmp(line, "confirm") == 0) {
        printf("agent: confirm %s\n", esp_err_to_name(esp_ota_mark_app_valid_cancel_rollback()));
    } else if (strcmp(line, "secure") == 0) {
        printf("agent: secure version %u of the chip\n", (unsigned)esp_efuse_read_secure_version());
    } else if (strcmp(line, "restart") == 0) {
        esp_restart();
    } else {
        printf("agent: unknown command: %s\n", line);
    }
}

void app_main(void)
{
    ESP_ERROR_CHECK(nvs_flash_init());
    ESP_ERROR_CHECK(esp_netif_init());
    ESP_ERROR_CHECK(esp_event_loop_create_default());
    ESP_ERROR_CHECK(example_connect());

    const esp_app_desc_t *app = esp_app_get_description();
    printf("agent: version %s secure %u in %s\n", app->version, (unsigned)app->secure_version,
           esp_ota_get_running_partition()->label);
    ESP_ERROR_CHECK(example_configure_stdin_stdout());
    static char line[256];
    for (;;) {
        printf("agent: ready\n");
        fflush(stdout);
        if (fgets(line, sizeof(line), stdin) == NULL) {
            break;
        }
        line[strcspn(line, "\r\n")] = '\0';
        obey(line);
        fflush(stdout);
    }
}
