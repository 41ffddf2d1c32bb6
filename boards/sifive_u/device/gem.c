/* SPDX-License-Identifier: Apache-2.0 */
#include "sifive_u/gem.h"

#include <string.h>

#include "hal/network.h"
#include "sifive_u/board.h"
#include "sifive_u/irq.h"
#include "sifive_u/mmio.h"

#define GEM(offset) (SIFIVE_U_GEM_BASE + (offset))

#define GEM_CONTROL     GEM(0x00u)
#define GEM_CONFIG      GEM(0x04u)
#define GEM_STATUS      GEM(0x08u)
#define GEM_DMA_CONFIG  GEM(0x10u)
#define GEM_TX_STATUS   GEM(0x14u)
#define GEM_RX_BASE     GEM(0x18u)
#define GEM_TX_BASE     GEM(0x1Cu)
#define GEM_RX_STATUS   GEM(0x20u)
#define GEM_IRQ_STATUS  GEM(0x24u)
#define GEM_IRQ_ENABLE  GEM(0x28u)
#define GEM_IRQ_DISABLE GEM(0x2Cu)
#define GEM_PHY         GEM(0x34u)
#define GEM_ADDRESS_LOW GEM(0x88u)
#define GEM_ADDRESS_TOP GEM(0x8Cu)
#define GEM_MODULE_ID   GEM(0xFCu)
#define GEM_TX_BASE_TOP GEM(0x4C8u)
#define GEM_RX_BASE_TOP GEM(0x4D4u)

#define MODULE_ID_GEM 0x1007u /* upper half */

#define CONTROL_RX         (1u << 2)
#define CONTROL_TX         (1u << 3)
#define CONTROL_PHY        (1u << 4)
#define CONTROL_CLEAR_STAT (1u << 5)
#define CONTROL_START_TX   (1u << 9)

#define CONFIG_SPEED_100    (1u << 0)
#define CONFIG_FULL_DUPLEX  (1u << 1)
#define CONFIG_GIGABIT      (1u << 10)
#define CONFIG_DROP_LENGTH  (1u << 16)
#define CONFIG_STRIP_FCS    (1u << 17)
#define CONFIG_MDC_DIVIDE32 (2u << 18)

/* Reset value but for the receive buffers: full packet memory, bursts of 4, little endian. */
#define DMA_CONFIG (BUFFER_SIZE / 64u << 16 | 0x0784u)

#define STATUS_PHY_IDLE (1u << 2)

#define IRQ_RX_COMPLETE (1u << 1)
#define IRQ_RX_USED     (1u << 2)
#define IRQ_BUS_ERROR   (1u << 6)
#define IRQ_TX_COMPLETE (1u << 7)
#define IRQS            (IRQ_RX_COMPLETE | IRQ_RX_USED | IRQ_BUS_ERROR | IRQ_TX_COMPLETE)

#define RX_OWNED      (1u << 0) /* word 0: software's */
#define RX_WRAP       (1u << 1)
#define RX_LENGTH     0x1FFFu /* word 1 */
#define RX_START      (1u << 14)
#define RX_END        (1u << 15)
#define TX_LENGTH_END (1u << 15) /* word 1: last buffer of the frame */
#define TX_WRAP       (1u << 30)
#define TX_USED       (1u << 31)

#define PHY_COMMAND     0x40020000u
#define PHY_READ        0x20000000u
#define PHY_ADDRESS     0u
#define PHY_REG_STATUS  1u
#define PHY_REG_ID      2u
#define PHY_REG_PARTNER 5u
#define PHY_REG_GIGABIT 10u
#define PHY_LINK_UP     (1u << 2)
#define PHY_TRIES       100000u

#define PARTNER_100     (3u << 7)  /* register 5: 100 Mbit/s, half or full duplex */
#define PARTNER_GIGABIT (1u << 11) /* register 10: 1 Gbit/s full duplex */

#define BUFFER_SIZE 1536u
#define RX_COUNT    8u
#define TX_COUNT    4u
#define FRAME_MIN   60u

typedef struct {
    volatile uint32_t word[2];
} descriptor_t;

static descriptor_t s_rx[RX_COUNT] __attribute__((aligned(8)));
static descriptor_t s_tx[TX_COUNT] __attribute__((aligned(8)));
static uint8_t s_rx_buffers[RX_COUNT][BUFFER_SIZE] __attribute__((aligned(4)));
static uint8_t s_tx_buffers[TX_COUNT][BUFFER_SIZE] __attribute__((aligned(4)));
static unsigned s_rx_next;
static unsigned s_tx_next;
static void (*s_event)(void);

static uint16_t phy_read(unsigned reg)
{
    mmio_write(GEM_PHY, PHY_COMMAND | PHY_READ | PHY_ADDRESS << 23 | reg << 18);
    for (unsigned i = 0; i < PHY_TRIES; i++) {
        if (mmio_read(GEM_STATUS) & STATUS_PHY_IDLE) {
            return (uint16_t)mmio_read(GEM_PHY);
        }
    }
    return 0xFFFF; /* as where no PHY is */
}

static void interrupt(void)
{
    /* Reading clears it; the two status registers are cleared by writing. */
    (void)mmio_read(GEM_IRQ_STATUS);
    mmio_write(GEM_RX_STATUS, mmio_read(GEM_RX_STATUS));
    mmio_write(GEM_TX_STATUS, mmio_read(GEM_TX_STATUS));
    s_event();
}

static void rings_init(void)
{
    for (unsigned i = 0; i < RX_COUNT; i++) {
        s_rx[i].word[1] = 0;
        s_rx[i].word[0] = (uint32_t)(uintptr_t)s_rx_buffers[i] | (i == RX_COUNT - 1 ? RX_WRAP : 0);
    }
    for (unsigned i = 0; i < TX_COUNT; i++) {
        s_tx[i].word[0] = (uint32_t)(uintptr_t)s_tx_buffers[i];
        s_tx[i].word[1] = TX_USED | (i == TX_COUNT - 1 ? TX_WRAP : 0);
    }
    s_rx_next = 0;
    s_tx_next = 0;
    mmio_fence();
    mmio_write(GEM_RX_BASE_TOP, 0);
    mmio_write(GEM_TX_BASE_TOP, 0);
    mmio_write(GEM_RX_BASE, (uint32_t)(uintptr_t)s_rx);
    mmio_write(GEM_TX_BASE, (uint32_t)(uintptr_t)s_tx);
}

static uint32_t speed_bits(void)
{
    if (phy_read(PHY_REG_GIGABIT) & PARTNER_GIGABIT) {
        return CONFIG_GIGABIT | CONFIG_FULL_DUPLEX;
    }
    if (phy_read(PHY_REG_PARTNER) & PARTNER_100) {
        return CONFIG_SPEED_100 | CONFIG_FULL_DUPLEX;
    }
    return CONFIG_FULL_DUPLEX;
}

esp_err_t gem_start(void (*event)(void))
{
    if (s_event != NULL) {
        return ESP_ERR_INVALID_STATE;
    }
    if (mmio_read(GEM_MODULE_ID) >> 16 != MODULE_ID_GEM) {
        return ESP_ERR_NOT_FOUND;
    }
    mmio_write(GEM_CONTROL, CONTROL_PHY | CONTROL_CLEAR_STAT);
    mmio_write(GEM_IRQ_DISABLE, UINT32_MAX);
    if (phy_read(PHY_REG_ID) == 0xFFFF) {
        return ESP_ERR_NOT_FOUND;
    }
    s_event = event;
    rings_init();
    mmio_write(GEM_DMA_CONFIG, DMA_CONFIG);
    mmio_write(GEM_CONFIG,
               speed_bits() | CONFIG_DROP_LENGTH | CONFIG_STRIP_FCS | CONFIG_MDC_DIVIDE32);
    /* The address is there after reset, but the filter works only once it was written: lower part
     * first, which switches the filter off, then the upper one, which switches it on. */
    uint32_t low = mmio_read(GEM_ADDRESS_LOW);
    uint32_t top = mmio_read(GEM_ADDRESS_TOP);
    mmio_write(GEM_ADDRESS_LOW, low);
    mmio_write(GEM_ADDRESS_TOP, top);
    mmio_write(GEM_RX_STATUS, mmio_read(GEM_RX_STATUS));
    mmio_write(GEM_TX_STATUS, mmio_read(GEM_TX_STATUS));
    (void)mmio_read(GEM_IRQ_STATUS);
    sifive_u_irq_enable(SIFIVE_U_IRQ_GEM, interrupt);
    mmio_write(GEM_IRQ_ENABLE, IRQS);
    mmio_write(GEM_CONTROL, CONTROL_PHY | CONTROL_RX | CONTROL_TX);
    return ESP_OK;
}

void gem_stop(void)
{
    if (s_event == NULL) {
        return;
    }
    mmio_write(GEM_IRQ_DISABLE, UINT32_MAX);
    mmio_write(GEM_CONTROL, CONTROL_PHY);
    sifive_u_irq_disable(SIFIVE_U_IRQ_GEM);
    s_event = NULL;
}

/* Everything else of hal/network.h needs a stack and stands with it, in components/lwip. */
void hal_network_mac(uint8_t mac[6])
{
    gem_mac(mac);
}

void gem_mac(uint8_t mac[GEM_MAC_SIZE])
{
    uint32_t low = mmio_read(GEM_ADDRESS_LOW);
    uint32_t top = mmio_read(GEM_ADDRESS_TOP);

    for (unsigned i = 0; i < 4; i++) {
        mac[i] = (uint8_t)(low >> 8 * i);
    }
    mac[4] = (uint8_t)top;
    mac[5] = (uint8_t)(top >> 8);
}

bool gem_link_up(void)
{
    /* The bit latches low: the first reading may tell of the past. */
    (void)phy_read(PHY_REG_STATUS);
    uint16_t status = phy_read(PHY_REG_STATUS);
    return status != 0xFFFF && (status & PHY_LINK_UP) != 0;
}

/* Gives the oldest receive buffer back to the hardware. */
void gem_receive_done(void)
{
    descriptor_t *rx = &s_rx[s_rx_next];
    uint32_t address = rx->word[0] & ~RX_OWNED;

    rx->word[1] = 0;
    mmio_fence();
    rx->word[0] = address;
    mmio_fence();
    s_rx_next = (s_rx_next + 1) % RX_COUNT;
    /* If it has run out of buffers it stopped looking; this makes it look again. */
    mmio_write(GEM_CONTROL, CONTROL_PHY | CONTROL_RX | CONTROL_TX);
}

const void *gem_receive(size_t *len)
{
    for (;;) {
        const descriptor_t *rx = &s_rx[s_rx_next];
        if (!(rx->word[0] & RX_OWNED)) {
            return NULL;
        }
        mmio_fence();
        uint32_t word = rx->word[1];
        size_t length = word & RX_LENGTH;
        /* A buffer holds any frame whole; anything else is a damaged one. */
        if ((word & (RX_START | RX_END)) == (RX_START | RX_END) && length > 0 &&
            length <= GEM_FRAME_MAX) {
            *len = length;
            return s_rx_buffers[s_rx_next];
        }
        gem_receive_done();
    }
}

void *gem_send_buffer(void)
{
    /* One descriptor always stays used, to end what the hardware takes for ready. */
    unsigned after = (s_tx_next + 1) % TX_COUNT;

    if (!(s_tx[s_tx_next].word[1] & TX_USED) || !(s_tx[after].word[1] & TX_USED)) {
        return NULL;
    }
    return s_tx_buffers[s_tx_next];
}

void gem_send(size_t len)
{
    descriptor_t *tx = &s_tx[s_tx_next];

    if (len < FRAME_MIN) {
        memset(s_tx_buffers[s_tx_next] + len, 0, FRAME_MIN - len);
        len = FRAME_MIN;
    }
    mmio_fence();
    tx->word[1] = (uint32_t)len | TX_LENGTH_END | (s_tx_next == TX_COUNT - 1 ? TX_WRAP : 0);
    mmio_fence();
    s_tx_next = (s_tx_next + 1) % TX_COUNT;
    mmio_write(GEM_CONTROL, CONTROL_PHY | CONTROL_RX | CONTROL_TX | CONTROL_START_TX);
}
