# SPDX-License-Identifier: Apache-2.0
"""What the tests of the sifive_u board stand on: builds, and a machine in the emulator."""

import os
import re
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

from harness.servers import free_port  # noqa: E402,F401

WORK = Path(os.environ.get("AIRLIFT_BUILD", ROOT / "build")) / "board_sifive"
FLASH_SIZE = 32 << 20
WAIT = 90  # seconds for something that must happen; a busy machine may take some of them
QEMU = "qemu-system-riscv32"

for program, package in ((QEMU, "qemu-system-misc (from Debian 13 on: qemu-system-riscv)"),
                         ("riscv64-unknown-elf-gcc", "gcc-riscv64-unknown-elf")):
    if shutil.which(program) is None:
        pytest.exit(f"{program} is missing: apt-get install {package}", returncode=2)


def cmake_build(source, build):
    for command in (["cmake", "-S", source, "-B", build], ["cmake", "--build", build, "-j2"]):
        run = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if run.returncode != 0:
            pytest.exit(f"{' '.join(map(str, command))} failed:\n{run.stdout[-4000:]}",
                        returncode=2)
    return build

# The board's time is counted in instructions, 4 ns each: what is measured in it is the same however
# busy this machine is. Waiting costs no time.
STEADY_TIME = ("-icount", "shift=2,sleep=off")


class Machine:
    """A running emulator and its console."""

    def __init__(self, rom, flash, *options):
        self.flash = flash
        self.output = ""
        self._seen = 0
        self.process = subprocess.Popen(
            [QEMU, "-M", "sifive_u,msel=1", "-display", "none", "-monitor", "none", "-serial",
             "stdio", "-bios", rom, "-drive", f"if=mtd,format=raw,file={flash}", *options],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def expect(self, pattern, timeout=WAIT):
        """The match of pattern in the console output after the last match."""
        end = time.monotonic() + timeout
        while True:
            found = re.compile(pattern).search(self.output, self._seen)
            if found:
                self._seen = found.end()
                return found
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.process.stdout], [], [], left)[0]:
                raise AssertionError(f"no {pattern!r} in:\n{self.output[self._seen:]}")
            data = os.read(self.process.stdout.fileno(), 65536)
            if not data:
                raise AssertionError(f"the emulator ended; no {pattern!r} in:\n{self.output}")
            self.output += data.decode("latin-1")

    def send(self, line):
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def ask(self, line, pattern=r"[=!] ([^\n]*)\n"):
        self.send(line)
        return self.expect(pattern).group(1)

    def stop(self):
        if self.process.poll() is None:
            # Not killed: what the board has written may still be on its way to the file.
            self.process.terminate()
        try:
            self.process.wait(WAIT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()
