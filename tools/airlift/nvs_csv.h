/* SPDX-License-Identifier: Apache-2.0
 *
 * CSV files of Espressif's NVS partition generator: key,type,encoding,value. */
#ifndef AIRLIFT_NVS_CSV_H
#define AIRLIFT_NVS_CSV_H

#include "nvs_image.h"

/* The namespaces of the files read so far, in order of their indexes, and the one in force. */
typedef struct {
    char names[FMT_NVS_NAMESPACE_MAX][FMT_NVS_KEY_MAX + 1];
    unsigned count;
    uint8_t current; /* index; 0: none yet */
} nvs_namespaces_t;

/* Adds everything in the file at path to image. Explains failures on stderr. */
bool nvs_csv_read(const char *path, nvs_namespaces_t *namespaces, nvs_image_t *image);

#endif
