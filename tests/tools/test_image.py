# SPDX-License-Identifier: Apache-2.0
"""airlift image info and image build, beside esptool and on artefacts of others."""

import hashlib
import json
import re
import shutil
import struct
import subprocess

import pytest

from conftest import ROOT, app_desc, make_image

C3 = 5
LINUX = 0xA105


@pytest.fixture
def c3(tmp_path):
    path = tmp_path / "c3.bin"
    path.write_bytes(make_image(C3, [(0x3C000020, app_desc()), (0x40380000, bytes(range(16)))],
                                0x40380000))
    return path


def info(airlift, path, *options, status=0):
    return json.loads(airlift("image", "info", "--json", *options, path, status=status).stdout)


# --- info ---

def test_published_image_is_valid_with_its_digest(airlift, c3):
    data = info(airlift, c3)
    assert data["valid"] and data["checksum"] == 0x7E and data["image_size"] == 352
    assert data["sha256"].startswith("eea7e99ff1c63989")
    assert data["app"]["version"] == "1.0" and data["app"]["mmu_page_size"] == 65536
    assert [s["memory"] for s in data["segments"]] == ["DROM", "IRAM"]


APPS = [("esp32c3-idf4.3-app.bin", "esp32c3", "app"), ("esp32h2-ota-uart-app.bin", "esp32h2", "app"),
        ("esp32-bootloader-idf5.5.bin", "esp32", "bootloader")]


@pytest.mark.parametrize("name,chip,kind", APPS)
def test_real_images_are_read_as_esptool_reads_them(airlift, esptool, fixtures, name, chip, kind):
    ours = info(airlift, fixtures / name)
    theirs = esptool("image-info", fixtures / name)
    assert ours["valid"] and ours["chip"] == chip and ours["type"] == kind
    assert f"Entry point: 0x{ours['entry']:08x}" in theirs
    assert f"Flash size: {ours['flash_size']}\n" in theirs
    assert f"Flash freq: {ours['flash_freq']}\n" in theirs
    assert f"Flash mode: {ours['flash_mode'].upper()}\n" in theirs
    assert f"Checksum: 0x{ours['checksum']:02x} (valid)" in theirs
    assert f"Validation hash: {ours['sha256']} (valid)" in theirs
    rows = re.findall(r"^\s+\d+\s+0x(\w+)\s+0x(\w+)\s+0x(\w+)", theirs, re.M)
    assert [(s["length"], s["load_address"], s["file_offset"]) for s in ours["segments"]] == [
        tuple(int(x, 16) for x in row) for row in rows]
    if kind == "app":
        assert f"Project name: {ours['app']['project_name']}\n" in theirs
        assert f"ELF file SHA256: {ours['app']['elf_sha256']}\n" in theirs
    else:
        assert f"Compile time: {ours['bootloader']['date_time']}" in theirs


@pytest.mark.parametrize("name,chip,kind", APPS)
def test_any_flipped_bit_of_a_real_image_is_reported(airlift, fixtures, tmp_path, name, chip, kind):
    good = (fixtures / name).read_bytes()
    for place in (24 + 5, 40, len(good) // 2, len(good) - 40, len(good) - 1):
        bad = bytearray(good)
        bad[place] ^= 0x20
        (tmp_path / "bad.bin").write_bytes(bad)
        airlift("image", "info", "bad.bin", status=1)


def test_image_inside_a_flash_dump_is_found_by_offset(airlift, c3, tmp_path):
    dump = bytearray(b"\xff" * 0x20000)
    dump[0x10000:0x10000 + 352] = c3.read_bytes()
    (tmp_path / "dump.bin").write_bytes(dump)
    assert info(airlift, "dump.bin", "--offset", "0x10000")["image_size"] == 352
    assert info(airlift, "dump.bin", "--offset", "64K")["valid"]
    assert "0xff" in airlift("image", "info", "dump.bin", status=1).stderr


def test_image_made_by_merge_bin_is_found_where_it_was_put(airlift, esptool, c3, tmp_path):
    esptool("--chip", "esp32c3", "merge-bin", "-o", tmp_path / "merged.bin", "0x0", c3, "0x10000",
            c3)
    assert info(airlift, "merged.bin", "--offset", "0x10000")["valid"]
    assert info(airlift, "merged.bin")["valid"]


@pytest.mark.parametrize("change,words", [
    (lambda d: d[:200], "cut short: at least 288 bytes"),
    (lambda d: d[:-1], "cut short: at least 352 bytes"),
    (lambda d: d[:1] + b"\x11" + d[2:], "segment count 17 exceeds max 16"),
    (lambda d: d[:12] + b"\x77\x66" + d[14:], "chip id: 0x6677: no such chip"),
    (lambda d: d[:2] + b"\x09" + d[3:], "flash mode: 9"),
    (lambda d: d[:4] + b"\0\0\0\0" + d[8:], "entry point: 0x00000000: lies in no segment"),
    (lambda d: d[:24] + b"\x24" + d[25:], "doesn't match data"),
    (lambda d: d[:296] + b"\xff" + d[297:], "checksum: 0x7e: calculated 0x81"),
])
def test_each_fault_is_named(airlift, c3, tmp_path, change, words):
    (tmp_path / "bad.bin").write_bytes(change(c3.read_bytes()))
    result = airlift("image", "info", "bad.bin", status=1)
    assert words in result.stdout
    assert "Verdict: invalid" in result.stdout


def test_what_is_no_image_is_refused(airlift, tmp_path):
    (tmp_path / "x").write_bytes(b"\xe9\1")
    assert "too short for an image header" in airlift("image", "info", "x", status=1).stderr
    (tmp_path / "x").write_bytes(b"")
    airlift("image", "info", "x", status=1)
    (tmp_path / "x").write_bytes(b"\x7fELF" + bytes(100))
    assert "an image starts with 0xe9" in airlift("image", "info", "x", status=1).stderr


def test_image_for_another_chip_can_be_asked_about(airlift, c3):
    result = airlift("image", "info", "--chip", "esp32s3", c3, status=1)
    assert "ESP32-S3 has 0x0009" in result.stdout


def test_control_characters_in_descriptors_do_not_reach_the_terminal(airlift, tmp_path):
    (tmp_path / "x.bin").write_bytes(
        make_image(C3, [(0x3C000020, app_desc(version=b"\033[31m", name=b"\xff\n"))], 0x3C000020))
    assert "\033" not in airlift("image", "info", "x.bin", text=False).stdout.decode("latin1")
    assert info(airlift, "x.bin")["app"]["version"] == "\033[31m"


# --- build, linux ---

APP_C = """
#include <stdio.h>
#include "formats/app_desc.h"
__attribute__((section(".flash.appdesc"), used)) const fmt_app_desc_t esp_app_desc = {
    .magic_word = FMT_APP_DESC_MAGIC, .version = "1.2.3", .project_name = "demo"};
int main(void)
{
    for (int i = 0; i < 32; i++) {
        printf("%02x", ((const volatile fmt_app_desc_t *)&esp_app_desc)->app_elf_sha256[i]);
    }
    return 0;
}
"""


@pytest.fixture
def linux_elf(tmp_path):
    (tmp_path / "app.c").write_text(APP_C)
    subprocess.run(["cc", "-g", "-I", ROOT / "formats/include", "app.c", "-o", "app.elf"],
                   cwd=tmp_path, check=True)
    subprocess.run(["strip", "-o", "stripped.elf", "app.elf"], cwd=tmp_path, check=True)
    return tmp_path / "app.elf"


def segments_of(image):
    at, segments = 24, []
    for _ in range(image[1]):
        address, size = struct.unpack_from("<II", image, at)
        segments.append((address, image[at + 8:at + 8 + size]))
        at += 8 + size
    return segments


def test_linux_image_carries_descriptor_and_stripped_program(airlift, linux_elf, tmp_path):
    airlift("image", "build", "--chip", "linux", "--stripped", "stripped.elf", "-o", "out/a.bin",
            "--flash-size", "4MB", "--flash-freq", "80m", "app.elf")
    image = (tmp_path / "out/a.bin").read_bytes()
    assert struct.unpack_from("<H", image, 12)[0] == LINUX
    assert struct.unpack_from("<I", image, 4)[0] == 0x80000000
    (desc_at, desc), (elf_at, elf) = segments_of(image)
    assert (desc_at, len(desc), elf_at) == (0x3C000020, 256, 0x80000000)
    digest = hashlib.sha256(linux_elf.read_bytes()).hexdigest()
    assert image[0xB0:0xD0].hex() == digest
    # The program inside knows its hash too, and runs.
    program = tmp_path / "program"
    program.write_bytes(elf)
    program.chmod(0o755)
    assert subprocess.run([program], capture_output=True, text=True).stdout == digest
    assert len(elf) < linux_elf.stat().st_size
    data = info(airlift, "out/a.bin")
    assert data["valid"] and data["chip"] == "linux" and data["flash_size"] == "4MB"


def test_linux_image_is_accepted_by_esptool(airlift, esptool, linux_elf, tmp_path):
    airlift("image", "build", "--chip", "linux", "--stripped", "stripped.elf", "-o", "a.bin",
            "app.elf")
    text = esptool("image-info", tmp_path / "a.bin")
    assert "(valid)" in text and "invalid" not in text
    assert "App version: 1.2.3" in text


def test_building_twice_gives_the_same_bytes(airlift, linux_elf, tmp_path):
    for name in ("a.bin", "b.bin"):
        airlift("image", "build", "-c", "linux", "--stripped", "stripped.elf", "-o", name, "app.elf")
    assert (tmp_path / "a.bin").read_bytes() == (tmp_path / "b.bin").read_bytes()


def test_linux_bootloader_image_has_its_descriptor_first(airlift, tmp_path):
    (tmp_path / "b.c").write_text("""
#include "formats/bootloader_desc.h"
__attribute__((section(".dram0.bootdesc"), used)) const fmt_bootloader_desc_t d = {
    .magic_byte = 80, .version = 1, .idf_ver = "v6.2"};
int main(void) { return d.version; }
""")
    subprocess.run(["cc", "-I", ROOT / "formats/include", "b.c", "-o", "b.elf"], cwd=tmp_path,
                   check=True)
    airlift("image", "build", "--chip", "linux", "b.elf")
    image = (tmp_path / "b.bin").read_bytes()
    assert segments_of(image)[0][0] == 0x3FC80000 and image[32] == 80
    data = info(airlift, "b.bin")
    assert data["valid"] and data["type"] == "bootloader"
    assert data["bootloader"]["idf_ver"] == "v6.2"


def test_faulty_inputs_are_named_and_nothing_is_written(airlift, linux_elf, tmp_path):
    def refused(words, *options):
        out = tmp_path / "no.bin"
        result = airlift("image", "build", "--chip", "linux", "-o", out, *options, status=1)
        assert words in result.stderr and not out.exists()

    (tmp_path / "text").write_text("no ELF")
    refused("text: not an ELF file", "text")
    refused("missing: cannot be opened", "missing")
    shutil.copy("/bin/true", tmp_path / "true")
    refused("has neither a section .flash.appdesc", "true")
    refused("true: does not hold the descriptor", "--stripped", "true", "app.elf")
    refused("--flash-size: 3MB", "--flash-size", "3MB", "app.elf")
    refused("--flash-mode: opi", "--flash-mode", "opi", "app.elf")
    refused("--flash-freq: 60m", "--flash-freq", "60m", "app.elf")
    elf = bytearray(linux_elf.read_bytes())
    at = elf.index(struct.pack("<I", 0xABCD5432) + bytes(12) + b"1.2.3")
    elf[at + 144] = 1
    (tmp_path / "patched.elf").write_bytes(elf)
    refused("SHA-256 is not zero", "patched.elf")


def test_truncated_elf_files_never_crash_the_builder(airlift, linux_elf, tmp_path):
    elf = linux_elf.read_bytes()
    for size in [*range(0, 128, 7), *range(128, len(elf), len(elf) // 40)]:
        (tmp_path / "cut.elf").write_bytes(elf[:size])
        airlift("image", "build", "--chip", "linux", "-o", "cut.bin", "cut.elf", status=1)


# --- build, chips ---

C3_C = """
#include "formats/app_desc.h"
__attribute__((section(".flash.appdesc"), used)) const fmt_app_desc_t d = {
    .magic_word = FMT_APP_DESC_MAGIC, .version = "1.0", .project_name = "demo"};
__attribute__((section(".flash.rodata"), used)) const char ro[5001] = {1, 2, 3};
__attribute__((section(".iram0.text"), used)) int fast(int a) { return a * 3; }
__attribute__((section(".dram0.data"), used)) int data[3000] = {1, 2, 3};
__attribute__((section(".flash.text"), used)) int start(int a) { return a + data[1]; }
__attribute__((section(".rtc.text"), used)) int rtc(int a) { return a * 3; }
"""

C3_LD = """
ENTRY(start)
SECTIONS {
  .iram0.text 0x40380000 : { *(.iram0.text) }
  .dram0.data 0x3FC88000 : { *(.dram0.data) }
  .flash.appdesc 0x3C0%d0020 : { *(.flash.appdesc) }
  .flash.rodata : { *(.flash.rodata) }
  .flash.text 0x420%d0020 : { *(.flash.text) *(.text*) }
  .rtc.text 0x50000000 : { *(.rtc.text) }
  /DISCARD/ : { *(.comment) *(.riscv.attributes) }
}
"""


@pytest.mark.parametrize("drom,irom", [(0, 0), (2, 0), (1, 3)])
@pytest.mark.parametrize("mode,size,freq", [("dio", "4MB", "80m"), ("qio", "16MB", "26m")])
def test_c3_image_is_what_esptool_makes(airlift, esptool, tmp_path, drom, irom, mode, size, freq):
    compiler = shutil.which("riscv64-unknown-elf-gcc")
    if compiler is None:
        pytest.skip("gcc-riscv64-unknown-elf is not installed")
    (tmp_path / "c3.c").write_text(C3_C)
    (tmp_path / "c3.ld").write_text(C3_LD % (drom, irom))
    subprocess.run([compiler, "-march=rv32imc", "-mabi=ilp32", "-ffreestanding", "-nostdlib", "-O1",
                    "-I", ROOT / "formats/include", "-T", "c3.ld", "c3.c", "-o", "c3.elf"],
                   cwd=tmp_path, check=True)
    options = ["--flash-mode", mode, "--flash-size", size, "--flash-freq", freq,
               "--min-rev", "3", "--min-rev-full", "3", "--max-rev-full", "199"]
    airlift("image", "build", "--chip", "esp32c3", *options, "-o", "ours.bin", "c3.elf")
    esptool("--chip", "esp32c3", "elf2image", *options, "-o", tmp_path / "theirs.bin",
            tmp_path / "c3.elf")
    assert (tmp_path / "ours.bin").read_bytes() == (tmp_path / "theirs.bin").read_bytes()


def test_usage_errors_of_build(airlift):
    assert "--chip is needed" in airlift("image", "build", "x", status=2).stderr
    assert "esp99: no such chip" in airlift("image", "build", "-c", "esp99", "x", status=2).stderr
    airlift("image", "build", "-c", "linux", status=2)
    airlift("image", "build", "-c", "linux", "--min-rev", "256", "x", status=2)
