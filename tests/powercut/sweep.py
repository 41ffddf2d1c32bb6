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
import random
import re
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))

from harness import build, servers  # noqa: E402
from harness.board import Board, BoardError, copy_flash  # noqa: E402

# Exit statuses of `airlift run`.
MATCHED, POWER_CUT = 0, 5

# Where this machine is, seen from the board.
HOST = {"linux": "127.0.0.1", "sifive_u": "10.0.2.2"}


class Scenario:
    """Version 1 in factory updates itself to version 2 from our server."""

    def __init__(self, port, board="linux"):
        self.url = f"https://{HOST[board]}:{port}/firmware.bin"
        self.board = board
        self.tool = build.tool()
        self.certs = build.certificates()
        self.folder = build.WORK / "powercut" / board
        self.folder.mkdir(parents=True, exist_ok=True)
        self.firmware = build.Firmware(
            build.ROOT / "tests/apps/ota_agent", board, name="ota_agent_auto", certs=self.certs,
            config=[f'CONFIG_AGENT_AUTO_URL="{self.url}"'])
        image = self.firmware.version("2")
        self.served = self.folder / "served"
        self.served.mkdir(exist_ok=True)
        (self.served / "firmware.bin").write_bytes(image.read_bytes())
        self.firmware.version("1")
        self.start_flash = self.firmware.flash(self.folder / "start.flash")

    def run(self, flash, *options):
        return subprocess.run(
            [self.tool, "run", "-B", self.firmware.build, "--flash", flash, "--timeout", "60",
             *options], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, errors="replace")

    def start(self, flash):
        return Board(self.tool, self.firmware.build, flash, self.board)

    def judge(self, flash):
        """After a cut: None if the board boots, updates and runs the update, else what it did."""
        try:
            with self.start(flash) as board:
                board.expect("agent: version [12] in (factory|ota_[01])")
                # Version 1 updates by itself at start; then either version obeys the console.
                board.expect("agent: ready")
                board.send(f"ota {self.url}")
                board.expect("agent: ota ok")
                board.send("restart")
                board.expect("agent: version 2 in ota_[01]")
        except BoardError as error:
            return str(error)
        return None


class Sweep(Scenario):
    """Cuts by flash operation, inside the linux board's flash driver."""

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
            return self.judge(flash)


class Kills(Scenario):
    """Cuts at random moments: the whole board is killed from outside."""

    def measure(self):
        """Seconds from the start of the update until version 2 has come up."""
        with tempfile.TemporaryDirectory() as folder:
            flash = copy_flash(self.start_flash, Path(folder) / "flash.bin")
            with self.start(flash) as board:
                board.expect("agent: version 1 in factory")
                start = time.monotonic()
                board.expect("agent: version 2 in ota_0")
                return time.monotonic() - start

    def trial(self, seconds):
        with tempfile.TemporaryDirectory() as folder:
            flash = copy_flash(self.start_flash, Path(folder) / "flash.bin")
            with self.start(flash) as board:
                board.expect("agent: version 1 in factory")
                try:
                    board.process.wait(float(seconds))
                except subprocess.TimeoutExpired:
                    pass
                board.process.kill()
            return self.judge(flash)


def points(operations, every):
    for operation in range(1, operations + 1, every):
        for where in ("before", "1", "50%", "99%", "after"):
            yield f"{operation}:{where}"


def attempt_all(scenario, todo, jobs, replay):
    """Runs every trial and prints the account. Returns the exit status."""
    failures = []
    lock = threading.Lock()
    done = 0

    def attempt(point):
        nonlocal done
        problem = scenario.trial(point)
        with lock:
            done += 1
            if problem:
                failures.append((point, problem))
            if sys.stderr.isatty():
                print(f"\r{done}/{len(todo)}", end="", file=sys.stderr, flush=True)

    start = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        list(pool.map(attempt, todo))
    print(f"cut points tried: {len(todo)} in {time.monotonic() - start:.0f} s")
    print(f"boots: {len(todo) - len(failures)}")
    print(f"failures: {len(failures)}")
    for point, problem in failures:
        print(f"\n{point}: {problem}")
        print(f"replay: python3 tests/powercut/sweep.py {replay} --replay {point}")
    return 1 if failures else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--board", default="linux", choices=HOST)
    parser.add_argument("--every", type=int, default=1, metavar="N",
                        help="try only every N-th flash operation (default: all)")
    parser.add_argument("--kill", type=int, metavar="N",
                        help="instead of cutting flash operations, kill the board at N random "
                             "moments of the update (the only way on sifive_u)")
    parser.add_argument("--seed", type=int, default=1, help="of the random moments")
    parser.add_argument("--replay", metavar="POINT", help="one cut point or moment")
    parser.add_argument("--port", type=int, default=18443)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    arguments = parser.parse_args()
    if arguments.board != "linux" and arguments.kill is None:
        parser.error("only the linux board cuts inside its flash driver: use --kill N")

    kills = arguments.kill is not None
    scenario = (Kills if kills else Sweep)(arguments.port, arguments.board)
    with servers.airlift_serve(scenario.tool, scenario.served, scenario.certs,
                               port=arguments.port):
        if arguments.replay:
            problem = scenario.trial(arguments.replay)
            print(problem or f"{arguments.replay}: held")
            return 1 if problem else 0
        if kills:
            seconds = scenario.measure()
            print(f"an update takes {seconds:.2f} s")
            dice = random.Random(arguments.seed)
            todo = [f"{dice.uniform(0, seconds):.4f}" for _ in range(arguments.kill)]
            return attempt_all(scenario, todo, arguments.jobs,
                               f"--board {arguments.board} --kill 1")
        operations = scenario.count()
        print(f"flash operations: {operations}")
        return attempt_all(scenario, list(points(operations, arguments.every)), arguments.jobs, "")


if __name__ == "__main__":
    sys.exit(main())
