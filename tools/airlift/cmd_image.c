/* SPDX-License-Identifier: Apache-2.0
 *
 * airlift image: application and bootloader images. */
#include "commands.h"
#include "image_tool.h"

static const airlift_cmd_t verbs[] = {
    {"info", "show an image and check every value in it", image_info_main},
    {"build", "make an image of an ELF file", image_build_main},
    {0},
};

static int run(int argc, char **argv)
{
    return airlift_run_sub("image", verbs, argc, argv);
}

const airlift_cmd_t airlift_cmd_image = {"image", "inspect and make application images", run};
