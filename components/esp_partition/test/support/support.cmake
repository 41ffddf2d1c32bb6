# SPDX-License-Identifier: Apache-2.0
#
# What the unit tests of the storage and update components share.
set(STORAGE_SUPPORT_DIR "${CMAKE_CURRENT_LIST_DIR}")
set(STORAGE_SUPPORT "${CMAKE_CURRENT_LIST_DIR}/storage_board.c" "${CMAKE_CURRENT_LIST_DIR}/wraps.c")
set(STORAGE_WRAPS -Wl,--wrap=hal_flash_map -Wl,--wrap=malloc -Wl,--wrap=calloc)
set(STORAGE_REQUIRES spi_flash bootloader_support esp_partition log freertos mbedtls)
