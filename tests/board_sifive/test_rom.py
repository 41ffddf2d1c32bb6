# SPDX-License-Identifier: Apache-2.0
"""The ROM stage: what it says, what it starts, what it refuses."""

import re

import sifive_image as image

POWERON, EXTERNAL, SOFTWARE, PANIC = 1, 2, 3, 4


def test_blank_flash_is_named_and_the_board_waits(machine, make_flash):
    one = machine(make_flash({}))
    one.expect(r"rst:0x1 \(POWERON\),boot:0xc \(SPI_FAST_FLASH_BOOT\)\n")
    one.expect(r"invalid header: 0xffffffff\n")
    assert one.process.poll() is None


def test_a_valid_bootloader_is_loaded_and_started(machine, make_flash, boot_image):
    one = machine(make_flash({0: boot_image}))
    one.expect(r"rst:0x1 \(POWERON\)")
    one.expect(r"load:0x82000000,len:0x[0-9a-f]+\n")
    one.expect(r"entry 0x820[0-9a-f]{5}\n")
    one.expect(r"probe_boot ready")


def test_a_flipped_bit_is_refused(machine, make_flash, boot_image):
    damaged = bytearray(boot_image)
    damaged[len(damaged) // 2] ^= 0x10
    one = machine(make_flash({0: bytes(damaged)}))
    one.expect(r"Checksum failed")
    one.expect(r"bootloader image is not valid")


def test_a_wrong_hash_is_refused(machine, make_flash, boot_image):
    damaged = bytearray(boot_image)
    damaged[-1] ^= 1
    one = machine(make_flash({0: bytes(damaged)}))
    one.expect(r"hash failed")
    one.expect(r"bootloader image is not valid")


def test_another_boards_bootloader_is_refused_before_anything_is_loaded(machine, make_flash,
                                                                      probes):
    other = image.from_elf(probes / "probe_boot.elf", chip=0xA105)
    one = machine(make_flash({0: other}))
    one.expect(r"mismatch chip ID, expected 41477, found 41221")
    one.expect(r"bootloader image is not valid")
    assert "load:" not in one.output


def test_a_segment_outside_the_bootloaders_memory_is_refused(machine, make_flash):
    for address in (0x80000000, 0x82010000 - 4, 0x20000000):
        one = machine(make_flash({0: image.build([(address, bytes(64))], 0x82000000)}))
        one.expect(r"invalid: bad load address range\n")
        one.expect(r"bootloader image is not valid")
        one.stop()


def test_an_entry_outside_the_bootloaders_memory_is_refused(machine, make_flash):
    one = machine(make_flash({0: image.build([(0x82000000, bytes(64))], 0x81000000)}))
    one.expect(r"bootloader entry 0x81000000 is not valid")


def test_an_image_that_loads_nothing_is_refused(machine, make_flash):
    one = machine(make_flash({0: image.build([(0x08000000, bytes(64))], 0x82000000)}))
    one.expect(r"bootloader entry 0x82000000 is not valid")


def test_random_bytes_with_a_magic_are_refused(machine, make_flash):
    import random
    source = random.Random(3)
    for _ in range(3):
        one = machine(make_flash({0: b"\xe9" + source.randbytes(0x9000)}))
        one.expect(r"is not valid|invalid")
        one.stop()


def test_reset_reasons_are_kept_and_boots_end_in_the_same_program(probe):
    assert probe.ask("reason") == f"reason {POWERON}"
    for reason, name in ((SOFTWARE, "SOFTWARE"), (PANIC, "PANIC"), (64, "NO_BOOTABLE_APP")):
        probe.send(f"reset {reason}")
        probe.expect(rf"rst:0x{reason:x} \({name}\)")
        probe.expect("probe_boot ready")
        assert probe.ask("reason") == f"reason {reason}"


def test_a_reset_from_outside_says_so(machine, make_flash, boot_image, tmp_path):
    import socket
    path = tmp_path / "monitor"
    one = machine(make_flash({0: boot_image}), "-chardev",
                  f"socket,id=m,path={path},server=on,wait=off", "-mon", "chardev=m")
    one.expect("probe_boot ready")
    with socket.socket(socket.AF_UNIX) as monitor:
        monitor.connect(str(path))
        monitor.sendall(b"system_reset\n")
        one.expect(r"rst:0x2 \(EXTERNAL\)")
        one.expect("probe_boot ready")


def test_retain_memory_is_zero_after_power_on_and_survives_a_reset(probe, machine):
    assert probe.ask("retain 0 0") == "retain 0"
    assert probe.ask("retain 0 63") == "retain 0"
    probe.ask("retain 0x12345678 0")
    probe.ask("retain 0xabcdef01 63")
    probe.send("reset 3")
    probe.expect("probe_boot ready")
    assert probe.ask("retain 0 0") == "retain 12345678"
    assert probe.ask("retain 0 63") == "retain abcdef01"
    probe.stop()
    again = machine(probe.flash)
    again.expect(r"POWERON")
    again.expect("probe_boot ready")
    assert again.ask("retain 0 63") == "retain 0"


def test_the_clock_starts_at_reset(probe):
    probe.send("reset 3")
    probe.expect("probe_boot ready")
    start = int(re.search(r"time (\d+)", probe.ask("time 0")).group(1))
    assert start < 5_000_000
