/* SPDX-License-Identifier: Apache-2.0
 *
 * The application descriptor. */
#include "fuzz.h"

#include <string.h>

#include "formats/app_desc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fmt_app_desc_t desc;
    uint8_t again[FMT_APP_DESC_SIZE];
    char text[40];

    if (fmt_app_desc_decode(data, size, &desc) != ESP_OK) {
        return 0;
    }
    CHECK(strlen(fmt_text_field(text, sizeof(text), desc.version, sizeof(desc.version))) <= 32);
    CHECK(strlen(fmt_text_field(text, 4, desc.project_name, sizeof(desc.project_name))) <= 3);
    CHECK(strlen(fmt_text_field(text, 1, desc.idf_ver, sizeof(desc.idf_ver))) == 0);
    CHECK(fmt_app_desc_mmu_page(&desc) <= 1u << 18);
    CHECK(fmt_app_desc_spi_mode_name(desc.spi_flash_mode) != NULL);
    fmt_app_desc_encode(&desc, again);
    CHECK(memcmp(again, data, sizeof(again)) == 0);
    return 0;
}
