# SPDX-License-Identifier: Apache-2.0
"""examples/native_ota_example, the guide's second example: version check, trial, way back."""

import shutil
import struct
import subprocess

import pytest

from harness import build, images, servers
from harness.board import Board, copy_flash

PIN = 4
TRIAL = r"Diagnostics \(5 sec\)\.\.\."


@pytest.fixture(scope="module")
def native(board_name, certs):
    """The example, asking for its URL; versions 1 and 2 built, the build folder ends at 1."""
    firmware = build.Firmware(build.ROOT / "examples/native_ota_example", board_name, certs=certs,
                              config=['CONFIG_EXAMPLE_FIRMWARE_UPG_URL="FROM_STDIN"'])
    firmware.v2 = firmware.version("2")
    firmware.v1 = firmware.version("1")
    firmware.factory = firmware.flash(firmware.images / "factory.flash")
    return firmware


class Life:
    """One device: its flash, the server's folder, and the board that is running now."""

    def __init__(self, native, tool, host, server, folder, flash):
        self.native, self.tool, self.host, self.server = native, tool, host, server
        self.folder, self.flash, self.board = folder, flash, None

    def power_on(self, **how):
        self.board = Board(self.tool, self.native.build, self.flash, self.native.target, **how)
        self.board.expect("OTA example app_main start")
        return self.board

    def power_off(self):
        if self.board:
            self.board.stop()
        self.board = None

    def offer(self, image):
        """Serves image and tells the board, which asks, where."""
        if isinstance(image, bytes):
            (self.folder / "native_ota.bin").write_bytes(image)
        else:
            shutil.copyfile(image, self.folder / "native_ota.bin")
        self.board.expect("URL of the new firmware")
        self.board.send(self.server.url("native_ota.bin", self.host))

    def update(self, image):
        """Until the new version's trial."""
        self.offer(image)
        self.board.expect("esp_ota_begin succeeded")
        self.board.expect("Connection closed")
        self.board.expect("Total Write binary data length: [0-9]+")
        self.board.expect("Prepare to restart system!")
        self.board.expect(TRIAL)

    def gpio(self, *words):
        run = subprocess.run([self.tool, "gpio", "-B", self.native.build, "--flash", self.flash,
                              *map(str, words)], check=True, capture_output=True, text=True)
        return run.stdout

    def otadata(self):
        return images.Flash(self.flash).read("otadata")


@pytest.fixture
def life(native, tool, host, certs, tmp_path):
    folder = tmp_path / "served"
    folder.mkdir()
    flash = copy_flash(native.factory, tmp_path / "flash.bin")
    with servers.airlift_serve(tool, folder, certs) as server:
        one = Life(native, tool, host, server, folder, flash)
        yield one
        one.power_off()


def renamed(image, version):
    """The same program under another version."""
    changed = bytearray(image.read_bytes())
    assert struct.unpack_from("<I", changed, 0x20) == (0xABCD5432,)
    changed[0x30:0x50] = version.encode().ljust(32, b"\0")
    return images.reseal(changed)


def expect_refused_as_rolled_back(life):
    start = life.board.mark()
    life.offer(life.native.v2)
    life.board.expect("New firmware version: 2\n")
    life.board.expect("Running firmware version: 1\n")
    life.board.expect("Last invalid firmware version: 2\n")
    life.board.expect(r"W \(\d+\) native_ota_example: The new version is the same as the invalid")
    life.board.expect(r"W \(\d+\) native_ota_example: Version 2 was started here before")
    life.board.expect(r"W \(\d+\) native_ota_example: The firmware was rolled back")
    life.board.expect("press the reset button to download it")
    life.board.expect(r"Waiting for a new firmware \.\.\. 1\n")
    assert "esp_ota_begin succeeded" not in life.board.seen(start)


def test_an_update_that_passes_its_diagnostics_is_kept_and_not_downloaded_twice(life):
    board = life.power_on()
    board.expect("SHA-256 for the partition table: [0-9a-f]{64}")
    board.expect("SHA-256 for bootloader: [0-9a-f]{64}")
    board.expect("SHA-256 for current firmware: [0-9a-f]{64}")
    board.expect("Starting OTA example task")
    board.expect(r"Running partition type 0 subtype 0 \(offset 0x[0-9a-f]{8}\)")
    life.update(life.native.v2)
    # The pin's pull-up alone holds it high.
    assert life.gpio().split("\n")[1].split() == [str(PIN), "-", "on", "off", "up"]
    board.expect("Diagnostics completed successfully! Continuing execution")
    board.expect("Running partition type 0 subtype 16 ")
    before = life.otadata()
    life.offer(life.native.v2)
    board.expect("Writing to partition subtype 17 ")
    board.expect("New firmware version: 2\n")
    board.expect("Running firmware version: 2\n")
    board.expect("Current running version is the same as a new")
    board.expect(r"Waiting for a new firmware \.\.\. 1\n")
    assert "Last invalid firmware version" not in board.seen()
    assert life.otadata() == before
    assert images.Flash(life.flash).read("ota_1", 4096) == b"\xff" * 4096
    life.power_off()
    board = life.power_on()
    board.expect("URL of the new firmware")
    assert "Diagnostics" not in board.seen()


def test_a_pin_pulled_low_during_the_trial_brings_the_old_version_back_for_good(life):
    board = life.power_on()
    life.update(life.native.v2)
    life.gpio(PIN, "low")
    assert life.gpio().split("\n")[1].split() == [str(PIN), "low", "on", "off", "up"]
    board.expect("Diagnostics failed! Start rollback to the previous version")
    board.expect("Running partition type 0 subtype 0 ")
    life.gpio(PIN, "release")
    expect_refused_as_rolled_back(life)
    # The next version is as welcome as ever.
    life.power_off()
    board = life.power_on()
    life.update(renamed(life.native.v2, "3"))
    board.expect("Diagnostics completed successfully!")


@pytest.mark.parametrize("how", ["power cut", "reset button"])
def test_a_trial_that_does_not_end_brings_the_old_version_back_for_good(life, how):
    board = life.power_on(terminal=how == "reset button")
    life.update(life.native.v2)
    if how == "power cut":
        board.cut_power()
        life.power_off()
        board = life.power_on()
    else:
        board.reset_button()
    board.expect("Running partition type 0 subtype 0 ")
    expect_refused_as_rolled_back(life)


def test_what_is_no_image_is_refused_and_the_firmware_goes_on(life):
    board = life.power_on()
    before = life.otadata()
    life.offer(bytes([0xE9]) + bytes(287))
    board.expect("received package is not fit len")
    board.expect("Firmware upgrade failed")
    life.power_off()
    board = life.power_on()
    image = bytearray(life.native.v2.read_bytes())
    image[len(image) // 2] ^= 4
    life.offer(bytes(image))
    board.expect("Image validation failed, image is corrupted")
    life.power_off()
    board = life.power_on()
    board.expect("URL of the new firmware")
    board.send(life.server.url("missing.bin", life.host))
    board.expect("answered with status 404")
    life.power_off()
    assert life.otadata() == before
    board = life.power_on()
    board.expect("Running partition type 0 subtype 0 ")
