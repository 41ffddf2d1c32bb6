# SPDX-License-Identifier: Apache-2.0
"""Every scenario of `airlift powercut`, swept whole in the configurations it fits, and 500 cut points
of an update over HTTPS on the real board, each boot of which the engine has to foretell."""

import argparse
import subprocess
import sys

from engine import CONFIGURATIONS, build, folder, powercut, report
from update import Update, kept_port

from harness import servers


def sweep(configuration, arguments):
    """Exit status and the scenarios that were swept and skipped."""
    where = folder(configuration)
    print(f"== {configuration}", flush=True)
    status = powercut(configuration, "--json", where / "report.json", "--svg",
                      where / "report.svg", *arguments).returncode
    if status not in (0, 1):
        sys.exit(status)
    scenarios = report(where / "report.json")["scenarios"]
    return (status, {s["name"] for s in scenarios if s["status"] == "swept"},
            {s["name"] for s in scenarios if s["status"] == "skipped"})


def board(port, sample):
    print("== the real board over HTTPS", flush=True)
    update = Update(port)
    with servers.airlift_serve(update.tool, update.served, update.certs, port=port):
        return subprocess.run(
            [update.tool, "powercut", "-C", update.firmware.project, "-B", update.firmware.build,
             "--board", "--until", "agent: version 2 in ota_[01]", "--sample", str(sample),
             "--json", update.folder / "report.json", "--svg", update.folder / "report.svg"],
            env=build.environment(IDF_TARGET="linux")).returncode


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=CONFIGURATIONS + ("board",), help="one part")
    parser.add_argument("--board-sample", type=int, default=500, metavar="N",
                        help="cut points on the real board (500)")
    parser.add_argument("--port", type=int, help="of the server (one that is kept)")
    arguments, passed_on = parser.parse_known_args()
    worst = 0
    swept, skipped = set(), set()
    for configuration in CONFIGURATIONS:
        if arguments.only in (None, configuration):
            status, done, left_out = sweep(configuration, passed_on)
            worst = max(worst, status)
            swept |= done
            skipped |= left_out
    if arguments.only is None and skipped - swept:
        print("in no configuration:", ", ".join(sorted(skipped - swept)))
        worst = 1
    if arguments.only in (None, "board"):
        worst = max(worst, board(arguments.port or kept_port(), arguments.board_sample))
    return worst


if __name__ == "__main__":
    sys.exit(main())
