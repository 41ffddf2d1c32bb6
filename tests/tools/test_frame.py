# SPDX-License-Identifier: Apache-2.0
"""The frame of the host program: verbs, help, exit statuses."""

import re
import subprocess

import pytest


def test_help_goes_to_stdout_and_lists_verbs(airlift):
    result = airlift("--help")
    assert "partition-table" in result.stdout and "Exit status" in result.stdout
    assert result.stderr == ""


def test_no_verb_is_a_usage_error(airlift):
    assert "usage" in airlift(status=2).stderr


def test_version_is_one_line(airlift):
    assert re.fullmatch(r"airlift \S+\n", airlift("--version").stdout)


def test_unknown_verb_is_named(airlift):
    assert "airlift: frobnicate: no such verb" in airlift("frobnicate", status=2).stderr


VERBS = [("image",), ("image", "info"), ("image", "build"), ("partition-table",),
         ("partition-table", "show"), ("partition-table", "gen"), ("partition-table", "convert"),
         ("otadata",), ("otadata", "show"), ("check-sizes",)]


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
def test_every_verb_has_help_with_exit_statuses(airlift, verb):
    text = airlift(*verb, "--help").stdout
    assert text.startswith("usage: airlift " + " ".join(verb))
    assert "Exit status" in text
    assert max(map(len, text.splitlines())) <= 100


@pytest.mark.parametrize("verb", [v for v in VERBS if v not in (("image",), ("partition-table",),
                                                                ("otadata",))], ids=" ".join)
def test_unknown_options_are_usage_errors_that_point_at_the_help(airlift, verb):
    result = airlift(*verb, "--frobnicate", status=2)
    assert "--frobnicate" in result.stderr
    assert "See `airlift " + " ".join(verb) + " --help`" in result.stderr


def test_no_colour_where_nobody_watches(airlift):
    result = airlift("image", "info", "nothing", status=1, env={"NO_COLOR": ""})
    assert "\033" not in result.stderr
    assert "airlift: nothing: cannot be opened: No such file or directory" in result.stderr


def test_full_disk_is_not_success(program, fixtures):
    with open("/dev/full", "wb") as full:
        result = subprocess.run([program, "image", "info",
                                 fixtures / "esp32c3-idf4.3-app.bin"],
                                stdout=full, stderr=subprocess.PIPE, text=True)
    assert result.returncode == 1
    assert "cannot be written" in result.stderr
