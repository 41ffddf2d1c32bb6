/* SPDX-License-Identifier: Apache-2.0
 *
 * The probe in an application's place. */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "sifive_u/gem.h"
#include "hal/clock.h"
#include "hal/start.h"
#include "print.h"
#include "probe.h"
#include "sifive_u/clock.h"
#include "sifive_u/gpio.h"
#include "sifive_u/watchdog.h"

static volatile uint32_t s_edges;
static int s_initialised = 1234;

static void on_edge(unsigned pin)
{
    s_edges += 1u << 8 * (pin % 4);
    print("edge on pin %u\n", (uint32_t)pin);
}

/* edge PIN RISING FALLING */
static void cmd_edge(const uint32_t *args)
{
    print("= edge %x\n",
          (uint32_t)sifive_u_gpio_on_edge(args[0], args[1] != 0, args[2] != 0, on_edge));
}

/* What the start code has set up: data, bss, thread-local memory, formatted output. */
static void cmd_start(const uint32_t *args)
{
    extern char __heap_start[], __heap_end[];

    (void)args;
    errno = 7;
    printf("= start data %d bss %d errno %d float %.3f heap %u\n", s_initialised, (int)s_edges,
           errno, 1.5, (unsigned)(__heap_end - __heap_start));
}

/* Milliseconds that the watchdog of the boot leaves the application to start its kernel; 0: it is
 * off. */
static uint32_t s_boot_limit_ms;

static void cmd_limit(const uint32_t *args)
{
    (void)args;
    print("= limit %u\n", s_boot_limit_ms);
}

static volatile uint32_t s_network_events;

static void on_network(void)
{
    s_network_events++;
}

static void cmd_net(const uint32_t *args)
{
    (void)args;
    esp_err_t err = gem_start(on_network);
    uint8_t mac[GEM_MAC_SIZE];
    gem_mac(mac);
    print("= net %x mac %02x%02x%02x%02x%02x%02x link %u\n", (uint32_t)err, (uint32_t)mac[0],
          (uint32_t)mac[1], (uint32_t)mac[2], (uint32_t)mac[3], (uint32_t)mac[4], (uint32_t)mac[5],
          (uint32_t)gem_link_up());
}

static void cmd_link(const uint32_t *args)
{
    (void)args;
    print("= link %u events %u\n", (uint32_t)gem_link_up(), s_network_events);
}

static const uint8_t GUEST_IP[4] = {10, 0, 2, 15};
static const uint8_t GATEWAY_IP[4] = {10, 0, 2, 2};
static uint8_t s_gateway_mac[GEM_MAC_SIZE];

static uint16_t ip_checksum(const uint8_t *data, size_t len)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < len; i += 2) {
        sum += (uint32_t)data[i] << 8 | data[i + 1];
    }
    sum = (sum & 0xFFFF) + (sum >> 16);
    sum = (sum & 0xFFFF) + (sum >> 16);
    return (uint16_t)~sum;
}

static uint8_t *wait_send_buffer(void)
{
    for (;;) {
        uint8_t *frame = gem_send_buffer();
        if (frame != NULL) {
            return frame;
        }
    }
}

/* Only reached when something is broken: the emulator answers when its host has time for it. */
#define PATIENCE_US 60000000u

/* Waits for a frame of type (the two bytes after the addresses); drops others. */
static const uint8_t *wait_frame(uint16_t type, size_t *len)
{
    uint64_t end = hal_clock_us() + PATIENCE_US;

    while (hal_clock_us() < end) {
        const uint8_t *frame = gem_receive(len);
        if (frame == NULL) {
            continue;
        }
        if ((uint32_t)(frame[12] << 8 | frame[13]) == type) {
            return frame;
        }
        gem_receive_done();
    }
    return NULL;
}

/* Asks the emulator's gateway for its address, which makes it know ours too. */
static void cmd_arp(const uint32_t *args)
{
    static const uint8_t head[] = {0x08, 0x06, 0, 1, 8, 0, 6, 4, 0, 1};
    uint8_t *frame = wait_send_buffer();
    size_t len;

    (void)args;
    memset(frame, 0xFF, 6);
    gem_mac(frame + 6);
    memcpy(frame + 12, head, sizeof(head));
    gem_mac(frame + 22);
    memcpy(frame + 28, GUEST_IP, 4);
    memset(frame + 32, 0, 6);
    memcpy(frame + 38, GATEWAY_IP, 4);
    gem_send(42);
    const uint8_t *reply = wait_frame(0x0806, &len);
    if (reply == NULL) {
        print("! no answer\n");
        return;
    }
    memcpy(s_gateway_mac, reply + 22, sizeof(s_gateway_mac));
    print("= arp op %u len %u from %u.%u.%u.%u\n", (uint32_t)reply[21], (uint32_t)len,
          (uint32_t)reply[28], (uint32_t)reply[29], (uint32_t)reply[30], (uint32_t)reply[31]);
    gem_receive_done();
}

/* Sends one ICMP echo request with size bytes of data. */
static void send_ping(uint32_t size, uint32_t sequence)
{
    uint8_t *frame = wait_send_buffer();
    uint8_t *ip = frame + 14, *icmp = frame + 34;
    uint32_t total = 28 + size;

    memcpy(frame, s_gateway_mac, 6);
    gem_mac(frame + 6);
    frame[12] = 0x08;
    frame[13] = 0x00;
    memset(ip, 0, 28);
    ip[0] = 0x45;
    ip[2] = (uint8_t)(total >> 8);
    ip[3] = (uint8_t)total;
    ip[8] = 64;
    ip[9] = 1;
    memcpy(ip + 12, GUEST_IP, 4);
    memcpy(ip + 16, GATEWAY_IP, 4);
    uint16_t sum = ip_checksum(ip, 20);
    ip[10] = (uint8_t)(sum >> 8);
    ip[11] = (uint8_t)sum;
    icmp[0] = 8;
    icmp[6] = (uint8_t)(sequence >> 8);
    icmp[7] = (uint8_t)sequence;
    for (uint32_t i = 0; i < size; i++) {
        icmp[8 + i] = (uint8_t)(i * 3u + sequence);
    }
    sum = ip_checksum(icmp, 8 + size);
    icmp[2] = (uint8_t)(sum >> 8);
    icmp[3] = (uint8_t)sum;
    gem_send(14 + total);
}

/* ping COUNT SIZE BURST: echo requests to the gateway, BURST at a time (even size); counts answers
 * that came back unchanged. */
static void cmd_ping(const uint32_t *args)
{
    uint32_t sent = 0, answers = 0, wrong = 0;

    while (sent < args[0]) {
        uint32_t burst = 0;
        for (; burst < args[2] && sent < args[0]; burst++) {
            send_ping(args[1], sent++);
        }
        for (; burst > 0; burst--) {
            size_t len;
            const uint8_t *reply = wait_frame(0x0800, &len);
            if (reply == NULL) {
                break;
            }
            uint8_t sequence = reply[41];
            bool same = reply[34] == 0 && len >= 42 + args[1];
            for (uint32_t i = 0; same && i < args[1]; i++) {
                same = reply[42 + i] == (uint8_t)(i * 3u + sequence);
            }
            answers += same;
            wrong += !same;
            gem_receive_done();
        }
    }
    print("= ping sent %u answers %u wrong %u\n", sent, answers, wrong);
}

/* flood COUNT: sends that many requests without fetching an answer, so that receive buffers run
 * out; then fetches what is there, and pings once. */
static void cmd_flood(const uint32_t *args)
{
    uint32_t fetched = 0;
    size_t len;

    for (uint32_t i = 0; i < args[0]; i++) {
        send_ping(64, i);
    }
    /* The first answer, and some time for more. */
    uint64_t end = hal_clock_us() + PATIENCE_US;
    while (gem_receive(&len) == NULL && hal_clock_us() < end) {
    }
    hal_clock_spin_us(200000);
    while (gem_receive(&len) != NULL) {
        fetched++;
        gem_receive_done();
    }
    hal_clock_spin_us(200000);
    while (gem_receive(&len) != NULL) {
        gem_receive_done();
    }
    print("fetched %u\n", fetched);
    cmd_ping((const uint32_t[PROBE_MAX_ARGS]){1, 64, 1, 0});
}

static const probe_command_t s_more[] = {
    {"edge", cmd_edge},   {"start", cmd_start}, {"net", cmd_net},
    {"limit", cmd_limit}, {"link", cmd_link},   {"arp", cmd_arp},
    {"ping", cmd_ping},   {"flood", cmd_flood}, {NULL, NULL},
};

_Noreturn void app_start(void)
{
    uint64_t limit = sifive_u_mtimecmp_get(1);
    s_boot_limit_ms = limit == UINT64_MAX ? 0 : (uint32_t)(limit - sifive_u_mtime()) / 1000u;
    sifive_u_watchdog_stop();
    probe_serve("probe_app", s_more);
}
