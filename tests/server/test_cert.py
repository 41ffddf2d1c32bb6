# SPDX-License-Identifier: Apache-2.0
"""The certificates of `airlift cert`, as openssl reads them."""

import re
import stat
import subprocess
from datetime import datetime

import pytest


def cert(tool, out, *options, check=True):
    return subprocess.run([tool, "cert", "--out", out, *options], check=check,
                          capture_output=True)


def x509(path, *options):
    return subprocess.run(["openssl", "x509", "-in", path, "-noout", *options], check=True,
                          capture_output=True).stdout.decode()


@pytest.mark.parametrize("key, words", [
    ("rsa2048", ["Public-Key: (2048 bit)", "sha256WithRSAEncryption"]),
    ("ecdsa-p256", ["NIST CURVE: P-256", "ecdsa-with-SHA256"]),
])
def test_the_fields_are_those_of_the_guides_certificate(tool, tmp_path, key, words):
    cert(tool, tmp_path, "--name", "192.168.0.3", "--name", "ota.example.com", "--name", "fe80::1",
         "--key", key)
    text = x509(tmp_path / "ca_cert.pem", "-text")
    for word in words + ["Version: 3 (0x2)", "Subject: CN = 192.168.0.3",
                         "Issuer: CN = 192.168.0.3"]:
        assert word in text
    assert re.search(r"Basic Constraints: critical\s+CA:TRUE\n", text)
    assert re.search(r"Alternative Name: \s+IP Address:192.168.0.3, DNS:ota.example.com, "
                     r"IP Address:FE80:0:0:0:0:0:0:1\n", text)
    subject = re.search(r"Subject Key Identifier: \s+([0-9A-F:]+)", text)[1]
    authority = re.search(r"Authority Key Identifier: \s+(?:keyid:)?([0-9A-F:]+)", text)[1]
    assert subject == authority
    assert "Key Usage" not in text
    key_file = tmp_path / "ca_key.pem"
    assert key_file.read_text().startswith("-----BEGIN PRIVATE KEY-----\n")
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
    public = subprocess.run(["openssl", "pkey", "-in", key_file, "-pubout"], check=True,
                            capture_output=True).stdout.decode()
    assert public == x509(tmp_path / "ca_cert.pem", "-pubkey")


def test_openssl_verifies_it_for_its_names_and_no_other(tool, tmp_path):
    cert(tool, tmp_path, "--name", "ota.example.com", "--name", "10.0.2.2")
    pem = tmp_path / "ca_cert.pem"

    def verify(*options):
        return subprocess.run(["openssl", "verify", "-x509_strict", "-CAfile", pem, *options, pem],
                              check=False, capture_output=True).returncode

    assert verify("-verify_hostname", "ota.example.com") == 0
    assert verify("-verify_ip", "10.0.2.2") == 0
    assert verify("-verify_hostname", "other.example.com") != 0
    assert verify("-verify_ip", "10.0.2.3") != 0


@pytest.mark.parametrize("days", [1, 365, 3650, 36500])
def test_validity_is_the_days_asked_for(tool, tmp_path, days):
    cert(tool, tmp_path, "--key", "ecdsa-p256", "--days", str(days))
    text = x509(tmp_path / "ca_cert.pem", "-dates")
    begin, end = (datetime.strptime(re.sub(r"\s+", " ", line.split("=")[1]), "%b %d %H:%M:%S %Y GMT")
                  for line in text.strip().splitlines())
    assert (end - begin).total_seconds() == days * 86400


def test_two_certificates_differ_in_key_and_serial(tool, tmp_path):
    for name in ("a", "b"):
        cert(tool, tmp_path / name, "--key", "ecdsa-p256")
    assert x509(tmp_path / "a/ca_cert.pem", "-serial") != x509(tmp_path / "b/ca_cert.pem", "-serial")
    assert (tmp_path / "a/ca_key.pem").read_bytes() != (tmp_path / "b/ca_key.pem").read_bytes()


def test_without_a_name_it_is_for_this_machine(tool, tmp_path):
    cert(tool, tmp_path / "made/on/the/way")
    text = x509(tmp_path / "made/on/the/way/ca_cert.pem", "-text")
    assert "DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1" in text


def test_existing_files_are_replaced_only_by_force(tool, tmp_path):
    cert(tool, tmp_path, "--key", "ecdsa-p256")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    refused = cert(tool, tmp_path, check=False)
    assert refused.returncode == 1 and b"--force" in refused.stderr
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    (tmp_path / "ca_cert.pem").unlink()
    assert cert(tool, tmp_path, check=False).returncode == 1
    cert(tool, tmp_path, "--key", "ecdsa-p256", "--force")
    after = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert after.keys() == before.keys() and after["ca_key.pem"] != before["ca_key.pem"]
    assert stat.S_IMODE((tmp_path / "ca_key.pem").stat().st_mode) == 0o600


@pytest.mark.parametrize("name", [
    "", "https://host", "host:8070", "a b", "-a.example", "a-.example", "a..b", ".a", "a.", "ä.example",
    "a/b", "*", "a.*.b", "x" * 64, "a." * 127 + "bb",
])
def test_what_is_no_host_is_refused(tool, tmp_path, name):
    result = cert(tool, tmp_path, "--name", name, check=False)
    assert result.returncode == 2 and b"must be a host name" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_name_too_long_for_the_common_name_is_in_the_alternative_names(tool, tmp_path):
    name = "a" * 60 + ".example.com"
    cert(tool, tmp_path, "--name", name, "--name", "*.lab.example", "--key", "ecdsa-p256")
    text = x509(tmp_path / "ca_cert.pem", "-text")
    assert f"DNS:{name}, DNS:*.lab.example" in text and "Subject: CN = airlift" in text


@pytest.mark.parametrize("options", [
    ["--key", "rsa512"], ["--days", "0"], ["--days", "x"], ["--days", "36501"], ["--name"],
    ["--nonsense"], ["extra"], [word for n in range(65) for word in ("--name", f"h{n}")],
])
def test_a_wrong_command_line_is_status_2(tool, tmp_path, options):
    assert cert(tool, tmp_path, *options, check=False).returncode == 2
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_explained(tool, tmp_path):
    (tmp_path / "file").write_text("in the way")
    result = cert(tool, tmp_path / "file", check=False)
    assert result.returncode == 1 and b"file" in result.stderr
