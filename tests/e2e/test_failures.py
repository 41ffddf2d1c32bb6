# SPDX-License-Identifier: Apache-2.0
"""Whatever goes wrong with an update, the running firmware goes on, its slot and otadata stay as
they were, one log line names the cause, and a good image is accepted right after, without a
reboot."""

import os
import random
import re
import socket
import threading

import pytest

from harness import build, images, servers
from harness.servers import FaultServer, free_port, respond

OTA_ERROR = r"agent: ota failed (\S+) \(0x[0-9a-f]+\)"


class Witness:
    """What must not change: the running slot and otadata."""

    def __init__(self, board):
        self.board = board
        self.flash = images.Flash(board.flash)
        self.before = self._look()

    def _look(self):
        return {label: self.flash.read(label) for label in ("factory", "otadata")}

    def check(self):
        now = self._look()
        for label, content in self.before.items():
            assert now[label] == content, f"{label} changed"


@pytest.fixture
def fails(device, good_server, host):
    """fails(url, cause): the update from url fails with a log line matching cause, then the good
    image is accepted without a reboot."""
    witness = Witness(device)

    def run(url, cause, recover=True):
        start = device.mark()
        device.send("ota " + url)
        device.expect(OTA_ERROR)
        errors = [line for line in device.seen(start).splitlines() if line.startswith("E (")]
        assert any(re.search(cause, line) for line in errors), (
            f"no error line matches {cause!r}:\n" + "\n".join(errors))
        witness.check()
        device.expect(r"agent: ready")
        if recover:
            device.send("ota " + good_server.url("firmware.bin", host))
            device.expect(r"agent: ota ok")
        assert "rst:" not in device.seen(start), "the board was reset"

    return run


@pytest.fixture
def secure(certs):
    return certs / "ca_cert.pem", certs / "ca_key.pem"


def test_connection_refused(fails, host):
    fails(f"https://{host}:{free_port()}/firmware.bin", r"[Cc]onnection (refused|reset)")


def test_unknown_host_name(fails):
    fails("https://no-such-host.invalid:8070/firmware.bin", r"no-such-host\.invalid")


def test_file_not_found(fails, good_server, host):
    fails(good_server.url("missing.bin", host), r"File not found\(404\)")


def test_server_error(fails, secure, host):
    with FaultServer(respond(b"", status="503 Busy"), *secure) as source:
        fails(source.url(host=host), r"Server error \(503\)")


def test_certificate_of_another_authority(fails, tool, served, host):
    other = build.certificates("other")
    with servers.airlift_serve(tool, served, other) as source:
        fails(source.url("firmware.bin", host), r"certificate \"CN=127\.0\.0\.1\" is refused.*different certificate")


def test_certificate_for_another_name(tool, served, host, start_board, board_name, tmp_path):
    elsewhere = build.certificates("elsewhere", ("update.example.com",))
    firmware = build.Firmware(build.ROOT / "tests/apps/ota_agent", board_name,
                              "ota_agent_elsewhere", certs=elsewhere)
    firmware.version("1")
    flash = firmware.flash(tmp_path / "elsewhere.bin")
    board = start_board(flash)
    board.expect(r"agent: ready")
    witness = Witness(board)
    with servers.airlift_serve(tool, served, elsewhere) as source:
        board.send("ota " + source.url("firmware.bin", host))
        board.expect(r"E \(\d+\).*update\.example\.com")
        board.expect(OTA_ERROR)
    witness.check()


def test_plain_text_server_on_the_port(fails, served, host):
    with servers.PythonServer(served) as source:
        fails(f"https://{host}:{source.port}/firmware.bin", r"plain|not TLS|HTTP")


def test_plain_http_is_refused(fails, served, host):
    with servers.PythonServer(served) as source:
        fails(source.url("firmware.bin", host), r"ESP_HTTPS_OTA_ALLOW_HTTP")


@pytest.mark.parametrize("tenth", range(1, 10))
@pytest.mark.parametrize("clean", [True, False], ids=["close_notify", "cut"])
def test_server_stops_after_each_tenth_of_the_file(fails, agent, secure, host, tenth, clean):
    image = agent.v2.read_bytes()
    with FaultServer(respond(image, cut=len(image) * tenth // 10, clean=clean), *secure) as source:
        fails(source.url(host=host), r"closed the connection after \d+ of \d+ bytes",
              recover=tenth == 5)


@pytest.mark.parametrize("tenth", [1, 5, 9])
@pytest.mark.parametrize("clean", [True, False], ids=["close_notify", "cut"])
def test_server_without_length_stops_early(fails, agent, secure, host, tenth, clean):
    image = agent.v2.read_bytes()
    behave = respond(image, promised=-1, cut=len(image) * tenth // 10, clean=clean)
    with FaultServer(behave, *secure) as source:
        fails(source.url(host=host), r"was cut after|[Ii]mage|Checksum|hash")


def test_body_shorter_than_promised(fails, agent, secure, host):
    image = agent.v2.read_bytes()
    with FaultServer(respond(image, promised=len(image) + 1000), *secure) as source:
        fails(source.url(host=host), r"closed the connection after \d+ of \d+ bytes")


@pytest.mark.parametrize("missing", [0, 1000])
def test_body_longer_than_promised(fails, agent, secure, host, missing):
    image = agent.v2.read_bytes()
    body = image + bytes(2000 - missing)
    with FaultServer(respond(body, promised=len(image) - missing), *secure) as source:
        fails(source.url(host=host), r"sends more than the \d+ bytes it announced")


@pytest.mark.parametrize("size", [1, 23, 24, 300, 1023, 1024, 5000, 200000])
def test_random_bytes(fails, secure, host, size):
    body = random.Random(size).randbytes(size)
    body = b"\x00" + body[1:]
    with FaultServer(respond(body), *secure) as source:
        fails(source.url(host=host), r"magic|too short|short|0xE9|headers")


def truncation_points(image):
    _, last_offset, last_length = images.segments(image)[-1]
    return {
        "in_header": 10,
        "after_header": 24,
        "in_descriptor": 200,
        "inside_segment": last_offset + last_length // 2,
        "before_checksum": last_offset + last_length,
        "before_hash": len(image) - 32,
        "inside_hash": len(image) - 1,
    }


@pytest.mark.parametrize("where", ["in_header", "after_header", "in_descriptor", "inside_segment",
                                   "before_checksum", "before_hash", "inside_hash"])
def test_truncated_image(fails, agent, secure, host, where):
    image = agent.v2.read_bytes()
    with FaultServer(respond(image[:truncation_points(image)[where]]), *secure) as source:
        fails(source.url(host=host), r"[Ii]mage|short|truncated|headers|Checksum|hash")


def test_one_bit_flipped_at_200_random_places(fails, agent, secure, host):
    image = agent.v2.read_bytes()
    dice = random.Random(20)
    places = [dice.randrange(len(image) * 8) for _ in range(200)]
    current = {}
    with FaultServer(lambda connection, path: respond(current["body"])(connection, path),
                     *secure) as source:
        for number, place in enumerate(places):
            current["body"] = images.flip_bit(image, place // 8, place % 8)
            fails(source.url(host=host), r"\w", recover=number == 199)


@pytest.mark.parametrize("chip_id", [0x0000, 0x0005, 0x0009, 0xFFFF])
def test_wrong_chip_id(fails, agent, secure, host, chip_id):
    body = images.with_chip_id(agent.v2.read_bytes(), chip_id)
    with FaultServer(respond(body), *secure) as source:
        fails(source.url(host=host), rf"mismatch chip ID, expected \d+, found {chip_id}")


def fixtures():
    folder = os.environ.get("AIRLIFT_FIXTURES", build.ROOT.parent / "shared" / "fixtures")
    return [build.Path(folder) / name for name in
            ("esp32c3-idf4.3-app.bin", "esp32h2-ota-uart-app.bin")]


@pytest.mark.parametrize("path", fixtures(), ids=lambda path: path.name)
def test_firmware_for_a_real_chip(fails, secure, host, path):
    if not path.exists():
        pytest.skip(f"no {path.name} beside the repository")
    with FaultServer(respond(path.read_bytes()), *secure) as source:
        fails(source.url(host=host), r"mismatch chip ID")


@pytest.mark.parametrize("length_known", [True, False])
def test_image_larger_than_the_slot(fails, agent, secure, host, device, length_known):
    size = images.Flash(device.flash).partitions["ota_0"][1]
    image = agent.v2.read_bytes()
    body = image + random.Random(1).randbytes(size + 4096 - len(image))
    with FaultServer(respond(body, promised=None if length_known else -1), *secure) as source:
        fails(source.url(host=host), r"slot|partition|fit|INVALID_SIZE")


@pytest.mark.parametrize("length_known", [True, False])
def test_empty_file(fails, secure, host, length_known):
    with FaultServer(respond(b"", promised=0 if length_known else -1), *secure) as source:
        fails(source.url(host=host), r"empty|short|headers|complete|no data")


def test_server_that_never_answers_is_left_after_the_timeout(fails, secure, host):
    release = threading.Event()

    def silent(_connection, _path):
        release.wait()

    with FaultServer(silent, *secure) as source:
        fails(source.url(host=host), r"time|no data|stall")
        release.set()


def test_listening_port_that_never_speaks_tls(fails, host):
    with socket.create_server(("127.0.0.1", 0)) as mute:
        fails(f"https://{host}:{mute.getsockname()[1]}/firmware.bin",
              r"never answered the TLS greeting")
