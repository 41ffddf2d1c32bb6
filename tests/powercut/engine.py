# SPDX-License-Identifier: Apache-2.0
"""`airlift powercut` on the project in this folder, in each of its configurations."""

import json
import os
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))

from harness import build  # noqa: E402

PROJECT = Path(__file__).parent / "project"
WORK = build.WORK / "powercut"

# Between them they fit every scenario.
CONFIGURATIONS = ("plain", "rollback", "attempts", "anti_rollback")


def folder(configuration):
    return WORK / configuration


def powercut(configuration, *arguments, project=PROJECT, **options):
    """Runs the verb; its output goes to the terminal unless options say otherwise."""
    where = folder(configuration)
    where.mkdir(parents=True, exist_ok=True)
    defaults = f"sdkconfig.{configuration}"
    if os.environ.get("AIRLIFT_SAN") == "1":
        defaults += f";{Path(__file__).parent / 'sdkconfig.sanitized'}"
    env = build.environment(IDF_TARGET="linux", SDKCONFIG_DEFAULTS=defaults)
    return subprocess.run(
        [build.tool(), "powercut", "-C", project, "-B", where / "build",
         "-D", f"SDKCONFIG={where}/sdkconfig", *arguments], env=env, text=True, **options)


def captured(configuration, *arguments, **options):
    """The same with its output in .stdout."""
    return powercut(configuration, *arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                    **options)


def report(path):
    return json.loads(Path(path).read_text())
