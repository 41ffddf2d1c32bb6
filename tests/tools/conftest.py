# SPDX-License-Identifier: Apache-2.0
"""What the tests of the host program stand on: the program, esptool, artefacts of others."""

import hashlib
import os
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def program():
    folder = "host-san" if os.environ.get("AIRLIFT_SAN") == "1" else "host"
    path = Path(os.environ.get("AIRLIFT_TOOL") or ROOT / "build" / folder / "airlift")
    if not path.exists():
        pytest.exit(f"{path} is not built: run `make tool`, or set AIRLIFT_TOOL", returncode=2)
    return path


@pytest.fixture
def airlift(program, tmp_path):
    """Runs airlift in the test's folder; status: what it must exit with, or several of them."""

    def run(*words, status=0, env=None, stdin=None, text=True):
        result = subprocess.run([program, *map(str, words)], capture_output=True, text=text,
                                cwd=tmp_path, input=stdin, timeout=180,
                                env={**os.environ, "NO_COLOR": "1", **(env or {})})
        allowed = status if isinstance(status, tuple) else (status,)
        assert result.returncode in allowed, (result.args, result.stdout, result.stderr)
        return result

    return run


@pytest.fixture(scope="session")
def esptool():
    """Runs esptool, or skips."""
    cache = Path(os.environ.get("AIRLIFT_CACHE") or Path.home() / ".cache/airlift")
    folders = [Path(sys.executable).parent, cache / "venv/bin"]
    path = shutil.which("esptool") or next(
        (str(f / "esptool") for f in folders if (f / "esptool").exists()), None)
    if path is None:
        pytest.skip("esptool is not installed")

    def run(*words, status=0):
        result = subprocess.run([path, *map(str, words)], capture_output=True, text=True,
                                timeout=180)
        assert result.returncode == status, (result.args, result.stdout, result.stderr)
        return result.stdout

    return run


@pytest.fixture(scope="session")
def fixtures():
    """Folder with artefacts built by others, or skips."""
    folder = Path(os.environ.get("AIRLIFT_FIXTURES") or ROOT.parent / "shared/fixtures")
    if not folder.is_dir():
        pytest.skip(f"{folder} is not there")
    return folder


def app_desc(version=b"1.0", name=b"min", secure_version=0):
    return (struct.pack("<IIQ", 0xABCD5432, secure_version, 0) + version.ljust(32, b"\0") +
            name.ljust(32, b"\0") + bytes(16 + 16 + 32 + 32) +
            struct.pack("<HHBB", 0, 199, 16, 3) + bytes(74))


def make_image(chip_id, segments, entry, digest=True):
    """An image as the format says, made without any code of the project."""
    image = (bytes([0xE9, len(segments), 2, 0x20]) + struct.pack("<I", entry) + b"\xee\0\0\0" +
             struct.pack("<HBHH", chip_id, 3, 3, 199) + bytes(4) + bytes([digest]))
    checksum = 0xEF
    for address, data in segments:
        image += struct.pack("<II", address, len(data)) + data
        for byte in data:
            checksum ^= byte
    image += bytes(15 - len(image) % 16) + bytes([checksum])
    return image + hashlib.sha256(image).digest() if digest else image
