/* SPDX-License-Identifier: Apache-2.0
 *
 * One direction of the board's network cable, on its way through the runner, where some frames get
 * lost. Frames come and go as the emulator's packet redirectors write and read them: the length as
 * four bytes, most significant first, then the frame. */
#ifndef SIFIVE_U_HOST_LOSSY_WIRE_H
#define SIFIVE_U_HOST_LOSSY_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOSSY_WIRE_FRAME_MAX 65536u

typedef struct {
    int from; /* non-blocking descriptors, owned; -1: not open */
    int to;
    unsigned percent; /* of the frames are lost */
    uint64_t dice;
    uint64_t frames; /* seen */
    uint64_t lost;
    size_t in_len; /* of a frame with its length, read so far */
    size_t out_at; /* of out, written so far */
    size_t out_len;
    uint8_t in[4 + LOSSY_WIRE_FRAME_MAX];
    uint8_t out[4 + LOSSY_WIRE_FRAME_MAX];
} lossy_wire_t;

/* Opens *wire between two descriptors that are its own from now on. seed decides which frames are
 * lost. */
void lossy_wire_open(lossy_wire_t *wire, int from, int to, unsigned percent, uint64_t seed);

/* Moves what can be moved now. A frame for which the receiver has no room is lost too: the emulator
 * waits for nobody, and so nobody may wait for it. False: the other side is gone, or what it sends
 * is no frame. */
bool lossy_wire_move(lossy_wire_t *wire);

/* What poll() is to wait for on `to`: POLLOUT while the rest of a frame is due, else 0. */
short lossy_wire_events(const lossy_wire_t *wire);

void lossy_wire_close(lossy_wire_t *wire);

#endif
