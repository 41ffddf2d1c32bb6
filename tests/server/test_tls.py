# SPDX-License-Identifier: Apache-2.0
"""TLS as clients see it, and what the server says about clients that fail at it."""

import os
import socket
import ssl
import subprocess

import pytest

from serving import FIRMWARE, WAIT, Response, client_context


def s_client(server, *options):
    result = subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}",
         "-CAfile", server.cert_dir / "ca_cert.pem", *options],
        input=b"", capture_output=True, timeout=WAIT, check=False)
    return result.returncode, (result.stdout + result.stderr).decode(errors="replace")


@pytest.mark.parametrize("version", ["tls1_2", "tls1_3"])
def test_both_tls_versions_work_with_both_kinds_of_key(start, folder, certs, version):
    server = start(folder, cert_dir=certs)
    status, text = s_client(server, f"-{version}")
    assert status == 0
    assert "Verify return code: 0 (ok)" in text
    assert version.replace("tls", "TLSv").replace("_", ".") in text
    wanted = ssl.TLSVersion.TLSv1_2 if version == "tls1_2" else ssl.TLSVersion.TLSv1_3
    with server.connect(version=wanted) as connection:
        connection.sendall(b"GET /firmware.bin HTTP/1.1\r\nHost: h\r\n\r\n")
        assert Response(connection.makefile("rb")).body == FIRMWARE


@pytest.mark.parametrize("version", ["tls1", "tls1_1"])
def test_old_tls_versions_are_refused(server, version):
    status, text = s_client(server, f"-{version}", "-cipher", "ALL:@SECLEVEL=0")
    assert status != 0
    assert "Cipher is (NONE)" in text
    server.line("127.0.0.1: the TLS handshake failed: .*TLS 1.2 or 1.3")


def test_tls_min_1_3_refuses_tls_1_2(start, folder, rsa_certs):
    server = start(folder, "--tls-min", "1.3", cert_dir=rsa_certs)
    assert s_client(server, "-tls1_3")[0] == 0
    assert s_client(server, "-tls1_2")[0] != 0
    server.line("127.0.0.1: the TLS handshake failed: .*TLS 1.3 with")


@pytest.mark.parametrize("options, wanted", [
    (["-tls1_3"], "TLS_AES_128_GCM_SHA256"),
    (["-tls1_3", "-ciphersuites", "TLS_CHACHA20_POLY1305_SHA256"], "TLS_CHACHA20_POLY1305_SHA256"),
    (["-tls1_2"], "ECDHE-RSA-AES128-GCM-SHA256"),
    (["-tls1_2", "-cipher", "ECDHE-RSA-AES256-GCM-SHA384"], "ECDHE-RSA-AES256-GCM-SHA384"),
])
def test_aes_128_gcm_is_preferred_and_others_are_possible(server, options, wanted):
    assert f"Cipher is {wanted}" in s_client(server, *options)[1]


@pytest.mark.parametrize("groups", ["X25519", "P-256", "P-384", "X25519:P-256"])
def test_a_usual_key_share_needs_no_second_hello(server, groups):
    status, text = s_client(server, "-tls1_3", "-groups", groups, "-msg")
    assert status == 0
    assert text.count("ClientHello") == 1


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
@pytest.mark.parametrize("length", ["512", "1024", "4096"])
def test_a_client_with_small_buffers_gets_small_records(server, version, length):
    """openssl ends the connection when a record is longer than it asked for."""
    process = subprocess.Popen(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", version, "-quiet",
         "-maxfraglen", length], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL)
    with process:
        process.stdin.write(b"GET /firmware.bin HTTP/1.0\r\n\r\n")
        process.stdin.flush()
        assert Response(process.stdout).body == FIRMWARE


def test_a_session_is_resumed_by_ticket(server):
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context = client_context(server.cert_dir, version)
        session = None
        for turn in range(2):
            raw = socket.create_connection(("127.0.0.1", server.port), timeout=WAIT)
            with context.wrap_socket(raw, server_hostname="127.0.0.1",
                                     session=session) as connection:
                connection.sendall(b"GET /hundred.bin HTTP/1.1\r\nHost: h\r\n\r\n")
                assert Response(connection.makefile("rb")).status == 200
                assert connection.session_reused == (turn == 1)
                session = connection.session


def test_the_end_of_a_connection_is_announced(server):
    """A body without length could not be told from a cut one otherwise."""
    with server.connect() as connection:
        connection.sendall(b"GET /hundred.bin HTTP/1.0\r\n\r\n")
        Response(connection.makefile("rb"))
        assert connection.recv(1) == b""  # raises SSLEOFError without close_notify


def test_curl_without_the_certificate_is_refused_and_the_server_says_why(server, tmp_path):
    result = subprocess.run(["curl", "-s", server.url("firmware.bin")], capture_output=True,
                            check=False)
    assert result.returncode == 60
    server.line(r"127\.0\.0\.1: refused this server's certificate .*must trust the ca_cert.pem")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_name_mismatch_is_refused_and_the_server_says_why(server, version):
    context = client_context(server.cert_dir, version)
    raw = socket.create_connection(("127.0.0.1", server.port), timeout=WAIT)
    with context.wrap_socket(raw, server_hostname="other.example",
                             do_handshake_on_connect=False) as connection:
        with pytest.raises(ssl.SSLCertVerificationError):
            connection.do_handshake()
        server.line(r"127\.0\.0\.1: (refused this server's certificate|broke off the TLS hands)")


def test_a_client_that_vanishes_in_its_handshake_is_reported(server):
    with socket.create_connection(("127.0.0.1", server.port), timeout=WAIT) as connection:
        connection.sendall(b"\x16\x03\x01\x02\x00")
    server.line(r"127\.0\.0\.1: the TLS handshake failed: the client ended it")
    with socket.create_connection(("127.0.0.1", server.port), timeout=WAIT):
        pass  # a port scan: no line
    server.get("/hundred.bin")
    server.line(r"GET /hundred.bin")
    assert len([line for line in server.output if "handshake" in line]) == 1


def test_plain_http_on_the_https_port_is_told_so(server):
    result = subprocess.run(["curl", "-s", f"http://127.0.0.1:{server.port}/firmware.bin"],
                            capture_output=True, check=True)
    assert b"This port speaks HTTPS" in result.stdout
    server.line("127.0.0.1: spoke plain HTTP on the HTTPS port")


@pytest.mark.parametrize("record", [
    b"\x16", b"\x16\x03\x01\xff\xff", b"\x16\x03\x01\x00\x05hello", b"\x15\x03\x01\x00\x02\x02\x28",
    b"\x16\x03\x01\x00\x00" * 50, b"\x00" * 100, b"\x16\x03\x01\x02\x00" + b"\xff" * 512,
])
def test_broken_handshakes_do_no_harm(server, record):
    with socket.create_connection(("127.0.0.1", server.port), timeout=WAIT) as connection:
        try:
            connection.sendall(record)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(4096):
                pass
        except OSError:
            pass  # it was thrown out already
    assert server.get("/hundred.bin").status == 200


def cpu_ticks(process):
    fields = open(f"/proc/{process.pid}/stat", encoding="ascii").read().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def test_a_client_that_pauses_in_its_handshake_costs_no_cpu(server):
    """A small device computes for a second between its messages. Other requests are answered
    meanwhile, and the server must not spin: it gets less CPU time than half of the pause."""
    context = client_context(server.cert_dir)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_hostname="127.0.0.1")
    with socket.create_connection(("127.0.0.1", server.port), timeout=WAIT) as paused:
        with pytest.raises(ssl.SSLWantReadError):
            tls.do_handshake()
        paused.sendall(outgoing.read())
        assert paused.recv(1, socket.MSG_PEEK)
        server.get("/hundred.bin")
        before = cpu_ticks(server.process)
        # The other end of a socket pair that nobody writes to: one second without activity.
        idle, other = socket.socketpair()
        with idle, other:
            idle.settimeout(1)
            with pytest.raises(TimeoutError):
                idle.recv(1)
        spent = (cpu_ticks(server.process) - before) / os.sysconf("SC_CLK_TCK")
        assert spent < 0.5
        while True:
            incoming.write(paused.recv(65536))
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                paused.sendall(outgoing.read())
        tls.write(b"GET /hundred.bin HTTP/1.1\r\nHost: h\r\n\r\n")
        paused.sendall(outgoing.read())
    server.line('"GET /hundred.bin HTTP/1.1" 200')


def failing_start(tool, *arguments):
    result = subprocess.run([tool, "serve", *arguments], capture_output=True, timeout=WAIT,
                            check=False)
    return result.returncode, result.stderr.decode()


def test_a_missing_certificate_is_explained(tool, folder):
    status, text = failing_start(tool, folder, "0")
    assert status == 1
    assert "ca_cert.pem" in text and "airlift cert" in text


def test_an_unusable_certificate_or_key_is_explained(tool, folder, rsa_certs, tmp_path):
    def attempt(cert, key):
        (tmp_path / "ca_cert.pem").write_bytes(cert)
        (tmp_path / "ca_key.pem").write_bytes(key)
        return failing_start(tool, folder, "0", tmp_path)

    cert = (rsa_certs / "ca_cert.pem").read_bytes()
    key = (rsa_certs / "ca_key.pem").read_bytes()
    other = tmp_path / "other"
    subprocess.run([tool, "cert", "--out", other], check=True, stdout=subprocess.DEVNULL)
    locked = subprocess.run(["openssl", "pkey", "-aes256", "-passout", "pass:word"], input=key,
                            capture_output=True, check=True).stdout
    edwards = subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519"], capture_output=True,
                             check=True).stdout
    for pair, words in (
            ((b"", key), "not a certificate in PEM form"),
            ((b"rubbish", key), "not a certificate in PEM form"),
            ((cert[:500], key), "not a certificate in PEM form"),
            ((cert, b""), "not a private key in PEM form"),
            ((cert, cert), "not a private key in PEM form"),
            ((cert, key[:500]), "not a private key in PEM form"),
            ((cert, b"x" * 300000), "larger than"),
            ((cert, locked), "password"),
            ((cert, edwards), "RSA and ECDSA"),
            ((cert, (other / "ca_key.pem").read_bytes()), "not the key of")):
        status, text = attempt(*pair)
        assert (status, words in text) == (1, True), text


def test_a_chain_and_the_openssl_line_of_the_guide_are_served(start, folder, tmp_path):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-keyout",
                    tmp_path / "ca_key.pem", "-out", tmp_path / "ca_cert.pem", "-days", "365",
                    "-nodes", "-subj", "/CN=127.0.0.1"], check=True, capture_output=True)
    server = start(folder, cert_dir=tmp_path)
    assert any("Certificate for 127.0.0.1, until" in line for line in server.output)
    server.curl("-f", server.url("firmware.bin"))
