# SPDX-License-Identifier: Apache-2.0
"""Boards with the smallest possible firmware (tools/harness/probe.py). AIRLIFT_TEST_BOARDS names
the boards; tests of what only the linux board has take it alone."""

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))

from harness import build  # noqa: E402
from harness.probe import Device, Firmware  # noqa: E402

BOARDS = os.environ.get("AIRLIFT_TEST_BOARDS", "linux").split()


@pytest.fixture(scope="session")
def tool():
    program = build.tool()
    if not program.exists():
        pytest.exit(f"{program} is not built: run `make tool`", returncode=2)
    return program


@pytest.fixture(scope="session", params=BOARDS)
def board_name(request):
    return request.param


@pytest.fixture(scope="session")
def make_firmware(tool):
    """Builds a configuration for a board, once."""
    made = {}

    def make(board, name, config=()):
        if (board, name) not in made:
            firmware = Firmware(tool, build.WORK / "board" / board / name, config, board)
            firmware.probe(1)
            firmware.probe(2)
            made[board, name] = firmware
        return made[board, name]

    return make


@pytest.fixture(scope="session")
def firmware(make_firmware, board_name):
    return make_firmware(board_name, "plain")


@pytest.fixture
def device(firmware, tmp_path):
    """A flashed board: probe 1 in factory, otadata blank, OTA slots empty."""
    made = Device(firmware, tmp_path)
    made.verb("flash")
    return made
