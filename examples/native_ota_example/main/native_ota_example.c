/* SPDX-License-Identifier: Apache-2.0
 *
 * An update step by step: esp_http_client brings the bytes, esp_ota_write() puts them into the next
 * slot, and what the first packet says about the new version decides whether it is wanted at all.
 * With rollback on, the new application boots on trial: its diagnostics confirm it or go back. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "driver/gpio.h"
#include "esp_app_format.h"
#include "esp_event.h"
#include "esp_flash_partitions.h"
#include "esp_http_client.h"
#include "esp_log.h"
#include "esp_netif.h"
#include "esp_ota_ops.h"
#include "esp_partition.h"
#include "esp_system.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "nvs_flash.h"
#include "protocol_examples_common.h"
#ifdef CONFIG_EXAMPLE_CONNECT_WIFI
#include "esp_wifi.h"
#endif

#define URL_SIZE    256
#define BUFFER_SIZE 1024

/* Where an image says what it is: behind its header and the header of its first segment. */
#define APP_DESC_OFFSET (sizeof(esp_image_header_t) + sizeof(esp_image_segment_header_t))

static const char *TAG = "native_ota_example";

/* server_certs/ca_cert.pem, embedded by main/CMakeLists.txt. */
extern const char server_cert_pem_start[] asm("_binary_ca_cert_pem_start");

static char s_buffer[BUFFER_SIZE];

typedef enum {
    UPDATE_DONE,
    UPDATE_FAILED,     /* the log says why */
    UPDATE_NOT_WANTED, /* the server has nothing new */
} update_result_t;

/* --- is it wanted? --- */

static bool same_version(const esp_app_desc_t *a, const esp_app_desc_t *b)
{
    return memcmp(a->version, b->version, sizeof(a->version)) == 0;
}

/* Whether the image that begins with the first packet is one to download. */
static bool is_wanted(const char *packet)
{
    esp_app_desc_t offered;
    esp_app_desc_t other;

    memcpy(&offered, packet + APP_DESC_OFFSET, sizeof(offered));
    ESP_LOGI(TAG, "New firmware version: %.*s", (int)sizeof(offered.version), offered.version);

    bool same_as_running = false;
    if (esp_ota_get_partition_description(esp_ota_get_running_partition(), &other) == ESP_OK) {
        ESP_LOGI(TAG, "Running firmware version: %.*s", (int)sizeof(other.version), other.version);
        same_as_running = same_version(&offered, &other);
    }

    /* Never twice into the same trap: a version that was rolled back is not tried again. */
    const esp_partition_t *rejected = esp_ota_get_last_invalid_partition();
    if (rejected != NULL && esp_ota_get_partition_description(rejected, &other) == ESP_OK) {
        ESP_LOGI(TAG, "Last invalid firmware version: %.*s", (int)sizeof(other.version),
                 other.version);
        if (same_version(&offered, &other)) {
            ESP_LOGW(TAG, "The new version is the same as the invalid version.");
            ESP_LOGW(TAG, "Version %.*s was started here before and did not pass.",
                     (int)sizeof(other.version), other.version);
            ESP_LOGW(TAG, "The firmware was rolled back to the previous version, which goes on.");
            return false;
        }
    }
#ifndef CONFIG_EXAMPLE_SKIP_VERSION_CHECK
    if (same_as_running) {
        ESP_LOGW(TAG, "Current running version is the same as a new. It is not downloaded again.");
        return false;
    }
#else
    (void)same_as_running;
#endif
    return true;
}

/* --- the download --- */

/* The next bytes of the body; 0 at its end, -1 after an error message. */
static int read_body(esp_http_client_handle_t client)
{
    errno = 0;
    int len = esp_http_client_read(client, s_buffer, sizeof(s_buffer));
    if (len < 0) {
        ESP_LOGE(TAG, "Error: the download broke off (errno %d)", errno);
        return -1;
    }
    if (len == 0 && !esp_http_client_is_complete_data_received(client)) {
        ESP_LOGE(TAG, "Error: the connection ended before the file did (errno %d)", errno);
        return -1;
    }
    return len;
}

/* The rest of the body, its first len bytes being in the buffer, into the session. */
static bool write_body(esp_http_client_handle_t client, esp_ota_handle_t session, int len)
{
    int written = 0;

    while (len > 0) {
        esp_err_t err = esp_ota_write(session, s_buffer, (size_t)len);
        if (err != ESP_OK) {
            ESP_LOGE(TAG, "esp_ota_write failed at byte %d (%s)", written, esp_err_to_name(err));
            return false;
        }
        written += len;
        ESP_LOGD(TAG, "Written image length %d", written);
        len = read_body(client);
    }
    if (len < 0) {
        return false;
    }
    ESP_LOGI(TAG, "Connection closed");
    ESP_LOGI(TAG, "Total Write binary data length: %d", written);
    return true;
}

/* Downloads into slot and makes it the one that boots next. */
static update_result_t install(esp_http_client_handle_t client, const esp_partition_t *slot)
{
    int len = read_body(client);
    if (len < 0) {
        return UPDATE_FAILED;
    }
    if (len <= (int)(APP_DESC_OFFSET + sizeof(esp_app_desc_t))) {
        ESP_LOGE(TAG, "received package is not fit len: %d bytes hold no description of an image",
                 len);
        return UPDATE_FAILED;
    }
    if (!is_wanted(s_buffer)) {
        return UPDATE_NOT_WANTED;
    }

    /* Flash is erased as the writing goes on, so the server need not wait for it. */
    esp_ota_handle_t session;
    esp_err_t err = esp_ota_begin(slot, OTA_WITH_SEQUENTIAL_WRITES, &session);
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "esp_ota_begin failed (%s)", esp_err_to_name(err));
        return UPDATE_FAILED;
    }
    ESP_LOGI(TAG, "esp_ota_begin succeeded");
    if (!write_body(client, session, len)) {
        esp_ota_abort(session);
        return UPDATE_FAILED;
    }

    err = esp_ota_end(session);
    if (err == ESP_ERR_OTA_VALIDATE_FAILED) {
        ESP_LOGE(TAG, "Image validation failed, image is corrupted");
        return UPDATE_FAILED;
    }
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "esp_ota_end failed (%s)!", esp_err_to_name(err));
        return UPDATE_FAILED;
    }
    err = esp_ota_set_boot_partition(slot);
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "esp_ota_set_boot_partition failed (%s)!", esp_err_to_name(err));
        return UPDATE_FAILED;
    }
    return UPDATE_DONE;
}

static update_result_t update(const char *url, const esp_partition_t *slot)
{
    const esp_http_client_config_t config = {
        .url = url,
        .cert_pem = server_cert_pem_start,
        .timeout_ms = CONFIG_EXAMPLE_OTA_RECV_TIMEOUT,
        .keep_alive_enable = true,
#ifdef CONFIG_EXAMPLE_SKIP_COMMON_NAME_CHECK
        .skip_cert_common_name_check = true,
#endif
    };
    update_result_t result = UPDATE_FAILED;

    esp_http_client_handle_t client = esp_http_client_init(&config);
    if (client == NULL) {
        ESP_LOGE(TAG, "Failed to initialise HTTP connection to %s", url);
        return UPDATE_FAILED;
    }
    esp_err_t err = esp_http_client_open(client, 0);
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "Failed to open HTTP connection: %s", esp_err_to_name(err));
    } else if (esp_http_client_fetch_headers(client) < 0) {
        ESP_LOGE(TAG, "The server did not answer");
    } else if (esp_http_client_get_status_code(client) != 200) {
        ESP_LOGE(TAG, "The server answered with status %d instead of the file",
                 esp_http_client_get_status_code(client));
    } else {
        result = install(client, slot);
    }
    esp_http_client_close(client);
    esp_http_client_cleanup(client);
    return result;
}

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

static void wait_for_new_firmware(void)
{
    ESP_LOGI(TAG, "When a new firmware is available on the server, press the reset button to "
                  "download it");
    for (int i = 1;; i++) {
        ESP_LOGI(TAG, "Waiting for a new firmware ... %d", i);
        vTaskDelay(2000 / portTICK_PERIOD_MS);
    }
}

static void update_task(void *arg)
{
    const esp_partition_t *boot = esp_ota_get_boot_partition();
    const esp_partition_t *running = esp_ota_get_running_partition();
    const esp_partition_t *slot = esp_ota_get_next_update_partition(NULL);
    const char *url = CONFIG_EXAMPLE_FIRMWARE_UPG_URL;

    (void)arg;
    ESP_LOGI(TAG, "Starting OTA example task");
    if (boot != NULL && boot != running) {
        ESP_LOGW(TAG,
                 "The boot records select offset 0x%08x, but offset 0x%08x is running: the "
                 "selected image is damaged",
                 (unsigned)boot->address, (unsigned)running->address);
    }
    ESP_LOGI(TAG, "Running partition type %d subtype %d (offset 0x%08x)", running->type,
             running->subtype, (unsigned)running->address);
    if (slot == NULL) {
        ESP_LOGE(TAG, "The partition table has no slot for an update");
        vTaskDelete(NULL);
    }
#ifdef CONFIG_EXAMPLE_FIRMWARE_UPGRADE_URL_FROM_STDIN
    static char line[URL_SIZE];
    read_url(line);
    url = line;
#endif
    ESP_LOGI(TAG, "Writing to partition subtype %d at offset 0x%x", slot->subtype,
             (unsigned)slot->address);

    switch (update(url, slot)) {
    case UPDATE_DONE:
        ESP_LOGI(TAG, "Prepare to restart system!");
        esp_restart();
        break;
    case UPDATE_NOT_WANTED:
        wait_for_new_firmware();
        break;
    case UPDATE_FAILED:
        ESP_LOGE(TAG, "Firmware upgrade failed");
        /* This firmware goes on; a real one would do its work and try again later. */
        break;
    }
    vTaskDelete(NULL);
}

/* --- the trial --- */

/* Five seconds to say no: the new firmware passes if the pin is high at the end. A real one would
 * look at its sensors and its network here. */
static bool diagnose(void)
{
    const gpio_config_t input = {
        .pin_bit_mask = 1ULL << CONFIG_EXAMPLE_GPIO_DIAGNOSTIC,
        .mode = GPIO_MODE_INPUT,
        .pull_up_en = GPIO_PULLUP_ENABLE,
        .pull_down_en = GPIO_PULLDOWN_DISABLE,
        .intr_type = GPIO_INTR_DISABLE,
    };

    if (gpio_config(&input) != ESP_OK) {
        ESP_LOGE(TAG, "GPIO %d cannot be an input", CONFIG_EXAMPLE_GPIO_DIAGNOSTIC);
        return false;
    }
    ESP_LOGI(TAG, "GPIO %d low at the end says that this firmware does not work",
             CONFIG_EXAMPLE_GPIO_DIAGNOSTIC);
    ESP_LOGI(TAG, "Diagnostics (5 sec)...");
    vTaskDelay(5000 / portTICK_PERIOD_MS);

    bool good = gpio_get_level(CONFIG_EXAMPLE_GPIO_DIAGNOSTIC) != 0;
    gpio_reset_pin(CONFIG_EXAMPLE_GPIO_DIAGNOSTIC);
    return good;
}

static void confirm_or_roll_back(void)
{
    esp_ota_img_states_t state;
    esp_err_t err;

    if (esp_ota_get_state_partition(esp_ota_get_running_partition(), &state) != ESP_OK ||
        state != ESP_OTA_IMG_PENDING_VERIFY) {
        return;
    }
    if (diagnose()) {
        ESP_LOGI(TAG, "Diagnostics completed successfully! Continuing execution ...");
        err = esp_ota_mark_app_valid_cancel_rollback();
        if (err != ESP_OK) {
            ESP_LOGE(TAG, "This firmware cannot be confirmed (%s): the next boot goes back",
                     esp_err_to_name(err));
        }
    } else {
        ESP_LOGE(TAG, "Diagnostics failed! Start rollback to the previous version ...");
        err = esp_ota_mark_app_invalid_rollback_and_reboot();
        ESP_LOGE(TAG, "There is no way back (%s): this firmware goes on", esp_err_to_name(err));
    }
}

/* --- the start --- */

static void print_digest(const char *what, const esp_partition_t *partition)
{
    uint8_t digest[32];
    char text[sizeof(digest) * 2 + 1];

    if (esp_partition_get_sha256(partition, digest) != ESP_OK) {
        ESP_LOGW(TAG, "SHA-256 for %s: cannot be made", what);
        return;
    }
    for (size_t i = 0; i < sizeof(digest); i++) {
        sprintf(&text[i * 2], "%02x", digest[i]);
    }
    ESP_LOGI(TAG, "SHA-256 for %s: %s", what, text);
}

static void print_digests(void)
{
    const esp_partition_t table = {
        .address = ESP_PARTITION_TABLE_OFFSET,
        .size = ESP_PARTITION_TABLE_MAX_LEN,
        .type = ESP_PARTITION_TYPE_DATA,
    };
    const esp_partition_t bootloader = {
        .address = ESP_BOOTLOADER_OFFSET,
        .size = ESP_PARTITION_TABLE_OFFSET,
        .type = ESP_PARTITION_TYPE_APP,
    };

    print_digest("the partition table", &table);
    print_digest("bootloader", &bootloader);
    print_digest("current firmware", esp_ota_get_running_partition());
}

void app_main(void)
{
    ESP_LOGI(TAG, "OTA example app_main start");
    print_digests();
    confirm_or_roll_back();

    /* A table with a smaller NVS partition, or a newer NVS format, leaves pages nobody can use. */
    esp_err_t err = nvs_flash_init();
    if (err == ESP_ERR_NVS_NO_FREE_PAGES || err == ESP_ERR_NVS_NEW_VERSION_FOUND) {
        ESP_ERROR_CHECK(nvs_flash_erase());
        err = nvs_flash_init();
    }
    ESP_ERROR_CHECK(err);

    ESP_ERROR_CHECK(esp_netif_init());
    ESP_ERROR_CHECK(esp_event_loop_create_default());
    ESP_ERROR_CHECK(example_connect());
#ifdef CONFIG_EXAMPLE_CONNECT_WIFI
    /* Full speed for the download. */
    esp_wifi_set_ps(WIFI_PS_NONE);
#endif
    xTaskCreate(update_task, "ota_example_task", 8192, NULL, 5, NULL);
}
