# SPDX-License-Identifier: Apache-2.0
"""How the host program talks."""

import socket
import subprocess


def test_a_message_goes_out_in_one_write_so_that_nothing_comes_between(program):
    """A socket that keeps writes apart: a line in pieces would be torn on a shared pipe."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        subprocess.run([program, "otadata", "show", "no such file"], stderr=theirs,
                       stdout=subprocess.DEVNULL, timeout=180, check=False)
        theirs.close()
        writes = []
        while data := ours.recv(65536):
            writes.append(data.decode())
    assert writes and all(text.endswith("\n") for text in writes), writes
