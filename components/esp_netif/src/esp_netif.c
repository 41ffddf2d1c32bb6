/* SPDX-License-Identifier: Apache-2.0
 *
 * The list of interfaces and what is known of each. */
#include <stdlib.h>
#include <string.h>

#include "esp_event.h"
#include "esp_log.h"
#include "esp_netif.h"
#include "esp_private/esp_netif_driver.h"
#include "freertos/FreeRTOS.h"

static const char TAG[] = "esp_netif";
static const char HANDLERS_TAG[] = "esp_netif_handlers";

/* How long the network's task may wait for room in the event queue. */
#define POST_TICKS pdMS_TO_TICKS(2000)

ESP_EVENT_DEFINE_BASE(IP_EVENT);

const esp_netif_inherent_config_t _g_esp_netif_inherent_eth_config =
    ESP_NETIF_INHERENT_DEFAULT_ETH();

struct esp_netif_obj {
    esp_netif_t *next;
    const char *key;
    const char *description;
    int route_prio;
    esp_netif_driver_base_t *driver;
    bool known; /* the driver has told info */
    bool up;
    hal_network_info_t info;
    uint32_t last_ip; /* of the last event that told one */
};

static esp_netif_t *interfaces; /* in order of creation */
static bool started;
static portMUX_TYPE lock = portMUX_INITIALIZER_UNLOCKED;

esp_err_t esp_netif_init(void)
{
    portENTER_CRITICAL(&lock);
    started = true;
    portEXIT_CRITICAL(&lock);
    return ESP_OK;
}

esp_err_t esp_netif_deinit(void)
{
    portENTER_CRITICAL(&lock);
    bool was_started = started;
    portEXIT_CRITICAL(&lock);
    return was_started ? ESP_ERR_NOT_SUPPORTED : ESP_ERR_INVALID_STATE;
}

/* --- The list --- */

static bool has_key(esp_netif_t *netif, void *key)
{
    return strcmp(netif->key, key) == 0;
}

esp_netif_t *esp_netif_new(const esp_netif_config_t *config)
{
    if (config == NULL || config->base == NULL || config->base->if_key == NULL) {
        ESP_LOGE(TAG, "an interface needs a configuration with an if_key");
        return NULL;
    }
    if (esp_netif_get_handle_from_ifkey(config->base->if_key) != NULL) {
        ESP_LOGE(TAG, "there is an interface with if_key %s already", config->base->if_key);
        return NULL;
    }
    esp_netif_t *netif = calloc(1, sizeof(*netif));
    if (netif == NULL) {
        ESP_LOGE(TAG, "no memory for interface %s", config->base->if_key);
        return NULL;
    }
    netif->key = config->base->if_key;
    netif->description = config->base->if_desc != NULL ? config->base->if_desc : "";
    netif->route_prio = config->base->route_prio;

    portENTER_CRITICAL(&lock);
    esp_netif_t **end = &interfaces;
    while (*end != NULL) {
        end = &(*end)->next;
    }
    *end = netif;
    portEXIT_CRITICAL(&lock);
    return netif;
}

void esp_netif_destroy(esp_netif_t *netif)
{
    if (netif == NULL) {
        return;
    }
    portENTER_CRITICAL(&lock);
    esp_netif_t **place = &interfaces;
    while (*place != NULL && *place != netif) {
        place = &(*place)->next;
    }
    bool found = *place != NULL;
    if (found) {
        *place = netif->next;
        if (netif->driver != NULL) {
            netif->driver->netif = NULL;
        }
    }
    portEXIT_CRITICAL(&lock);
    if (found) {
        free(netif);
    } else {
        ESP_LOGE(TAG, "esp_netif_destroy() of an interface that does not exist");
    }
}

esp_err_t esp_netif_attach(esp_netif_t *netif, void *driver_glue)
{
    esp_netif_driver_base_t *driver = driver_glue;

    if (netif == NULL || driver == NULL) {
        return ESP_ERR_ESP_NETIF_INVALID_PARAMS;
    }
    portENTER_CRITICAL(&lock);
    bool is_free = driver->netif == NULL && netif->driver == NULL;
    if (is_free) {
        driver->netif = netif;
        netif->driver = driver;
    }
    portEXIT_CRITICAL(&lock);
    if (!is_free) {
        ESP_LOGE(TAG, "interface %s or its driver is attached already", netif->key);
        return ESP_ERR_ESP_NETIF_DRIVER_ATTACH_FAILED;
    }
    if (driver->attached != NULL) {
        driver->attached(driver);
    }
    return ESP_OK;
}

esp_netif_t *esp_netif_next_unsafe(esp_netif_t *netif)
{
    portENTER_CRITICAL(&lock);
    esp_netif_t *next = netif == NULL ? interfaces : netif->next;
    portEXIT_CRITICAL(&lock);
    return next;
}

esp_netif_t *esp_netif_find_if(bool (*fn)(esp_netif_t *netif, void *ctx), void *ctx)
{
    esp_netif_t *netif = esp_netif_next_unsafe(NULL);
    while (netif != NULL && !fn(netif, ctx)) {
        netif = esp_netif_next_unsafe(netif);
    }
    return netif;
}

size_t esp_netif_get_nr_of_ifs(void)
{
    size_t count = 0;
    for (esp_netif_t *netif = NULL; (netif = esp_netif_next_unsafe(netif)) != NULL;) {
        count++;
    }
    return count;
}

esp_netif_t *esp_netif_get_handle_from_ifkey(const char *if_key)
{
    /* has_key() only reads it. */
    return if_key != NULL ? esp_netif_find_if(has_key, (void *)(uintptr_t)if_key) : NULL;
}

esp_netif_t *esp_netif_get_default_netif(void)
{
    esp_netif_t *best = NULL;

    for (esp_netif_t *netif = NULL; (netif = esp_netif_next_unsafe(netif)) != NULL;) {
        if (esp_netif_is_netif_up(netif) &&
            (best == NULL || netif->route_prio > best->route_prio)) {
            best = netif;
        }
    }
    return best;
}

/* --- One interface --- */

const char *esp_netif_get_desc(esp_netif_t *netif)
{
    return netif != NULL ? netif->description : NULL;
}

const char *esp_netif_get_ifkey(esp_netif_t *netif)
{
    return netif != NULL ? netif->key : NULL;
}

int esp_netif_get_route_prio(esp_netif_t *netif)
{
    return netif != NULL ? netif->route_prio : -1;
}

bool esp_netif_is_netif_up(esp_netif_t *netif)
{
    if (netif == NULL) {
        return false;
    }
    portENTER_CRITICAL(&lock);
    bool up = netif->up;
    portEXIT_CRITICAL(&lock);
    return up;
}

static esp_netif_ip_info_t ip_info_of(const hal_network_info_t *info)
{
    esp_netif_ip_info_t ip_info = {{info->ip}, {info->netmask}, {info->gateway}};
    return ip_info;
}

esp_err_t esp_netif_get_ip_info(esp_netif_t *netif, esp_netif_ip_info_t *ip_info)
{
    if (netif == NULL || ip_info == NULL) {
        return ESP_ERR_ESP_NETIF_INVALID_PARAMS;
    }
    portENTER_CRITICAL(&lock);
    if (netif->up) {
        *ip_info = ip_info_of(&netif->info);
    } else {
        memset(ip_info, 0, sizeof(*ip_info));
    }
    portEXIT_CRITICAL(&lock);
    return ESP_OK;
}

int esp_netif_get_all_ip6(esp_netif_t *netif, esp_ip6_addr_t if_ip6[])
{
    (void)netif;
    (void)if_ip6;
    return 0;
}

esp_err_t esp_netif_get_mac(esp_netif_t *netif, uint8_t mac[6])
{
    if (netif == NULL || mac == NULL) {
        return ESP_ERR_ESP_NETIF_INVALID_PARAMS;
    }
    portENTER_CRITICAL(&lock);
    bool known = netif->known;
    memcpy(mac, netif->info.mac, sizeof(netif->info.mac));
    portEXIT_CRITICAL(&lock);
    return known ? ESP_OK : ESP_ERR_ESP_NETIF_IF_NOT_READY;
}

esp_err_t esp_netif_get_netif_impl_name(esp_netif_t *netif, char *name)
{
    if (netif == NULL || name == NULL) {
        return ESP_ERR_ESP_NETIF_INVALID_PARAMS;
    }
    portENTER_CRITICAL(&lock);
    bool known = netif->known;
    if (known) {
        memcpy(name, netif->info.name, sizeof(netif->info.name));
        name[sizeof(netif->info.name) - 1] = '\0';
    }
    portEXIT_CRITICAL(&lock);
    return known ? ESP_OK : ESP_ERR_ESP_NETIF_INVALID_PARAMS;
}

/* --- From the driver --- */

static void post(int32_t id, const ip_event_got_ip_t *event)
{
    esp_err_t err = esp_event_post(IP_EVENT, id, event, sizeof(*event), POST_TICKS);
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "cannot post an address event: %s", esp_err_to_name(err));
    }
}

void esp_netif_driver_update(esp_netif_t *netif, const hal_network_info_t *info)
{
    ip_event_got_ip_t event = {.esp_netif = netif};
    bool had_address, has_address;

    portENTER_CRITICAL(&lock);
    esp_netif_ip_info_t before = ip_info_of(&netif->info);
    had_address = netif->up && before.ip.addr != 0;
    if (info != NULL) {
        netif->info = *info;
        netif->known = true;
    }
    netif->up = info != NULL && info->link_up;
    event.ip_info = ip_info_of(&netif->info);
    has_address = netif->up && event.ip_info.ip.addr != 0;
    bool changed = memcmp(&before, &event.ip_info, sizeof(before)) != 0;
    bool got = has_address && (!had_address || changed);
    event.ip_changed = event.ip_info.ip.addr != netif->last_ip;
    if (got) {
        netif->last_ip = event.ip_info.ip.addr;
    }
    portEXIT_CRITICAL(&lock);

    if (got) {
        ESP_LOGI(HANDLERS_TAG, "%s ip: " IPSTR ", mask: " IPSTR ", gw: " IPSTR, netif->description,
                 IP2STR(&event.ip_info.ip), IP2STR(&event.ip_info.netmask),
                 IP2STR(&event.ip_info.gw));
        post(IP_EVENT_ETH_GOT_IP, &event);
    } else if (had_address && !has_address) {
        post(IP_EVENT_ETH_LOST_IP, &event);
    }
}

esp_ip6_addr_type_t esp_netif_ip6_get_addr_type(const esp_ip6_addr_t *address)
{
    uint16_t first = esp_ip6_addr_get_group(address, 0);

    if (first >= 0x2000 && first <= 0x3fff) {
        return ESP_IP6_ADDR_IS_GLOBAL;
    }
    if ((first & 0xffc0) == 0xfe80) {
        return ESP_IP6_ADDR_IS_LINK_LOCAL;
    }
    if ((first & 0xffc0) == 0xfec0) {
        return ESP_IP6_ADDR_IS_SITE_LOCAL;
    }
    if ((first & 0xfe00) == 0xfc00) {
        return ESP_IP6_ADDR_IS_UNIQUE_LOCAL;
    }
    if (address->addr[0] == 0 && address->addr[1] == 0 && esp_ip6_addr_get_group(address, 4) == 0 &&
        esp_ip6_addr_get_group(address, 5) == 0xffff) {
        return ESP_IP6_ADDR_IS_IPV4_MAPPED_IPV6;
    }
    return ESP_IP6_ADDR_IS_UNKNOWN;
}
