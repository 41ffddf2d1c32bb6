/* SPDX-License-Identifier: Apache-2.0
 *
 * The board's Ethernet interface is the host's network: the first interface that is up, has an IPv4
 * address and is not loopback, or else loopback. A thread watches the host for changes. */
#include "hal/network.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netpacket/packet.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cable.h"

static struct {
    bool running;
    pthread_t thread;
    int stop; /* an eventfd */
    hal_network_callback_t callback;
    void *arg;
} network;

static uint32_t address_of(const struct sockaddr *address)
{
    struct sockaddr_in inet;
    if (address == NULL || address->sa_family != AF_INET) {
        return 0;
    }
    memcpy(&inet, address, sizeof(inet));
    return inet.sin_addr.s_addr;
}

/* The gateway of the default route over interface, in network byte order; 0 if there is none. */
static uint32_t default_gateway(const char *interface)
{
    FILE *routes = fopen("/proc/net/route", "r");
    if (routes == NULL) {
        return 0;
    }
    uint32_t found = 0;
    char line[256];
    while (found == 0 && fgets(line, sizeof(line), routes) != NULL) {
        char name[IFNAMSIZ];
        unsigned destination, gateway;
        /* The kernel prints the words as they lie in memory, so they need no conversion. */
        if (sscanf(line, "%15s %x %x", name, &destination, &gateway) == 3 && destination == 0 &&
            strcmp(name, interface) == 0) {
            found = gateway;
        }
    }
    fclose(routes);
    return found;
}

static void read_info(hal_network_info_t *info)
{
    *info = (hal_network_info_t){
        .name = "en1",
        .mac = {0x02, 0x41, 0x4C, 0x00, 0x00, 0x01}, /* locally administered */
        .ip = htonl(INADDR_LOOPBACK),
        .netmask = htonl(0xFF000000),
        .link_up = true,
    };
    if (cable_is_pulled()) {
        info->ip = 0;
        info->netmask = 0;
        info->link_up = false;
        return;
    }
    struct ifaddrs *all;
    if (getifaddrs(&all) != 0) {
        return;
    }
    const char *interface = NULL;
    for (const struct ifaddrs *each = all; each != NULL && interface == NULL;
         each = each->ifa_next) {
        uint32_t ip = address_of(each->ifa_addr);
        if (ip != 0 && (each->ifa_flags & IFF_UP) && !(each->ifa_flags & IFF_LOOPBACK)) {
            interface = each->ifa_name;
            info->ip = ip;
            info->netmask = address_of(each->ifa_netmask);
        }
    }
    for (const struct ifaddrs *each = all; each != NULL && interface != NULL;
         each = each->ifa_next) {
        if (each->ifa_addr != NULL && each->ifa_addr->sa_family == AF_PACKET &&
            strcmp(each->ifa_name, interface) == 0) {
            struct sockaddr_ll link;
            memcpy(&link, each->ifa_addr, sizeof(link));
            if (link.sll_halen == sizeof(info->mac)) {
                memcpy(info->mac, link.sll_addr, sizeof(info->mac));
            }
        }
    }
    if (interface != NULL) {
        info->gateway = default_gateway(interface);
    }
    freeifaddrs(all);
}

/* A socket that becomes readable when an address or a link changes, or -1: then nothing is
 * noticed. */
static int open_watch(void)
{
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
    if (fd < 0) {
        return -1;
    }
    const struct sockaddr_nl groups = {.nl_family = AF_NETLINK,
                                       .nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR};
    if (bind(fd, (const struct sockaddr *)&groups, sizeof(groups)) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static bool same(const hal_network_info_t *a, const hal_network_info_t *b)
{
    return a->ip == b->ip && a->netmask == b->netmask && a->gateway == b->gateway &&
           a->link_up == b->link_up && memcmp(a->mac, b->mac, sizeof(a->mac)) == 0;
}

static void drain(int fd)
{
    char message[4096];
    ssize_t got;
    do {
        got = read(fd, message, sizeof(message));
    } while (got > 0 || (got < 0 && errno == EINTR));
}

static void *watch(void *unused)
{
    (void)unused;
    int changes = open_watch();
    int cable = cable_open_watch();
    hal_network_info_t told;
    read_info(&told);
    network.callback(&told, network.arg);
    for (;;) {
        struct pollfd events[3] = {{.fd = network.stop, .events = POLLIN},
                                   {.fd = changes, .events = POLLIN},
                                   {.fd = cable, .events = POLLIN}};
        if (poll(events, 3, -1) < 0 && errno != EINTR) {
            break;
        }
        if (events[0].revents != 0) {
            break;
        }
        /* What changed does not matter, only that something did. An overrun tells as much. */
        drain(changes);
        if (events[2].revents != 0) {
            drain(cable);
            cable_update();
        }
        hal_network_info_t now;
        read_info(&now);
        if (!same(&now, &told)) {
            told = now;
            network.callback(&told, network.arg);
        }
    }
    if (changes >= 0) {
        close(changes);
    }
    if (cable >= 0) {
        close(cable);
    }
    return NULL;
}

esp_err_t hal_network_start(hal_network_callback_t callback, void *arg)
{
    if (network.running) {
        return ESP_ERR_INVALID_STATE;
    }
    network.stop = eventfd(0, EFD_CLOEXEC);
    if (network.stop < 0) {
        return ESP_FAIL;
    }
    network.callback = callback;
    network.arg = arg;
    if (pthread_create(&network.thread, NULL, watch, NULL) != 0) {
        close(network.stop);
        return ESP_FAIL;
    }
    network.running = true;
    return ESP_OK;
}

void hal_network_mac(uint8_t mac[6])
{
    hal_network_info_t info;
    read_info(&info);
    memcpy(mac, info.mac, sizeof(info.mac));
}

void hal_network_stop(void)
{
    if (!network.running) {
        return;
    }
    eventfd_t one = 1;
    eventfd_write(network.stop, one);
    pthread_join(network.thread, NULL);
    close(network.stop);
    network.running = false;
}
