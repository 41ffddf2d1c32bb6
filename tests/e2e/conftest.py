# SPDX-License-Identifier: Apache-2.0
"""What every end-to-end test stands on: the tool, certificates, firmware versions, a board."""

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))

from harness import build, servers  # noqa: E402
from harness.board import Board, copy_flash  # noqa: E402

BOARDS = os.environ.get("AIRLIFT_TEST_BOARDS", "linux").split()

# Where the machine that runs the tests is, seen from the board.
HOST = {"linux": "127.0.0.1", "sifive_u": "10.0.2.2"}


@pytest.fixture(scope="session", params=BOARDS)
def board_name(request):
    return request.param


@pytest.fixture(scope="session")
def host(board_name):
    return HOST[board_name]


@pytest.fixture(scope="session")
def tool():
    program = build.tool()
    if not program.exists():
        pytest.exit(f"{program} is not built: run `make tool`", returncode=2)
    return program


@pytest.fixture(scope="session")
def certs(tool):
    return build.certificates()


@pytest.fixture(scope="session")
def ecdsa_certs(tool):
    return build.certificates("server-ecdsa", key="ecdsa-p256")


@pytest.fixture(scope="session")
def agent(board_name, certs, ecdsa_certs):
    """tests/apps/ota_agent, versions 1 and 2 built; the build folder ends at version 1. It trusts
    certs and ecdsa_certs."""
    trust = build.trusting("trust", certs, ecdsa_certs)
    firmware = build.Firmware(build.ROOT / "tests/apps/ota_agent", board_name, certs=trust)
    firmware.v2 = firmware.version("2")
    firmware.v1 = firmware.version("1")
    firmware.factory = firmware.flash(firmware.images / "factory.flash")
    return firmware


@pytest.fixture
def flash(agent, tmp_path):
    """A board's flash with version 1 in factory, fresh for this test."""
    return copy_flash(agent.factory, tmp_path / "flash.bin")


@pytest.fixture
def start_board(tool, agent, board_name):
    """Starts boards and stops them when the test ends."""
    running = []

    def start(flash, *options):
        board = Board(tool, agent.build, flash, board_name, options)
        running.append(board)
        return board

    yield start
    for board in running:
        board.stop()


@pytest.fixture
def device(start_board, flash):
    """A board with version 1 running, waiting for a command."""
    board = start_board(flash)
    board.expect(r"agent: ready")
    return board


@pytest.fixture
def served(agent, tmp_path):
    """A folder with version 2 as firmware.bin."""
    folder = tmp_path / "served"
    folder.mkdir()
    (folder / "firmware.bin").write_bytes(agent.v2.read_bytes())
    return folder


@pytest.fixture
def good_server(tool, served, certs):
    with servers.airlift_serve(tool, served, certs) as server:
        yield server
