/* SPDX-License-Identifier: Apache-2.0
 *
 * The Ethernet MAC (Cadence GEM) and its PHY: whole frames in and out, nothing above. Functions are
 * for one task at a time, except where said otherwise. */
#ifndef SIFIVE_U_GEM_H
#define SIFIVE_U_GEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "formats/esp_err_codes.h"

#define GEM_MAC_SIZE  6u
#define GEM_FRAME_MAX 1514u /* header and payload, without the checksum */

/* Finds the PHY, sets the rings up and lets frames through. event is called from the interrupt
 * handler when a frame came in or was sent.
 * ESP_ERR_NOT_FOUND: no MAC of this kind, or no PHY answers. ESP_ERR_INVALID_STATE: running. */
esp_err_t gem_start(void (*event)(void));

/* Stops both directions. Frames that were not fetched are lost. */
void gem_stop(void);

/* The board's address, also while stopped. */
void gem_mac(uint8_t mac[GEM_MAC_SIZE]);

/* Whether the cable is plugged in and the other end answers. The PHY has no interrupt line here:
 * ask from time to time. */
bool gem_link_up(void);

/* The oldest received frame, or NULL. It stays valid until gem_receive_done(), which is called once
 * for every frame returned. *len: bytes, 1 .. GEM_FRAME_MAX. */
const void *gem_receive(size_t *len);
void gem_receive_done(void);

/* Memory for the next frame to send, GEM_FRAME_MAX bytes, or NULL while all are on their way. */
void *gem_send_buffer(void);

/* Sends the first len bytes (1 .. GEM_FRAME_MAX) of the memory gem_send_buffer() returned. */
void gem_send(size_t len);

#endif
