# SPDX-License-Identifier: Apache-2.0
"""An 8 MiB update over TLS to the linux board beside `curl` to a file plus `sha256sum`: same
server, same file, same run, rounds interleaved. Prints medians and the ratio of wall times."""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))

from harness import build, images, servers  # noqa: E402
from harness.board import Board, copy_flash  # noqa: E402

TABLE = ("nvs,data,nvs,,0x4000\notadata,data,ota,,0x2000\nphy_init,data,phy,,0x1000\n"
         "factory,app,factory,,9M\nota_0,app,ota_0,,9M\nota_1,app,ota_1,,9M\n")


def firmware_with_large_slots(certs):
    firmware = build.Firmware(
        build.ROOT / "tests/apps/ota_agent", name="ota_agent_large", certs=certs,
        config=["CONFIG_ESPTOOLPY_FLASHSIZE_32MB=y", "CONFIG_PARTITION_TABLE_CUSTOM=y",
                'CONFIG_PARTITION_TABLE_CUSTOM_FILENAME="large.csv"'])
    (firmware.project / "large.csv").write_text(TABLE)
    return firmware


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--mib", type=int, default=8)
    arguments = parser.parse_args()

    tool, certs = build.tool(), build.certificates()
    firmware = firmware_with_large_slots(certs)
    image = images.grow(firmware.version("1").read_bytes(), arguments.mib << 20)
    board_times, peer_times = [], []
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        (folder / "served").mkdir()
        (folder / "served/firmware.bin").write_bytes(image)
        start = firmware.flash(folder / "start.flash")
        with servers.nginx(folder / "served", certs / "ca_cert.pem", certs / "ca_key.pem",
                           folder / "run") as server:
            url = server.url("firmware.bin")
            for number in range(arguments.rounds):
                flash = copy_flash(start, folder / "flash.bin")
                with Board(tool, firmware.build, flash) as board:
                    board.expect("agent: ready")
                    begin = time.perf_counter()
                    board.send("ota " + url)
                    board.expect("agent: ota ok")
                    board_times.append(time.perf_counter() - begin)
                    line = [text for text in board.seen().splitlines() if "network" in text][-1:]
                begin = time.perf_counter()
                subprocess.run(["curl", "-s", "--cacert", certs / "ca_cert.pem", "-o",
                                folder / "out.bin", url], check=True)
                subprocess.run(["sha256sum", folder / "out.bin"], check=True,
                               stdout=subprocess.DEVNULL)
                peer_times.append(time.perf_counter() - begin)
    board_time, peer_time = statistics.median(board_times), statistics.median(peer_times)
    print(f"image: {len(image)} bytes, {arguments.rounds} rounds, nginx over TLS 1.3")
    print(f"linux board, update verified:   {board_time * 1000:7.1f} ms")
    print(f"curl to a file, then sha256sum: {peer_time * 1000:7.1f} ms")
    print(f"ratio: {board_time / peer_time:.2f} (aim: at most 1.25)")
    print("\n".join(line))


if __name__ == "__main__":
    main()
