/* SPDX-License-Identifier: Apache-2.0
 *
 * Access to the descriptor of the running program. */
#include "esp_app_desc.h"
#include "sdkconfig.h"

extern const esp_app_desc_t esp_app_desc;

const esp_app_desc_t *esp_app_get_description(void)
{
    return &esp_app_desc;
}

char app_elf_sha256_str[CONFIG_APP_RETRIEVE_LEN_ELF_SHA + 1];

int esp_app_get_elf_sha256(char *dst, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *hash = esp_app_get_description()->app_elf_sha256;
    size_t count = CONFIG_APP_RETRIEVE_LEN_ELF_SHA;

    if (dst == NULL || size < 2) {
        return 0;
    }
    if (count > size - 1) {
        count = size - 1;
    }
    for (size_t i = 0; i < count; i++) {
        dst[i] = digits[i % 2 == 0 ? hash[i / 2] >> 4 : hash[i / 2] & 0xF];
    }
    dst[count] = '\0';
    return (int)count + 1;
}

char *esp_app_get_elf_sha256_str(void)
{
    /* Two tasks at once write the same bytes. */
    if (app_elf_sha256_str[0] == '\0') {
        esp_app_get_elf_sha256(app_elf_sha256_str, sizeof(app_elf_sha256_str));
    }
    return app_elf_sha256_str;
}
