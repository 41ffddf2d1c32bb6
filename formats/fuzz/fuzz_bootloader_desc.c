/* SPDX-License-Identifier: Apache-2.0
 *
 * The bootloader descriptor. */
#include "fuzz.h"

#include <string.h>

#include "formats/app_desc.h"
#include "formats/bootloader_desc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fmt_bootloader_desc_t desc;
    uint8_t again[FMT_BOOTLOADER_DESC_SIZE];
    char text[40];

    if (fmt_bootloader_desc_decode(data, size, &desc) != ESP_OK) {
        return 0;
    }
    CHECK(strlen(fmt_text_field(text, sizeof(text), desc.date_time, sizeof(desc.date_time))) <=
          sizeof(desc.date_time));
    fmt_bootloader_desc_encode(&desc, again);
    CHECK(memcmp(again, data, sizeof(again)) == 0);
    return 0;
}
