# SPDX-License-Identifier: Apache-2.0
"""Kills a whole board (SIGKILL) at random moments of an update over HTTPS: the only power cut there
is on sifive_u. After each the board must boot version 1 or version 2, update once more, and run the
firmware of that update. Each failure comes with the command that replays it."""

import argparse
import concurrent.futures
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))

from harness import servers  # noqa: E402
from harness.board import Board, BoardError, copy_flash  # noqa: E402
from update import Update, kept_port  # noqa: E402


class Kills(Update):
    """Version 1 in factory updates itself to version 2 from our server."""

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
        print(f"replay: python3 tests/powercut/kill.py {replay} --replay {point}")
    return 1 if failures else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--board", default="linux", choices=("linux", "sifive_u"))
    parser.add_argument("--count", type=int, default=100, help="how many moments (100)")
    parser.add_argument("--seed", type=int, default=1, help="of the random moments")
    parser.add_argument("--replay", metavar="SECONDS", help="one moment")
    parser.add_argument("--port", type=int, help="of the server (one that is kept)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    arguments = parser.parse_args()

    port = arguments.port or kept_port()
    scenario = Kills(port, arguments.board)
    with servers.airlift_serve(scenario.tool, scenario.served, scenario.certs,
                               port=port):
        if arguments.replay:
            problem = scenario.trial(arguments.replay)
            print(problem or f"{arguments.replay}: held")
            return 1 if problem else 0
        seconds = scenario.measure()
        print(f"an update takes {seconds:.2f} s")
        dice = random.Random(arguments.seed)
        todo = [f"{dice.uniform(0, seconds):.4f}" for _ in range(arguments.count)]
        return attempt_all(scenario, todo, arguments.jobs, f"--board {arguments.board}")


if __name__ == "__main__":
    sys.exit(main())
