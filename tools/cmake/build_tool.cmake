# SPDX-License-Identifier: Apache-2.0
#
# cmake -DSOURCE=repository -DBINARY=build/host -P build_tool.cmake: builds the host program. One
# at a time: several firmware builds may want it at once.
file(LOCK "${BINARY}" DIRECTORY GUARD PROCESS)
if(NOT EXISTS "${BINARY}/build.ninja")
    message("Building the host program airlift")
    execute_process(COMMAND ${CMAKE_COMMAND} -G Ninja -S "${SOURCE}" -B "${BINARY}"
                    OUTPUT_VARIABLE log ERROR_VARIABLE log RESULT_VARIABLE failed)
    if(failed)
        message(FATAL_ERROR "${log}")
    endif()
endif()
execute_process(COMMAND ${CMAKE_COMMAND} --build "${BINARY}" --target airlift
                OUTPUT_VARIABLE log ERROR_VARIABLE log RESULT_VARIABLE failed)
if(failed)
    message(FATAL_ERROR "${log}")
endif()
