#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""run.py ROM BOOT TEST [SECONDS]: runs the test program TEST (an ELF file) on the emulated board,
once as it is and once for each way to die that it announced. Exit status 0: all of that went as it
should. The test program, its console line for arguments and its result are described in main.c."""

import os
import re
import selectors
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "board_sifive"))

import sifive_image  # noqa: E402

QEMU = "qemu-system-riscv32"
FLASH_SIZE = 32 << 20
ENTRY_ADDRESS = 0x08005040  # boot.c
PANIC = "rst:0x4 (PANIC)"
SECOND_BOOT = re.compile(r"Airlift ROM:.*Airlift ROM:.*rst:[^\n]*\n", re.S)


class Stopped(Exception):
    pass


def run(rom, flash, test, argument, end, until):
    """Boots, gives the argument, returns the output up to the match of end."""
    entry = struct.unpack_from("<I", test.read_bytes(), 24)[0]
    command = [QEMU, "-M", "sifive_u,msel=1", "-display", "none", "-monitor", "none",
               "-serial", "stdio", "-bios", str(rom), "-drive",
               f"if=mtd,format=raw,file={flash}", "-nic", "user",
               "-device", f"loader,file={test}",
               "-device", f"loader,addr={ENTRY_ADDRESS:#x},data={entry:#x},data-len=4"]
    output, ready = "", False
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT) as process:
        try:
            with selectors.DefaultSelector() as selector:
                selector.register(process.stdout, selectors.EVENT_READ)
                while True:
                    left = until - time.monotonic()
                    if left <= 0 or not selector.select(left):
                        raise Stopped(f"{output}\nrun.py: the test did not end in time")
                    data = os.read(process.stdout.fileno(), 65536)
                    if not data:
                        raise Stopped(f"{output}\nrun.py: the emulator ended")
                    output += data.decode("utf-8", "replace").replace("\r", "")
                    if not ready and "unit: ready\n" in output:
                        ready = True
                        process.stdin.write(argument.encode() + b"\n")
                        process.stdin.flush()
                    if re.search(end, output):
                        return output
                    if re.search(SECOND_BOOT, output):
                        raise Stopped(f"{output}\nrun.py: the board was reset")
        finally:
            process.kill()


def main():
    rom, boot, test = (Path(word).resolve() for word in sys.argv[1:4])
    until = time.monotonic() + (float(sys.argv[4]) if len(sys.argv) > 4 else 120)
    with tempfile.TemporaryDirectory() as folder:
        flash = Path(folder) / "flash.bin"
        flash.write_bytes(sifive_image.from_elf(boot))
        os.truncate(flash, FLASH_SIZE)
        output = run(rom, flash, test, "", r"unit: exit (-?\d+)\n", until)
        print(output, end="")
        status = int(re.search(r"unit: exit (-?\d+)\n", output).group(1))
        for name, text in re.findall(r"^unit: dies (\S+) (.*)$", output, re.M):
            died = run(rom, flash, test, name, re.escape(PANIC) + r"|unit: exit -?\d+\n", until)
            good = text in died and PANIC in died
            print(f"dies {name}: {'yes' if good else died}")
            status = status or not good
    return 1 if status else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Stopped as stopped:
        sys.exit(str(stopped))
