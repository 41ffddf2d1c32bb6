/* SPDX-License-Identifier: Apache-2.0
 *
 * Images of NVS partitions, written as Espressif's generator writes them: pages filled one after
 * the other, the last one with data left active. Source: formats specification, 6.7. */
#ifndef AIRLIFT_NVS_IMAGE_H
#define AIRLIFT_NVS_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "formats/nvs.h"

#define NVS_IMAGE_SIZE_MAX    (64u << 20)
#define NVS_IMAGE_V1_DATA_MAX 1984u /* bytes of a string or blob in a version 1 image */

typedef struct {
    uint8_t *bytes; /* pages * FMT_NVS_PAGE_SIZE, owned */
    unsigned pages;
    unsigned usable; /* the others stay blank */
    uint8_t version; /* FMT_NVS_VERSION_1 or _2 */
    unsigned page;   /* the one written to */
    unsigned entry;  /* the next one in it */
} nvs_image_t;

/* An image of pages pages (1 ..). Of three or more the last stays free, as a device needs it that
 * writes. Free with nvs_image_free(). */
void nvs_image_begin(nvs_image_t *image, unsigned pages, uint8_t version);
void nvs_image_free(nvs_image_t *image);

/* Add an item under namespace index ns (0: the table of namespaces). value: as many bytes as the
 * type has, little endian. Return NULL, or what is wrong: static text. */
const char *nvs_image_put_value(nvs_image_t *image, uint8_t ns, const char *key, uint8_t type,
                                uint64_t value);
/* text: size bytes, the NUL at its end included. */
const char *nvs_image_put_string(nvs_image_t *image, uint8_t ns, const char *key, const void *text,
                                 size_t size);
const char *nvs_image_put_blob(nvs_image_t *image, uint8_t ns, const char *key, const void *data,
                               size_t size);

#endif
