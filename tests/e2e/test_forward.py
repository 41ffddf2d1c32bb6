# SPDX-License-Identifier: Apache-2.0
"""A server in the firmware, and how this machine reaches it."""

import socket
import subprocess

import pytest

from harness.board import WAIT
from harness.servers import free_port

PORT = 7007


def talk(port, messages):
    """What the server at this port sends back for each message."""
    with socket.create_connection(("127.0.0.1", port), WAIT) as connection:
        stream = connection.makefile("rwb")
        answers = []
        for message in messages:
            stream.write(message)
            stream.flush()
            answers.append(stream.read(len(message)))
    return answers


def run(tool, agent, flash, *options):
    return subprocess.run([tool, "run", "-B", agent.build, "--flash", flash, *options],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=WAIT)


def test_a_server_of_the_firmware_is_reached(start_board, flash, board_name):
    ports = [free_port(), free_port()]
    options = () if board_name == "linux" else [
        word for port in ports for word in ("--forward", f"{port}:{PORT + ports.index(port)}")]
    board = start_board(flash, *options)
    for number, port in enumerate(ports):
        board.expect(r"agent: ready")
        inside = port if board_name == "linux" else PORT + number
        board.send(f"listen {inside}")
        board.expect(r"agent: listening")
        messages = [b"x", b"hello board\n", bytes(range(256)) * 40]
        assert talk(port, messages) == messages
        total = sum(map(len, messages))
        board.expect(rf"agent: echoed {total}\n")


@pytest.mark.parametrize("value", ["8070", ":8070", "8070:", "0:80", "80:0", "65536:80", "80:65536",
                                   "1:2:3", "a:b", "-1:80", "+80:80", "", "1234567890:1"])
def test_what_is_no_pair_of_ports_is_refused_by_name(tool, agent, flash, value):
    result = run(tool, agent, flash, "--forward", value)
    assert result.returncode == 2
    assert f"--forward: {value}: must be HOST:BOARD, two ports from 1 to 65535" in result.stdout


def test_more_forwards_than_there_can_be_are_refused(tool, agent, flash):
    result = run(tool, agent, flash, *["--forward", "8070:80"] * 9)
    assert result.returncode == 2
    assert "--forward: at most 8" in result.stdout


def test_a_board_on_this_machines_own_network_says_that_it_has_no_use_for_it(tool, agent, flash,
                                                                             board_name):
    if board_name != "linux":
        pytest.skip("this board has a network of its own")
    result = run(tool, agent, flash, "--forward", "8070:80")
    assert result.returncode == 1
    assert "--forward: a linux board is on this machine's own network" in result.stdout


def test_a_port_in_use_is_named(tool, agent, flash, board_name):
    if board_name == "linux":
        pytest.skip("nothing is forwarded to this board")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = run(tool, agent, flash, "--forward", f"{port}:80")
    assert result.returncode == 1
    assert f"port {port} of 127.0.0.1 cannot be forwarded: Address already in use" in result.stdout
