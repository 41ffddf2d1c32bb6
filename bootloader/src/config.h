/* SPDX-License-Identifier: Apache-2.0
 *
 * The bootloader's configuration: sdkconfig.h, with what it may leave out filled in. */
#ifndef BOOTLOADER_CONFIG_H
#define BOOTLOADER_CONFIG_H

#include "sdkconfig.h"

#ifndef CONFIG_PARTITION_TABLE_OFFSET
#define CONFIG_PARTITION_TABLE_OFFSET 0x8000
#endif

#ifndef CONFIG_BOOTLOADER_LOG_LEVEL
#define CONFIG_BOOTLOADER_LOG_LEVEL 3
#endif

#ifndef CONFIG_BOOTLOADER_PROJECT_VER
#define CONFIG_BOOTLOADER_PROJECT_VER 1
#endif

#ifndef CONFIG_BOOTLOADER_HOLD_TIME_GPIO
#define CONFIG_BOOTLOADER_HOLD_TIME_GPIO 5
#endif

#ifndef CONFIG_BOOTLOADER_DATA_FACTORY_RESET
#define CONFIG_BOOTLOADER_DATA_FACTORY_RESET "nvs"
#endif

#ifndef CONFIG_MMU_PAGE_SIZE
#define CONFIG_MMU_PAGE_SIZE 0x10000
#endif

#ifndef CONFIG_BOOTLOADER_ROLLBACK_ATTEMPTS
#define CONFIG_BOOTLOADER_ROLLBACK_ATTEMPTS 1
#endif

#ifdef CONFIG_AIRLIFT_STRICT_COMPATIBILITY
#define BOOTLOADER_STRICT true
#else
#define BOOTLOADER_STRICT false
#endif

/* Given by the build: the ESP-IDF version this release stands for. */
#ifndef IDF_VER
#define IDF_VER "unknown"
#endif

#ifdef CONFIG_BOOTLOADER_COMPILE_TIME_DATE
#define BOOTLOADER_COMPILE_TIME __DATE__ " " __TIME__
#else
#define BOOTLOADER_COMPILE_TIME ""
#endif

#endif
