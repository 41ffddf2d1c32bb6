# SPDX-License-Identifier: Apache-2.0
#
# Files embedded into a program.
include_guard(GLOBAL)

set(AIRLIFT_EMBED_MISSING_SCRIPT "${CMAKE_CURRENT_LIST_DIR}/embed_missing.cmake")

# Adds FILE to TARGET's read-only data. TEXT appends a zero byte, BINARY adds nothing. The symbols
# are _binary_NAME_start, _binary_NAME_end, NAME and NAME_length (32 bits, without the zero byte),
# NAME being the file's base name, or RENAME_TO, with everything but letters and digits made '_'.
function(target_add_binary_data target file type)
    cmake_parse_arguments(PARSE_ARGV 3 arg "" "RENAME_TO;ALIGN" "DEPENDS")
    if(NOT type MATCHES "^(TEXT|BINARY)$")
        message(FATAL_ERROR "target_add_binary_data: '${type}' is neither TEXT nor BINARY")
    endif()
    idf_build_get_property(build_dir BUILD_DIR)
    idf_build_get_property(section EMBED_SECTION)
    get_filename_component(file "${file}" ABSOLUTE)
    get_filename_component(base "${file}" NAME)
    set(symbol "${base}")
    if(arg_RENAME_TO)
        set(symbol "${arg_RENAME_TO}")
    endif()
    string(REGEX REPLACE "[^A-Za-z0-9_]" "_" short "${symbol}")
    set(full "_binary_${short}")
    if(short MATCHES "^[0-9]")
        set(short "_${short}")
    endif()

    set(assembly "${build_dir}/${base}.S")
    get_property(embedded GLOBAL PROPERTY AIRLIFT_EMBEDDED_FILES)
    if(assembly IN_LIST embedded)
        message(FATAL_ERROR "Two embedded files are called '${base}'; rename one of them.")
    endif()
    set_property(GLOBAL APPEND PROPERTY AIRLIFT_EMBEDDED_FILES "${assembly}")

    get_source_file_property(generated "${file}" GENERATED)
    if(NOT EXISTS "${file}" AND NOT arg_DEPENDS AND NOT generated)
        # Known only at build time, so that a project without it can still be configured. The
        # nearest folder changes when the file appears; then CMake runs again.
        get_filename_component(folder "${file}" DIRECTORY)
        while(NOT IS_DIRECTORY "${folder}")
            get_filename_component(folder "${folder}" DIRECTORY)
        endwhile()
        set_property(DIRECTORY "${CMAKE_SOURCE_DIR}" APPEND PROPERTY
                     CMAKE_CONFIGURE_DEPENDS "${folder}")
        file(REMOVE "${assembly}")
        add_custom_command(OUTPUT "${assembly}"
            COMMAND ${CMAKE_COMMAND} "-DFILE=${file}" -P "${AIRLIFT_EMBED_MISSING_SCRIPT}"
            COMMAND ${CMAKE_COMMAND} -E false
            COMMENT "Embedding ${base}" VERBATIM)
        target_sources(${target} PRIVATE "${assembly}")
        return()
    endif()

    set(align "")
    if(arg_ALIGN)
        set(align "    .balign ${arg_ALIGN}\n")
    endif()
    set(terminator "")
    if(type STREQUAL "TEXT")
        set(terminator "    .byte 0\n")
    endif()
    string(CONCAT text
        "/* Generated from ${file} */\n"
        "    .section ${section}\n"
        "${align}"
        "    .global ${short}\n    .global ${full}_start\n"
        "    .global ${full}_end\n    .global ${short}_length\n"
        "${short}:\n${full}_start:\n"
        "    .incbin \"${file}\"\n"
        ".Lairlift_data_end:\n"
        "${terminator}"
        "${full}_end:\n"
        "${short}_length:\n    .long .Lairlift_data_end - ${short}\n"
        "    .section .note.GNU-stack,\"\",%progbits\n")
    file(CONFIGURE OUTPUT "${assembly}" CONTENT "${text}" @ONLY)
    set_source_files_properties("${assembly}" PROPERTIES OBJECT_DEPENDS "${file};${arg_DEPENDS}"
                                                         LANGUAGE ASM)
    target_sources(${target} PRIVATE "${assembly}")
endfunction()
