# SPDX-License-Identifier: Apache-2.0
"""Boards with the smallest possible firmware: tests/board/firmware/probe.c behind the real
bootloader, on a partition table made here from the format's prose."""

import hashlib
import os
import struct
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))

from harness import build  # noqa: E402
from harness.board import Board  # noqa: E402

SANITIZED = os.environ.get("AIRLIFT_SAN") == "1"
SLOT = 0x400000 if SANITIZED else 0x100000
FLASH_SIZE = 32 if SANITIZED else 4
FACTORY = 0x400000 if SANITIZED else 0x10000
OTA_0 = FACTORY + SLOT
OTA_1 = OTA_0 + SLOT
NVS, OTADATA = 0x9000, 0xD000


def table(rows):
    """A partition table: rows of (type, subtype, offset, size, label)."""
    data = b"".join(struct.pack("<HBBII16sI", 0x50AA, kind, sub, offset, size, label.encode(), 0)
                    for kind, sub, offset, size, label in rows)
    data += struct.pack("<H", 0xEBEB) + b"\xff" * 14 + hashlib.md5(data).digest()
    return data.ljust(0xC00, b"\xff")


TWO_OTA = [
    (1, 0x02, NVS, 0x4000, "nvs"),
    (1, 0x00, OTADATA, 0x2000, "otadata"),
    (0, 0x00, FACTORY, SLOT, "factory"),
    (0, 0x10, OTA_0, SLOT, "ota_0"),
    (0, 0x11, OTA_1, SLOT, "ota_1"),
]


def crc32(data):
    """otadata's CRC: register starts at 0, result complemented."""
    register = 0
    for byte in data:
        register ^= byte
        for _ in range(8):
            register = register >> 1 ^ (0xEDB88320 if register & 1 else 0)
    return register ^ 0xFFFFFFFF


def otadata(seq, state=0xFFFFFFFF):
    """One record of otadata."""
    raw = struct.pack("<I", seq)
    return raw + b"\xff" * 20 + struct.pack("<II", state, crc32(raw))


class Firmware:
    """Images of one configuration: bootloader.bin, probe-1.bin, probe-2.bin, table.bin."""

    def __init__(self, tool, folder, config=()):
        self.tool = tool
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        header = "".join(f"#define CONFIG_{line.replace('=', ' ', 1)}\n" for line in config)
        (folder / "sdkconfig.h").write_text(header)
        (folder / "table.bin").write_bytes(table(TWO_OTA))
        (folder / "blank.bin").write_bytes(b"\xff" * 0x2000)
        # Sanitised it would not fit below the table; bootloader/test runs it sanitised.
        self.make("bootloader", build.ROOT / "bootloader", "bootloader.elf", "bootloader.bin",
                  ["-DIDF_TARGET=linux", f"-DCONFIG_DIR={folder}", "-DIDF_VER=v5.5-test"])

    def probe(self, version):
        san = "ON" if SANITIZED else "OFF"
        return self.make(f"probe-{version}", build.ROOT / "tests/board/firmware", "probe.elf",
                         f"probe-{version}.bin", ["-DIDF_TARGET=linux", f"-DAIRLIFT_SAN={san}",
                                                  f"-DPROBE_VERSION={version}"])

    def make(self, name, source, elf, image, options):
        objects = self.folder / name
        self._run("cmake", "-G", "Ninja", "-S", source, "-B", objects, *options)
        self._run("ninja", "-C", objects)
        self._run("strip", "-o", objects / "stripped.elf", objects / elf)
        self._run(self.tool, "image", "build", "--chip", "linux", "--flash-size",
                  f"{FLASH_SIZE}MB", "--stripped", objects / "stripped.elf", "-o",
                  self.folder / image, objects / elf)
        return self.folder / image

    @staticmethod
    def _run(*words):
        run = subprocess.run([str(word) for word in words], text=True, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT)
        assert run.returncode == 0, f"{words}:\n{run.stdout}"


class Device:
    """One board: a build folder with flash_args, and the verbs on it."""

    def __init__(self, firmware, folder):
        self.firmware = firmware
        self.tool = firmware.tool
        self.build = folder / "build"
        self.flash = self.build / "flash.bin"
        self.build.mkdir()
        files = [(0x0, "bootloader.bin"), (0x8000, "table.bin"), (OTADATA, "blank.bin"),
                 (FACTORY, "probe-1.bin")]
        lines = [f"--flash-mode dio --flash-freq 80m --flash-size {FLASH_SIZE}MB"]
        lines += [f"0x{offset:x} {firmware.folder / name}" for offset, name in files]
        (self.build / "flash_args").write_text("\n".join(lines))

    def verb(self, *words, status=0):
        """Runs a verb; returns what it printed."""
        run = subprocess.run([str(self.tool), *[str(word) for word in words], "-B",
                              str(self.build)], text=True,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                             stdin=subprocess.DEVNULL, timeout=60)
        assert run.returncode == status, f"{words} gave {run.returncode}:\n{run.stdout}"
        return run.stdout

    def put(self, offset, data):
        """Writes data into flash with the tool."""
        path = self.build / "put.bin"
        path.write_bytes(data)
        self.verb("flash", f"0x{offset:x}", path)

    def write_otadata(self, *records):
        data = bytearray(b"\xff" * 0x2000)
        for index, record in enumerate(records):
            data[index * 0x1000:index * 0x1000 + len(record)] = record
        self.put(OTADATA, bytes(data))

    def contents(self, offset, size):
        with open(self.flash, "rb") as file:
            file.seek(offset)
            return file.read(size)

    def run(self, *options):
        return Board(self.tool, self.build, self.flash, options=[str(word) for word in options])


@pytest.fixture(scope="session")
def tool():
    program = build.tool()
    if not program.exists():
        pytest.exit(f"{program} is not built: run `make tool`", returncode=2)
    return program


@pytest.fixture(scope="session")
def work():
    return build.WORK / "board"


@pytest.fixture(scope="session")
def firmware(tool, work):
    made = Firmware(tool, work / "plain")
    made.probe(1)
    made.probe(2)
    return made


@pytest.fixture
def device(firmware, tmp_path):
    """A flashed board: probe 1 in factory, otadata blank, OTA slots empty."""
    made = Device(firmware, tmp_path)
    made.verb("flash")
    return made
