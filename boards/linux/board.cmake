# SPDX-License-Identifier: Apache-2.0
#
# The linux board for a build of firmware: what to compile and how.
#
#   BOARD_SRCS, BOARD_INCLUDE_DIRS, BOARD_PRIV_INCLUDE_DIRS,
#   BOARD_COMPILE_OPTIONS, BOARD_LINK_LIBRARIES   the hal, as a static library
#   BOARD_APP_START_SRCS                          main() of an application (calls app_start())
#   BOARD_BOOTLOADER_START_SRCS                   main() of the bootloader
#
# A start source belongs into the executable itself, not into a library; unit tests have none.
# BOARD_START_INCLUDE_DIRS is what it needs besides hal/include and formats/include.
set(_board "${CMAKE_CURRENT_LIST_DIR}")

set(BOARD_SRCS
    "${_board}/common/flash_model.c"
    "${_board}/common/state.c"
    "${_board}/device/board.c"
    "${_board}/device/chip.c"
    "${_board}/device/clock.c"
    "${_board}/device/console.c"
    "${_board}/device/flash.c"
    "${_board}/device/gpio.c"
    "${_board}/device/loader.c"
    "${_board}/device/network.c"
    "${_board}/device/panic.c"
    "${_board}/device/random.c"
    "${_board}/device/reset.c"
    "${_board}/device/sha256.c"
    "${_board}/device/sha256_x86.c")
set(BOARD_INCLUDE_DIRS "${_board}/include")
set(BOARD_PRIV_INCLUDE_DIRS "${_board}/device")
set(BOARD_COMPILE_OPTIONS "-D_GNU_SOURCE")
set(BOARD_LINK_LIBRARIES "pthread")
set(BOARD_APP_START_SRCS "${_board}/device/main_app.c")
set(BOARD_BOOTLOADER_START_SRCS "${_board}/device/main_bootloader.c")
set(BOARD_START_INCLUDE_DIRS "${_board}/device" "${_board}/include")
