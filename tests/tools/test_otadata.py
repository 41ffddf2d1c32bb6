# SPDX-License-Identifier: Apache-2.0
"""airlift otadata show: records in words, and what boots."""

import json
import struct
import zlib

import pytest

from conftest import app_desc, make_image

ERASED = b"\xff" * 0x1000
NEW, PENDING, VALID, INVALID, ABORTED, UNDEFINED = 0, 1, 2, 3, 4, 0xFFFFFFFF


def record(seq, state=UNDEFINED, crc_flip=0):
    raw = struct.pack("<I", seq)
    crc = zlib.crc32(raw, 0xFFFFFFFF) ^ crc_flip
    entry = raw + b"\xff" * 20 + struct.pack("<II", state, crc)
    return entry + b"\xff" * (0x1000 - 32)


@pytest.fixture
def show(airlift, tmp_path):
    def run(data, *options, **kwargs):
        (tmp_path / "ota").write_bytes(data)
        text = airlift("otadata", "show", *options, "ota", **kwargs)
        if kwargs.get("status"):
            return text.stderr
        return text.stdout, json.loads(airlift("otadata", "show", "--json", *options, "ota").stdout)

    return run


@pytest.mark.parametrize("first,second,options,boots,words", [
    (ERASED, ERASED, [], "factory", "Defaulting to factory image"),
    (ERASED, ERASED, ["--no-factory"], "ota_0", "No factory image, trying OTA 0"),
    (record(1), ERASED, [], "ota_0", "the other record is empty"),
    (record(1), record(2), [], "ota_1", "1, is lower"),
    (record(5), record(2), ["--slots", "3"], "ota_1", "-> slot ota_1 of 3"),
    (record(2), record(2), [], "ota_1", "the same, and the first wins"),
    (record(1), record(2, crc_flip=1), [], "ota_0", "(wrong), must be 0x55f63774"),
    (record(1), record(2, INVALID), [], "ota_0", "rejected by the application"),
    (record(1, ABORTED), record(2, INVALID), [], "factory", "Defaulting"),
    (record(1, crc_flip=1), ERASED, [], "factory", "ota data partition invalid"),
    (record(1, VALID), record(2, PENDING), [], "ota_1", "in a rollback build it would be aborted"),
    (record(1, VALID), record(2, PENDING), ["--rollback"], "ota_0", "rewrites record 1 as aborted"),
    (record(1, VALID), record(2, NEW), ["--rollback"], "ota_1",
     "rewrites record 1 as pending verify"),
    (record(1, 77), ERASED, [], "ota_0", "no known state"),
])
def test_records_and_decision(show, first, second, options, boots, words):
    text, data = show(first + second, *options)
    assert data["boots"] == boots
    assert words in text
    assert f"Boots next: {boots}, if a valid image is there" in text


def test_real_otadata_is_read(airlift, fixtures):
    text = airlift("otadata", "show", fixtures / "arduino-boot_app0.bin").stdout
    assert "crc: 0x4743989a (right)" in text and "Boots next: ota_0" in text


@pytest.fixture
def flash(airlift, tmp_path):
    """A 4 MiB flash with the table two_ota and version 1 in factory and ota_0."""
    (tmp_path / "t.csv").write_text("nvs,data,nvs,,0x4000\notadata,data,ota,,0x2000\n"
                                    "phy_init,data,phy,,0x1000\nfactory,app,factory,,1M\n"
                                    "ota_0,app,ota_0,,1M\nota_1,app,ota_1,,1M\n")
    airlift("partition-table", "gen", "-o", "t.bin", "t.csv")
    data = bytearray(b"\xff" * 0x400000)
    data[0x8000:0x8C00] = (tmp_path / "t.bin").read_bytes()
    image = make_image(0xA105, [(0x3C000020, app_desc(version=b"1"))], 0x3C000020)
    for at in (0x10000, 0x110000):
        data[at:at + len(image)] = image
    return data


def test_flash_file_is_followed_to_the_image_that_boots(show, flash):
    flash[0xD000:0xF000] = record(1) + record(2)
    text, data = show(bytes(flash))
    assert data["start"] == "ota_1" and data["boots"] == "ota_0"
    assert "ota_1    at 0x00210000: magic byte is 0xff" in text
    assert "ota_0    at 0x00110000: valid image, version 1" in text


def test_damaged_image_is_passed_over_with_its_reason(show, flash):
    flash[0xD000:0xF000] = record(1) + ERASED
    flash[0x110040] ^= 1
    text, data = show(bytes(flash))
    assert data["boots"] == "factory" and "Checksum failed" in text


def test_flash_without_any_image_boots_nothing(show, flash):
    flash[0x10000:0x400000] = b"\xff" * (0x400000 - 0x10000)
    text, data = show(bytes(flash))
    assert data["boots"] is None
    assert "Boots next: nothing; no candidate holds a valid image" in text


def test_anti_rollback_needs_the_version(show, flash):
    flash[0xD000:0xF000] = record(1, VALID) + ERASED
    assert show(bytes(flash), "--anti-rollback", "0")[1]["boots"] == "ota_0"
    assert show(bytes(flash), "--anti-rollback", "1")[1]["boots"] is None


def test_unusable_files_are_explained(show, flash):
    assert "neither otadata" in show(b"\xff" * 100, status=1)
    assert "invalid magic number 0xffff" in show(b"\xff" * 0x10000, status=1)
    assert "lies beyond the end" in show(bytes(flash[:0xD000]), status=1)
    flash[0x8008] ^= 1
    assert "Incorrect MD5 checksum" in show(bytes(flash), status=1)
