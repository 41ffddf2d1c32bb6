# SPDX-License-Identifier: Apache-2.0
#
# A test is a program of the host.
add_library(unit_support STATIC "${CMAKE_CURRENT_LIST_DIR}/console_capture.c"
            "${CMAKE_CURRENT_LIST_DIR}/dies.c")
target_include_directories(unit_support PRIVATE "${CMAKE_CURRENT_LIST_DIR}/../include")
target_link_libraries(unit_support PUBLIC airlift_core ${AIRLIFT_CMOCKA} m)

set(UNIT_PATIENCE 1)

function(airlift_unit_command var target seconds)
    set(${var} ${target} ${ARGN} PARENT_SCOPE)
endfunction()
