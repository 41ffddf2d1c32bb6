# SPDX-License-Identifier: Apache-2.0
"""`airlift powercut` says what is wrong with what it was asked before it begins to work."""

import subprocess

import pytest
from engine import build, captured


def refused(*arguments, cwd):
    """Run in a folder that is no project: whoever looks at that first says something else."""
    return subprocess.run([build.tool(), "powercut", *arguments], cwd=cwd, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def test_a_pattern_that_is_none_is_refused_before_anything_is_built(tmp_path):
    run = refused("--board", "--until", "(", cwd=tmp_path)
    assert run.returncode == 2, run.stdout
    assert "--until: (: " in run.stdout


@pytest.mark.parametrize("option", ["--json", "--svg"])
def test_a_report_that_cannot_be_written_is_told_before_the_sweep(tmp_path, option):
    (tmp_path / "file").write_text("")
    run = refused(option, "file/report", cwd=tmp_path)
    assert run.returncode == 3, run.stdout
    assert "file/report: cannot be written: Not a directory" in run.stdout
    run = refused(option, str(tmp_path), cwd=tmp_path)
    assert run.returncode == 3
    assert f"{tmp_path}: cannot be written: Is a directory" in run.stdout


def test_a_flash_that_is_not_there_is_named(tmp_path):
    run = captured("rollback", "--board", "--until", "x", "--flash", tmp_path / "no.bin")
    assert run.returncode == 3, run.stdout
    assert f"{tmp_path}/no.bin: no board" in run.stdout
    assert "No such file" in run.stdout


def test_where_nothing_was_tried_nothing_is_reported():
    run = captured("rollback", "nonsense")
    assert run.returncode == 3, run.stdout
    assert "nonsense: no such scenario" in run.stdout
    assert "failures" not in run.stdout and "cut points" not in run.stdout


def test_a_board_that_changes_nothing_before_the_line_is_no_success():
    run = captured("rollback", "--board", "--until", "2nd stage bootloader")
    assert run.returncode == 1, run.stdout
    assert "comes before the first flash operation" in run.stdout
