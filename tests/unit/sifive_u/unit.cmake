# SPDX-License-Identifier: Apache-2.0
#
# A test is an application that the emulator puts into memory. It is started by the real ROM stage
# and a stub in the bootloader's place; see run.py.
set(_unit_dir "${CMAKE_CURRENT_LIST_DIR}")
find_package(Python3 REQUIRED COMPONENTS Interpreter)

add_library(unit_support INTERFACE)
target_include_directories(unit_support INTERFACE "${_unit_dir}" "${IDF_PATH}/boards/linux/include")
target_sources(unit_support INTERFACE $<TARGET_OBJECTS:unit_board>)
sifive_u_linker_script(_unit_ld unit app -DUNIT_TEST)
target_link_options(unit_support INTERFACE "-T${_unit_ld}" -Wl,--undefined=stdout
                    -Wl,--wrap=hal_console_write)

# In the executables themselves: what they define comes before the board's own.
add_library(unit_board OBJECT "${_unit_dir}/cmocka.c"
            "${_unit_dir}/console_capture.c" "${_unit_dir}/main.c"
            "${_unit_dir}/memory_board.c" "${BOARD_MAIN_APP}"
            "${IDF_PATH}/boards/linux/common/flash_model.c"
            "${IDF_PATH}/boards/linux/common/state.c")
target_include_directories(unit_board PRIVATE "${_unit_dir}" "${_unit_dir}/../include"
                           "${IDF_PATH}/boards/linux/include" ${BOARD_PRIV_INCLUDE_DIRS})
target_link_libraries(unit_board PRIVATE airlift_core idf::freertos)

add_executable(unit_boot "${_unit_dir}/boot.c" "${BOARD_MAIN_BOOTLOADER}")
target_include_directories(unit_boot PRIVATE ${BOARD_PRIV_INCLUDE_DIRS})
target_link_libraries(unit_boot PRIVATE airlift_core)
target_link_options(unit_boot PRIVATE ${BOARD_LINK_OPTIONS} ${BOARD_BOOTLOADER_LINK_OPTIONS}
                    -Wl,--gc-sections)

airlift_add_rom()

# An emulated processor, perhaps on a busy host.
set(UNIT_PATIENCE 2)

function(airlift_unit_command var target seconds)
    # Time out before ctest does, to show what there was.
    math(EXPR seconds "${seconds} - 5")
    add_dependencies(${target} rom unit_boot)
    set(${var} "${Python3_EXECUTABLE}" "${IDF_PATH}/tests/unit/sifive_u/run.py"
        "${CMAKE_BINARY_DIR}/rom/rom.elf" "$<TARGET_FILE:unit_boot>" "$<TARGET_FILE:${target}>"
        ${seconds} PARENT_SCOPE)
endfunction()
