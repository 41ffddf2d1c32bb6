# SPDX-License-Identifier: Apache-2.0
#
# Included by bootloader/CMakeLists.txt: the target powercut_bootloader makes of the objects of
# bootloader.elf one relocatable file in which only bootloader_entry.h's functions can be seen.
set(_powercut "${CMAKE_CURRENT_LIST_DIR}")
add_library(powercut_bootloader_entry OBJECT EXCLUDE_FROM_ALL "${_powercut}/bootloader_entry.c")
target_link_libraries(powercut_bootloader_entry PRIVATE board hal formats)

set(_objects $<TARGET_OBJECTS:powercut_bootloader_entry> $<TARGET_OBJECTS:bootloader.elf>)
set(_archives $<TARGET_FILE:board> $<TARGET_FILE:formats> $<TARGET_FILE:airlift_hash>)
set(_lto "")
if(CMAKE_INTERPROCEDURAL_OPTIMIZATION AND CMAKE_C_COMPILER_ID STREQUAL "GNU")
    set(_lto -flto=auto -flinker-output=nolto-rel)
elseif(CMAKE_INTERPROCEDURAL_OPTIMIZATION)
    set(_lto -flto)
endif()
add_custom_command(OUTPUT powercut_bootloader.o
    COMMAND ${CMAKE_C_COMPILER} -r -nostdlib -Os -fno-pie ${_lto}
            -o powercut_bootloader_all.o ${_objects} -Wl,--start-group ${_archives}
            -Wl,--end-group
    COMMAND ${CMAKE_OBJCOPY} --keep-global-symbol=powercut_bootloader
            --keep-global-symbol=powercut_bootloader_prepare powercut_bootloader_all.o
            powercut_bootloader.o
    DEPENDS ${_objects} ${_archives} bootloader.elf powercut_bootloader_entry
    COMMENT "Bootloader for the power-cut engine" COMMAND_EXPAND_LISTS VERBATIM)
add_custom_target(powercut_bootloader DEPENDS powercut_bootloader.o)
