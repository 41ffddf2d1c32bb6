# SPDX-License-Identifier: Apache-2.0
"""64 connections at once, made by wrk: no error, and nothing that grows."""

import os
import re
import select
import subprocess
import time

import pytest

from serving import SANITIZED, WAIT

CONNECTIONS = 64


def wrk(server, seconds, *headers):
    """Runs wrk; returns its number of requests after checking that none failed."""
    words = [word for header in headers for word in ("-H", header)]
    text = subprocess.run(
        ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "30s", *words,
         server.url("firmware.bin")],
        capture_output=True, check=True, timeout=seconds + WAIT).stdout.decode()
    assert "Socket errors" not in text, text
    assert "Non-2xx" not in text, text
    return int(re.search(r"(\d+) requests in", text)[1])


def descriptors(server):
    return len(os.listdir(f"/proc/{server.process.pid}/fd"))


def memory_kib(server):
    with open(f"/proc/{server.process.pid}/status", encoding="ascii") as file:
        return int(re.search(r"VmRSS:\s+(\d+)", file.read())[1])


def await_closed(server, number):
    """Waits until the server has no more than that many descriptors open; it tells nobody of those
    connections that had no request in them."""
    deadline = time.monotonic() + WAIT
    while descriptors(server) > number:
        assert time.monotonic() < deadline, f"{descriptors(server)} descriptors, {number} before"
        select.select([], [], [], 0.01)


def load(server, seconds):
    idle = descriptors(server)
    wrk(server, seconds)
    warm = memory_kib(server)
    requests = 0
    for headers in ((), ("Range: bytes=65536-131071",), ("Connection: close",)):
        requests += wrk(server, seconds, *headers)
    # Requests cut off at wrk's end are over once their lines are written.
    server.get("/hundred.bin")
    server.line('"GET /hundred.bin')
    await_closed(server, idle)
    grown = memory_kib(server) - warm
    # Freed memory waits in ASan's quarantine, and glibc's arenas vary by what overlapped.
    assert grown < (65536 if SANITIZED else 8192), f"{grown} KiB more after {requests} requests"
    assert server.stop() == 0
    lines = [line for line in server.output if "/firmware.bin" in line]
    assert len(lines) >= requests
    ends = {line.rsplit(" ", 1)[1] for line in lines}
    assert ends <= {"complete", "aborted"}
    assert sum(line.endswith("aborted") for line in lines) <= 4 * CONNECTIONS
    unexpected = [line for line in server.output if "warning" in line]
    assert not [line for line in unexpected if "handshake" not in line], unexpected[:5]


def test_64_connections_for_2_seconds_without_error(any_server):
    load(any_server, 2)


@pytest.mark.slow
def test_64_connections_for_10_seconds_without_error(any_server):
    load(any_server, 10)


def test_more_connections_than_allowed_wait_and_are_served(start, folder, rsa_certs):
    server = start(folder, "--connections", "8", "--threads", "2", cert_dir=rsa_certs)
    processes = [subprocess.Popen(
        ["curl", "-sSf", "--max-time", str(WAIT), "--cacert", rsa_certs / "ca_cert.pem",
         "-o", os.devnull, server.url("firmware.bin")]) for _ in range(24)]
    assert [process.wait(WAIT) for process in processes] == [0] * 24
