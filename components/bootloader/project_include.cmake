# The second-stage bootloader: bootloader/ at the top of this tree, built on its own into
# BUILD/bootloader with this project's configuration.
#
# It stays without sanitizers when the application has them: instrumented it would be ten times as
# large as its room in front of the partition table. Its unit tests run the same sources with them.
idf_build_get_property(_bootloader_libraries_only AIRLIFT_LIBRARIES_ONLY)
if(NOT _bootloader_libraries_only)
    include(ExternalProject)
    set(_bootloader_dir "${BUILD_DIR}/bootloader")
    set(_bootloader_toolchain "")
    if(BOARD_TOOLCHAIN_FILE)
        set(_bootloader_toolchain "-DCMAKE_TOOLCHAIN_FILE=${BOARD_TOOLCHAIN_FILE}")
    endif()
    set(_bootloader_launcher "")
    if(CMAKE_C_COMPILER_LAUNCHER)
        set(_bootloader_launcher "-DCMAKE_C_COMPILER_LAUNCHER=${CMAKE_C_COMPILER_LAUNCHER}")
    endif()
    ExternalProject_Add(bootloader_subproject
        SOURCE_DIR "${IDF_PATH}/bootloader"
        BINARY_DIR "${_bootloader_dir}"
        PREFIX "${BUILD_DIR}/bootloader-prefix"
        LIST_SEPARATOR "|"
        CMAKE_ARGS "-DIDF_TARGET=${IDF_TARGET}" "-DIDF_VER=${IDF_VER}" "-DCONFIG_DIR=${CONFIG_DIR}"
                   "-DCMAKE_C_COMPILER=${CMAKE_C_COMPILER}" ${_bootloader_toolchain}
                   ${_bootloader_launcher}
                   "-DBOOTLOADER_COMPILE_OPTIONS=-gdwarf-4|-ggdb"
        INSTALL_COMMAND ""
        BUILD_ALWAYS ON
        LOG_CONFIGURE ON
        LOG_BUILD ON
        LOG_OUTPUT_ON_FAILURE ON
        BUILD_BYPRODUCTS "${_bootloader_dir}/bootloader.elf")

    airlift_elf_to_image("${_bootloader_dir}/bootloader.elf" "${_bootloader_dir}/bootloader.bin"
                         DEPENDS bootloader_subproject)
    add_custom_command(OUTPUT "${_bootloader_dir}/bootloader.bin.checked"
        COMMAND ${AIRLIFT_TOOL} check-sizes --offset ${CONFIG_PARTITION_TABLE_OFFSET}
                bootloader ${CONFIG_BOOTLOADER_OFFSET_IN_FLASH} "${_bootloader_dir}/bootloader.bin"
        COMMAND ${CMAKE_COMMAND} -E touch "${_bootloader_dir}/bootloader.bin.checked"
        DEPENDS "${_bootloader_dir}/bootloader.bin" "${SDKCONFIG_CMAKE}"
        COMMENT "Bootloader fits in front of the partition table?" VERBATIM)
    add_custom_target(bootloader ALL DEPENDS "${_bootloader_dir}/bootloader.bin.checked")
    add_dependencies(bootloader bootloader_subproject)
    airlift_add_flash_image(bootloader ${CONFIG_BOOTLOADER_OFFSET_IN_FLASH}
                            "${_bootloader_dir}/bootloader.bin")
endif()
