# SPDX-License-Identifier: Apache-2.0
"""The network goes wrong during a download: a pulled cable, a server that stalls, lost packets.
The update completes or fails cleanly, it never hangs; and a later one succeeds."""

import re
import subprocess
import threading

import pytest

from harness import images
from harness.board import WAIT
from harness.servers import FaultServer, respond

OTA_END = r"agent: ota (ok|failed \S+ \(0x[0-9a-f]+\))"


@pytest.fixture
def secure(certs):
    return certs / "ca_cert.pem", certs / "ca_key.pem"


@pytest.fixture
def cable(tool):
    def move(board, word):
        subprocess.run([tool, "board", "link", "--flash", board.flash, word], check=True)

    return move


class HalfWay:
    """Serves body over TLS, and stops in the middle of it until go_on() is called."""

    def __init__(self, body, secure):
        self.reached = threading.Event()
        self._resume = threading.Event()
        self.server = FaultServer(self._behave, *secure)
        self._body = body

    def _behave(self, connection, _path):
        middle = len(self._body) // 2
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(self._body)}\r\nConnection: close\r\n\r\n"
        connection.sendall(head.encode() + self._body[:middle])
        self.reached.set()
        self._resume.wait()
        connection.sendall(self._body[middle:])
        return True

    def go_on(self):
        self._resume.set()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._resume.set()
        self.server.stop()


@pytest.fixture
def half_way(agent, secure):
    with HalfWay(agent.v2.read_bytes(), secure) as server:
        yield server


@pytest.fixture
def unchanged(device):
    """Call it: the running slot and otadata are what they were when the test began."""
    flash = images.Flash(device.flash)
    before = {label: flash.read(label) for label in ("factory", "otadata")}

    def check():
        for label, content in before.items():
            assert flash.read(label) == content, f"{label} changed"

    return check


LEFT = r"E \(\d+\) esp_https_ota: (The server has sent nothing for|data read -1, errno)"


def update(device, url, timeout=WAIT):
    """The outcome of one update: "ok", or what failed. The device is ready, and is so again."""
    device.send("ota " + url)
    outcome = device.expect(OTA_END, timeout).group(1)
    device.expect(r"agent: ready")
    return outcome


def boots_version_2(device):
    device.send("restart")
    device.expect(r"agent: version 2 in ota_0")


def test_cable_pulled_and_put_back_during_a_download_which_completes(device, half_way, cable,
                                                                     host):
    device.send("ota " + half_way.server.url(host=host))
    assert half_way.reached.wait(WAIT)
    cable(device, "off")
    device.expect(r"Ethernet\(board\) Link Down")
    half_way.go_on()  # what the server sends now meets a pulled cable
    cable(device, "on")
    device.expect(r"Ethernet\(board\) Link Up")
    assert device.expect(OTA_END).group(1) == "ok"
    device.expect(r"agent: ready")
    boots_version_2(device)


def test_an_address_is_lost_with_the_link_and_had_again_with_it(device, cable):
    address = r"esp_netif_handlers: example_netif_eth ip: (\S+),"
    cable(device, "off")
    device.expect(r"Ethernet\(board\) Link Down")
    cable(device, "on")
    device.expect(r"Ethernet\(board\) Link Up")
    again = device.expect(address).group(1)
    assert again == re.search(address, device.seen()).group(1)


def test_cable_that_stays_pulled_ends_the_update_and_then_one_succeeds(device, half_way, cable,
                                                                       host, unchanged, good_server):
    device.send("ota " + half_way.server.url(host=host))
    assert half_way.reached.wait(WAIT)
    cable(device, "off")
    half_way.go_on()
    assert device.expect(OTA_END).group(1) != "ok"
    device.expect(r"agent: ready")
    assert re.search(LEFT, device.seen())
    unchanged()
    # Without a cable another attempt ends by itself, too.
    assert update(device, good_server.url("firmware.bin", host)) != "ok"
    unchanged()
    cable(device, "on")
    device.expect(r"Ethernet\(board\) Link Up")
    device.expect(r"esp_netif_handlers: example_netif_eth ip:")
    assert update(device, good_server.url("firmware.bin", host)) == "ok"
    assert device.seen().count("rst:") == 1, "the board was reset"
    boots_version_2(device)


def test_a_board_without_a_cable_waits_for_it_at_start(start_board, flash, cable, tool):
    subprocess.run([tool, "board", "link", "--flash", flash, "off"], check=True)
    board = start_board(flash)
    board.expect(r"Waiting for IP")
    cable(board, "on")
    board.expect(r"agent: ready")


def test_server_that_stalls_within_the_body_is_left_after_the_timeout(device, half_way, host,
                                                                      unchanged, good_server):
    assert update(device, half_way.server.url(host=host)) != "ok"
    assert re.search(LEFT, device.seen())
    unchanged()
    assert update(device, good_server.url("firmware.bin", host)) == "ok"


def frames_lost(board):
    """Of a board that was stopped. On linux packets are lost in the kernel, which does not say how
    many."""
    return re.search(r"network: (\d+) of (\d+) frames lost", board.seen()).groups()


@pytest.mark.parametrize("attempt", range(3))
def test_update_with_5_percent_of_the_packets_lost(start_board, flash, good_server, host, attempt,
                                                   board_name):
    board = start_board(flash, "--loss", "5")
    board.expect(r"agent: ready")
    url = good_server.url("firmware.bin", host)
    # It may give up, but not as a rule.
    assert any(update(board, url, timeout=300) == "ok" for _ in range(3)), board.seen()
    boots_version_2(board)
    board.stop()
    if board_name == "sifive_u":
        lost, frames = map(int, frames_lost(board))
        assert frames / 100 < lost < frames / 10


def test_update_over_a_hopeless_network_ends_and_a_good_one_makes_up_for_it(
        start_board, flash, good_server, host):
    url = good_server.url("firmware.bin", host)
    with start_board(flash, "--loss", "25") as board:
        board.expect(r"agent: ready", timeout=300)
        outcome = update(board, url, timeout=600)
        assert board.seen().count("rst:") == 1, "the board was reset"
    board = start_board(flash)
    if outcome == "ok":
        board.expect(r"agent: version 2 in ota_0")
        return
    board.expect(r"agent: version 1 in factory")
    board.expect(r"agent: ready")
    assert update(board, url) == "ok"
    boots_version_2(board)


def test_a_server_whose_answers_never_arrive_is_left_after_the_timeout(start_board, flash,
                                                                       good_server, host,
                                                                       board_name):
    if board_name == "sifive_u":
        pytest.skip("this board gets its address over the network; its test is the pulled cable")
    board = start_board(flash, "--loss", "100")
    board.expect(r"agent: ready")
    assert update(board, good_server.url("firmware.bin", host)) != "ok"


def test_the_tool_shows_the_cable_and_takes_only_off_and_on(tool, flash):
    def link(*words):
        return subprocess.run([tool, "board", "link", "--flash", flash, *words], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    assert link().stdout == "on\n"
    assert link("off").returncode == 0
    assert link().stdout == "off\n"
    for words, told in ((["sideways"], "sideways: must be off or on"), (["off", "on"], "on: not")):
        wrong = link(*words)
        assert wrong.returncode == 2 and told in wrong.stdout
    assert link().stdout == "off\n"
