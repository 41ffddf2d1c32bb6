# SPDX-License-Identifier: Apache-2.0
"""flash, erase-flash, erase-otadata: what they write, keep and refuse."""

import hashlib

import pytest

from harness.probe import FACTORY, FLASH_SIZE, NVS, OTADATA, Device, otadata


@pytest.fixture(scope="session", params=["linux"])
def board_name(request):
    return request.param


def test_flash_writes_every_file_of_the_build_and_keeps_the_rest(device):
    folder = device.firmware.folder
    device.put(NVS, b"settings")
    out = device.verb("flash")
    assert out.count("verified") == 4
    assert device.contents(0, 64) == (folder / "bootloader.bin").read_bytes()[:64]
    image = (folder / "probe-1.bin").read_bytes()
    assert device.contents(FACTORY, len(image)) == image
    assert device.contents(OTADATA, 0x2000) == b"\xff" * 0x2000
    assert device.contents(NVS, 8) == b"settings"
    assert device.flash.stat().st_size == FLASH_SIZE << 20


def test_flash_sets_the_size_in_the_bootloader_header_and_its_hash(device):
    args = device.build / "flash_args"
    args.write_text(args.read_text().replace(f"--flash-size {FLASH_SIZE}MB", "--flash-size 16MB")
                    .replace("dio", "qio"))
    device.verb("erase-flash")
    assert "Flash parameters set to 0x004f" in device.verb("flash")
    size = len((device.firmware.folder / "bootloader.bin").read_bytes())
    image = device.contents(0, size)
    assert image[2:4] == b"\x00\x4f"
    assert hashlib.sha256(image[:-32]).digest() == image[-32:]


@pytest.mark.skipif(FLASH_SIZE > 4, reason="sanitised firmware needs a larger chip")
def test_a_board_of_the_wrong_size_is_refused_and_erase_flash_makes_a_new_one(device):
    args = device.build / "flash_args"
    args.write_text(args.read_text().replace("4MB", "8MB"))
    assert "airlift erase-flash" in device.verb("flash", status=1)
    device.verb("erase-flash")
    assert device.flash.stat().st_size == 8 << 20
    device.verb("flash")
    assert "Flash Size : 8MB" in device.verb("run", "--until", "^probe")


def test_overlaps_and_places_beyond_the_chip_are_refused_before_anything_is_written(device):
    path = device.build / "x.bin"
    path.write_bytes(b"\0" * 0x1001)
    before = device.contents(0, FLASH_SIZE << 20)
    assert "overlap" in device.verb("flash", "0x9000", path, "0xa000", path, status=1)
    assert "do not fit" in device.verb("flash", f"0x{(FLASH_SIZE << 20) - 0x1000:x}", path,
                                       status=1)
    assert "multiple" in device.verb("flash", "0x9004", path, status=1)
    assert "missing" in device.verb("flash", "0x9000", device.build / "missing", status=1)
    device.verb("flash", "0x9000", status=2)
    assert device.contents(0, FLASH_SIZE << 20) == before


def test_a_bad_flash_args_line_is_named(device):
    (device.build / "flash_args").write_text("0x0\n")
    assert "OFFSET FILE" in device.verb("flash", status=1)
    (device.build / "flash_args").write_text("--what 3\n")
    assert "--what" in device.verb("flash", status=1)


def test_a_build_that_was_not_made_is_explained(device, tmp_path):
    (device.build / "flash_args").unlink()
    assert "airlift build" in device.verb("flash", status=1)


def test_erase_flash_leaves_a_blank_chip(device):
    device.verb("erase-flash")
    assert device.contents(0, FLASH_SIZE << 20) == b"\xff" * (FLASH_SIZE << 20)


def test_erase_otadata_uses_the_projects_table_else_the_one_in_flash(device):
    device.write_otadata(otadata(1), otadata(2))
    device.verb("erase-otadata")
    assert device.contents(OTADATA, 0x2000) == b"\xff" * 0x2000
    folder = device.build / "partition_table"
    folder.mkdir()
    (folder / "partition-table.bin").write_bytes(b"\0" * 0xC00)
    assert "not a valid partition table" in device.verb("erase-otadata", status=1)


def test_a_new_board_needs_a_size(tmp_path, firmware):
    made = Device(firmware, tmp_path)
    (made.build / "flash_args").unlink()
    path = made.build / "x.bin"
    path.write_bytes(b"\0")
    assert "--flash-size" in made.verb("flash", "0x9000", path, status=1)
    made.verb("flash", "--flash-size", "2MB", "0x9000", path)
    assert made.flash.stat().st_size == 2 << 20
    made.verb("flash", "--flash-size", "3MB", "0x9000", path, status=2)
