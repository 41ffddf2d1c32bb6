/* SPDX-License-Identifier: Apache-2.0
 *
 * IP addresses. All words are in network byte order. */
#ifndef ESP_NETIF_IP_ADDR_H
#define ESP_NETIF_IP_ADDR_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    uint32_t addr;
} esp_ip4_addr_t;

typedef struct {
    uint32_t addr[4];
    uint8_t zone;
} esp_ip6_addr_t;

typedef struct {
    union {
        esp_ip6_addr_t ip6;
        esp_ip4_addr_t ip4;
    } u_addr;
    uint8_t type; /* ESP_IPADDR_TYPE_* */
} esp_ip_addr_t;

#define ESP_IPADDR_TYPE_V4  0U
#define ESP_IPADDR_TYPE_V6  6U
#define ESP_IPADDR_TYPE_ANY 46U

typedef enum {
    ESP_IP6_ADDR_IS_UNKNOWN,
    ESP_IP6_ADDR_IS_GLOBAL,
    ESP_IP6_ADDR_IS_LINK_LOCAL,
    ESP_IP6_ADDR_IS_SITE_LOCAL,
    ESP_IP6_ADDR_IS_UNIQUE_LOCAL,
    ESP_IP6_ADDR_IS_IPV4_MAPPED_IPV6,
} esp_ip6_addr_type_t;

/* The kind of *address by its prefix. */
esp_ip6_addr_type_t esp_netif_ip6_get_addr_type(const esp_ip6_addr_t *address);

/* Byte index (0 first) of *address (esp_ip4_addr_t), and all four for IPSTR. */
#define esp_ip4_addr_get_byte(address, index) (((const uint8_t *)(&(address)->addr))[index])
#define esp_ip4_addr1_16(address)             ((uint16_t)esp_ip4_addr_get_byte(address, 0))
#define esp_ip4_addr2_16(address)             ((uint16_t)esp_ip4_addr_get_byte(address, 1))
#define esp_ip4_addr3_16(address)             ((uint16_t)esp_ip4_addr_get_byte(address, 2))
#define esp_ip4_addr4_16(address)             ((uint16_t)esp_ip4_addr_get_byte(address, 3))

#define IPSTR "%d.%d.%d.%d"
#define IP2STR(address)                                                                            \
    esp_ip4_addr1_16(address), esp_ip4_addr2_16(address), esp_ip4_addr3_16(address),               \
        esp_ip4_addr4_16(address)

/* Group index (0 .. 7) of address (esp_ip6_addr_t), in host byte order. */
static inline uint16_t esp_ip6_addr_get_group(const esp_ip6_addr_t *address, unsigned index)
{
    const uint8_t *bytes = (const uint8_t *)address->addr;
    return (uint16_t)(bytes[2 * index] << 8 | bytes[2 * index + 1]);
}

#define IPV6STR "%04x:%04x:%04x:%04x:%04x:%04x:%04x:%04x"
#define IPV62STR(address)                                                                          \
    esp_ip6_addr_get_group(&(address), 0), esp_ip6_addr_get_group(&(address), 1),                  \
        esp_ip6_addr_get_group(&(address), 2), esp_ip6_addr_get_group(&(address), 3),              \
        esp_ip6_addr_get_group(&(address), 4), esp_ip6_addr_get_group(&(address), 5),              \
        esp_ip6_addr_get_group(&(address), 6), esp_ip6_addr_get_group(&(address), 7)

#ifdef __cplusplus
}
#endif

#endif
