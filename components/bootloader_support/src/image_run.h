/* SPDX-License-Identifier: Apache-2.0
 *
 * One pass of the image verifier over a place in flash. */
#ifndef IMAGE_RUN_H
#define IMAGE_RUN_H

#include "formats/image.h"

#include "esp_flash_partitions.h"

typedef enum {
    IMAGE_LINES_NONE,
    IMAGE_LINES_SILENT, /* only those that a silent verification prints too */
    IMAGE_LINES_ALL,    /* and one per segment */
} image_lines_t;

/* flags: FMT_IMAGE_*, to which FMT_IMAGE_BOOTLOADER is added by the address. v need not be
 * initialised and needs no further care; its results are valid on return.
 * ESP_ERR_NO_MEM, a flash error, or the error that belongs to v->status. */
esp_err_t image_run(const esp_partition_pos_t *part, uint32_t flags, image_lines_t lines,
                    fmt_image_verifier_t *v);

#endif
