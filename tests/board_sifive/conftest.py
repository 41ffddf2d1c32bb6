# SPDX-License-Identifier: Apache-2.0
"""The sifive_u board's own tests: its ROM stage and drivers in the emulator."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import sifive_image as image  # noqa: E402
from sifive_machine import FLASH_SIZE, ROOT, WORK, Machine, cmake_build  # noqa: E402


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
