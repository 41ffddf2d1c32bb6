/* SPDX-License-Identifier: Apache-2.0
 *
 * The framework's version as text. */
#include "esp_idf_version.h"

#ifndef IDF_VER
#define TEXT_OF(x)  #x
#define VALUE_OF(x) TEXT_OF(x)
#define IDF_VER                                                                                    \
    "v" VALUE_OF(ESP_IDF_VERSION_MAJOR) "." VALUE_OF(ESP_IDF_VERSION_MINOR) "." VALUE_OF(          \
        ESP_IDF_VERSION_PATCH)
#endif

const char *esp_get_idf_version(void)
{
    return IDF_VER;
}
