# SPDX-License-Identifier: Apache-2.0
"""What the tests of `airlift serve` and `airlift cert` stand on: the program, certificates it
made, a folder to serve, and servers that end with the test."""

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))
sys.path.insert(0, str(Path(__file__).parent))

from harness import build  # noqa: E402
from serving import FIRMWARE, Server, make_certs  # noqa: E402


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: takes 10 seconds and more; AIRLIFT_SLOW=1 runs it")


def pytest_collection_modifyitems(config, items):
    if os.environ.get("AIRLIFT_SLOW") == "1" or "slow" in config.getoption("-m"):
        return
    for item in items:
        if "slow" in item.keywords and Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.skip(reason="slow: AIRLIFT_SLOW=1 runs it"))


@pytest.fixture(scope="session")
def tool():
    program = build.tool()
    if not program.exists():
        pytest.exit(f"{program} is not built: run `make tool`", returncode=2)
    return program


@pytest.fixture(scope="session", params=["rsa2048", "ecdsa-p256"])
def certs(request, tool, tmp_path_factory):
    return make_certs(tool, tmp_path_factory.mktemp(request.param), request.param)


@pytest.fixture(scope="session")
def rsa_certs(tool, tmp_path_factory):
    return make_certs(tool, tmp_path_factory.mktemp("rsa"), "rsa2048")


@pytest.fixture
def folder(tmp_path):
    served = tmp_path / "served"
    (served / "sub").mkdir(parents=True)
    (served / "firmware.bin").write_bytes(FIRMWARE)
    (served / "sub" / "two words%.bin").write_bytes(b"nested")
    (served / "empty.bin").write_bytes(b"")
    (served / "hundred.bin").write_bytes(FIRMWARE[:100])
    (tmp_path / "secret.txt").write_text("outside")
    return served


@pytest.fixture
def start(tool):
    """Starts servers; ends them after the test and expects exit status 0 (so: no leak either)."""
    running = []

    def begin(folder, *options, **named):
        running.append(Server(tool, folder, *options, **named))
        return running[-1]

    yield begin
    for server in running:
        assert server.stop() == 0, "\n".join(server.output)


@pytest.fixture
def server(start, folder, rsa_certs):
    return start(folder, cert_dir=rsa_certs)


@pytest.fixture(params=["https", "http"])
def any_server(request, start, folder, rsa_certs):
    if request.param == "http":
        return start(folder, "--http")
    return start(folder, cert_dir=rsa_certs)
