# SPDX-License-Identifier: Apache-2.0
#
# The linux board for a build of firmware: what to compile and how.
#
#   BOARD_SRCS, BOARD_INCLUDE_DIRS, BOARD_PRIV_INCLUDE_DIRS,
#   BOARD_COMPILE_OPTIONS, BOARD_LINK_LIBRARIES   the hal, as a static library
#   BOARD_MAIN_APP                                main() of an application (calls app_start())
#   BOARD_MAIN_BOOTLOADER                         main() of the bootloader
#   BOARD_BOOTLOADER_COMPILE_OPTIONS, BOARD_BOOTLOADER_LINK_OPTIONS   for the bootloader only
#   BOARD_GLOBAL_COMPILE_OPTIONS, BOARD_LINK_OPTIONS   for every object, every program
#   BOARD_BOOTLOADER_LINK_OPTIONS, BOARD_APP_LINK_OPTIONS   for one of the two
#   BOARD_TOOLCHAIN_FILE                          empty: the host's compiler
#   BOARD_TOOL_PREFIX                             in front of size, addr2line, ...
#   BOARD_COMMON_COMPONENTS                       requirements of every component, beside the usual
#   BOARD_IMAGE_CARRIES_ELF                       an image holds the stripped ELF file
#   BOARD_HAS_SANITIZERS                          ASan and UBSan can be used
#   BOARD_HAS_POWERCUT                            the target powercut (tools/powercut) can be built
#   BOARD_EMBED_SECTION                           section of embedded files
#   BOARD_ROM_PROJECT                             a build of its own that makes rom.elf for the runner
#
# A main file belongs into the executable itself, not into a library; unit tests bring their own.
set(_board "${CMAKE_CURRENT_LIST_DIR}")

set(BOARD_ARCH host)
set(BOARD_TOOLCHAIN_FILE "")
set(BOARD_TOOL_PREFIX "")
set(BOARD_COMMON_COMPONENTS linux)
set(BOARD_GLOBAL_COMPILE_OPTIONS -fPIE)
set(BOARD_LINK_OPTIONS -pie)
set(BOARD_IMAGE_CARRIES_ELF ON)
set(BOARD_HAS_SANITIZERS ON)
set(BOARD_HAS_POWERCUT ON)
set(BOARD_EMBED_SECTION .rodata.embedded)

set(BOARD_SRCS
    "${_board}/common/flash_model.c"
    "${_board}/common/state.c"
    "${_board}/device/board.c"
    "${_board}/device/cable.c"
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
set(BOARD_LINK_LIBRARIES pthread)
set(BOARD_MAIN_APP "${_board}/device/main_app.c")
set(BOARD_MAIN_BOOTLOADER "${_board}/device/main_bootloader.c")

# Sockets are the host's; every one of an application passes the cable (cable.c).
set(BOARD_APP_LINK_OPTIONS -Wl,--wrap=socket)

# The bootloader has 32 KiB of flash: an executable without page padding and unwind tables.
set(BOARD_BOOTLOADER_COMPILE_OPTIONS -fno-asynchronous-unwind-tables -fno-pie
    -fno-plt -fno-jump-tables -Oz)
set(BOARD_BOOTLOADER_LINK_OPTIONS -no-pie -Wl,--build-id=none -Wl,-z,norelro
    -Wl,-z,noseparate-code -Wl,-z,common-page-size=16)
