# SPDX-License-Identifier: Apache-2.0
#
# airlift_hash for programs without the mbedtls component (bootloader, host tools): SHA-256 and
# MD5 of Mbed TLS, nothing else.
include_guard(GLOBAL)
include("${CMAKE_CURRENT_LIST_DIR}/sources.cmake")

set(AIRLIFT_HASH_CONFIG_DIR "${CMAKE_CURRENT_LIST_DIR}/hash")

function(airlift_add_hash_library)
    airlift_source_dir(mbedtls mbedtls)
    add_library(airlift_hash STATIC "${mbedtls}/library/sha256.c" "${mbedtls}/library/md5.c"
                                    "${mbedtls}/library/platform_util.c")
    target_include_directories(airlift_hash SYSTEM PUBLIC "${mbedtls}/include")
    target_include_directories(airlift_hash PUBLIC "${AIRLIFT_HASH_CONFIG_DIR}")
    target_compile_definitions(airlift_hash PUBLIC
                               "MBEDTLS_CONFIG_FILE=\"airlift_hash_config.h\"")
    # Their warnings are theirs.
    target_compile_options(airlift_hash PRIVATE -w)
endfunction()
