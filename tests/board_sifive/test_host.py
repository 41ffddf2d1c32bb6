# SPDX-License-Identifier: Apache-2.0
"""The board's plain C parts, on the host: flash driver against a strict chip, heap, cable."""

import subprocess

import pytest

from sifive_machine import ROOT, WORK, cmake_build


@pytest.mark.parametrize("program", ["test_nor", "test_block_heap", "test_lossy_wire"])
def test_host_part(program):
    build = cmake_build(ROOT / "tests/board_sifive/host", WORK / "host")
    run = subprocess.run([build / program], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                         text=True)
    assert run.returncode == 0, run.stdout
