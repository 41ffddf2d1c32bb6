# SPDX-License-Identifier: Apache-2.0
"""The device's key-value store against Espressif's generator of its format."""

import csv
import hashlib
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
                                input=stdin, timeout=60)
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
                       check=True, capture_output=True, text=True, timeout=60)
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
