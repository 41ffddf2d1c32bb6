# SPDX-License-Identifier: Apache-2.0
"""The bootloader on each board: choice, states, fallback, refusal, pins, validation left out, odd
partition tables."""

import re
import struct

import pytest

from harness import images
from harness.probe import (FACTORY, NVS, OTA_0, OTA_1, OTADATA, SANITIZED, SLOT, TWO_OTA, Device,
                           otadata, table)

NEW, PENDING, VALID, INVALID, ABORTED, UNDEFINED = 0, 1, 2, 3, 4, 0xFFFFFFFF


def probe(device, version):
    return (device.firmware.folder / f"probe-{version}.bin").read_bytes()


def boot(device, *options):
    return device.verb("run", *options, "--until", "^probe")


@pytest.fixture
def device_with(make_firmware, board_name, tmp_path):
    """A flashed board whose bootloader has these options: probe 1 in factory, probe 2 in ota_0."""

    def make(name, *config):
        made = Device(make_firmware(board_name, name, config), tmp_path)
        made.verb("flash")
        made.put(OTA_0, probe(made, 2))
        return made

    return make


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


def damaged(image, damage):
    image = bytearray(image)
    if damage == "empty":
        image = bytearray(b"\xff" * 4096)
    elif damage == "flipped":
        image[len(image) // 2] ^= 1
    else:
        image = image[:len(image) // 2]
    return bytes(image)


@pytest.mark.parametrize("damage", ["empty", "flipped", "cut"])
def test_a_bad_image_in_the_chosen_slot_falls_back_and_is_not_tried_again(device, damage):
    device.put(OTA_0, damaged(probe(device, 2), damage))
    device.write_otadata(otadata(1))
    out = boot(device)
    assert "OTA app partition slot 0 is not bootable" in out
    assert "the chosen app is damaged: writing otadata[0], seq 1, state 3" in out
    assert f"probe 1 from 0x{FACTORY:x}" in out
    assert device.contents(OTADATA, 32) == otadata(1, INVALID)
    out = boot(device)
    assert "is not bootable" not in out and "damaged" not in out
    assert f"probe 1 from 0x{FACTORY:x}" in out


def test_in_strict_compatibility_a_bad_image_is_tried_at_each_boot_and_otadata_stays(device_with):
    strict = device_with("strict", "AIRLIFT_STRICT_COMPATIBILITY=1",
                         "BOOTLOADER_APP_ROLLBACK_ENABLE=1")
    strict.put(OTA_0, damaged(probe(strict, 2), "flipped"))
    strict.write_otadata(otadata(1))
    before = strict.contents(OTADATA, 0x2000)
    for _ in range(2):
        out = boot(strict)
        assert "OTA app partition slot 0 is not bootable" in out
        assert f"probe 1 from 0x{FACTORY:x}" in out
        assert strict.contents(OTADATA, 0x2000) == before
    strict.put(OTA_0, probe(strict, 2))
    strict.write_otadata(otadata(1, NEW))
    assert f"from 0x{OTA_0:x}" in boot(strict)
    assert strict.contents(OTADATA, 0x2000) == \
        otadata(1, PENDING).ljust(0x2000, b"\xff")


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
    chip = {"linux": 0xA105, "sifive_u": 0xA205}[device.board]
    assert f"mismatch chip ID, expected {chip}, found 5" in out


def loaded_segment(image):
    """(load address, data offset, length) of the first segment that is copied to memory."""
    return next(segment for segment in images.segments(image) if segment[0] >= 0x80000000)


def test_a_segment_outside_the_loader_window_is_refused(device):
    image = bytearray(probe(device, 1))
    struct.pack_into("<I", image, loaded_segment(image)[1] - 8, 0x7FFFFFF0)
    device.put(FACTORY, images.reseal(image))
    out = device.verb("run", status=3)
    assert "invalid: bad load address range" in out


def test_an_image_without_a_program_is_not_started(device):
    image = bytearray(probe(device, 1))
    if device.board == "linux":
        image[loaded_segment(image)[1]] = 0  # of the ELF header
    else:
        struct.pack_into("<I", image, 4, 0x20000000)  # the entry address
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
    (lambda t: t[:8] + struct.pack("<I", 32 << 20) + t[12:], "exceeds flash chip size"),
    (lambda t: t[:32 * len(TWO_OTA)].ljust(len(t), b"\0"), "invalid magic number 0x0")])
def test_a_bad_partition_table_is_explained_and_ends_the_run(device, damage, line):
    device.put(0x8000, damage(table(TWO_OTA)))
    out = device.verb("run", status=3)
    assert line in out
    assert "Failed to verify partition table" in out and "load partition table error!" in out


def test_an_app_in_a_half_erased_slot_never_starts_half(device):
    """Unstable bits: what is hashed is what runs, so a boot is all or nothing."""
    if device.board != "linux":
        pytest.skip("the emulated chip has no torn erase")
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

@pytest.fixture
def rollback(device_with):
    return device_with("rollback", "BOOTLOADER_APP_ROLLBACK_ENABLE=1")


def test_a_new_app_boots_once_and_is_rolled_back_when_not_confirmed(rollback):
    rollback.write_otadata(otadata(1, NEW))
    assert f"from 0x{OTA_0:x}" in boot(rollback)
    assert rollback.contents(OTADATA, 32) == otadata(1, PENDING)
    assert f"from 0x{FACTORY:x}" in boot(rollback)
    assert rollback.contents(OTADATA, 32) == otadata(1, ABORTED)


def test_an_unconfirmed_app_gets_the_boots_that_are_configured(device_with):
    attempts = device_with("attempts", "BOOTLOADER_APP_ROLLBACK_ENABLE=1",
                           "BOOTLOADER_ROLLBACK_ATTEMPTS=3")
    attempts.write_otadata(otadata(1, NEW))
    assert f"from 0x{OTA_0:x}" in boot(attempts)
    for number in (2, 3):
        out = boot(attempts)
        assert f"otadata[0] is not confirmed, its app gets boot {number}" in out
        assert f"from 0x{OTA_0:x}" in out
        assert attempts.contents(OTADATA, 32) == otadata(1, PENDING)
    assert f"from 0x{FACTORY:x}" in boot(attempts)
    assert attempts.contents(OTADATA, 32) == otadata(1, ABORTED)


def test_a_change_of_otadata_that_a_power_cut_interrupted_is_finished(rollback):
    """Cut with the sector of the record erased: the original forgets the new app here."""
    if rollback.board != "linux":
        pytest.skip("cuts of single operations are planned on linux")
    rollback.write_otadata(otadata(1, NEW))
    rollback.verb("run", "--cut-at", "3:before", status=5)
    assert rollback.contents(OTADATA, 32) == b"\xff" * 32
    out = boot(rollback)
    assert "finishing the change of otadata[0] that a power cut interrupted" in out
    assert f"from 0x{OTA_0:x}" in out
    assert rollback.contents(OTADATA, 32) == otadata(1, PENDING)


def test_a_confirmed_app_stays(rollback):
    rollback.write_otadata(otadata(1, VALID))
    for _ in range(2):
        assert f"from 0x{OTA_0:x}" in boot(rollback)
    assert rollback.contents(OTADATA, 32) == otadata(1, VALID)


# --- pins ---

PINS = ["BOOTLOADER_FACTORY_RESET=1", "BOOTLOADER_NUM_PIN_FACTORY_RESET=4",
        'BOOTLOADER_DATA_FACTORY_RESET="phy, nvs"', "BOOTLOADER_APP_TEST=1",
        "BOOTLOADER_NUM_PIN_APP_TEST=12", "BOOTLOADER_HOLD_TIME_GPIO=1"]


def with_data(device):
    """ota_0 chosen, and something in nvs to lose."""
    device.put(NVS, b"\0" * 0x4000)
    device.write_otadata(otadata(1))
    return device


@pytest.fixture
def pins(device_with):
    return with_data(device_with("pins", "BOOTLOADER_OTA_DATA_ERASE=1", *PINS))


@pytest.fixture
def high_pins(device_with):
    return with_data(device_with("pins_high", "BOOTLOADER_FACTORY_RESET_PIN_HIGH=1",
                                 "BOOTLOADER_APP_TEST_PIN_HIGH=1", *PINS))


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


def test_a_short_press_is_ignored(device_with):
    # Long enough that even a slow machine lets go in time.
    slow_pins = [pin for pin in PINS if "HOLD_TIME" not in pin] + ["BOOTLOADER_HOLD_TIME_GPIO=120"]
    pins = with_data(device_with("pins_slow", "BOOTLOADER_OTA_DATA_ERASE=1", *slow_pins))
    with pins.run("--gpio", "4=0") as board:
        board.expect("End of partition table")
        pins.verb("gpio", "4", "release")
        assert "Detect" not in board.expect(r"(?s).*probe").group(0)


def test_without_the_option_a_factory_reset_keeps_otadata_and_partitions_not_named(high_pins):
    high_pins.put(0xF000, b"\0" * 0x1000)
    rows = TWO_OTA + [(1, 0x06, 0xF000, 0x1000, "data")]
    high_pins.put(0x8000, table(rows))
    out = boot(high_pins, "--gpio", "4=1")
    assert "Detect a condition of the factory reset" in out
    assert re.search(r"0 nvs +data  00009000 00004000 \[yes\]", out)
    assert re.search(r"1 otadata +data  0000d000 00002000 \[no\]", out)
    assert re.search(r"5 data +data  0000f000 00001000 \[no\]", out)
    assert f"from 0x{OTA_0:x}" in out
    assert high_pins.contents(NVS, 0x4000) == b"\xff" * 0x4000
    assert high_pins.contents(OTADATA, 32) == otadata(1)
    assert high_pins.contents(0xF000, 0x1000) == b"\0" * 0x1000


def test_a_pin_that_is_active_high_is_not_held_when_low_or_left_alone(high_pins):
    for options in ([], ["--gpio", "4=0", "--gpio", "12=0"]):
        out = boot(high_pins, *options)
        assert "Detect" not in out and f"from 0x{OTA_0:x}" in out
    assert high_pins.contents(NVS, 0x4000) == b"\0" * 0x4000


def test_a_held_test_pin_that_is_active_high_starts_the_test_app(high_pins):
    rows = [row if row[4] != "ota_1" else (0, 0x20, OTA_1, SLOT, "test") for row in TWO_OTA]
    high_pins.put(0x8000, table(rows))
    high_pins.put(OTA_1, probe(high_pins, 2))
    assert f"from 0x{OTA_1:x}" in boot(high_pins, "--gpio", "4=0", "--gpio", "12=1")
    assert high_pins.contents(NVS, 0x4000) == b"\0" * 0x4000


def test_a_bad_test_app_is_not_replaced_by_another(pins):
    rows = [row if row[4] != "ota_1" else (0, 0x20, OTA_1, SLOT, "test") for row in TWO_OTA]
    pins.put(0x8000, table(rows))
    out = pins.verb("run", "--gpio", "12=0", status=3)
    assert "No bootable test partition in the partition table" in out


def test_a_held_test_pin_without_a_test_app_is_explained(pins):
    out = pins.verb("run", "--gpio", "12=0", status=3)
    assert "Detect a boot condition of the test firmware" in out
    assert "Test firmware is not found in partition table" in out


def test_a_held_test_pin_starts_the_test_app(pins):
    rows = [row if row[4] != "ota_1" else (0, 0x20, OTA_1, SLOT, "test") for row in TWO_OTA]
    pins.put(0x8000, table(rows))
    pins.put(OTA_1, probe(pins, 2))
    assert f"from 0x{OTA_1:x}" in pins.verb("run", "--gpio", "12=0", "--until", "^probe")


# --- validation left out ---

def corrupt(image):
    """Runs all the same: nothing but its checksum and its hash are wrong."""
    changed = bytearray(image)
    changed[-33] ^= 0xFF
    changed[-1] ^= 0xFF
    return bytes(changed)


def test_with_validation_always_left_out_a_corrupt_image_boots(device_with):
    skip = device_with("skip_always", "BOOTLOADER_SKIP_VALIDATE_ALWAYS=1")
    skip.write_otadata(otadata(1))
    skip.put(OTA_0, corrupt(probe(skip, 2)))
    assert f"probe 2 from 0x{OTA_0:x}" in boot(skip)
    with skip.run() as board:
        board.expect("^probe 2|\nprobe 2")
        board.send("reset 3")
        board.expect(f"probe 2 from 0x{OTA_0:x}, reset reason 3")


@pytest.mark.parametrize("damage, why", [
    (lambda image: b"\x00" + image[1:], "invalid magic byte"),
    (lambda image: image[:1] + b"\x11" + image[2:], "segment count 17 exceeds max 16"),
    (lambda image: image[:28] + struct.pack("<I", 0x102) + image[32:],
     "invalid segment length 0x102"),
    (lambda image: image[:28] + struct.pack("<I", 2 * SLOT) + image[32:],
     "doesn't fit in partition length"),
    (lambda image: move_segment(image, 0x7FFFFFF0), "bad load address range")])
def test_what_cannot_be_loaded_is_refused_even_then(device_with, damage, why):
    skip = device_with("skip_always", "BOOTLOADER_SKIP_VALIDATE_ALWAYS=1")
    skip.write_otadata(otadata(1))
    skip.put(OTA_0, damage(probe(skip, 2)))
    out = boot(skip)
    assert why in out and "OTA app partition slot 0 is not bootable" in out
    assert f"probe 1 from 0x{FACTORY:x}" in out


def move_segment(image, address):
    changed = bytearray(image)
    struct.pack_into("<I", changed, loaded_segment(image)[1] - 8, address)
    return bytes(changed)


def test_with_validation_left_out_at_power_on_a_reset_validates_again(device_with):
    skip = device_with("skip_power_on", "BOOTLOADER_SKIP_VALIDATE_ON_POWER_ON=1")
    skip.write_otadata(otadata(1))
    skip.put(OTA_0, corrupt(probe(skip, 2)))
    with skip.run() as board:
        board.expect(f"probe 2 from 0x{OTA_0:x}, reset reason 1")
        board.send("reset 3")
        board.expect("OTA app partition slot 0 is not bootable")
        board.expect(f"probe 1 from 0x{FACTORY:x}, reset reason 3")


def test_after_deep_sleep_the_same_app_starts_without_validation(device_with):
    """Whatever otadata says by then, and whatever became of the image."""
    skip = device_with("skip_deep_sleep", "BOOTLOADER_SKIP_VALIDATE_IN_DEEP_SLEEP=1",
                       "BOOTLOADER_FACTORY_RESET=1", "BOOTLOADER_NUM_PIN_FACTORY_RESET=4",
                       "BOOTLOADER_HOLD_TIME_GPIO=1")
    skip.write_otadata(otadata(1))
    image = probe(skip, 2)
    last = (OTA_0 + len(image) - 1) & ~3
    with skip.run() as board:
        board.expect(f"probe 2 from 0x{OTA_0:x}, reset reason 1")
        board.send(f"fill {last:x} 4 0")  # of the hash
        board.expect("program 0")
        board.send(f"fill {OTADATA:x} 4 0")
        board.expect("program 0")
        board.send("reset 8")
        board.expect(f"Fast booting app from partition at offset 0x{OTA_0:x}")
        board.expect(f"probe 2 from 0x{OTA_0:x}, reset reason 8")
        board.send(f"fill {OTA_0:x} 4 0")  # now it has no header
        board.expect("program 0")
        board.send("reset 8")
        board.expect("Fast booting is not successful")
        board.expect("Try to load an app as usual with all validations")
        board.expect(f"probe 1 from 0x{FACTORY:x}, reset reason 8")
        board.send("reset 3")
        lines = board.expect("(?s)ESP-IDF.*probe 1 from").group(0)
        assert "Fast booting" not in lines


def test_after_deep_sleep_pins_are_not_looked_at(pins):
    with pins.run() as board:
        board.expect("probe 2")
        pins.verb("gpio", "4", "low")
        board.send("reset 8")
        assert "Detect" not in board.expect("(?s)ESP-IDF.*probe 2 from").group(0)
    assert pins.contents(NVS, 0x4000) == b"\0" * 0x4000


# --- partition tables ---

def slots_table(count, first=0x10000, size=0x40000, factory=None):
    rows = [(1, 0x02, NVS, 0x4000, "nvs"), (1, 0x00, OTADATA, 0x2000, "otadata")]
    if factory is not None:
        rows.append((0, 0x00, factory, size, "factory"))
    return rows + [(0, 0x10 + n, first + n * size, size, f"ota_{n}") for n in range(count)]


@pytest.mark.skipif(SANITIZED, reason="sanitised firmware does not fit sixteen slots")
@pytest.mark.parametrize("count", [1, 2, 15])
def test_any_number_of_slots_each_chosen_by_its_sequences(device, count):
    """The 4 MiB chip of a linux board takes 15 slots of the size that the probe needs."""
    size = 0x40000
    device.put(0x8000, table(slots_table(count)))
    for n in (0, count // 2, count - 1):
        device.put(0x10000 + n * size, probe(device, 2))
        for sequence in (n + 1, n + 1 + count):
            device.write_otadata(otadata(sequence), otadata(sequence - 1) if sequence > 1 else b"")
            assert f"probe 2 from 0x{0x10000 + n * size:x}" in boot(device)


@pytest.mark.skipif(SANITIZED, reason="sanitised firmware does not fit sixteen slots")
def test_the_sixteenth_slot_boots(device):
    """Slots 1 to 14 are too small for anything."""
    rows = slots_table(16, first=0x210000, size=0x1000)
    rows[2] = (0, 0x10, 0x10000, SLOT, "ota_0")
    rows[17] = (0, 0x1F, 0x110000, SLOT, "ota_15")
    device.put(0x8000, table(rows))
    device.put(0x110000, probe(device, 2))
    device.write_otadata(otadata(16))
    assert "probe 2 from 0x110000" in boot(device)
    device.put(0x110000, b"\xff" * 4096)
    out = boot(device)
    assert out.count("is not bootable") == 15 and "probe 1 from 0x10000" in out


def test_without_otadata_factory_boots_whatever_slots_there_are(device):
    rows = [row for row in TWO_OTA if row[4] != "otadata"]
    device.put(0x8000, table(rows))
    device.put(OTA_0, probe(device, 2))
    assert f"probe 1 from 0x{FACTORY:x}" in boot(device)


def test_a_factory_app_alone_boots(device):
    device.put(0x8000, table([row for row in TWO_OTA if row[4] in ("nvs", "factory")]))
    assert f"probe 1 from 0x{FACTORY:x}" in boot(device)


def test_without_factory_and_otadata_nothing_can_be_chosen_but_the_slots(device):
    device.put(0x8000, table([row for row in TWO_OTA if row[4].startswith("ota_")]))
    device.put(OTA_1, probe(device, 2))
    out = boot(device)
    assert "Factory app partition is not bootable" not in out
    assert f"probe 2 from 0x{OTA_1:x}" in out


def test_a_table_without_an_app_is_explained(device):
    device.put(0x8000, table([row for row in TWO_OTA if row[0] == 1]))
    out = device.verb("run", status=3)
    assert "No bootable app partitions in the partition table" in out


def test_an_otadata_partition_of_one_sector_is_refused(device):
    rows = [row if row[4] != "otadata" else (1, 0, OTADATA, 0x1000, "otadata") for row in TWO_OTA]
    device.put(0x8000, table(rows))
    out = device.verb("run", status=3)
    assert "ota_info partition size 4096 is too small (minimum 8192 bytes)" in out


def test_the_flash_chip_names_itself(device):
    """The linux board's made-up chip by its size, the emulated one by its manufacturer."""
    with device.run() as board:
        board.expect("probe 1")
        board.send("id")
        capacity = 19 + device.firmware.flash_size.bit_length()
        wanted = 0xA10500 | capacity if device.board == "linux" else 0x9D7019
        board.expect(rf"id {wanted:06x}\n")


def _file(device, data):
    path = device.build / "file.bin"
    path.write_bytes(data)
    return path
