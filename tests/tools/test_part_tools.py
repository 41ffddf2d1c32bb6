# SPDX-License-Identifier: Apache-2.0
"""parttool and otatool: partitions and boot records of a flash file, as ESP-IDF's tools of those
names do it on a chip."""

import fcntl
import struct
import zlib

import pytest

TABLE = """\
nvs,data,nvs,0x9000,0x4000
otadata,data,ota,0xd000,0x2000
phy_init,data,phy,0xf000,0x1000
factory,app,factory,0x10000,1M
ota_0,app,ota_0,0x110000,1M
blue,app,ota_1,0x210000,1M
logs,data,0x99,0x310000,0x3000,readonly
more,data,0x99,0x313000,0x1000
"""
OTADATA, SLOTS = 0xD000, {"ota_0": 0x110000, "blue": 0x210000}


def make_table(airlift, tmp_path, text, name="table"):
    (tmp_path / f"{name}.csv").write_text(text)
    airlift("partition-table", "gen", "-q", "-o", f"{name}.bin", f"{name}.csv")
    return (tmp_path / f"{name}.bin").read_bytes()


@pytest.fixture
def flash(airlift, tmp_path):
    path = tmp_path / "flash.bin"
    data = bytearray(b"\xff" * (4 << 20))
    table = make_table(airlift, tmp_path, TABLE)
    data[0x8000:0x8000 + len(table)] = table
    path.write_bytes(data)
    return path


@pytest.fixture
def parttool(airlift, flash):
    return lambda *words, **more: airlift("parttool", "--flash", flash, *words, **more)


@pytest.fixture
def otatool(airlift, flash):
    return lambda *words, **more: airlift("otatool", "--flash", flash, *words, **more)


def record(seq, state=0xFFFFFFFF, label=b"\xff" * 20, crc=None):
    crc = zlib.crc32(struct.pack("<I", seq), 0xFFFFFFFF) if crc is None else crc
    return struct.pack("<I20sII", seq, label, state, crc)


def put(flash, offset, data):
    with open(flash, "r+b") as file:
        file.seek(offset)
        file.write(data)


def get(flash, offset, count):
    with open(flash, "rb") as file:
        file.seek(offset)
        return file.read(count)


def otadata(flash):
    return get(flash, OTADATA, 32), get(flash, OTADATA + 0x1000, 32)


# --- parttool ---

def test_read_write_and_erase_a_partition_and_nothing_else(parttool, flash, tmp_path):
    put(flash, 0x9000, b"\x00" * 0x4000)
    (tmp_path / "in.bin").write_bytes(b"settings" * 700)
    before = flash.read_bytes()
    run = parttool("write_partition", "--partition-name", "nvs", "--input", "in.bin")
    assert run.stderr == "Written contents of file 'in.bin' at offset 0x9000\n"
    assert run.stdout == ""
    wanted = b"settings" * 700
    assert flash.read_bytes() == before[:0x9000] + wanted.ljust(0x4000, b"\xff") + before[0xD000:]
    run = parttool("read_partition", "-n", "nvs", "--output", "out.bin")
    assert run.stderr == \
        "Read partition 'nvs' contents from device at offset 0x9000 to file 'out.bin'\n"
    assert (tmp_path / "out.bin").read_bytes() == wanted.ljust(0x4000, b"\xff")
    run = parttool("erase_partition", "-t", "data", "-s", "nvs")
    assert run.stderr == "Erased partition 'nvs' at offset 0x9000\n"
    assert flash.read_bytes() == before[:0x9000] + b"\xff" * 0x4000 + before[0xD000:]


def test_a_file_that_is_too_large_is_refused_before_anything_is_erased(parttool, flash, tmp_path):
    put(flash, 0x9000, b"\x00" * 0x4000)
    (tmp_path / "in.bin").write_bytes(bytes(0x4001))
    before = flash.read_bytes()
    assert "holds" in parttool("write_partition", "-n", "nvs", "--input", "in.bin",
                               status=1).stderr
    assert flash.read_bytes() == before


def test_a_read_only_partition_is_written_only_on_request(parttool, flash, tmp_path):
    (tmp_path / "in.bin").write_bytes(b"log")
    run = parttool("write_partition", "-n", "logs", "--input", "in.bin", status=1)
    assert "--ignore-readonly" in run.stderr
    assert get(flash, 0x310000, 3) == b"\xff" * 3
    parttool("write_partition", "-n", "logs", "--input", "in.bin", "--ignore-readonly")
    assert get(flash, 0x310000, 4) == b"log\xff"


@pytest.mark.parametrize("words, answer", [
    (["-n", "blue"], "0x210000 0x100000"),
    (["-n", "blue", "--info", "size"], "0x100000"),
    (["-n", "logs", "--info", "name", "type", "subtype", "offset", "size", "encrypted",
      "readonly"], "logs 1 153 0x310000 0x3000 False True"),
    (["-t", "app", "-s", "ota_1", "--info", "name"], "blue"),
    (["-t", "0", "-s", "0x11", "--info", "name"], "blue"),
    (["--partition-type", "data", "--partition-subtype", "0x99", "--info", "name"], "logs"),
    (["-t", "data", "-s", "0x99", "--info", "name", "size", "--part_list"],
     "logs 0x3000 more 0x1000"),
    (["--partition-boot-default", "--info", "name"], "factory"),
])
def test_partition_information(parttool, words, answer):
    assert parttool("get_partition_info", *words).stdout == answer + "\n"


def test_a_missing_partition_is_an_empty_answer_to_a_question_and_an_error_otherwise(parttool):
    assert parttool("get_partition_info", "-n", "none").stdout == ""
    assert "Partition does not exist" in parttool("erase_partition", "-n", "none",
                                                  status=1).stderr


def test_the_first_slot_boots_by_default_without_a_factory_partition(airlift, tmp_path):
    (tmp_path / "two.csv").write_text("otadata,data,ota,,0x2000\nsecond,app,ota_1,,1M\n"
                                      "first,app,ota_0,,1M\n")
    run = airlift("parttool", "-f", "two.csv", "get_partition_info", "-d", "--info", "name")
    assert run.stdout == "first\n"


def test_the_table_of_a_file_csv_or_binary_counts_instead_of_the_flash(parttool, airlift, tmp_path):
    make_table(airlift, tmp_path, "other,data,mine,0x9000,0x1000\n".replace("mine", "0x40"), "o")
    (tmp_path / "named.csv").write_text("other,data,mine,0x9000,0x1000\n")
    for words in (["-f", "o.bin"], ["-f", "o.csv"],
                  ["--extra-partition-subtypes", "data,mine,0x40", "-f", "named.csv"],
                  ["-f", "named.csv", "--extra-partition-subtypes", "data,yours,0x41",
                   "data,mine,0x40"]):
        run = parttool(*words, "get_partition_info", "-t", "data", "-s", "0x40", "--info", "name")
        assert run.stdout == "other\n"
    run = parttool("--extra-partition-subtypes", "data,mine,0x40", "-f", "named.csv",
                   "get_partition_info", "-t", "data", "-s", "mine", "--info", "offset")
    assert run.stdout == "0x9000\n"


def test_a_table_elsewhere_in_flash(parttool, flash):
    put(flash, 0x3F0000, get(flash, 0x8000, 0xC00))
    put(flash, 0x8000, b"\xff" * 0xC00)
    assert "no valid partition table at 0x8000" in parttool(
        "get_partition_info", "-n", "nvs", status=1).stderr
    assert parttool("-o", "0x3f0000", "get_partition_info", "-n", "nvs").stdout == \
        "0x9000 0x4000\n"
    assert "beyond the flash" in parttool("-o", "0x3ffff0", "erase_partition", "-n", "nvs",
                                          status=1).stderr


@pytest.mark.parametrize("row, why", [
    ("far,data,nvs,0x3f0000,0x20000", "beyond the flash"),
    ("odd,data,nvs,0x9000,0x1800", "whole sectors"),
    ("off,data,nvs,0x9800,0x1000", "whole sectors"),
])
def test_a_partition_that_flash_does_not_have_is_left_alone(parttool, flash, tmp_path, row, why):
    (tmp_path / "bad.csv").write_text(row + "\n")
    (tmp_path / "in.bin").write_bytes(b"x")
    name, before = row.split(",")[0], flash.read_bytes()
    for words in (["erase_partition"], ["read_partition", "--output", "out.bin"],
                  ["write_partition", "--input", "in.bin"]):
        assert why in parttool("-f", "bad.csv", *words, "-n", name, status=1).stderr
    assert flash.read_bytes() == before
    assert not (tmp_path / "out.bin").exists()


@pytest.mark.parametrize("words, status", [
    ([], 1),
    (["paint_partition"], 2),
    (["erase_partition"], 1),
    (["erase_partition", "-t", "data"], 1),
    (["erase_partition", "-t", "data", "-s", "unheard-of"], 1),
    (["erase_partition", "-n", "nvs", "-d"], 2),
    (["erase_partition", "-n", "nvs", "surplus"], 2),
    (["erase_partition", "-n", "nvs", "--output", "x"], 2),
    (["read_partition", "-n", "nvs"], 2),
    (["write_partition", "-n", "nvs"], 2),
    (["write_partition", "-n", "nvs", "--input", "missing.bin"], 1),
    (["get_partition_info", "-n", "nvs", "--info", "colour"], 2),
    (["-o", "nine", "get_partition_info", "-n", "nvs"], 2),
    (["-f", "missing.csv", "get_partition_info", "-n", "nvs"], 1),
    (["--frobnicate", "get_partition_info", "-n", "nvs"], 2),
])
def test_parttool_mistakes_have_their_exit_status(parttool, flash, words, status):
    before = flash.read_bytes()
    assert parttool(*words, status=status).stderr != "" or words == []
    assert flash.read_bytes() == before


def test_quiet_says_nothing_and_fails_with_status_2(parttool, otatool):
    for run in (parttool("-q", "erase_partition", "-n", "none", status=2),
                parttool("-q", status=1), otatool("-q", status=1),
                otatool("-q", "erase_ota_partition", "--slot", "7", status=2),
                parttool("-q", "erase_partition", "-n", "nvs"),
                otatool("-q", "erase_otadata")):
        assert (run.stdout, run.stderr) == ("", "")
    assert parttool("-q", "get_partition_info", "-n", "nvs").stdout == "0x9000 0x4000\n"


def test_options_of_scripts_for_serial_ports_are_understood(airlift, flash, tmp_path):
    run = airlift("parttool", "-p", flash, "-b", "115200", "--esptool-args", "before=default_reset",
                  "after=no_reset", "--esptool-write-args", "force", "get_partition_info",
                  "--partition-name", "nvs")
    assert run.stdout == "0x9000 0x4000\n"
    run = airlift("otatool", "--port", tmp_path, "read_otadata", status=1)
    assert "serial" in run.stderr


def test_a_running_board_is_left_alone(parttool, otatool, flash):
    before = flash.read_bytes()
    with open(flash, "rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        for run in (parttool("erase_partition", "-n", "nvs", status=1),
                    otatool("switch_ota_partition", "--slot", "1", status=1)):
            assert "in use by another process" in run.stderr
    assert flash.read_bytes() == before


# --- otatool ---

def test_read_otadata_shows_both_records(otatool, flash):
    run = otatool("read_otadata")
    lines = run.stdout.splitlines()
    assert lines[0].startswith(" " * 13 + "OTA_SEQ")
    assert lines[1] == "Firmware:  0xffffffff \t0xffffffff | \t0xffffffff \t 0xffffffff"
    put(flash, OTADATA, record(5, crc=0x12))
    put(flash, OTADATA + 0x1000, record(0x1234567, crc=0xABCDEF01))
    lines = otatool("read_otadata", "--spi-flash-sec-size", "0x2000").stdout.splitlines()
    assert lines[1] == "Firmware:  0x000005 \t0x000012 | \t0x1234567 \t 0xabcdef01"


def test_erase_otadata_erases_all_of_it_and_nothing_else(otatool, flash):
    put(flash, OTADATA, bytes(0x2000))
    before = flash.read_bytes()
    assert otatool("erase_otadata").stdout == "Erased ota_data partition contents\n"
    assert flash.read_bytes() == before[:OTADATA] + b"\xff" * 0x2000 + before[OTADATA + 0x2000:]


def test_switching_from_nothing_writes_the_first_record(otatool, flash):
    otatool("switch_ota_partition", "--slot", "1")
    assert otadata(flash) == (record(2), b"\xff" * 32)


@pytest.mark.parametrize("first, second, slot, wanted, index", [
    (1, None, 1, 2, 1),       # the other record, the other slot
    (2, 1, 0, 3, 1),          # the larger number stays
    (3, 4, 0, 5, 0),
    (4, 4, 0, 5, 1),          # a tie: the first counts
    (1, None, 0, 1, 1),       # the slot that is selected already
    (0xFFFFFFFD, None, 1, 0xFFFFFFFE, 1),
])
def test_switching_takes_the_smallest_number_that_wins(otatool, flash, first, second, slot, wanted,
                                                      index):
    records = [record(seq) if seq else b"\xff" * 32 for seq in (first, second)]
    put(flash, OTADATA, records[0])
    put(flash, OTADATA + 0x1000, records[1])
    otatool("switch_ota_partition", "--slot", slot)
    records[index] = record(wanted)
    assert otadata(flash) == tuple(records)


def test_switching_by_name_keeps_the_label_and_clears_a_state_that_would_not_boot(otatool, flash):
    label = b"label".ljust(20, b"\0")
    put(flash, OTADATA, record(1))
    put(flash, OTADATA + 0x1000, record(2, state=4, label=label))
    put(flash, OTADATA, record(3))
    otatool("switch_ota_partition", "--name", "blue")
    assert otadata(flash) == (record(3), record(4, label=label))


def test_a_record_with_a_wrong_crc_does_not_count(otatool, flash):
    put(flash, OTADATA, record(9, crc=1))
    put(flash, OTADATA + 0x1000, record(1))
    otatool("switch_ota_partition", "--slot", "1")
    assert otadata(flash) == (record(2), record(1))


def test_used_up_numbers_are_told(otatool, flash):
    put(flash, OTADATA, record(0xFFFFFFFE))
    before = flash.read_bytes()
    assert "erase_otadata" in otatool("switch_ota_partition", "--slot", "0", status=1).stderr
    assert flash.read_bytes() == before


def test_a_change_that_the_firmware_could_not_finish_is_not_made_over_the_switch(otatool, flash):
    """Record 0 was erased to be rewritten when the power went; the journal in the other sector
    says with what."""
    put(flash, OTADATA + 0x1000, record(2))
    pending = struct.pack("<III", 0x314A4F41, 0, 2) + record(3)
    put(flash, OTADATA + 0x1020, pending + struct.pack("<I", zlib.crc32(pending)))
    assert "0x000003 " in otatool("read_otadata").stdout
    assert otadata(flash) == (b"\xff" * 32, record(2))
    otatool("switch_ota_partition", "--slot", "1")
    assert otadata(flash) == (record(3), record(4))
    otatool("switch_ota_partition", "--slot", "0")
    assert otadata(flash) == (record(5), record(4))


@pytest.mark.parametrize("words", [["--slot", "1"], ["--name", "blue"]])
def test_slots_are_written_read_and_erased(otatool, flash, tmp_path, words):
    image = bytes(range(256)) * 20
    (tmp_path / "app.bin").write_bytes(image)
    put(flash, SLOTS["blue"] + 0x8000, b"old")
    before = flash.read_bytes()
    assert otatool("write_ota_partition", *words, "--input", "app.bin").stdout == \
        "Written contents of file app.bin to ota partition\n"
    wanted = image.ljust(1 << 20, b"\xff")
    assert flash.read_bytes() == before[:0x210000] + wanted + before[0x310000:]
    assert otatool("read_ota_partition", *words, "--output", "out.bin").stdout == \
        "Read ota partition contents to file out.bin\n"
    assert (tmp_path / "out.bin").read_bytes() == wanted
    assert otatool("erase_ota_partition", *words).stdout == "Erased contents of ota partition\n"
    assert get(flash, 0x210000, 1 << 20) == b"\xff" * (1 << 20)


@pytest.mark.parametrize("words, status, why", [
    ([], 1, ""),
    (["paint"], 2, "no such operation"),
    (["switch_ota_partition"], 2, "--slot or --name"),
    (["switch_ota_partition", "--slot", "1", "--name", "blue"], 2, "--slot or --name"),
    (["switch_ota_partition", "--slot", "2"], 1, "Partition to switch to not found"),
    (["switch_ota_partition", "--name", "factory"], 1, "Partition to switch to not found"),
    (["switch_ota_partition", "--slot", "0", "--spi-flash-sec-size", "0x1000"], 2, "0x2000"),
    (["switch_ota_partition", "--slot", "one"], 2, "not a number"),
    (["read_ota_partition", "--slot", "0"], 2, "--output"),
    (["write_ota_partition", "--slot", "0"], 2, "--input"),
    (["write_ota_partition", "--slot", "2", "--input", "x"], 1, "Partition does not exist"),
    (["erase_otadata", "--slot", "0"], 2, "no such option"),
])
def test_otatool_mistakes_have_their_exit_status(otatool, flash, words, status, why):
    before = flash.read_bytes()
    assert why in otatool(*words, status=status).stderr
    assert flash.read_bytes() == before


def test_a_gap_ends_the_slots_and_a_table_without_slots_or_otadata_is_told(otatool, tmp_path):
    (tmp_path / "gap.csv").write_text("otadata,data,ota,0xd000,0x2000\na,app,ota_0,0x10000,64K\n"
                                      "c,app,ota_2,0x20000,64K\n")
    assert "not found" in otatool("-f", "gap.csv", "switch_ota_partition", "--slot", "2",
                                  status=1).stderr
    (tmp_path / "none.csv").write_text("otadata,data,ota,0xd000,0x2000\n")
    assert "No ota app partitions found" in otatool("-f", "none.csv", "switch_ota_partition",
                                                    "--slot", "0", status=1).stderr
    (tmp_path / "bare.csv").write_text("a,app,ota_0,0x10000,64K\n")
    assert "no otadata" in otatool("-f", "bare.csv", "read_ota_partition", "--slot", "0",
                                   "--output", "x", status=1).stderr
