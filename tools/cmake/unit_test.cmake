# SPDX-License-Identifier: Apache-2.0
#
# Unit tests of components, formats, boards and bootloader, linked with the libraries of an ordinary
# build. For the linux board they are programs of the host with cmocka, and a board in memory
# instead of a real one. For a bare board they are firmware that the emulator runs, with the part of
# cmocka's interface that tests/unit/BOARD has; ctest and the tests' sources are the same.
include_guard(GLOBAL)

set(_airlift_unit_dir "${CMAKE_CURRENT_LIST_DIR}/../../tests/unit")
if(IDF_TARGET STREQUAL "linux")
    find_library(AIRLIFT_CMOCKA cmocka)
    if(NOT AIRLIFT_CMOCKA)
        message(FATAL_ERROR
                "cmocka is not installed. Run `SETUP=test make setup` in the Airlift folder.")
    endif()
endif()
# What every test of the board is linked with: library unit_support; and how one is started:
# airlift_unit_command(VAR TARGET SECONDS ARGS...);
# UNIT_PATIENCE: what times it takes longer than on the host.
include("${_airlift_unit_dir}/${IDF_TARGET}/unit.cmake")
target_include_directories(unit_support INTERFACE "${_airlift_unit_dir}/include")

# airlift_unit_test(NAME test_name SRCS a.c [REQUIRES component...] [INCLUDE_DIRS d...]
#                   [DEFINITIONS X=1...] [COMPILE_OPTIONS o...] [LINK_OPTIONS o...] [LIBS l...]
#                   [ARGS a...] [ENVIRONMENT K=V...] [TIMEOUT seconds] [LABELS l...]
#                   [BOARDS b...])
#
# One cmocka program and one ctest test of that name. Sources see the public headers of the
# required components, formats, hal and the board, sdkconfig.h, AIRLIFT_ROOT (text: the
# repository's folder) and tests/unit/include. Everything of the build can be linked, whatever
# REQUIRES says. Tests run in their own build folder, where they may leave files.
# Label slow_emulated: takes minutes in an emulator; `make unit` leaves it out there unless
# AIRLIFT_SLOW is set.
# BOARDS: the test needs something that only these have; elsewhere it does not exist.
function(airlift_unit_test)
    cmake_parse_arguments(PARSE_ARGV 0 arg "" "NAME;TIMEOUT"
        "SRCS;REQUIRES;INCLUDE_DIRS;DEFINITIONS;COMPILE_OPTIONS;LINK_OPTIONS;LIBS;ARGS;\
ENVIRONMENT;LABELS;BOARDS")
    if(arg_UNPARSED_ARGUMENTS OR NOT arg_NAME OR NOT arg_SRCS)
        message(FATAL_ERROR "airlift_unit_test: needs NAME and SRCS; unknown words: "
                            "'${arg_UNPARSED_ARGUMENTS}'")
    endif()
    if(arg_BOARDS AND NOT IDF_TARGET IN_LIST arg_BOARDS)
        return()
    endif()
    # Two targets, so that sources see only what they require and yet everything is linked.
    set(objects ${arg_NAME}_objects)
    add_library(${objects} OBJECT ${arg_SRCS})
    target_include_directories(${objects} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR} ${arg_INCLUDE_DIRS})
    idf_build_get_property(root IDF_PATH)
    target_compile_definitions(${objects} PRIVATE "AIRLIFT_ROOT=\"${root}\"" ${arg_DEFINITIONS})
    target_compile_options(${objects} PRIVATE ${arg_COMPILE_OPTIONS})
    target_link_libraries(${objects} PRIVATE airlift_core unit_support)
    idf_build_get_property(common COMMON_COMPONENTS)
    foreach(requirement IN LISTS common arg_REQUIRES)
        airlift_component_name(requirement "${requirement}")
        if(NOT TARGET idf::${requirement})
            message(FATAL_ERROR "Test '${arg_NAME}' requires '${requirement}', which is not a "
                                "component of this build.")
        endif()
        target_link_libraries(${objects} PRIVATE idf::${requirement})
    endforeach()

    add_executable(${arg_NAME} $<TARGET_OBJECTS:${objects}>)
    target_link_options(${arg_NAME} PRIVATE ${arg_LINK_OPTIONS})
    airlift_link_everything(${arg_NAME})
    target_link_libraries(${arg_NAME} PRIVATE ${arg_LIBS} unit_support)

    if(NOT arg_TIMEOUT)
        set(arg_TIMEOUT 600) # a net for what hangs, not a measure of speed
    endif()
    math(EXPR arg_TIMEOUT "${arg_TIMEOUT} * ${UNIT_PATIENCE}")
    airlift_unit_command(command ${arg_NAME} ${arg_TIMEOUT} ${arg_ARGS})
    add_test(NAME ${arg_NAME} COMMAND ${command}
             WORKING_DIRECTORY "${CMAKE_CURRENT_BINARY_DIR}")
    set_tests_properties(${arg_NAME} PROPERTIES TIMEOUT ${arg_TIMEOUT}
        ENVIRONMENT "UBSAN_OPTIONS=print_stacktrace=1;AIRLIFT_ROOT=${root};${arg_ENVIRONMENT}"
        LABELS "${arg_LABELS}")
endfunction()
