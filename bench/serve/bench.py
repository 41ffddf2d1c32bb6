# SPDX-License-Identifier: Apache-2.0
"""`airlift serve` beside nginx: the same files, certificate, cipher and load (wrk) in one run,
rounds interleaved. Prints medians and ratios of throughput and of the server's CPU time."""

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))

from harness import build, servers  # noqa: E402

FIRMWARE = 1 << 20
RANGE = "Range: bytes=65536-131071"

# As many workers as processors and the same cipher as ours; both servers write an access log.
NGINX = """
daemon off;
pid {run}/nginx.pid;
error_log {run}/error.log;
worker_processes auto;
events {{ worker_connections 1024; }}
http {{
    access_log {run}/access.log;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 1000000;
    client_body_temp_path {run}/body;
    proxy_temp_path {run}/proxy;
    fastcgi_temp_path {run}/fastcgi;
    uwsgi_temp_path {run}/uwsgi;
    scgi_temp_path {run}/scgi;
    server {{
        listen 127.0.0.1:{port} ssl backlog=1024;
        ssl_certificate {certs}/ca_cert.pem;
        ssl_certificate_key {certs}/ca_key.pem;
        ssl_protocols TLSv1.2 TLSv1.3;
        {cipher}
        root {folder};
    }}
}}
"""
SAME_CIPHER = "ssl_prefer_server_ciphers on; ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256;"


def start_nginx(folder, certs, run, cipher):
    port = servers.free_port()
    run.mkdir()
    config = run / "nginx.conf"
    config.write_text(NGINX.format(run=run, port=port, certs=certs, folder=folder, cipher=cipher))
    process = subprocess.Popen(
        ["nginx", "-c", config, "-p", run, "-e", run / "error.log"],
        env=dict(os.environ, PATH=os.environ["PATH"] + ":/usr/sbin"))
    servers.await_listening(port, process)
    return servers.Process(port, process)


def cpu_seconds(pid):
    """CPU time of a process and its children that run."""
    total = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            number, _, rest = stat.read_text().partition(" (")
        except OSError:
            continue
        fields = rest.rpartition(")")[2].split()
        if int(number) == pid or int(fields[1]) == pid:
            total += int(fields[11]) + int(fields[12])
    return total / os.sysconf("SC_CLK_TCK")


def load(server, arguments, headers):
    """One run of wrk: requests a second, and CPU seconds of the server for 1000 requests."""
    words = [word for header in headers for word in ("-H", header)]
    before = cpu_seconds(server.process.pid)
    text = subprocess.run(
        ["wrk", "-t1", f"-c{arguments.connections}", f"-d{arguments.seconds}s", *words,
         server.url("firmware.bin")], capture_output=True, check=True).stdout.decode()
    spent = cpu_seconds(server.process.pid) - before
    if "Socket errors" in text or "Non-2xx" in text:
        sys.exit(f"the load failed:\n{text}")
    requests = int(re.search(r"(\d+) requests in", text)[1])
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", text)[1])
    return rate, spent / requests * 1000


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=int, default=2)
    parser.add_argument("--connections", type=int, default=64)
    arguments = parser.parse_args()

    with tempfile.TemporaryDirectory() as place:
        place = Path(place)
        place.chmod(0o755)  # nginx's workers are another user
        folder = place / "served"
        folder.mkdir()
        (folder / "firmware.bin").write_bytes(os.urandom(FIRMWARE))
        certs = build.certificates()
        loads = {"whole 1 MiB file": ((), FIRMWARE), "64 KiB ranges": ((RANGE,), 65536)}
        with servers.airlift_serve(build.tool(), folder, certs, "--bind", "127.0.0.1",
                                   "--access-log", place / "airlift.log") as ours, \
                start_nginx(folder, certs, place / "same", SAME_CIPHER) as same, \
                start_nginx(folder, certs, place / "default", "") as default:
            peers = {"airlift serve": ours, "nginx, same cipher": same, "nginx, defaults": default}
            results = {(kind, name): [] for kind in loads for name in peers}
            for _ in range(arguments.rounds):
                for kind, (headers, _size) in loads.items():
                    for name, server in peers.items():
                        results[kind, name].append(load(server, arguments, headers))
    print(f"{arguments.connections} connections, medians of {arguments.rounds} rounds of "
          f"{arguments.seconds} s, {os.cpu_count()} processors shared with the load maker")
    for kind, (_headers, size) in loads.items():
        mine = results[kind, "airlift serve"]
        for name in peers:
            theirs = results[kind, name]
            rate = statistics.median(value[0] for value in theirs)
            cpu = statistics.median(value[1] for value in theirs)
            line = (f"{kind:17} {name:19} {rate:8.0f} requests/s {rate * size / 1e6:7.0f} MB/s "
                    f"{cpu:7.3f} ms CPU/request")
            if name != "airlift serve":
                ratio = statistics.median(a[0] / b[0] for a, b in zip(mine, theirs))
                cost = statistics.median(a[1] / b[1] for a, b in zip(mine, theirs))
                line += f"   airlift/nginx: throughput {ratio:.2f}, CPU {cost:.2f}"
            print(line)


if __name__ == "__main__":
    main()
