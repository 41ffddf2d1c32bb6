# SPDX-License-Identifier: Apache-2.0
#
# The sifive_u board for the build system: bare metal, cross compiled, linked to the board's memory
# map. A main file belongs into the executable itself, not into a library.
set(_board "${CMAKE_CURRENT_LIST_DIR}")

include("${_board}/compiler.cmake")

set(BOARD_ARCH riscv)
set(BOARD_TOOLCHAIN_FILE "${_board}/toolchain.cmake")
set(BOARD_TOOL_PREFIX riscv64-unknown-elf-)
set(BOARD_HAS_SANITIZERS OFF)
set(BOARD_ROM_PROJECT "${_board}/rom")
set(BOARD_EMBED_SECTION .rodata.embedded)

set(BOARD_SRCS
    "${_board}/device/abort.c"
    "${_board}/device/atomic.c"
    "${_board}/device/chip.c"
    "${_board}/device/clock.c"
    "${_board}/device/console.c"
    "${_board}/device/flash.c"
    "${_board}/device/gem.c"
    "${_board}/device/gpio.c"
    "${_board}/device/irq.c"
    "${_board}/device/loader.c"
    "${_board}/device/nor.c"
    "${_board}/device/os.c"
    "${_board}/device/panic.c"
    "${_board}/device/print.c"
    "${_board}/device/protection.c"
    "${_board}/device/random.c"
    "${_board}/device/reset.c"
    "${_board}/device/sha256.c"
    "${_board}/device/shared.c"
    "${_board}/device/start.S"
    "${_board}/device/stdio.c"
    "${_board}/device/time.c"
    "${_board}/device/tls.c"
    "${_board}/device/trap.S"
    "${_board}/device/trap.c"
    "${_board}/device/watchdog.c")
set(BOARD_INCLUDE_DIRS "${_board}/include")
set(BOARD_PRIV_INCLUDE_DIRS "${_board}/device")
set(BOARD_COMPILE_OPTIONS "")
set(BOARD_LINK_LIBRARIES "")
set(BOARD_MAIN_APP "${_board}/device/main_app.c")
set(BOARD_MAIN_BOOTLOADER "${_board}/device/main_bootloader.c")

# The linker scripts share the memory map with the C sources, so the preprocessor sees them first.
# Sets var to the finished script, SCRIPT.ld of ld/SOURCE.ld; what follows are options of the
# preprocessor.
function(sifive_u_linker_script var script source)
    set(board "${CMAKE_CURRENT_FUNCTION_LIST_DIR}")
    set(finished "${CMAKE_BINARY_DIR}/sifive_u/${script}.ld")
    file(MAKE_DIRECTORY "${CMAKE_BINARY_DIR}/sifive_u")
    execute_process(COMMAND "${SIFIVE_U_GCC}" -E -P -x c -D__ASSEMBLER__ "-I${board}/include"
                            ${ARGN} -o "${finished}" "${board}/ld/${source}.ld"
                    RESULT_VARIABLE status)
    if(NOT status EQUAL 0)
        message(FATAL_ERROR "Cannot make ${finished}; is gcc-riscv64-unknown-elf installed?")
    endif()
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
                 "${board}/ld/${source}.ld" "${board}/include/sifive_u/board.h")
    set(${var} "${finished}" PARENT_SCOPE)
endfunction()

sifive_u_linker_script(_sifive_u_app_ld app app)
sifive_u_linker_script(_sifive_u_bootloader_ld bootloader bootloader)
set(BOARD_LINK_OPTIONS -nostartfiles)
# The C library finds the console's streams by name, after the board's library was searched.
set(BOARD_APP_LINK_OPTIONS "-T${_sifive_u_app_ld}" -Wl,--undefined=stdout)
set(BOARD_BOOTLOADER_COMPILE_OPTIONS -msave-restore -flto)
# No floating point in the bootloader's text, and a word about its size at every build.
set(BOARD_BOOTLOADER_LINK_OPTIONS "-T${_sifive_u_bootloader_ld}" -DPICOLIBC_INTEGER_PRINTF_SCANF
                                  -Wl,--print-memory-usage)
