# SPDX-License-Identifier: Apache-2.0
"""An update over HTTPS: firmware that updates itself as soon as it runs, and what it downloads."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))

from harness import build, servers  # noqa: E402

# Where this machine is, seen from the board.
HOST = {"linux": "127.0.0.1", "sifive_u": "10.0.2.2"}


def kept_port():
    """A free port, the same as last time if that is free: the firmware has it built in. Another
    working copy, which may run its tests at the same time, has another."""
    file = build.WORK / "powercut" / "port"
    if file.exists() and servers.is_free(int(file.read_text())):
        return int(file.read_text())
    file.parent.mkdir(parents=True, exist_ok=True)
    port = servers.free_port()
    file.write_text(str(port))
    return port


class Update:
    """Version 1 in factory, built last, updates itself to version 2 from our server."""

    def __init__(self, port, board="linux"):
        self.url = f"https://{HOST[board]}:{port}/firmware.bin"
        self.board = board
        self.tool = build.tool()
        self.certs = build.certificates()
        self.folder = build.WORK / "powercut" / board
        self.folder.mkdir(parents=True, exist_ok=True)
        self.firmware = build.Firmware(
            build.ROOT / "tests/apps/ota_agent", board, name="ota_agent_auto", certs=self.certs,
            config=[f'CONFIG_AGENT_AUTO_URL="{self.url}"'])
        image = self.firmware.version("2")
        self.served = self.folder / "served"
        self.served.mkdir(exist_ok=True)
        (self.served / "firmware.bin").write_bytes(image.read_bytes())
        self.firmware.version("1")
        self.start_flash = self.firmware.flash(self.folder / "start.flash")
