/* SPDX-License-Identifier: Apache-2.0
 *
 * The descriptor object. Weak, because an application may define `esp_app_desc` itself; the linker
 * then drops this one's section. */
#include "app_desc_texts.h"
#include "esp_app_desc.h"
#include "formats/app_desc.h"
#include "sdkconfig.h"

_Static_assert(sizeof(esp_app_desc_t) == FMT_APP_DESC_SIZE, "one descriptor layout");
_Static_assert(offsetof(esp_app_desc_t, app_elf_sha256) == FMT_APP_DESC_ELF_SHA256_OFFSET,
               "one descriptor layout");

extern const esp_app_desc_t esp_app_desc;

const __attribute__((section(".flash.appdesc"), weak)) esp_app_desc_t esp_app_desc = {
    .magic_word = ESP_APP_DESC_MAGIC_WORD,
#ifdef CONFIG_BOOTLOADER_APP_ANTI_ROLLBACK
    .secure_version = CONFIG_BOOTLOADER_APP_SECURE_VERSION,
#endif
#ifndef CONFIG_APP_EXCLUDE_PROJECT_VER_VAR
    .version = APP_DESC_PROJECT_VER,
#endif
#ifndef CONFIG_APP_EXCLUDE_PROJECT_NAME_VAR
    .project_name = APP_DESC_PROJECT_NAME,
#endif
#if defined(CONFIG_APP_COMPILE_TIME_DATE) && !defined(CONFIG_APP_REPRODUCIBLE_BUILD)
    .time = __TIME__,
    .date = __DATE__,
#endif
    .idf_ver = APP_DESC_IDF_VER,
    .max_efuse_blk_rev_full = CONFIG_ESP_EFUSE_BLOCK_REV_MAX_FULL,
    .mmu_page_size = 31 - __builtin_clz(CONFIG_MMU_PAGE_SIZE),
    .spi_flash_mode = CONFIG_ESPTOOLPY_FLASHMODE_VAL,
};
