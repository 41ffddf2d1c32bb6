/* SPDX-License-Identifier: Apache-2.0
 *
 * Driver for SPI NOR flash chips, over any way of moving bytes. Knows nothing of a board, so that
 * its tests can run it on the host against a chip model that is stricter than the emulator's. */
#ifndef SIFIVE_U_NOR_H
#define SIFIVE_U_NOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "formats/esp_err_codes.h"

/* The wire to the chip. */
typedef struct {
    /* Asserts or releases chip select; releasing first waits for the last bit to be sent. */
    void (*select)(bool on);
    /* Sends len bytes and stores as many received ones. tx NULL: sends zeros; rx NULL: drops what
     * is received. Returns false if the controller did not finish in time. */
    bool (*transfer)(const uint8_t *tx, uint8_t *rx, size_t len);
    /* A clock in microseconds for time limits. */
    uint64_t (*now_us)(void);
} nor_bus_t;

typedef struct {
    const nor_bus_t *bus;
    uint32_t size; /* bytes; 0 until nor_init() succeeded */
    uint32_t id;   /* manufacturer << 16 | type << 8 | capacity */
} nor_t;

/* Resets the chip and finds its size from its JEDEC id. On failure nor->size is 0.
 * ESP_ERR_FLASH_UNSUPPORTED_CHIP: nothing answers, or the size is not 1 MiB to 128 MiB.
 * ESP_ERR_FLASH_OP_TIMEOUT: the bus hangs, or the chip stays busy. */
esp_err_t nor_init(nor_t *nor, const nor_bus_t *bus);

/* As the hal_flash_* functions of the same name. */
esp_err_t nor_read(nor_t *nor, uint32_t address, void *dst, size_t len);
esp_err_t nor_program(nor_t *nor, uint32_t address, const void *src, size_t len);
esp_err_t nor_erase_sector(nor_t *nor, uint32_t address);
esp_err_t nor_erase_block(nor_t *nor, uint32_t address);

#endif
