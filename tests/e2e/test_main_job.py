# SPDX-License-Identifier: Apache-2.0
"""The main job: version 1 runs from factory, downloads version 2, runs it from ota_0."""

import subprocess

import pytest

from harness import images, servers


def server(kind, tool, folder, certs, run):
    cert, key = certs / "ca_cert.pem", certs / "ca_key.pem"
    if kind == "openssl":
        return servers.openssl_www(folder, cert, key)
    if kind == "python":
        return servers.PythonServer(folder, cert, key)
    if kind == "nginx-tls13":
        return servers.nginx(folder, cert, key, run)
    if kind == "nginx-tls12":
        return servers.nginx(folder, cert, key, run, protocols="TLSv1.2")
    return servers.airlift_serve(tool, folder, certs)


@pytest.mark.parametrize("kind", ["openssl", "python", "nginx-tls13", "nginx-tls12", "airlift"])
def test_update_from_each_server_runs_the_downloaded_code(
        kind, tool, agent, served, certs, device, host, tmp_path):
    image = agent.v2.read_bytes()
    with server(kind, tool, served, certs, tmp_path / "run") as source:
        device.send("ota " + source.url("firmware.bin", host))
        device.expect(r"Writing to <ota_0> partition at offset 0x[0-9a-f]+")
        device.expect(r"agent: ota ok")
    flash = images.Flash(device.flash)
    assert flash.read("ota_0", len(image)) == image
    device.send("restart")
    offset = flash.partitions["ota_0"][0]
    device.expect(rf"Loaded app from partition at offset 0x{offset:x}")
    device.expect(r"App version: +2\n")
    device.expect(r"agent: version 2 in ota_0")


def test_second_update_goes_to_the_other_slot_and_erase_otadata_brings_factory_back(
        tool, agent, device, host, start_board, good_server):
    for label in ("ota_0", "ota_1"):
        device.send("ota " + good_server.url("firmware.bin", host))
        device.expect(rf"Writing to <{label}>")
        device.expect(r"agent: ota ok")
        device.send("restart")
        device.expect(rf"agent: version 2 in {label}")
        device.expect(r"agent: ready")
    device.stop()
    subprocess.run([tool, "erase-otadata", "-B", agent.build, "--flash", device.flash], check=True)
    again = start_board(device.flash)
    again.expect(r"Defaulting to factory image")
    again.expect(r"agent: version 1 in factory")


def test_chunked_body_with_extensions_and_trailers(agent, certs, device, host):
    image = agent.v2.read_bytes()
    behave = servers.chunked(image, [1, 7, 4096, 70000], b";name=value", b"X-End: yes\r\n")
    with servers.FaultServer(behave, certs / "ca_cert.pem", certs / "ca_key.pem") as source:
        device.send("ota " + source.url(host=host))
        device.expect(r"agent: ota ok")
    assert images.Flash(device.flash).read("ota_0", len(image)) == image


def test_header_names_in_any_case_and_an_absolute_redirect(agent, certs, device, host,
                                                           good_server):
    def redirect(connection, _path):
        target = good_server.url("firmware.bin", host)
        connection.sendall(f"HTTP/1.1 302 Go\r\nlOCATION:{target}\r\ncontent-LENGTH:0\r\n"
                           "CONNECTION: close\r\n\r\n".encode())

    with servers.FaultServer(redirect, certs / "ca_cert.pem", certs / "ca_key.pem") as source:
        device.send("ota " + source.url(host=host))
        device.expect(r"agent: ota ok")
