# SPDX-License-Identifier: Apache-2.0
#
# From the executable to what is flashed.
include_guard(GLOBAL)

function(airlift_add_images elf)
endfunction()
