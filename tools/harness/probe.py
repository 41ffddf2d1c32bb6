# SPDX-License-Identifier: Apache-2.0
"""Boards with the smallest possible firmware: tests/board/firmware/probe.c behind the real
bootloader, on a partition table made here from the format's prose."""

import hashlib
import json
import os
import struct
import subprocess

from . import build
from .board import WAIT, Board

SANITIZED = os.environ.get("AIRLIFT_SAN") == "1"
SLOT = 0x400000 if SANITIZED else 0x100000
FLASH_SIZE = 32 if SANITIZED else 4  # MiB, of a linux board
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

    def __init__(self, tool, folder, config=(), board="linux"):
        self.tool = tool
        self.folder = folder
        self.board = board
        self.flash_size = 32 if board == "sifive_u" else FLASH_SIZE  # MiB
        self.options = [f"-DIDF_TARGET={board}"]
        if board == "sifive_u":
            toolchain = build.ROOT / "boards/sifive_u/toolchain.cmake"
            self.options.append(f"-DCMAKE_TOOLCHAIN_FILE={toolchain}")
        folder.mkdir(parents=True, exist_ok=True)
        header = "".join(f"#define CONFIG_{line.replace('=', ' ', 1)}\n" for line in config)
        (folder / "sdkconfig.h").write_text(header)
        (folder / "table.bin").write_bytes(table(TWO_OTA))
        (folder / "blank.bin").write_bytes(b"\xff" * 0x2000)
        # Sanitised it would not fit below the table; bootloader/test runs it sanitised.
        self.make("bootloader", build.ROOT / "bootloader", "bootloader.elf", "bootloader.bin",
                  [f"-DCONFIG_DIR={folder}", "-DIDF_VER=v5.5-test"])

    def probe(self, version):
        """The same for every configuration, so it is built beside their folders."""
        san = "ON" if SANITIZED else "OFF"
        return self.make(f"../probe-{version}", build.ROOT / "tests/board/firmware", "probe.elf",
                         f"probe-{version}.bin", [f"-DAIRLIFT_SAN={san}",
                                                  f"-DPROBE_VERSION={version}"])

    def rom(self):
        """What an emulated board runs before the bootloader."""
        objects = self.folder.parent / "rom"
        self._run("cmake", "-G", "Ninja", "-S", build.ROOT / "boards/sifive_u/rom", "-B", objects)
        self._run("ninja", "-C", objects, "--quiet")
        return objects

    def make(self, name, source, elf, image, options):
        objects = self.folder / name
        self._run("cmake", "-G", "Ninja", "-S", source, "-B", objects, *self.options, *options)
        self._run("ninja", "-C", objects)
        stripped = []
        if self.board == "linux":
            stripped = ["--stripped", objects / "stripped.elf"]
            self._run("strip", "-o", objects / "stripped.elf", objects / elf)
        self._run(self.tool, "image", "build", "--chip", self.board, "--flash-size",
                  f"{self.flash_size}MB", *stripped, "-o", self.folder / image, objects / elf)
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
        self.board = firmware.board
        self.tool = firmware.tool
        self.build = folder / "build"
        self.flash = self.build / "flash.bin"
        self.build.mkdir()
        if self.board != "linux":
            (self.build / "project_description.json").write_text(
                json.dumps({"target": self.board}, indent=4))
            (self.build / "rom").symlink_to(firmware.rom())
        files = [(0x0, "bootloader.bin"), (0x8000, "table.bin"), (OTADATA, "blank.bin"),
                 (FACTORY, "probe-1.bin")]
        lines = [f"--flash-mode dio --flash-freq 80m --flash-size {firmware.flash_size}MB"]
        lines += [f"0x{offset:x} {firmware.folder / name}" for offset, name in files]
        (self.build / "flash_args").write_text("\n".join(lines))

    def verb(self, *words, status=0):
        """Runs a verb; returns what it printed."""
        run = subprocess.run([str(self.tool), *[str(word) for word in words], "-B",
                              str(self.build)], text=True,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                             stdin=subprocess.DEVNULL, timeout=WAIT)
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
        return Board(self.tool, self.build, self.flash, self.board,
                     [str(word) for word in options])
