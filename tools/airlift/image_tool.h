/* SPDX-License-Identifier: Apache-2.0
 *
 * Images in memory, for every verb that looks at one. */
#ifndef AIRLIFT_IMAGE_TOOL_H
#define AIRLIFT_IMAGE_TOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "formats/image.h"

/* Runs the verifier over the len bytes at data; params->partition_size is cut to len. Everything
 * that was found is in v, with v->status as the verdict. */
fmt_image_status_t image_verify_memory(fmt_image_verifier_t *v, const fmt_image_params_t *params,
                                       const uint8_t *data, size_t len);

/* Whether the image at data is a bootloader: by its descriptor, else because it maps nothing. */
bool image_is_bootloader(const uint8_t *data, size_t len);

/* The verdict in words for a person; "valid" for FMT_IMAGE_OK. */
const char *image_status_text(const fmt_image_verifier_t *v, char *text, size_t size);

int image_info_main(int argc, char **argv);
int image_build_main(int argc, char **argv);

#endif
