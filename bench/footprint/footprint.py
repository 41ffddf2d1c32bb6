# SPDX-License-Identifier: Apache-2.0
"""`make footprint`: what the firmware takes of the sifive_u board, measured, into
docs/footprint.md. The application is tests/apps/ota_agent."""

import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))

from harness import build, images, servers  # noqa: E402
from harness.board import Board, copy_flash  # noqa: E402

BOARD, HOST = "sifive_u", "10.0.2.2"
SIZE = "riscv64-unknown-elf-size"
UPDATE_BYTES = 512 << 10
ROUNDS = 5
# What makes the size of a task's stack: options, and numbers in sources.
STACKS = {
    "main": ["CONFIG_ESP_MAIN_TASK_STACK_SIZE"],
    "sys_evt": ["CONFIG_ESP_SYSTEM_EVENT_TASK_STACK_SIZE",
                ("components/esp_event/src/esp_event.c", "DEFAULT_TASK_STACK_RESERVE")],
    "tcpip": ["CONFIG_LWIP_TCPIP_TASK_STACK_SIZE"],
    "network": [("components/lwip/port/sifive_u/network.c", "TASK_STACK")],
}
CODE = range(0x80000000, 0x81000000)
DATA = range(0x81000000, 0x82000000)


def sections(elf):
    """{section: bytes} of what is loaded or reserved."""
    text = subprocess.run([SIZE, "-A", "-d", elf], check=True, stdout=subprocess.PIPE,
                          text=True).stdout
    found = {}
    for line in text.splitlines():
        words = line.split()
        if len(words) == 3 and words[1].isdigit() and int(words[2]) > 0:
            found[words[0]] = int(words[1])
    return found


def by_component(map_file):
    """{component: [flash bytes, RAM bytes]} from the linker's map."""
    text = map_file.read_text().partition("Linker script and memory map")[2]
    # " .text.name  0xADDRESS  0xSIZE  path/libNAME.a(object)"; a long name has its own line.
    entry = re.compile(r"^ (\.\S+|COMMON)\s+0x([0-9a-f]+)\s+0x([0-9a-f]+) (\S+)$", re.M)
    found = {}
    for name, address, size, path in entry.findall(text):
        address, size = int(address, 16), int(size, 16)
        archive = re.search(r"lib([^/]+)\.a\(", path)
        owner = archive.group(1) if archive else "start"
        if owner in ("c", "gcc", "m"):
            owner = "C library"
        sums = found.setdefault(owner, [0, 0])
        if address in CODE:
            sums[0] += size
        elif address in DATA:
            initialised = re.match(r"\.s?data", name) is not None
            sums[0] += size if initialised else 0
            sums[1] += size
    return {name: sums for name, sums in found.items() if any(sums)}


def stack_sizes(config):
    """{task: bytes}; config is the text of the project's sdkconfig."""
    sizes = {}
    for task, parts in STACKS.items():
        sizes[task] = 0
        for part in parts:
            text, pattern = config, rf"^{part}=(\d+)$"
            if isinstance(part, tuple):
                text, pattern = (build.ROOT / part[0]).read_text(), rf"define {part[1]}\s+(\d+)"
            sizes[task] += int(re.search(pattern, text, re.M).group(1))
    return sizes


def memory(board):
    board.send("memory")
    match = board.expect(r"agent: heap (\d+) free (\d+) least (\d+) stacks ([^\n]+)\n")
    stacks = dict(word.split("=") for word in match.group(4).split())
    size, free, least = (int(match.group(i)) for i in (1, 2, 3))
    return {"size": size, "free": free, "least": least,
            "stacks": {name: int(value) for name, value in stacks.items()}}


def update(tool, firmware, start, folder, server):
    flash = copy_flash(start, folder / "flash.bin")
    with Board(tool, firmware.build, flash, BOARD) as board:
        board.expect(r"agent: ready")
        before = memory(board)
        board.send("ota " + server.url("firmware.bin", HOST))
        began = time.monotonic()
        board.expect(r"agent: ota ok")
        seconds = time.monotonic() - began
        after = memory(board)
    return before, after, seconds


def reset_to_main(tool, firmware, start, folder):
    flash = copy_flash(start, folder / "flash.bin")
    with Board(tool, firmware.build, flash, BOARD) as board:
        return int(board.expect(r"I \((\d+)\) main_task: Calling app_main").group(1))


def main():
    tool = build.tool()
    certs = build.certificates()
    firmware = build.Firmware(build.ROOT / "tests/apps/ota_agent", BOARD, certs=certs)
    larger = images.grow(firmware.version("2").read_bytes(), UPDATE_BYTES)
    app = firmware.version("1")
    bootloader = firmware.build / "bootloader"
    boot = sections(bootloader / "bootloader.elf")
    boot_ram = sum(boot.get(name, 0) for name in (".data", ".bss", ".trap_stack"))
    components = by_component(firmware.build / "ota_agent.map")

    runs, boots = {}, []
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        start = firmware.flash(folder / "start.flash")
        served = folder / "served"
        served.mkdir()
        (served / "firmware.bin").write_bytes(larger)
        cert, key = certs / "ca_cert.pem", certs / "ca_key.pem"
        for name, protocol in (("TLS 1.2", "TLSv1.2"), ("TLS 1.3", "TLSv1.3")):
            with servers.nginx(served, cert, key, folder / protocol, protocols=protocol) as server:
                runs[name] = [update(tool, firmware, start, folder, server)
                              for _ in range(ROUNDS)]
        boots = [reset_to_main(tool, firmware, start, folder) for _ in range(ROUNDS)]

    out = ["# Footprint on `sifive_u`", "",
           "Made by `make footprint` (`bench/footprint/footprint.py`) from `tests/apps/ota_agent`, "
           "with TLS 1.2", "and 1.3, records of up to 16 KiB, server key RSA-2048. Times depend on "
           "the machine that emulates.", "",
           "## Bootloader", "",
           "| | bytes |", "|---|---|",
           f"| flash (limit 24 KiB) | {(bootloader / 'bootloader.bin').stat().st_size} |",
           f"| RAM: data, bss and trap stack (linked into 16 KiB; its stack has the rest) "
           f"| {boot_ram} |", "",
           "## Application", "",
           f"Image: {app.stat().st_size} bytes. Flash (code, constants, initial values) and static "
           "RAM by component,", "from the linker's map; `board` is the board's drivers.", "",
           "| component | flash | RAM |", "|---|---|---|"]
    for name, (flash, ram) in sorted(components.items(), key=lambda item: -item[1][0]):
        out.append(f"| {name} | {flash} | {ram} |")
    out.append(f"| **sum** | {sum(f for f, _ in components.values())} "
               f"| {sum(r for _, r in components.values())} |")
    out += ["", f"## An update of {UPDATE_BYTES >> 10} KiB", "",
            f"Times: median of {ROUNDS} runs. Heap: the most of all runs. The heap holds the tasks' "
            "stacks too.", "", "| | " + " | ".join(runs) + " |", "|---|" + "---|" * len(runs)]

    def row(title, value):
        out.append(f"| {title} | " + " | ".join(str(value(each)) for each in runs.values()) + " |")

    row("time, s", lambda each: f"{statistics.median(run[2] for run in each):.2f}")
    row("throughput, KiB/s", lambda each:
        round((UPDATE_BYTES >> 10) / statistics.median(run[2] for run in each)))
    row("heap, bytes", lambda each: each[0][0]["size"])
    row("in use before the update", lambda each:
        max(run[0]["size"] - run[0]["free"] for run in each))
    row("what the update adds", lambda each:
        max(run[0]["free"] - run[1]["least"] for run in each))
    row("most ever in use, all of it (aim: under 65536)", lambda each:
        max(run[1]["size"] - run[1]["least"] for run in each))
    out += ["",
            "*Most ever in use* is the high-water mark of the whole heap since the start: the "
            "update's own memory,", "the stacks of all tasks, the network stack at rest, the "
            "allocator's block heads. The update's own is the", "TLS connection's record buffers (16 "
            "KiB in, 4 KiB out), the TCP window's worth of received segments, the", "download buffer, "
            "certificates and the state of the handshake.", "",
            "Most of each task's stack that was ever used, bytes. Static, and not in the heap: the "
            "idle task's and the", "trap handlers' stack.", "",
            "| task | stack | " + " | ".join(runs) + " |", "|---|---|" + "---|" * len(runs)]
    for task, size in stack_sizes((firmware.project / "sdkconfig").read_text()).items():
        row(f"`{task}` | {size}", lambda each:
            max(size - run[1]["stacks"][task] for run in each))
    out += ["", "## Start", "",
            f"Reset to `app_main()`: {statistics.median(boots)} ms, median of {ROUNDS} "
            f"({min(boots)} to {max(boots)}), verification of the image included (aim: under 500).",
            ""]
    text = "\n".join(out)
    (build.ROOT / "docs/footprint.md").write_text(text)
    print(text)


if __name__ == "__main__":
    try:
        main()
    except (AssertionError, OSError, subprocess.CalledProcessError) as error:
        sys.exit(f"footprint: {error}")
