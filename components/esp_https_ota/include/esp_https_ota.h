/* SPDX-License-Identifier: Apache-2.0
 *
 * Firmware updates over HTTPS: download, write to a partition, verify, choose it for the next boot.
 *
 * esp_https_ota() does it all in one call. The other functions do it step by step: begin, perform
 * until it no longer returns ESP_ERR_HTTPS_OTA_IN_PROGRESS, then finish, or abort.
 *
 * Nothing is erased or written before the server answered well and the beginning of the file looks
 * like an image for this board. Success is reported only after what was written has been read back
 * and verified. Each failure leaves one line of level error that names the cause. No call hangs:
 * see CONFIG_ESP_HTTPS_OTA_DEADLINE_S and CONFIG_ESP_HTTPS_OTA_STALL_MS.
 *
 * http:// URLs are refused unless CONFIG_ESP_HTTPS_OTA_ALLOW_HTTP is set (stricter than ESP-IDF,
 * which looks only for a way to verify the server). */
#ifndef ESP_HTTPS_OTA_H
#define ESP_HTTPS_OTA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sdkconfig.h"

#include "bootloader_common.h"
#include "esp_app_desc.h"
#include "esp_bootloader_desc.h"
#include "esp_event.h"
#include "esp_http_client.h"
#include "esp_partition.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ESP_ERR_HTTPS_OTA_BASE        0x9000
#define ESP_ERR_HTTPS_OTA_IN_PROGRESS (ESP_ERR_HTTPS_OTA_BASE + 1)

ESP_EVENT_DECLARE_BASE(ESP_HTTPS_OTA_EVENT);

/* Posted to the default event loop. */
typedef enum {
    ESP_HTTPS_OTA_START = 0,
    ESP_HTTPS_OTA_CONNECTED,
    ESP_HTTPS_OTA_GET_IMG_DESC,
    ESP_HTTPS_OTA_VERIFY_CHIP_ID,       /* data: esp_chip_id_t of the new image */
    ESP_HTTPS_OTA_VERIFY_CHIP_REVISION, /* data: uint16_t minimum revision, major * 100 + minor */
    ESP_HTTPS_OTA_DECRYPT_CB,
    ESP_HTTPS_OTA_WRITE_FLASH,           /* data: int, bytes written so far */
    ESP_HTTPS_OTA_UPDATE_BOOT_PARTITION, /* data: esp_partition_subtype_t */
    ESP_HTTPS_OTA_FINISH,
    ESP_HTTPS_OTA_ABORT,
} esp_https_ota_event_t;

typedef void *esp_https_ota_handle_t;

/* Called with the new HTTP client before its first request; may add headers and the like. */
typedef esp_err_t (*http_client_init_cb_t)(esp_http_client_handle_t client);

#ifdef CONFIG_ESP_HTTPS_OTA_DECRYPT_CB
typedef struct {
    const char *data_in;
    size_t data_in_len;
    char *data_out;      /* from malloc(); freed by the caller of the callback */
    size_t data_out_len; /* 0: more input is needed first */
} decrypt_cb_arg_t;

typedef esp_err_t (*decrypt_cb_t)(decrypt_cb_arg_t *args, void *user_ctx);
#endif

typedef struct {
    const esp_http_client_config_t *http_config; /* required; read by begin only */
    http_client_init_cb_t http_client_init_cb;
    bool bulk_flash_erase; /* erase all before the first byte instead of just ahead of writing */
#ifdef CONFIG_ESP_HTTPS_OTA_ENABLE_PARTIAL_DOWNLOAD
    bool partial_http_download; /* several requests for a range each */
    int max_http_request_size;  /* bytes of one range; 0: 65536 */
#endif
    uint32_t buffer_caps;           /* heap capability of the buffer; 0: any */
    bool ota_resumption;            /* go on after ota_image_bytes_written ... */
    size_t ota_image_bytes_written; /* ... which counts from 4096 on, rounded down to that */
#ifdef CONFIG_ESP_HTTPS_OTA_DECRYPT_CB
    decrypt_cb_t decrypt_cb; /* required in such a build */
    void *decrypt_user_ctx;
    uint16_t enc_img_header_size; /* bytes by which the file is longer than the image */
#endif
    struct {
        const esp_partition_t *staging; /* where to write; NULL: the next update partition */
        const esp_partition_t *final;   /* what it is meant for; NULL: staging itself */
        bool finalize_with_copy;        /* copy from staging to final at the end */
    } partition;
} esp_https_ota_config_t;

/* The whole update. Does not restart. ESP_ERR_INVALID_ARG, ESP_ERR_NOT_SUPPORTED (resumption),
 * ESP_ERR_HTTP_NOT_MODIFIED (304), and the errors of the functions below. */
esp_err_t esp_https_ota(const esp_https_ota_config_t *ota_config);

/* Connects and sends the request; follows redirects. On failure *handle is NULL.
 * ESP_ERR_INVALID_ARG: NULL, no way to verify the server, or plain HTTP; ESP_ERR_NO_MEM;
 * ESP_ERR_INVALID_SIZE: the file does not fit; ESP_ERR_HTTP_NOT_MODIFIED: 304; ESP_FAIL: any other
 * HTTP status, or no partition; errors of esp_http_client_open(); ESP_FAIL or the negative
 * -ESP_ERR_HTTP_EAGAIN when the server does not answer. */
esp_err_t esp_https_ota_begin(const esp_https_ota_config_t *ota_config,
                              esp_https_ota_handle_t *handle);

/* Receives and writes up to one buffer. ESP_ERR_HTTPS_OTA_IN_PROGRESS: call again; ESP_OK: the file
 * is complete, call finish. ESP_ERR_INVALID_VERSION and ESP_ERR_OTA_SPI_MODE_MISMATCH: not an image
 * for this board; ESP_ERR_OTA_VALIDATE_FAILED: not an image; ESP_ERR_TIMEOUT: a deadline passed;
 * ESP_FAIL: connection lost, file too short or longer than announced; errors of esp_ota_begin() and
 * esp_ota_write(). */
esp_err_t esp_https_ota_perform(esp_https_ota_handle_t https_ota_handle);

/* Verifies and makes the new image the one to boot, if the download was complete. Frees the handle
 * whatever it returns. ESP_ERR_INVALID_ARG: NULL; ESP_ERR_OTA_VALIDATE_FAILED: not a valid image;
 * errors of esp_ota_end() and esp_ota_set_boot_partition(). */
esp_err_t esp_https_ota_finish(esp_https_ota_handle_t https_ota_handle);

/* Ends the update and frees the handle. What was written stays. ESP_ERR_INVALID_ARG: NULL. */
esp_err_t esp_https_ota_abort(esp_https_ota_handle_t https_ota_handle);

/* Description of the image about to be installed; after begin. ESP_ERR_INVALID_ARG: NULL;
 * ESP_FAIL: no description there, or the connection failed; ESP_ERR_NOT_SUPPORTED: decrypt build.
 */
esp_err_t esp_https_ota_get_img_desc(esp_https_ota_handle_t https_ota_handle,
                                     esp_app_desc_t *new_app_info);
esp_err_t esp_https_ota_get_bootloader_img_desc(esp_https_ota_handle_t https_ota_handle,
                                                esp_bootloader_desc_t *new_img_info);

/* Whether the whole file has been received. */
bool esp_https_ota_is_complete_data_received(esp_https_ota_handle_t https_ota_handle);
/* Bytes written so far, with those of a resumed download; -1: NULL or before the first perform. */
int esp_https_ota_get_image_len_read(esp_https_ota_handle_t https_ota_handle);
/* Length of the whole image; -1: not known, or NULL. */
int esp_https_ota_get_image_size(esp_https_ota_handle_t https_ota_handle);
/* Status of the last response; -1: NULL. */
int esp_https_ota_get_status_code(esp_https_ota_handle_t https_ota_handle);

#ifdef __cplusplus
}
#endif

#endif
