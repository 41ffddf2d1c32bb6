/* SPDX-License-Identifier: Apache-2.0 */
#include "nor.h"

#include "hal/flash.h"

#define CMD_WRITE_ENABLE  0x06u
#define CMD_READ_STATUS   0x05u
#define CMD_READ_ID       0x9Fu
#define CMD_RESET_ENABLE  0x66u
#define CMD_RESET         0x99u
#define CMD_RELEASE_POWER 0xABu

/* Commands with an address, in their 3-byte and 4-byte forms. The 4-byte opcodes do not depend on
 * the mode the chip is in. */
typedef struct {
    uint8_t opcode3;
    uint8_t opcode4;
} addressed_t;

static const addressed_t FAST_READ = {0x0B, 0x0C};
static const addressed_t PAGE_PROGRAM = {0x02, 0x12};
static const addressed_t ERASE_SECTOR = {0x20, 0x21};
static const addressed_t ERASE_BLOCK = {0xD8, 0xDC};

#define STATUS_BUSY          0x01u
#define STATUS_WRITE_ENABLED 0x02u
#define STATUS_NO_CHIP       0xFFu /* what an open line reads as */

#define PAGE_SIZE      256u
#define ADDRESS3_LIMIT 0x01000000u
#define CAPACITY_MIN   20u /* log2 of 1 MiB */
#define CAPACITY_MAX   27u

/* Generous multiples of what data sheets call the maximum. */
#define TIMEOUT_RESET_US   1000000u
#define TIMEOUT_PROGRAM_US 50000u
#define TIMEOUT_SECTOR_US  1500000u
#define TIMEOUT_BLOCK_US   6000000u
#define RESET_TIME_US      100u

static esp_err_t command(nor_t *nor, const uint8_t *head, size_t head_len, const uint8_t *tx,
                         uint8_t *rx, size_t len)
{
    const nor_bus_t *bus = nor->bus;

    bus->select(true);
    bool ok = bus->transfer(head, NULL, head_len) && (len == 0 || bus->transfer(tx, rx, len));
    bus->select(false);
    return ok ? ESP_OK : ESP_ERR_FLASH_OP_TIMEOUT;
}

static esp_err_t simple_command(nor_t *nor, uint8_t opcode)
{
    return command(nor, &opcode, 1, NULL, NULL, 0);
}

static esp_err_t read_status(nor_t *nor, uint8_t *status)
{
    uint8_t opcode = CMD_READ_STATUS;

    return command(nor, &opcode, 1, NULL, status, 1);
}

static esp_err_t wait_ready(nor_t *nor, uint32_t timeout_us)
{
    uint64_t end = nor->bus->now_us() + timeout_us;

    for (;;) {
        /* Time first, so that a chip that became ready while we were not running is not blamed. */
        bool late = nor->bus->now_us() > end;
        uint8_t status;
        esp_err_t err = read_status(nor, &status);
        if (err != ESP_OK) {
            return err;
        }
        if (!(status & STATUS_BUSY)) {
            return ESP_OK;
        }
        if (late) {
            return ESP_ERR_FLASH_OP_TIMEOUT;
        }
    }
}

static esp_err_t write_enable(nor_t *nor)
{
    uint8_t status = 0;
    esp_err_t err = simple_command(nor, CMD_WRITE_ENABLE);

    if (err == ESP_OK) {
        err = read_status(nor, &status);
    }
    if (err != ESP_OK) {
        return err;
    }
    /* A chip that refuses this would ignore the program or erase without a word. */
    return (status & STATUS_WRITE_ENABLED) ? ESP_OK : ESP_ERR_FLASH_OP_FAIL;
}

/* Writes opcode and address to head, which has room for 6 bytes; returns their length. */
static size_t put_address(uint8_t *head, const addressed_t *cmd, uint32_t address)
{
    size_t n = 0;

    if (address < ADDRESS3_LIMIT) {
        head[n++] = cmd->opcode3;
    } else {
        head[n++] = cmd->opcode4;
        head[n++] = (uint8_t)(address >> 24);
    }
    head[n++] = (uint8_t)(address >> 16);
    head[n++] = (uint8_t)(address >> 8);
    head[n++] = (uint8_t)address;
    return n;
}

static bool in_chip(const nor_t *nor, uint32_t address, size_t len)
{
    return len <= nor->size && address <= nor->size - len;
}

esp_err_t nor_init(nor_t *nor, const nor_bus_t *bus)
{
    uint8_t opcode = CMD_READ_ID;
    uint8_t id[3];
    uint8_t status;
    esp_err_t err;

    nor->bus = bus;
    nor->size = 0;
    nor->id = 0;

    /* A board reset does not reset the chip: it may sleep, be in the middle of an erase (and then
     * answers nothing but its status), or be in 4-byte address mode. */
    err = simple_command(nor, CMD_RELEASE_POWER);
    if (err == ESP_OK) {
        err = read_status(nor, &status);
    }
    if (err == ESP_OK && status != STATUS_NO_CHIP) {
        err = wait_ready(nor, TIMEOUT_BLOCK_US);
        if (err == ESP_OK) {
            err = simple_command(nor, CMD_RESET_ENABLE);
        }
        if (err == ESP_OK) {
            err = simple_command(nor, CMD_RESET);
        }
        for (uint64_t end = bus->now_us() + RESET_TIME_US; bus->now_us() < end;) {
        }
        if (err == ESP_OK) {
            err = wait_ready(nor, TIMEOUT_RESET_US);
        }
    }
    if (err == ESP_OK) {
        err = command(nor, &opcode, 1, NULL, id, sizeof(id));
    }
    if (err != ESP_OK) {
        return err;
    }
    nor->id = (uint32_t)id[0] << 16 | (uint32_t)id[1] << 8 | id[2];
    if (id[0] == 0x00 || id[0] == 0xFF || id[2] < CAPACITY_MIN || id[2] > CAPACITY_MAX) {
        return ESP_ERR_FLASH_UNSUPPORTED_CHIP;
    }
    nor->size = 1u << id[2];
    return ESP_OK;
}

esp_err_t nor_read(nor_t *nor, uint32_t address, void *dst, size_t len)
{
    uint8_t *out = dst;

    if (!in_chip(nor, address, len)) {
        return ESP_ERR_INVALID_ARG;
    }
    while (len > 0) {
        /* A 3-byte read would come round at 16 MiB to the start of the chip. */
        size_t part = len;
        if (address < ADDRESS3_LIMIT && part > ADDRESS3_LIMIT - address) {
            part = ADDRESS3_LIMIT - address;
        }
        uint8_t head[6];
        size_t head_len = put_address(head, &FAST_READ, address);
        head[head_len++] = 0; /* dummy */
        esp_err_t err = command(nor, head, head_len, NULL, out, part);
        if (err != ESP_OK) {
            return err;
        }
        address += (uint32_t)part;
        out += part;
        len -= part;
    }
    return ESP_OK;
}

esp_err_t nor_program(nor_t *nor, uint32_t address, const void *src, size_t len)
{
    const uint8_t *in = src;

    if (!in_chip(nor, address, len)) {
        return ESP_ERR_INVALID_ARG;
    }
    while (len > 0) {
        /* A chip wraps round inside the page. */
        size_t part = PAGE_SIZE - address % PAGE_SIZE;
        if (part > len) {
            part = len;
        }
        uint8_t head[6];
        size_t head_len = put_address(head, &PAGE_PROGRAM, address);
        esp_err_t err = write_enable(nor);
        if (err == ESP_OK) {
            err = command(nor, head, head_len, in, NULL, part);
        }
        if (err == ESP_OK) {
            err = wait_ready(nor, TIMEOUT_PROGRAM_US);
        }
        if (err != ESP_OK) {
            return err;
        }
        address += (uint32_t)part;
        in += part;
        len -= part;
    }
    return ESP_OK;
}

static esp_err_t erase(nor_t *nor, const addressed_t *cmd, uint32_t address, uint32_t unit,
                       uint32_t timeout_us)
{
    if (address % unit != 0 || !in_chip(nor, address, unit)) {
        return ESP_ERR_INVALID_ARG;
    }
    uint8_t head[6];
    size_t head_len = put_address(head, cmd, address);
    esp_err_t err = write_enable(nor);
    if (err == ESP_OK) {
        err = command(nor, head, head_len, NULL, NULL, 0);
    }
    if (err == ESP_OK) {
        err = wait_ready(nor, timeout_us);
    }
    return err;
}

esp_err_t nor_erase_sector(nor_t *nor, uint32_t address)
{
    return erase(nor, &ERASE_SECTOR, address, HAL_FLASH_SECTOR_SIZE, TIMEOUT_SECTOR_US);
}

esp_err_t nor_erase_block(nor_t *nor, uint32_t address)
{
    return erase(nor, &ERASE_BLOCK, address, HAL_FLASH_BLOCK_SIZE, TIMEOUT_BLOCK_US);
}
