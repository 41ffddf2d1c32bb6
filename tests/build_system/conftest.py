# SPDX-License-Identifier: Apache-2.0
"""What the tests of the build system stand on: small projects, built with `airlift build`."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))

from harness import build  # noqa: E402

CMAKELISTS = """cmake_minimum_required(VERSION 3.22)
{before}
include($ENV{{IDF_PATH}}/tools/cmake/project.cmake)
{between}
project({project})
{after}
"""
MAIN_C = "void app_main(void)\n{\n}\n"


class Project:
    """A project folder with a main component; build() runs airlift in it."""

    def __init__(self, folder):
        self.folder = folder
        self.out = folder / "build"
        self.cmakelists()
        self.write("main/CMakeLists.txt", 'idf_component_register(SRCS "main.c")\n')
        self.write("main/main.c", MAIN_C)
        self.write("version.txt", "7\n")

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(text, bytes):
            path.write_bytes(text)
        else:
            path.write_text(text)
        return path

    def cmakelists(self, before="", between="idf_build_set_property(MINIMAL_BUILD ON)",
                   project="small", after=""):
        self.write("CMakeLists.txt", CMAKELISTS.format(before=before, between=between,
                                                       project=project, after=after))

    def build(self, *words, status=0, env=None):
        """Output of `airlift build`. Without a target only the partition table is made, which
        configures the whole project and compiles nothing."""
        environment = {key: value for key, value in os.environ.items()
                       if key not in ("IDF_TARGET", "SDKCONFIG_DEFAULTS", "AIRLIFT_SAN")}
        run = subprocess.run([build.tool(), "build", "-C", self.folder,
                              *(words or ["partition-table"])],
                             env=dict(environment, **(env or {})), text=True,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert run.returncode == status, run.stdout
        return run.stdout

    def description(self):
        return json.loads((self.out / "project_description.json").read_text())

    def config(self):
        return json.loads((self.out / "config/sdkconfig.json").read_text())


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path / "project")


@pytest.fixture(scope="session")
def make_project(tmp_path_factory):
    return lambda name: Project(tmp_path_factory.mktemp(name))
