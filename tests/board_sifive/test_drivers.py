# SPDX-License-Identifier: Apache-2.0
"""The drivers behind hal/, on the emulated board."""

import re
import struct
import time

import pytest

INVALID_ARG = "102"
PANIC, INT_WDT, WDT = 4, 5, 7


def pattern(address, length):
    return bytes((a * 7 + (a >> 8)) & 0xFF for a in range(address, address + length))


def flash_bytes(machine, address, length):
    machine.stop()
    with open(machine.flash, "rb") as file:
        file.seek(address)
        return file.read(length)


def test_chip_and_running_offset(probe):
    assert probe.ask("chip") == "chip sifive_u a205 running 0"


def test_flash_size_comes_from_the_jedec_id(probe):
    assert probe.ask("size") == "size 2000000 err 0"
    assert probe.ask("size") == "size 2000000 err 0"


def test_flash_programs_across_pages_at_any_alignment_and_reads_back(probe):
    probe.ask("size")
    assert probe.ask("program 0x100003 597") == "program 0"
    assert probe.ask("check 0x100003 597") == "check 0 wrong 0"
    assert probe.ask("check 0x100007 1") == "check 0 wrong 0"
    assert probe.ask("word 0x0ffffc") == "word ffffffff err 0"
    content = flash_bytes(probe, 0x100000, 640)
    assert content == b"\xff" * 3 + pattern(0x100003, 597) + b"\xff" * 40


def test_flash_beyond_16_mib_is_another_place(probe):
    probe.ask("size")
    assert probe.ask("program 0xffff80 256") == "program 0"
    assert probe.ask("check 0xffff80 256") == "check 0 wrong 0"
    assert probe.ask("program 0x1800010 300") == "program 0"
    assert probe.ask("check 0x1800010 300") == "check 0 wrong 0"
    assert probe.ask("word 0x800010") == "word ffffffff err 0"
    assert probe.ask("erase 0x1800000 0") == "erase 0"
    assert probe.ask("word 0x1800010") == "word ffffffff err 0"
    assert flash_bytes(probe, 0xFFFF80, 256) == pattern(0xFFFF80, 256)


def test_flash_erases_exactly_one_unit(probe):
    probe.ask("size")
    for address in (0x10FFF0, 0x111000, 0x120000 - 16, 0x120000, 0x12FFF0, 0x130000):
        assert probe.ask(f"program {address} 16") == "program 0"
    assert probe.ask("erase 0x111000 0") == "erase 0"
    assert probe.ask("check 0x10fff0 16") == "check 0 wrong 0"
    assert probe.ask("word 0x111000") == "word ffffffff err 0"
    assert probe.ask("erase 0x120000 1") == "erase 0"
    assert probe.ask("check 0x11fff0 16") == "check 0 wrong 0"
    assert probe.ask("word 0x120000") == "word ffffffff err 0"
    assert probe.ask("word 0x12fff0") == "word ffffffff err 0"
    assert probe.ask("check 0x130000 16") == "check 0 wrong 0"


def test_flash_programming_only_clears_bits(probe):
    probe.ask("size")
    assert probe.ask("program 0x140000 4") == "program 0"
    assert probe.ask("program 0x140004 4") == "program 0"
    first = struct.unpack("<I", pattern(0x140000, 4))[0]
    assert probe.ask("word 0x140000") == f"word {first:08x} err 0"


def test_flash_refuses_bad_ranges_and_alignment(probe):
    probe.ask("size")
    assert probe.ask("erase 0x1001 0") == f"erase {INVALID_ARG}"
    assert probe.ask("erase 0x1000 1") == f"erase {INVALID_ARG}"
    assert probe.ask("erase 0x2000000 0") == f"erase {INVALID_ARG}"
    assert probe.ask("program 0x1fffff0 17") == f"program {INVALID_ARG}"
    assert probe.ask("program 0xfffffff0 32") == f"program {INVALID_ARG}"
    assert probe.ask("check 0x2000000 1").startswith(f"check {INVALID_ARG}")
    assert probe.ask("program 0x2000000 0") == "program 0"


def test_clock_counts_microseconds(probe):
    before = time.monotonic()
    spun = int(re.search(r"spun (\d+)", probe.ask("time 300000")).group(1))
    took = time.monotonic() - before
    assert 300_000 <= spun
    assert took >= 0.25


def test_pin_follows_pull_up_and_output(probe):
    assert probe.ask("pin 3 1 0") == "pin 0"
    assert probe.ask("get 3") == "level 0"
    assert probe.ask("pin 3 1 1") == "pin 0"
    assert probe.ask("get 3") == "level 1"
    assert probe.ask("pin 3 0 1") == "pin 0"
    assert probe.ask("get 3") == "level 0"
    assert probe.ask("set 3 1") == "set 0"
    assert probe.ask("pin 3 3 0") == "pin 0"
    assert probe.ask("get 3") == "level 1"
    assert probe.ask("set 3 0") == "set 0"
    assert probe.ask("get 3") == "level 0"


def test_reset_line_and_missing_pins_are_refused(probe):
    for command in ("pin 10 2 0", "pin 16 1 0"):
        assert probe.ask(command) == f"pin {INVALID_ARG}"
    assert probe.ask("set 10 0") == f"set {INVALID_ARG}"
    assert probe.ask("set 99 0") == f"set {INVALID_ARG}"
    assert probe.ask("get 99") == "level 0"


def test_random_bytes_differ_from_call_to_call_reset_to_reset_and_run_to_run(probe, machine):
    seen = {probe.ask("random") for _ in range(4)}
    probe.send("reset 3")
    probe.expect("probe_boot ready")
    seen |= {probe.ask("random") for _ in range(4)}
    probe.stop()
    again = machine(probe.flash)
    again.expect("probe_boot ready")
    seen |= {again.ask("random") for _ in range(4)}
    assert len(seen) == 12


def test_runners_seed_alone_decides_repeatable_runs_apart(machine, make_flash, boot_image, tmp_path):
    """Under -icount everything repeats but the seed: same seed same bytes, other seed others."""
    flash = make_flash({0: boot_image})

    def first(seed):
        blob = tmp_path / "seed"
        blob.write_bytes(struct.pack("<IIQ48s", 0x44454553, 0, 1 + seed[0], seed * 48))
        one = machine(flash, "-icount", "shift=3,sleep=off", "-device",
                      f"loader,file={blob},addr=0x08005000,force-raw=on")
        one.expect("probe_boot ready")
        # Input arrives at no fixed instruction, so look at the pool the ROM stage left.
        words = [one.ask(f"load {0x08000040 + 4 * i}") for i in range(8)]
        one.stop()
        return words

    one, same, other = first(b"a"), first(b"a"), first(b"b")
    assert one == same
    assert one != other


def test_watchdog_resets_a_hung_program_with_interrupts_off(probe):
    probe.ask(f"watchdog 200 {INT_WDT}")
    assert probe.ask("hang") == "hanging"
    probe.expect(r"watchdog: hart 0 did not answer in time")
    probe.expect(r"rst:0x5 \(INT_WDT\)")
    probe.expect("probe_boot ready")
    assert probe.ask("reason") == f"reason {INT_WDT}"


def test_watchdog_that_was_stopped_does_not_bite(probe):
    probe.ask(f"watchdog 100 {WDT}")
    probe.ask("watchdog 0")
    probe.ask("time 400000")
    assert "did not answer" not in probe.output


def test_trap_in_the_bootloader_prints_registers_and_resets(probe):
    probe.send("load 0")
    probe.expect(r"Panic in the bootloader\n")
    probe.expect(r"mcause 0x00000005  mepc 0x820[0-9a-f]{5}  mtval 0x00000000")
    probe.expect(r"ra  0x820[0-9a-f]{5}")
    probe.expect(r"rst:0x4 \(PANIC\)")


def test_loader_guards_the_bootloader_and_the_board(probe):
    assert probe.ask("place 0x80000000 0xff0000") == "place ok"
    assert probe.ask("place 0x80000000 0xff0001") == "place bad load address range"
    assert probe.ask("place 0x80ff0000 4") == "place bad load address range"
    assert probe.ask("place 0x81000000 0x50000") == "place ok"
    assert probe.ask("place 0x81000000 0x50004") == "place bad load address range"
    assert probe.ask("place 0x80fffffc 8") == "place bad load address range"
    assert probe.ask("place 0x82000000 4") == "place overlaps bootloader data"
    assert probe.ask("place 0x81fffffc 8") == "place overlaps bootloader data"
    assert probe.ask("place 0x8200fffc 4") == "place overlaps bootloader stack"
    assert probe.ask("place 0x80000000 0x7fffffff") == "place overlaps bootloader stack"
    assert probe.ask("place 0x83000000 4") == "place bad load address range"
    assert probe.ask("place 0x20000000 4") == "place bad load address range"
    assert probe.ask("place 0xfffffffc 0xfffffffc") == "place bad load address range"


def test_loader_starts_only_code_that_was_placed(probe):
    probe.ask("size")
    assert probe.ask("boot 0 0x80000000 16 0x80000010") == "boot 2002"
    assert probe.ask("boot 0 0x80000000 16 0x80000001") == "boot 2002"
    assert probe.ask("boot 0 0x81000000 16 0x81000000") == "boot 2002"


def test_application_starts_with_its_data_in_place(app):
    found = app.ask("start")
    assert found.startswith("start data 1234 bss 0 errno 7 float 1.500 heap ")
    assert 256 << 10 < int(found.split()[-1]) < 320 << 10


def test_application_knows_where_it_was_started_from(app):
    assert re.search(r"running (\w+)", app.ask("chip")).group(1) == "20000"


def test_trap_in_an_application_prints_cause_registers_and_stack(app):
    app.send("load 0")
    app.expect(r"panic'ed \(Load access fault\)")
    app.expect(r"mcause 0x00000005  mepc 0x800[0-9a-f]{5}  mtval 0x00000000")
    app.expect(r"Stack memory:\n81[0-9a-f]{6}: ")
    app.expect(r"rst:0x4 \(PANIC\)")
    app.expect("probe_boot ready")
    assert app.ask("reason") == f"reason {PANIC}"


def test_illegal_instruction_is_named(app):
    app.send("illegal")
    app.expect(r"panic'ed \(Illegal instruction\)")
    app.expect(r"PANIC")


@pytest.mark.parametrize("value", [0x10, 0x80000000, 0xFFFFFFF1])
def test_trap_with_a_bad_stack_pointer_is_reported(app, value):
    app.send(f"bad_stack {value}")
    app.expect(r"panic'ed \(Store access fault\)")
    app.expect(rf"sp  0x{value:08x}")
    app.expect(r"Stack pointer is outside")
    app.expect(r"rst:0x4 \(PANIC\)")
    app.expect("probe_boot ready")


@pytest.mark.parametrize("command, fault", [
    ("store 0x20000000 0", "Store access fault"),
    ("jump 0x81000000", r"Instruction access fault\)[^\n]*\n(Task: [^\n]*\n)?mcause 0x00000001  mepc 0x81000000"),
    ("load 0x81050000", "Load access fault"),
    ("load 0x83000000", "Load access fault"),
    ("store 0x87f00000 0", "Store access fault"),
])
def test_memory_protection_stops_the_application(app, command, fault):
    app.send(command)
    app.expect(rf"panic'ed \({fault}")
    app.expect(r"rst:0x4 \(PANIC\)")
    app.expect("probe_boot ready")


def test_gpio_edges_interrupt_the_application(app):
    assert app.ask("pin 5 1 0") == "pin 0"
    assert app.ask("edge 5 1 1") == "edge 0"
    app.send("pin 5 1 1")
    app.expect(r"edge on pin 5")
    app.expect(r"= pin 0")
    app.send("pin 5 1 0")
    app.expect(r"edge on pin 5")
    app.expect(r"= pin 0")
    assert app.ask("edge 5 0 0") == "edge 0"
    assert app.ask("pin 5 1 1") == "pin 0"
    assert app.output.count("edge on pin") == 2
