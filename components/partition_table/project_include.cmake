# The partition table: made from its CSV, looked at while configuring, flashed with the rest.

if(CONFIG_PARTITION_TABLE_CUSTOM)
    get_filename_component(AIRLIFT_PARTITION_CSV "${CONFIG_PARTITION_TABLE_CUSTOM_FILENAME}"
                           ABSOLUTE BASE_DIR "${PROJECT_DIR}")
else()
    set(AIRLIFT_PARTITION_CSV "${COMPONENT_DIR}/${CONFIG_PARTITION_TABLE_FILENAME}")
endif()
set(AIRLIFT_PARTITION_BIN "${BUILD_DIR}/partition_table/partition-table.bin")

# Bytes [at, at + count) of the row at the start of hex, as a number.
function(airlift_row_number var hex at count)
    set(number 0)
    math(EXPR last "${count} - 1")
    foreach(i RANGE ${last})
        math(EXPR position "(${at} + ${last} - ${i}) * 2")
        string(SUBSTRING "${hex}" ${position} 2 byte)
        math(EXPR number "${number} * 256 + 0x${byte}")
    endforeach()
    set(${var} ${number} PARENT_SCOPE)
endfunction()

# Number of a type or subtype written as a name or number, or "" for an unknown name.
function(airlift_partition_number var text)
    cmake_parse_arguments(PARSE_ARGV 2 arg "" "" "NAMES")
    string(TOLOWER "${text}" text)
    set(number "")
    if(text MATCHES "^(0x[0-9a-f]+|[0-9]+)$")
        math(EXPR number "${text}")
    else()
        foreach(pair IN LISTS arg_NAMES)
            if(pair MATCHES "^${text}=(.*)$")
                math(EXPR number "${CMAKE_MATCH_1}")
            endif()
        endforeach()
    endif()
    set(${var} "${number}" PARENT_SCOPE)
endfunction()

# Value of a partition of this project's table, "" if there is none. WHICH is one of
# "--partition-name N", "--partition-type T --partition-subtype S", "--partition-boot-default";
# INFO is offset, size (both 0x...), name, type, subtype, encrypted or readonly.
function(partition_table_get_partition_info var which info)
    set(${var} "" PARENT_SCOPE)
    get_property(hex GLOBAL PROPERTY AIRLIFT_PARTITION_TABLE_HEX)
    separate_arguments(which UNIX_COMMAND "${which}")
    cmake_parse_arguments(arg "--partition-boot-default;-d"
        "--partition-name;-n;--partition-type;-t;--partition-subtype;-s" "" ${which})
    foreach(pair -n:name -t:type -s:subtype)
        string(REPLACE ":" ";" pair "${pair}")
        list(GET pair 0 short)
        list(GET pair 1 long)
        set(wanted_${long} "${arg_--partition-${long}}")
        if("${wanted_${long}}" STREQUAL "")
            set(wanted_${long} "${arg_${short}}")
        endif()
    endforeach()
    set(types app=0 data=1 bootloader=2 partition_table=3)
    set(subtypes_0 factory=0 test=0x20 tee_0=0x30 tee_1=0x31)
    foreach(i RANGE 15)
        list(APPEND subtypes_0 "ota_${i}=16+${i}")
    endforeach()
    set(subtypes_1 ota=0 phy=1 nvs=2 coredump=3 nvs_keys=4 efuse=5 undefined=6 esphttpd=0x80
                   fat=0x81 spiffs=0x82 littlefs=0x83 tee_ota=0x90)
    set(subtypes_2 primary=0 ota=1 recovery=2)
    set(subtypes_3 primary=0 ota=1)
    idf_build_get_property(extra EXTRA_PARTITION_SUBTYPES)
    foreach(entry IN LISTS extra)
        string(REPLACE " " "" entry "${entry}")
        if(entry MATCHES "^([^,]+),([^,]+),(.+)$")
            set(value "${CMAKE_MATCH_2}=${CMAKE_MATCH_3}")
            airlift_partition_number(type "${CMAKE_MATCH_1}" NAMES ${types})
            list(APPEND subtypes_${type} "${value}")
        endif()
    endforeach()
    if(wanted_type)
        airlift_partition_number(wanted_type "${wanted_type}" NAMES ${types})
        airlift_partition_number(wanted_subtype "${wanted_subtype}" NAMES ${subtypes_${wanted_type}})
    endif()

    set(best 999)
    while(hex MATCHES "^aa50")
        string(SUBSTRING "${hex}" 0 64 row)
        string(SUBSTRING "${hex}" 64 -1 hex)
        airlift_row_number(type "${row}" 2 1)
        airlift_row_number(subtype "${row}" 3 1)
        airlift_row_number(offset "${row}" 4 4)
        airlift_row_number(size "${row}" 8 4)
        airlift_row_number(flags "${row}" 28 4)
        set(name "")
        foreach(i RANGE 12 27)
            airlift_row_number(byte "${row}" ${i} 1)
            if(byte EQUAL 0)
                break()
            endif()
            string(ASCII ${byte} character)
            string(APPEND name "${character}")
        endforeach()
        set(rank 999)
        if("${arg_--partition-boot-default}${arg_-d}" MATCHES TRUE)
            # factory (0), else the first update slot.
            if(type EQUAL 0 AND (subtype EQUAL 0 OR (subtype GREATER 15 AND subtype LESS 32)))
                set(rank ${subtype})
            endif()
        elseif(NOT wanted_name STREQUAL "")
            if(name STREQUAL wanted_name)
                set(rank 0)
            endif()
        elseif("${type}" STREQUAL "${wanted_type}" AND "${subtype}" STREQUAL "${wanted_subtype}")
            set(rank 0)
        endif()
        if(rank LESS best)
            set(best ${rank})
            math(EXPR offset "${offset}" OUTPUT_FORMAT HEXADECIMAL)
            math(EXPR size "${size}" OUTPUT_FORMAT HEXADECIMAL)
            math(EXPR encrypted "${flags} & 1")
            math(EXPR readonly "(${flags} >> 1) & 1")
            string(REPLACE 1 True encrypted ${encrypted})
            string(REPLACE 0 False encrypted ${encrypted})
            string(REPLACE 1 True readonly ${readonly})
            string(REPLACE 0 False readonly ${readonly})
            set(${var} "${${info}}" PARENT_SCOPE)
        endif()
    endwhile()
endfunction()

idf_build_get_property(_partition_libraries_only AIRLIFT_LIBRARIES_ONLY)
if(NOT _partition_libraries_only)
    set(_partition_options --offset ${CONFIG_PARTITION_TABLE_OFFSET}
        --primary-bootloader-offset ${CONFIG_BOOTLOADER_OFFSET_IN_FLASH}
        --flash-size ${CONFIG_ESPTOOLPY_FLASHSIZE})
    if(CONFIG_BOOTLOADER_RECOVERY_ENABLE)
        list(APPEND _partition_options --recovery-bootloader-offset
             ${CONFIG_BOOTLOADER_RECOVERY_OFFSET})
    endif()
    if(NOT CONFIG_PARTITION_TABLE_MD5)
        list(APPEND _partition_options --disable-md5sum)
    endif()
    idf_build_get_property(_partition_subtypes EXTRA_PARTITION_SUBTYPES)
    if(_partition_subtypes)
        list(APPEND _partition_options --extra-partition-subtypes ${_partition_subtypes})
    endif()

    # A first look at the table, for what depends on its offsets. Mistakes in it are for the build
    # to report, so that menuconfig stays usable.
    set(_partition_look "${BUILD_DIR}/partition_table/configure.bin")
    file(REMOVE "${_partition_look}")
    if(EXISTS "${AIRLIFT_PARTITION_CSV}")
        set_property(DIRECTORY "${CMAKE_SOURCE_DIR}" APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
                     "${AIRLIFT_PARTITION_CSV}")
        execute_process(COMMAND ${AIRLIFT_TOOL} partition-table gen ${_partition_options}
                                --output "${_partition_look}" -- "${AIRLIFT_PARTITION_CSV}"
                        OUTPUT_QUIET ERROR_QUIET)
    endif()
    if(EXISTS "${_partition_look}")
        file(READ "${_partition_look}" _partition_hex HEX)
        set_property(GLOBAL PROPERTY AIRLIFT_PARTITION_TABLE_HEX "${_partition_hex}")
    endif()

    if(EXISTS "${AIRLIFT_PARTITION_CSV}")
        add_custom_command(OUTPUT "${AIRLIFT_PARTITION_BIN}"
            COMMAND ${AIRLIFT_TOOL} partition-table gen ${_partition_options}
                    --output "${AIRLIFT_PARTITION_BIN}" -- "${AIRLIFT_PARTITION_CSV}"
            COMMAND ${CMAKE_COMMAND} -E echo "Partition table binary generated. Contents:"
            COMMAND ${CMAKE_COMMAND} -E echo "*******************************************************************************"
            COMMAND ${AIRLIFT_TOOL} partition-table show ${_partition_options} -- "${AIRLIFT_PARTITION_BIN}"
            COMMAND ${CMAKE_COMMAND} -E echo "*******************************************************************************"
            DEPENDS "${AIRLIFT_PARTITION_CSV}" "${SDKCONFIG_CMAKE}" "${AIRLIFT_TOOL}"
            COMMENT "Partition table from ${AIRLIFT_PARTITION_CSV}" VERBATIM)
        add_custom_target(partition-table ALL DEPENDS "${AIRLIFT_PARTITION_BIN}")
    else()
        fail_at_build_time(partition-table
            "Partition table CSV ${AIRLIFT_PARTITION_CSV} does not exist."
            "Choose another table in menuconfig (menu Partition Table), or create that file.")
        get_filename_component(_partition_folder "${AIRLIFT_PARTITION_CSV}" DIRECTORY)
        set_property(DIRECTORY "${CMAKE_SOURCE_DIR}" APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
                     "${_partition_folder}")
    endif()
    add_custom_target(partition_table DEPENDS partition-table)
    airlift_add_flash_image(partition-table ${CONFIG_PARTITION_TABLE_OFFSET}
                            "${AIRLIFT_PARTITION_BIN}")

    # Blank otadata: the board then starts from factory, or from the first slot.
    partition_table_get_partition_info(_partition_otadata_offset
        "--partition-type data --partition-subtype ota" offset)
    partition_table_get_partition_info(_partition_otadata_size
        "--partition-type data --partition-subtype ota" size)
    if(_partition_otadata_offset)
        set(_partition_blank "${BUILD_DIR}/ota_data_initial.bin")
        math(EXPR _partition_otadata_size "${_partition_otadata_size}")
        add_custom_command(OUTPUT "${_partition_blank}"
            COMMAND sh -c "head -c ${_partition_otadata_size} /dev/zero | LC_ALL=C tr '\\000' '\\377' > \"$1\""
                    sh "${_partition_blank}"
            DEPENDS "${SDKCONFIG_CMAKE}" "${AIRLIFT_PARTITION_CSV}"
            COMMENT "Blank otadata" VERBATIM)
        add_custom_target(blank_ota_data ALL DEPENDS "${_partition_blank}")
        airlift_add_flash_image(otadata ${_partition_otadata_offset} "${_partition_blank}")
    endif()

    # Anti-rollback has no use for applications that nothing ever revokes.
    if(CONFIG_BOOTLOADER_APP_ANTI_ROLLBACK)
        foreach(_partition_subtype factory test)
            partition_table_get_partition_info(_partition_offset
                "--partition-type app --partition-subtype ${_partition_subtype}" offset)
            if(_partition_offset)
                fail_at_build_time(anti_rollback_table_${_partition_subtype}
                    "Anti-rollback is enabled, but the partition table has a ${_partition_subtype} app."
                    "Use a table with update slots only.")
            endif()
        endforeach()
        # Firmware for chips with eFuses of their own has no such partition, and runs.
        partition_table_get_partition_info(_partition_size
            "--partition-type data --partition-subtype efuse" size)
        if(NOT _partition_size OR _partition_size LESS 0x2000)
            message(WARNING
                "Anti-rollback is enabled, but the partition table has no partition of type data, "
                "subtype efuse, with 0x2000 bytes or more: the board's secure version cannot be "
                "raised. Add the line\n  emul_efuse, data, efuse, , 0x2000")
        endif()
    endif()
endif()
