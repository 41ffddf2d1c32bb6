# SPDX-License-Identifier: Apache-2.0
"""Cuts the power at every flash operation of one whole update, on the real board over HTTPS.

Each trial starts from the same flash (version 1 in factory, automatic update to version 2), cuts
before, at three points inside, or after operation N, switches the power back on and asks: does the
board boot version 1 or version 2, does an update after that succeed, and does its firmware run?
Printed at the end: cut points tried, boots, failures, and for each failure the one command that
replays it."""

import argparse
import concurrent.futures
import os
import re
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))

from harness import build, servers  # noqa: E402
from harness.board import copy_flash  # noqa: E402

# Exit statuses of `airlift run`.
MATCHED, POWER_CUT = 0, 5


class Sweep:
    def __init__(self, port):
        self.url = f"https://127.0.0.1:{port}/firmware.bin"
        self.tool = build.tool()
        self.certs = build.certificates()
        self.folder = build.WORK / "powercut"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.firmware = build.Firmware(
            build.ROOT / "tests/apps/ota_agent", name="ota_agent_auto", certs=self.certs,
            config=[f'CONFIG_AGENT_AUTO_URL="{self.url}"'])
        image = self.firmware.version("2")
        self.served = self.folder / "served"
        self.served.mkdir(exist_ok=True)
        (self.served / "firmware.bin").write_bytes(image.read_bytes())
        self.firmware.version("1")
        self.start_flash = self.firmware.flash(self.folder / "start.flash")

    def run(self, flash, *options, typed=""):
        return subprocess.run(
            [self.tool, "run", "-B", self.firmware.build, "--flash", flash, "--timeout", "60",
             *options], input=typed, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            errors="replace")

    def count(self):
        """Flash operations from power-on until version 2 has come up."""
        with tempfile.TemporaryDirectory() as folder:
            flash = copy_flash(self.start_flash, Path(folder) / "flash.bin")
            run = self.run(flash, "--count-ops", "--until", "agent: version 2 in ota_0")
            match = re.search(r"flash operations: (\d+)", run.stdout)
            if run.returncode != MATCHED or not match:
                sys.exit(f"the uncut scenario failed ({run.returncode}):\n{run.stdout}")
            return int(match.group(1))

    def trial(self, point):
        """None if the promise held, else what went wrong."""
        with tempfile.TemporaryDirectory() as folder:
            flash = copy_flash(self.start_flash, Path(folder) / "flash.bin")
            cut = self.run(flash, "--cut-at", point, "--until", "agent: version 2 in ota_0")
            if cut.returncode not in (POWER_CUT, MATCHED):
                return f"the cut run ended with {cut.returncode}:\n{cut.stdout}"
            # Version 1 updates by itself at start; then either version obeys the console.
            steps = (("no valid boot", "agent: version [12] in (factory|ota_[01])", ""),
                     ("no second update", "agent: ota ok", f"ota {self.url}\n"),
                     ("its firmware does not run", "agent: version 2 in ota_[01]", ""))
            for failure, line, typed in steps:
                run = self.run(flash, "--until", line, typed=typed)
                if run.returncode != MATCHED:
                    return f"{failure} ({run.returncode}):\n{run.stdout}"
            return None


def points(operations, every):
    for operation in range(1, operations + 1, every):
        for where in ("before", "1", "50%", "99%", "after"):
            yield f"{operation}:{where}"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--every", type=int, default=1, metavar="N",
                        help="try only every N-th flash operation (default: all)")
    parser.add_argument("--replay", metavar="POINT", help="one cut point, with its console")
    parser.add_argument("--port", type=int, default=18443)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    arguments = parser.parse_args()

    sweep = Sweep(arguments.port)
    with servers.airlift_serve(sweep.tool, sweep.served, sweep.certs, port=arguments.port):
        if arguments.replay:
            problem = sweep.trial(arguments.replay)
            print(problem or f"{arguments.replay}: held")
            return 1 if problem else 0
        operations = sweep.count()
        todo = list(points(operations, arguments.every))
        failures = []
        lock = threading.Lock()
        done = 0
        with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
            def attempt(point):
                nonlocal done
                problem = sweep.trial(point)
                with lock:
                    done += 1
                    if problem:
                        failures.append((point, problem))
                    if sys.stderr.isatty():
                        print(f"\r{done}/{len(todo)}", end="", file=sys.stderr, flush=True)
            list(pool.map(attempt, todo))
    print(f"flash operations: {operations}")
    print(f"cut points tried: {len(todo)}")
    print(f"boots: {len(todo) - len(failures)}")
    print(f"failures: {len(failures)}")
    for point, problem in failures:
        print(f"\n{point}: {problem}")
        print(f"replay: python3 tests/powercut/sweep.py --replay {point}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
