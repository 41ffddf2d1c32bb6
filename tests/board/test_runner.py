# SPDX-License-Identifier: Apache-2.0
"""The runner: boot, resets and their reasons, crashes, power cuts, pins, console, exit statuses."""

import fcntl
import json
import os
import pty
import re
import select
import signal
import subprocess
import threading
import time

import pytest

from harness.board import WAIT
from harness.probe import FACTORY, FLASH_SIZE, OTA_0, SANITIZED

NOT_BOOTABLE, NO_BOOTLOADER, POWER_CUT, RESET_LIMIT, TIMEOUT, DIED = 3, 4, 5, 6, 7, 8
SCRATCH = 0x9000  # the partition nvs: nobody uses it here


@pytest.fixture(scope="session", params=["linux"])
def board_name(request):
    return request.param


def test_power_on_prints_the_lines_of_rom_and_bootloader_in_order(device):
    with device.run() as board:
        board.expect(r"rst:0x1 \(POWERON\),boot:0x8 \(SPI_FAST_FLASH_BOOT\)\n")
        board.expect(r"load:0x3fc80000,len:0x50\n")
        board.expect(r"load:0x80000000,len:0x[0-9a-f]+\n")
        board.expect(r"entry 0x80000000\n")
        for line in [r"ESP-IDF v5.5-test 2nd stage bootloader", r"chip revision: v1\.0",
                     r"efuse block revision: v0\.0"]:
            board.expect(r"I \(\d+\) boot: " + line + r"\n")
        board.expect(r"boot\.linux: SPI Speed      : 80MHz\n")
        board.expect(r"boot\.linux: SPI Mode       : DIO\n")
        board.expect(rf"boot\.linux: SPI Flash Size : {FLASH_SIZE}MB\n")
        board.expect(r"boot: Enabling RNG early entropy source\.\.\.\n")
        board.expect(r"boot: ## Label            Usage          Type ST Offset   Length\n")
        board.expect(r"boot:  0 nvs              WiFi data        01 02 00009000 00004000\n")
        board.expect(r"boot:  1 otadata          OTA data         01 00 0000d000 00002000\n")
        board.expect(rf"boot:  2 factory          factory app      00 00 {FACTORY:08x} ")
        board.expect(r"boot: End of partition table\n")
        board.expect(r"boot: Defaulting to factory image\n")
        board.expect(rf"esp_image: segment 0: paddr={FACTORY + 0x20:08x} vaddr=3c000020 "
                     r"size=00100h \(   256\) map\n")
        board.expect(rf"esp_image: segment 1: paddr={FACTORY + 0x128:08x} vaddr=80000000 .* load\n")
        board.expect(rf"boot: Loaded app from partition at offset 0x{FACTORY:x}\n")
        board.expect(r"boot: Disabling RNG early entropy source\.\.\.\n")
        board.expect(rf"probe 1 from 0x{FACTORY:x}, reset reason 1, flash {FLASH_SIZE << 20}\n")


@pytest.mark.parametrize("reason, line", [
    (3, r"rst:0x3 \(RTC_SW_SYS_RST\)"), (4, r"rst:0xc \(RTC_SW_CPU_RST\)"),
    (6, r"rst:0x7 \(TG0WDT_SYS_RST\)"), (9, r"rst:0xf \(BROWN_OUT_RST\)")])
def test_a_reset_boots_again_and_the_program_learns_its_reason(device, reason, line):
    with device.run() as board:
        board.expect("probe 1")
        board.send(f"reset {reason}")
        board.expect(line)
        board.expect(f"probe 1 from 0x{FACTORY:x}, reset reason {reason},")


def test_a_watchdog_reset_is_announced_by_the_bootloader(device):
    with device.run() as board:
        board.expect("probe 1")
        board.send("reset 5")
        board.expect(r"W \(\d+\) boot.linux: PRO CPU has been reset by WDT\.")


@pytest.mark.skipif(SANITIZED, reason="the sanitizer reports crashes itself")
def test_a_wild_access_reports_and_resets_with_reason_panic(device):
    with device.run() as board:
        board.expect("probe 1")
        board.send("crash")
        board.expect(r"Guru Meditation Error: Core  0 panic'ed \(Memory access fault\)")
        board.expect(r"Backtrace: 0x[0-9a-f]+")
        board.expect("Rebooting...")
        board.expect("reset reason 4")


@pytest.mark.skipif(SANITIZED, reason="the sanitizer reports crashes itself")
def test_abort_reports_and_resets_with_reason_panic(device):
    with device.run() as board:
        board.expect("probe 1")
        board.send("abort")
        board.expect(r"abort\(\) was called at PC 0x[0-9a-f]+ on core 0")
        board.expect("reset reason 4")


@pytest.mark.skipif(SANITIZED, reason="addresses of sanitised code are not looked up")
def test_the_backtrace_names_addresses_of_the_elf_file(device):
    with device.run() as board:
        board.expect("probe 1")
        board.send("crash")
        address = board.expect(r"PC      : (0x[0-9a-f]+)").group(1)
    elf = device.firmware.folder.parent / "probe-1" / "probe.elf"
    found = subprocess.run(["addr2line", "-f", "-e", elf, address], text=True,
                           stdout=subprocess.PIPE, check=True).stdout
    assert "probe.c" in found


def test_retain_memory_survives_a_reset_and_not_a_power_cycle(device):
    with device.run() as board:
        board.expect("probe 1")
        board.send("recall")
        board.expect("recalled ''")
        board.send("remember something")
        board.expect("remembered")
        board.send("reset 3")
        board.expect("probe 1")
        board.send("recall")
        board.expect("recalled 'something'")
    with device.run() as board:
        board.expect("reset reason 1")
        board.send("recall")
        board.expect("recalled ''")


def test_a_program_that_exits_ends_the_run_with_its_own_status(device):
    board = device.run()
    with board:
        board.expect("probe 1")
        board.send("exit 7")
        assert board.wait() == DIED
        assert "ended by itself with status 7" in board.seen()


def test_ctrl_c_ends_the_run_with_status_0_and_the_program_with_it(device):
    board = device.run()
    with board:
        board.expect("probe 1")
        board.process.send_signal(signal.SIGINT)
        assert board.wait() == 0


def test_the_program_does_not_outlive_a_killed_runner(device):
    board = device.run()
    with board:
        board.expect("probe 1")
        children = subprocess.run(["ps", "-o", "pid=", "--ppid", str(board.process.pid)],
                                  text=True, stdout=subprocess.PIPE, check=True).stdout.split()
        assert len(children) == 1
        child = os.pidfd_open(int(children[0]))
        board.process.kill()
        board.wait()
        assert select.select([child], [], [], WAIT)[0], "the program goes on without its runner"
        os.close(child)


def test_until_ends_at_the_matching_line_of_the_count_asked_for(device):
    out = device.verb("run", "--until", r"^probe [0-9]+ from 0x[0-9a-f]+, reset")
    assert out.rstrip().endswith(f"flash {FLASH_SIZE << 20}")
    board = device.run("--until", "never", "--until", "^again", "--until-count", "2")
    with board:
        board.expect("probe 1")
        board.send("say again 1")
        board.expect("again 1")
        board.send("say again 2")
        assert board.wait() == 0
        assert board.seen().endswith("again 2\n")


def test_a_bad_pattern_is_refused_with_its_text(device):
    assert "a(b" in device.verb("run", "--until", "a(b", status=1)


def test_timeout_and_reset_limit_have_statuses_of_their_own(device):
    assert "time is up" in device.verb("run", "--timeout", "0.5", status=TIMEOUT)
    board = device.run("--max-resets", "1")
    with board:
        for _ in range(2):
            board.expect("probe 1")
            board.send("reset 3")
        assert board.wait() == RESET_LIMIT


def test_a_chatty_program_cannot_hold_off_the_timeout(device):
    for limit in (1, 4, 16, 64):
        board = device.run("--timeout", limit)
        with board:
            board.send("flood 100000000")
            assert board.wait() == TIMEOUT
            if "flood line" in board.seen():
                return
    raise AssertionError("not even booted in the time given")


def test_a_blank_flash_has_no_bootloader(device):
    device.verb("erase-flash")
    out = device.verb("run", status=NO_BOOTLOADER)
    assert "invalid header: 0xffffffff" in out


def test_a_damaged_bootloader_is_not_started(device):
    image = bytearray((device.firmware.folder / "bootloader.bin").read_bytes())
    image[0x500] ^= 0x10
    device.put(0, image)
    assert re.search("csum err:0x[0-9a-f]+!=0x", device.verb("run", status=NO_BOOTLOADER))


def test_without_any_app_the_board_says_so_and_switches_off(device):
    device.put(FACTORY, b"\xff" * 0x1000)
    out = device.verb("run", status=NOT_BOOTABLE)
    assert "invalid magic byte (nothing flashed here?)" in out
    assert "E (" in out and "boot: Factory app partition is not bootable" in out
    assert "boot: No bootable app partitions in the partition table" in out
    assert "nothing bootable" in device.verb("board", "info")


def test_two_runs_on_one_board_exclude_each_other(device):
    with device.run() as board:
        board.expect("probe 1")
        assert "in use by another process" in device.verb("run", status=1)
        assert "in use by another process" in device.verb("flash", status=1)
        device.verb("board", "info")


def test_a_run_waits_for_the_end_of_one_that_was_killed_a_moment_ago(device):
    with open(device.flash, "rb") as flash:
        fcntl.flock(flash, fcntl.LOCK_EX)
        with device.run() as board:
            threading.Timer(0.5, fcntl.flock, (flash, fcntl.LOCK_UN)).start()
            board.expect("probe 1")


def test_a_missing_flash_file_is_explained(device):
    device.flash.unlink()
    assert "airlift flash" in device.verb("run", status=1)


def test_a_foreign_state_file_is_refused(device):
    (device.build / "flash.bin.state").write_bytes(b"x" * 100)
    assert "flash.bin.state" in device.verb("run", status=1)
    (device.build / "flash.bin.state").unlink()
    device.verb("run", "--until", "probe 1")


# --- flash ---

def test_programs_clear_bits_only_and_a_forbidden_one_fails(device):
    with device.run() as board:
        board.expect("probe 1")
        for command, answer in [
                (f"erase {SCRATCH:x}", "erase 0"), (f"fill {SCRATCH:x} 4 f0", "program 0"),
                (f"fill {SCRATCH:x} 4 30", "program 0"), (f"read {SCRATCH:x} 5", "read 0 30303030ff"),
                (f"fill {SCRATCH:x} 4 31", f"program {0x6001}"),
                (f"read {SCRATCH:x} 4", "read 0 30303030"),
                (f"erase {SCRATCH + 4:x}", f"erase {0x102}"),
                (f"read {FLASH_SIZE << 20:x} 1", f"read {0x102} "),
                (f"read {(FLASH_SIZE << 20) - 1:x} 1", "read 0 ff")]:
            board.send(command)
            board.expect(re.escape(answer))


def test_the_nor_check_can_be_switched_off(device):
    with device.run("--no-nor-check") as board:
        board.expect("probe 1")
        board.send(f"fill {SCRATCH:x} 4 f0")
        board.expect("program 0")
        board.send(f"fill {SCRATCH:x} 4 0f")
        board.expect("program 0")
        board.send(f"read {SCRATCH:x} 4")
        board.expect("read 0 00000000")


def test_operations_wear_and_time_are_counted(device):
    before = json.loads(device.verb("board", "info", "--json"))
    board = device.run("--count-ops", "--until", "^done")
    with board:
        board.expect("probe 1")
        for command in [f"erase {SCRATCH:x}", f"fill {SCRATCH:x} 16 0", f"erase {SCRATCH:x}",
                        f"erase-block {OTA_0:x}", "say done"]:
            board.send(command)
        assert board.wait() == 0
        assert "flash operations: 4" in board.seen()
    after = json.loads(device.verb("board", "info", "--json"))
    assert after["operations"] == 4
    assert after["sector_erases"] - before["sector_erases"] == 2
    assert after["block_erases"] - before["block_erases"] == 1
    assert after["wear_total"] - before["wear_total"] == 18
    assert after["program_bytes"] - before["program_bytes"] == 16
    assert after["busy_us"] - before["busy_us"] > 3 * 37142


def test_real_timing_takes_a_real_chips_time(device):
    with device.run("--timing", "real") as board:
        board.expect("probe 1")
        begin = time.monotonic()
        for _ in range(4):
            board.send(f"erase {SCRATCH:x}")
            board.expect("erase 0")
        assert time.monotonic() - begin > 4 * 0.037


# --- power cuts ---

def cut(device, where, *commands):
    board = device.run("--cut-at", where)
    with board:
        board.expect("probe 1")
        for command in commands:
            board.send(command)
        assert board.wait() == POWER_CUT
        return board.seen()


def test_a_cut_before_an_operation_leaves_flash_as_it_was(device):
    before = device.contents(SCRATCH, 0x1000)
    cut(device, "1:before", f"fill {SCRATCH:x} 64 0")
    assert device.contents(SCRATCH, 0x1000) == before


def test_a_cut_inside_a_program_leaves_a_prefix(device):
    for where in ("1:10", "1:50%"):
        device.put(SCRATCH, b"\xff" * 0x1000)
        cut(device, where, f"fill {SCRATCH:x} 20 0")
        data = device.contents(SCRATCH, 20)
        assert data[:10] == b"\0" * 10 and data[11:] == b"\xff" * 9


def test_a_cut_after_an_operation_has_done_it_but_the_program_does_not_learn(device):
    seen = cut(device, "2:after", f"erase {SCRATCH:x}", f"fill {SCRATCH:x} 20 0")
    assert device.contents(SCRATCH, 20) == b"\0" * 20
    assert "erase 0" in seen and "program" not in seen


def test_a_torn_erase_leaves_unstable_bits_that_flicker_until_a_whole_erase(device):
    cut(device, "2:50%", f"fill {SCRATCH:x} 4096 0", f"erase {SCRATCH:x}")
    data = device.contents(SCRATCH, 0x1000)
    ones = sum(bin(byte).count("1") for byte in data)
    assert 0x1000 * 8 * 0.3 < ones < 0x1000 * 8 * 0.7
    assert json.loads(device.verb("board", "info", "--json"))["unstable_sectors"] == 1
    with device.run() as board:
        board.expect("reset reason 1")
        sums = set()
        for _ in range(4):
            board.send(f"sum {SCRATCH:x}")
            sums.add(board.expect("sum 0 ([0-9a-f]+)").group(1))
        assert len(sums) > 1
        board.send(f"erase {SCRATCH:x}")
        board.expect("erase 0")
        for _ in range(2):
            board.send(f"sum {SCRATCH:x}")
            sums = {board.expect("sum 0 ([0-9a-f]+)").group(1)}
        assert len(sums) == 1
    assert device.contents(SCRATCH, 0x1000) == b"\xff" * 0x1000


def test_the_same_cut_leaves_the_same_bytes(device):
    results = []
    for _ in range(2):
        (device.build / "flash.bin.state").unlink()
        device.put(SCRATCH, b"\0" * 0x1000)
        cut(device, "1:30%", f"erase {SCRATCH:x}")
        results.append(device.contents(SCRATCH, 0x1000))
    assert results[0] == results[1]


def test_after_a_cut_the_board_can_be_switched_on_again_in_the_same_run(device):
    with device.run("--cut-at", "1:after", "--after-cut", "restart") as board:
        board.expect("probe 1")
        board.send(f"erase {SCRATCH:x}")
        board.expect("power cut in flash operation 1")
        board.expect("reset reason 1")
        board.send(f"erase {SCRATCH:x}")
        board.expect("erase 0")


def test_a_plan_that_does_not_come_true_is_gone_in_the_next_run(device):
    device.verb("run", "--cut-at", "1", "--until", "probe 1")
    with device.run() as board:
        board.expect("probe 1")
        board.send(f"erase {SCRATCH:x}")
        board.expect("erase 0")


# --- pins ---

def test_a_pin_follows_the_tool_while_the_program_runs_and_its_pull_otherwise(device):
    with device.run("--gpio", "4=0") as board:
        board.expect("probe 1")
        board.send("pin 4")
        board.expect("level 0")
        board.send("pin 4 input pull 1")
        board.expect("pin 0")
        for words, level in [((), 0), (("4", "high"), 1), (("4", "low"), 0),
                             (("4", "release"), 1)]:
            if words:
                device.verb("gpio", *words)
            board.send("pin 4")
            board.expect(f"level {level}")
        board.send("pin 4 input pull 2")
        board.expect("pin 0")
        board.send("pin 4")
        board.expect("level 0")
        board.send("pin 5 output 1")
        board.expect("pin 0 0")
        board.send("pin 5")
        board.expect("level 1")
        assert re.search(r"5 +- +on +high +none", device.verb("gpio"))
        board.send("pin 32 output 1")
        board.expect(f"pin {0x102} {0x102}")


def test_wrong_pins_and_levels_are_usage_errors(device):
    device.verb("gpio", "32", "low", status=2)
    device.verb("gpio", "4", "up", status=2)
    device.verb("run", "--gpio", "4=2", status=2)


# --- console and the rest ---

def test_input_reaches_the_program_of_every_boot_in_order(device):
    board = device.run("--until", "^third")
    with board:
        for line in ("say first", "reset 3", "say second", "say third"):
            board.send(line)
        assert board.wait() == 0
        seen = board.seen()
        assert seen.index("first") < seen.index("rst:0x3") < seen.index("second")


def test_the_program_sees_the_end_of_input(device):
    out = device.verb("run", "--until", "no more input")
    assert "no more input" in out


def test_the_console_goes_to_a_file_as_well(device, tmp_path):
    out = device.verb("run", "--console", tmp_path / "log.txt", "--until", "probe 1")
    assert (tmp_path / "log.txt").read_text() == out


def test_the_network_interface_is_known(device):
    with device.run() as board:
        board.expect("probe 1")
        board.send("network")
        board.expect(f"started 0, again {0x103}")
    with device.run() as board:
        board.expect("probe 1")
        board.send("network")
        board.expect(r"network en1 \d+\.\d+\.\d+\.\d+")


def test_random_numbers_differ_from_boot_to_boot(device):
    seen = set()
    for _ in range(2):
        with device.run() as board:
            board.expect("probe 1")
            board.send("random")
            seen.add(board.expect("random ([0-9a-f]+)").group(1))
    assert len(seen) == 2


def test_the_monitor_passes_keys_resets_and_quits_at_a_terminal(device):
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(device.tool, [str(device.tool), "monitor", "-B", str(device.build)])
    seen = b""

    def expect(pattern):
        nonlocal seen
        while not re.search(pattern, seen):
            seen += os.read(terminal, 65536)
        seen = seen[re.search(pattern, seen).end():]

    expect(b"Quit: Ctrl\\+\\]")
    expect(b"probe 1 from")
    os.write(terminal, b"say hello\n")
    expect(b"hello\r\n")
    os.write(terminal, b"\x14\x12")
    expect(b"rst:0x15 \\(USB_UART_CHIP_RESET\\)")
    expect(b"reset reason 2,")
    os.write(terminal, b"\x03say still here\n")
    expect(b"unknown command")
    os.write(terminal, b"\x1d")
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    os.close(terminal)
