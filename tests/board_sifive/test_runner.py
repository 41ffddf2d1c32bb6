# SPDX-License-Identifier: Apache-2.0
"""The runner on the host: console, exit statuses, pins, resets, and no emulator left behind."""

import os
import select
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from sifive_machine import QEMU, ROOT, WAIT, WORK, Machine, cmake_build, free_port

DONE, FAILED, NOT_BOOTABLE, NO_BOOTLOADER, RESET_LIMIT, TIMEOUT, DIED = 0, 1, 3, 4, 6, 7, 8


@pytest.fixture(scope="session")
def host():
    return cmake_build(ROOT / "tests/board_sifive/host", WORK / "host")


class Run(Machine):
    """A runner instead of a bare emulator."""

    def __init__(self, host, rom, flash, *options, **env):
        self.flash = flash
        self.output = ""
        self._seen = 0
        self.process = subprocess.Popen(
            [host / "run_board", flash, rom, *options], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=dict(os.environ, **env))

    def emulators(self):
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [int(pid) for pid in children.split()]


def running(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def wait_gone(pid):
    """The kernel ends the emulator with its parent; nothing tells a stranger when."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    assert select.select([handle], [], [], WAIT)[0], "the emulator goes on without its runner"
    os.close(handle)


@pytest.fixture
def run(host, rom):
    started = []

    def start(flash, *options, **env):
        started.append(Run(host, rom, flash, *options, **env))
        return started[-1]

    yield start
    for one in started:
        one.stop()


@pytest.fixture
def board(run, make_flash, boot_image):
    one = run(make_flash({0: boot_image}))
    one.expect("probe_boot ready")
    return one


def test_blank_flash_ends_the_run_with_its_own_status(run, make_flash):
    one = run(make_flash({}))
    one.expect("invalid header: 0xffffffff")
    one.expect("no valid bootloader in flash")
    assert one.process.wait(WAIT) == NO_BOOTLOADER


def test_nothing_bootable_switches_the_board_off(board):
    board.send("reset 64")
    board.expect("nothing bootable")
    assert board.process.wait(WAIT) == NOT_BOOTABLE


def test_a_matching_line_ends_the_run(run, make_flash, boot_image):
    one = run(make_flash({0: boot_image}), RUN_UNTIL="^probe_boot")
    assert one.process.wait(WAIT) == DONE


def test_resets_are_counted_and_limited(run, make_flash, boot_image):
    one = run(make_flash({0: boot_image}), RUN_MAX_RESETS="1")
    one.expect("probe_boot ready")
    one.send("reset 3")
    one.expect(r"rst:0x3 \(SOFTWARE\)")
    one.expect("probe_boot ready")
    one.send("reset 4")
    one.expect("reset limit of 1 reached")
    assert one.process.wait(WAIT) == RESET_LIMIT


def test_time_limit(run, make_flash, boot_image):
    one = run(make_flash({0: boot_image}), RUN_TIMEOUT="1.5")
    one.expect("time is up")
    assert one.process.wait(WAIT) == TIMEOUT


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_the_emulator_ends_with_its_runner(board, number):
    (emulator,) = board.emulators()
    assert running(emulator)
    board.process.send_signal(number)
    status = board.process.wait(WAIT)
    wait_gone(emulator)
    assert status == (-number if number == signal.SIGKILL else DONE)


def test_what_the_board_has_programmed_is_in_the_file_when_it_is_switched_off(
        run, make_flash, boot_image, tmp_path):
    # A slow disk: one write a second reaches the file.
    slow = tmp_path / "slow-qemu"
    slow.write_text(f"""#!/bin/bash
words=("$@")
for i in "${{!words[@]}}"; do
    [[ ${{words[i]}} != if=mtd,* ]] || words[i]+=,iops_wr=1
done
exec {QEMU} "${{words[@]}}"
""")
    slow.chmod(0o755)
    flash = make_flash({0: boot_image})
    board = run(flash, RUN_QEMU=str(slow))
    board.expect("probe_boot ready")
    board.ask("size")
    for page in range(4):
        assert board.ask(f"program {0x100000 + page * 256} 256") == "program 0"
    board.process.terminate()
    assert board.process.wait(WAIT) == DONE
    with open(flash, "rb") as file:
        file.seek(0x100000)
        assert b"\xff" * 16 not in file.read(4 * 256)


def test_a_killed_emulator_is_told(board):
    os.kill(board.emulators()[0], signal.SIGKILL)
    board.expect("the emulator was ended by signal 9")
    assert board.process.wait(WAIT) == DIED


def test_missing_emulator_names_the_package(run, make_flash, boot_image):
    one = run(make_flash({0: boot_image}), RUN_QEMU="qemu-nowhere")
    one.expect("qemu-nowhere is missing: install the package qemu-system-misc")
    assert one.process.wait(WAIT) == FAILED


def test_a_flash_file_of_another_size_is_refused(run, tmp_path):
    flash = tmp_path / "small.bin"
    flash.write_bytes(b"\xff" * (4 << 20))
    one = run(flash)
    one.expect("4096 KiB; this board's flash chip has 32768 KiB")
    assert one.process.wait(WAIT) == FAILED


def test_a_board_in_use_is_refused(board, run):
    other = run(board.flash)
    other.expect("in use by another process")
    assert other.process.wait(WAIT) == FAILED


def test_seeds_differ_from_run_to_run(run, make_flash, boot_image):
    flash = make_flash({0: boot_image})
    seen = set()
    for _ in range(2):
        one = run(flash)
        one.expect("probe_boot ready")
        words = [one.ask(f"load {0x08005010 + 4 * i}") for i in range(4)]
        assert "load 0" not in words
        seen.add(tuple(words))
        one.stop()
    assert len(seen) == 2


def move_pin(host, board, pin, drive):
    subprocess.run([host / "move_pin", board.flash, str(pin), drive], check=True)


def test_outside_levels_beat_pulls_reach_a_running_board_and_survive_a_reset(board, host):
    board.ask("pin 3 1 1")
    assert board.ask("get 3") == "level 1"
    move_pin(host, board, 3, "0")
    board.send("wait_level 3 0")
    board.expect("= level 0")
    assert board.ask("pin 3 1 1") == "pin 0"
    assert board.ask("get 3") == "level 0"
    board.send("reset 3")
    board.expect("probe_boot ready")
    assert board.ask("pin 3 1 1") == "pin 0"
    assert board.ask("get 3") == "level 0"
    move_pin(host, board, 3, "z")
    board.send("wait_level 3 1")
    board.expect("= level 1")
    move_pin(host, board, 4, "1")
    assert board.ask("pin 4 1 2") == "pin 0"
    board.send("wait_level 4 1")
    board.expect("= level 1")
    # The reset line is not for the outer world to move.
    move_pin(host, board, 10, "0")
    assert board.ask("reason") == "reason 3"


def test_a_host_port_leads_to_the_board(run, make_flash, boot_image):
    port = free_port()
    one = run(make_flash({0: boot_image}), f"{port}:8070")
    one.expect("probe_boot ready")
    with socket.create_connection(("127.0.0.1", port), WAIT):
        pass
