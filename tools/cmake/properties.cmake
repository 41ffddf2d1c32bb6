# SPDX-License-Identifier: Apache-2.0
#
# Build and component properties: the store behind idf_build_*_property() and
# idf_component_*_property(). Works in script mode too, where requirements are collected.
include_guard(GLOBAL)

# Value of a property of the whole build. With GENERATOR_EXPRESSION the value is taken when build
# files are generated, so that settings made after this call are seen.
function(idf_build_get_property var property)
    cmake_parse_arguments(PARSE_ARGV 2 arg "GENERATOR_EXPRESSION" "" "")
    if(arg_GENERATOR_EXPRESSION AND NOT CMAKE_SCRIPT_MODE_FILE)
        set(value "$<TARGET_PROPERTY:airlift_build_properties,${property}>")
    else()
        get_property(value GLOBAL PROPERTY "AIRLIFT_BUILD_${property}")
    endif()
    set(${var} "${value}" PARENT_SCOPE)
endfunction()

function(idf_build_set_property property value)
    cmake_parse_arguments(PARSE_ARGV 2 arg "APPEND" "" "")
    if(property STREQUAL "COMPILE_DEFINITIONS")
        # "-DNAME" and "NAME" mean the same.
        list(TRANSFORM value REPLACE "^-D" "")
    endif()
    set(mode "")
    if(arg_APPEND)
        set(mode APPEND)
    endif()
    set_property(GLOBAL ${mode} PROPERTY "AIRLIFT_BUILD_${property}" "${value}")
    set_property(GLOBAL APPEND PROPERTY AIRLIFT_BUILD_PROPERTY_NAMES "${property}")
    if(TARGET airlift_build_properties)
        set_property(TARGET airlift_build_properties ${mode} PROPERTY "${property}" "${value}")
    endif()
endfunction()

# Sets a property unless somebody (the project, before project()) did.
function(airlift_build_default_property property value)
    get_property(is_set GLOBAL PROPERTY "AIRLIFT_BUILD_${property}" SET)
    if(NOT is_set)
        idf_build_set_property("${property}" "${value}")
    endif()
endfunction()

# Every name ever set, once each.
function(airlift_build_property_names var)
    get_property(names GLOBAL PROPERTY AIRLIFT_BUILD_PROPERTY_NAMES)
    list(REMOVE_DUPLICATES names)
    set(${var} "${names}" PARENT_SCOPE)
endfunction()

# A component may be named by folder name, by target (__idf_x) or by alias (idf::x).
function(airlift_component_name var name)
    string(REGEX REPLACE "^(idf::|__idf_)" "" name "${name}")
    set(${var} "${name}" PARENT_SCOPE)
endfunction()

function(idf_component_get_property var component property)
    airlift_component_name(name "${component}")
    cmake_parse_arguments(PARSE_ARGV 3 arg "GENERATOR_EXPRESSION" "" "")
    get_property(value GLOBAL PROPERTY "AIRLIFT_COMPONENT_${name}_${property}")
    set(${var} "${value}" PARENT_SCOPE)
endfunction()

function(idf_component_set_property component property value)
    airlift_component_name(name "${component}")
    cmake_parse_arguments(PARSE_ARGV 3 arg "APPEND" "" "")
    set(mode "")
    if(arg_APPEND)
        set(mode APPEND)
    endif()
    set_property(GLOBAL ${mode} PROPERTY "AIRLIFT_COMPONENT_${name}_${property}" "${value}")
endfunction()

# Configuration value; only meaningful once Kconfig has run.
function(idf_build_get_config var config)
    get_property(value GLOBAL PROPERTY "AIRLIFT_${config}")
    set(${var} "${value}" PARENT_SCOPE)
endfunction()
