# SPDX-License-Identifier: Apache-2.0
#
# The target `powercut`, which `airlift powercut` builds: BUILD/powercut/engine, made of the
# project's own libraries and bootloader, the board's device code and tools/powercut. Nothing of it
# is built otherwise.
include_guard(GLOBAL)

# airlift_powercut_scenario(SRCS a.c... [REQUIRES component...] [INCLUDE_DIRS d...])
#
# Adds a project's own scenarios (airlift_powercut.h) to its engine. Call it after project(), or in
# a component. Sources see sdkconfig.h and every component of the build.
function(airlift_powercut_scenario)
    cmake_parse_arguments(PARSE_ARGV 0 arg "" "" "SRCS;REQUIRES;INCLUDE_DIRS")
    if(arg_UNPARSED_ARGUMENTS OR NOT arg_SRCS)
        message(FATAL_ERROR "airlift_powercut_scenario: needs SRCS; unknown words: "
                            "'${arg_UNPARSED_ARGUMENTS}'")
    endif()
    foreach(source IN LISTS arg_SRCS)
        get_filename_component(source "${source}" ABSOLUTE)
        set_property(GLOBAL APPEND PROPERTY AIRLIFT_POWERCUT_SRCS "${source}")
    endforeach()
    foreach(dir IN LISTS arg_INCLUDE_DIRS)
        get_filename_component(dir "${dir}" ABSOLUTE)
        set_property(GLOBAL APPEND PROPERTY AIRLIFT_POWERCUT_INCLUDE_DIRS "${dir}")
    endforeach()
    set_property(GLOBAL APPEND PROPERTY AIRLIFT_POWERCUT_REQUIRES ${arg_REQUIRES})
endfunction()

# Called at the end of the project's CMakeLists.txt, when all scenarios are known.
function(airlift_add_powercut)
    if(NOT BOARD_HAS_POWERCUT)
        return()
    endif()
    idf_build_get_property(components BUILD_COMPONENTS)
    idf_build_get_property(build_dir BUILD_DIR)
    foreach(component app_update esp_partition bootloader_support)
        if(NOT component IN_LIST components)
            add_custom_target(powercut
                COMMAND ${CMAKE_COMMAND} -E echo
                        "This project does not use the component ${component}, which the scenarios need."
                COMMAND ${CMAKE_COMMAND} -E echo "Name it in REQUIRES of a component."
                COMMAND ${CMAKE_COMMAND} -E false VERBATIM)
            return()
        endif()
    endforeach()

    set(dir "${AIRLIFT_ROOT}/tools/powercut")
    set(sources "${dir}/app.c" "${dir}/engine.c" "${dir}/scenarios.c" "${dir}/scenario_staging.c"
                "${AIRLIFT_ROOT}/boards/${IDF_TARGET}/host/rom.c")
    if(nvs_flash IN_LIST components)
        list(APPEND sources "${dir}/scenario_nvs.c")
    endif()
    get_property(own GLOBAL PROPERTY AIRLIFT_POWERCUT_SRCS)
    get_property(own_dirs GLOBAL PROPERTY AIRLIFT_POWERCUT_INCLUDE_DIRS)
    get_property(requires GLOBAL PROPERTY AIRLIFT_POWERCUT_REQUIRES)

    add_library(powercut_objects OBJECT EXCLUDE_FROM_ALL ${sources} ${own})
    target_include_directories(powercut_objects PRIVATE "${dir}" "${dir}/include" ${own_dirs}
        "${AIRLIFT_ROOT}/boards/${IDF_TARGET}/host" ${BOARD_PRIV_INCLUDE_DIRS})
    target_compile_definitions(powercut_objects PRIVATE "POWERCUT_PROJECT_NAME=\"${PROJECT_NAME}\"")
    target_link_libraries(powercut_objects PRIVATE airlift_core)
    set(wanted app_update bootloader_support esp_partition spi_flash esp_system)
    foreach(component nvs_flash efuse)
        if(component IN_LIST components)
            list(APPEND wanted ${component})
        endif()
    endforeach()
    idf_build_get_property(common COMMON_COMPONENTS)
    foreach(requirement IN LISTS common wanted requires)
        airlift_component_name(requirement "${requirement}")
        if(NOT TARGET idf::${requirement})
            message(FATAL_ERROR "airlift_powercut_scenario: REQUIRES: '${requirement}' is no "
                                "component of this build.")
        endif()
        target_link_libraries(powercut_objects PRIVATE idf::${requirement})
    endforeach()

    # The bootloader's build makes one object of itself.
    set(bootloader "${build_dir}/bootloader/powercut_bootloader.o")
    add_custom_target(powercut_bootloader
        COMMAND ${CMAKE_COMMAND} --build "${build_dir}/bootloader" --target powercut_bootloader
        BYPRODUCTS "${bootloader}"
        COMMENT "Bootloader for the power-cut engine" VERBATIM)
    add_dependencies(powercut_bootloader bootloader)

    add_executable(powercut_engine EXCLUDE_FROM_ALL $<TARGET_OBJECTS:powercut_objects>)
    add_dependencies(powercut_engine powercut_bootloader)
    set_target_properties(powercut_engine PROPERTIES OUTPUT_NAME engine
                          RUNTIME_OUTPUT_DIRECTORY "${build_dir}/powercut"
                          LINK_DEPENDS "${bootloader}")
    airlift_link_everything(powercut_engine)
    target_link_libraries(powercut_engine PRIVATE "${bootloader}")
    # The bootloader's objects are not position independent. A small program without shared libraries
    # is forked for every boot in two thirds of the time; its heap is ours, not the C library's.
    execute_process(COMMAND ${CMAKE_C_COMPILER} -print-file-name=libc.a
                    OUTPUT_VARIABLE libc OUTPUT_STRIP_TRAILING_WHITESPACE)
    if(IS_ABSOLUTE "${libc}" AND NOT AIRLIFT_SAN)
        target_link_options(powercut_engine PRIVATE -static -Wl,-z,muldefs)
    else()
        target_link_options(powercut_engine PRIVATE -no-pie -Wl,-z,now)
    endif()
    add_custom_target(powercut)
    # Everything that is flashed, too.
    add_dependencies(powercut powercut_engine bootloader partition-table app)
    if(TARGET blank_ota_data)
        add_dependencies(powercut blank_ota_data)
    endif()
endfunction()
