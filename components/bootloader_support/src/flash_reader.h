/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading a stretch of flash piece by piece: in place where the board maps its flash, through a
 * buffer from the heap where it does not. */
#ifndef FLASH_READER_H
#define FLASH_READER_H

#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"

typedef struct {
    uint32_t address;
    uint32_t size;
    const uint8_t *mapped; /* NULL: not mapped */
    uint8_t *buffer;
} flash_reader_t;

/* For [address, address + size). ESP_ERR_NO_MEM; then there is nothing to close. */
esp_err_t flash_reader_open(flash_reader_t *reader, uint32_t address, uint32_t size);

/* Points *data at up to *len bytes (> 0) at offset of the stretch, good until the next call, and
 * sets *len to how many. ESP_ERR_INVALID_ARG: not inside the stretch. A flash error as it is. */
esp_err_t flash_reader_get(flash_reader_t *reader, uint32_t offset, const void **data, size_t *len);

void flash_reader_close(flash_reader_t *reader);

#endif
