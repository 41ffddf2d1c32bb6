/* SPDX-License-Identifier: Apache-2.0
 *
 * hal/network.h on the sifive_u board: lwIP's interface over the MAC driver. A task of its own
 * carries received frames into the stack, follows the cable and reports changes. */
#include "hal/network.h"

#include <string.h>

#include "freertos/FreeRTOS.h"
#include "freertos/semphr.h"
#include "freertos/task.h"
#include "lwip/dhcp.h"
#include "lwip/etharp.h"
#include "lwip/netif.h"
#include "lwip/tcpip.h"
#include "netif/ethernet.h"

#include "hal/clock.h"
#include "sifive_u/gem.h"
#include "sifive_u/os.h"

#define TASK_STACK    2048
#define TASK_PRIORITY (CONFIG_LWIP_TCPIP_TASK_PRIO - 1)
/* The PHY has no interrupt line. */
#define LINK_CHECK_MS 100u

static struct {
    bool running;
    volatile bool stop;
    volatile bool changed; /* link or address, since the last report */
    bool leased;           /* a DHCP server stands behind the address */
    SemaphoreHandle_t stopped;
    hal_network_callback_t callback;
    void *arg;
    struct netif netif;
} network;

/* From the interrupt handler, or with lwIP's lock held. */
static void wake(void)
{
    sifive_u_os()->signal(SIFIVE_U_EVENT_NETWORK);
}

static void on_change(struct netif *netif)
{
    (void)netif;
    network.changed = true;
    wake();
}

/* With lwIP's lock held. The chain stays the caller's. */
static err_t send_frame(struct netif *netif, struct pbuf *frame)
{
    (void)netif;
    if (frame->tot_len == 0 || frame->tot_len > GEM_FRAME_MAX) {
        return ERR_ARG;
    }
    void *buffer = gem_send_buffer();
    if (buffer == NULL) {
        return ERR_MEM;
    }
    pbuf_copy_partial(frame, buffer, frame->tot_len, 0);
    gem_send(frame->tot_len);
    return ERR_OK;
}

static err_t init_netif(struct netif *netif)
{
    netif->name[0] = 'e';
    netif->name[1] = 'n';
    netif->hostname = CONFIG_LWIP_LOCAL_HOSTNAME;
    netif->hwaddr_len = GEM_MAC_SIZE;
    gem_mac(netif->hwaddr);
    netif->mtu = 1500;
    netif->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET;
    netif->output = etharp_output;
    netif->linkoutput = send_frame;
    return ERR_OK;
}

static void receive_frames(void)
{
    const void *frame;
    size_t len;

    while (!network.stop && (frame = gem_receive(&len)) != NULL) {
        /* As large as the frame: what waits in a connection takes no more than it must. Without
         * memory the frame is lost, and its sender sends it again. */
        struct pbuf *copy = pbuf_alloc(PBUF_RAW, (u16_t)len, PBUF_RAM);
        if (copy != NULL) {
            memcpy(copy->payload, frame, len);
        }
        gem_receive_done();
        if (copy != NULL && network.netif.input(copy, &network.netif) != ERR_OK) {
            pbuf_free(copy);
        }
    }
}

static void follow_link_and_lease(void)
{
    bool up = gem_link_up();

    LOCK_TCPIP_CORE();
    if (up != (netif_is_link_up(&network.netif) != 0)) {
        if (up) {
            netif_set_link_up(&network.netif);
        } else {
            netif_set_link_down(&network.netif);
        }
        network.changed = true;
    }
    /* A plugged cable may lead to another network: connections keep the address, but nobody is told
     * of it before a server has confirmed it. That changes nothing at the interface itself. */
    bool leased = up && dhcp_supplied_address(&network.netif) != 0;
    if (leased != network.leased) {
        network.leased = leased;
        network.changed = true;
    }
    UNLOCK_TCPIP_CORE();
}

/* Without lwIP's lock: the receiver may wait for tasks that want it. */
static void report(void)
{
    struct netif *netif = &network.netif;
    hal_network_info_t info = {0};

    network.changed = false;
    LOCK_TCPIP_CORE();
    netif_index_to_name(netif_get_index(netif), info.name);
    memcpy(info.mac, netif->hwaddr, sizeof(info.mac));
    info.link_up = netif_is_link_up(netif) != 0;
    if (network.leased) {
        info.ip = ip4_addr_get_u32(netif_ip4_addr(netif));
        info.netmask = ip4_addr_get_u32(netif_ip4_netmask(netif));
        info.gateway = ip4_addr_get_u32(netif_ip4_gw(netif));
    }
    UNLOCK_TCPIP_CORE();
    network.callback(&info, network.arg);
}

static void network_task(void *arg)
{
    uint64_t next_check = 0;

    (void)arg;
    while (!network.stop) {
        receive_frames();
        if (network.changed || hal_clock_us() >= next_check) {
            follow_link_and_lease();
            next_check = hal_clock_us() + LINK_CHECK_MS * 1000u;
        }
        if (network.changed) {
            report();
        }
        if (!network.stop) {
            sifive_u_os()->wait(SIFIVE_U_EVENT_NETWORK, LINK_CHECK_MS);
        }
    }
    xSemaphoreGive(network.stopped);
    vTaskDelete(NULL);
}

static void remove_interface(void)
{
    LOCK_TCPIP_CORE();
    dhcp_release_and_stop(&network.netif);
    dhcp_cleanup(&network.netif);
    netif_remove(&network.netif);
    UNLOCK_TCPIP_CORE();
    gem_stop();
}

esp_err_t hal_network_start(hal_network_callback_t callback, void *arg)
{
    if (network.running) {
        return ESP_ERR_INVALID_STATE;
    }
    if (network.stopped == NULL) {
        network.stopped = xSemaphoreCreateBinary();
        if (network.stopped == NULL) {
            return ESP_FAIL;
        }
    }
    network.callback = callback;
    network.arg = arg;
    network.stop = false;
    network.changed = true;
    network.leased = false;
    if (gem_start(wake) != ESP_OK) {
        return ESP_FAIL;
    }
    LOCK_TCPIP_CORE();
    bool good = netif_add(&network.netif, NULL, NULL, NULL, NULL, init_netif, tcpip_input) != NULL;
    if (good) {
        netif_set_status_callback(&network.netif, on_change);
        netif_set_default(&network.netif);
        netif_set_up(&network.netif);
        good = dhcp_start(&network.netif) == ERR_OK;
        if (!good) {
            netif_remove(&network.netif);
        }
    }
    UNLOCK_TCPIP_CORE();
    if (!good) {
        gem_stop();
        return ESP_FAIL;
    }
    if (xTaskCreate(network_task, "network", TASK_STACK, NULL, TASK_PRIORITY, NULL) != pdPASS) {
        remove_interface();
        return ESP_FAIL;
    }
    network.running = true;
    return ESP_OK;
}

void hal_network_stop(void)
{
    if (!network.running) {
        return;
    }
    network.stop = true;
    wake();
    xSemaphoreTake(network.stopped, portMAX_DELAY);
    remove_interface();
    network.running = false;
}
