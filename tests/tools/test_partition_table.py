# SPDX-License-Identifier: Apache-2.0
"""airlift partition-table: the CSV grammar, its rules and messages, both directions."""

import hashlib
import json
import random
import struct

import pytest

NVS = "nvs,data,nvs,,0x6000\n"
PHY = "phy_init,data,phy,,0x1000\n"

STOCK = {
    "singleapp": (NVS + PHY + "factory,app,factory,,1M", "f4ad4f4538564b5d7435b62c75b69524"),
    "singleapp_large": (NVS + PHY + "factory,app,factory,,1500K",
                        "0423598fe5287e6762f955efc9f5f382"),
    "two_ota": ("nvs,data,nvs,,0x4000\notadata,data,ota,,0x2000\n" + PHY +
                "factory,app,factory,,1M\nota_0,app,ota_0,,1M\nota_1,app,ota_1,,1M",
                "bf25822c0fa6d8641bd930251e06b4c4"),
    "two_ota_large": (NVS + "otadata,data,ota,,0x2000\n" + PHY +
                      "ota_0,app,ota_0,,1700K\nota_1,app,ota_1,,1700K",
                      "37f38b32a34f7412f158930062441178"),
    "singleapp_coredump": (NVS + PHY + "factory,app,factory,,1M\ncoredump,data,coredump,,64K",
                           "9179c59a53262c5dd4c549db5b3eaa73"),
    "two_ota_coredump": ("nvs,data,nvs,,0x4000\notadata,data,ota,,0x2000\n" + PHY +
                         "factory,app,factory,,1M\ncoredump,data,coredump,,64K\n"
                         "ota_0,app,ota_0,,1M\nota_1,app,ota_1,,1M",
                         "fbe521772f97e9bf34513e42f6167757"),
    "singleapp_encr_nvs": (NVS + PHY + "factory,app,factory,,1M\n"
                           "nvs_key,data,nvs_keys,,0x1000,encrypted",
                           "55a092271e356dc8c78efd3ed859bada"),
    "two_ota_encr_nvs": ("nvs,data,nvs,,0x4000\notadata,data,ota,,0x2000\n" + PHY +
                         "factory,app,factory,,1M\nota_0,app,ota_0,,1M\nota_1,app,ota_1,,1M\n"
                         "nvs_key,data,nvs_keys,,0x1000,encrypted",
                         "76d509eedec6b9850fadba48faf3a90c"),
    "singleapp_tee": ("tee,app,tee_0,,256K\nsecure_storage,data,nvs,,64K\n"
                      "factory,app,factory,,1536K\nnvs,data,nvs,,24K\n" + PHY,
                      "5a9835998338ebb1bdfe043d661084cb"),
    "two_ota_tee": ("tee_0,app,tee_0,,256K\ntee_1,app,tee_1,,256K\ntee_otadata,data,tee_ota,,8K\n"
                    "secure_storage,data,nvs,,56K\nota_0,app,ota_0,,1536K\nota_1,app,ota_1,,1536K\n"
                    "otadata,data,ota,,8K\nnvs,data,nvs,,24K\n" + PHY,
                    "5b781e7398883f3f54e07853e1e086b3"),
}


@pytest.fixture
def gen(airlift, tmp_path):
    """Makes a table of CSV text; returns its bytes, or what it said when it must fail."""

    def run(csv, *options, status=0, env=None):
        (tmp_path / "out.bin").unlink(missing_ok=True)
        (tmp_path / "in.csv").write_bytes(csv if isinstance(csv, bytes) else csv.encode())
        result = airlift("partition-table", "gen", *options, "-o", "out.bin", "in.csv",
                         status=status, env=env)
        if status != 0:
            assert not (tmp_path / "out.bin").exists()
            return result.stderr
        run.stderr = result.stderr
        return (tmp_path / "out.bin").read_bytes()

    return run


def rows(table):
    out = []
    for at in range(0, len(table), 32):
        magic, kind, subtype, offset, size, name, flags = struct.unpack_from("<HBBII16sI", table, at)
        if magic != 0x50AA:
            break
        out.append((name.rstrip(b"\0").decode(), kind, subtype, offset, size, flags))
    return out


# --- tables ---

@pytest.mark.parametrize("name", STOCK)
def test_stock_tables_come_out_with_the_published_md5(gen, name):
    csv, md5 = STOCK[name]
    table = gen("# comment\n\n" + csv)
    count = len(rows(table))
    assert len(table) == 0xC00
    assert table[32 * count:32 * count + 16] == b"\xeb\xeb" + b"\xff" * 14
    assert table[32 * count + 16:32 * count + 32].hex() == md5
    assert set(table[32 * count + 32:]) == {0xFF}


@pytest.mark.parametrize("name", STOCK)
def test_binary_to_csv_and_back_is_the_same(airlift, gen, tmp_path, name):
    table = gen(STOCK[name][0])
    text = airlift("partition-table", "show", "out.bin").stdout
    assert text.startswith("# ESP-IDF Partition Table\n# Name, Type, SubType, Offset, Size, Flags\n")
    assert gen(text) == table
    assert airlift("partition-table", "show", "in.csv").stdout == text


def test_text_form_is_the_generators(airlift, gen):
    gen("a,0x40,5,0x9000,0x1001\nb,data,nvs,0xb000,1M,readonly:encrypted\nc,app,factory,,1088K")
    assert airlift("partition-table", "show", "out.bin").stdout.splitlines()[2:] == [
        "a,64,5,0x9000,0x1001,", "b,data,nvs,0xb000,1M,encrypted:readonly",
        "c,app,factory,0x110000,1088K,"]


def test_real_tables_are_shown(airlift, fixtures):
    shown = airlift("partition-table", "show", "--json", fixtures / "esp32-recovery-ptable.bin")
    assert [p["name"] for p in json.loads(shown.stdout)] == [
        "nvs", "otadata", "phy_init", "recovery", "ota_0", "settings"]
    assert "has the name of a partition subtype" in shown.stderr
    shown = airlift("partition-table", "show", fixtures / "esp32-sha2017badge-ptable-nomd5.bin")
    assert "locfd,data,fat,0x310000,960K," in shown.stdout


def test_table_in_a_flash_dump_is_shown(airlift, gen, tmp_path):
    table = gen(STOCK["two_ota"][0])
    (tmp_path / "dump").write_bytes(b"\xff" * 0x8000 + table + b"\xff" * 0x8000)
    shown = airlift("partition-table", "show", "--at", "0x8000", "dump").stdout
    assert "ota_1,app,ota_1,0x210000,1M," in shown
    airlift("partition-table", "show", "--at", "0x20000", "dump", status=2)


# --- grammar ---

@pytest.mark.parametrize("number,value", [
    ("0x2000", 0x2000), ("8192", 8192), ("8k", 8192), ("8K", 8192), ("1m", 1 << 20),
    ("0o20000", 8192), ("0b10000000000000", 8192), ("+8192", 8192), ("1kk", 1 << 20),
    ("0X2000", 8192), ("8_192", 8192), (" 8k ", 8192), ("2km", 2 << 30),
])
def test_numbers_have_bases_signs_and_suffixes(gen, number, value):
    assert rows(gen(f"a,data,fat,0x9000,{number}", "--no-verify"))[0][4] == value


@pytest.mark.parametrize("number", ["010", "0x", "8q", "--5", "1 2", "k", "0x1g", "1__0", "_1", "ota"])
def test_what_is_no_number_is_refused_with_its_line(gen, number):
    said = gen(f"# one\n\na,data,fat,0x9000,{number}", status=2)
    assert said.startswith("Error at line 3: Invalid field value ")


def test_names_of_types_and_subtypes_have_no_letter_case(gen):
    assert rows(gen("a,APP,Factory,,1M\nb,Data,NVS,,0x4000"))[0][1:3] == (0, 0)


def test_fields_may_be_empty_where_they_have_a_default(gen):
    table = rows(gen("a,data,,,0x1000\nb,0x40,,,0x1000\n,data,fat,,0x1000,,extra,fields"))
    assert [r[2] for r in table] == [6, 6, 0x81]
    assert [r[3] for r in table] == [0x9000, 0xA000, 0xB000]


@pytest.mark.parametrize("line,said", [
    ("a,,nvs,,0x1000", "Field 'type' can't be left empty."),
    ("a", "Field 'type' can't be left empty."),
    ("a,app,,,1M", "App partition cannot have an empty subtype"),
    ("a,data,nvs,", "Size field can't be empty"),
    ("a,ap,nvs,,1M", "Value 'ap' is not valid. Known keywords: app, data, bootloader, "
                     "partition_table"),
    ("a,data,foo,,1M", "Value 'foo' is not valid. Known keywords: ota, phy, nvs, "),
    ("a,0x50,foo,,1M", "Invalid field value foo"),
    ("a,data,fat,,1M,secret", "CSV flag column contains unknown flag 'secret'"),
    ("a,data,fat,,1M,encrypted : readonly", "CSV flag column contains unknown flag 'encrypted '"),
    ("a,256,0,,1M", "Type 256 is not in 0x00 to 0xff"),
    ("a,data,0x100,,1M", "Subtype 256 is not in 0x00 to 0xff"),
    ("a,data,-1,,1M", "Subtype -1 is not in 0x00 to 0xff"),
    ("a,bootloader,primary,,", "Primary bootloader offset is not defined."),
    ("a,data,fat,0xfffff000,0x2000", "does not lie in the first 4 GiB"),
    ("a,data,fat,,99999999999999999999", "Invalid field value"),
    ("a,data,fat,,9999999999mmmmm", "Invalid field value"),
])
def test_errors_of_a_line_name_line_and_reason(gen, line, said):
    text = gen("# first\n" + line + "\n", status=2)
    assert text.startswith("Error at line 2: ")
    assert said in text
    assert len(text.splitlines()) == 2  # and a hint


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32-be"])
def test_text_may_come_in_any_encoding_with_a_mark(gen, encoding):
    mark = {"utf-16-be": "\ufeff", "utf-32-be": "\ufeff"}.get(encoding, "")
    table = gen((mark + "größe😀,data,fat,,1M\n").encode(encoding))
    assert rows(table)[0][0] == "größe😀"


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_lines_may_end_in_any_way(gen, ending):
    said = gen(ending.join(["# x", "", "a,data,fat,,1M", "b,data,,,"]), status=2)
    assert said.startswith("Error at line 4: ")


def test_environment_is_expanded(gen):
    env = {"SIZE": "0x3000", "ROW": "b,data,fat,,4K"}
    table = gen("a,data,nvs,,$SIZE\n${ROW}\n$ROW\n".replace("$ROW\n", ""), env=env)
    assert [r[4] for r in rows(table)] == [0x3000, 0x1000]
    assert gen("$NOTHING_HERE\n", status=2) == "unknown variable 'NOTHING_HERE'\n"
    assert rows(gen("a$NOPE${NOPE},data,fat,,1M\n"))[0][0] == "a$NOPE${NOPE}"


def test_name_is_cut_to_16_bytes_in_the_binary_only(gen):
    assert rows(gen("a234567890123456,data,fat,,4K"))[0][0] == "a234567890123456"
    assert rows(gen("a234567890123456X,data,fat,,4K\na234567890123456Y,data,fat,,4K"))[1][0] == \
        "a234567890123456"


def test_flags_are_bits(gen):
    table = gen("a,data,fat,,4K,readonly\nb,data,fat,,4K,encrypted:readonly\nc,data,fat,,4K,::\n")
    assert [r[5] for r in rows(table)] == [2, 3, 0]


def test_negative_size_reaches_up_to_an_address(gen):
    assert rows(gen("a,data,fat,0xa000,-0x10000"))[0][4] == 0x6000
    gen("a,data,fat,0xa000,-0x9000", status=2)


def test_bootloader_and_table_rows_take_their_place_from_the_options(gen):
    csv = ("bl,bootloader,primary,N/A,N/A\npt,partition_table,primary,,\n"
           "a,data,nvs,,0x4000\nbl2,bootloader,ota,,N/A\nrec,bootloader,recovery,N/A,N/A\n"
           "pt2,partition_table,ota,,\n")
    table = rows(gen(csv, "--primary-bootloader-offset", "0x1000",
                     "--recovery-bootloader-offset", "0x3f0000"))
    assert [r[3:5] for r in table] == [(0x1000, 0x7000), (0x8000, 0x1000), (0x9000, 0x4000),
                                       (0xD000, 0x7000), (0x3F0000, 0x7000), (0x3F7000, 0x1000)]
    assert "Recovery bootloader offset is not defined." in gen(
        csv, "--primary-bootloader-offset", "0x1000", status=2)
    gen(csv, "--primary-bootloader-offset", "0x8000", status=2)


def test_extra_subtypes_are_known_by_name(airlift, gen, tmp_path):
    (tmp_path / "x.csv").write_text("a,data,my_type,,4K\n")
    options = ["--extra-partition-subtypes", "data, my_type, 0x40", "app,other,0x50", "--"]
    airlift("partition-table", "convert", "-q", *options, "x.csv", "x.bin")
    assert rows((tmp_path / "x.bin").read_bytes())[0][1:3] == (1, 0x40)
    assert "a,data,my_type," in airlift("partition-table", "convert", "-q", *options, "x.bin").stdout
    assert "a,data,64," in airlift("partition-table", "show", "x.bin").stdout
    for bad in ("data,nvs2,0x02", "data,x", "foo,x,0x50", "data,x,zz", "data,nvs,0x70"):
        airlift("partition-table", "convert", "--extra-partition-subtypes", bad, "--", "x.csv",
                status=2)


# --- rules ---

def test_offsets_must_ascend(gen):
    assert gen("a,data,fat,0x8000,4K", status=2).startswith(
        "CSV Error at line 1: Partitions overlap. Partition sets offset 0x8000")
    said = gen("a,data,fat,0x9000,8K\nb,data,fat,0xa000,4K", status=2)
    assert said.startswith("CSV Error at line 2: Partitions overlap. Partition sets offset 0xa000")
    assert "Previous partition ends 0xb000" in said


@pytest.mark.parametrize("csv,said", [
    ("a,app,factory,0x11000,1M", "Partition a invalid: Offset 0x11000 is not aligned to 0x10000"),
    ("a,data,fat,0x9100,4K", "Partition a invalid: Offset 0x9100 is not aligned to 0x1000"),
    ("a,app,factory,,0x1100", "Partition a invalid: Size 0x1100 is not aligned to 0x1000"),
    ("a,data,ota,,0x2000,readonly", "Partition a invalid: "),
    ("a,data,coredump,,0x2000,readonly", "Partition a invalid: "),
    ("a,data,nvs,,0x2000", "Partition a invalid: "),
    ("a,data,fat,,4K\na,data,fat,,4K", "Partition names must be unique"),
    ("a,data,ota,,0x2000\nb,data,ota,,0x2000", "Found multiple otadata partitions."),
    ("a,data,ota,,0x3000", "otadata partition must have size = 0x2000"),
    ("a,data,tee_ota,,0x1000", "TEE otadata partition must have size = 0x2000"),
])
def test_rules_of_partitions_and_tables(gen, csv, said):
    assert gen(csv, status=2).startswith(said)


def test_rules_can_be_switched_off(gen):
    gen("a,app,factory,0x11000,1M", "--no-verify")
    gen("a,data,nvs,,0x2000,readonly")


def test_suspicious_names_are_warnings(gen):
    gen("data,app,factory,,1M")
    assert "WARNING: partition 'data' has the name of a partition type" in gen.stderr
    gen("nvs,data,fat,,1M")
    assert "WARNING: partition 'nvs' has the name of a partition subtype" in gen.stderr
    gen("ota_0,app,ota_0,,1M\nphy,data,phy,,4K")
    assert gen.stderr == ""


def test_secure_boot_v1_wants_64_kib_steps(gen):
    gen("a,app,factory,,0x11000", "--secure=v2")
    gen("a,app,factory,,0x11000", "--secure", "v2")
    assert "not aligned to 0x10000" in gen("a,app,factory,,0x11000", "--secure", status=2)
    assert "not aligned to 0x10000" in gen("a,app,factory,,0x11000", "--secure=v1", status=2)


def test_table_must_fit_the_flash(gen):
    csv = STOCK["two_ota"][0]
    gen(csv, "--flash-size", "4MB")
    assert gen(csv, "--flash-size", "2MB", status=2).startswith(
        "Partitions tables occupies 3.1MB of flash (3211264 bytes) which does not fit in configured "
        "flash size 2MB.")
    gen(csv, "--flash-size", "3MB", status=2)
    gen(csv, "--flash-size", "256MB", status=2)


def test_capacity_ends_at_the_md5_row(gen):
    lines = [f"p{i},data,fat,,4K" for i in range(95)]
    gen("\n".join(lines[:94]))
    assert "Binary partition table length" in gen("\n".join(lines), status=2)
    table = gen("\n".join(lines), "--disable-md5sum")
    assert len(rows(table)) == 95 and len(table) == 0xC00
    gen("\n".join(lines + ["q,data,fat,,4K"]), "--disable-md5sum", status=2)
    gen("\n".join(f"p{i},data,fat,,4K" for i in range(1000)), status=2)


def test_table_offset_moves_the_first_partition(gen):
    assert rows(gen("a,data,fat,,4K", "--offset", "0x10000"))[0][3] == 0x11000


# --- binary input ---

@pytest.mark.parametrize("change,said", [
    (lambda t: t[:33], "must be a multiple of 32"),
    (lambda t: t[:192], "missing its end marker"),
    (lambda t: t[:13] + b"X" + t[14:], "MD5 row at 0xc0 does not match"),
    (lambda t: t[:32] + b"\x12\x34" + t[34:], "Row at 0x20: magic bytes 12 34"),
])
def test_damaged_binary_tables_are_refused(airlift, gen, tmp_path, change, said):
    (tmp_path / "bad").write_bytes(change(gen(STOCK["two_ota"][0])))
    assert said in airlift("partition-table", "show", "bad", status=2).stderr


def test_binary_tables_are_checked_by_the_same_rules(airlift, gen, tmp_path):
    table = bytearray(gen("a,data,fat,,4K\nb,data,fat,,4K", "--disable-md5sum"))
    table[36:40] = table[4:8]
    (tmp_path / "bad").write_bytes(table)
    assert "Partition at 0x9000 overlaps 0x9000-0x9fff" in airlift(
        "partition-table", "show", "bad", status=2).stderr
    table[36:40] = struct.pack("<I", 0x4000)
    (tmp_path / "bad").write_bytes(table)
    assert "Partition offset 0x4000 is below 0x9000" in airlift(
        "partition-table", "show", "bad", status=2).stderr
    airlift("partition-table", "show", "--no-verify", "bad")


def test_unknown_flags_of_a_binary_table_are_dropped_with_a_warning(airlift, gen, tmp_path):
    table = bytearray(gen("a,data,fat,,4K", "--disable-md5sum"))
    table[28] = 0x12
    (tmp_path / "odd").write_bytes(table)
    shown = airlift("partition-table", "show", "odd")
    assert shown.stdout.endswith("a,data,fat,0x9000,4K,readonly\n")
    assert "unknown flags 0x00000010" in shown.stderr


def test_convert_speaks_the_generators_command_line(airlift, tmp_path):
    (tmp_path / "in.csv").write_text(STOCK["two_ota"][0])
    result = airlift("partition-table", "convert", "-v", "-o", "0x8000", "--flash-size", "4MB",
                     "in.csv", "deep/er/out.bin")
    assert result.stderr == "Parsing CSV input...\nVerifying table...\n"
    back = airlift("partition-table", "convert", "deep/er/out.bin")
    assert back.stderr == "Parsing binary partition input...\nVerifying table...\n"
    assert "factory,app,factory,0x10000,1M," in back.stdout
    missing = airlift("partition-table", "convert", "none.csv", status=2)
    assert "none.csv: cannot be opened" in missing.stderr


def test_input_and_output_may_be_pipes(airlift):
    table = airlift("partition-table", "gen", "-", stdin=STOCK["two_ota"][0].encode(),
                    text=False).stdout
    assert hashlib.md5(table[:192]).hexdigest() == STOCK["two_ota"][1]


def test_random_bytes_never_crash_the_reader(airlift, tmp_path):
    rng = random.Random(1)
    for i in range(60):
        data = bytes(rng.choice(b"a,\n\r$#{}0x1kM-\xff\0 :") for _ in range(rng.randrange(200)))
        (tmp_path / "junk").write_bytes(data if i % 2 else b"\xaa\x50" + data)
        airlift("partition-table", "show", "junk", status=(0, 2), text=False)
