# SPDX-License-Identifier: Apache-2.0
#
# The tree that `build` takes when IDF_PATH names none.
get_filename_component(airlift_source_dir "${CMAKE_CURRENT_LIST_DIR}/../.." ABSOLUTE)
set_source_files_properties(project_build.c PROPERTIES COMPILE_DEFINITIONS
                            "AIRLIFT_SOURCE_DIR=\"${airlift_source_dir}\"")
