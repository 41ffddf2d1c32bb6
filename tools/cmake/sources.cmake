# SPDX-License-Identifier: Apache-2.0
#
# Where `make setup` put third-party sources and the Python environment.
include_guard(GLOBAL)

# Versions stand in tools/setup/sources.lock; folder names are NAME-VERSION.
function(airlift_cache_dir var)
    if(DEFINED ENV{AIRLIFT_CACHE} AND NOT "$ENV{AIRLIFT_CACHE}" STREQUAL "")
        set(dir "$ENV{AIRLIFT_CACHE}")
    else()
        set(dir "$ENV{HOME}/.cache/airlift")
    endif()
    set(${var} "${dir}" PARENT_SCOPE)
endfunction()

# Folder of the unpacked source of NAME (mbedtls, http-parser, lwip). AIRLIFT_MBEDTLS_DIR and the
# like, in the environment or as a CMake variable, name a tree of the user's instead.
function(airlift_source_dir var name)
    string(TOUPPER "AIRLIFT_${name}_DIR" override)
    string(REPLACE "-" "_" override "${override}")
    if(DEFINED ${override})
        set(dir "${${override}}")
    elseif(DEFINED ENV{${override}})
        set(dir "$ENV{${override}}")
    else()
        get_filename_component(root "${CMAKE_CURRENT_FUNCTION_LIST_DIR}/../.." REALPATH)
        file(STRINGS "${root}/tools/setup/sources.lock" lines REGEX "^${name} ")
        if(NOT lines MATCHES "^${name} +([^ ]+) ")
            message(FATAL_ERROR "tools/setup/sources.lock names no source '${name}'")
        endif()
        airlift_cache_dir(cache)
        set(dir "${cache}/src/${name}-${CMAKE_MATCH_1}")
    endif()
    if(NOT IS_DIRECTORY "${dir}")
        message(FATAL_ERROR "The sources of ${name} are not at ${dir}. Run `make setup` in the "
                            "Airlift folder, or name an unpacked tree with ${override}.")
    endif()
    set(${var} "${dir}" PARENT_SCOPE)
endfunction()

# The Python that has the pinned packages (Kconfig, manifests).
function(airlift_python var)
    if(PYTHON)
        set(python "${PYTHON}")
    elseif(DEFINED ENV{AIRLIFT_PYTHON})
        set(python "$ENV{AIRLIFT_PYTHON}")
    else()
        airlift_cache_dir(cache)
        set(python "${cache}/venv/bin/python")
    endif()
    if(IS_ABSOLUTE "${python}" AND NOT EXISTS "${python}")
        message(FATAL_ERROR "No Python environment at ${python}. Run `make setup` in the Airlift "
                            "folder, or name an interpreter that has esp-idf-kconfig with PYTHON.")
    endif()
    set(${var} "${python}" PARENT_SCOPE)
endfunction()
