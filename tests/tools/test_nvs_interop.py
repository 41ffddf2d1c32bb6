# SPDX-License-Identifier: Apache-2.0
"""The device's key-value store and `airlift nvs` against Espressif's generator of the format."""

import base64
import csv
import hashlib
import io
import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

VECTOR_SHA256 = "cebceb914e650302f8872759b76d8e164c7ebcf64d65ff7d62ef62dd77353392"


@pytest.fixture(scope="session")
def store():
    """Runs nvs_interop of the unit tests: the store of components/nvs_flash on a host."""
    folder = "unit-san" if os.environ.get("AIRLIFT_SAN") == "1" else "unit"
    path = Path(os.environ.get("AIRLIFT_NVS_INTEROP") or
                ROOT / "build" / folder / "test/component_nvs_flash/nvs_interop")
    if not path.exists():
        pytest.exit(f"{path} is not built: run `make unit`, or set AIRLIFT_NVS_INTEROP",
                    returncode=2)

    def run(*words, stdin=""):
        result = subprocess.run([path, *map(str, words)], capture_output=True, text=True,
                                input=stdin, timeout=180)
        assert result.returncode == 0, (result.args, result.stdout, result.stderr)
        return result.stdout

    return run


@pytest.fixture
def generate(tmp_path):
    """Makes an image with the generator from rows (key, type, encoding, value), or skips."""
    pytest.importorskip("esp_idf_nvs_partition_gen")

    def run(rows, size, version=2):
        table = tmp_path / "values.csv"
        with table.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["key", "type", "encoding", "value"])
            writer.writerows(rows)
        image = tmp_path / "generated.bin"
        subprocess.run([sys.executable, "-m", "esp_idf_nvs_partition_gen", "generate",
                        "--version", str(version), table, image, hex(size)],
                       check=True, capture_output=True, text=True, timeout=180)
        return image

    return run


def both(values):
    """The same values for the generator and for nvs_interop: (namespace, key, type, value)."""
    rows, lines, namespace = [], [], None
    for space, key, kind, value in values:
        if space != namespace:
            rows.append((space, "namespace", "", ""))
            namespace = space
        if kind == "str":
            rows.append((key, "data", "string", value))
            value = value.encode().hex()
        elif kind == "blob":
            value = value.hex()
            rows.append((key, "data", "hex2bin", value))
        else:
            rows.append((key, "data", kind, value))
        lines.append(f"{space} {key} {kind} {value}\n")
    return rows, lines


VECTOR = [("ota", "count", "u32", 7), ("ota", "url", "str", "http://a/b"),
          ("ota", "blob", "blob", bytes.fromhex("00112233445566778899aabbccddeeff00")),
          ("ota", "neg", "i8", -2)]

EVERY_TYPE = [
    ("first", "a", "u8", 255), ("first", "b", "i8", -128), ("first", "c", "u16", 65535),
    ("first", "d", "i16", -32768), ("first", "e", "u32", 2**32 - 1), ("first", "f", "i32", -2**31),
    ("first", "g", "u64", 2**64 - 1), ("first", "h", "i64", -2**63),
    ("second", "fifteen_letters", "str", "x" * 31), ("second", "t", "str", "x" * 32),
    ("second", "u", "str", "x" * 33), ("second", "v", "blob", bytes(range(256))),
    ("third_namespace", "a", "u8", 0), ("third_namespace", "w", "blob", b"\xff" * 64),
]


@pytest.mark.parametrize("values", [VECTOR, EVERY_TYPE], ids=["vector", "every type"])
def test_both_make_the_same_bytes(store, generate, tmp_path, values):
    rows, lines = both(values)
    made = tmp_path / "made.bin"
    store("make", made, 0x3000, stdin="".join(lines))
    assert made.read_bytes() == generate(rows, 0x3000).read_bytes()
    assert store("dump", made) == "".join(lines)


def test_the_vector_has_the_digest_of_the_specification(store, tmp_path):
    made = tmp_path / "made.bin"
    store("make", made, 0x3000, stdin="".join(both(VECTOR)[1]))
    assert hashlib.sha256(made.read_bytes()).hexdigest() == VECTOR_SHA256


@pytest.mark.parametrize("seed", range(8))
def test_what_the_generator_makes_is_read_over_many_pages(store, generate, seed):
    rng = random.Random(seed)
    values = []
    for i in range(rng.randrange(40, 120)):
        kind = rng.choice(["u8", "i16", "u32", "i64", "str", "str", "blob", "blob"])
        if kind == "str":
            value = "".join(rng.choices("abcdefghij ", k=rng.randrange(1, 500))).strip() or "x"
        elif kind == "blob":
            value = rng.randbytes(rng.choice([1, 31, 32, 33, 300, 1500]))
        else:
            bits = int(kind[1:])
            value = rng.randrange(2**bits) if kind[0] == "u" else rng.randrange(-2**(bits - 1), 0)
        values.append((f"space{i * 4 // 130}", f"key{i}", kind, value))
    rows, lines = both(values)
    image = generate(rows, 0x30000)
    assert sorted(store("dump", image).splitlines(True)) == sorted(lines)


def test_a_large_blob_over_pages_is_read(store, generate):
    data = random.Random(1).randbytes(30000)
    rows, lines = both([("n", "large", "blob", data), ("n", "after", "u8", 1)])
    dump = store("dump", generate(rows, 0x10000)).splitlines(True)
    assert sorted(dump) == sorted(lines)


def test_version_1_images_are_read(store, generate):
    rows, lines = both([("n", "a", "u8", 1), ("n", "b", "blob", b"version one"),
                        ("n", "c", "str", "text")])
    assert store("dump", generate(rows, 0x3000, version=1)) == "".join(lines)


# --- airlift nvs ---

def table_text(rows):
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([("key", "type", "encoding", "value"), *rows])
    return text.getvalue()


@pytest.fixture
def made(airlift, tmp_path):
    """The bytes `airlift nvs generate` makes from rows."""

    def run(rows, size=0x6000, *options):
        (tmp_path / "rows.csv").write_text(table_text(rows), encoding="utf-8")
        airlift("nvs", "generate", *options, "rows.csv", "made.bin", hex(size))
        return (tmp_path / "made.bin").read_bytes()

    return run


SPACE = ("n", "namespace", "", "")
FILLER = [(f"k{i}", "data", "u8", str(i % 256)) for i in range(126)]
END = ("end", "data", "i16", "-1")
FILES = {"text.txt": b"several\nlines\n", "hex.txt": b"0102ff\n", "base64.txt": b"AQID\n",
         "bytes.bin": bytes(range(256)) * 20}

SHAPES = {
    "nothing": [],
    "namespace alone": [SPACE],
    "every number": [SPACE] + [
        (f"{kind}{i}", "data", kind, value) for kind in
        ("u8", "i8", "u16", "i16", "u32", "i32", "u64", "i64") for i, value in enumerate(
            (0, 1, 2 ** (int(kind[1:]) - (kind[0] == "i")) - 1,
             -2 ** (int(kind[1:]) - 1) if kind[0] == "i" else 7))],
    "signs and blanks": [SPACE, ("a", "data", "u8", " 7 "), ("b", "data", "i8", "+5"),
                         ("c", "data", "u16", "010")],
    "texts": [SPACE, ("empty", "data", "string", ""), ("quotes", "data", "string", 'a "b", c'),
              ("lines", "data", "string", "one\ntwo"), ("wide", "data", "string", "\u00e4\u20ac"),
              ("blanks", "data", "string", " x "), ("fifteen_letters", "data", "string", "k")],
    "blobs": [SPACE, ("empty", "data", "hex2bin", ""), ("hex", "data", "hex2bin", "00fFAb"),
              ("b64", "data", "base64", base64.b64encode(bytes(range(50))).decode()),
              ("bin", "data", "binary", "text"), ("fill", "data", "blob_fill(40;0xA5)", "head"),
              ("size", "data", "blob_sz_fill(33;0xff)", "head")],
    "files": [SPACE, ("a", "file", "string", "text.txt"), ("b", "file", "hex2bin", "hex.txt"),
              ("c", "file", "base64", "base64.txt"), ("d", "file", "binary", "bytes.bin")],
    "two namespaces": [SPACE, END, ("m", "namespace", "", ""), END],
    "the same key twice": [SPACE, END, END],
    "strings to the end of a page": [SPACE] + [
        (f"s{i}", "data", "string", "x" * n) for i, n in enumerate((3935, 3966, 31, 3967, 100))],
    "a blob of many pages": [SPACE, ("b", "data", "binary", "0123456789" * 1500), END],
    **{f"a blob after {n} entries": [SPACE, *FILLER[:n], ("b", "data", "binary", "x" * 100), END]
       for n in range(119, 127)},
    **{f"a blob of {n} bytes": [SPACE, ("b", "data", "binary", "x" * n), END]
       for n in (3935, 3936, 3937, 3967, 3968, 3969, 4000, 7968, 7969)},
    **{f"a string after {n} entries": [SPACE, *FILLER[:n], ("s", "data", "string", "x" * 60), END]
       for n in range(119, 127)},
    **{f"{n} numbers": [SPACE, *FILLER[:n]] for n in (124, 125, 126)},
}


def put_files(folder):
    for name, data in FILES.items():
        (folder / name).write_bytes(data)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("version", [2, 1])
def test_airlift_nvs_makes_the_generators_bytes(made, generate, tmp_path, monkeypatch, shape,
                                                version):
    rows = SHAPES[shape]
    if version == 1 and any(len(str(row[3])) > 1983 or row[3] == "bytes.bin" for row in rows):
        pytest.skip("version 1 holds no such value")
    put_files(tmp_path)
    monkeypatch.chdir(tmp_path)
    want = generate(rows, 0x6000, version).read_bytes()
    assert made(rows, 0x6000, "--version", str(version)) == want


@pytest.mark.parametrize("seed", range(12))
def test_airlift_nvs_makes_the_generators_bytes_of_random_tables(made, generate, seed):
    rng = random.Random(seed)
    rows = []
    for i in range(rng.randrange(30, 250)):
        if i == 0 or rng.random() < 0.05:
            rows.append((f"space{i}", "namespace", "", ""))
        kind = rng.choice(["u8", "i32", "u64", "string", "string", "binary", "binary"])
        if kind in ("string", "binary"):
            length = rng.choice([0, 1, 31, 32, rng.randrange(500), rng.randrange(3900)])
            if kind == "binary" and rng.random() < 0.1:
                length = rng.randrange(20000)
            value = "".join(rng.choices("abc d,\"\n", k=length - 1)) + "x" if length else ""
            if kind == "string" and value.startswith("#"):
                value = "x" + value
        else:
            value = str(rng.randrange(2 ** 7))
        rows.append((f"key{i}", "data", kind, value))
    assert made(rows, 0x100000) == generate(rows, 0x100000).read_bytes()


@pytest.mark.parametrize("size", [0x1000, 0x2000, 0x3000])
def test_the_last_page_stays_free_where_a_device_can_write(airlift, made, generate, tmp_path, size):
    pages = {0x1000: 1, 0x2000: 2, 0x3000: 2}[size]
    rows = [SPACE] + [(f"s{i}", "data", "string", "x" * 3900) for i in range(pages)]
    assert made(rows, size) == generate(rows, size).read_bytes()
    (tmp_path / "more.csv").write_text(table_text(rows + [("t", "data", "string", "x" * 3900)]))
    out = airlift("nvs", "generate", "more.csv", "more.bin", hex(size), status=1)
    assert 'more.csv:' in out.stderr and 'key "t": the partition is too small' in out.stderr
    assert not (tmp_path / "more.bin").exists()


def test_a_namespace_that_comes_again_goes_on(airlift, made, store):
    """The generator puts what follows into the namespace before; the device's view decides."""
    image = made([SPACE, ("a", "data", "u8", 1), ("m", "namespace", "", ""), ("b", "data", "u8", 2),
                  SPACE, ("c", "data", "u8", 3)])
    assert len(image) == 0x6000
    shown = airlift("nvs", "show", "made.bin").stdout
    assert "n               c               u8      3\n" in shown


def test_several_files_one_after_the_other(airlift, generate, tmp_path):
    (tmp_path / "a.csv").write_text("# first\nkey,type,encoding,value\n\nn,namespace,,\n"
                                    "a,data,u8,1\n")
    (tmp_path / "b.csv").write_text("type,key,value,encoding\r\nnamespace,m,,\r\ndata,b,2,u8")
    airlift("nvs", "generate", "a.csv", "b.csv", "made.bin", "12k")
    want = generate([SPACE, ("a", "data", "u8", 1), ("m", "namespace", "", ""),
                     ("b", "data", "u8", 2)], 0x3000)
    assert (tmp_path / "made.bin").read_bytes() == want.read_bytes()


@pytest.mark.parametrize("row, why", [
    ("a,data,u8,256", 'key "a": "256": not a whole number of type u8'),
    ("a,data,u8,-1", "not a whole number of type u8"),
    ("a,data,i8,-129", "not a whole number of type i8"),
    ("a,data,i64,9223372036854775808", "not a whole number of type i64"),
    ("a,data,u8,", "not a whole number"),
    ("a,data,u9,1", '"u9": unknown encoding'),
    ("a,date,u8,1", '"date": the type must be namespace, data or file'),
    ("sixteen_letters_,data,u8,1", "1 to 15 characters"),
    (",data,u8,1", "1 to 15 characters"),
    ("a,data,hex2bin,012", "an odd number of hex digits"),
    ("a,data,hex2bin,zz", "not hex digits"),
    ("a,data,base64,A", "not base64"),
    ("a,data,base64,A=BC", "not base64"),
    ("a,data,blob_fill(2;0xAA),abc", "longer than the length"),
    ("a,data,blob_fill(6;170),abc", "must be like blob_fill(100;0xFF)"),
    ("a,data,string,x,y", "put a value that has commas into quotes"),
    ("a,data,string," + "x" * 4000, "longer than 4000 bytes"),
    ("a,file,string,no_such_file", "its file cannot be read"),
    ("a,file,string,", "no file is named"),
    (",".join("x" * 20), "too many fields"),
])
def test_a_bad_row_is_named_and_nothing_is_written(airlift, tmp_path, row, why):
    (tmp_path / "rows.csv").write_text(f"key,type,encoding,value\nn,namespace,,\n{row}\n")
    out = airlift("nvs", "generate", "rows.csv", "made.bin", "0x6000", status=1)
    assert "rows.csv:3: " in out.stderr and why in out.stderr
    assert not (tmp_path / "made.bin").exists()


@pytest.mark.parametrize("text, why", [
    ("", "must begin with the line"), ("a,data,u8,1\n", "must be key,type,encoding,value"),
    ("key,type,encoding,value\na,data,u8,1\n", "no namespace yet"),
    ("key,type,encoding,value\n\0\n", "this is no text file")])
def test_a_file_that_is_no_such_table_is_refused(airlift, tmp_path, text, why):
    (tmp_path / "rows.csv").write_text(text)
    assert why in airlift("nvs", "generate", "rows.csv", "made.bin", "0x6000", status=1).stderr


def test_version_1_refuses_long_values(airlift, tmp_path):
    for kind in ("string", "binary"):
        (tmp_path / "rows.csv").write_text(table_text([SPACE, ("a", "data", kind, "x" * 1985)]))
        out = airlift("nvs", "generate", "--version", "1", "rows.csv", "x.bin", "0x6000", status=1)
        assert "1984 bytes" in out.stderr


def test_wrong_command_lines_are_explained(airlift):
    airlift("nvs", "generate", "a.csv", "b.bin", status=2)
    for size in ("0x3001", "0", "many", "65M"):
        assert "SIZE" in airlift("nvs", "generate", "a.csv", "b.bin", size, status=2).stderr
    airlift("nvs", "generate", "--version", "3", "a.csv", "b.bin", "4096", status=2)
    airlift("nvs", "show", status=2)


def test_show_gives_back_what_went_in(airlift, made, tmp_path, monkeypatch):
    put_files(tmp_path)
    monkeypatch.chdir(tmp_path)
    for shape, rows in SHAPES.items():
        image = made(rows)
        (tmp_path / "again.csv").write_text(airlift("nvs", "show", "--csv", "made.bin").stdout)
        airlift("nvs", "generate", "again.csv", "again.bin", "0x6000")
        if shape != "namespace alone":
            assert (tmp_path / "again.bin").read_bytes() == image, shape


def test_show_reads_what_a_device_wrote(airlift, store, tmp_path):
    rows, lines = both(EVERY_TYPE + [("first", "large", "blob", bytes(range(250)) * 40)])
    store("make", tmp_path / "device.bin", 0x8000, stdin="".join(lines))
    values = json.loads(airlift("nvs", "show", "--json", "device.bin").stdout)["values"]
    seen = {(v["namespace"], v["key"]): v["value"] for v in values}
    for space, key, kind, value in EVERY_TYPE:
        assert seen[space, key] == (value.hex() if kind == "blob" else value)
    assert seen["first", "large"] == (bytes(range(250)) * 40).hex()


def test_show_finds_the_partition_of_a_flash(airlift, made, tmp_path):
    image = made([SPACE, ("a", "data", "u8", 42)], 0x4000)
    other = made([SPACE, ("b", "data", "u8", 43)], 0x3000)
    (tmp_path / "table.csv").write_text("nvs,data,nvs,0x9000,0x4000\nmore,data,nvs,0xd000,0x3000")
    airlift("partition-table", "gen", "-o", "table.bin", "table.csv")
    flash = bytearray(b"\xff" * 0x20000)
    flash[0x8000:0x8C00] = (tmp_path / "table.bin").read_bytes()[:0xC00]
    flash[0x9000:0xD000] = image
    flash[0xD000:0x10000] = other
    (tmp_path / "flash.bin").write_bytes(flash)
    assert "42" in airlift("nvs", "show", "flash.bin").stdout
    assert "43" in airlift("nvs", "show", "--partition", "more", "flash.bin").stdout
    out = airlift("nvs", "show", "--partition", "none", "flash.bin", status=1)
    assert "no NVS partition of the name none" in out.stderr
    assert "no partition table" in airlift("nvs", "show", "--partition", "nvs", "made.bin",
                                           status=1).stderr


def test_show_tells_damage(airlift, made, tmp_path):
    image = made([SPACE, ("a", "data", "string", "hello"), ("b", "data", "binary", "x" * 5000)])
    for at, why in ((40, "erased"), (64 + 32 * 2, "incomplete or damaged"),
                    (64 + 32, "damaged or were not written"), (4, "no valid header"),
                    (4096 + 64 + 40, "incomplete or damaged")):
        damaged = bytearray(image)
        damaged[at] ^= 1
        (tmp_path / "damaged.bin").write_bytes(damaged)
        if why == "erased":
            airlift("nvs", "show", "damaged.bin", status=(0, 1))
        else:
            assert why in airlift("nvs", "show", "damaged.bin", status=1).stderr
    (tmp_path / "odd.bin").write_bytes(b"\xff" * 5000)
    assert "neither an NVS partition" in airlift("nvs", "show", "odd.bin", status=1).stderr


def test_show_survives_any_bytes(airlift, made, tmp_path):
    rng = random.Random(5)
    image = made([SPACE, ("a", "data", "string", "hello"), ("b", "data", "binary", "x" * 5000)])
    for _ in range(40):
        damaged = bytearray(image)
        for _ in range(rng.randrange(1, 60)):
            damaged[rng.randrange(0x2000)] = rng.randrange(256)
        (tmp_path / "damaged.bin").write_bytes(damaged)
        for how in ("--json", "--csv"):
            airlift("nvs", "show", how, "damaged.bin", status=(0, 1))
