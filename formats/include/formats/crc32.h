/* SPDX-License-Identifier: Apache-2.0
 *
 * CRC-32, polynomial 0xEDB88320 (reflected). Source: formats specification, "Conventions". */
#ifndef FORMATS_CRC32_H
#define FORMATS_CRC32_H

#include <stddef.h>
#include <stdint.h>

/* Continues crc over len bytes of data (data may be NULL when len is 0).
 * Start with 0 for the ordinary CRC (zlib's crc32()), with 0xFFFFFFFF for the one that otadata,
 * NVS and the retain memory use. */
uint32_t fmt_crc32(uint32_t crc, const void *data, size_t len);

#endif
