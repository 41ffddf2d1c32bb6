# SPDX-License-Identifier: Apache-2.0
"""Starting, ending, slow clients, and files that change while they are served."""

import os
import signal
import socket
import subprocess

import pytest

from serving import FIRMWARE, WAIT, Response, content

BIG = 64 * 1024 * 1024


@pytest.fixture
def big(folder):
    """A file larger than what the sockets of a connection hold."""
    file = folder / "big.bin"
    file.write_bytes(content(BIG))
    return file


def begin_download(server, name="big.bin"):
    """Asks for a file, reads the head and a little of the body, and stops reading."""
    connection = server.connect()
    connection.sendall(f"GET /{name} HTTP/1.1\r\nHost: h\r\n\r\n".encode())
    assert connection.recv(12) == b"HTTP/1.1 200"
    return connection


# Seconds of a server's --timeout: shorter ones can end before a busy machine is through with a
# handshake that owes nobody anything.
PATIENCE = 4


def drain(connection):
    """Reads until the end; returns the number of bytes."""
    total = 0
    try:
        while True:
            data = connection.recv(65536)
            if not data:
                return total
            total += len(data)
    except OSError:
        return total


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_server_with_status_0(server, number):
    server.process.send_signal(number)
    assert server.process.wait(WAIT) == 0


def test_a_running_download_is_logged_when_the_server_ends(any_server, big):
    with begin_download(any_server):
        assert any_server.stop() == 0
    assert any('"GET /big.bin HTTP/1.1" 200' in line and line.endswith(" server-stopped")
               for line in any_server.output)


def test_a_client_that_goes_away_is_logged_as_aborted(any_server, big):
    begin_download(any_server).close()
    match = any_server.line(r'"GET /big.bin HTTP/1.1" 200 (\d+) .* aborted$')
    assert int(match[1]) < BIG
    assert any_server.get("/hundred.bin").status == 200


def test_a_client_that_does_not_read_times_out(start, folder, big, rsa_certs):
    server = start(folder, "--timeout", str(PATIENCE), cert_dir=rsa_certs)
    with begin_download(server):
        server.line(r'"GET /big.bin HTTP/1.1" 200 \d+ .* timed-out$')


def test_a_client_that_drips_its_request_is_ended(start, folder, rsa_certs):
    for options in ((), ("--http",)):
        named = {} if options else {"cert_dir": rsa_certs}
        server = start(folder, "--timeout", str(PATIENCE), *options, **named)
        with server.connect() as connection:
            connection.settimeout(0.1)  # each turn waits for an end, and then adds a byte
            connection.sendall(b"GET /hundred.bin HTTP/1.1\r\nX: ")
            for _ in range((PATIENCE + WAIT) * 10):
                try:
                    assert connection.recv(1) == b""
                    break
                except TimeoutError:
                    connection.sendall(b"y")
                except OSError:
                    break
            else:
                raise AssertionError("still connected")


def test_silent_connections_are_ended(start, folder, rsa_certs):
    server = start(folder, "--timeout", str(PATIENCE), cert_dir=rsa_certs)
    with socket.create_connection(("127.0.0.1", server.port), timeout=WAIT) as nothing:
        with server.connect() as handshake_only:
            assert drain(handshake_only) == 0
            assert drain(nothing) < 100  # perhaps an alert, and the end


def test_a_slow_download_with_progress_is_not_timed_out(start, folder, big, rsa_certs):
    server = start(folder, "--timeout", str(PATIENCE), cert_dir=rsa_certs)
    with server.connect() as connection:
        stream = connection.makefile("rb", buffering=65536)
        connection.settimeout(WAIT)
        connection.sendall(b"GET /big.bin HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        idle, other = socket.socketpair()
        with idle, other:
            idle.settimeout(PATIENCE / 8)
            for _ in range(12):  # longer than that in all; each read makes room for new records
                stream.read(4 * 1024 * 1024)
                with pytest.raises(TimeoutError):
                    idle.recv(1)
        assert stream.read().endswith(content(BIG)[-1000:])
    server.line(rf'"GET /big.bin HTTP/1.1" 200 {BIG} .* complete$')


def test_a_file_that_shrinks_ends_the_transfer(any_server, big):
    with begin_download(any_server) as connection:
        os.truncate(big, 1000)
        assert drain(connection) < BIG
    any_server.line(r'"GET /big.bin HTTP/1.1" 200 \d+ range=- time=\S+ file-(truncated|changed)$')
    assert any_server.get("/big.bin").body == content(1000)


def test_a_file_rewritten_in_place_ends_the_transfer(any_server, big):
    with begin_download(any_server) as connection:
        with open(big, "r+b") as file:
            file.write(b"z" * 100)
        assert drain(connection) < BIG
    any_server.line(r'"GET /big.bin HTTP/1.1" 200 \d+ range=- time=\S+ file-changed$')


def test_a_file_replaced_by_another_is_served_to_its_end(any_server, big, folder):
    with any_server.connect() as connection:
        connection.sendall(b"GET /big.bin HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        stream = connection.makefile("rb")
        stream.peek(1)
        (folder / "new").write_bytes(b"new")
        (folder / "new").rename(big)
        assert Response(stream).body == content(BIG)
    any_server.line(r'"GET /big.bin HTTP/1.1" 200 \d+ .* complete$')


def test_port_0_and_bind_choose_where_to_listen(start, folder):
    server = start(folder, "--http", "--bind", "::1")
    assert server.host == "[::1]"
    with socket.create_connection(("::1", server.port), timeout=WAIT) as connection:
        connection.sendall(b"GET /hundred.bin HTTP/1.1\r\nHost: h\r\n\r\n")
        assert Response(connection.makefile("rb")).status == 200
    server.line(r"^::1 - - \[")


def test_both_address_families_are_served_by_the_empty_ipv6_address(start, folder):
    server = start(folder, "--http", "--bind", "::")
    assert server.get("/hundred.bin").status == 200
    server.line(r"^127\.0\.0\.1 - - \[")


def test_a_taken_port_is_explained(tool, server, folder):
    result = subprocess.run([tool, "serve", "--http", folder, str(server.port)],
                            capture_output=True, timeout=WAIT, check=False)
    assert result.returncode == 1
    assert b"another program listens there" in result.stderr


def test_the_startup_line_has_all_addresses_by_default(server):
    assert any(line == f'Starting HTTPS server at "https://0.0.0.0:{server.port}"'
               for line in server.output)


def test_the_access_log_can_go_to_a_file(start, folder, tmp_path):
    log = tmp_path / "access.log"
    log.write_text("before\n")
    server = start(folder, "--http", "--access-log", log)
    server.get("/hundred.bin", "Range: bytes=1-2")
    server.stop()
    lines = log.read_text().splitlines()
    assert lines[0] == "before" and len(lines) == 2
    assert '"GET /hundred.bin HTTP/1.1" 206 2 range=1-2/100 time=' in lines[1]


@pytest.mark.parametrize("arguments", [
    [], ["DIR"], ["DIR", "x"], ["DIR", "65536"], ["DIR", "-1"], ["DIR", "1", "2", "3"],
    ["DIR", "0", "--tls-min", "1.1"], ["DIR", "0", "--nonsense"], ["DIR", "0", "--timeout", "0"],
    ["DIR", "0", "--bind"], ["--http", "DIR", "0", "CERTS"], ["DIR", "0", "--connections", "0"],
])
def test_a_wrong_command_line_is_status_2(tool, folder, arguments):
    words = [folder if word == "DIR" else word for word in arguments]
    result = subprocess.run([tool, "serve", *words], capture_output=True, timeout=WAIT,
                            check=False)
    assert result.returncode == 2
    assert result.stderr.startswith(b"airlift: ") and b"serve --help" in result.stderr


@pytest.mark.parametrize("bind", ["localhost", "1.2.3", "300.1.1.1"])
def test_a_bad_bind_address_is_refused(tool, folder, bind):
    result = subprocess.run([tool, "serve", "--http", "--bind", bind, folder, "0"],
                            capture_output=True, timeout=WAIT, check=False)
    assert result.returncode == 2


def test_a_missing_folder_is_explained(tool, tmp_path):
    result = subprocess.run([tool, "serve", "--http", tmp_path / "none", "0"],
                            capture_output=True, timeout=WAIT, check=False)
    assert result.returncode == 1
    assert b"none: folder cannot be opened" in result.stderr


def test_help_names_every_option(tool):
    text = subprocess.run([tool, "serve", "--help"], capture_output=True, check=True).stdout
    for option in (b"--http", b"--bind", b"--tls-min", b"--access-log", b"--timeout",
                   b"--connections", b"--threads", b"CERT_DIR"):
        assert option in text
