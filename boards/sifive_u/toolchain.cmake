# SPDX-License-Identifier: Apache-2.0
#
# Cross compiler for the sifive_u board: rv32imc code, picolibc.
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR riscv32)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)

include("${CMAKE_CURRENT_LIST_DIR}/compiler.cmake")
get_filename_component(_sifive_u_bin "${SIFIVE_U_GCC}" DIRECTORY)
set(_sifive_u_prefix "${_sifive_u_bin}/riscv64-unknown-elf-")
set(CMAKE_C_COMPILER "${SIFIVE_U_GCC}")
set(CMAKE_ASM_COMPILER "${SIFIVE_U_GCC}")
if(EXISTS "${_sifive_u_prefix}g++")
    set(CMAKE_CXX_COMPILER "${_sifive_u_prefix}g++")
endif()
set(CMAKE_AR "${_sifive_u_prefix}ar")
set(CMAKE_RANLIB "${_sifive_u_prefix}ranlib")
set(CMAKE_OBJCOPY "${_sifive_u_prefix}objcopy")

# This edition of the ISA counts control registers and fence.i to the base, as the compiler's own
# list of libraries does.
set(_sifive_u_flags "-march=rv32imc -misa-spec=2.2 -mabi=ilp32 -mcmodel=medany -mstrict-align")
string(APPEND _sifive_u_flags " --specs=picolibc.specs")
set(CMAKE_C_FLAGS_INIT "${_sifive_u_flags}")
set(CMAKE_CXX_FLAGS_INIT "${_sifive_u_flags}")
set(CMAKE_ASM_FLAGS_INIT "${_sifive_u_flags}")

set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
