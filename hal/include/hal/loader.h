/* SPDX-License-Identifier: Apache-2.0
 *
 * How a bootloader puts an image into the board's memory and starts it, and how the started
 * program learns where it came from. */
#ifndef HAL_LOADER_H
#define HAL_LOADER_H

#include <stdint.h>

#include "formats/esp_err_codes.h"

/* Forgets every segment placed so far: a new image is about to be loaded. */
void hal_loader_reset(void);

/* Memory for a segment of len bytes (> 0) that wants to live at load_address; the caller fills it.
 * On failure returns NULL and points *why at a short text: "bad load address range",
 * "overlaps bootloader data", "overlaps bootloader stack", "out of memory". */
void *hal_loader_place(uint32_t load_address, uint32_t len, const char **why);

/* Starts the placed program at entry. image_offset is the flash offset of its image, which the
 * program reads back with hal_loader_running_offset(). Returns only if the board cannot start it:
 * ESP_ERR_IMAGE_INVALID (the segments hold no program for this board). */
esp_err_t hal_loader_start(uint32_t entry, uint32_t image_offset);

/* Flash offset of the image this program was started from; UINT32_MAX if it was not started by a
 * bootloader (unit tests). */
uint32_t hal_loader_running_offset(void);

#endif
