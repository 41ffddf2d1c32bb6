/* SPDX-License-Identifier: Apache-2.0
 *
 * Firmware under test: reads commands from the console and answers each with one line that
 * starts with "agent:". It never restarts by itself, so a test sees that a failed update leaves
 * the running firmware running.
 *
 *   ota URL    esp_https_ota() from URL; "agent: ota ok" or "agent: ota failed NAME (0xN)"
 *   restart    esp_restart()
 *   crash      writes through a null pointer
 *   abort      abort()
 *   listen N   takes one connection at TCP port N, after "agent: listening", and sends back what
 *              comes until the peer ends: "agent: echoed BYTES"
 *   where      "agent: running LABEL next LABEL boot LABEL"
 *   memory     "agent: heap SIZE free BYTES least BYTES stacks TASK=BYTES...": least is the least
 *              free heap ever, a stack's bytes were never used */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "esp_app_desc.h"
#include "esp_event.h"
#include "esp_heap_caps.h"
#include "esp_https_ota.h"
#include "esp_log.h"
#include "esp_netif.h"
#include "esp_ota_ops.h"
#include "esp_system.h"
#include "lwip/sockets.h"
#include "nvs_flash.h"
#include "protocol_examples_common.h"

static const char *TAG = "agent";

extern const char ca_cert[] asm("_binary_ca_cert_pem_start");

static esp_err_t update(const char *url)
{
    esp_http_client_config_t http = {
        .url = url,
        .cert_pem = ca_cert,
        .keep_alive_enable = true,
    };
    esp_https_ota_config_t ota = {.http_config = &http};
    return esp_https_ota(&ota);
}

static const char *label(const esp_partition_t *partition)
{
    return partition == NULL ? "none" : partition->label;
}

static void print_memory(void)
{
    static const char *const tasks[] = {"main", "sys_evt", "tcpip", "network"};
    printf("agent: heap %u free %u least %u stacks",
           (unsigned)heap_caps_get_total_size(MALLOC_CAP_DEFAULT),
           (unsigned)heap_caps_get_free_size(MALLOC_CAP_DEFAULT),
           (unsigned)heap_caps_get_minimum_free_size(MALLOC_CAP_DEFAULT));
    for (size_t i = 0; i < sizeof(tasks) / sizeof(tasks[0]); i++) {
        TaskHandle_t task = xTaskGetHandle(tasks[i]);
        if (task != NULL) {
            printf(" %s=%u", tasks[i], (unsigned)uxTaskGetStackHighWaterMark(task));
        }
    }
    printf("\n");
}

static void serve_echo(int listener)
{
    char buffer[256];
    int total = 0;
    int got = 0;
    int connection = accept(listener, NULL, NULL);
    while (connection >= 0 && (got = recv(connection, buffer, sizeof(buffer), 0)) > 0 &&
           send(connection, buffer, got, 0) == got) {
        total += got;
    }
    if (connection < 0 || got != 0) {
        printf("agent: the connection failed: %s\n", strerror(errno));
    } else {
        printf("agent: echoed %d\n", total);
    }
    close(connection);
}

static void listen_at(uint16_t port)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_ANY), .sin_port = htons(port)};
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    if (listener < 0 || bind(listener, (const struct sockaddr *)&address, sizeof(address)) != 0 ||
        listen(listener, 1) != 0) {
        printf("agent: cannot listen at port %u: %s\n", port, strerror(errno));
    } else {
        printf("agent: listening\n");
        fflush(stdout);
        serve_echo(listener);
    }
    close(listener);
}

static void obey(const char *line)
{
    if (strncmp(line, "ota ", 4) == 0) {
        esp_err_t err = update(line + 4);
        if (err == ESP_OK) {
            printf("agent: ota ok\n");
        } else {
            printf("agent: ota failed %s (0x%x)\n", esp_err_to_name(err), (unsigned)err);
        }
    } else if (strncmp(line, "listen ", 7) == 0) {
        listen_at((uint16_t)atoi(line + 7));
    } else if (strcmp(line, "restart") == 0) {
        esp_restart();
    } else if (strcmp(line, "crash") == 0) {
        *(volatile int *)NULL = 1;
    } else if (strcmp(line, "abort") == 0) {
        abort();
    } else if (strcmp(line, "where") == 0) {
        printf("agent: running %s next %s boot %s\n", label(esp_ota_get_running_partition()),
               label(esp_ota_get_next_update_partition(NULL)), label(esp_ota_get_boot_partition()));
    } else if (strcmp(line, "memory") == 0) {
        print_memory();
    } else {
        printf("agent: unknown command: %s\n", line);
    }
}

void app_main(void)
{
    esp_err_t err = nvs_flash_init();
    if (err == ESP_ERR_NVS_NO_FREE_PAGES || err == ESP_ERR_NVS_NEW_VERSION_FOUND) {
        ESP_ERROR_CHECK(nvs_flash_erase());
        err = nvs_flash_init();
    }
    ESP_ERROR_CHECK(err);
    ESP_ERROR_CHECK(esp_netif_init());
    ESP_ERROR_CHECK(esp_event_loop_create_default());
    ESP_ERROR_CHECK(example_connect());

    const esp_partition_t *running = esp_ota_get_running_partition();
    ESP_LOGI(TAG, "version %s in %s", esp_app_get_description()->version, label(running));

    if (CONFIG_AGENT_AUTO_URL[0] != '\0' && running->subtype == ESP_PARTITION_SUBTYPE_APP_FACTORY) {
        if (update(CONFIG_AGENT_AUTO_URL) == ESP_OK) {
            esp_restart();
        }
        ESP_LOGE(TAG, "automatic update failed");
    }

    ESP_ERROR_CHECK(example_configure_stdin_stdout());
    static char line[512];
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
    ESP_LOGI(TAG, "console closed");
    vTaskDelete(NULL);
}
