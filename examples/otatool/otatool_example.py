#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Uses otatool and parttool from Python: copies the factory application into the update slots and
boots each. Stops at the first surprise."""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

AIRLIFT = os.environ.get("AIRLIFT_TOOL", "airlift")


class Device:
    """A board that is switched off, or runs for the length of one call."""

    def __init__(self, build_dir, flash):
        self.where = ["--build-dir", build_dir] + (["--flash", flash] if flash else [])

    def _airlift(self, *words, **how):
        try:
            return subprocess.run([AIRLIFT, *map(str, words)], check=True, text=True, **how)
        except subprocess.CalledProcessError:
            sys.exit(f"airlift {words[0]} failed")  # it has said why
        except OSError as error:
            sys.exit(f"{AIRLIFT}: {error.strerror}; is the program airlift in PATH?")

    def otatool(self, operation, *options):
        self._airlift("otatool", *self.where, operation, *options)

    def parttool(self, operation, *options):
        self._airlift("parttool", *self.where, operation, *options)

    def running_partition(self):
        """Boots, and returns the label that the application says."""
        run = self._airlift("run", *self.where, "--until", "Example end", "--timeout", 60,
                            stdout=subprocess.PIPE)
        return run.stdout.split("Running partition: ")[1].split()[0]

    def expect_running(self, label):
        running = self.running_partition()
        if running != label:
            sys.exit(f"{label} should run, but {running} does")
        print(f"{label} runs")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build-dir", default="build", help="default: build")
    parser.add_argument("--flash", help="the board's flash (default: flash.bin in the build folder)")
    options = parser.parse_args()
    device = Device(options.build_dir, options.flash)

    device.otatool("erase_otadata")
    device.expect_running("factory")

    with tempfile.TemporaryDirectory() as folder:
        app, copy = Path(folder, "factory.bin"), Path(folder, "slot.bin")
        device.parttool("read_partition", "--partition-type", "app", "--partition-subtype",
                        "factory", "--output", app)
        for slot in (0, 1):
            device.otatool("write_ota_partition", "--slot", slot, "--input", app)
            device.otatool("read_ota_partition", "--slot", slot, "--output", copy)
            if copy.read_bytes() != app.read_bytes():
                sys.exit(f"slot {slot} does not hold what was written")

    device.otatool("switch_ota_partition", "--slot", 0)
    device.expect_running("ota_0")
    device.otatool("switch_ota_partition", "--name", "ota_1")
    device.otatool("read_otadata")
    device.expect_running("ota_1")

    device.otatool("erase_ota_partition", "--name", "ota_1")
    device.expect_running("ota_0")

    device.otatool("erase_otadata")
    device.expect_running("factory")
    print("Example done")


if __name__ == "__main__":
    main()
