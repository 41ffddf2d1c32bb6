# SPDX-License-Identifier: Apache-2.0
#
# SIFIVE_U_GCC: the cross compiler, which comes with a C library. The packages' names are those of
# Debian 12 and 13.
find_program(SIFIVE_U_GCC riscv64-unknown-elf-gcc)
if(NOT SIFIVE_U_GCC)
    message(FATAL_ERROR "The compiler for board sifive_u, riscv64-unknown-elf-gcc, is missing: "
                        "apt-get install gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf")
endif()
if(NOT SIFIVE_U_PICOLIBC)
    execute_process(COMMAND "${SIFIVE_U_GCC}" --specs=picolibc.specs -E -x c /dev/null
                    RESULT_VARIABLE status OUTPUT_QUIET ERROR_QUIET)
    if(NOT status EQUAL 0)
        message(FATAL_ERROR "The C library for board sifive_u is missing: "
                            "apt-get install picolibc-riscv64-unknown-elf")
    endif()
    set(SIFIVE_U_PICOLIBC TRUE CACHE INTERNAL "the compiler finds its C library")
endif()
