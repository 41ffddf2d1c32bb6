# SPDX-License-Identifier: Apache-2.0
"""Anti-rollback over emulated eFuses: a confirmed update with a higher secure version burns it, and
firmware of a lower one is refused from then on, at download and at boot, wherever power was cut."""

import random
import shutil
import struct
import subprocess
import zlib

import pytest

from harness import build, images, servers
from harness.board import Board, BoardError, copy_flash

VALID = 2
POWER_CUT = 5


@pytest.fixture(scope="module")
def agent(board_name, certs):
    """tests/apps/secure_agent: version 1 in the flash has secure version 0, version 2 has 1, and
    version 3 has 0 again."""
    firmware = build.Firmware(build.ROOT / "tests/apps/secure_agent", board_name, certs=certs)
    firmware.v3 = firmware.version("3")
    plain = firmware.version("2")
    firmware.v2 = plain.with_name("2-secure.bin")
    firmware.v2.write_bytes(images.with_secure_version(plain.read_bytes(), 1))
    firmware.v1 = firmware.version("1")
    firmware.first = firmware.flash(firmware.images / "first.flash")
    return firmware


@pytest.fixture(scope="module")
def server(tool, agent, certs, tmp_path_factory):
    folder = tmp_path_factory.mktemp("served")
    shutil.copy(agent.v2, folder / "2.bin")
    shutil.copy(agent.v3, folder / "3.bin")
    with servers.airlift_serve(tool, folder, certs) as source:
        yield source


@pytest.fixture
def flash(agent, tmp_path):
    return copy_flash(agent.first, tmp_path / "flash.bin")


def started(board, version):
    """Waits until that version runs and wants a command."""
    match = board.expect(rf"agent: version ({version}) secure \d in (ota_\d)")
    board.expect(r"agent: ready")
    return match


def ask(board, command, answer):
    board.send(command)
    match = board.expect("agent: " + answer)
    board.expect(r"agent: ready")
    return match


def update(board, server, host, name):
    ask(board, "ota " + server.url(name, host), "ota ok")
    board.send("restart")


def confirm(board):
    return ask(board, "confirm", r"confirm (\w+)\n").group(1)


def fuses(flash):
    """The secure version in a flash at rest, and that nothing else is in its partition."""
    content = images.Flash(flash).read("emul_efuse")
    assert content[352:] == b"\xff" * (len(content) - 352)
    field = int.from_bytes(content[17:21], "little") >> 6 & 0xFFFF
    expected = bytearray(352)
    expected[16:20] = struct.pack("<I", field << 14)
    assert content[:352] == expected
    return bin(field).count("1")


def choose(flash, label, seq):
    """Writes a confirmed record for a slot, as whoever has the flash in hand can."""
    image = images.Flash(flash)
    offset, size = image.partitions["otadata"]
    crc = zlib.crc32(struct.pack("<I", seq), 0xFFFFFFFF)
    record = struct.pack("<I20sII", seq, b"\xff" * 20, VALID, crc)
    with open(flash, "r+b") as file:
        file.seek(offset)
        file.write(b"\xff" * size)
        file.seek(offset)
        file.write(record)


def test_a_version_step_burns_and_older_firmware_is_refused_for_good(
        agent, flash, start_board, server, host):
    board = start_board(flash)
    board.expect(r"Enabled a check secure version of app for anti rollback")
    board.expect(r"Secure version \(from eFuse\) = 0\n")
    assert started(board, 1).group(2) == "ota_0"
    update(board, server, host, "2.bin")
    board.expect(r"Secure version:   1\n")
    booted = board.mark()
    assert started(board, 2).group(2) == "ota_1"
    ask(board, "secure", "secure version 0 of the chip")
    # It is on trial: it was not confirmed, and this build says so after a second, wherever that is
    # among the answers.
    board.expect_since(booted, r"W \(\d+\) esp_ota_ops: this update was not confirmed in 1 s")
    assert confirm(board) == "ESP_OK"
    assert "efuse: Anti-rollback is set. eFuse field is updated(1)." in board.seen()
    ask(board, "secure", "secure version 1 of the chip")

    # At download.
    ask(board, "ota " + server.url("3.bin", host), "ota failed ESP_ERR_OTA_SMALL_SEC_VER")
    assert ("secure version is lower than stored in efuse. Partition will be erased." in
            board.seen())
    # The emulator writes behind: look when the board is off.
    board.stop()
    assert fuses(flash) == 1
    assert images.Flash(flash).read("ota_0", 4096) == b"\xff" * 4096

    # At boot.
    offset = images.Flash(flash).partitions["ota_0"][0]
    with open(flash, "r+b") as file:
        file.seek(offset)
        file.write(agent.v1.read_bytes())
    choose(flash, "ota_0", 7)
    board = start_board(flash)
    board.expect(r"Secure version \(from eFuse\) = 1\n")
    assert started(board, 2).group(2) == "ota_1"


def test_an_unconfirmed_version_step_burns_nothing_and_goes_back(flash, start_board, server, host):
    board = start_board(flash)
    started(board, 1)
    update(board, server, host, "2.bin")
    started(board, 2)
    board.send("restart")
    started(board, 1)
    board.stop()
    assert fuses(flash) == 0


class Step:
    """Boards on which version 2 was chosen and has not been started yet."""

    def __init__(self, tool, agent, server, host, folder):
        self.tool, self.agent, self.server, self.host = tool, agent, server, host
        self.start = copy_flash(agent.first, folder / "start.flash")
        with self.board(self.start) as board:
            started(board, 1)
            ask(board, "ota " + server.url("2.bin", host), "ota ok")
        self.flash = folder / "flash.bin"

    def board(self, flash, *options):
        return Board(self.tool, self.agent.build, flash, self.agent.target, options)

    def judge(self, confirmed):
        """After a cut: something boots, the version never falls, the step comes to its end, and
        nothing older is accepted then. confirmed: the board had said that the step was made."""
        with self.board(self.flash) as board:
            burnt = int(board.expect(r"Secure version \(from eFuse\) = (\d)").group(1))
            version = started(board, r"\d").group(1)
            if confirmed or burnt:
                assert version == "2"
            if confirmed:
                assert burnt == 1
            if version == "1":
                update(board, self.server, self.host, "2.bin")
                started(board, 2)
            assert confirm(board) == "ESP_OK"
            ask(board, "ota " + self.server.url("3.bin", self.host),
                "ota failed ESP_ERR_OTA_SMALL_SEC_VER")
        assert fuses(self.flash) == 1


@pytest.fixture
def step(tool, agent, server, host, tmp_path):
    return Step(tool, agent, server, host, tmp_path)


def test_a_cut_at_any_flash_operation_of_a_version_step(step, board_name):
    if board_name != "linux":
        pytest.skip("only the linux board cuts inside its flash driver")
    operation, cuts = 0, 0
    while True:
        operation += 1
        for where in ("before", "1", "50%", "99%", "after"):
            copy_flash(step.start, step.flash)
            with step.board(step.flash, "--cut-at", f"{operation}:{where}") as board:
                try:
                    started(board, 2)
                    confirmed = confirm(board) == "ESP_OK"
                except BoardError:
                    confirmed = "agent: confirm ESP_OK" in board.seen()
                    assert board.wait() == POWER_CUT
                    cuts += 1
                else:
                    # No operation of this number: the whole step was seen.
                    assert cuts >= 5 * 10
                    return
            try:
                step.judge(confirmed)
            except AssertionError as error:
                raise AssertionError(f"cut at {operation}:{where}: {error}") from error


@pytest.mark.parametrize("seed", range(6))
def test_a_board_killed_at_any_moment_of_a_version_step(step, board_name, seed):
    if board_name == "linux":
        pytest.skip("cut at each flash operation above")
    copy_flash(step.start, step.flash)
    with step.board(step.flash) as board:
        started(board, 2)
        board.send("confirm")
        try:
            # About what a confirmation takes.
            board.process.wait(random.Random(seed).uniform(0, 0.06))
        except subprocess.TimeoutExpired:
            pass
        board.process.kill()
        board.wait()
        confirmed = "agent: confirm ESP_OK" in board.seen()
    step.judge(confirmed)
