/* SPDX-License-Identifier: Apache-2.0
 *
 * The runner's lossy cable: frames come out whole or not at all, whatever pieces they come in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "lossy_wire.h"

static lossy_wire_t wire;
static int sender;
static int receiver;

static void open_wire(unsigned percent, uint64_t seed)
{
    int from[2], to[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, from), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, to), 0);
    lossy_wire_open(&wire, from[0], to[0], percent, seed);
    sender = from[1];
    receiver = to[1];
    assert_int_equal(fcntl(receiver, F_SETFL, O_NONBLOCK), 0);
}

static int tear_down(void **state)
{
    (void)state;
    lossy_wire_close(&wire);
    lossy_wire_close(&wire);
    assert_int_equal(wire.from, -1);
    close(sender);
    close(receiver);
    return 0;
}

/* Frame number i: its length depends on i, its bytes too. */
static size_t make_frame(uint8_t frame[4 + 2000], unsigned i)
{
    size_t len = 14 + i * 37 % 1500;
    memset(frame, 0, 4);
    frame[2] = (uint8_t)(len >> 8);
    frame[3] = (uint8_t)len;
    for (size_t at = 0; at < len; at++) {
        frame[4 + at] = (uint8_t)(i + at);
    }
    return 4 + len;
}

static void send_bytes(const void *data, size_t len)
{
    assert_int_equal(send(sender, data, len, 0), (ssize_t)len);
}

static bool comes_out(const uint8_t *frame, size_t len)
{
    uint8_t got[4 + 2000];
    ssize_t count = recv(receiver, got, len, MSG_PEEK);
    if (count != (ssize_t)len || memcmp(got, frame, len) != 0) {
        return false;
    }
    assert_int_equal(recv(receiver, got, len, 0), (ssize_t)len);
    return true;
}

static void frames_pass_unchanged_in_whatever_pieces_they_come(void **state)
{
    (void)state;
    static const size_t pieces[] = {1, 2, 3, 5, 700, 4000};
    uint8_t frame[4 + 2000];
    open_wire(0, 1);
    for (unsigned i = 0; i < 60; i++) {
        size_t len = make_frame(frame, i);
        size_t piece = pieces[i % 6];
        for (size_t at = 0; at < len; at += piece) {
            send_bytes(frame + at, piece < len - at ? piece : len - at);
            assert_true(lossy_wire_move(&wire));
        }
        assert_true(comes_out(frame, len));
    }
    assert_int_equal(wire.frames, 60);
    assert_int_equal(wire.lost, 0);
}

static void the_asked_for_share_is_lost_and_the_rest_stays_whole(void **state)
{
    (void)state;
    uint8_t frame[4 + 2000];
    unsigned arrived = 0;
    open_wire(5, 42);
    for (unsigned i = 0; i < 10000; i++) {
        size_t len = make_frame(frame, i);
        send_bytes(frame, len);
        assert_true(lossy_wire_move(&wire));
        arrived += comes_out(frame, len);
    }
    assert_int_equal(wire.frames, 10000);
    assert_int_equal(wire.lost, 10000 - arrived);
    assert_in_range(wire.lost, 300, 700);
}

static void all_are_lost_at_100_percent(void **state)
{
    (void)state;
    uint8_t frame[4 + 2000];
    open_wire(100, 3);
    for (unsigned i = 0; i < 100; i++) {
        send_bytes(frame, make_frame(frame, i));
        assert_true(lossy_wire_move(&wire));
    }
    char byte;
    assert_int_equal(recv(receiver, &byte, 1, 0), -1);
    assert_int_equal(wire.lost, 100);
}

static void a_full_receiver_loses_frames_and_gets_none_in_part(void **state)
{
    (void)state;
    uint8_t frame[4 + 2000];
    size_t len = make_frame(frame, 30);
    unsigned sent = 0;
    open_wire(0, 4);
    while (wire.lost < 10) {
        send_bytes(frame, len);
        assert_true(lossy_wire_move(&wire));
        sent++;
    }
    assert_int_equal(lossy_wire_events(&wire), POLLOUT);
    unsigned arrived = 0;
    do {
        while (comes_out(frame, len)) {
            arrived++;
        }
        assert_true(lossy_wire_move(&wire));
    } while (lossy_wire_events(&wire) != 0);
    while (comes_out(frame, len)) {
        arrived++;
    }
    char byte;
    assert_int_equal(recv(receiver, &byte, 1, 0), -1);
    assert_int_equal(arrived, sent - 10);
}

static void a_length_that_no_frame_has_ends_the_wire(void **state)
{
    (void)state;
    static const uint8_t largest[4] = {0, 1, 0, 0};
    static const uint8_t larger[4] = {0, 1, 0, 1};
    open_wire(0, 5);
    send_bytes(largest, 4);
    assert_true(lossy_wire_move(&wire));
    tear_down(NULL);
    open_wire(0, 5);
    send_bytes(larger, 4);
    assert_false(lossy_wire_move(&wire));
}

static void an_end_of_the_other_side_is_told(void **state)
{
    (void)state;
    open_wire(0, 6);
    assert_true(lossy_wire_move(&wire));
    shutdown(sender, SHUT_WR);
    assert_false(lossy_wire_move(&wire));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(frames_pass_unchanged_in_whatever_pieces_they_come),
        TEST(the_asked_for_share_is_lost_and_the_rest_stays_whole),
        TEST(all_are_lost_at_100_percent),
        TEST(a_full_receiver_loses_frames_and_gets_none_in_part),
        TEST(a_length_that_no_frame_has_ends_the_wire),
        TEST(an_end_of_the_other_side_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
