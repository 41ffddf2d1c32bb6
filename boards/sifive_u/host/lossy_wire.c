/* SPDX-License-Identifier: Apache-2.0 */
#include "lossy_wire.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

void lossy_wire_open(lossy_wire_t *wire, int from, int to, unsigned percent, uint64_t seed)
{
    wire->from = from;
    wire->to = to;
    wire->percent = percent;
    wire->dice = seed;
    wire->frames = 0;
    wire->lost = 0;
    wire->in_len = 0;
    wire->out_at = 0;
    wire->out_len = 0;
    fcntl(from, F_SETFL, O_NONBLOCK);
    fcntl(to, F_SETFL, O_NONBLOCK);
}

void lossy_wire_close(lossy_wire_t *wire)
{
    if (wire->from >= 0) {
        close(wire->from);
        close(wire->to);
        wire->from = -1;
        wire->to = -1;
    }
}

short lossy_wire_events(const lossy_wire_t *wire)
{
    return wire->out_at < wire->out_len ? POLLOUT : 0;
}

/* A counter through a mixer with good avalanche: each value of seed gives another sequence. */
static bool is_lost(lossy_wire_t *wire)
{
    wire->dice += 0x9E3779B97F4A7C15u;
    uint64_t mixed = wire->dice;
    mixed = (mixed ^ mixed >> 32) * 0xD6E8FEB86659FD93u;
    mixed = (mixed ^ mixed >> 32) * 0xD6E8FEB86659FD93u;
    return (mixed ^ mixed >> 32) % 100u < wire->percent;
}

static bool interrupted(void)
{
    return errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK;
}

static bool write_out(lossy_wire_t *wire)
{
    while (wire->out_at < wire->out_len) {
        ssize_t sent = send(wire->to, wire->out + wire->out_at, wire->out_len - wire->out_at,
                            MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0) {
            return interrupted();
        }
        wire->out_at += (size_t)sent;
    }
    return true;
}

/* The frame in `in` is complete. */
static bool pass_on(lossy_wire_t *wire)
{
    wire->frames++;
    if (is_lost(wire) || wire->out_at < wire->out_len) {
        wire->lost++;
        return true;
    }
    memcpy(wire->out, wire->in, wire->in_len);
    wire->out_at = 0;
    wire->out_len = wire->in_len;
    return write_out(wire);
}

bool lossy_wire_move(lossy_wire_t *wire)
{
    if (!write_out(wire)) {
        return false;
    }
    for (;;) {
        size_t wanted = 4;
        if (wire->in_len >= 4) {
            size_t frame = (size_t)wire->in[0] << 24 | (size_t)wire->in[1] << 16 |
                           (size_t)wire->in[2] << 8 | wire->in[3];
            if (frame > LOSSY_WIRE_FRAME_MAX) {
                return false;
            }
            wanted += frame;
            if (wire->in_len == wanted) {
                if (!pass_on(wire)) {
                    return false;
                }
                wire->in_len = 0;
                continue;
            }
        }
        ssize_t got = read(wire->from, wire->in + wire->in_len, wanted - wire->in_len);
        if (got < 0) {
            return interrupted();
        }
        if (got == 0) {
            return false;
        }
        wire->in_len += (size_t)got;
    }
}
