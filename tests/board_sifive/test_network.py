# SPDX-License-Identifier: Apache-2.0
"""The Ethernet driver, against the emulator's user-mode network."""

import json
import socket

import pytest


@pytest.fixture
def network(app_with, tmp_path):
    one = app_with("-nic", "user,id=n0,mac=52:54:00:ab:cd:ef",
                   "-qmp", f"unix:{tmp_path / 'qmp'},server=on,wait=off")
    one.qmp_path = tmp_path / "qmp"
    return one


def test_mac_address_and_link(network):
    assert network.ask("net") == "net 0 mac 525400abcdef link 1"
    assert network.ask("net").startswith("net 103 ")


def test_gateway_answers_arp_and_interrupts_arrive(network):
    network.ask("net")
    assert network.ask("arp").startswith("arp op 2 ")
    assert int(network.ask("link").split()[-1]) >= 1


@pytest.mark.parametrize("size", [0, 2, 18, 1000, 1472])
def test_frames_of_every_size_come_back_unchanged(network, size):
    network.ask("net")
    network.ask("arp")
    assert network.ask(f"ping 20 {size} 1") == "ping sent 20 answers 20 wrong 0"


def test_rings_wrap_under_bursts(network):
    network.ask("net")
    network.ask("arp")
    assert network.ask("ping 200 700 6") == "ping sent 200 answers 200 wrong 0"


def test_running_out_of_receive_buffers_loses_frames_but_not_the_link(network):
    network.ask("net")
    network.ask("arp")
    network.send("flood 40")
    assert 1 <= int(network.expect(r"fetched (\d+)").group(1)) <= 40
    assert network.expect(r"= (.*)\n").group(1) == "ping sent 1 answers 1 wrong 0"


def test_link_follows_the_cable(network):
    assert network.ask("net").endswith("link 1")
    with socket.socket(socket.AF_UNIX) as qmp:
        qmp.connect(str(network.qmp_path))
        stream = qmp.makefile("rw")
        stream.readline()

        def command(verb, **arguments):
            stream.write(json.dumps({"execute": verb, "arguments": arguments}) + "\n")
            stream.flush()
            while "return" not in (answer := json.loads(stream.readline())):
                assert "error" not in answer, answer

        command("qmp_capabilities")
        command("set_link", name="n0", up=False)
        assert network.ask("link").startswith("link 0")
        command("set_link", name="n0", up=True)
        assert network.ask("link").startswith("link 1")
    network.ask("arp")
    assert network.ask("ping 3 64 1") == "ping sent 3 answers 3 wrong 0"
