/* SPDX-License-Identifier: Apache-2.0
 *
 * The main flash: the NOR chip on QSPI0. The controller's memory window is not used. */
#include "hal/flash.h"

#include "nor.h"
#include "sifive_u/board.h"
#include "sifive_u/clock.h"
#include "sifive_u/mmio.h"
#include "sifive_u/os.h"
#include "sifive_u/watchdog.h"

#define SPI_SCKDIV  (SIFIVE_U_QSPI0_BASE + 0x00u)
#define SPI_SCKMODE (SIFIVE_U_QSPI0_BASE + 0x04u)
#define SPI_CSID    (SIFIVE_U_QSPI0_BASE + 0x10u)
#define SPI_CSDEF   (SIFIVE_U_QSPI0_BASE + 0x14u)
#define SPI_CSMODE  (SIFIVE_U_QSPI0_BASE + 0x18u)
#define SPI_FMT     (SIFIVE_U_QSPI0_BASE + 0x40u)
#define SPI_TXDATA  (SIFIVE_U_QSPI0_BASE + 0x48u)
#define SPI_RXDATA  (SIFIVE_U_QSPI0_BASE + 0x4Cu)
#define SPI_FCTRL   (SIFIVE_U_QSPI0_BASE + 0x60u)
#define SPI_IE      (SIFIVE_U_QSPI0_BASE + 0x70u)

#define CSMODE_AUTO 0u
#define CSMODE_HOLD 2u

#define FMT_SINGLE_8BIT (8u << 16) /* one lane, most significant bit first, 8 bits a frame */

#define FIFO_DEPTH 8u
#define RX_EMPTY   (1u << 31)

/* 33.33 MHz / (2 * (0 + 1)): slow enough for any chip's fast read on one lane. */
#define SCKDIV 0u

#define TRANSFER_TIMEOUT_US 100000u

static void spi_init(void)
{
    mmio_write(SPI_FCTRL, 0); /* FIFO, not the memory window */
    mmio_write(SPI_IE, 0);
    mmio_write(SPI_CSMODE, CSMODE_AUTO);
    mmio_write(SPI_CSID, 0);
    mmio_write(SPI_CSDEF, mmio_read(SPI_CSDEF) | 1u);
    mmio_write(SPI_SCKMODE, 0);
    mmio_write(SPI_SCKDIV, SCKDIV);
    mmio_write(SPI_FMT, FMT_SINGLE_8BIT);
    while (!(mmio_read(SPI_RXDATA) & RX_EMPTY)) {
    }
}

/* Every byte sent gives a byte received, and spi_transfer() returns only when it has seen them all,
 * so nothing is in flight when chip select moves. */
static void spi_select(bool on)
{
    mmio_write(SPI_CSMODE, on ? CSMODE_HOLD : CSMODE_AUTO);
}

static bool rx_wait(uint32_t *value)
{
    uint64_t end = sifive_u_mtime() + TRANSFER_TIMEOUT_US;

    for (;;) {
        bool late = sifive_u_mtime() > end;
        *value = mmio_read(SPI_RXDATA);
        if (!(*value & RX_EMPTY)) {
            return true;
        }
        if (late) {
            return false;
        }
    }
}

static bool spi_transfer(const uint8_t *tx, uint8_t *rx, size_t len)
{
    while (len > 0) {
        /* Never more than the FIFOs hold: both are empty here. */
        size_t part = len < FIFO_DEPTH ? len : FIFO_DEPTH;
        for (size_t i = 0; i < part; i++) {
            mmio_write(SPI_TXDATA, tx != NULL ? *tx++ : 0);
        }
        for (size_t i = 0; i < part; i++) {
            uint32_t value = mmio_read(SPI_RXDATA);
            if ((value & RX_EMPTY) && !rx_wait(&value)) {
                return false;
            }
            if (rx != NULL) {
                *rx++ = (uint8_t)value;
            }
        }
        len -= part;
    }
    return true;
}

static const nor_bus_t s_bus = {
    .select = spi_select,
    .transfer = spi_transfer,
    .now_us = sifive_u_mtime,
};

static nor_t s_nor;

static void begin(void)
{
    sifive_u_os()->lock(SIFIVE_U_LOCK_FLASH);
    sifive_u_watchdog_progress();
}

static esp_err_t end(esp_err_t err)
{
    sifive_u_os()->unlock(SIFIVE_U_LOCK_FLASH);
    return err;
}

esp_err_t hal_flash_init(void)
{
    if (s_nor.size != 0) {
        return ESP_OK;
    }
    begin();
    spi_init();
    return end(nor_init(&s_nor, &s_bus));
}

uint32_t hal_flash_size(void)
{
    return s_nor.size;
}

uint32_t hal_flash_id(void)
{
    return s_nor.size != 0 ? s_nor.id : 0;
}

esp_err_t hal_flash_read(uint32_t address, void *dst, size_t len)
{
    begin();
    return end(nor_read(&s_nor, address, dst, len));
}

esp_err_t hal_flash_program(uint32_t address, const void *src, size_t len)
{
    begin();
    return end(nor_program(&s_nor, address, src, len));
}

esp_err_t hal_flash_erase_sector(uint32_t address)
{
    begin();
    return end(nor_erase_sector(&s_nor, address));
}

esp_err_t hal_flash_erase_block(uint32_t address)
{
    begin();
    return end(nor_erase_block(&s_nor, address));
}

const void *hal_flash_map(uint32_t address, size_t len)
{
    (void)address;
    (void)len;
    return NULL; /* the chip is not memory mapped on this board */
}

esp_err_t hal_flash_replace(void *memory, uint32_t size)
{
    (void)memory;
    (void)size;
    return ESP_ERR_NOT_SUPPORTED;
}
