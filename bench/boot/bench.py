# SPDX-License-Identifier: Apache-2.0
"""Boot of a 1 MiB image on the linux board, from power-on to app_main, beside `sha256sum` of the
same image: interleaved rounds, medians, ratio of wall times."""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))

from harness import build, images  # noqa: E402
from harness.board import copy_flash  # noqa: E402


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=21)
    arguments = parser.parse_args()

    tool = build.tool()
    firmware = build.Firmware(build.ROOT / "tests/apps/ota_agent", certs=build.certificates())
    image = images.grow(firmware.version("1").read_bytes(), (1 << 20) - 4096)
    boot_times, peer_times = [], []
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        (folder / "app.bin").write_bytes(image)
        start = firmware.flash(folder / "start.flash")
        subprocess.run([tool, "flash", "-B", firmware.build, "--flash", start, "0x10000",
                        folder / "app.bin"], check=True, stdout=subprocess.DEVNULL)
        for _ in range(arguments.rounds):
            flash = copy_flash(start, folder / "flash.bin")
            begin = time.perf_counter()
            subprocess.run([tool, "run", "-B", firmware.build, "--flash", flash, "--until",
                            r"Calling app_main\(\)"], check=True, stdout=subprocess.DEVNULL,
                           stdin=subprocess.DEVNULL)
            boot_times.append(time.perf_counter() - begin)
            begin = time.perf_counter()
            subprocess.run(["sha256sum", folder / "app.bin"], check=True,
                           stdout=subprocess.DEVNULL)
            peer_times.append(time.perf_counter() - begin)
    boot, peer = statistics.median(boot_times), statistics.median(peer_times)
    print(f"image: {len(image)} bytes, {arguments.rounds} rounds")
    print(f"linux board, power-on to app_main: {boot * 1000:7.2f} ms")
    print(f"sha256sum of the image:            {peer * 1000:7.2f} ms")
    print(f"ratio: {boot / peer:.2f}")


if __name__ == "__main__":
    main()
