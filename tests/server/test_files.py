# SPDX-License-Identifier: Apache-2.0
"""What HTTP clients get from `airlift serve`: files, parts of files, conditions, refusals."""

import os
import socket
from email.utils import formatdate, parsedate_to_datetime

import pytest

from serving import FIRMWARE, Response


def test_curl_downloads_the_file_byte_for_byte(any_server, tmp_path):
    out = tmp_path / "out.bin"
    any_server.curl("-f", "-o", out, any_server.url("firmware.bin"))
    assert out.read_bytes() == FIRMWARE


@pytest.mark.parametrize("have", [0, 1, 65535, 65536, 1000000, len(FIRMWARE) - 1])
def test_curl_resumes_a_partial_download(any_server, tmp_path, have):
    out = tmp_path / "out.bin"
    out.write_bytes(FIRMWARE[:have])
    any_server.curl("-f", "-C", "-", "-o", out, any_server.url("firmware.bin"))
    assert out.read_bytes() == FIRMWARE
    sent = len(FIRMWARE) - have
    any_server.line(rf'"GET /firmware.bin HTTP/1.1" {206 if have else 200} {sent} ')


def test_a_response_says_length_type_and_that_ranges_work(any_server):
    response = any_server.get("/firmware.bin")
    assert response.status == 200
    assert response.headers["content-length"] == str(len(FIRMWARE))
    assert response.headers["content-type"] == "application/octet-stream"
    assert response.headers["accept-ranges"] == "bytes"
    assert response.headers["etag"].startswith('"')
    assert response.body == FIRMWARE


def test_head_has_the_headers_of_get_and_no_body(any_server):
    get = any_server.get("/firmware.bin")
    with any_server.connect() as connection:
        stream = connection.makefile("rb")
        connection.sendall(b"HEAD /firmware.bin HTTP/1.1\r\nHost: h\r\n\r\n")
        head = Response(stream, "HEAD")
        # Had a body followed, the next response could not be read.
        connection.sendall(b"GET /hundred.bin HTTP/1.1\r\nHost: h\r\n\r\n")
        assert Response(stream).body == FIRMWARE[:100]
    get.headers.pop("date")
    head.headers.pop("date")
    assert head.status == 200
    assert head.headers == get.headers
    any_server.line(r'"HEAD /firmware.bin HTTP/1.1" 200 0 range=- ')


N = len(FIRMWARE)


@pytest.mark.parametrize("value, first, last", [
    ("bytes=0-0", 0, 0),
    ("bytes=0-1023", 0, 1023),
    ("bytes=65535-65536", 65535, 65536),
    ("bytes=1000000-", 1000000, N - 1),
    ("bytes=-1", N - 1, N - 1),
    ("bytes=-5000", N - 5000, N - 1),
    (f"bytes=-{N + 5}", 0, N - 1),
    (f"bytes={N - 1}-", N - 1, N - 1),
    (f"bytes=10-{N + 1000}", 10, N - 1),
    ("bytes=5-99999999999999999999999999", 5, N - 1),
    ("BYTES= 7-9 ", 7, 9),
])
def test_a_range_is_sent_with_206(server, value, first, last):
    response = server.get("/firmware.bin", f"Range: {value}")
    assert response.status == 206
    assert response.headers["content-range"] == f"bytes {first}-{last}/{N}"
    assert response.body == FIRMWARE[first:last + 1]
    server.line(rf'206 {last - first + 1} range={first}-{last}/{N} time=\d+\.\d\dms complete$')


@pytest.mark.parametrize("value", [
    "bytes=0-1,5-6", "bytes=0-1, 5-", "bytes=5-4", "bytes=", "bytes=-", "bytes=a-b", "bytes=1",
    "bytes=1-2x", "lines=1-2", "bytes 1-2", "bytes=--5", "bytes=+1-2", "bytes=0x1-2", "",
])
def test_several_ranges_and_malformed_ones_give_the_whole_file(server, value):
    response = server.get("/hundred.bin", f"Range: {value}")
    assert response.status == 200
    assert "content-range" not in response.headers
    assert response.body == FIRMWARE[:100]


@pytest.mark.parametrize("value", ["bytes=100-", "bytes=100-200", "bytes=-0",
                                   "bytes=18446744073709551616-", "bytes=18446744073709551615-"])
def test_an_unsatisfiable_range_is_416_with_the_size(server, value):
    response = server.get("/hundred.bin", f"Range: {value}")
    assert response.status == 416
    assert response.headers["content-range"] == "bytes */100"


def test_an_empty_file_is_served_and_has_no_range(server):
    assert server.get("/empty.bin").status == 200
    assert server.get("/empty.bin").headers["content-length"] == "0"
    assert server.get("/empty.bin", "Range: bytes=-5").status == 200
    response = server.get("/empty.bin", "Range: bytes=0-")
    assert (response.status, response.headers["content-range"]) == (416, "bytes */0")


def test_head_ignores_a_range(server):
    response = server.get("/hundred.bin", "Range: bytes=5-9", method="HEAD")
    assert (response.status, response.headers["content-length"]) == (200, "100")


def test_if_range_sends_the_part_only_while_the_file_is_the_same(server, folder):
    file = folder / "hundred.bin"
    os.utime(file, (1600000000, 1600000000))
    head = server.get("/hundred.bin", method="HEAD").headers
    part = ("Range: bytes=90-",)

    def status(validator):
        return server.get("/hundred.bin", *part, f"If-Range: {validator}").status

    assert status(head["etag"]) == 206
    assert status(head["last-modified"]) == 206
    assert status("W/" + head["etag"]) == 200
    assert status('"other"') == 200
    assert status(formatdate(1500000000, usegmt=True)) == 200
    assert status("rubbish") == 200
    file.write_bytes(b"x" * 100)
    assert status(head["etag"]) == 200
    assert status(head["last-modified"]) == 200


def test_the_etag_tells_a_file_replaced_in_the_same_second_and_size(server, folder):
    file = folder / "hundred.bin"
    os.utime(file, ns=(1600000000 * 10**9, 1600000000 * 10**9))
    before = server.get("/hundred.bin", method="HEAD").headers
    other = folder / "other"
    other.write_bytes(b"y" * 100)
    os.utime(other, ns=(1600000000 * 10**9 + 1, 1600000000 * 10**9 + 1))
    other.rename(file)
    after = server.get("/hundred.bin", method="HEAD").headers
    assert before["last-modified"] == after["last-modified"]
    assert before["etag"] != after["etag"]


def test_a_date_from_this_second_is_no_proof_for_if_range(server, folder):
    future = 4000000000
    os.utime(folder / "hundred.bin", (future, future))
    value = formatdate(future, usegmt=True)
    assert server.get("/hundred.bin", "Range: bytes=1-2", f"If-Range: {value}").status == 200


def test_not_modified_answers(server, folder):
    os.utime(folder / "hundred.bin", (1600000000, 1600000000))
    head = server.get("/hundred.bin", method="HEAD").headers
    when = parsedate_to_datetime(head["last-modified"])
    assert when.timestamp() == 1600000000
    for header in (f"If-None-Match: {head['etag']}", f"If-None-Match: W/{head['etag']}",
                   f'If-None-Match: "a", {head["etag"]} , "b"', "If-None-Match: *",
                   f"If-Modified-Since: {head['last-modified']}",
                   "If-Modified-Since: Sunday, 13-Sep-20 12:26:40 GMT",
                   "If-Modified-Since: Sun Sep 13 12:26:40 2020"):
        response = server.get("/hundred.bin", header)
        assert response.status == 304, header
        assert response.headers["etag"] == head["etag"]
        assert response.headers.get("content-length", "100") == "100"
    for header in ('If-None-Match: "a"', "If-None-Match: rubbish",
                   "If-Modified-Since: Sun, 13 Sep 2020 12:26:39 GMT",
                   "If-Modified-Since: Sun, 33 Sep 2021 12:26:39 GMT",
                   "If-Modified-Since: tomorrow"):
        assert server.get("/hundred.bin", header).status == 200, header
    # The entity tag has the word when both are there.
    assert server.get("/hundred.bin", 'If-None-Match: "a"',
                      f"If-Modified-Since: {head['last-modified']}").status == 200


def test_failed_preconditions_are_412(server, folder):
    os.utime(folder / "hundred.bin", (1600000000, 1600000000))
    etag = server.get("/hundred.bin", method="HEAD").headers["etag"]
    assert server.get("/hundred.bin", f"If-Match: {etag}").status == 200
    assert server.get("/hundred.bin", "If-Match: *").status == 200
    assert server.get("/hundred.bin", f"If-Match: W/{etag}").status == 412
    assert server.get("/hundred.bin", 'If-Match: "x"').status == 412
    since = "If-Unmodified-Since: Sun, 13 Sep 2020 12:26:39 GMT"
    assert server.get("/hundred.bin", since).status == 412


@pytest.mark.parametrize("target, status", [
    ("/missing.bin", 404), ("/sub", 404), ("/sub/", 404), ("/", 404), ("/?x", 404),
    ("/firmware.bin/", 404), ("/firmware.bin/x", 404), ("/" + "a" * 300, 404),
    ("/" + "a/" * 2500, 404),
    ("/../secret.txt", 403), ("/sub/../../secret.txt", 403), ("/%2e%2e/secret.txt", 403),
    ("/%2E./secret.txt", 403), ("/..%2fsecret.txt", 403), ("/sub/..%2F..%2fsecret.txt", 403),
    ("/.%2e/secret.txt", 403), ("//../secret.txt", 403), ("/./firmware.bin", 403),
    ("/%252e%252e/secret.txt", 404), ("/..\\secret.txt", 403), ("/sub\\..\\..\\secret.txt", 404),
    ("/.hidden", 403), ("/sub/.git/config", 403),
    ("/firmware.bin%00", 400), ("/%", 400), ("/%2", 400), ("/%zz", 400), ("firmware.bin", 400),
])
def test_what_is_no_file_of_the_folder_is_refused(server, folder, target, status):
    (folder / ".hidden").write_text("hidden")
    response = server.get(target)
    assert response.status == status
    assert b"outside" not in response.body and b"hidden" != response.body
    server.line(rf'HTTP/1.1" {status} ')


@pytest.mark.parametrize("target", [
    "/sub/two%20words%25.bin", "/sub//two%20words%25.bin?v=2", "/%73ub/two%20words%25.bin#x",
    "/sub%2ftwo%20words%25.bin", "https://any.host:1234/sub/two%20words%25.bin",
])
def test_spellings_of_a_file_name_are_understood(server, target):
    assert server.get(target).body == b"nested"


def test_links_are_followed_inside_the_folder_and_not_out_of_it(server, folder):
    (folder / "in.bin").symlink_to("sub/two words%.bin")
    (folder / "sub" / "up.bin").symlink_to("../hundred.bin")
    (folder / "out.txt").symlink_to("../secret.txt")
    (folder / "absolute.txt").symlink_to(folder.parent / "secret.txt")
    (folder / "outdir").symlink_to("..")
    (folder / "loop").symlink_to("loop")
    assert server.get("/in.bin").body == b"nested"
    assert server.get("/sub/up.bin").body == FIRMWARE[:100]
    for target in ("/out.txt", "/absolute.txt", "/outdir/secret.txt", "/loop"):
        assert server.get(target).status == 403, target


def test_what_is_no_regular_file_is_not_opened(server, folder):
    os.mkfifo(folder / "fifo")
    with socket.socket(socket.AF_UNIX) as unix:
        here = os.getcwd()
        os.chdir(folder)  # a socket's path may have 107 bytes only
        try:
            unix.bind("socket")
        finally:
            os.chdir(here)
        assert server.get("/fifo").status == 404
        assert server.get("/socket").status == 404


def test_private_keys_in_the_served_folder_stay_there(start, tool, folder, rsa_certs):
    for name in ("ca_cert.pem", "ca_key.pem"):
        (folder / name).write_bytes((rsa_certs / name).read_bytes())
    os.link(folder / "ca_key.pem", folder / "renamed.bin")
    key = (rsa_certs / "ca_key.pem").read_text().replace("PRIVATE", "EC PRIVATE")
    (folder / "signing.pem").write_text("-----BEGIN EC PARAMETERS-----\n" + key)
    server = start(folder)
    server.cert_dir = rsa_certs
    for name in ("ca_key.pem", "renamed.bin", "signing.pem"):
        response = server.get(f"/{name}")
        assert response.status == 403 and b"PRIVATE" not in response.body
    assert server.get("/ca_cert.pem").body == (rsa_certs / "ca_cert.pem").read_bytes()


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "BREW"])
def test_other_methods_are_405_with_allow(server, method):
    response = server.get("/firmware.bin", method=method)
    assert (response.status, response.headers["allow"]) == (405, "GET, HEAD")
    server.line(rf'"{method} /firmware.bin HTTP/1.1" 405 ')


def test_an_upload_is_refused_without_reading_it(server):
    with server.connect() as connection:
        connection.sendall(b"PUT /firmware.bin HTTP/1.1\r\nHost: h\r\n"
                           b"Content-Length: 1000000000000\r\n\r\n" + b"x" * 1000)
        stream = connection.makefile("rb")
        assert Response(stream).status == 405
    assert server.get("/hundred.bin", "Content-Length: 5").status == 400
    assert server.get("/hundred.bin", "Content-Length: 0").status == 200


@pytest.mark.parametrize("request_bytes", [
    b"GET /hundred.bin HTTP/1.1\r\n\r\n",                      # no Host
    b"GET /hundred.bin HTTP/1.1\r\nHost: h\r\nbroken\r\n\r\n",
    b"GET /hundred.bin HTTP/1.1\r\nHost: h\r\nX: " + b"y" * 100000 + b"\r\n\r\n",
])
def test_a_malformed_request_is_a_client_error(server, request_bytes):
    try:
        assert 400 <= server.request(request_bytes).status < 500
    except OSError:
        pass  # closing is an answer too
    assert server.get("/hundred.bin").status == 200


@pytest.mark.parametrize("request_bytes", [
    b"\x00\x01\x02\x03\r\n\r\n", b"\r\n\r\n\r\n\r\n", b"GET\r\n\r\n", b"G" * 70000,
    b"GET /" + b"a" * 70000 + b" HTTP/1.1\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n",
])
def test_rubbish_does_no_harm(any_server, request_bytes):
    try:
        with any_server.connect() as connection:
            connection.sendall(request_bytes)
    except OSError:
        pass  # it was thrown out before all was sent
    assert any_server.get("/hundred.bin").status == 200


def test_many_requests_share_a_connection(any_server):
    with any_server.connect() as connection:
        stream = connection.makefile("rb")
        for number in range(200):
            at = number * 1000
            connection.sendall(f"GET /firmware.bin HTTP/1.1\r\nHost: h\r\n"
                               f"Range: bytes={at}-{at + 999}\r\n\r\n".encode())
            assert Response(stream).body == FIRMWARE[at:at + 1000]
            connection.sendall(b"GET /missing HTTP/1.1\r\nHost: h\r\n\r\n")
            assert Response(stream).status == 404


def test_pipelined_requests_are_answered_in_order(any_server):
    with any_server.connect() as connection:
        stream = connection.makefile("rb")
        connection.sendall(b"".join(b"GET /firmware.bin HTTP/1.1\r\nHost: h\r\n"
                                    b"Range: bytes=%d-%d\r\n\r\n" % (n, n + 9)
                                    for n in range(20)))
        for n in range(20):
            assert Response(stream).body == FIRMWARE[n:n + 10]


def test_http_1_0_and_connection_close_end_the_connection(any_server):
    for head in (b"GET /hundred.bin HTTP/1.0\r\n\r\n",
                 b"GET /hundred.bin HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"):
        with any_server.connect() as connection:
            connection.sendall(head)
            stream = connection.makefile("rb")
            assert Response(stream).body == FIRMWARE[:100]
            assert stream.read() == b""


def test_a_line_of_the_log_cannot_be_forged(server):
    server.get('/a"%0d%0aGET\x1b[31m\\x')
    server.line(r'"GET /a\\x22%0d%0aGET\\x1B\[31m\\x5Cx HTTP/1.1" 404 ')
