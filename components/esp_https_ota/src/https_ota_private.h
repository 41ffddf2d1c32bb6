/* SPDX-License-Identifier: Apache-2.0
 *
 * What the sources of esp_https_ota share. */
#ifndef HTTPS_OTA_PRIVATE_H
#define HTTPS_OTA_PRIVATE_H

#include "esp_https_ota.h"

#include "esp_ota_ops.h"

#define HTTPS_OTA_HEADER_SIZE     1024 /* read before anything is judged */
#define HTTPS_OTA_MIN_BUFFER      1024
#define HTTPS_OTA_DEFAULT_REQUEST 65536

typedef enum {
    HTTPS_OTA_BEGIN = 1,
    HTTPS_OTA_IN_PROGRESS = 2,
    HTTPS_OTA_SUCCESS = 3,
    HTTPS_OTA_RESUME = 4,
} https_ota_state_t;

typedef struct {
    https_ota_state_t state;
    esp_http_client_handle_t client;
    const esp_partition_t *staging;
    const esp_partition_t *final; /* staging itself unless another was given */
    bool finalize_with_copy;
    bool bulk_erase;
    esp_ota_handle_t session; /* 0: none */

    char *buf;
    size_t buf_size;
    size_t held;     /* bytes of the file at the start of buf that were not written yet */
    bool head_taken; /* its first bytes have gone on from there */

    int64_t image_len; /* whole image; -1: unknown */
    size_t written;    /* of the image, with the part of an earlier download */
    bool resumption;
    size_t resume_offset;
    int auth_left;

    bool partial;
    int64_t request_size;
    int64_t file_done; /* bytes of the file received, with an earlier download */

#ifdef CONFIG_ESP_HTTPS_OTA_DECRYPT_CB
    decrypt_cb_t decrypt_cb;
    void *decrypt_ctx;
    uint16_t extra_len; /* by which the file is longer than the image */
    char *plain;        /* decrypted beginning, until it is long enough to be judged */
    size_t plain_len;
#endif

    int64_t started_us;
    int64_t deadline_us;  /* INT64_MAX: none */
    int64_t last_byte_us; /* when the server was last heard of */
    int64_t network_us;   /* time spent waiting for the server */
    size_t received;
} https_ota_t;

/* https_ota_events.c */
void https_ota_event(esp_https_ota_event_t id, const void *data, size_t len);

/* https_ota_connect.c */
/* Sends the request and accepts the response, over redirects and challenges. Logs what fails. */
esp_err_t https_ota_connect(https_ota_t *ota);
/* Finds the image's length and sets the first range of a partial download. */
esp_err_t https_ota_prepare_partial(https_ota_t *ota);
/* Sets the Range header for the next part of a partial download. */
esp_err_t https_ota_set_range(https_ota_t *ota);
esp_err_t https_ota_check_scheme(https_ota_t *ota);

/* https_ota_image.c */
/* Whether the first HTTPS_OTA_HEADER_SIZE bytes are those of an image for this board. */
esp_err_t https_ota_check_header(https_ota_t *ota, const char *head, size_t len);

int64_t https_ota_now_us(void);

#endif
