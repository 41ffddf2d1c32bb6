# SPDX-License-Identifier: Apache-2.0
"""The FreeRTOS kernel's port to the bare hart, and the heap under it."""

import re
import signal
import subprocess

import pytest

from sifive_machine import STEADY_TIME


@pytest.fixture
def kernel(app_with):
    return app_with(name="probe_kernel")


@pytest.fixture
def steady_kernel(app_with):
    """For what is measured in time."""
    return app_with(*STEADY_TIME, name="probe_kernel")


def numbers(text):
    return [int(word) for word in re.findall(r"\d+", text)]


def test_a_more_urgent_task_runs_within_the_call_that_wakes_it(kernel):
    assert kernel.ask("preempt") == "order 123"


def test_equal_tasks_share_the_hart_by_ticks(steady_kernel):
    counts = numbers(steady_kernel.ask("turns"))
    assert len(counts) == 3 and min(counts) > 0
    assert max(counts) < 4 * min(counts)


def test_delays_and_time_outs_last_as_long_as_asked(steady_kernel):
    slept, waited, taken = numbers(steady_kernel.ask("delay 200"))
    # Up to a tick less: time is counted from the last tick.
    assert 190_000 <= slept < 900_000
    assert 190_000 <= waited < 900_000
    assert taken == 0


def test_a_queue_carries_every_item_in_order(kernel):
    assert kernel.ask("queue 2000") == "queue wrong 0"


def test_a_mutex_lends_its_holder_the_waiters_priority(kernel):
    # The waiter first waits, then the middle task runs only after holder and waiter are through.
    assert kernel.ask("inherit") == "order 123"


def test_ended_tasks_leave_no_memory_behind(kernel):
    assert kernel.ask("births 100") == "births leaked 0"


def test_software_timers_fire_in_time_and_stop(steady_kernel):
    fired, later = numbers(steady_kernel.ask("timers"))
    assert 9 <= fired <= 11
    assert later == 0


def test_event_groups_wake_when_all_bits_are_there(kernel):
    assert kernel.ask("events") == "bits 3 left 0"


def test_preemption_keeps_every_register(steady_kernel):
    wrong, rounds = numbers(steady_kernel.ask("registers 1500"))
    assert wrong == 0 and rounds > 20


def test_tasks_share_the_flash_chip(kernel):
    assert kernel.ask("flash_tasks") == "flash wrong 0"


def test_stack_overflow_names_the_task_and_resets(kernel):
    kernel.send("overflow")
    kernel.expect(r"stack overflow in task overflow has been detected: it has used more than its "
                  r"stack of 2048 bytes")
    kernel.expect(r"rst:0x4 \(PANIC\)")


@pytest.mark.parametrize("interrupts_off", [0, 1])
def test_endless_recursion_is_a_stack_overflow_of_its_task(kernel, interrupts_off):
    kernel.send(f"dig {interrupts_off}")
    kernel.expect("stack overflow in task digger has been detected")
    kernel.expect(r"rst:0x4 \(PANIC\)")


def test_a_kernel_call_far_below_the_stack_names_the_task(kernel):
    kernel.send("leap")
    kernel.expect("stack overflow in task leaper has been detected")
    kernel.expect(r"rst:0x4 \(PANIC\)")


def test_a_trap_names_the_task(kernel):
    kernel.send("fault")
    kernel.expect(r"panic'ed \(Store access fault\)")
    kernel.expect(r"Task: faulty\n")
    kernel.expect(r"rst:0x4 \(PANIC\)")


def test_freeing_twice_is_caught(kernel):
    kernel.send("free_twice")
    kernel.expect("heap: memory freed twice")
    kernel.expect(r"rst:0x4 \(PANIC\)")


def test_the_heap_ends_where_the_boards_ram_does(kernel):
    size, whole, more = numbers(kernel.ask("heap"))
    assert 270_000 < size < 320 << 10
    assert (whole, more) == (1, 0)


def test_interrupt_watchdog_resets_a_task_that_hangs_with_interrupts_off(kernel):
    assert kernel.ask("hang") == "hanging"
    kernel.expect(r"rst:0x5 \(INT_WDT\)")


def test_the_watchdog_lets_a_living_program_alone(kernel):
    assert numbers(kernel.ask("delay 2500"))[0] > 2_000_000
    assert "did not answer" not in kernel.output


def test_a_pause_of_the_whole_emulator_is_not_taken_for_a_hang(kernel):
    """As a busy or suspended host makes it: time goes on, and nothing else does. The pause is longer
    than the watchdog's 2 s."""
    for _ in range(3):
        kernel.send("registers 300")
        kernel.process.send_signal(signal.SIGSTOP)
        with pytest.raises(subprocess.TimeoutExpired):
            kernel.process.wait(3)
        kernel.process.send_signal(signal.SIGCONT)
        kernel.expect("= registers wrong 0")
    assert "did not answer" not in kernel.output


def test_output_of_a_command_arrives_while_tasks_are_busy(kernel):
    kernel.send("registers 500")
    kernel.expect("= registers wrong 0")
    assert kernel.ask("reason") == "reason 1"
    assert numbers(kernel.ask("stack"))[0] > 500
