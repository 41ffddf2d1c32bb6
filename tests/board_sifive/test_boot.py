# SPDX-License-Identifier: Apache-2.0
"""The second-stage bootloader on the board: it fits, and it starts an application from its slot."""

import re
import struct
import subprocess

import pytest

import sifive_image as image
from sifive_machine import ROOT, STEADY_TIME, WORK

FACTORY, OTA_0, OTA_1 = 0x10000, 0x110000, 0x210000
FLASH_LIMIT, RAM_LIMIT = 24 << 10, 16 << 10

TABLE = image.partition_table([
    ("nvs", 1, 2, 0x9000, 0x4000), ("otadata", 1, 0, 0xD000, 0x2000),
    ("phy_init", 1, 1, 0xF000, 0x1000), ("factory", 0, 0, FACTORY, 0x100000),
    ("ota_0", 0, 0x10, OTA_0, 0x100000), ("ota_1", 0, 0x11, OTA_1, 0x100000)])


def build_bootloader(name="bootloader", *options):
    build = WORK / name
    config = WORK / f"{name}-config"
    config.mkdir(parents=True, exist_ok=True)
    text = "".join(f"#define CONFIG_{option.replace('=', ' ')}\n" for option in options)
    if not (config / "sdkconfig.h").exists() or (config / "sdkconfig.h").read_text() != text:
        (config / "sdkconfig.h").write_text(text)
    for command in (
            ["cmake", "-S", ROOT / "bootloader", "-B", build, "-DIDF_TARGET=sifive_u",
             f"-DCMAKE_TOOLCHAIN_FILE={ROOT}/boards/sifive_u/toolchain.cmake",
             f"-DCONFIG_DIR={config}", "-DIDF_VER=v0.0-test"],
            ["cmake", "--build", build, "-j2"]):
        run = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert run.returncode == 0, run.stdout[-4000:]
    return build / "bootloader.elf"


@pytest.fixture(scope="session")
def bootloader():
    return build_bootloader()


@pytest.fixture
def flash_with(make_flash, bootloader):
    def make(contents):
        return make_flash({0: image.from_elf(bootloader), 0x8000: TABLE, **contents})

    return make


def app(probes, name="probe_kernel", **more):
    return image.from_elf(probes / f"{name}.elf", **more)


def otadata(sequence):
    import zlib
    head = struct.pack("<I", sequence)
    # The CRC of the boot ROMs: started with all ones, not inverted at the start again.
    crc = zlib.crc32(head, 0xFFFFFFFF)
    return (head + b"\xff" * 24 + struct.pack("<I", crc)).ljust(0x1000, b"\xff")


def test_the_bootloader_keeps_to_its_limits(bootloader):
    sizes = subprocess.run(["riscv64-unknown-elf-size", "-A", bootloader], text=True,
                           stdout=subprocess.PIPE, check=True).stdout
    section = {row[0]: int(row[1]) for row in re.findall(r"(\.[\w.]+)\s+(\d+)\s+(\d+)", sizes)}
    assert len(image.from_elf(bootloader)) <= FLASH_LIMIT
    assert section[".data"] + section[".bss"] + section[".trap_stack"] + 4096 <= RAM_LIMIT


def test_factory_application_is_started(machine, flash_with, probes):
    one = machine(flash_with({FACTORY: app(probes)}))
    one.expect(r"boot: ESP-IDF v0.0-test 2nd stage bootloader")
    one.expect(r"factory app +00 00 00010000 00100000")
    one.expect(r"Loaded app from partition at offset 0x10000")
    one.expect(r"probe_kernel ready")
    assert one.ask("chip") == "chip sifive_u a205 running 10000"


def test_otadata_chooses_the_slot(machine, flash_with, probes):
    one = machine(flash_with({FACTORY: app(probes, "probe_app"), OTA_1: app(probes),
                              0xD000: otadata(2)}))
    one.expect(r"Loaded app from partition at offset 0x210000")
    one.expect(r"probe_kernel ready")
    assert one.ask("chip").endswith("running 210000")


def test_a_damaged_slot_falls_back(machine, flash_with, probes):
    damaged = bytearray(app(probes, "probe_app"))
    damaged[0x1000] ^= 4
    one = machine(flash_with({FACTORY: app(probes), OTA_0: bytes(damaged), 0xD000: otadata(1)}))
    one.expect(r"OTA app partition slot 0 is not bootable")
    one.expect(r"Loaded app from partition at offset 0x10000")
    one.expect(r"probe_kernel ready")


@pytest.mark.parametrize("chip, why", [(0xA105, "mismatch chip ID, expected 41477, found 41221"),
                                       (5, "mismatch chip ID, expected 41477, found 5")])
def test_firmware_of_another_board_is_refused(machine, flash_with, probes, chip, why):
    one = machine(flash_with({FACTORY: app(probes, chip=chip)}))
    one.expect(why)
    one.expect(r"No bootable app partitions in the partition table")
    one.expect(r"rst:0x40 \(NO_BOOTABLE_APP\)")


@pytest.mark.parametrize("address, why", [(0x82000000, "overlaps bootloader data"),
                                          (0x8200F000, "overlaps bootloader stack"),
                                          (0x83000000, "bad load address range"),
                                          (0x20000000, "bad load address range")])
def test_load_addresses_that_are_not_the_applications_are_refused(machine, flash_with, probes,
                                                                 address, why):
    segments, entry = image.loads(probes / "probe_app.elf")
    one = machine(flash_with({FACTORY: image.build(segments + [(address, bytes(64))], entry)}))
    one.expect(rf"Segment \d+ 0x{address:08x}-0x{address + 64:08x} invalid: {why}")
    one.expect(r"rst:0x40 \(NO_BOOTABLE_APP\)")


@pytest.mark.parametrize("name, options, at_least, at_most", [
    ("wdt-60", ["BOOTLOADER_WDT_ENABLE=1", "BOOTLOADER_WDT_TIME_MS=60000"], 9001, 60000),
    ("wdt-off", [], 0, 0)])
def test_the_watchdog_of_the_boot_is_as_configured(machine, make_flash, probes, name, options,
                                                   at_least, at_most):
    bootloader = build_bootloader(name, "IDF_TARGET_SIFIVE_U=1", *options)
    one = machine(make_flash({0: image.from_elf(bootloader), 0x8000: TABLE,
                              FACTORY: app(probes, "probe_app")}))
    one.expect("probe_app ready")
    limit = int(one.ask("limit").split()[1])
    assert at_least <= limit <= at_most


def test_reset_to_application_takes_less_than_half_a_second(machine, flash_with, probes):
    segments, entry = image.loads(probes / "probe_kernel.elf")
    # As large as a firmware with TLS.
    segments.append((0x80800000, bytes(range(256)) * 2400))
    one = machine(flash_with({FACTORY: image.build(segments, entry)}), *STEADY_TIME)
    one.expect(r"probe_kernel ready")
    started = int(re.search(r"time (\d+)", one.ask("time 0")).group(1))
    print(f"reset to application: {started / 1000:.0f} ms")
    assert started < 500_000
