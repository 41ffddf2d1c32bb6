# SPDX-License-Identifier: Apache-2.0
"""airlift check-sizes: the lines a build prints, and when it fails."""

import pytest

TABLE = ("nvs,data,nvs,,0x4000\notadata,data,ota,,0x2000\ntee,app,tee_0,,64K\n"
         "factory,app,factory,,1M\nota_0,app,ota_0,,512K\nota_1,app,ota_1,,2M\n")


@pytest.fixture
def check(airlift, tmp_path):
    (tmp_path / "t.csv").write_text(TABLE)

    def run(size, *words, status=0):
        (tmp_path / "app.bin").write_bytes(bytes(size))
        result = airlift("check-sizes", *words, "app.bin", status=status)
        return result.stdout, result.stderr

    return run


APP = ("partition", "--type", "app", "t.csv")


def test_bootloader_that_fits(check):
    out, _ = check(0x4000, "bootloader", "0x0")
    assert out == "Bootloader binary size 0x4000 bytes. 0x4000 bytes (50%) free.\n"
    check(0x8000, "bootloader", "0x0")
    check(0x7000, "bootloader", "0x1000")


def test_bootloader_that_does_not_fit(check):
    _, err = check(0x8001, "bootloader", "0x0", status=1)
    assert "too large for partition table offset 0x8000" in err and "0x8000 bytes fit" in err
    check(0x8001, "--offset", "0x9000", "bootloader", "0x0")
    check(0x8001, "--allow-failures", "bootloader", "0x0")
    check(1, "bootloader", "0x8000", status=2)


def test_app_that_fits_the_smallest_partition(check):
    out, err = check(0x40000, *APP)
    assert out == ("app.bin binary size 0x40000 bytes. Smallest app partition is 0x80000 bytes. "
                   "0x40000 bytes (50%) free.\n")
    assert err == ""
    assert check(0x80000, *APP)[1] == (
        "Warning: The smallest app partition is nearly full (0% free space left)!\n")


def test_app_that_fits_some_partitions(check):
    out, err = check(0x80010, *APP)
    assert out == ""
    assert err == ("Warning: 1/3 app partitions are too small for binary app.bin size 0x80010:\n"
                   "  - Part 'ota_0' 0/16 @ 0x120000 size 0x80000 (overflow 0x10)\n")


def test_app_that_fits_no_partition(check):
    _, err = check(0x200001, *APP, status=1)
    assert err.startswith("Error: All app partitions are too small for binary app.bin size 0x200001")
    assert err.count("  - Part") == 3
    assert check(0x200001, "--allow-failures", *APP)[1].startswith("Warning: All app")
    _, err = check(0x200000, "partition", "--type", "app", "--subtype", "factory", "t.csv", status=1)
    assert err.startswith("Error: app partition is too small for binary app.bin size 0x200000")


def test_type_without_partition_is_a_warning(check):
    assert "no partition of type" in check(1, "partition", "--type", "0x45", "t.csv")[1]


def test_usage_errors(check, airlift):
    check(1, "partition", "t.csv", status=2)
    check(1, "partition", "--type", "foo", "t.csv", status=2)
    check(1, "partition", "--type", "app", "--subtype", "foo", "t.csv", status=2)
    airlift("check-sizes", "nonsense", status=2)
    airlift("check-sizes", "bootloader", "0x0", "missing", status=1)
