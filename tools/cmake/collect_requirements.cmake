# SPDX-License-Identifier: Apache-2.0
#
# Pass 1, run with cmake -P: INPUT sets the build properties and lists the components, OUTPUT gets
# one airlift_component_requirements() line for each component that registers itself.
cmake_minimum_required(VERSION 3.22)
include("${CMAKE_CURRENT_LIST_DIR}/properties.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/sources.cmake")
include("${INPUT}")

set(ESP_PLATFORM 1)
set(CMAKE_BUILD_EARLY_EXPANSION 1)
file(WRITE "${OUTPUT}" "")

# Commands that need a build do nothing here.
foreach(command add_compile_definitions add_compile_options add_custom_command add_custom_target
                add_definitions add_dependencies add_executable add_library add_link_options
                add_subdirectory add_test include_directories link_libraries project
                set_source_files_properties set_target_properties source_group
                target_compile_definitions target_compile_features target_compile_options
                target_include_directories target_link_directories target_link_libraries
                target_link_options target_sources
                add_prebuilt_library airlift_powercut_scenario airlift_unit_test esptool_py_flash_target_image
                esptool_py_flash_to_partition fail_at_build_time
                idf_component_add_link_dependency idf_component_optional_requires
                nvs_create_partition_image partition_table_get_partition_info
                target_add_binary_data)
    cmake_language(EVAL CODE "macro(${command})\nendmacro()")
endforeach()

function(airlift_record name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "WHOLE_ARCHIVE" "KCONFIG;KCONFIG_PROJBUILD"
        "SRCS;SRC_DIRS;EXCLUDE_SRCS;INCLUDE_DIRS;PRIV_INCLUDE_DIRS;REQUIRES;PRIV_REQUIRES;\
REQUIRED_IDF_TARGETS;LDFRAGMENTS;EMBED_FILES;EMBED_TXTFILES")
    file(APPEND "${OUTPUT}" "airlift_component_requirements(${name} \"${arg_REQUIRES}\" "
         "\"${arg_PRIV_REQUIRES}\" \"${arg_KCONFIG}\" \"${arg_KCONFIG_PROJBUILD}\")\n")
endfunction()

# Macros, so that return() leaves the component's file.
macro(idf_component_register)
    airlift_record(${COMPONENT_NAME} ${ARGN})
    return()
endmacro()

macro(register_component)
    airlift_record(${COMPONENT_NAME} REQUIRES ${COMPONENT_REQUIRES}
                   PRIV_REQUIRES ${COMPONENT_PRIV_REQUIRES})
    return()
endmacro()

macro(register_config_only_component)
    register_component()
endmacro()

function(airlift_scan name)
    idf_component_get_property(dir ${name} COMPONENT_DIR)
    set(COMPONENT_NAME ${name})
    set(COMPONENT_DIR "${dir}")
    set(COMPONENT_PATH "${dir}")
    set(CMAKE_CURRENT_SOURCE_DIR "${dir}")
    include("${dir}/CMakeLists.txt")
endfunction()

# Build properties are readable as variables too.
airlift_build_property_names(property_names)
foreach(property IN LISTS property_names)
    idf_build_get_property(${property} ${property})
endforeach()

foreach(component IN LISTS components)
    airlift_scan(${component})
endforeach()
