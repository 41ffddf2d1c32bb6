# SPDX-License-Identifier: Apache-2.0
"""examples/partitions_ota: application, bootloader, partition table and data are updated, and what
does not fit is refused with everything as it was."""

import re
import struct
import subprocess

import pytest

from harness import build, images, servers
from harness.board import Board, copy_flash

TABLE, SECTOR = 0x8000, 0x1000


@pytest.fixture(scope="module")
def example(board_name, certs):
    """The example, asking for URLs; versions 1 and 2 built, the build folder ends at 1."""
    firmware = build.Firmware(
        build.ROOT / "examples/partitions_ota", board_name, certs=certs,
        config=['CONFIG_EXAMPLE_FIRMWARE_UPGRADE_URL="FROM_STDIN"'])
    firmware.v2 = firmware.version("2")
    firmware.v1 = firmware.version("1")
    firmware.factory = firmware.flash(firmware.images / "factory.flash")
    return firmware


class Device:
    def __init__(self, example, tool, host, server, folder, flash):
        self.example, self.tool, self.host, self.server = example, tool, host, server
        self.folder, self.flash, self.board = folder, flash, None

    def power_on(self, *options):
        self.board = Board(self.tool, self.example.build, self.flash, self.example.target, options)
        return self.board

    def power_off(self):
        if self.board:
            self.board.stop()
        self.board = None

    def offer(self, name, content):
        (self.folder / name).write_bytes(content)
        self.give_url(self.server.url(name, self.host))

    def give_url(self, url):
        self.board.expect("URL of the update")
        self.board.send(url)

    def everything(self):
        return self.flash.read_bytes()

    def partition(self, label):
        return images.Flash(self.flash).read(label)

    def verb(self, *words, status=0):
        run = subprocess.run([self.tool, words[0], "-B", self.example.build, "--flash", self.flash,
                              *map(str, words[1:])], text=True, capture_output=True)
        assert run.returncode == status, run.stdout + run.stderr
        return run.stdout + run.stderr


@pytest.fixture
def device(example, tool, host, certs, tmp_path):
    folder = tmp_path / "served"
    folder.mkdir()
    flash = copy_flash(example.factory, tmp_path / "flash.bin")
    with servers.airlift_serve(tool, folder, certs) as server:
        one = Device(example, tool, host, server, folder, flash)
        yield one
        one.power_off()


def bootloader(device, version):
    """The bootloader in flash under another version."""
    image = bytearray(device.everything()[:TABLE])
    image = image[:images.length(image)]
    assert image[32] == 80
    struct.pack_into("<I", image, 36, version)
    return images.reseal(image)


def next_table(device, tmp_path, change=lambda text: text):
    text = (device.example.project / "partitions_next.csv").read_text()
    (tmp_path / "next.csv").write_text(change(text))
    subprocess.run([device.tool, "partition-table", "gen", "--quiet", "-o", tmp_path / "next.bin",
                    tmp_path / "next.csv"], check=True)
    return (tmp_path / "next.bin").read_bytes()


# --- application ---

def test_application(device):
    board = device.power_on()
    board.expect("Partitions OTA example, version 1, running from ota_0")
    device.offer("partitions_ota.bin", device.example.v2.read_bytes())
    board.expect("OTA Succeed, Rebooting")
    board.expect("Partitions OTA example, version 2, running from ota_1")


def test_a_closed_console_is_no_reason_to_restart_for_ever(device):
    if device.example.target != "linux":
        pytest.skip("a serial line is never closed")
    board = device.power_on("--max-resets", "1")
    board.expect("URL of the update")
    board.process.stdin.close()
    board.expect("The console is closed and gave no URL")
    subprocess.run([device.tool, "board", "link", "-B", device.example.build, "--flash",
                    device.flash, "off"], check=True)
    board.expect("Link Down")
    assert board.seen().count("Partitions OTA example, ") == 1


# --- bootloader ---

def test_bootloader_is_replaced_and_starts_the_application(device):
    image = bootloader(device, 7)
    board = device.power_on()
    board.expect("Bootloader version 1\n")
    otadata = device.partition("otadata")
    device.offer("bootloader.bin", image)
    board.expect("Replacing <bootloader>: do not switch off now")
    # The version, the checksum and the digest have changed: a few sectors.
    board.expect("Replaced <bootloader>: [1-3] sectors written")
    board.expect("OTA Succeed, Rebooting")
    board.expect("version 1, running from ota_0")
    board.expect("Bootloader version 7\n")
    assert device.everything()[:len(image)] == image
    assert device.partition("otadata") == otadata
    device.offer("bootloader.bin", image)
    board.expect("<bootloader> is up to date")


def test_a_damaged_bootloader_an_application_and_a_table_in_its_place_are_refused(device):
    good = bootloader(device, 7)
    board = device.power_on()
    before = device.everything()[:TABLE + SECTOR]
    device.offer("bootloader.bin", images.flip_bit(good, len(good) // 2, 3))
    board.expect("Update failed")
    device.offer("bootloader.bin", device.example.v2.read_bytes())
    board.expect("Update failed")
    device.offer("bootloader.bin", before[TABLE:])
    board.expect("Update failed")
    assert device.everything()[:TABLE + SECTOR] == before
    device.offer("bootloader.bin", good)
    board.expect("Bootloader version 7\n")


# --- partition table ---

def test_partition_table_is_replaced_and_in_force_after_the_restart(device, tmp_path):
    board = device.power_on()
    device.offer("storage.bin", b"kept")
    board.expect(r'Storage says: "kept"')
    device.offer("partition-table.bin", next_table(device, tmp_path))
    board.expect("Replaced <partition table>: 1 sectors written")
    board.expect("OTA Succeed, Rebooting")
    board.expect("running from ota_0")
    board.expect(r"storage +type 1 subtype 0x06 at 0x[0-9a-f]+ size 0x010000")
    board.expect(r"journal +type 1 subtype 0x40 ")
    board.expect(r'Storage says: "kept"')
    # What did not fit before does now.
    device.offer("storage.bin", b"larger".ljust(0xC000, b"."))
    board.expect(r'Storage says: "larger')
    device.offer("partition-table.bin", next_table(device, tmp_path))
    board.expect("<partition table> is up to date")


@pytest.mark.parametrize("change, why", [
    (lambda text: text.replace("ota,       ,         0x2000", "ota, 0xe000, 0x2000"),
     "moves, shrinks or drops <otadata>"),
    (lambda text: re.sub(r"[0-9]+M", "512K", text), "moves, shrinks or drops <ota_0>"),
    (lambda text: "\n".join(line for line in text.splitlines() if "ota_1" not in line) + "\n",
     "has 1 update slots, this one has 2"),
])
def test_a_table_that_this_device_could_not_go_on_with_is_refused(device, tmp_path, change, why):
    table = next_table(device, tmp_path, change)
    board = device.power_on()
    before = device.everything()[:TABLE + SECTOR]
    device.offer("partition-table.bin", table)
    board.expect(why)
    board.expect("Update failed")
    assert device.everything()[:TABLE + SECTOR] == before


def test_a_damaged_table_is_refused(device, tmp_path):
    table = next_table(device, tmp_path)
    board = device.power_on()
    before = device.everything()[:TABLE + SECTOR]
    for bad in (images.flip_bit(table, 4, 0), table[:64], b"\xff" * 0xC00):
        device.offer("partition-table.bin", bad)
        board.expect("Update failed")
    assert device.everything()[:TABLE + SECTOR] == before


# --- data ---

def test_staged_data_replaces_the_whole_partition(device):
    board = device.power_on()
    device.offer("storage.bin", b"first".ljust(0x8000, b"#"))
    board.expect(r"Copy from <ota_1> staging partition to <storage>")
    board.expect(r'Storage says: "first#')
    device.offer("storage.bin", b"second")
    board.expect(r'Storage says: "second"')
    assert device.partition("storage") == b"second".ljust(0x8000, b"\xff")


def test_data_that_is_too_large_or_not_complete_leaves_the_old(device, certs, host):
    board = device.power_on()
    device.offer("storage.bin", b"first")
    board.expect(r'Storage says: "first"')
    before = device.partition("storage")
    device.offer("storage.bin", bytes(0x8001))
    board.expect(r"The file has 32769 bytes, <storage> has 32768")
    board.expect("Update failed")
    pem = certs / "ca_cert.pem", certs / "ca_key.pem"
    with servers.FaultServer(servers.respond(bytes(0x2000), promised=0x4000), *pem) as source:
        device.give_url(source.url("storage.bin", host))
        board.expect("Update failed")
    with servers.FaultServer(servers.chunked(bytes(0x8001), [4096]), *pem) as source:
        device.give_url(source.url("storage.bin", host))
        board.expect("The file is larger than <storage> of 32768 bytes")
    device.give_url(device.server.url("missing/storage.bin", host))
    board.expect("Update failed")
    assert device.partition("storage") == before


def test_settings_are_written_straight_into_their_partition(device, example, tmp_path):
    for boot in (1, 2, 3):
        device.power_on().expect(f"Boots counted in NVS: {boot}\n")
        device.power_off()
    device.verb("parttool", "read_partition", "-n", "nvs", "--output", tmp_path / "nvs.bin")
    copy_flash(example.factory, device.flash)
    board = device.power_on()
    board.expect("Boots counted in NVS: 1\n")
    slot = device.partition("ota_1")
    device.offer("nvs.bin", (tmp_path / "nvs.bin").read_bytes())
    board.expect("Writing to <nvs> partition")
    board.expect("Boots counted in NVS: 3\n")
    assert device.partition("ota_1") == slot
    device.power_off()
    device.power_on().expect("Boots counted in NVS: 4\n")


def test_a_file_of_another_name_is_nothing_to_update(device):
    before = device.everything()
    board = device.power_on()
    board.expect("URL of the update")
    running = device.everything()
    board.send(device.server.url("readme.txt", device.host))
    board.expect("says none of the things that can be updated")
    assert device.everything() == running
    assert before[:TABLE + SECTOR] == running[:TABLE + SECTOR]


# --- power cuts: what README.md says about them ---

@pytest.fixture
def cut_device(device, board_name):
    if board_name != "linux":
        pytest.skip("a cut in a planned flash operation needs the linux board")
    return device


def operations(device, name, content, *until):
    """Flash operations of a run until the update is done, on a copy of the flash."""
    start = copy_flash(device.flash, f"{device.flash}.start")
    device.power_on("--count-ops", *until)
    device.offer(name, content)
    device.board.wait()
    count = int(device.board.expect(r"flash operations: (\d+)\n").group(1))
    device.power_off()
    copy_flash(start, device.flash)
    return count


def cut(device, name, content, where):
    device.power_on("--cut-at", where)
    device.offer(name, content)
    assert device.board.wait() == 5
    device.power_off()


def test_a_cut_while_data_is_copied_is_made_good_by_the_next_update(cut_device):
    device, data = cut_device, b"new".ljust(0x8000, b"#")
    count = operations(device, "storage.bin", data, "--until", "Storage says: .new")
    cut(device, "storage.bin", data, f"{count}:50%")
    assert device.partition("storage") != data
    board = device.power_on()
    device.offer("storage.bin", data)
    board.expect('Storage says: "new###')
    assert device.partition("storage") == data


@pytest.mark.parametrize("name, dead", [("bootloader.bin", 4), ("partition-table.bin", 3)])
def test_only_a_cut_while_bootloader_or_table_is_replaced_needs_the_flashing_tool(
        cut_device, tmp_path, name, dead):
    device, outcomes = cut_device, []
    content = (bootloader(device, 7) if name == "bootloader.bin"
               else next_table(device, tmp_path))
    old = device.everything()[:TABLE + SECTOR]
    (tmp_path / "old.bin").write_bytes(old[:TABLE] if name == "bootloader.bin" else old[TABLE:])
    start = copy_flash(device.flash, tmp_path / "start.bin")
    # From the last operation back to the one where the replacing begins.
    count = operations(device, name, content, "--max-resets", "0")
    while not outcomes or outcomes[-1] != "old":
        copy_flash(start, device.flash)
        cut(device, name, content, f"{count}:before")
        count -= 1
        if device.everything()[:TABLE + SECTOR] == old:
            outcomes.append("old")
        else:
            status = device.power_on("--max-resets", "2", "--until", "URL of the update").wait()
            device.power_off()
            outcomes.append("new" if status == 0 else "dead")
            assert status in (0, dead)
            # Flashed again the device goes on with its application and its data.
            device.verb("flash", "0x0" if name == "bootloader.bin" else hex(TABLE),
                        tmp_path / "old.bin")
        board = device.power_on()
        board.expect("version 1, running from ota_0")
        board.expect("Boots counted in NVS: [2-9]\n")
        device.power_off()
    assert "dead" in outcomes
