# SPDX-License-Identifier: Apache-2.0
"""`make demo`: the whole update path in front of the reader's eyes.

Versions 1, 2 and 3 of examples/simple_ota_example are built; version 1 is flashed as factory and
booted; it downloads version 2 into ota_0, version 2 downloads version 3 into ota_1, and erasing
otadata brings the factory firmware back. The device's console is shown as it is."""

import argparse
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from harness import build, servers  # noqa: E402
from harness.board import Board, BoardError  # noqa: E402

COLOURS = sys.stdout.isatty() and "NO_COLOR" not in os.environ


def bold(text):
    return f"\033[1m{text}\033[0m" if COLOURS else text


class Steps:
    """Announces each step and remembers how long it took."""

    def __init__(self):
        self.done = []
        self.name = None

    def begin(self, name):
        self.end()
        self.name, self.start = name, time.monotonic()
        print(f"\n{bold('== ' + name)}", flush=True)

    def end(self):
        if self.name:
            self.done.append((self.name, time.monotonic() - self.start))
            self.name = None

    def summary(self):
        self.end()
        print(f"\n{bold('What happened')}")
        for name, seconds in self.done:
            print(f"  {seconds:6.2f} s  {name}")
        print(f"  {sum(seconds for _, seconds in self.done):6.2f} s  in all")


class ShownBoard(Board):
    """A board whose console the reader sees."""

    def _read(self):
        shown = threading.Thread(target=self._show, daemon=True)
        shown.start()
        super()._read()
        shown.join()

    def _show(self):
        position = 0
        while True:
            with self._change:
                while len(self._text) == position and not self._ended:
                    self._change.wait()
                text, position = self._text[position:], len(self._text)
                ended = self._ended
            sys.stdout.write(text)
            sys.stdout.flush()
            if ended:
                return


def main():
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--board", default="linux", choices=["linux", "sifive_u"])
    arguments = parser.parse_args()
    host = {"linux": "127.0.0.1", "sifive_u": "10.0.2.2"}[arguments.board]
    tool = build.tool()
    work = build.WORK.parent / "demo" / arguments.board
    served = work / "served"
    served.mkdir(parents=True, exist_ok=True)
    steps = Steps()

    steps.begin("Make a self-signed certificate for the update server (airlift cert)")
    certs = build.certificates()
    print(f"{certs.relative_to(build.ROOT)}/ca_cert.pem")

    firmware = build.Firmware(
        build.ROOT / "examples/simple_ota_example", arguments.board, certs=certs,
        config=['CONFIG_EXAMPLE_FIRMWARE_UPGRADE_URL="FROM_STDIN"'])
    for version in ("3", "2", "1"):
        steps.begin(f"Build version {version} (airlift build)")
        image = firmware.version(version)
        shutil.copyfile(image, served / f"version-{version}.bin")
        print(f"{image.relative_to(build.ROOT)}: {image.stat().st_size} bytes")

    steps.begin("Flash version 1 as factory (airlift flash)")
    flash = work / "flash.bin"
    flash.unlink(missing_ok=True)
    Path(f"{flash}.state").unlink(missing_ok=True)
    subprocess.run([tool, "flash", "-B", firmware.build, "--flash", flash], check=True)

    steps.begin("Start the HTTPS server (airlift serve)")
    with servers.airlift_serve(tool, served, certs) as server:
        print(f"serving {served.relative_to(build.ROOT)} at {server.url('', host)}")
        steps.begin("Boot: version 1 runs from factory (airlift run)")
        with ShownBoard(tool, firmware.build, flash, arguments.board) as board:
            board.expect(r"Loaded app from partition at offset 0x10000")
            board.expect(r"App version: +1\n")
            board.expect(r"OTA example app_main start")
            for version, slot, offset in (("2", "ota_0", "0x110000"), ("3", "ota_1", "0x210000")):
                board.expect(r"Starting OTA example task")
                steps.begin(f"Version {version} is downloaded into {slot} and started")
                board.send(server.url(f"version-{version}.bin", host))
                board.expect(r"OTA Succeed, Rebooting")
                board.expect(rf"Loaded app from partition at offset {offset}")
                board.expect(rf"App version: +{version}\n")
                board.expect(r"OTA example app_main start")
            board.expect(r"Starting OTA example task")

        steps.begin("Erase otadata: the factory firmware comes back (airlift erase-otadata)")
        subprocess.run([tool, "erase-otadata", "-B", firmware.build, "--flash", flash], check=True)
        with ShownBoard(tool, firmware.build, flash, arguments.board) as board:
            board.expect(r"Loaded app from partition at offset 0x10000")
            board.expect(r"App version: +1\n")
            board.expect(r"OTA example app_main start")
    steps.summary()


if __name__ == "__main__":
    try:
        main()
    except (BoardError, AssertionError, subprocess.CalledProcessError) as error:
        sys.exit(f"demo: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
