/* SPDX-License-Identifier: Apache-2.0
 *
 * Names of the error codes of every component.
 *
 * The table holds numbers instead of including the components' headers, so that esp_common stays
 * at the bottom of the tree. Source of the values: formats specification, section 8, and the
 * interface specification, sections 10.3 and 10.4. */
#include <stddef.h>
#include <string.h>

#include "esp_err.h"

#ifdef CONFIG_ESP_ERR_TO_NAME_LOOKUP

#define NAME_OF_UNKNOWN "ERROR"

typedef struct {
    esp_err_t code;
    const char *name;
} code_name_t;

/* Ascending by code: it is searched by halving. */
static const code_name_t code_names[] = {
    {-1, "ESP_FAIL"},
    {0, "ESP_OK"},
    {0x101, "ESP_ERR_NO_MEM"},
    {0x102, "ESP_ERR_INVALID_ARG"},
    {0x103, "ESP_ERR_INVALID_STATE"},
    {0x104, "ESP_ERR_INVALID_SIZE"},
    {0x105, "ESP_ERR_NOT_FOUND"},
    {0x106, "ESP_ERR_NOT_SUPPORTED"},
    {0x107, "ESP_ERR_TIMEOUT"},
    {0x108, "ESP_ERR_INVALID_RESPONSE"},
    {0x109, "ESP_ERR_INVALID_CRC"},
    {0x10A, "ESP_ERR_INVALID_VERSION"},
    {0x10B, "ESP_ERR_INVALID_MAC"},
    {0x10C, "ESP_ERR_NOT_FINISHED"},
    {0x10D, "ESP_ERR_NOT_ALLOWED"},
    {0x1101, "ESP_ERR_NVS_NOT_INITIALIZED"},
    {0x1102, "ESP_ERR_NVS_NOT_FOUND"},
    {0x1103, "ESP_ERR_NVS_TYPE_MISMATCH"},
    {0x1104, "ESP_ERR_NVS_READ_ONLY"},
    {0x1105, "ESP_ERR_NVS_NOT_ENOUGH_SPACE"},
    {0x1106, "ESP_ERR_NVS_INVALID_NAME"},
    {0x1107, "ESP_ERR_NVS_INVALID_HANDLE"},
    {0x1108, "ESP_ERR_NVS_REMOVE_FAILED"},
    {0x1109, "ESP_ERR_NVS_KEY_TOO_LONG"},
    {0x110A, "ESP_ERR_NVS_PAGE_FULL"},
    {0x110B, "ESP_ERR_NVS_INVALID_STATE"},
    {0x110C, "ESP_ERR_NVS_INVALID_LENGTH"},
    {0x110D, "ESP_ERR_NVS_NO_FREE_PAGES"},
    {0x110E, "ESP_ERR_NVS_VALUE_TOO_LONG"},
    {0x110F, "ESP_ERR_NVS_PART_NOT_FOUND"},
    {0x1110, "ESP_ERR_NVS_NEW_VERSION_FOUND"},
    {0x1111, "ESP_ERR_NVS_XTS_ENCR_FAILED"},
    {0x1112, "ESP_ERR_NVS_XTS_DECR_FAILED"},
    {0x1113, "ESP_ERR_NVS_XTS_CFG_FAILED"},
    {0x1114, "ESP_ERR_NVS_XTS_CFG_NOT_FOUND"},
    {0x1115, "ESP_ERR_NVS_ENCR_NOT_SUPPORTED"},
    {0x1116, "ESP_ERR_NVS_KEYS_NOT_INITIALIZED"},
    {0x1117, "ESP_ERR_NVS_CORRUPT_KEY_PART"},
    {0x1118, "ESP_ERR_NVS_CONTENT_DIFFERS"},
    {0x1119, "ESP_ERR_NVS_WRONG_ENCRYPTION"},
    {0x1501, "ESP_ERR_OTA_PARTITION_CONFLICT"},
    {0x1502, "ESP_ERR_OTA_SELECT_INFO_INVALID"},
    {0x1503, "ESP_ERR_OTA_VALIDATE_FAILED"},
    {0x1504, "ESP_ERR_OTA_SMALL_SEC_VER"},
    {0x1505, "ESP_ERR_OTA_ROLLBACK_FAILED"},
    {0x1506, "ESP_ERR_OTA_ROLLBACK_INVALID_STATE"},
    {0x1507, "ESP_ERR_OTA_ALREADY_IN_PROGRESS"},
    {0x1508, "ESP_ERR_OTA_SPI_MODE_MISMATCH"},
    {0x1600, "ESP_ERR_EFUSE"},
    {0x1601, "ESP_OK_EFUSE_CNT"},
    {0x1602, "ESP_ERR_EFUSE_CNT_IS_FULL"},
    {0x1603, "ESP_ERR_EFUSE_REPEATED_PROG"},
    {0x1604, "ESP_ERR_CODING"},
    {0x1605, "ESP_ERR_NOT_ENOUGH_UNUSED_KEY_BLOCKS"},
    {0x1606, "ESP_ERR_DAMAGED_READING"},
    {0x1607, "ESP_ERR_BURN_WR_DIS"},
    {0x2001, "ESP_ERR_IMAGE_FLASH_FAIL"},
    {0x2002, "ESP_ERR_IMAGE_INVALID"},
    {0x3001, "ESP_ERR_WIFI_NOT_INIT"},
    {0x3002, "ESP_ERR_WIFI_NOT_STARTED"},
    {0x5001, "ESP_ERR_ESP_NETIF_INVALID_PARAMS"},
    {0x5002, "ESP_ERR_ESP_NETIF_IF_NOT_READY"},
    {0x5003, "ESP_ERR_ESP_NETIF_DHCPC_START_FAILED"},
    {0x5004, "ESP_ERR_ESP_NETIF_DHCP_ALREADY_STARTED"},
    {0x5005, "ESP_ERR_ESP_NETIF_DHCP_ALREADY_STOPPED"},
    {0x5006, "ESP_ERR_ESP_NETIF_NO_MEM"},
    {0x5007, "ESP_ERR_ESP_NETIF_DHCP_NOT_STOPPED"},
    {0x5008, "ESP_ERR_ESP_NETIF_DRIVER_ATTACH_FAILED"},
    {0x5009, "ESP_ERR_ESP_NETIF_INIT_FAILED"},
    {0x500A, "ESP_ERR_ESP_NETIF_DNS_NOT_CONFIGURED"},
    {0x500B, "ESP_ERR_ESP_NETIF_MLD6_FAILED"},
    {0x500C, "ESP_ERR_ESP_NETIF_IP6_ADDR_FAILED"},
    {0x500D, "ESP_ERR_ESP_NETIF_DHCPS_START_FAILED"},
    {0x500E, "ESP_ERR_ESP_NETIF_TX_FAILED"},
    {0x6001, "ESP_ERR_FLASH_OP_FAIL"},
    {0x6002, "ESP_ERR_FLASH_OP_TIMEOUT"},
    {0x6003, "ESP_ERR_FLASH_NOT_INITIALISED"},
    {0x6004, "ESP_ERR_FLASH_UNSUPPORTED_HOST"},
    {0x6005, "ESP_ERR_FLASH_UNSUPPORTED_CHIP"},
    {0x6006, "ESP_ERR_FLASH_PROTECTED"},
    {0x7001, "ESP_ERR_HTTP_MAX_REDIRECT"},
    {0x7002, "ESP_ERR_HTTP_CONNECT"},
    {0x7003, "ESP_ERR_HTTP_WRITE_DATA"},
    {0x7004, "ESP_ERR_HTTP_FETCH_HEADER"},
    {0x7005, "ESP_ERR_HTTP_INVALID_TRANSPORT"},
    {0x7006, "ESP_ERR_HTTP_CONNECTING"},
    {0x7007, "ESP_ERR_HTTP_EAGAIN"},
    {0x7008, "ESP_ERR_HTTP_CONNECTION_CLOSED"},
    {0x7009, "ESP_ERR_HTTP_NOT_MODIFIED"},
    {0x700A, "ESP_ERR_HTTP_RANGE_NOT_SATISFIABLE"},
    {0x700B, "ESP_ERR_HTTP_READ_TIMEOUT"},
    {0x700C, "ESP_ERR_HTTP_INCOMPLETE_DATA"},
    {0x700D, "ESP_ERR_HTTP_REDIRECT_DOWNGRADE"},
    {0x700E, "ESP_ERR_HTTP_HEADER_TOO_LONG"},
    {0x8001, "ESP_ERR_ESP_TLS_CANNOT_RESOLVE_HOSTNAME"},
    {0x8002, "ESP_ERR_ESP_TLS_CANNOT_CREATE_SOCKET"},
    {0x8003, "ESP_ERR_ESP_TLS_UNSUPPORTED_PROTOCOL_FAMILY"},
    {0x8004, "ESP_ERR_ESP_TLS_FAILED_CONNECT_TO_HOST"},
    {0x8005, "ESP_ERR_ESP_TLS_SOCKET_SETOPT_FAILED"},
    {0x8006, "ESP_ERR_ESP_TLS_CONNECTION_TIMEOUT"},
    {0x8007, "ESP_ERR_ESP_TLS_SE_FAILED"},
    {0x8008, "ESP_ERR_ESP_TLS_TCP_CLOSED_FIN"},
    {0x8009, "ESP_ERR_ESP_TLS_SERVER_HANDSHAKE_TIMEOUT"},
    {0x8010, "ESP_ERR_MBEDTLS_CERT_PARTLY_OK"},
    {0x8011, "ESP_ERR_MBEDTLS_CTR_DRBG_SEED_FAILED"},
    {0x8012, "ESP_ERR_MBEDTLS_SSL_SET_HOSTNAME_FAILED"},
    {0x8013, "ESP_ERR_MBEDTLS_SSL_CONFIG_DEFAULTS_FAILED"},
    {0x8014, "ESP_ERR_MBEDTLS_SSL_CONF_ALPN_PROTOCOLS_FAILED"},
    {0x8015, "ESP_ERR_MBEDTLS_X509_CRT_PARSE_FAILED"},
    {0x8016, "ESP_ERR_MBEDTLS_SSL_CONF_OWN_CERT_FAILED"},
    {0x8017, "ESP_ERR_MBEDTLS_SSL_SETUP_FAILED"},
    {0x8018, "ESP_ERR_MBEDTLS_SSL_WRITE_FAILED"},
    {0x8019, "ESP_ERR_MBEDTLS_PK_PARSE_KEY_FAILED"},
    {0x801A, "ESP_ERR_MBEDTLS_SSL_HANDSHAKE_FAILED"},
    {0x801B, "ESP_ERR_MBEDTLS_SSL_CONF_PSK_FAILED"},
    {0x801C, "ESP_ERR_MBEDTLS_SSL_TICKET_SETUP_FAILED"},
    {0x801D, "ESP_ERR_MBEDTLS_SSL_READ_FAILED"},
    {0x9001, "ESP_ERR_HTTPS_OTA_IN_PROGRESS"},
    {0xE001, "ESP_ERR_TCP_TRANSPORT_CONNECTION_TIMEOUT"},
    {0xE002, "ESP_ERR_TCP_TRANSPORT_CONNECTION_CLOSED_BY_FIN"},
    {0xE003, "ESP_ERR_TCP_TRANSPORT_CONNECTION_FAILED"},
    {0xE004, "ESP_ERR_TCP_TRANSPORT_NO_MEM"},
};

static const char *find_name(esp_err_t code)
{
    size_t low = 0;
    size_t high = sizeof(code_names) / sizeof(code_names[0]);

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (code_names[middle].code == code) {
            return code_names[middle].name;
        }
        if (code_names[middle].code < code) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

#else

#define NAME_OF_UNKNOWN "UNKNOWN ERROR"

static const char *find_name(esp_err_t code)
{
    (void)code;
    return NULL;
}

#endif

const char *esp_err_to_name(esp_err_t code)
{
    const char *name = find_name(code);
    return name != NULL ? name : NAME_OF_UNKNOWN;
}

/* The C library's text for an errno value, or NULL where it has none. Libraries have no common way
 * to say "unknown"; all of them then print the number or the word. */
static const char *find_errno_text(esp_err_t code)
{
    if (code <= 0 || code > 255) {
        return NULL;
    }
    const char *text = strerror(code);
    if (text == NULL || text[0] == '\0' || strncmp(text, "Unknown", 7) == 0) {
        return NULL;
    }
    return text;
}

const char *esp_err_to_name_r(esp_err_t code, char *buf, size_t buflen)
{
    const char *text = find_name(code);

    if (text == NULL) {
        text = find_errno_text(code);
    }
    if (text != NULL) {
        snprintf(buf, buflen, "%s", text);
    } else {
        snprintf(buf, buflen, "%s 0x%x(%d)", NAME_OF_UNKNOWN, (unsigned)code, code);
    }
    return buf;
}
