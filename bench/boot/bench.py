# SPDX-License-Identifier: Apache-2.0
"""How long the bootloader takes to choose, verify and load an image of 1 MiB, beside SHA-256 alone
over the same bytes, on each board. bench/README.md says what is measured how."""

import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))

from harness import build, images  # noqa: E402
from harness.probe import FACTORY, Device, Firmware  # noqa: E402

LENGTH = (1 << 20) - 4096


def device(tool, board, folder):
    """A board with a probe of LENGTH bytes in factory."""
    firmware = Firmware(tool, build.WORK / "board" / board / "plain", board=board)
    image = images.grow(firmware.probe(1).read_bytes(), LENGTH)
    made = Device(firmware, folder)
    made.verb("flash")
    made.put(FACTORY, image)
    return made


def show(board, rows, names):
    """rows of milliseconds: the boot, then what it is compared with; the last one is the peer."""
    print(f"{board}: image of {LENGTH} bytes, medians of {len(rows)} rounds")
    for i, name in enumerate(names):
        ratio = statistics.median(row[0] / row[i] for row in rows)
        print(f"  {name:58} {statistics.median(row[i] for row in rows):8.2f} ms"
              + (f"   ratio {ratio:.2f}" if i else ""))


def linux(tool, folder, rounds):
    made = device(tool, "linux", folder)
    objects = build.WORK / "board/linux/bench"
    made.firmware.make("../bench", build.ROOT / "bootloader", "bootloader.elf", "../bench.bin",
                       [f"-DCONFIG_DIR={made.firmware.folder}", "-DIDF_VER=v5.5-test",
                        f"-DBOOTLOADER_MAIN={Path(__file__).with_name('linux_main.c')}"])
    with open(made.flash, "r+b") as flash, open(f"{made.flash}.state", "r+b") as state:
        fds = (flash.fileno(), state.fileno())
        out = subprocess.run([objects / "bootloader.elf", f"{fds[0]},{fds[1]}", hex(FACTORY),
                              str(LENGTH), str(rounds)], check=True, stdout=subprocess.PIPE,
                             text=True, pass_fds=fds).stdout
    rows = [[float(word) / 1000 for word in line.split()] for line in out.splitlines()]
    # Without the time the host takes to hand out and map memory for the program.
    verify = [[row[0] - row[1], row[2], row[3]] for row in rows]
    show("linux, choice, verification and loading", [[row[0], row[3], row[2]] for row in rows],
         ["bootloader, start to jump", "OpenSSL: file read to memory, SHA-256",
          "OpenSSL: SHA-256 of memory"])
    show("linux, the same without getting memory for the program",
         [[row[0], row[2], row[1]] for row in verify],
         ["bootloader, start to jump", "OpenSSL: file read to memory, SHA-256",
          "OpenSSL: SHA-256 of memory"])


def sifive_u(tool, folder, rounds):
    made = device(tool, "sifive_u", folder)
    rows = []
    for _ in range(rounds):
        with made.run() as board:
            begin = int(board.expect(r"I \((\d+)\) boot: Enabling RNG").group(1))
            end = int(board.expect(r"I \((\d+)\) boot: Disabling RNG").group(1))
            board.expect("probe 1 from")
            board.send(f"hash {FACTORY:x} {LENGTH}")
            read, alone = board.expect(r"hash (\d+) (\d+)\n").groups()
            rows.append([end - begin, int(alone) / 1000, int(read) / 1000])
    show("sifive_u, choice, verification and loading", rows,
         ["bootloader, table to jump", "SHA-256 of memory, on the board",
          "flash read once and SHA-256, on the board"])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=21)
    parser.add_argument("--boards", default=os.environ.get("AIRLIFT_TEST_BOARDS", ""))
    arguments = parser.parse_args()
    boards = arguments.boards.split() or ["linux"] + [
        "sifive_u"] * (shutil.which("qemu-system-riscv32") is not None)
    for board in boards:
        with tempfile.TemporaryDirectory() as folder:
            {"linux": linux, "sifive_u": sifive_u}[board](build.tool(), Path(folder),
                                                          arguments.rounds)


if __name__ == "__main__":
    main()
