# SPDX-License-Identifier: Apache-2.0
#
# Version of the SDK and of the project.
include_guard(GLOBAL)

# The ESP-IDF version whose interface this tree has; esp_idf_version.h says the same.
set(IDF_VERSION_MAJOR 6)
set(IDF_VERSION_MINOR 2)
set(IDF_VERSION_PATCH 0)
set(AIRLIFT_IDF_VERSION "${IDF_VERSION_MAJOR}.${IDF_VERSION_MINOR}.${IDF_VERSION_PATCH}")

# What git says of the tree at DIR, or "".
function(airlift_git_describe var dir)
    set(text "")
    find_program(AIRLIFT_GIT git)
    mark_as_advanced(AIRLIFT_GIT)
    if(AIRLIFT_GIT)
        execute_process(COMMAND "${AIRLIFT_GIT}" -C "${dir}" describe ${ARGN}
                        OUTPUT_VARIABLE text ERROR_QUIET RESULT_VARIABLE result
                        OUTPUT_STRIP_TRAILING_WHITESPACE)
        if(NOT result EQUAL 0)
            set(text "")
        endif()
    endif()
    set(${var} "${text}" PARENT_SCOPE)
endfunction()

function(airlift_first_line var file)
    file(STRINGS "${file}" lines LIMIT_COUNT 1)
    string(STRIP "${lines}" line)
    set(${var} "${line}" PARENT_SCOPE)
endfunction()

# IDF_VER: at most 31 characters.
function(airlift_idf_ver var idf_path)
    if(EXISTS "${idf_path}/version.txt")
        airlift_first_line(version "${idf_path}/version.txt")
    else()
        airlift_git_describe(version "${idf_path}" --tags "--match=v*.*" --dirty)
    endif()
    if(NOT version)
        set(version "v${AIRLIFT_IDF_VERSION}")
    endif()
    string(SUBSTRING "${version}" 0 31 version)
    set(${var} "${version}" PARENT_SCOPE)
endfunction()

# The project's version: GIVEN is PROJECT_VER as set before project(), ARGUMENT that of
# project(... VERSION). The configuration may still overrule it.
function(airlift_project_ver var project_dir given argument)
    set(version "${given}")
    set(watched "${project_dir}/version.txt")
    if(NOT EXISTS "${watched}")
        # The folder's time changes when it appears.
        set(watched "${project_dir}")
    elseif(NOT version)
        airlift_first_line(version "${watched}")
    endif()
    set_property(DIRECTORY "${CMAKE_SOURCE_DIR}" APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
                 "${watched}")
    if(NOT version)
        set(version "${argument}")
    endif()
    if(NOT version)
        airlift_git_describe(version "${project_dir}" --always --tags --dirty)
    endif()
    if(NOT version)
        message(STATUS "git describe says nothing about ${project_dir}; project version is 1")
        set(version 1)
    endif()
    set(${var} "${version}" PARENT_SCOPE)
endfunction()
