# SPDX-License-Identifier: Apache-2.0
#
# cmake -P print_source_dir.cmake NAME: prints (on stderr) the folder of that source's unpacked tree.
include("${CMAKE_CURRENT_LIST_DIR}/sources.cmake")
airlift_source_dir(dir "${CMAKE_ARGV3}")
message("${dir}")
