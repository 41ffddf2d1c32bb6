# SPDX-License-Identifier: Apache-2.0
"""Cut points a second of `airlift powercut`, beside a bare fork, exit and wait for each of its boots
in the same run, rounds interleaved. Every cut point is a whole trial: selection and verification by
the bootloader, an update through esp_ota_*, and its boot."""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "tests" / "powercut"))

from engine import build, captured  # noqa: E402

SCENARIOS = ("first-update", "update-over-old", "mark-valid")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    arguments = parser.parse_args()

    listed = captured("rollback", "--list")
    if listed.returncode != 0:
        sys.exit(listed.stdout)
    rates, ratios = [], []
    with tempfile.TemporaryDirectory() as folder:
        peer = Path(folder) / "fork"
        subprocess.run([os.environ.get("CC", "cc"), "-O2", "-o", peer,
                        Path(__file__).parent / "fork.c"], check=True)
        for _ in range(arguments.rounds):
            file = Path(folder) / "report.json"
            run = captured("rollback", "--no-build", "--json", file, "--jobs",
                           str(arguments.jobs), "--seeds", "40", *SCENARIOS)
            if run.returncode != 0:
                sys.exit(run.stdout)
            scenarios = json.loads(file.read_text())["scenarios"]
            points = sum(s["cut_points"] for s in scenarios)
            boots = sum(s["boots"] for s in scenarios)
            seconds = sum(s["seconds"] for s in scenarios)
            spent = float(subprocess.run(
                [peer, str(arguments.jobs), str(boots // arguments.jobs)], check=True, text=True,
                stdout=subprocess.PIPE).stdout)
            rates.append(points / seconds)
            ratios.append(seconds / spent)
    print(f"{points} cut points, {boots} boots a round, {arguments.jobs} jobs, "
          f"medians of {arguments.rounds} rounds")
    print(f"cut points a second: {statistics.median(rates):.0f} "
          f"(from {min(rates):.0f} to {max(rates):.0f})")
    print(f"time beside as many bare processes: {statistics.median(ratios):.2f} "
          f"(from {min(ratios):.2f} to {max(ratios):.2f})")


if __name__ == "__main__":
    main()
