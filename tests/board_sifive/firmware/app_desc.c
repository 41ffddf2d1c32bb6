/* SPDX-License-Identifier: Apache-2.0
 *
 * The probes' application descriptor. */
#include "formats/app_desc.h"

__attribute__((section(".flash.appdesc"), used)) const fmt_app_desc_t esp_app_desc = {
    .magic_word = FMT_APP_DESC_MAGIC,
    .version = "1",
    .project_name = "probe",
    .idf_ver = "probe",
};
