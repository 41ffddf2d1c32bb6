/* SPDX-License-Identifier: Apache-2.0
 *
 * The smallest updating application: connects to the network, downloads an image over HTTPS into
 * the next slot, restarts into it. */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "esp_app_desc.h"
#include "esp_event.h"
#include "esp_http_client.h"
#include "esp_https_ota.h"
#include "esp_log.h"
#include "esp_netif.h"
#include "esp_ota_ops.h"
#include "esp_system.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "nvs_flash.h"
#include "protocol_examples_common.h"
#ifdef CONFIG_EXAMPLE_USE_CERT_BUNDLE
#include "esp_crt_bundle.h"
#endif
#ifdef CONFIG_EXAMPLE_CONNECT_WIFI
#include "esp_wifi.h"
#endif

#define URL_SIZE 256

static const char *TAG = "simple_ota_example";

/* server_certs/ca_cert.pem, embedded by main/CMakeLists.txt. */
extern const char server_cert_pem_start[] asm("_binary_ca_cert_pem_start");

/* What was downloaded so far, for the progress lines. */
typedef struct {
    size_t total; /* 0: the server does not say */
    size_t received;
    unsigned shown; /* percent, or 64 KiB steps while the total is unknown */
} download_t;

static void show_progress(download_t *download)
{
    if (download->total > 0) {
        unsigned percent = (unsigned)((uint64_t)download->received * 100 / download->total);

        if (percent / 10 > download->shown / 10) {
            download->shown = percent;
            ESP_LOGI(TAG, "Downloaded %u %% (%u of %u KiB)", percent,
                     (unsigned)(download->received / 1024), (unsigned)(download->total / 1024));
        }
    } else if (download->received / 65536 > download->shown) {
        download->shown = (unsigned)(download->received / 65536);
        ESP_LOGI(TAG, "Downloaded %u KiB", (unsigned)(download->received / 1024));
    }
}

static esp_err_t on_http_event(esp_http_client_event_t *event)
{
    download_t *download = event->user_data;

    switch (event->event_id) {
    case HTTP_EVENT_ON_CONNECTED:
        ESP_LOGI(TAG, "Connected to the server");
        *download = (download_t){0};
        break;
    case HTTP_EVENT_ON_HEADER:
        ESP_LOGD(TAG, "%s: %s", event->header_key, event->header_value);
        if (strcasecmp(event->header_key, "Content-Length") == 0) {
            download->total = strtoul(event->header_value, NULL, 10);
        }
        break;
    case HTTP_EVENT_ON_DATA:
        download->received += (size_t)event->data_len;
        show_progress(download);
        break;
    case HTTP_EVENT_REDIRECT:
        ESP_LOGI(TAG, "Redirected");
        break;
    case HTTP_EVENT_ERROR:
        ESP_LOGD(TAG, "HTTP error");
        break;
    default:
        break;
    }
    return ESP_OK;
}

#ifdef CONFIG_EXAMPLE_FIRMWARE_UPGRADE_BIND_IF
/* The interface to download through; the program ends if it is not there. */
static void choose_interface(struct ifreq *interface)
{
#if defined(CONFIG_EXAMPLE_FIRMWARE_UPGRADE_BIND_IF_ETH)
    esp_netif_t *netif = get_example_netif_from_desc(EXAMPLE_NETIF_DESC_ETH);
#elif defined(CONFIG_EXAMPLE_FIRMWARE_UPGRADE_BIND_IF_STA)
    esp_netif_t *netif = get_example_netif_from_desc(EXAMPLE_NETIF_DESC_STA);
#else
    esp_netif_t *netif = get_example_netif_from_desc(EXAMPLE_NETIF_DESC_THREAD);
#endif
    if (netif == NULL || esp_netif_get_netif_impl_name(netif, interface->ifr_name) != ESP_OK) {
        ESP_LOGE(TAG, "The interface to bind to is not there");
        abort();
    }
    ESP_LOGI(TAG, "Downloading through interface %s", interface->ifr_name);
}
#endif

#ifdef CONFIG_EXAMPLE_FIRMWARE_UPGRADE_URL_FROM_STDIN
static void read_url(char url[URL_SIZE])
{
    ESP_ERROR_CHECK(example_configure_stdin_stdout());
    printf("URL of the new firmware:\n");
    fflush(stdout);
    do {
        if (fgets(url, URL_SIZE, stdin) == NULL) {
            /* Nobody can answer: a restart would only ask again, for ever. */
            ESP_LOGE(TAG, "The console is closed and gave no URL: there is no update");
            vTaskDelete(NULL);
        }
        url[strcspn(url, "\r\n")] = '\0';
    } while (url[0] == '\0');
}
#endif

static void update_task(void *arg)
{
    static download_t download;
    esp_http_client_config_t http = {
        .url = CONFIG_EXAMPLE_FIRMWARE_UPGRADE_URL,
#ifdef CONFIG_EXAMPLE_USE_CERT_BUNDLE
        .crt_bundle_attach = esp_crt_bundle_attach,
#else
        .cert_pem = server_cert_pem_start,
#endif
        .event_handler = on_http_event,
        .user_data = &download,
        .keep_alive_enable = true,
#ifdef CONFIG_EXAMPLE_SKIP_COMMON_NAME_CHECK
        .skip_cert_common_name_check = true,
#endif
#ifdef CONFIG_EXAMPLE_TLS_DYN_BUF_RX_STATIC
        .tls_dyn_buf_strategy = HTTP_TLS_DYN_BUF_RX_STATIC,
#endif
    };

    (void)arg;
    ESP_LOGI(TAG, "Starting OTA example task");
#ifdef CONFIG_EXAMPLE_FIRMWARE_UPGRADE_BIND_IF
    static struct ifreq interface;
    choose_interface(&interface);
    http.if_name = &interface;
#endif
#ifdef CONFIG_EXAMPLE_FIRMWARE_UPGRADE_URL_FROM_STDIN
    static char url[URL_SIZE];
    read_url(url);
    http.url = url;
#endif
    esp_https_ota_config_t ota = {.http_config = &http};

    ESP_LOGI(TAG, "Attempting to download update from %s", http.url);
    esp_err_t err = esp_https_ota(&ota);
    if (err == ESP_OK) {
        ESP_LOGI(TAG, "OTA Succeed, Rebooting...");
        esp_restart();
    }
    ESP_LOGE(TAG, "Firmware upgrade failed");
    /* This firmware goes on; a real one would do its work and try again later. */
    vTaskDelete(NULL);
}

static void print_digest(const char *label, const uint8_t digest[32])
{
    char text[65];

    for (int i = 0; i < 32; i++) {
        sprintf(&text[i * 2], "%02x", digest[i]);
    }
    ESP_LOGI(TAG, "%s %s", label, text);
}

static void print_digests(void)
{
    uint8_t digest[32];
    const esp_partition_t bootloader = {
        .address = ESP_BOOTLOADER_OFFSET,
        .size = ESP_PARTITION_TABLE_OFFSET,
        .type = ESP_PARTITION_TYPE_APP,
    };

    if (esp_partition_get_sha256(&bootloader, digest) == ESP_OK) {
        print_digest("SHA-256 for bootloader: ", digest);
    }
    if (esp_partition_get_sha256(esp_ota_get_running_partition(), digest) == ESP_OK) {
        print_digest("SHA-256 for current firmware: ", digest);
    }
}

void app_main(void)
{
    const esp_app_desc_t *self = esp_app_get_description();

    ESP_LOGI(TAG, "OTA example app_main start");
    ESP_LOGI(TAG, "This is %s version %s, running from %s", self->project_name, self->version,
             esp_ota_get_running_partition()->label);

    /* A table with a smaller NVS partition, or a newer NVS format, leaves pages nobody can use. */
    esp_err_t err = nvs_flash_init();
    if (err == ESP_ERR_NVS_NO_FREE_PAGES || err == ESP_ERR_NVS_NEW_VERSION_FOUND) {
        ESP_ERROR_CHECK(nvs_flash_erase());
        err = nvs_flash_init();
    }
    ESP_ERROR_CHECK(err);

    print_digests();

    ESP_ERROR_CHECK(esp_netif_init());
    ESP_ERROR_CHECK(esp_event_loop_create_default());
    ESP_ERROR_CHECK(example_connect());
#ifdef CONFIG_EXAMPLE_CONNECT_WIFI
    /* Full speed for the download. */
    esp_wifi_set_ps(WIFI_PS_NONE);
#endif
    xTaskCreate(update_task, "ota_example_task", 8192, NULL, 5, NULL);
}
