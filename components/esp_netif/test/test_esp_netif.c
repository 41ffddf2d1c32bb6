/* SPDX-License-Identifier: Apache-2.0
 *
 * Interfaces, with a driver played by the test; and once with the board's real one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "esp_eth_driver.h"
#include "esp_event.h"
#include "esp_mac.h"
#include "esp_netif.h"
#include "esp_private/esp_netif_driver.h"
#include "freertos/queue.h"

/* ifr_name comes with <sys/socket.h>, as applications expect it. */
_Static_assert(sizeof(((struct ifreq *)0)->ifr_name) >= 6, "struct ifreq is visible");

typedef struct {
    esp_event_base_t base;
    int32_t id;
    ip_event_got_ip_t ip;
} seen_t;

static QueueHandle_t events;
static esp_netif_t *netif;
static esp_netif_driver_base_t driver;

static void keep_event(void *arg, esp_event_base_t base, int32_t id, void *data)
{
    (void)arg;
    seen_t seen = {.base = base, .id = id};
    if (base == IP_EVENT) {
        memcpy(&seen.ip, data, sizeof(seen.ip));
    }
    xQueueSend(events, &seen, portMAX_DELAY);
}

static int set_up(void **state)
{
    (void)state;
    static const esp_netif_inherent_config_t base = {
        .if_key = "T", .if_desc = "test", .route_prio = 10};
    const esp_netif_config_t config = {.base = &base};
    events = xQueueCreate(20, sizeof(seen_t));
    driver = (esp_netif_driver_base_t){0};
    netif = esp_netif_new(&config);
    return events == NULL || netif == NULL || esp_event_loop_create_default() != ESP_OK ||
           esp_event_handler_register(ESP_EVENT_ANY_BASE, ESP_EVENT_ANY_ID, keep_event, NULL) !=
               ESP_OK ||
           esp_netif_attach(netif, &driver) != ESP_OK;
}

static int tear_down(void **state)
{
    (void)state;
    esp_netif_destroy(netif);
    assert_null(driver.netif);
    assert_int_equal(esp_event_loop_delete_default(), ESP_OK);
    assert_int_equal(uxQueueMessagesWaiting(events), 0);
    vQueueDelete(events);
    return 0;
}

static seen_t next_event(esp_event_base_t base, int32_t id)
{
    seen_t seen;
    assert_int_equal(xQueueReceive(events, &seen, pdMS_TO_TICKS(60000)), pdTRUE);
    assert_ptr_equal(seen.base, base);
    assert_int_equal(seen.id, id);
    return seen;
}

static hal_network_info_t info(const char *address, bool up)
{
    hal_network_info_t info = {.name = "en1", .mac = {2, 0, 0, 0, 0, 9}, .link_up = up};
    unsigned char *bytes = (unsigned char *)&info.ip;
    sscanf(address, "%hhu.%hhu.%hhu.%hhu", &bytes[0], &bytes[1], &bytes[2], &bytes[3]);
    memcpy(&info.netmask, "\xff\xff\xff\x00", 4);
    return info;
}

static void address_events_follow_the_driver(void **state)
{
    (void)state;
    hal_network_info_t none = info("0.0.0.0", true);
    hal_network_info_t first = info("10.0.2.15", true);
    hal_network_info_t other = info("10.0.2.16", true);
    hal_network_info_t down = info("10.0.2.16", false);
    esp_netif_ip_info_t ip_info;
    char text[20];

    esp_netif_driver_update(netif, &none);
    assert_true(esp_netif_is_netif_up(netif));
    esp_netif_driver_update(netif, &first);
    seen_t seen = next_event(IP_EVENT, IP_EVENT_ETH_GOT_IP);
    assert_ptr_equal(seen.ip.esp_netif, netif);
    assert_true(seen.ip.ip_changed);
    snprintf(text, sizeof(text), IPSTR, IP2STR(&seen.ip.ip_info.ip));
    assert_string_equal(text, "10.0.2.15");

    esp_netif_driver_update(netif, &first); /* nothing new */
    esp_netif_driver_update(netif, &other);
    assert_true(next_event(IP_EVENT, IP_EVENT_ETH_GOT_IP).ip.ip_changed);
    esp_netif_driver_update(netif, &down);
    next_event(IP_EVENT, IP_EVENT_ETH_LOST_IP);
    assert_false(esp_netif_is_netif_up(netif));
    assert_int_equal(esp_netif_get_ip_info(netif, &ip_info), ESP_OK);
    assert_int_equal(ip_info.ip.addr, 0);
    esp_netif_driver_update(netif, &other);
    assert_false(next_event(IP_EVENT, IP_EVENT_ETH_GOT_IP).ip.ip_changed);
    assert_int_equal(esp_netif_get_ip_info(netif, &ip_info), ESP_OK);
    assert_int_equal(ip_info.ip.addr, other.ip);
    esp_netif_driver_update(netif, NULL);
    next_event(IP_EVENT, IP_EVENT_ETH_LOST_IP);
}

static void name_and_mac_are_known_once_the_driver_has_told_them(void **state)
{
    (void)state;
    char name[6] = "xxxxx";
    uint8_t mac[6];
    assert_int_equal(esp_netif_get_netif_impl_name(netif, name), ESP_ERR_ESP_NETIF_INVALID_PARAMS);
    assert_int_equal(esp_netif_get_netif_impl_name(NULL, name), ESP_ERR_ESP_NETIF_INVALID_PARAMS);
    assert_int_equal(esp_netif_get_mac(netif, mac), ESP_ERR_ESP_NETIF_IF_NOT_READY);
    hal_network_info_t down = info("0.0.0.0", false);
    memcpy(down.name, "abcdef", 6); /* a board that leaves no room for the NUL */
    esp_netif_driver_update(netif, &down);
    assert_int_equal(esp_netif_get_netif_impl_name(netif, name), ESP_OK);
    assert_string_equal(name, "abcde");
    assert_int_equal(esp_netif_get_mac(netif, mac), ESP_OK);
    assert_int_equal(mac[5], 9);
}

static bool is_default_candidate(esp_netif_t *candidate, void *ctx)
{
    return strcmp(esp_netif_get_desc(candidate), ctx) == 0;
}

static void interfaces_are_found_by_key_description_and_priority(void **state)
{
    (void)state;
    const esp_netif_config_t config = ESP_NETIF_DEFAULT_ETH();
    esp_netif_t *other = esp_netif_new(&config);
    assert_non_null(other);
    assert_null(esp_netif_new(&config));
    assert_null(esp_netif_new(NULL));
    assert_int_equal(esp_netif_get_nr_of_ifs(), 2);
    assert_ptr_equal(esp_netif_get_handle_from_ifkey("ETH_DEF"), other);
    assert_ptr_equal(esp_netif_find_if(is_default_candidate, "test"), netif);
    assert_null(esp_netif_find_if(is_default_candidate, "nothing"));
    assert_null(esp_netif_get_default_netif());
    hal_network_info_t up = info("0.0.0.0", true);
    esp_netif_driver_update(netif, &up);
    assert_ptr_equal(esp_netif_get_default_netif(), netif);
    esp_netif_driver_update(other, &up);
    assert_ptr_equal(esp_netif_get_default_netif(), other);
    assert_int_equal(esp_netif_attach(other, &driver), ESP_ERR_ESP_NETIF_DRIVER_ATTACH_FAILED);
    assert_int_equal(esp_netif_get_all_ip6(netif, NULL), 0);
    esp_netif_destroy(other);
    assert_int_equal(esp_netif_get_nr_of_ifs(), 1);
}

static void stack_starts_once_and_stays(void **state)
{
    (void)state;
    assert_int_equal(esp_netif_deinit(), ESP_ERR_INVALID_STATE);
    assert_int_equal(esp_netif_init(), ESP_OK);
    assert_int_equal(esp_netif_init(), ESP_OK);
    assert_int_equal(esp_netif_deinit(), ESP_ERR_NOT_SUPPORTED);
}

static void the_boards_ethernet_gets_an_address_and_stops(void **state)
{
    (void)state;
    const esp_netif_config_t config = ESP_NETIF_DEFAULT_ETH();
    esp_netif_t *eth = esp_netif_new(&config);
    esp_eth_handle_t handle, second;
    uint8_t mac[6], same[6];

    assert_int_equal(esp_eth_driver_new(&handle), ESP_OK);
    assert_int_equal(esp_eth_driver_new(&second), ESP_ERR_INVALID_STATE);
    esp_eth_netif_glue_handle_t glue = esp_eth_new_netif_glue(handle);
    assert_int_equal(esp_netif_attach(eth, glue), ESP_OK);
    assert_int_equal(esp_eth_stop(handle), ESP_ERR_INVALID_STATE);
    assert_int_equal(esp_eth_start(handle), ESP_OK);
    assert_int_equal(esp_eth_start(handle), ESP_ERR_INVALID_STATE);
    next_event(ETH_EVENT, ETHERNET_EVENT_START);
    next_event(ETH_EVENT, ETHERNET_EVENT_CONNECTED);
    assert_ptr_equal(next_event(IP_EVENT, IP_EVENT_ETH_GOT_IP).ip.esp_netif, eth);
    assert_int_equal(esp_netif_get_mac(eth, mac), ESP_OK);
    assert_int_equal(esp_read_mac(same, ESP_MAC_ETH), ESP_OK);
    assert_memory_equal(mac, same, 6);
    assert_int_equal(esp_read_mac(same, ESP_MAC_BT), ESP_ERR_NOT_SUPPORTED);
    assert_int_equal(esp_eth_driver_uninstall(handle), ESP_ERR_INVALID_STATE);
    assert_int_equal(esp_eth_stop(handle), ESP_OK);
    next_event(IP_EVENT, IP_EVENT_ETH_LOST_IP);
    next_event(ETH_EVENT, ETHERNET_EVENT_STOP);
    esp_netif_destroy(eth);
    assert_int_equal(esp_eth_del_netif_glue(glue), ESP_OK);
    assert_int_equal(esp_eth_driver_uninstall(handle), ESP_OK);
}

static void ipv6_addresses_have_kinds(void **state)
{
    (void)state;
    static const struct {
        uint8_t bytes[16];
        esp_ip6_addr_type_t type;
    } cases[] = {
        {{0x20, 0x01, 0x0d, 0xb8}, ESP_IP6_ADDR_IS_GLOBAL},
        {{0xfe, 0x80}, ESP_IP6_ADDR_IS_LINK_LOCAL},
        {{0xfe, 0xc0}, ESP_IP6_ADDR_IS_SITE_LOCAL},
        {{0xfd, 0x00}, ESP_IP6_ADDR_IS_UNIQUE_LOCAL},
        {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 1, 2, 3, 4}, ESP_IP6_ADDR_IS_IPV4_MAPPED_IPV6},
        {{0}, ESP_IP6_ADDR_IS_UNKNOWN},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        esp_ip6_addr_t address = {0};
        memcpy(address.addr, cases[i].bytes, 16);
        assert_int_equal(esp_netif_ip6_get_addr_type(&address), cases[i].type);
    }
    esp_ip6_addr_t address = {0};
    char text[48];
    memcpy(address.addr, cases[0].bytes, 16);
    snprintf(text, sizeof(text), IPV6STR, IPV62STR(address));
    assert_string_equal(text, "2001:0db8:0000:0000:0000:0000:0000:0000");
}

#define T(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(address_events_follow_the_driver),
        T(name_and_mac_are_known_once_the_driver_has_told_them),
        T(interfaces_are_found_by_key_description_and_priority),
        T(the_boards_ethernet_gets_an_address_and_stops),
        cmocka_unit_test(stack_starts_once_and_stays),
        cmocka_unit_test(ipv6_addresses_have_kinds),
    };
    return cmocka_run_group_tests_name("esp_netif", tests, NULL, NULL);
}
