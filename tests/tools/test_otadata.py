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
    (ERASED, ERASED, [], "factory", 'record 0 is empty, record 1 is empty; the bootloader says '
     '"Defaulting to factory image"'),
    (ERASED, ERASED, ["--no-factory"], "ota_0", "No factory image, trying OTA 0"),
    (record(1), ERASED, [], "ota_0", "record 0 counts; record 1 is empty"),
    (record(1), record(2), [], "ota_1",
     "record 1 has the larger sequence number of two that count: 2; that of record 0, 1, is lower"),
    (record(5), record(2), ["--slots", "3"], "ota_1", "-> slot ota_1 of 3"),
    (record(2), record(2), [], "ota_1", "both records have sequence number 2, and the first wins"),
    (record(1), record(2, crc_flip=1), [], "ota_0", "(wrong), must be 0x55f63774"),
    (record(1), record(2, INVALID), [], "ota_0", "rejected by the application"),
    (record(1, ABORTED), record(2, INVALID), [], "factory",
     'record 0 is aborted, record 1 is invalid; the bootloader says "Defaulting'),
    (record(1, crc_flip=1), ERASED, [], "factory", "ota data partition invalid"),
    (record(1, VALID), record(2, PENDING), [], "ota_1", "in a rollback build it would be aborted"),
    (record(1, VALID), record(2, PENDING), ["--rollback"], "ota_0", "rewrites record 1 as aborted"),
    (record(1, VALID), record(2, NEW), ["--rollback"], "ota_1",
     "rewrites record 1 as pending verify"),
    (record(1, VALID), record(2, PENDING), ["--rollback"], "ota_0",
     "record 0 counts; record 1 is aborted"),
    (record(1, VALID), record(2, PENDING), ["--attempts", "3"], "ota_1",
     "That boot is number 2 of 3 on trial for record 1"),
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


def test_damaged_choice_is_followed_by_what_the_bootloader_writes(show, flash):
    flash[0xD000:0xF000] = record(1, VALID) + record(2, VALID)
    text, data = show(bytes(flash))
    assert data["start"] == "ota_1" and data["boots"] == "ota_0"
    assert "That boot rewrites record 1 as invalid (sequence number 2): its image is damaged" in text
    assert [(w["record"], w["state"]) for w in data["writes"]] == [(1, "invalid")]
    text, data = show(bytes(flash), "--strict")
    assert data["boots"] == "ota_0" and data["writes"] == []


def test_first_boot_of_a_slot_says_what_it_records(show, flash):
    # Without a factory app in the table.
    text, data = show(bytes(flash), "--anti-rollback", "0")
    assert data["boots"] == "factory" and data["writes"] == []
    flash[0x10000:0x110000] = ERASED * 256
    text, data = show(bytes(flash), "--anti-rollback", "0")
    assert data["boots"] == "ota_0"
    assert "rewrites record 0 as valid (sequence number 1): it is the first boot" in text


# --- the journal ---

def journal(target, seq, state):
    """A record of a change of record `target`, as it stands in the other sector."""
    entry = record(seq, state)[:32] if seq is not None else b"\xff" * 32
    body = struct.pack("<III", 0x314A4F41, target, 1) + entry
    return body + struct.pack("<I", zlib.crc32(body))


def with_journal(sector, *places):
    body = b"".join(places)
    return sector[:32] + body + sector[32 + len(body):]


def test_interrupted_change_is_told_and_decides(show):
    # Record 1 was to become valid; its sector is erased already.
    data = with_journal(record(1, VALID), bytes(48), journal(1, 2, VALID)) + ERASED
    text, found = show(data)
    assert "A power cut interrupted a change of this record. The next boot makes it:" in text
    assert "journal: 1 finished changes of this record, room for 81 more" in text
    assert found["records"][1]["empty"] and found["records"][1]["changes"] == 1
    assert found["records"][1]["becomes"] == {"seq": 2, "state": "valid"}
    assert found["boots"] == "ota_1"
    strict = show(data, "--strict")[1]
    assert strict["boots"] == "ota_0" and "becomes" not in strict["records"][1]


def test_a_boot_cut_off_before_it_began_is_given_again(show):
    data = with_journal(record(1, VALID), journal(1, 2, PENDING)) + record(2, NEW)
    text, found = show(data, "--rollback")
    assert found["boots"] == "ota_1"
    assert found["writes"] == [{"record": 1, "seq": 2, "state": "pending verify",
                                "why": "its application boots on trial"}]


def test_boots_on_trial_are_counted(show):
    pending = record(2, PENDING)
    pending = pending[:4032] + bytes(8) + pending[4040:]
    text, found = show(record(1, VALID) + pending, "--attempts", "4")
    assert "boots given on trial: 3 of 4" in text
    assert "That boot is number 4 of 4 on trial for record 1" in text
    assert found["records"][1]["boots_given_again"] == 2 and found["boots"] == "ota_1"
    text, found = show(record(1, VALID) + pending, "--attempts", "3")
    assert "boots given on trial: 3 of 3" in text and found["boots"] == "ota_0"
    assert "rewrites record 1 as aborted (sequence number 2): it was on trial" in text


# --- anti-rollback ---

FUSES = 0x310000


@pytest.fixture
def secure(airlift, tmp_path):
    """A 4 MiB flash with two slots, version 1 in both, and emulated eFuses."""
    def build(versions=(0, 0), burnt=0):
        (tmp_path / "t.csv").write_text("nvs,data,nvs,0x9000,0x4000\notadata,data,ota,,0x2000\n"
                                        "ota_0,app,ota_0,0x110000,1M\nota_1,app,ota_1,,1M\n"
                                        "emul_efuse,data,efuse,,0x2000\n")
        airlift("partition-table", "gen", "-o", "t.bin", "t.csv")
        data = bytearray(b"\xff" * 0x400000)
        data[0x8000:0x8C00] = (tmp_path / "t.bin").read_bytes()
        for slot, version in enumerate(versions):
            image = make_image(0xA105, [(0x3C000020, app_desc(version=b"1", secure_version=version))],
                               0x3C000020)
            at = 0x110000 + slot * 0x100000
            data[at:at + len(image)] = image
        data[FUSES:FUSES + 352] = fuses(burnt)
        return data

    return build


def fuses(burnt):
    return bytes(16) + (((1 << burnt) - 1) << 14).to_bytes(4, "little") + bytes(332)


def test_fuses_in_the_flash_are_asked(show, secure):
    data = secure((0, 2), 1)
    data[0xD000:0xF000] = record(1, VALID) + record(2, NEW)
    text, found = show(bytes(data), "--anti-rollback", "efuse")
    assert "Emulated eFuses: secure version 1\n" in text and found["chip_secure_version"] == 1
    assert ("record 1 counts; record 0 is passed over: secure version 0 of ota_0 is less than the "
            "chip's, 1") in text
    assert found["boots"] == "ota_1" and "raises" not in text
    data[0xE000:0xF000] = record(2, VALID)
    text, found = show(bytes(data), "--anti-rollback", "efuse")
    assert "That boot raises the chip's secure version from 1 to 2" in text
    assert found["raises_secure_version_to"] == 2


def test_an_old_candidate_is_refused_with_its_version(show, secure):
    data = secure((1, 1), 3)
    text, found = show(bytes(data), "--anti-rollback", "efuse")
    assert found["boots"] is None
    assert [c["why"] for c in found["candidates"]] == [
        "secure version 1 is less than the chip's, 3"] * 2


def test_a_damaged_image_raises_nothing(show, secure):
    data = secure((0, 5), 0)
    data[0xD000:0xF000] = record(1, VALID) + record(2, VALID)
    data[0x210000 + 300] ^= 1
    text, found = show(bytes(data), "--anti-rollback", "efuse")
    assert found["boots"] == "ota_0" and "raises_secure_version_to" not in found


def test_an_interrupted_burn_and_unused_fuses_are_told(show, secure):
    data = secure((0, 0), 0)
    body = b"AFUSECPY" + fuses(4)
    data[FUSES + 0x1000:FUSES + 0x1000 + 364] = body + struct.pack("<I", zlib.crc32(body))
    text, found = show(bytes(data))
    assert "secure version 4; a power cut interrupted a burn, which the next start finishes" in text
    assert found["chip_secure_version"] == 4
    data[FUSES:FUSES + 0x2000] = b"\xff" * 0x2000
    assert "Emulated eFuses: secure version 0 (never used)" in show(bytes(data))[0]


def test_fuses_that_are_not_there_are_asked_for(show, flash):
    assert "no readable partition of emulated eFuses" in show(
        bytes(flash), "--anti-rollback", "efuse", status=1)


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
