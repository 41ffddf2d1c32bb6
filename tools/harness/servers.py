# SPDX-License-Identifier: Apache-2.0
"""Servers that nobody here wrote, `airlift serve`, and one that misbehaves on purpose."""

import http.server
import os
import random
import re
import select
import shutil
import socket
import ssl
import subprocess
import threading
import time
from functools import partial
from pathlib import Path

from .board import WAIT


def free_port():
    """A port at which nobody listens. It is below those that the kernel gives out by itself: until it
    is used, any connection or server of a test beside this one could be given one of them."""
    first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    while True:
        port = random.SystemRandom().randrange(first // 2, first)
        if is_free(port):
            return port


def is_free(port):
    """Whether a server can have this port."""
    with socket.socket() as probe:
        # What is left of connections that have ended is in nobody's way.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("", port))
        except OSError:
            return False
        return True


def await_line(stream, pattern, timeout=WAIT):
    """Reads a process's output until a line matches."""
    expression = re.compile(pattern.encode())
    text = b""
    while True:
        ready, _, _ = select.select([stream], [], [], timeout)
        chunk = os.read(stream.fileno(), 4096) if ready else b""
        text += chunk
        match = expression.search(text)
        if match:
            return match
        if not chunk:
            raise AssertionError(f"no {pattern!r} in server output: {text.decode(errors='replace')}")


class Process:
    """A server process; `url(name)` is where it serves a file of its folder."""

    scheme = "https"

    def __init__(self, port, process):
        self.port = port
        self.process = process

    def url(self, name, host="127.0.0.1"):
        return f"{self.scheme}://{host}:{self.port}/{name}"

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(WAIT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            if stream:
                stream.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def openssl_www(folder, cert, key, *options):
    """`openssl s_server -WWW`: HTTP/1.0, no length, body ends with the connection."""
    port = free_port()
    process = subprocess.Popen(
        ["openssl", "s_server", "-WWW", "-key", key, "-cert", cert, "-port", str(port), *options],
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    await_line(process.stdout, "ACCEPT")
    threading.Thread(target=_drain, args=(process.stdout,), daemon=True).start()
    return Process(port, process)


def _drain(stream):
    try:
        while os.read(stream.fileno(), 65536):
            pass
    except (OSError, ValueError):
        pass


class PythonServer:
    """Python's http.server, plain or under TLS, as the guide's script runs it."""

    def __init__(self, folder, cert=None, key=None):
        handler = partial(_QuietHandler, directory=str(folder))
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.port = self._server.server_address[1]
        self.scheme = "http"
        if cert:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(cert, key)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
            self.scheme = "https"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def url(self, name, host="127.0.0.1"):
        return f"{self.scheme}://{host}:{self.port}/{name}"

    def stop(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


class _QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format, *args):
        pass


NGINX_CONFIG = """
daemon off;
master_process off;
pid {run}/nginx.pid;
error_log {run}/error.log;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {run}/body;
    proxy_temp_path {run}/proxy;
    fastcgi_temp_path {run}/fastcgi;
    uwsgi_temp_path {run}/uwsgi;
    scgi_temp_path {run}/scgi;
    server {{
        listen 127.0.0.1:{port} ssl;
        ssl_certificate {cert};
        ssl_certificate_key {key};
        ssl_protocols {protocols};
        root {folder};
    }}
}}
"""


def nginx(folder, cert, key, run, protocols="TLSv1.3"):
    """nginx, by default TLS 1.3 only."""
    program = shutil.which("nginx") or "/usr/sbin/nginx"
    port = free_port()
    run = Path(run)
    run.mkdir(parents=True, exist_ok=True)
    config = run / "nginx.conf"
    config.write_text(
        NGINX_CONFIG.format(run=run, port=port, cert=cert, key=key, protocols=protocols,
                            folder=folder)
    )
    process = subprocess.Popen([program, "-c", config, "-p", run, "-e", run / "error.log"])
    await_listening(port, process)
    return Process(port, process)


def await_listening(port, process):
    """Connects until the port answers; a process that ended first is an error."""
    deadline = time.monotonic() + WAIT
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise AssertionError(f"server ended with status {process.returncode}")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        # Not a wait for time to pass: it only bounds how often we ask.
        select.select([], [], [], 0.005)
    raise AssertionError(f"nothing listens on port {port}")


def airlift_serve(tool, folder, cert_dir, *options, port=0, env=None):
    process = subprocess.Popen(
        [str(tool), "serve", str(folder), str(port), str(cert_dir), *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=env,
    )
    match = await_line(process.stdout, r'Starting HTTPS? server at "(https?)://[^"]*:(\d+)')
    threading.Thread(target=_drain, args=(process.stdout,), daemon=True).start()
    server = Process(int(match.group(2)), process)
    server.scheme = match.group(1).decode()
    return server


class FaultServer:
    """Answers every request with what `behave(connection, path)` does. Under TLS unless plain.

    behave gets the connection after the request's head was read; when it returns the connection
    is closed: with a TLS close_notify unless behave returned False."""

    def __init__(self, behave, cert=None, key=None):
        self.behave = behave
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.scheme = "https" if cert else "http"
        self._context = None
        if cert:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(cert, key)
        self.requests = []
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        try:
            with connection:
                connection.settimeout(WAIT)
                if self._context:
                    connection = self._context.wrap_socket(connection, server_side=True)
                head = b""
                while b"\r\n\r\n" not in head:
                    data = connection.recv(4096)
                    if not data:
                        return
                    head += data
                path = head.split()[1].decode()
                self.requests.append(head.decode(errors="replace"))
                clean = self.behave(connection, path)
                if self._context and clean is not False:
                    connection.unwrap()
        except (OSError, ssl.SSLError):
            pass
        finally:
            connection.close()

    def url(self, name="firmware.bin", host="127.0.0.1"):
        return f"{self.scheme}://{host}:{self.port}/{name}"

    def stop(self):
        # shutdown wakes the accept; close alone would leave it waiting.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(10)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def respond(body, promised=None, status="200 OK", headers=(), clean=True, cut=None):
    """A behaviour: status, Content-Length (promised; None = true length, -1 = none) and body[:cut]."""
    length = len(body) if promised is None else promised

    def behave(connection, _path):
        lines = [f"HTTP/1.1 {status}", "Content-Type: application/octet-stream", *headers]
        if length >= 0:
            lines.append(f"Content-Length: {length}")
        lines.append("Connection: close")
        connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        connection.sendall(body if cut is None else body[:cut])
        return clean

    return behave


def chunked(body, sizes, extension=b"", trailer=b""):
    """A behaviour: body in chunks of the given sizes in turn."""

    def behave(connection, _path):
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        position, turn = 0, 0
        while position < len(body):
            piece = body[position:position + sizes[turn % len(sizes)]]
            connection.sendall(b"%x%s\r\n%s\r\n" % (len(piece), extension, piece))
            position += len(piece)
            turn += 1
        connection.sendall(b"0\r\n" + trailer + b"\r\n")
        return True

    return behave
