/* SPDX-License-Identifier: Apache-2.0
 *
 * Test vector 9.5 of the formats specification: the first 0x140 bytes of an image of 0x3000 bytes,
 * which are 0xFF from there on. Namespace "ota": count u32 7; url string "http://a/b"; blob hex
 * 00112233445566778899aabbccddeeff00; neg i8 -2. */
#ifndef NVS_VECTOR_H
#define NVS_VECTOR_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define NVS_VECTOR_SIZE   0x3000u
#define NVS_VECTOR_SHA256 "cebceb914e650302f8872759b76d8e164c7ebcf64d65ff7d62ef62dd77353392"

static const char NVS_VECTOR_HEX[] =
    "feffffff00000000feffffffffffffffffffffffffffffffffffffff842dbab9"
    "aaaaffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
    "000101ff76006bac6f74610000000000000000000000000001ffffffffffffff"
    "010401ff97f150d0636f756e74000000000000000000000007000000ffffffff"
    "012102ff9d5febe275726c000000000000000000000000000b00ffff9dc36db5"
    "687474703a2f2f612f6200ffffffffffffffffffffffffffffffffffffffffff"
    "0142020032695dec626c6f620000000000000000000000001100ffff76ac4b83"
    "00112233445566778899aabbccddeeff00ffffffffffffffffffffffffffffff"
    "014801ffefcec5cc626c6f62000000000000000000000000110000000100ffff"
    "011101ffe70334bc6e656700000000000000000000000000feffffffffffffff";

static const uint8_t NVS_VECTOR_BLOB[17] = {0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88,
                                            0x99, 0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0xFF, 0x00};

/* Fills out, NVS_VECTOR_SIZE bytes. */
static inline void nvs_vector_fill(uint8_t *out)
{
    memset(out, 0xFF, NVS_VECTOR_SIZE);
    for (size_t i = 0; NVS_VECTOR_HEX[2 * i] != '\0'; i++) {
        unsigned byte = 0;
        (void)sscanf(NVS_VECTOR_HEX + 2 * i, "%2x", &byte);
        out[i] = (uint8_t)byte;
    }
}

#endif
