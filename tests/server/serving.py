# SPDX-License-Identifier: Apache-2.0
"""A running `airlift serve` whose lines can be awaited, and a small HTTP client beside it."""

import os
import queue
import re
import socket
import ssl
import subprocess
import threading

WAIT = 180  # seconds for something that must happen; nothing takes this long unless it is broken
SANITIZED = os.environ.get("AIRLIFT_SAN") == "1"


def sanitizer_environment():
    """ASan keeps freed memory for long; with little of it a leak shows as growth."""
    options = os.environ.get("ASAN_OPTIONS", "")
    return dict(os.environ, ASAN_OPTIONS=options + ":quarantine_size_mb=4:detect_leaks=1")


def make_certs(tool, folder, key):
    subprocess.run([tool, "cert", "--key", key, "--name", "127.0.0.1", "--name", "localhost",
                    "--name", "::1", "--out", folder], check=True, stdout=subprocess.DEVNULL)
    return folder


def content(size, seed=1):
    """Bytes in which every offset is recognisable."""
    block = bytes((i * 7 + (i >> 8) * 13 + seed) & 0xFF for i in range(65536))
    return b"".join(bytes([n & 0xFF]) + block for n in range(size // 65537 + 1))[:size]


FIRMWARE = content(3 * 1024 * 1024 + 17)


class Server:
    """A running `airlift serve`. Its output is read by a thread; line() awaits a line of it."""

    def __init__(self, tool, folder, *options, cert_dir=None, port=0):
        command = [tool, "serve", folder, str(port), *([cert_dir] if cert_dir else []), *options]
        self.cert_dir = cert_dir
        self.process = subprocess.Popen([str(word) for word in command], env=sanitizer_environment(),
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self._lines = queue.Queue()
        self.output = []
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()
        match = self.line(r'Starting HTTPS? server at "(https?)://(.*):(\d+)"$')
        self.scheme, self.host, self.port = match[1], match[2], int(match[3])
        self.status = None

    def _read(self):
        for line in self.process.stdout:
            text = line.decode(errors="replace").rstrip("\n")
            self.output.append(text)
            self._lines.put(text)
        self._lines.put(None)

    def line(self, pattern):
        """The match of the next line that fits; lines before it are passed over."""
        passed = []
        while True:
            try:
                text = self._lines.get(timeout=WAIT)
            except queue.Empty:
                text = None
            if text is None:
                raise AssertionError(f"no line {pattern!r} after {passed}")
            match = re.search(pattern, text)
            if match:
                return match
            passed.append(text)

    def url(self, name):
        return f"{self.scheme}://127.0.0.1:{self.port}/{name}"

    def connect(self, **options):
        """A connected socket, under TLS if the server is."""
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=WAIT)
        if self.scheme == "http":
            return connection
        return client_context(self.cert_dir, **options).wrap_socket(connection,
                                                                    server_hostname="127.0.0.1")

    def curl(self, *arguments, check=True):
        trust = ["--cacert", self.cert_dir / "ca_cert.pem"] if self.scheme == "https" else []
        return subprocess.run(["curl", "-sS", "--max-time", str(WAIT), *trust, *arguments],
                              check=check, capture_output=True)

    def request(self, text, method="GET"):
        """One raw request over a connection of its own."""
        with self.connect() as connection:
            connection.sendall(text if isinstance(text, bytes) else text.encode())
            return Response(connection.makefile("rb"), method)

    def get(self, target, *headers, method="GET"):
        lines = [f"{method} {target} HTTP/1.1", "Host: 127.0.0.1", *headers]
        return self.request("\r\n".join(lines) + "\r\n\r\n", method)

    def stop(self):
        """Ends the server as Ctrl-C does, and returns its exit status."""
        if self.status is None:
            self.process.send_signal(2)
            try:
                self.status = self.process.wait(WAIT)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.status = self.process.wait()
            self._thread.join(WAIT)
            self.process.stdout.close()
        return self.status


class Response:
    """Status, headers (lower case) and body of one response, read from a stream."""

    def __init__(self, stream, method="GET"):
        words = stream.readline().decode().split(None, 2)
        if len(words) < 2:
            raise ConnectionError("no response")
        self.status = int(words[1])
        self.headers = {}
        for line in iter(stream.readline, b"\r\n"):
            name, _, value = line.decode().partition(":")
            assert name.lower() not in self.headers, f"{name} twice"
            self.headers[name.lower()] = value.strip()
        length = int(self.headers.get("content-length", 0))
        self.body = b""
        if method != "HEAD" and self.status != 304:
            self.body = stream.read(length)
            if len(self.body) != length:
                raise EOFError(f"{len(self.body)} of {length} bytes")


def client_context(cert_dir, version=None):
    context = ssl.create_default_context(cafile=cert_dir / "ca_cert.pem")
    if version:
        context.minimum_version = context.maximum_version = version
    return context
