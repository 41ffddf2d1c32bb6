# SPDX-License-Identifier: Apache-2.0
#
# Included by a project's CMakeLists.txt before project(): finds the SDK and the board, defines the
# functions of ESP-IDF's build system and takes project() over. The build itself is two passes over
# the components; docs/build-system.md tells the story.
include_guard(GLOBAL)
cmake_minimum_required(VERSION 3.22)

get_filename_component(AIRLIFT_ROOT "${CMAKE_CURRENT_LIST_DIR}/../.." ABSOLUTE)
set(ENV{IDF_PATH} "${AIRLIFT_ROOT}")
set(IDF_PATH "${AIRLIFT_ROOT}")

foreach(_airlift_file properties sources version target discovery kconfig component embed hash tool
                      image powercut build)
    include("${CMAKE_CURRENT_LIST_DIR}/${_airlift_file}.cmake")
endforeach()

airlift_find_target("${AIRLIFT_ROOT}")
include("${AIRLIFT_ROOT}/boards/${IDF_TARGET}/board.cmake")
if(BOARD_TOOLCHAIN_FILE)
    set(CMAKE_TOOLCHAIN_FILE "${BOARD_TOOLCHAIN_FILE}" CACHE FILEPATH "Toolchain of the board")
endif()

airlift_idf_ver(IDF_VER "${AIRLIFT_ROOT}")
idf_build_set_property(IDF_PATH "${AIRLIFT_ROOT}")
idf_build_set_property(IDF_TARGET "${IDF_TARGET}")
idf_build_set_property(IDF_VER "${IDF_VER}")
idf_build_set_property(BUILD_DIR "${CMAKE_BINARY_DIR}")
idf_build_set_property(PROJECT_DIR "${CMAKE_SOURCE_DIR}")
airlift_python(_airlift_python)
idf_build_set_property(PYTHON "${_airlift_python}")
# Callers set it as ESP-IDF's own do; it is always true here.
set(ESP_PLATFORM 1 CACHE BOOL "Building for ESP-IDF's API" FORCE)
if(NOT CMAKE_BUILD_TYPE)
    # Optimisation and debug information come from Kconfig.
    set(CMAKE_BUILD_TYPE "" CACHE STRING "Unused: Kconfig decides" FORCE)
endif()

# The project's project(). Only the first call is ours; below, in components, it is CMake's own.
macro(project _airlift_name)
    if(AIRLIFT_PROJECT_SEEN)
        _project(${ARGV})
    else()
        set(AIRLIFT_PROJECT_SEEN 1)
        set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
        _project(${_airlift_name} C CXX ASM)
        airlift_project("${_airlift_name}" "${ARGN}")
    endif()
endmacro()
