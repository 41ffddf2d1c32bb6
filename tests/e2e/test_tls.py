# SPDX-License-Identifier: Apache-2.0
"""Every TLS version with every kind of server key, against a server that offers nothing else."""

import pytest

from harness import servers


@pytest.mark.parametrize("key", ["rsa2048", "ecdsa-p256"])
@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_update_with_each_version_and_key(served, certs, ecdsa_certs, device, host, version, key):
    folder = certs if key == "rsa2048" else ecdsa_certs
    with servers.openssl_www(served, folder / "ca_cert.pem", folder / "ca_key.pem",
                             version) as source:
        device.send("ota " + source.url("firmware.bin", host))
        device.expect(r"agent: ota ok")


@pytest.mark.parametrize("version", ["-tls1_1", "-tls1"])
def test_older_versions_are_refused(served, certs, device, host, version):
    with servers.openssl_www(served, certs / "ca_cert.pem", certs / "ca_key.pem", version,
                             "-cipher", "ALL:@SECLEVEL=0") as source:
        device.send("ota " + source.url("firmware.bin", host))
        device.expect(r"E \(\d+\) esp-tls")
        device.expect(r"agent: ota failed")
