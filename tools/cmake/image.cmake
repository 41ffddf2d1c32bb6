# SPDX-License-Identifier: Apache-2.0
#
# From executables to what is flashed, and the files that tell flashing tools about it.
include_guard(GLOBAL)

# airlift_elf_to_image(ELF BIN [DEPENDS target...]): makes an image of an ELF file.
function(airlift_elf_to_image elf bin)
    cmake_parse_arguments(PARSE_ARGV 2 arg "" "" "DEPENDS")
    idf_build_get_property(target IDF_TARGET)
    set(commands "")
    set(stripped_args "")
    if(BOARD_IMAGE_CARRIES_ELF)
        string(REGEX REPLACE "[.]bin$" "-stripped.elf" stripped "${bin}")
        list(APPEND commands COMMAND ${CMAKE_STRIP} --strip-all -o "${stripped}" "${elf}")
        set(stripped_args --stripped "${stripped}")
    endif()
    add_custom_command(OUTPUT "${bin}"
        ${commands}
        COMMAND ${AIRLIFT_TOOL} image build --chip ${target}
                --flash-mode ${CONFIG_ESPTOOLPY_FLASHMODE} --flash-freq ${CONFIG_ESPTOOLPY_FLASHFREQ}
                --flash-size ${CONFIG_ESPTOOLPY_FLASHSIZE} ${stripped_args}
                --output "${bin}" "${elf}"
        DEPENDS "${elf}" "${AIRLIFT_TOOL}" "${SDKCONFIG_CMAKE}" ${AIRLIFT_TOOL_TARGET} ${arg_DEPENDS}
        COMMENT "Image ${bin}" VERBATIM)
endfunction()

# An image that `flash` writes. NAME: bootloader, partition-table, otadata, app, or one of the
# project's own.
function(airlift_add_flash_image name offset file)
    cmake_parse_arguments(PARSE_ARGV 3 arg "NOT_IN_PROJECT" "" "")
    math(EXPR offset "${offset}" OUTPUT_FORMAT HEXADECIMAL)
    if(NOT arg_NOT_IN_PROJECT)
        set_property(GLOBAL APPEND PROPERTY AIRLIFT_FLASH_IMAGES "${name}|${offset}|${file}")
    endif()
    set_property(GLOBAL APPEND PROPERTY AIRLIFT_ALL_FLASH_IMAGES "${name}|${offset}|${file}")
endfunction()

# ESP-IDF's names for the same, for project files. TARGET ends in "-flash"; "flash" means with
# every flashing of the project.
function(esptool_py_flash_target_image target name offset file)
    get_filename_component(file "${file}" ABSOLUTE BASE_DIR "${CMAKE_CURRENT_BINARY_DIR}")
    if(target STREQUAL "flash")
        airlift_add_flash_image(${name} ${offset} "${file}")
    else()
        airlift_add_flash_image(${name} ${offset} "${file}" NOT_IN_PROJECT)
    endif()
endfunction()

function(esptool_py_flash_to_partition target partition file)
    partition_table_get_partition_info(offset "--partition-name ${partition}" offset)
    if(NOT offset)
        message(FATAL_ERROR "The partition table has no partition '${partition}'.")
    endif()
    esptool_py_flash_target_image(${target} ${partition} ${offset} "${file}")
endfunction()

function(airlift_json_text var text)
    string(REPLACE "\\" "\\\\" text "${text}")
    string(REPLACE "\"" "\\\"" text "${text}")
    string(REPLACE "\n" "\\n" text "${text}")
    set(${var} "\"${text}\"" PARENT_SCOPE)
endfunction()

# A CMake list as a JSON array of strings.
function(airlift_json_array var)
    set(items "")
    foreach(item IN LISTS ARGN)
        airlift_json_text(item "${item}")
        list(APPEND items "${item}")
    endforeach()
    list(JOIN items ", " items)
    set(${var} "[${items}]" PARENT_SCOPE)
endfunction()

function(airlift_write_flash_files)
    idf_build_get_property(build_dir BUILD_DIR)
    idf_build_get_property(target IDF_TARGET)
    get_property(images GLOBAL PROPERTY AIRLIFT_FLASH_IMAGES)
    get_property(all_images GLOBAL PROPERTY AIRLIFT_ALL_FLASH_IMAGES)
    set(size "${CONFIG_ESPTOOLPY_FLASHSIZE}")
    set(command_line_size "${size}")
    if(CONFIG_ESPTOOLPY_HEADER_FLASHSIZE_UPDATE)
        set(command_line_size detect)
    endif()
    set(head "--flash-mode ${CONFIG_ESPTOOLPY_FLASHMODE} --flash-freq ${CONFIG_ESPTOOLPY_FLASHFREQ} \
--flash-size ${command_line_size}\n")

    set(project "${head}")
    set(files "")
    set(parts "")
    foreach(image IN LISTS all_images)
        string(REPLACE "|" ";" image "${image}")
        list(GET image 0 name)
        list(GET image 1 offset)
        list(GET image 2 file)
        file(RELATIVE_PATH relative "${build_dir}" "${file}")
        set(line "${offset} ${relative}\n")
        airlift_write_if_different("${build_dir}/${name}-flash_args" "${head}${line}")
        if(name STREQUAL "app" OR name STREQUAL "bootloader")
            airlift_write_if_different("${build_dir}/flash_${name}_args" "${head}${line}")
        endif()
        if("${name}|${offset}|${file}" IN_LIST images)
            string(APPEND project "${line}")
            list(APPEND files "        \"${offset}\": \"${relative}\"")
            list(APPEND parts "    \"${name}\": {\"offset\": \"${offset}\", \"file\": \"${relative}\", \
\"encrypted\": \"false\"}")
        endif()
    endforeach()
    airlift_write_if_different("${build_dir}/flash_args" "${project}")
    airlift_write_if_different("${build_dir}/flash_project_args" "${project}")

    list(JOIN files ",\n" files)
    list(JOIN parts ",\n" parts)
    set(stub true)
    if(CONFIG_ESPTOOLPY_NO_STUB)
        set(stub false)
    endif()
    airlift_write_if_different("${build_dir}/flasher_args.json" "{
    \"write_flash_args\": [\"--flash-mode\", \"${CONFIG_ESPTOOLPY_FLASHMODE}\", \"--flash-size\", \
\"${command_line_size}\", \"--flash-freq\", \"${CONFIG_ESPTOOLPY_FLASHFREQ}\"],
    \"flash_settings\": {
        \"flash_mode\": \"${CONFIG_ESPTOOLPY_FLASHMODE}\",
        \"flash_size\": \"${size}\",
        \"flash_freq\": \"${CONFIG_ESPTOOLPY_FLASHFREQ}\"
    },
    \"flash_files\": {
${files}
    },
${parts},
    \"extra_esptool_args\": {
        \"after\": \"${CONFIG_ESPTOOLPY_AFTER}\",
        \"before\": \"${CONFIG_ESPTOOLPY_BEFORE}\",
        \"stub\": ${stub},
        \"chip\": \"${target}\"
    }
}
")
endfunction()

function(airlift_write_project_description)
    idf_build_get_property(build_dir BUILD_DIR)
    idf_build_get_property(components BUILD_COMPONENTS)
    idf_build_get_property(common COMMON_COMPONENTS)
    set(infos "")
    set(paths "")
    foreach(name IN LISTS components)
        foreach(property COMPONENT_ALIAS COMPONENT_LIB COMPONENT_DIR COMPONENT_TYPE GIVEN_REQUIRES
                         GIVEN_PRIV_REQUIRES MANAGED_REQUIRES MANAGED_PRIV_REQUIRES SRCS INCLUDE_DIRS)
            idf_component_get_property(${property} ${name} ${property})
        endforeach()
        list(APPEND paths "${COMPONENT_DIR}")
        set(file "")
        if(COMPONENT_TYPE STREQUAL "LIBRARY")
            set(file "${build_dir}/esp-idf/${name}/lib${name}.a")
        endif()
        foreach(list GIVEN_REQUIRES GIVEN_PRIV_REQUIRES MANAGED_REQUIRES MANAGED_PRIV_REQUIRES SRCS
                     INCLUDE_DIRS)
            airlift_json_array(${list} ${${list}})
        endforeach()
        airlift_json_text(COMPONENT_DIR "${COMPONENT_DIR}")
        airlift_json_text(file "${file}")
        list(APPEND infos "        \"${name}\": {\"alias\": \"${COMPONENT_ALIAS}\", \
\"target\": \"___${COMPONENT_LIB}\", \"prefix\": \"idf\", \"dir\": ${COMPONENT_DIR}, \
\"type\": \"${COMPONENT_TYPE}\", \"lib\": \"${COMPONENT_LIB}\", \"reqs\": ${GIVEN_REQUIRES}, \
\"priv_reqs\": ${GIVEN_PRIV_REQUIRES}, \"managed_reqs\": ${MANAGED_REQUIRES}, \
\"managed_priv_reqs\": ${MANAGED_PRIV_REQUIRES}, \"file\": ${file}, \"sources\": ${SRCS}, \
\"include_dirs\": ${INCLUDE_DIRS}}")
    endforeach()
    list(JOIN infos ",\n" infos)
    airlift_json_array(component_names ${components})
    airlift_json_array(component_paths ${paths})
    airlift_json_array(common_reqs ${common})
    idf_build_get_property(idf_path IDF_PATH)
    idf_build_get_property(sdkconfig SDKCONFIG)
    idf_build_get_property(defaults SDKCONFIG_DEFAULTS)
    idf_build_get_property(project_dir PROJECT_DIR)
    idf_build_get_property(project_name PROJECT_NAME)
    idf_build_get_property(project_ver PROJECT_VER)
    idf_build_get_property(target IDF_TARGET)
    idf_build_get_property(version IDF_VER)
    idf_build_get_property(kconfigs COMPONENT_KCONFIGS)
    idf_build_get_property(projbuilds COMPONENT_KCONFIGS_PROJBUILD)
    foreach(text idf_path sdkconfig defaults project_dir build_dir project_name project_ver version
                 kconfigs projbuilds CMAKE_C_COMPILER BOARD_TOOL_PREFIX)
        airlift_json_text(j_${text} "${${text}}")
    endforeach()
    airlift_write_if_different("${build_dir}/project_description.json" "{
    \"version\": \"1.3\",
    \"project_name\": ${j_project_name},
    \"project_version\": ${j_project_ver},
    \"project_path\": ${j_project_dir},
    \"idf_path\": ${j_idf_path},
    \"build_dir\": ${j_build_dir},
    \"config_file\": ${j_sdkconfig},
    \"config_defaults\": ${j_defaults},
    \"bootloader_elf\": \"${build_dir}/bootloader/bootloader.elf\",
    \"app_elf\": \"${project_name}.elf\",
    \"app_bin\": \"${project_name}.bin\",
    \"build_type\": \"flash_app\",
    \"git_revision\": ${j_version},
    \"target\": \"${target}\",
    \"rev\": \"0\",
    \"min_rev\": \"0\",
    \"max_rev\": \"${CONFIG_ESP_EFUSE_BLOCK_REV_MAX_FULL}\",
    \"phy_data_partition\": \"\",
    \"monitor_baud\": \"${CONFIG_ESPTOOLPY_MONITOR_BAUD}\",
    \"monitor_toolprefix\": ${j_BOARD_TOOL_PREFIX},
    \"c_compiler\": ${j_CMAKE_C_COMPILER},
    \"config_environment\": {
        \"COMPONENT_KCONFIGS\": ${j_kconfigs},
        \"COMPONENT_KCONFIGS_PROJBUILD\": ${j_projbuilds}
    },
    \"common_component_reqs\": ${common_reqs},
    \"build_components\": ${component_names},
    \"build_component_paths\": ${component_paths},
    \"build_component_info\": {
${infos}
    },
    \"all_component_info\": {},
    \"gdbinit_files\": {},
    \"debug_arguments_openocd\": \"\",
    \"hints_file\": \"\"
}
")
endfunction()

# The board's ROM stage, if it has one: a build of its own, BUILD/rom/rom.elf, for the runner.
function(airlift_add_rom)
    if(NOT BOARD_ROM_PROJECT)
        return()
    endif()
    include(ExternalProject)
    idf_build_get_property(build_dir BUILD_DIR)
    ExternalProject_Add(rom
        SOURCE_DIR "${BOARD_ROM_PROJECT}"
        BINARY_DIR "${build_dir}/rom"
        PREFIX "${build_dir}/rom-prefix"
        CMAKE_ARGS "-DCMAKE_TOOLCHAIN_FILE=${BOARD_TOOLCHAIN_FILE}"
                   "-DCMAKE_C_COMPILER_LAUNCHER=${CMAKE_C_COMPILER_LAUNCHER}"
        INSTALL_COMMAND ""
        BUILD_ALWAYS ON
        LOG_CONFIGURE ON
        LOG_BUILD ON
        LOG_OUTPUT_ON_FAILURE ON
        BUILD_BYPRODUCTS "${build_dir}/rom/rom.elf")
endfunction()

# Image and flash targets of the executable ELF. What a project's CMakeLists.txt adds after
# project() is still seen: the files are written at its end.
function(airlift_add_images elf)
    idf_build_get_property(build_dir BUILD_DIR)
    idf_build_get_property(name EXECUTABLE_NAME)
    set(bin "${build_dir}/${name}.bin")
    idf_build_set_property(PROJECT_BIN "${name}.bin")

    airlift_elf_to_image("${build_dir}/${name}.elf" "${bin}" DEPENDS ${elf})
    add_custom_target(gen_project_binary DEPENDS "${bin}")
    add_custom_target(app ALL DEPENDS "${bin}")
    airlift_add_rom()
    set(all gen_project_binary bootloader partition-table)
    if(TARGET rom)
        list(APPEND all rom)
    endif()
    if(TARGET blank_ota_data)
        list(APPEND all blank_ota_data)
    endif()

    # Does the image fit? An application larger than every app partition ends the build.
    add_custom_command(OUTPUT "${build_dir}/${name}.bin.checked"
        COMMAND ${AIRLIFT_TOOL} check-sizes --offset ${CONFIG_PARTITION_TABLE_OFFSET}
                partition --type app "${AIRLIFT_PARTITION_BIN}" "${bin}"
        COMMAND ${CMAKE_COMMAND} -E touch "${build_dir}/${name}.bin.checked"
        DEPENDS "${bin}" "${AIRLIFT_PARTITION_BIN}"
        COMMENT "Application fits into its partitions?" VERBATIM)
    add_custom_target(app_check_size ALL DEPENDS "${build_dir}/${name}.bin.checked")
    add_dependencies(app_check_size partition-table)

    partition_table_get_partition_info(offset "--partition-boot-default" offset)
    if(NOT offset)
        set(offset 0x10000)
    endif()
    airlift_add_flash_image(app ${offset} "${bin}")

    # Flashing and running are the host program's work; these are for `ninja flash` and the like.
    set(tool ${AIRLIFT_TOOL})
    add_custom_target(flash COMMAND ${tool} flash -B "${build_dir}" USES_TERMINAL VERBATIM)
    add_dependencies(flash app ${all})
    get_property(images GLOBAL PROPERTY AIRLIFT_ALL_FLASH_IMAGES)
    foreach(image IN LISTS images)
        string(REPLACE "|" ";" image "${image}")
        list(GET image 0 part)
        list(GET image 1 offset)
        list(GET image 2 file)
        add_custom_target(${part}-flash COMMAND ${tool} flash -B "${build_dir}" ${offset} "${file}"
                          USES_TERMINAL VERBATIM)
        if(TARGET nvs_${part}_bin)
            add_dependencies(${part}-flash nvs_${part}_bin)
            add_dependencies(flash nvs_${part}_bin)
        endif()
        if(TARGET ${part})
            add_dependencies(${part}-flash ${part})
        elseif(part STREQUAL "otadata")
            add_dependencies(${part}-flash blank_ota_data)
        endif()
    endforeach()
    add_custom_target(erase-flash COMMAND ${tool} erase-flash -B "${build_dir}"
                      USES_TERMINAL VERBATIM)
    if(TARGET blank_ota_data)
        foreach(spelling erase-otadata erase_otadata)
            add_custom_target(${spelling} COMMAND ${tool} erase-otadata -B "${build_dir}"
                              USES_TERMINAL VERBATIM)
        endforeach()
    endif()
    add_custom_target(monitor COMMAND ${tool} monitor -B "${build_dir}" USES_TERMINAL VERBATIM)
    add_custom_target(run COMMAND ${tool} run -B "${build_dir}" USES_TERMINAL VERBATIM)

    find_program(AIRLIFT_SIZE NAMES ${BOARD_TOOL_PREFIX}size)
    mark_as_advanced(AIRLIFT_SIZE)
    if(AIRLIFT_SIZE)
        add_custom_target(size COMMAND ${AIRLIFT_SIZE} -A -d "${build_dir}/${name}.elf"
                          USES_TERMINAL VERBATIM)
        add_dependencies(size app)
        set(archives $<TARGET_FILE:formats> $<TARGET_FILE:board>)
        idf_build_get_property(components BUILD_COMPONENTS)
        foreach(component IN LISTS components)
            idf_component_get_property(type ${component} COMPONENT_TYPE)
            if(type STREQUAL "LIBRARY")
                list(APPEND archives $<TARGET_FILE:__idf_${component}>)
            endif()
        endforeach()
        add_custom_target(size-components COMMAND ${AIRLIFT_SIZE} -t ${archives}
                          USES_TERMINAL VERBATIM)
        add_dependencies(size-components app)
    endif()

    cmake_language(DEFER DIRECTORY "${CMAKE_SOURCE_DIR}" CALL airlift_write_flash_files)
    cmake_language(DEFER DIRECTORY "${CMAKE_SOURCE_DIR}" CALL airlift_add_powercut)
    cmake_language(DEFER DIRECTORY "${CMAKE_SOURCE_DIR}" CALL airlift_write_project_description)
endfunction()
