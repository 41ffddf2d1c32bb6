# SPDX-License-Identifier: Apache-2.0
"""Ctrl-C while `airlift powercut --board` sweeps leaves a report, and nothing in the way."""

import json
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import pytest
from engine import build

from harness.board import WAIT

MAIN = """#include <stdio.h>

#include "nvs_flash.h"

void app_main(void)
{
    nvs_handle_t nvs;
    ESP_ERROR_CHECK(nvs_flash_init());
    ESP_ERROR_CHECK(nvs_open("settings", NVS_READWRITE, &nvs));
    for (unsigned i = 0; i < 200; i++) {
        ESP_ERROR_CHECK(nvs_set_u32(nvs, "n", i));
    }
    printf("all is written\\n");
}
"""


@pytest.fixture
def project(tmp_path):
    folder = tmp_path / "writer"
    (folder / "main").mkdir(parents=True)
    (folder / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.22)\n"
        "include($ENV{IDF_PATH}/tools/cmake/project.cmake)\n"
        "idf_build_set_property(MINIMAL_BUILD ON)\nproject(writer)\n")
    (folder / "main" / "CMakeLists.txt").write_text(
        'idf_component_register(SRCS "main.c" PRIV_REQUIRES app_update nvs_flash)\n')
    (folder / "main" / "main.c").write_text(MAIN)
    return folder


def test_an_interrupted_sweep_of_the_board_leaves_a_report_and_no_files(project, tmp_path):
    with tempfile.TemporaryDirectory(dir="/tmp") as temporary:  # the name has to be short
        process = subprocess.Popen(
            [build.tool(), "powercut", "-C", project, "--board", "--until", "all is written",
             "--json", tmp_path / "r.json"], text=True, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**build.environment(IDF_TARGET="linux"), "TMPDIR": temporary})
        while process.poll() is None and not trials(temporary):
            time.sleep(0.05)
        assert process.poll() is None, process.stdout.read()
        process.send_signal(signal.SIGINT)
        console = process.communicate(timeout=WAIT)[0]
        assert process.returncode == 130, console
        assert not list(Path(temporary).glob("airlift-powercut-*"))
    found = json.loads((tmp_path / "r.json").read_text())
    assert found["interrupted"]
    assert found["scenarios"][0]["status"] == "interrupted"
    assert found["scenarios"][0]["seconds"] > 0


def trials(temporary):
    """Files of trials behind the uncut one, which has number 0."""
    return list(Path(temporary).glob("airlift-powercut-*/[1-9]*.flash"))
