# SPDX-License-Identifier: Apache-2.0
#
# The host program `airlift`, which makes tables and images while firmware is built.
include_guard(GLOBAL)

# Sets AIRLIFT_TOOL to the program: AIRLIFT_TOOL of the command line or the environment, else the
# one of this tree, built now and kept up to date by the target airlift_tool.
function(airlift_find_tool)
    if(DEFINED ENV{AIRLIFT_TOOL} AND NOT "$ENV{AIRLIFT_TOOL}" STREQUAL "")
        set(AIRLIFT_TOOL "$ENV{AIRLIFT_TOOL}" CACHE FILEPATH "The host program airlift" FORCE)
    endif()
    if(AIRLIFT_TOOL)
        if(NOT EXISTS "${AIRLIFT_TOOL}")
            message(FATAL_ERROR "AIRLIFT_TOOL names ${AIRLIFT_TOOL}, which does not exist.")
        endif()
        set(AIRLIFT_TOOL_TARGET "" PARENT_SCOPE)
        return()
    endif()
    set(dir "${AIRLIFT_ROOT}/build/host")
    execute_process(COMMAND ${CMAKE_COMMAND} -E make_directory "${dir}"
                    RESULT_VARIABLE failed OUTPUT_QUIET ERROR_QUIET)
    if(failed)
        # The tree may not be ours to write to.
        set(dir "${CMAKE_BINARY_DIR}/airlift-host")
    endif()
    set(build ${CMAKE_COMMAND} "-DSOURCE=${AIRLIFT_ROOT}" "-DBINARY=${dir}"
              -P "${AIRLIFT_ROOT}/tools/cmake/build_tool.cmake")
    execute_process(COMMAND ${build} RESULT_VARIABLE failed)
    if(failed)
        message(FATAL_ERROR "The host program airlift could not be built; see above.")
    endif()
    add_custom_target(airlift_tool COMMAND ${build} BYPRODUCTS "${dir}/airlift"
                      COMMENT "Host program airlift" VERBATIM)
    set(AIRLIFT_TOOL "${dir}/airlift" PARENT_SCOPE)
    set(AIRLIFT_TOOL_TARGET airlift_tool PARENT_SCOPE)
endfunction()
