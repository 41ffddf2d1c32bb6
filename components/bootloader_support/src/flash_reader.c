/* SPDX-License-Identifier: Apache-2.0 */
#include "flash_reader.h"

#include <stdlib.h>

#include "esp_flash_internal.h"

#define BUFFER_SIZE 4096u

esp_err_t flash_reader_open(flash_reader_t *reader, uint32_t address, uint32_t size)
{
    *reader = (flash_reader_t){.address = address, .size = size};
    reader->mapped = esp_flash_map(address, size);
    if (reader->mapped == NULL) {
        reader->buffer = malloc(BUFFER_SIZE);
        if (reader->buffer == NULL) {
            return ESP_ERR_NO_MEM;
        }
    }
    return ESP_OK;
}

esp_err_t flash_reader_get(flash_reader_t *reader, uint32_t offset, const void **data, size_t *len)
{
    if (offset > reader->size || *len == 0 || *len > reader->size - offset) {
        return ESP_ERR_INVALID_ARG;
    }
    if (reader->mapped != NULL) {
        *data = reader->mapped + offset;
        return ESP_OK;
    }
    if (*len > BUFFER_SIZE) {
        *len = BUFFER_SIZE;
    }
    *data = reader->buffer;
    return esp_flash_read(NULL, reader->buffer, reader->address + offset, (uint32_t)*len);
}

void flash_reader_close(flash_reader_t *reader)
{
    free(reader->buffer);
    reader->buffer = NULL;
}
