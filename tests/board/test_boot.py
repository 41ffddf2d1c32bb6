# SPDX-License-Identifier: Apache-2.0
"""The bootloader on the board: choice, states, fallback, refusal, pins."""

import struct
import sys
from pathlib import Path

import pytest

from conftest import (FACTORY, FLASH_SIZE, NVS, OTA_0, OTA_1, OTADATA, SLOT, TWO_OTA, Device,
                      Firmware, otadata, table)

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))

from harness import images  # noqa: E402

NEW, PENDING, VALID, INVALID, ABORTED, UNDEFINED = 0, 1, 2, 3, 4, 0xFFFFFFFF


def probe(device, version):
    return (device.firmware.folder / f"probe-{version}.bin").read_bytes()


def boot(device):
    return device.verb("run", "--until", "^probe")


def test_otadata_chooses_the_slot_with_the_higher_sequence(device):
    device.put(OTA_0, probe(device, 2))
    device.put(OTA_1, probe(device, 1))
    device.write_otadata(otadata(1))
    assert f"probe 2 from 0x{OTA_0:x}" in boot(device)
    device.write_otadata(otadata(1), otadata(2))
    assert f"probe 1 from 0x{OTA_1:x}" in boot(device)
    device.verb("erase-otadata")
    out = boot(device)
    assert "Defaulting to factory image" in out and f"probe 1 from 0x{FACTORY:x}" in out


@pytest.mark.parametrize("damage", ["empty", "flipped", "cut"])
def test_a_bad_image_in_the_chosen_slot_falls_back_and_keeps_otadata(device, damage):
    image = bytearray(probe(device, 2))
    if damage == "empty":
        image = bytearray(b"\xff" * 4096)
    elif damage == "flipped":
        image[len(image) // 2] ^= 1
    else:
        image = image[:len(image) // 2]
    device.put(OTA_0, bytes(image))
    device.write_otadata(otadata(1))
    before = device.contents(OTADATA, 0x2000)
    out = boot(device)
    assert "OTA app partition slot 0 is not bootable" in out
    assert f"probe 1 from 0x{FACTORY:x}" in out
    assert device.contents(OTADATA, 0x2000) == before


def test_lower_slots_come_before_factory_and_higher_ones_after(device):
    device.put(OTA_0, probe(device, 2))
    device.write_otadata(b"", otadata(2))
    assert f"probe 2 from 0x{OTA_0:x}" in boot(device)
    device.put(FACTORY, b"\xff" * 4096)
    device.put(OTA_0, b"\xff" * 4096)
    device.put(OTA_1, probe(device, 2))
    device.write_otadata(otadata(1))
    out = boot(device)
    assert "Factory app partition is not bootable" in out
    assert f"probe 2 from 0x{OTA_1:x}" in out


def test_without_factory_the_first_slot_boots_and_otadata_is_written(device):
    device.put(0x8000, table([row for row in TWO_OTA if row[4] != "factory"]))
    device.put(OTA_0, probe(device, 2))
    out = boot(device)
    assert "No factory image, trying OTA 0" in out
    assert "Set actual ota_seq=1 in otadata[0]" in out
    assert device.contents(OTADATA, 32) == otadata(1, VALID)
    assert "Set actual" not in boot(device)


def test_states_do_not_matter_without_rollback(device):
    device.put(OTA_0, probe(device, 2))
    for state in (NEW, PENDING, VALID, UNDEFINED):
        device.write_otadata(otadata(1, state))
        assert f"from 0x{OTA_0:x}" in boot(device)
        assert device.contents(OTADATA, 32) == otadata(1, state)
    for state in (INVALID, ABORTED):
        device.write_otadata(otadata(1, state))
        assert f"from 0x{FACTORY:x}" in boot(device)


def test_a_wrong_crc_falls_back_to_factory(device):
    device.put(OTA_0, probe(device, 2))
    record = bytearray(otadata(1))
    record[28] ^= 1
    device.write_otadata(bytes(record))
    out = boot(device)
    assert "ota data partition invalid, falling back to factory" in out
    assert f"from 0x{FACTORY:x}" in out


def test_an_image_for_another_chip_is_refused(device):
    device.put(FACTORY, probe(device, 1))
    foreign = images.with_chip_id(probe(device, 1), 5)
    device.verb("flash", f"0x{FACTORY:x}", _file(device, foreign), status=1)
    device.verb("flash", "--force", f"0x{FACTORY:x}", _file(device, foreign))
    out = device.verb("run", status=3)
    assert "mismatch chip ID, expected 41221, found 5" in out


def test_a_segment_outside_the_loader_window_is_refused(device):
    image = bytearray(probe(device, 1))
    struct.pack_into("<I", image, 0x120, 0x7FFFFFF0)
    device.put(FACTORY, images.reseal(image))
    out = device.verb("run", status=3)
    assert "invalid: bad load address range" in out


def test_an_image_without_a_program_is_not_started(device):
    image = bytearray(probe(device, 1))
    image[0x128] = 0
    device.put(FACTORY, images.reseal(image))
    out = device.verb("run", status=3)
    assert "holds no program for this board" in out


def test_an_image_larger_than_its_partition_is_refused(device):
    rows = [row if row[4] != "factory" else (0, 0, FACTORY, 0x1000, "factory") for row in TWO_OTA]
    device.put(0x8000, table(rows))
    out = device.verb("run", status=3)
    assert "doesn't fit in partition length" in out


@pytest.mark.parametrize("damage, line", [
    (lambda t: b"\xff" * len(t), "partition 0 invalid magic number 0xffff"),
    (lambda t: t[:12] + b"X" + t[13:], "Incorrect MD5 checksum"),
    (lambda t: t[:8] + struct.pack("<I", FLASH_SIZE << 20) + t[12:], "exceeds flash chip size")])
def test_a_bad_partition_table_is_explained_and_ends_the_run(device, damage, line):
    device.put(0x8000, damage(table(TWO_OTA)))
    out = device.verb("run", status=3)
    assert line in out
    assert "Failed to verify partition table" in out and "load partition table error!" in out


def test_an_app_in_a_half_erased_slot_never_starts_half(device):
    """Unstable bits: what is hashed is what runs, so a boot is all or nothing."""
    device.put(OTA_0, probe(device, 2))
    device.write_otadata(otadata(1))
    board = device.run("--cut-at", "1:97%")
    with board:
        board.expect("probe 2")
        board.send(f"erase {OTA_0 + 0x1000:x}")
        assert board.wait() == 5
    for _ in range(3):
        assert f"probe 1 from 0x{FACTORY:x}" in boot(device)


# --- rollback ---

@pytest.fixture(scope="session")
def rollback_firmware(tool, work):
    made = Firmware(tool, work / "rollback", ["BOOTLOADER_APP_ROLLBACK_ENABLE=1"])
    made.probe(1)
    made.probe(2)
    return made


@pytest.fixture
def rollback(rollback_firmware, tmp_path):
    made = Device(rollback_firmware, tmp_path)
    made.verb("flash")
    made.put(OTA_0, probe(made, 2))
    return made


def test_a_new_app_boots_once_and_is_rolled_back_when_not_confirmed(rollback):
    rollback.write_otadata(otadata(1, NEW))
    assert f"from 0x{OTA_0:x}" in boot(rollback)
    assert rollback.contents(OTADATA, 32) == otadata(1, PENDING)
    assert f"from 0x{FACTORY:x}" in boot(rollback)
    assert rollback.contents(OTADATA, 32) == otadata(1, ABORTED)


def test_a_confirmed_app_stays(rollback):
    rollback.write_otadata(otadata(1, VALID))
    for _ in range(2):
        assert f"from 0x{OTA_0:x}" in boot(rollback)
    assert rollback.contents(OTADATA, 32) == otadata(1, VALID)


# --- pins ---

@pytest.fixture(scope="session")
def pins_firmware(tool, work):
    made = Firmware(tool, work / "pins", [
        "BOOTLOADER_FACTORY_RESET=1", "BOOTLOADER_NUM_PIN_FACTORY_RESET=4",
        "BOOTLOADER_OTA_DATA_ERASE=1", 'BOOTLOADER_DATA_FACTORY_RESET="phy, nvs"',
        "BOOTLOADER_APP_TEST=1", "BOOTLOADER_NUM_PIN_APP_TEST=18", "BOOTLOADER_HOLD_TIME_GPIO=1"])
    made.probe(1)
    made.probe(2)
    return made


@pytest.fixture
def pins(pins_firmware, tmp_path):
    made = Device(pins_firmware, tmp_path)
    made.verb("flash")
    made.put(OTA_0, probe(made, 2))
    made.put(NVS, b"\0" * 0x4000)
    made.write_otadata(otadata(1))
    return made


def test_a_held_factory_reset_pin_erases_data_and_goes_back_to_factory(pins):
    out = pins.verb("run", "--gpio", "4=0", "--until", "^probe")
    assert "Detect a condition of the factory reset" in out
    assert "Data partitions to erase: phy, nvs" in out
    assert "boot_comm:  0 nvs              data  00009000 00004000 [yes]" in out
    assert f"from 0x{FACTORY:x}" in out
    assert pins.contents(NVS, 0x6000) == b"\xff" * 0x6000


def test_a_pin_nobody_drives_is_not_held(pins):
    out = boot(pins)
    assert "Detect" not in out and f"from 0x{OTA_0:x}" in out
    assert pins.contents(NVS, 0x4000) == b"\0" * 0x4000


def test_a_short_press_is_ignored(pins):
    with pins.run("--gpio", "4=0") as board:
        board.expect("End of partition table")
        pins.verb("gpio", "4", "release")
        assert "Detect" not in board.expect(r"(?s).*probe").group(0)


def test_a_held_test_pin_without_a_test_app_is_explained(pins):
    out = pins.verb("run", "--gpio", "18=0", status=3)
    assert "Detect a boot condition of the test firmware" in out
    assert "Test firmware is not found in partition table" in out


def test_a_held_test_pin_starts_the_test_app(pins):
    rows = [row if row[4] != "ota_1" else (0, 0x20, OTA_1, SLOT, "test") for row in TWO_OTA]
    pins.put(0x8000, table(rows))
    pins.put(OTA_1, probe(pins, 2))
    assert f"from 0x{OTA_1:x}" in pins.verb("run", "--gpio", "18=0", "--until", "^probe")


def _file(device, data):
    path = device.build / "file.bin"
    path.write_bytes(data)
    return path
