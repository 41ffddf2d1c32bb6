/* SPDX-License-Identifier: Apache-2.0
 *
 * An update from begin to finish. */
#include "https_ota_private.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "esp_heap_caps.h"
#include "esp_image_format.h"
#include "esp_log.h"
#include "esp_private/esp_http_client_update.h"
#include "esp_private/esp_ota_stats.h"

static const char *TAG = "esp_https_ota";

/* How long a server that ends its connection after a response may take to do so. */
#define SURPLUS_WAIT_MS 500

#define SECTOR_SIZE 4096u

/* --- begin --- */

static bool has_trust(const esp_http_client_config_t *http)
{
    return http->cert_pem != NULL || http->use_global_ca_store || http->crt_bundle_attach != NULL;
}

static esp_err_t check_config(const esp_https_ota_config_t *config)
{
    if (config == NULL || config->http_config == NULL) {
        ESP_LOGE(TAG, "esp_https_ota_begin: Invalid argument");
        return ESP_ERR_INVALID_ARG;
    }
    if (!has_trust(config->http_config)) {
#ifdef CONFIG_ESP_HTTPS_OTA_ALLOW_HTTP
        ESP_LOGW(TAG, "Continuing with insecure option because CONFIG_ESP_HTTPS_OTA_ALLOW_HTTP is "
                      "set.");
#else
        ESP_LOGE(TAG, "No option for server verification is enabled in esp_http_client config.");
        return ESP_ERR_INVALID_ARG;
#endif
    }
#ifdef CONFIG_ESP_HTTPS_OTA_DECRYPT_CB
    if (config->decrypt_cb == NULL) {
        ESP_LOGE(TAG, "This build expects encrypted images, but decrypt_cb is not set");
        return ESP_ERR_INVALID_ARG;
    }
    if (config->ota_resumption) {
        ESP_LOGE(TAG, "Downloads of encrypted images cannot be resumed");
        return ESP_ERR_NOT_SUPPORTED;
    }
#endif
    return ESP_OK;
}

static void take_config(https_ota_t *ota, const esp_https_ota_config_t *config)
{
    ota->image_len = -1;
    ota->started_us = https_ota_now_us();
    ota->last_byte_us = ota->started_us;
    ota->deadline_us = CONFIG_ESP_HTTPS_OTA_DEADLINE_S > 0
                           ? ota->started_us + CONFIG_ESP_HTTPS_OTA_DEADLINE_S * INT64_C(1000000)
                           : INT64_MAX;
    ota->bulk_erase = config->bulk_flash_erase;
    int retries = config->http_config->max_authorization_retries;
    ota->auth_left = retries == 0 ? 10 : retries < 0 ? 0 : retries;
    ota->resumption = config->ota_resumption;
    if (config->ota_resumption) {
        /* A sector that was being written when the last download ended may hold more than it was
         * counted for, so it is downloaded again. */
        ota->resume_offset = config->ota_image_bytes_written / SECTOR_SIZE * SECTOR_SIZE;
    }
#ifdef CONFIG_ESP_HTTPS_OTA_ENABLE_PARTIAL_DOWNLOAD
    ota->partial = config->partial_http_download;
    ota->request_size = config->max_http_request_size > 0 ? config->max_http_request_size
                                                          : HTTPS_OTA_DEFAULT_REQUEST;
#endif
#ifdef CONFIG_ESP_HTTPS_OTA_DECRYPT_CB
    ota->decrypt_cb = config->decrypt_cb;
    ota->decrypt_ctx = config->decrypt_user_ctx;
    ota->extra_len = config->enc_img_header_size;
#endif
}

static esp_err_t make_buffer(https_ota_t *ota, const esp_https_ota_config_t *config)
{
    ota->buf_size = HTTPS_OTA_MIN_BUFFER;
    if (ota->buf_size < CONFIG_ESP_HTTPS_OTA_BUFFER_SIZE) {
        ota->buf_size = CONFIG_ESP_HTTPS_OTA_BUFFER_SIZE;
    }
    if (config->http_config->buffer_size > 0 &&
        ota->buf_size < (size_t)config->http_config->buffer_size) {
        ota->buf_size = (size_t)config->http_config->buffer_size;
    }
    ota->buf = config->buffer_caps != 0 ? heap_caps_malloc(ota->buf_size, config->buffer_caps)
                                        : malloc(ota->buf_size);
    if (ota->buf == NULL) {
        ESP_LOGE(TAG, "Couldn't allocate memory to upgrade data buffer");
        return ESP_ERR_NO_MEM;
    }
    return ESP_OK;
}

static esp_err_t make_client(https_ota_t *ota, const esp_https_ota_config_t *config)
{
    ota->client = esp_http_client_init(config->http_config);
    if (ota->client == NULL) {
        ESP_LOGE(TAG, "Failed to initialise HTTP connection");
        return ESP_FAIL;
    }
    esp_http_client_set_deadline(ota->client, ota->deadline_us);
    if (config->http_client_init_cb != NULL) {
        esp_err_t err = config->http_client_init_cb(ota->client);
        if (err != ESP_OK) {
            ESP_LOGE(TAG, "http_client_init_cb returned 0x%x", (unsigned)err);
            return err;
        }
    }
    return https_ota_check_scheme(ota);
}

static esp_err_t restart_from_zero(https_ota_t *ota)
{
    ESP_LOGI(TAG, "Falling back to OTA without resumption and restarting download from beginning");
    ota->resumption = false;
    ota->resume_offset = 0;
    ota->file_done = 0;
    (void)esp_http_client_close(ota->client);
    (void)esp_http_client_clear_response_buffer(ota->client);
    if (ota->partial) {
        return https_ota_set_range(ota);
    }
    (void)esp_http_client_delete_header(ota->client, "Range");
    return ESP_OK;
}

static esp_err_t connect_first(https_ota_t *ota)
{
    ota->file_done = (int64_t)ota->resume_offset;
    esp_err_t err = ESP_OK;
    if (ota->partial) {
        err = https_ota_prepare_partial(ota);
    } else if (ota->resumption) {
        char text[32];
        snprintf(text, sizeof(text), "bytes=%u-", (unsigned)ota->resume_offset);
        err = esp_http_client_set_header(ota->client, "Range", text);
    }
    if (err == ESP_OK) {
        err = https_ota_connect(ota);
    }
    if (err == ESP_ERR_HTTP_RANGE_NOT_SATISFIABLE && ota->resumption) {
        ESP_LOGE(TAG, "OTA resumption failed with err: %d.", err);
        err = restart_from_zero(ota);
        if (err == ESP_OK) {
            err = https_ota_connect(ota);
        }
    }
    return err;
}

/* The image's length as this response tells it. */
static void take_length(https_ota_t *ota)
{
    if (ota->partial) {
        return;
    }
    int64_t length = esp_http_client_get_content_length(ota->client);
    if (length < 0) {
        return;
    }
    length += (int64_t)ota->resume_offset;
#ifdef CONFIG_ESP_HTTPS_OTA_DECRYPT_CB
    length -= ota->extra_len;
#endif
    ota->image_len = length;
}

static esp_err_t choose_partitions(https_ota_t *ota, const esp_https_ota_config_t *config)
{
    const esp_partition_t *staging = config->partition.staging;
    staging =
        staging != NULL ? esp_partition_verify(staging) : esp_ota_get_next_update_partition(NULL);
    if (staging == NULL) {
        ESP_LOGE(TAG, "Given staging partition or another suitable Passive OTA partition could not "
                      "be found");
        return ESP_FAIL;
    }
    ota->staging = staging;
    ESP_LOGI(TAG, "Writing to <%s> partition at offset 0x%" PRIx32, staging->label,
             staging->address);
    ota->final = staging;
    if (config->partition.final != NULL && config->partition.final != staging) {
        ota->final = esp_partition_verify(config->partition.final);
        if (ota->final == NULL) {
            ESP_LOGE(TAG, "Given final partition not found");
            return ESP_FAIL;
        }
        ota->finalize_with_copy = config->partition.finalize_with_copy;
    }
    return ESP_OK;
}

static esp_err_t check_length(const https_ota_t *ota)
{
    if (ota->image_len > (int64_t)ota->staging->size) {
        ESP_LOGE(TAG,
                 "The image (%" PRId64 " bytes) does not fit into partition <%s> (%" PRIu32
                 " bytes)",
                 ota->image_len, ota->staging->label, ota->staging->size);
        return ESP_ERR_INVALID_SIZE;
    }
    if (ota->image_len == 0) {
        ESP_LOGE(TAG, "The file is empty");
        return ESP_FAIL;
    }
    if (ota->image_len > 0 && ota->resume_offset > (size_t)ota->image_len) {
        ESP_LOGE(TAG, "The file is shorter than what was downloaded of it before");
        return ESP_ERR_INVALID_SIZE;
    }
    return ESP_OK;
}

static void release(https_ota_t *ota)
{
    if (ota->client != NULL) {
        (void)esp_http_client_cleanup(ota->client);
    }
#ifdef CONFIG_ESP_HTTPS_OTA_DECRYPT_CB
    free(ota->plain);
#endif
    free(ota->buf);
    free(ota);
}

static esp_err_t begin(https_ota_t *ota, const esp_https_ota_config_t *config)
{
    take_config(ota, config);
    esp_err_t err = make_buffer(ota, config);
    if (err == ESP_OK) {
        err = make_client(ota, config);
    }
    if (err != ESP_OK) {
        return err;
    }
    err = connect_first(ota);
    if (err != ESP_OK) {
        if (err != ESP_ERR_HTTP_NOT_MODIFIED) {
            ESP_LOGE(TAG, "Failed to establish HTTP connection");
        }
        return err;
    }
    https_ota_event(ESP_HTTPS_OTA_CONNECTED, NULL, 0);
    take_length(ota);
    ESP_LOGI(TAG, "Starting OTA...");
    err = choose_partitions(ota, config);
    return err == ESP_OK ? check_length(ota) : err;
}

esp_err_t esp_https_ota_begin(const esp_https_ota_config_t *ota_config,
                              esp_https_ota_handle_t *handle)
{
    https_ota_event(ESP_HTTPS_OTA_START, NULL, 0);
    if (handle == NULL) {
        ESP_LOGE(TAG, "esp_https_ota_begin: Invalid argument");
        return ESP_ERR_INVALID_ARG;
    }
    *handle = NULL;
    esp_err_t err = check_config(ota_config);
    if (err != ESP_OK) {
        return err;
    }
    https_ota_t *ota = calloc(1, sizeof(*ota));
    if (ota == NULL) {
        ESP_LOGE(TAG, "Couldn't allocate memory to upgrade data buffer");
        return ESP_ERR_NO_MEM;
    }
    err = begin(ota, ota_config);
    if (err != ESP_OK) {
        release(ota);
        return err;
    }
    ota->state = ota->resume_offset > 0 ? HTTPS_OTA_RESUME : HTTPS_OTA_BEGIN;
    ota->written = ota->resume_offset;
    *handle = ota;
    return ESP_OK;
}

/* --- receiving --- */

/* Up to len bytes of the file: > 0 bytes, 0 none now (*err ESP_ERR_HTTPS_OTA_IN_PROGRESS) or the
 * end
 * (*err ESP_OK), < 0 failed (*err, logged). */
static int receive(https_ota_t *ota, char *buf, size_t len, esp_err_t *err)
{
    int64_t before = https_ota_now_us();
    int got = esp_http_client_read(ota->client, buf, (int)len);
    int problem = errno;
    int64_t now = https_ota_now_us();
    ota->network_us += now - before;
    if (got > 0) {
        ota->last_byte_us = now;
        ota->received += (size_t)got;
        ota->file_done += got;
        *err = ESP_OK;
    }
    if (now >= ota->deadline_us) {
        ESP_LOGE(TAG, "The update has taken longer than ESP_HTTPS_OTA_DEADLINE_S (%d s)",
                 CONFIG_ESP_HTTPS_OTA_DEADLINE_S);
        *err = ESP_ERR_TIMEOUT;
        return -1;
    }
    if (got > 0) {
        return got;
    }
    if (got == -ESP_ERR_HTTP_EAGAIN) {
        int64_t silent_ms = (now - ota->last_byte_us) / 1000;
        if (CONFIG_ESP_HTTPS_OTA_STALL_MS > 0 && silent_ms >= CONFIG_ESP_HTTPS_OTA_STALL_MS) {
            ESP_LOGE(TAG, "The server has sent nothing for %" PRId64 " ms after %u bytes",
                     silent_ms, (unsigned)ota->received);
            *err = ESP_ERR_TIMEOUT;
            return -1;
        }
        *err = ESP_ERR_HTTPS_OTA_IN_PROGRESS;
        return 0;
    }
    if (got < 0) {
        ESP_LOGE(TAG, "data read %d, errno %d", got, problem);
        *err = ESP_FAIL;
        return -1;
    }
    if (!esp_http_client_is_complete_data_received(ota->client)) {
        ESP_LOGE(TAG, "Connection closed before complete data was received!");
        *err = ESP_FAIL;
        return -1;
    }
    *err = ESP_OK;
    return 0;
}

/* The first HTTPS_OTA_HEADER_SIZE bytes of the file into the buffer, where they are kept. */
static esp_err_t hold_header(https_ota_t *ota)
{
    while (ota->held < HTTPS_OTA_HEADER_SIZE) {
        esp_err_t err;
        int got = receive(ota, ota->buf + ota->held, HTTPS_OTA_HEADER_SIZE - ota->held, &err);
        if (got < 0) {
            ESP_LOGE(TAG, "Complete headers were not received");
            return err == ESP_ERR_TIMEOUT ? err : ESP_FAIL;
        }
        if (got == 0 && err == ESP_OK) {
            if (ota->held > 0 && (unsigned char)ota->buf[0] != ESP_IMAGE_HEADER_MAGIC) {
                (void)https_ota_check_header(ota, ota->buf, ota->held); /* says what it is */
            } else {
                ESP_LOGE(TAG, "Complete headers were not received: the file has only %u bytes",
                         (unsigned)ota->held);
            }
            return ESP_FAIL;
        }
        ota->held += (size_t)got;
    }
    return ESP_OK;
}

/* --- image descriptions --- */

#ifdef CONFIG_ESP_HTTPS_OTA_DECRYPT_CB
static esp_err_t get_desc(https_ota_t *ota, void *out, size_t size, esp_partition_type_t wanted)
{
    (void)ota;
    (void)out;
    (void)size;
    (void)wanted;
    https_ota_event(ESP_HTTPS_OTA_GET_IMG_DESC, NULL, 0);
    ESP_LOGE(TAG, "The description of an encrypted image cannot be read in advance");
    return ESP_ERR_NOT_SUPPORTED;
}
#else
static esp_err_t read_desc(https_ota_t *ota, void *desc, size_t size)
{
    const size_t offset = sizeof(esp_image_header_t) + sizeof(esp_image_segment_header_t);
    if (ota->held == 0 && ota->written >= offset + size) {
        return esp_partition_read(ota->staging, offset, desc, size);
    }
    esp_err_t err = hold_header(ota);
    if (err == ESP_OK) {
        memcpy(desc, ota->buf + offset, size);
    }
    return err;
}

static esp_err_t get_desc(https_ota_t *ota, void *out, size_t size, esp_partition_type_t wanted)
{
    https_ota_event(ESP_HTTPS_OTA_GET_IMG_DESC, NULL, 0);
    if (ota == NULL || out == NULL) {
        ESP_LOGE(TAG, "esp_https_ota_get_img_desc: Invalid argument");
        return ESP_ERR_INVALID_ARG;
    }
    if (ota->final->type != wanted) {
        ESP_LOGE(TAG, "This partition type (%d) is not supported", (int)ota->final->type);
        return ESP_FAIL;
    }
    union {
        esp_app_desc_t app;
        esp_bootloader_desc_t bootloader;
    } desc;
    esp_err_t err = read_desc(ota, &desc, size);
    if (err != ESP_OK) {
        return err;
    }
    if (wanted == ESP_PARTITION_TYPE_APP && desc.app.magic_word != ESP_APP_DESC_MAGIC_WORD) {
        ESP_LOGE(TAG, "Incorrect app descriptor magic");
        return ESP_FAIL;
    }
    if (wanted == ESP_PARTITION_TYPE_BOOTLOADER &&
        desc.bootloader.magic_byte != ESP_BOOTLOADER_DESC_MAGIC_BYTE) {
        ESP_LOGE(TAG, "Incorrect bootloader descriptor magic");
        return ESP_FAIL;
    }
    memcpy(out, &desc, size);
    return ESP_OK;
}
#endif

esp_err_t esp_https_ota_get_img_desc(esp_https_ota_handle_t https_ota_handle,
                                     esp_app_desc_t *new_app_info)
{
    return get_desc(https_ota_handle, new_app_info, sizeof(*new_app_info), ESP_PARTITION_TYPE_APP);
}

esp_err_t esp_https_ota_get_bootloader_img_desc(esp_https_ota_handle_t https_ota_handle,
                                                esp_bootloader_desc_t *new_img_info)
{
    return get_desc(https_ota_handle, new_img_info, sizeof(*new_img_info),
                    ESP_PARTITION_TYPE_BOOTLOADER);
}

/* --- writing --- */

static bool is_image(const https_ota_t *ota)
{
    return ota->final->type == ESP_PARTITION_TYPE_APP ||
           ota->final->type == ESP_PARTITION_TYPE_BOOTLOADER;
}

static esp_err_t open_session(https_ota_t *ota)
{
    size_t erase = OTA_WITH_SEQUENTIAL_WRITES;
    if (ota->bulk_erase) {
        erase = ota->image_len > 0 ? (size_t)ota->image_len : OTA_SIZE_UNKNOWN;
    }
    esp_err_t err;
    if (ota->state == HTTPS_OTA_RESUME) {
        err = esp_ota_resume(ota->staging, erase, ota->resume_offset, &ota->session);
        if (err != ESP_OK) {
            ESP_LOGE(TAG, "esp_ota_resume failed (%s)", esp_err_to_name(err));
        }
    } else {
        err = esp_ota_begin(ota->staging, erase, &ota->session);
        if (err != ESP_OK) {
            ESP_LOGE(TAG, "esp_ota_begin failed (%s)", esp_err_to_name(err));
        }
    }
    if (err != ESP_OK) {
        ota->session = 0;
        return err;
    }
    if (ota->final != ota->staging) {
        err = esp_ota_set_final_partition(ota->session, ota->final, ota->finalize_with_copy);
        if (err != ESP_OK) {
            ESP_LOGE(TAG, "esp_ota_set_final_partition failed (%s)", esp_err_to_name(err));
            (void)esp_ota_abort(ota->session);
            ota->session = 0;
            return err;
        }
    }
    ota->state = HTTPS_OTA_IN_PROGRESS;
    return ESP_OK;
}

static esp_err_t write_image(https_ota_t *ota, const char *data, size_t len)
{
    esp_err_t err = esp_ota_write(ota->session, data, len);
    if (err == ESP_OK) {
        ota->written += len;
    } else {
        ESP_LOGE(TAG, "Error: esp_ota_write failed! err=0x%x", (unsigned)err);
        if (err == ESP_ERR_INVALID_SIZE) {
            ESP_LOGE(TAG, "The image does not fit into partition <%s> (%" PRIu32 " bytes)",
                     ota->staging->label, ota->staging->size);
        }
    }
    int written = (int)ota->written;
    https_ota_event(ESP_HTTPS_OTA_WRITE_FLASH, &written, sizeof(written));
    return err;
}

/* The first bytes of the image: judged, and only then is the session opened and flash touched. */
static esp_err_t begin_image(https_ota_t *ota, const char *head, size_t len)
{
    if (is_image(ota) && ota->state == HTTPS_OTA_BEGIN) {
        esp_err_t err = https_ota_check_header(ota, head, len);
        if (err != ESP_OK) {
            return err;
        }
    }
    esp_err_t err = open_session(ota);
    return err == ESP_OK ? write_image(ota, head, len) : err;
}

#ifdef CONFIG_ESP_HTTPS_OTA_DECRYPT_CB
/* Enough of the image to judge it: header, segment header and description. */
#define PLAIN_HEAD                                                                                 \
    (sizeof(esp_image_header_t) + sizeof(esp_image_segment_header_t) + sizeof(esp_app_desc_t))

static esp_err_t take_plain(https_ota_t *ota, const char *data, size_t len)
{
    if (ota->session != 0) {
        return write_image(ota, data, len);
    }
    char *grown = realloc(ota->plain, ota->plain_len + len);
    if (grown == NULL) {
        ESP_LOGE(TAG, "No memory for the decrypted image header");
        return ESP_ERR_NO_MEM;
    }
    ota->plain = grown;
    memcpy(grown + ota->plain_len, data, len);
    ota->plain_len += len;
    if (is_image(ota) && ota->plain_len < PLAIN_HEAD) {
        return ESP_OK;
    }
    esp_err_t err = begin_image(ota, ota->plain, ota->plain_len);
    free(ota->plain);
    ota->plain = NULL;
    return err;
}

static esp_err_t take_file(https_ota_t *ota, const char *data, size_t len)
{
    decrypt_cb_arg_t args = {.data_in = data, .data_in_len = len};
    https_ota_event(ESP_HTTPS_OTA_DECRYPT_CB, NULL, 0);
    esp_err_t err = ota->decrypt_cb(&args, ota->decrypt_ctx);
    if (err == ESP_ERR_NOT_FINISHED) {
        err = ESP_OK; /* more input needed */
    } else if (err != ESP_OK) {
        ESP_LOGE(TAG, "%s %d",
                 ota->session == 0 ? "Decryption of image header failed"
                                   : "Decrypt callback failed",
                 err);
    }
    if (err == ESP_OK && args.data_out != NULL && args.data_out_len > 0) {
        err = take_plain(ota, args.data_out, args.data_out_len);
    }
    free(args.data_out);
    return err;
}
#else
static esp_err_t take_file(https_ota_t *ota, const char *data, size_t len)
{
    return ota->session != 0 ? write_image(ota, data, len) : begin_image(ota, data, len);
}
#endif

/* --- perform --- */

static int64_t file_len(const https_ota_t *ota)
{
#ifdef CONFIG_ESP_HTTPS_OTA_DECRYPT_CB
    return ota->image_len >= 0 ? ota->image_len + ota->extra_len : -1;
#else
    return ota->image_len;
#endif
}

/* The response has ended properly. */
static esp_err_t end_of_response(https_ota_t *ota)
{
    if (esp_http_client_has_surplus(ota->client, SURPLUS_WAIT_MS)) {
        ESP_LOGE(TAG, "The server sends more than the %" PRId64 " bytes it announced",
                 esp_http_client_get_content_length(ota->client));
        return ESP_FAIL;
    }
    if (ota->partial) {
        if (ota->file_done < file_len(ota)) {
            if (!esp_http_client_is_persistent_connection(ota->client)) {
                (void)esp_http_client_close(ota->client);
            }
            esp_err_t err = https_ota_set_range(ota);
            if (err == ESP_OK) {
                err = https_ota_connect(ota);
            }
            if (err != ESP_OK) {
                ESP_LOGE(TAG, "Failed to establish HTTP connection");
                return ESP_FAIL;
            }
            return ESP_ERR_HTTPS_OTA_IN_PROGRESS;
        }
        if (ota->file_done > file_len(ota)) {
            ESP_LOGE(TAG, "The server sent %" PRId64 " bytes of a file of %" PRId64, ota->file_done,
                     file_len(ota));
            return ESP_FAIL;
        }
    }
    if (ota->session == 0) {
        ESP_LOGE(TAG, "The file holds nothing to install");
        return ESP_FAIL;
    }
    ota->state = HTTPS_OTA_SUCCESS;
    return ESP_OK;
}

/* Fills the buffer behind what it holds already and hands it on. */
static esp_err_t step(https_ota_t *ota)
{
    esp_err_t err;
    int got = receive(ota, ota->buf + ota->held, ota->buf_size - ota->held, &err);
    if (got < 0) {
        return err;
    }
    size_t len = ota->held + (size_t)got;
    if (len == 0) {
        return err == ESP_OK ? end_of_response(ota) : err;
    }
    ota->held = 0;
    ota->head_taken = true;
    err = take_file(ota, ota->buf, len);
    return err == ESP_OK ? ESP_ERR_HTTPS_OTA_IN_PROGRESS : err;
}

esp_err_t esp_https_ota_perform(esp_https_ota_handle_t https_ota_handle)
{
    https_ota_t *ota = https_ota_handle;
    if (ota == NULL) {
        ESP_LOGE(TAG, "esp_https_ota_perform: Invalid argument");
        return ESP_ERR_INVALID_ARG;
    }
    esp_err_t err;
    switch (ota->state) {
    case HTTPS_OTA_BEGIN:
        if (is_image(ota) && !ota->head_taken) {
            err = hold_header(ota);
            if (err != ESP_OK) {
                return err;
            }
        }
        return step(ota);
    case HTTPS_OTA_RESUME:
    case HTTPS_OTA_IN_PROGRESS:
        return step(ota);
    default:
        ESP_LOGE(TAG, "Invalid ESP HTTPS OTA State");
        return ESP_FAIL;
    }
}

/* --- end --- */

/* The image in flash may be longer than what this download wrote: then its tail is that of an older
 * image, and the file was cut. */
static esp_err_t check_written(const https_ota_t *ota)
{
    esp_partition_pos_t place = {.offset = ota->staging->address, .size = ota->staging->size};
    esp_image_metadata_t data;
    if (!is_image(ota) || esp_image_get_metadata(&place, &data) != ESP_OK) {
        return ESP_OK; /* esp_ota_end() says what is wrong */
    }
    if (data.image_len > ota->written) {
        ESP_LOGE(TAG, "The file is cut off: it has %u of the image's %" PRIu32 " bytes",
                 (unsigned)ota->written, data.image_len);
        return ESP_ERR_OTA_VALIDATE_FAILED;
    }
    return ESP_OK;
}

static esp_err_t end_session(https_ota_t *ota)
{
    esp_err_t err = check_written(ota);
    if (err != ESP_OK) {
        (void)esp_ota_abort(ota->session);
        return err;
    }
    err = esp_ota_end(ota->session);
    if (err == ESP_ERR_OTA_VALIDATE_FAILED) {
        ESP_LOGE(TAG, "What was downloaded is damaged or incomplete; the running firmware stays");
    } else if (err != ESP_OK) {
        ESP_LOGE(TAG, "esp_ota_end failed (%s)", esp_err_to_name(err));
    }
    return err;
}

static esp_err_t set_boot_partition(https_ota_t *ota)
{
    bool is_slot = ota->final->subtype >= ESP_PARTITION_SUBTYPE_APP_OTA_MIN &&
                   ota->final->subtype < ESP_PARTITION_SUBTYPE_APP_OTA_MAX;
    if (is_slot) {
        esp_err_t err = esp_ota_set_boot_partition(ota->staging);
        if (err != ESP_OK) {
            ESP_LOGE(TAG, "esp_ota_set_boot_partition failed! err=0x%x", (unsigned)err);
            return err;
        }
    }
    esp_partition_subtype_t subtype = ota->final->subtype;
    https_ota_event(ESP_HTTPS_OTA_UPDATE_BOOT_PARTITION, &subtype, sizeof(subtype));
    return ESP_OK;
}

static void log_times(const https_ota_t *ota, int64_t verify_started_us)
{
    esp_ota_stats_t stats;
    (void)esp_ota_get_stats(ota->session, &stats);
    int64_t now = https_ota_now_us();
    ESP_LOGI(TAG,
             "%u bytes in %" PRId64 " ms: network %" PRId64 ", erase %" PRIu64 ", write %" PRIu64
             ", verify %" PRId64 " ms; %" PRIu32 " bytes erased, %" PRIu32 " written, %" PRIu32
             " equal already",
             (unsigned)ota->received, (now - ota->started_us) / 1000, ota->network_us / 1000,
             stats.erase_us / 1000, stats.write_us / 1000, (now - verify_started_us) / 1000,
             stats.erased_bytes, stats.written_bytes, stats.kept_bytes);
}

esp_err_t esp_https_ota_finish(esp_https_ota_handle_t https_ota_handle)
{
    https_ota_t *ota = https_ota_handle;
    if (ota == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    (void)esp_http_client_close(ota->client);
    int64_t verify_started_us = https_ota_now_us();
    esp_err_t err = ESP_OK;
    if (ota->session != 0) {
        err = end_session(ota);
    }
    if (err == ESP_OK && ota->state == HTTPS_OTA_SUCCESS) {
        if (ota->final->type == ESP_PARTITION_TYPE_APP) {
            err = set_boot_partition(ota);
        }
        if (err == ESP_OK) {
            log_times(ota, verify_started_us);
        }
    } else if (err == ESP_OK && ota->session != 0) {
        ESP_LOGW(TAG, "The download was not complete; the boot partition is not changed");
    }
    release(ota);
    https_ota_event(ESP_HTTPS_OTA_FINISH, NULL, 0);
    return err;
}

esp_err_t esp_https_ota_abort(esp_https_ota_handle_t https_ota_handle)
{
    https_ota_event(ESP_HTTPS_OTA_ABORT, NULL, 0);
    https_ota_t *ota = https_ota_handle;
    if (ota == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    esp_err_t err = ota->session != 0 ? esp_ota_abort(ota->session) : ESP_OK;
    release(ota);
    return err;
}

esp_err_t esp_https_ota(const esp_https_ota_config_t *ota_config)
{
    if (ota_config == NULL || ota_config->http_config == NULL) {
        ESP_LOGE(TAG, "esp_https_ota: Invalid argument");
        return ESP_ERR_INVALID_ARG;
    }
    if (ota_config->ota_resumption) {
        ESP_LOGE(TAG, "OTA resumption is not supported in esp_https_ota API");
        return ESP_ERR_NOT_SUPPORTED;
    }
    esp_https_ota_handle_t handle;
    esp_err_t err = esp_https_ota_begin(ota_config, &handle);
    if (err != ESP_OK) {
        return err;
    }
    do {
        err = esp_https_ota_perform(handle);
    } while (err == ESP_ERR_HTTPS_OTA_IN_PROGRESS);
    if (err != ESP_OK) {
        (void)esp_https_ota_abort(handle);
        return err;
    }
    return esp_https_ota_finish(handle);
}

/* --- what is known --- */

bool esp_https_ota_is_complete_data_received(esp_https_ota_handle_t https_ota_handle)
{
    const https_ota_t *ota = https_ota_handle;
    if (ota == NULL) {
        return false;
    }
    return ota->partial ? ota->file_done == file_len(ota) && ota->held == 0
                        : esp_http_client_is_complete_data_received(ota->client);
}

static int as_int(int64_t number)
{
    return number > INT_MAX ? INT_MAX : (int)number;
}

int esp_https_ota_get_image_len_read(esp_https_ota_handle_t https_ota_handle)
{
    const https_ota_t *ota = https_ota_handle;
    if (ota == NULL || ota->state == HTTPS_OTA_BEGIN) {
        return -1;
    }
    return as_int((int64_t)ota->written);
}

int esp_https_ota_get_image_size(esp_https_ota_handle_t https_ota_handle)
{
    const https_ota_t *ota = https_ota_handle;
    return ota == NULL ? -1 : as_int(ota->image_len);
}

int esp_https_ota_get_status_code(esp_https_ota_handle_t https_ota_handle)
{
    const https_ota_t *ota = https_ota_handle;
    return ota == NULL ? -1 : esp_http_client_get_status_code(ota->client);
}
