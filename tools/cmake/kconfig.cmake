# SPDX-License-Identifier: Apache-2.0
#
# Runs Kconfig over the components of the build: sdkconfig, sdkconfig.h, .cmake and .json.
include_guard(GLOBAL)

# Kconfig file of a component, whatever the case of its name.
function(airlift_find_kconfig var dir name)
    set(found "")
    file(GLOB files LIST_DIRECTORIES false "${dir}/[Kk][Cc][Oo][Nn][Ff][Ii][Gg]*")
    foreach(file IN LISTS files)
        get_filename_component(base "${file}" NAME)
        string(TOLOWER "${base}" lower)
        string(TOLOWER "${name}" wanted)
        if(lower STREQUAL wanted)
            if(NOT base STREQUAL name)
                message(WARNING "${file} should be called ${name}.")
            endif()
            set(found "${file}")
        endif()
    endforeach()
    set(${var} "${found}" PARENT_SCOPE)
endfunction()

# The list of defaults files: each of the project's, followed by its variant for the target.
function(airlift_defaults_files var)
    idf_build_get_property(files SDKCONFIG_DEFAULTS)
    idf_build_get_property(target IDF_TARGET)
    idf_build_get_property(project_dir PROJECT_DIR)
    set(list "")
    foreach(file IN LISTS files)
        get_filename_component(file "${file}" ABSOLUTE BASE_DIR "${project_dir}")
        if(NOT EXISTS "${file}")
            message(FATAL_ERROR "SDKCONFIG_DEFAULTS '${file}' does not exist.")
        endif()
        list(APPEND list "${file}")
        if(EXISTS "${file}.${target}")
            list(APPEND list "${file}.${target}")
        endif()
    endforeach()
    set(${var} "${list}" PARENT_SCOPE)
endfunction()

function(airlift_write_if_different file text)
    if(EXISTS "${file}")
        file(READ "${file}" old)
        if(old STREQUAL text)
            return()
        endif()
    endif()
    file(WRITE "${file}" "${text}")
endfunction()

# Hash of the command and of everything it reads.
function(airlift_kconfig_stamp var command)
    foreach(file IN LISTS ARGN)
        set(hash "")
        if(EXISTS "${file}")
            file(SHA256 "${file}" hash)
        endif()
        string(APPEND command "\n${hash} ${file}")
    endforeach()
    string(SHA256 stamp "${command}")
    set(${var} "${stamp}" PARENT_SCOPE)
endfunction()

function(airlift_run_kconfig)
    idf_build_get_property(idf_path IDF_PATH)
    idf_build_get_property(build_dir BUILD_DIR)
    idf_build_get_property(python PYTHON)
    idf_build_get_property(target IDF_TARGET)
    idf_build_get_property(sdkconfig SDKCONFIG)
    idf_build_get_property(components BUILD_COMPONENTS)
    idf_build_get_property(minimal MINIMAL_BUILD)
    set(config_dir "${build_dir}/config")
    file(MAKE_DIRECTORY "${config_dir}")

    set(kconfigs "")
    set(projbuilds "")
    set(renames "")
    foreach(name IN LISTS components)
        idf_component_get_property(dir ${name} COMPONENT_DIR)
        foreach(kind KCONFIG:Kconfig:kconfigs KCONFIG_PROJBUILD:Kconfig.projbuild:projbuilds)
            string(REPLACE ":" ";" kind "${kind}")
            list(GET kind 0 property)
            list(GET kind 1 default)
            list(GET kind 2 list)
            idf_component_get_property(file ${name} ${property})
            if(file)
                get_filename_component(file "${file}" ABSOLUTE BASE_DIR "${dir}")
            else()
                airlift_find_kconfig(file "${dir}" ${default})
            endif()
            if(file)
                list(APPEND ${list} "${file}")
            endif()
        endforeach()
        foreach(file "${dir}/sdkconfig.rename" "${dir}/sdkconfig.rename.${target}")
            if(EXISTS "${file}")
                list(APPEND renames "${file}")
            endif()
        endforeach()
    endforeach()
    idf_build_set_property(COMPONENT_KCONFIGS "${kconfigs}")
    idf_build_set_property(COMPONENT_KCONFIGS_PROJBUILD "${projbuilds}")

    foreach(pair kconfigs:kconfigs.in projbuilds:kconfigs_projbuild.in)
        string(REPLACE ":" ";" pair "${pair}")
        list(GET pair 0 list)
        list(GET pair 1 file)
        set(text "")
        foreach(kconfig IN LISTS ${list})
            string(APPEND text "source \"${kconfig}\"\n")
        endforeach()
        airlift_write_if_different("${build_dir}/${file}" "${text}")
    endforeach()

    set(env "{}")
    foreach(pair "COMPONENT_KCONFIGS=${kconfigs}" "COMPONENT_KCONFIGS_PROJBUILD=${projbuilds}"
                 "COMPONENT_SDKCONFIG_RENAMES=${renames}" "IDF_TARGET=${target}"
                 "IDF_TOOLCHAIN=gcc" "IDF_VERSION=${AIRLIFT_IDF_VERSION}" "IDF_ENV_FPGA="
                 "IDF_PATH=${idf_path}"
                 "COMPONENT_KCONFIGS_SOURCE_FILE=${build_dir}/kconfigs.in"
                 "COMPONENT_KCONFIGS_PROJBUILD_SOURCE_FILE=${build_dir}/kconfigs_projbuild.in"
                 "KCONFIG_PROMPTLESS_NO_WARN=IDF_TARGET")
        string(REPLACE ";" "|" pair "${pair}")
        string(REGEX MATCH "^([A-Z_]+)=(.*)$" pair "${pair}")
        set(key "${CMAKE_MATCH_1}")
        string(REPLACE "|" ";" value "${CMAKE_MATCH_2}")
        string(REPLACE "\\" "\\\\" value "${value}")
        string(REPLACE "\"" "\\\"" value "${value}")
        string(JSON env SET "${env}" "${key}" "\"${value}\"")
    endforeach()
    airlift_write_if_different("${build_dir}/config.env" "${env}\n")

    airlift_defaults_files(defaults)
    set(default_args "")
    foreach(file IN LISTS defaults)
        list(APPEND default_args --defaults "${file}")
    endforeach()
    set(minimal_arg "IDF_MINIMAL_BUILD=n")
    if(minimal)
        set(minimal_arg "IDF_MINIMAL_BUILD=y")
    endif()
    set(rename_args "")
    if(EXISTS "${idf_path}/sdkconfig.rename")
        list(APPEND rename_args --sdkconfig-rename "${idf_path}/sdkconfig.rename")
    endif()

    set(base ${python} -m kconfgen --list-separator=semicolon --kconfig "${idf_path}/Kconfig"
        ${rename_args} --config "${sdkconfig}" ${default_args} --env ${minimal_arg}
        --env-file "${build_dir}/config.env")
    set(outputs
        --output header "${config_dir}/sdkconfig.h"
        --output cmake "${config_dir}/sdkconfig.cmake"
        --output json "${config_dir}/sdkconfig.json"
        --output json_menus "${config_dir}/kconfig_menus.json"
        --output config "${sdkconfig}")

    # Kconfig takes its time, and mostly nothing has changed since the last configuration.
    set(inputs "${idf_path}/Kconfig" ${kconfigs} ${projbuilds} ${renames} ${defaults})
    foreach(file IN LISTS kconfigs projbuilds)
        get_filename_component(dir "${file}" DIRECTORY)
        file(GLOB more LIST_DIRECTORIES false "${dir}/Kconfig*")
        list(APPEND inputs ${more})
    endforeach()
    file(GLOB more "${idf_path}/examples/common_components/env_caps/${target}/Kconfig*")
    list(APPEND inputs ${more} "${sdkconfig}")
    list(REMOVE_DUPLICATES inputs)
    set(command "${base};${outputs};$ENV{KCONFIG_DEFAULTS_POLICY}")
    airlift_kconfig_stamp(stamp "${command}" "${build_dir}/config.env" ${inputs})
    set(old "")
    if(EXISTS "${config_dir}/sdkconfig.cmake" AND EXISTS "${config_dir}/sdkconfig.h"
       AND EXISTS "${config_dir}/stamp")
        file(READ "${config_dir}/stamp" old)
    endif()
    if(NOT old STREQUAL stamp)
        file(REMOVE "${config_dir}/stamp")
        # It leaves a file in the temporary folder each time.
        set(temporary "${build_dir}/CMakeFiles/kconfgen")
        file(MAKE_DIRECTORY "${temporary}")
        execute_process(COMMAND ${CMAKE_COMMAND} -E env "TMPDIR=${temporary}" ${base} ${outputs}
                        RESULT_VARIABLE result OUTPUT_VARIABLE said ERROR_VARIABLE said)
        file(REMOVE_RECURSE "${temporary}")
        # What it says every time tells nothing.
        string(REGEX REPLACE "NOTE: (Kconfig parser version: [0-9]+|Kconfig defaults policy: use sdkconfig|\
Status: Finished successfully)\n|Loading defaults file [^\n]*\n" "" said "${said}")
        if(NOT said STREQUAL "")
            message(NOTICE "${said}")
        endif()
        if(NOT result EQUAL 0)
            message(FATAL_ERROR "Kconfig failed; see above.")
        endif()
        # sdkconfig is an output too, so the stamp is taken of what it is now.
        airlift_kconfig_stamp(stamp "${command}" "${build_dir}/config.env" ${inputs})
        file(WRITE "${config_dir}/stamp" "${stamp}")
    endif()
    set_property(DIRECTORY "${CMAKE_SOURCE_DIR}" APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${inputs})

    idf_build_set_property(CONFIG_DIR "${config_dir}")
    idf_build_set_property(SDKCONFIG_HEADER "${config_dir}/sdkconfig.h")
    idf_build_set_property(SDKCONFIG_CMAKE "${config_dir}/sdkconfig.cmake")
    idf_build_set_property(SDKCONFIG_JSON "${config_dir}/sdkconfig.json")
    idf_build_set_property(SDKCONFIG_JSON_MENUS "${config_dir}/kconfig_menus.json")
    idf_build_set_property(KCONFIG_COMMAND "${base};${outputs}")
endfunction()

# menuconfig, save-defconfig: they work on the project's sdkconfig; the next build picks it up.
function(airlift_add_kconfig_targets)
    idf_build_get_property(command KCONFIG_COMMAND)
    idf_build_get_property(python PYTHON)
    idf_build_get_property(idf_path IDF_PATH)
    idf_build_get_property(project_dir PROJECT_DIR)
    add_custom_target(menuconfig COMMAND ${command} --menuconfig USES_TERMINAL VERBATIM)
    add_custom_target(save-defconfig
        COMMAND ${command} --dont-write-deprecated
                --output savedefconfig "${project_dir}/sdkconfig.defaults"
        USES_TERMINAL VERBATIM)
endfunction()
