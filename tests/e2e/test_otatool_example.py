# SPDX-License-Identifier: Apache-2.0
"""examples/otatool: what boots is changed from the host, and the board does as it was told."""

import os
import re
import subprocess
import sys

import pytest

from harness import build, images
from harness.board import Board, copy_flash

SOURCE = build.ROOT / "examples/otatool"


@pytest.fixture(scope="module")
def example(board_name):
    firmware = build.Firmware(SOURCE, board_name)
    firmware.v2 = firmware.version("2")
    firmware.v1 = firmware.version("1")
    firmware.factory = firmware.flash(firmware.images / "factory.flash")
    return firmware


@pytest.fixture
def flash(example, tmp_path):
    return copy_flash(example.factory, tmp_path / "flash.bin")


@pytest.fixture
def on_board(tool, example, flash, tmp_path):
    """Runs a verb of the tool on the board; returns what it printed on stdout."""

    def run(verb, *words, status=0):
        done = subprocess.run([tool, verb, "-B", example.build, "--flash", flash,
                               *map(str, words)], text=True, capture_output=True, cwd=tmp_path)
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout if status == 0 else done.stderr

    return run


@pytest.fixture
def boot(tool, example, flash):
    """Boots once; returns the label that runs, and the console."""

    def run():
        with Board(tool, example.build, flash, example.target) as board:
            board.expect("OTA Tool Example")
            label = board.expect(r"Running partition: (\S+)\n").group(1)
            board.expect("Example end")
            return label, board.seen()

    return run


@pytest.mark.parametrize("script", ["otatool_example.py", "otatool_example.sh"])
def test_the_scripts_of_the_example_do_what_they_say(tool, example, flash, script):
    interpreter = [sys.executable] if script.endswith(".py") else ["sh"]
    run = subprocess.run([*interpreter, SOURCE / script, "--build-dir", example.build, "--flash",
                          flash], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                         env=dict(os.environ, AIRLIFT_TOOL=str(tool)))
    assert run.returncode == 0, run.stdout
    assert re.findall(r"^(\S+) runs$", run.stdout, re.M) == ["factory", "ota_0", "ota_1", "ota_0",
                                                             "factory"]
    assert run.stdout.endswith("Example done\n")


@pytest.mark.parametrize("script", ["otatool_example.py", "otatool_example.sh"])
def test_the_scripts_end_with_a_message_when_something_is_missing(tool, tmp_path, script):
    def run(*words, program=tool):
        interpreter = sys.executable if script.endswith(".py") else "sh"
        return subprocess.run([interpreter, SOURCE / script, *words], text=True,
                              capture_output=True, env=dict(os.environ, AIRLIFT_TOOL=str(program)))

    failed = run("--build-dir", tmp_path, "--flash", tmp_path / "no.bin")
    assert failed.returncode == 1
    assert f"{tmp_path}/no.bin: No such file" in failed.stderr
    assert "Traceback" not in failed.stderr
    failed = run("--build-dir", tmp_path, program=tmp_path / "no_airlift")
    assert failed.returncode != 0
    assert "no_airlift" in failed.stderr and "Traceback" not in failed.stderr
    asked = run("--help")
    assert asked.returncode == 0 and asked.stdout.startswith("usage: otatool_example")


def test_the_slot_that_was_switched_to_boots_with_what_was_written_there(on_board, boot, example,
                                                                        flash):
    on_board("otatool", "write_ota_partition", "--slot", 1, "--input", example.v2)
    on_board("otatool", "switch_ota_partition", "--slot", 1)
    label, console = boot()
    assert label == "ota_1"
    assert "factory: otatool version 1\n" in console
    assert "ota_0: no application\n" in console
    assert "ota_1: otatool version 2, the boot records' choice\n" in console
    # Nothing to boot in the slot chosen next: the one before it in the table runs.
    on_board("otatool", "switch_ota_partition", "--name", "ota_0")
    assert boot()[0] == "factory"
    on_board("otatool", "write_ota_partition", "--name", "ota_0", "--input", example.v1)
    on_board("otatool", "switch_ota_partition", "--name", "ota_0")
    assert boot()[0] == "ota_0"
    on_board("otatool", "read_ota_partition", "--slot", 0, "--output", "slot.bin")
    assert images.Flash(flash).read("ota_0") == (flash.parent / "slot.bin").read_bytes()
    on_board("otatool", "erase_ota_partition", "--slot", 0)
    assert images.Flash(flash).read("ota_0") == b"\xff" * images.Flash(flash).partitions["ota_0"][1]
    on_board("otatool", "erase_otadata")
    assert boot()[0] == "factory"


def test_a_running_board_is_refused_and_goes_on(tool, on_board, example, flash):
    with Board(tool, example.build, flash, example.target) as board:
        board.expect("Example end")
        before = flash.read_bytes()
        assert "in use" in on_board("otatool", "erase_otadata", status=1)
        assert "in use" in on_board("parttool", "erase_partition", "-n", "factory", status=1)
        assert flash.read_bytes() == before
