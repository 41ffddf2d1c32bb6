# nvs_create_partition_image(PARTITION CSV [FLASH_IN_PROJECT] [VERSION 1|2] [DEPENDS file...])
#
# Makes BUILD/PARTITION.bin, an NVS partition with the values of a CSV file (see `airlift nvs
# generate --help`), with target nvs_PARTITION_bin as part of `all`. PARTITION-flash writes it, and
# with FLASH_IN_PROJECT also every flashing of the project.
function(nvs_create_partition_image partition csv)
    cmake_parse_arguments(PARSE_ARGV 2 arg "FLASH_IN_PROJECT" "VERSION" "DEPENDS")
    if(NOT arg_VERSION)
        set(arg_VERSION 2)
    endif()
    partition_table_get_partition_info(size "--partition-name ${partition}" size)
    partition_table_get_partition_info(offset "--partition-name ${partition}" offset)
    if(NOT size OR NOT offset)
        fail_at_build_time(nvs_${partition}_bin
            "nvs_create_partition_image: the partition table has no partition '${partition}'."
            "Choose another table in menuconfig (menu Partition Table), or add it to the CSV file.")
        return()
    endif()
    idf_build_get_property(build_dir BUILD_DIR)
    get_filename_component(csv "${csv}" ABSOLUTE BASE_DIR "${CMAKE_CURRENT_SOURCE_DIR}")
    set(image "${build_dir}/${partition}.bin")
    add_custom_command(OUTPUT "${image}"
        COMMAND ${AIRLIFT_TOOL} nvs generate --version ${arg_VERSION} "${csv}" "${image}" ${size}
        WORKING_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}"
        DEPENDS "${csv}" ${arg_DEPENDS} "${AIRLIFT_TOOL}" "${AIRLIFT_PARTITION_CSV}"
        COMMENT "NVS partition ${partition} from ${csv}" VERBATIM)
    add_custom_target(nvs_${partition}_bin ALL DEPENDS "${image}")
    if(arg_FLASH_IN_PROJECT)
        esptool_py_flash_target_image(flash ${partition} ${offset} "${image}")
    else()
        esptool_py_flash_target_image(${partition}-flash ${partition} ${offset} "${image}")
    endif()
endfunction()
