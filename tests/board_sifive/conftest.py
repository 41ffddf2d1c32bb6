# SPDX-License-Identifier: Apache-2.0
"""The sifive_u board's own tests: its ROM stage and drivers in the emulator."""

import os
import re
import select
import shutil
import subprocess
import time
from pathlib import Path

import pytest

import image

ROOT = Path(__file__).resolve().parents[2]
WORK = Path(os.environ.get("AIRLIFT_BUILD", ROOT / "build")) / "board_sifive"
FLASH_SIZE = 32 << 20
QEMU = "qemu-system-riscv32"

for program, package in ((QEMU, "qemu-system-misc"), ("riscv64-unknown-elf-gcc",
                                                      "gcc-riscv64-unknown-elf")):
    if shutil.which(program) is None:
        pytest.exit(f"{program} is missing: apt-get install {package}", returncode=2)


def cmake_build(source, build):
    for command in (["cmake", "-S", source, "-B", build], ["cmake", "--build", build, "-j2"]):
        run = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if run.returncode != 0:
            pytest.exit(f"{' '.join(map(str, command))} failed:\n{run.stdout[-4000:]}",
                        returncode=2)
    return build


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

    def expect(self, pattern, timeout=9):
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
            self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


@pytest.fixture(scope="session")
def rom():
    return cmake_build(ROOT / "boards/sifive_u/rom", WORK / "rom") / "rom.elf"


@pytest.fixture(scope="session")
def probes():
    return cmake_build(ROOT / "tests/board_sifive/firmware", WORK / "probes")


@pytest.fixture(scope="session")
def boot_image(probes):
    return image.from_elf(probes / "probe_boot.elf")


@pytest.fixture
def make_flash(tmp_path):
    def make(contents):
        """contents: {offset: bytes}. The file is sparse only where nothing was written: erased
        flash is all ones."""
        path = tmp_path / "flash.bin"
        with open(path, "wb") as file:
            block = b"\xff" * (1 << 20)
            for _ in range(FLASH_SIZE // len(block)):
                file.write(block)
            for offset, data in contents.items():
                file.seek(offset)
                file.write(data)
        return path

    return make


@pytest.fixture
def machine(rom):
    running = []

    def start(flash, *options):
        running.append(Machine(rom, flash, *options))
        return running[-1]

    yield start
    for one in running:
        one.stop()


@pytest.fixture
def probe(machine, make_flash, boot_image):
    """The probe in the bootloader's place, ready for commands."""
    one = machine(make_flash({0: boot_image}))
    one.expect("probe_boot ready")
    return one


@pytest.fixture
def app_with(machine, make_flash, boot_image, probes):
    """Starts a probe in an application's place, by the other one, ready for commands."""

    def start(*options, name="probe_app"):
        segments, entry = image.loads(probes / f"{name}.elf")
        contents = {0: boot_image}
        # Data first, code last: the last one is started.
        segments.sort(reverse=True)
        commands = []
        offset = 0x10000
        for address, data in segments:
            contents[offset] = data
            commands.append((offset, address, len(data)))
            offset += (len(data) + 0xFFFF) & ~0xFFFF
        one = machine(make_flash(contents), *options)
        one.expect("probe_boot ready")
        for offset, address, length in commands[:-1]:
            assert one.ask(f"boot {offset} {address} {length} 0") == "boot 2002"
        offset, address, length = commands[-1]
        one.send(f"boot {offset} {address} {length} {entry}")
        one.expect(f"{name} ready")
        return one

    return start


@pytest.fixture
def app(app_with):
    return app_with()
