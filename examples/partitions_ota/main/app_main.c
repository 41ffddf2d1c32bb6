/* SPDX-License-Identifier: Apache-2.0
 *
 * Updates everything in flash, not the application alone: the name of the downloaded file says
 * whether it is the application, the bootloader, the partition table or data. README.md says what a
 * power cut does to each. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "esp_app_desc.h"
#include "esp_event.h"
#include "esp_flash_partitions.h"
#include "esp_http_client.h"
#include "esp_https_ota.h"
#include "esp_image_format.h"
#include "esp_log.h"
#include "esp_netif.h"
#include "esp_ota_ops.h"
#include "esp_partition.h"
#include "esp_system.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "nvs.h"
#include "nvs_flash.h"
#include "partition_utils.h"
#include "protocol_examples_common.h"
#ifdef CONFIG_EXAMPLE_USE_CERT_BUNDLE
#include "esp_crt_bundle.h"
#endif
#ifdef CONFIG_EXAMPLE_CONNECT_WIFI
#include "esp_wifi.h"
#endif

#define URL_SIZE      256
#define COPY_ATTEMPTS 3

static const char *TAG = "partitions_ota";

/* server_certs/ca_cert.pem, embedded by main/CMakeLists.txt. */
extern const char server_cert_pem_start[] asm("_binary_ca_cert_pem_start");

/* --- what there is --- */

/* The beginning of the storage partition, as text. */
static void print_storage(void)
{
    const esp_partition_t *storage =
        esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_ANY, "storage");
    char text[49] = "";

    if (storage == NULL || esp_partition_read(storage, 0, text, sizeof(text) - 1) != ESP_OK) {
        ESP_LOGW(TAG, "There is no storage partition");
        return;
    }
    size_t len = 0;
    while (isprint((unsigned char)text[len])) {
        len++;
    }
    text[len] = '\0';
    ESP_LOGI(TAG, "Storage says: \"%s\"", text);
}

/* The application's settings: it counts its boots. */
static void start_nvs(void)
{
    /* A table with a smaller NVS partition, or a newer NVS format, leaves pages nobody can use. */
    esp_err_t err = nvs_flash_init();
    if (err == ESP_ERR_NVS_NO_FREE_PAGES || err == ESP_ERR_NVS_NEW_VERSION_FOUND) {
        ESP_ERROR_CHECK(nvs_flash_erase());
        err = nvs_flash_init();
    }
    ESP_ERROR_CHECK(err);
}

static uint32_t count_boots(uint32_t more)
{
    nvs_handle_t settings;
    uint32_t boots = 0;

    ESP_ERROR_CHECK(nvs_open("example", NVS_READWRITE, &settings));
    esp_err_t err = nvs_get_u32(settings, "boots", &boots);
    if (err != ESP_OK && err != ESP_ERR_NVS_NOT_FOUND) {
        ESP_LOGW(TAG, "The count of boots cannot be read (%s): it begins anew",
                 esp_err_to_name(err));
    }
    boots += more;
    if (more > 0) {
        ESP_ERROR_CHECK(nvs_set_u32(settings, "boots", boots));
        ESP_ERROR_CHECK(nvs_commit(settings));
    }
    nvs_close(settings);
    return boots;
}

static void print_bootloader(void)
{
    esp_bootloader_desc_t bootloader;

    if (esp_ota_get_bootloader_description(NULL, &bootloader) == ESP_OK) {
        ESP_LOGI(TAG, "Bootloader version %u", (unsigned)bootloader.version);
    }
}

/* --- the download --- */

/* Downloads url into staging (NULL: the next update slot) as what final holds (NULL: staging
 * itself); copy: and copies it there in the end. Nothing is touched before the server has answered
 * with a file that fits. */
static esp_err_t download(const char *url, const esp_partition_t *staging,
                          const esp_partition_t *final, bool copy)
{
    const esp_http_client_config_t http = {
        .url = url,
#ifdef CONFIG_EXAMPLE_USE_CERT_BUNDLE
        .crt_bundle_attach = esp_crt_bundle_attach,
#else
        .cert_pem = server_cert_pem_start,
#endif
        .keep_alive_enable = true,
#ifdef CONFIG_EXAMPLE_SKIP_COMMON_NAME_CHECK
        .skip_cert_common_name_check = true,
#endif
    };
    const esp_https_ota_config_t ota = {
        .http_config = &http,
        .partition = {.staging = staging, .final = final, .finalize_with_copy = copy},
    };
    esp_https_ota_handle_t session;

    if (staging == NULL) {
        staging = esp_ota_get_next_update_partition(NULL);
    }
    if (final == NULL) {
        final = staging;
    }
    esp_err_t err = esp_https_ota_begin(&ota, &session);
    if (err != ESP_OK) {
        return err;
    }
    int size = esp_https_ota_get_image_size(session);
    if (size > (int) final->size) {
        ESP_LOGE(TAG, "The file has %d bytes, <%s> has %u", size, final->label,
                 (unsigned) final->size);
        err = ESP_ERR_INVALID_SIZE;
    }
    if (err == ESP_OK && final->type == ESP_PARTITION_TYPE_DATA) {
        /* Data need not fill its partition; behind it nothing old may stay. */
        err = esp_partition_erase_range(staging, 0, final->size);
    }
    while (err == ESP_OK) {
        err = esp_https_ota_perform(session);
        if (err == ESP_OK) {
            break;
        }
        if (err == ESP_ERR_HTTPS_OTA_IN_PROGRESS) {
            err = ESP_OK;
        }
    }
    if (err == ESP_OK && esp_https_ota_get_image_len_read(session) > (int) final->size) {
        ESP_LOGE(TAG, "The file is larger than <%s> of %u bytes", final->label,
                 (unsigned) final->size);
        err = ESP_ERR_INVALID_SIZE;
    }
    if (err != ESP_OK) {
        esp_https_ota_abort(session);
        return err;
    }
    return esp_https_ota_finish(session);
}

/* --- one function for each kind; *restart: the new thing takes effect at the next start --- */

static esp_err_t update_app(const char *url, bool *restart)
{
    *restart = true;
    return download(url, NULL, NULL, false);
}

/* The first size bytes of the slot over final, which the device needs to start. */
static esp_err_t replace(const esp_partition_t *final, const esp_partition_t *slot, size_t size,
                         bool *restart)
{
    esp_err_t err = ESP_FAIL;
    unsigned changed = 0;

    if (partition_utils_equal(final, slot, size)) {
        ESP_LOGI(TAG, "<%s> is up to date", final->label);
        return ESP_OK;
    }
    ESP_LOGW(TAG, "Replacing <%s>: do not switch off now", final->label);
    for (int i = 0; i < COPY_ATTEMPTS && err != ESP_OK; i++) {
        err = partition_utils_copy_changed(final, slot, size, &changed);
    }
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "<%s> could not be written (%s): the device may not start any more",
                 final->label, esp_err_to_name(err));
        return err;
    }
    ESP_LOGI(TAG, "Replaced <%s>: %u sectors written", final->label, changed);
    *restart = true;
    return ESP_OK;
}

static esp_err_t replace_bootloader(const esp_partition_t *final, const esp_partition_t *slot,
                                    bool *restart)
{
    const esp_partition_pos_t place = {.offset = slot->address, .size = final->size};
    esp_image_metadata_t image;

    /* An image is looked at as a bootloader where one is said to be. */
    esp_image_bootloader_offset_set(slot->address);
    esp_err_t err = esp_image_verify(ESP_IMAGE_VERIFY, &place, &image);
    esp_image_bootloader_offset_set(ESP_PRIMARY_BOOTLOADER_OFFSET);
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "The image is no bootloader of at most %u bytes", (unsigned) final->size);
        return err;
    }
    return replace(final, slot, image.image_len, restart);
}

static esp_err_t replace_table(const esp_partition_t *final, const esp_partition_t *slot,
                               bool *restart)
{
    if (!partition_utils_table_fits(slot)) {
        return ESP_ERR_NOT_SUPPORTED;
    }
    return replace(final, slot, ESP_PARTITION_TABLE_MAX_LEN, restart);
}

/* Stages the file in the next update slot, where it is verified as what final holds, and then has
 * it take final's place. final is a part of flash that is in no partition table. */
static esp_err_t update_outside_table(
    const char *url, size_t offset, size_t size, const char *label, esp_partition_type_t type,
    esp_err_t (*put)(const esp_partition_t *, const esp_partition_t *, bool *), bool *restart)
{
    const esp_partition_t *slot = esp_ota_get_next_update_partition(NULL);
    const esp_partition_t *final;

    esp_err_t err = esp_partition_register_external(
        NULL, offset, size, label, type, (esp_partition_subtype_t)0 /* the primary one */, &final);
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "<%s> cannot be updated: %s", label, esp_err_to_name(err));
        return err;
    }
    err = download(url, slot, final, false);
    if (err == ESP_OK) {
        err = put(final, slot, restart);
    }
    esp_partition_deregister_external(final);
    return err;
}

static esp_err_t update_bootloader(const char *url, bool *restart)
{
    return update_outside_table(url, ESP_PRIMARY_BOOTLOADER_OFFSET, ESP_BOOTLOADER_SIZE,
                                "bootloader", ESP_PARTITION_TYPE_BOOTLOADER, replace_bootloader,
                                restart);
}

static esp_err_t update_table(const char *url, bool *restart)
{
    return update_outside_table(url, ESP_PRIMARY_PARTITION_TABLE_OFFSET, ESP_PARTITION_TABLE_SIZE,
                                "partition table", ESP_PARTITION_TYPE_PARTITION_TABLE,
                                replace_table, restart);
}

/* Staged: the old data stays until the new is here complete. */
static esp_err_t update_storage(const char *url, bool *restart)
{
    const esp_partition_t *storage =
        esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_ANY, "storage");

    (void)restart;
    if (storage == NULL) {
        ESP_LOGE(TAG, "The partition table has no storage partition");
        return ESP_ERR_NOT_FOUND;
    }
    esp_err_t err = download(url, NULL, storage, true);
    if (err == ESP_OK) {
        print_storage();
    }
    return err;
}

/* Direct: straight into the partition, no slot is used. */
static esp_err_t update_nvs(const char *url, bool *restart)
{
    const esp_partition_t *nvs =
        esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_DATA_NVS, "nvs");

    (void)restart;
    if (nvs == NULL) {
        ESP_LOGE(TAG, "The partition table has no nvs partition");
        return ESP_ERR_NOT_FOUND;
    }
    ESP_ERROR_CHECK(nvs_flash_deinit());
    esp_err_t err = download(url, nvs, NULL, false);
    start_nvs();
    ESP_LOGI(TAG, "Boots counted in NVS: %u", (unsigned)count_boots(0));
    return err;
}

static const struct {
    const char *file;
    esp_err_t (*update)(const char *url, bool *restart);
} s_kinds[] = {
    {"partitions_ota.bin", update_app},
    {"bootloader.bin", update_bootloader},
    {"partition-table.bin", update_table},
    {"storage.bin", update_storage},
    {"nvs.bin", update_nvs},
};

static esp_err_t update(const char *url, bool *restart)
{
    *restart = false;
    for (size_t i = 0; i < sizeof(s_kinds) / sizeof(s_kinds[0]); i++) {
        if (strstr(url, s_kinds[i].file) != NULL) {
            ESP_LOGI(TAG, "Attempting to download update from %s", url);
            return s_kinds[i].update(url, restart);
        }
    }
    ESP_LOGE(TAG, "%s: the name of the file says none of the things that can be updated", url);
    return ESP_ERR_NOT_SUPPORTED;
}

/* --- the task --- */

#ifdef CONFIG_EXAMPLE_FIRMWARE_UPGRADE_URL_FROM_STDIN
static void read_url(char url[URL_SIZE])
{
    ESP_ERROR_CHECK(example_configure_stdin_stdout());
    printf("URL of the update:\n");
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

static bool update_once(const char *url)
{
    bool restart;
    esp_err_t err = update(url, &restart);

    if (err != ESP_OK) {
        ESP_LOGE(TAG, "Update failed (%s)", esp_err_to_name(err));
        return false;
    }
    if (restart) {
        ESP_LOGI(TAG, "OTA Succeed, Rebooting...");
        esp_restart();
    }
    ESP_LOGI(TAG, "OTA Succeed");
    return true;
}

static void update_task(void *arg)
{
    (void)arg;
    ESP_LOGI(TAG, "Starting OTA example task");
#ifdef CONFIG_EXAMPLE_FIRMWARE_UPGRADE_URL_FROM_STDIN
    static char url[URL_SIZE];
    for (;;) {
        read_url(url);
        update_once(url);
    }
#else
    update_once(CONFIG_EXAMPLE_FIRMWARE_UPGRADE_URL);
    /* This firmware goes on; a real one would do its work and try again later. */
    vTaskDelete(NULL);
#endif
}

void app_main(void)
{
    const esp_app_desc_t *self = esp_app_get_description();

    ESP_LOGI(TAG, "Partitions OTA example, version %s, running from %s", self->version,
             esp_ota_get_running_partition()->label);
    print_bootloader();
    partition_utils_print_table();
    print_storage();
    start_nvs();
    ESP_LOGI(TAG, "Boots counted in NVS: %u", (unsigned)count_boots(1));

    ESP_ERROR_CHECK(esp_netif_init());
    ESP_ERROR_CHECK(esp_event_loop_create_default());
    ESP_ERROR_CHECK(example_connect());
#ifdef CONFIG_EXAMPLE_CONNECT_WIFI
    /* Full speed for the download. */
    esp_wifi_set_ps(WIFI_PS_NONE);
#endif
    xTaskCreate(update_task, "ota_example_task", 8192, NULL, 5, NULL);
}
