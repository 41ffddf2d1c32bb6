# SPDX-License-Identifier: Apache-2.0
"""`airlift powercut`: what it finds, what it says about it, and that it can be replayed."""

import re
import shlex
import signal
import subprocess
import time
import xml.dom.minidom
from pathlib import Path

import pytest
from engine import PROJECT, build, captured, folder, report

from harness.board import WAIT

OWN = Path(__file__).parent / "own"


@pytest.fixture(scope="module")
def rollback():
    """The project with roll-back, built."""
    run = captured("rollback", "--list")
    assert run.returncode == 0, run.stdout
    return run.stdout


@pytest.fixture(scope="module")
def own():
    """A project with scenarios of its own, built; and the names of its scenarios."""
    run = captured("own", "--list", project=OWN)
    assert run.returncode == 0, run.stdout
    return run.stdout


def sweep(configuration, scenario, *arguments, project=PROJECT):
    file = folder(configuration) / f"{scenario}.json"
    file.unlink(missing_ok=True)
    run = captured(configuration, "--no-build", "--json", file, scenario, *arguments,
                   project=project)
    assert file.exists(), run.stdout
    return run, report(file)["scenarios"][0]


def replay_command(text):
    """The first command that replays a failure, as words behind the program's name."""
    match = re.search(r"replay: airlift (powercut .*)", text)
    assert match, text
    return shlex.split(match.group(1))


def test_an_update_survives_every_cut_and_every_operation_is_cut(rollback):
    run, scenario = sweep("rollback", "first-update")
    assert run.returncode == 0, run.stdout
    assert scenario["status"] == "swept"
    assert scenario["outcomes"]["held"] == scenario["cut_points"] == len(scenario["points"])
    count = scenario["operation_count"]
    assert count == len(scenario["operations"]) > 5
    for operation in range(1, count + 1):
        places = {point["point"].split(":")[1] for point in scenario["points"]
                  if point["operation"] == operation}
        assert {"before", "after"} < places and len(places) >= 5, operation
    # Either version may run after a cut, and every trial ends with an update that boots.
    assert {point["version"] for point in scenario["points"]} >= {2, 3}


def test_some_trials_are_cut_twice(rollback):
    _, scenario = sweep("rollback", "mark-valid", "--second", "1")
    twice = [point for point in scenario["points"] if point["point"].count(":") == 4]
    once = [point for point in scenario["points"] if point["point"].count(":") == 2]
    assert len(twice) > len(once) * 0.9
    assert {point["outcome"] for point in twice} == {"held"}


def test_the_record_and_the_firmware_itself_come_to_the_same(rollback):
    """The flash at a cut is made from a record of one run; --real runs the firmware up to it."""
    _, recorded = sweep("rollback", "mark-invalid", "--second", "0")
    _, real = sweep("rollback", "mark-invalid", "--second", "0", "--real")

    def results(scenario):
        return sorted((p["point"], p["outcome"], p["version"]) for p in scenario["points"])

    assert results(recorded) == results(real)


def test_a_seed_gives_the_same_sweep_again(rollback):
    def points(seed):
        _, scenario = sweep("rollback", "mark-valid", "--seed", seed)
        return sorted(p["point"] for p in scenario["points"])

    assert points("5") == points("5") != points("6")


def test_a_scenario_that_does_not_fit_is_skipped_and_says_why(rollback):
    run, scenario = sweep("rollback", "no-rollback")
    assert run.returncode == 0
    assert scenario["status"] == "skipped"
    assert "CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE is on" in scenario["reason"]
    assert re.search(r"no-rollback +skipped: CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE is on",
                     run.stdout)


def test_cuts_that_no_chip_survives_are_shown_and_are_no_failure(rollback):
    run, scenario = sweep("rollback", "partition-table")
    assert run.returncode == 0, run.stdout
    assert scenario["outcomes"]["nature"] > 0
    assert scenario["outcomes"]["brick"] == scenario["outcomes"]["lost"] == 0
    assert "not survivable by nature" in run.stdout
    # Only while the copy is written: staging, and everything before it, is survived.
    staged = max(o["number"] for o in scenario["operations"] if o["address"] > 0x20000)
    single = [p for p in scenario["points"] if p["point"].count(":") == 2]
    assert {p["outcome"] for p in single if p["operation"] <= staged} == {"held"}
    assert {p["outcome"] for p in single if p["operation"] > staged} >= {"nature"}


def test_strict_compatibility_loses_an_update_that_was_reported(tmp_path):
    """Without the journal a cut between erasing and writing a record loses it, as on the original:
    the tool must find that."""
    assert captured("strict", "--list").returncode == 0
    run, scenario = sweep("strict", "mark-valid", "--second", "0")
    assert run.returncode == 1, run.stdout
    lost = [p for p in scenario["points"] if p["outcome"] == "lost"]
    assert lost and all(p["text"] for p in lost)


def test_a_scenario_of_the_projects_own_is_swept(own):
    assert re.search(r"careful-setting +a setting that is written beside the old one", own)
    run, scenario = sweep("own", "careful-setting", project=OWN)
    assert run.returncode == 0, run.stdout
    assert scenario["outcomes"]["held"] == scenario["cut_points"] > 60


def test_a_planted_bug_is_found_and_its_command_replays_it(own):
    run, scenario = sweep("own", "careless-setting", project=OWN)
    assert run.returncode == 1
    assert scenario["outcomes"]["lost"] > 0
    assert scenario["outcomes"]["brick"] == 0
    words = replay_command(run.stdout)
    again = subprocess.run([build.tool(), *words, "--no-build"], text=True,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                           env=build.environment())
    assert again.returncode == 1, again.stdout
    assert re.search(r"lost: setting \d was reported, but it is \d", again.stdout)
    # The console of both.
    assert "2nd stage bootloader" in again.stdout
    assert "Loaded app from partition at offset 0x10000" in again.stdout
    assert "--- done: setting = " in again.stdout


def test_a_scenario_in_which_nothing_can_be_cut_is_no_success(own):
    run = captured("own", "--no-build", "idle", project=OWN)
    assert run.returncode == 1, run.stdout
    assert "idle" in run.stdout and "no flash operation: there is nothing to cut" in run.stdout


def test_a_firmware_that_erases_its_own_slot_bricks_the_board(own):
    run, scenario = sweep("own", "suicide", project=OWN)
    assert run.returncode == 1
    assert scenario["outcomes"]["brick"] > 0
    assert "nothing bootable" in run.stdout


def test_a_point_that_holds_replays_as_held(rollback):
    run = captured("rollback", "--no-build", "--replay", "first-update:1:50%:3")
    assert run.returncode == 0, run.stdout
    assert "--- held" in run.stdout


@pytest.mark.parametrize("point, message", [
    ("nonsense:1:before", "nonsense: no such scenario"),
    ("first-update:0:before", "must be OPERATION:WHERE"),
    ("first-update:1:sideways", "must be OPERATION:WHERE"),
    ("first-update:9999:before", "has only"),
])
def test_a_point_that_is_none_is_explained(rollback, point, message):
    run = captured("rollback", "--no-build", "--replay", point)
    assert run.returncode == 3
    assert message in run.stdout


@pytest.mark.parametrize("arguments", [
    ("--every", "0"), ("--jobs", "0"), ("--seeds", "x"), ("--board",), ("--until", "x"),
    ("--replay", "a:1", "first-update"), ("--nonsense",),
])
def test_a_wrong_command_line_is_refused(arguments):
    run = subprocess.run([build.tool(), "powercut", *arguments], stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT, text=True)
    assert run.returncode == 2, run.stdout
    assert "airlift" in run.stdout


def test_the_picture_is_svg_with_a_cell_for_each_outcome(rollback, tmp_path):
    picture = tmp_path / "a.svg"
    run = captured("rollback", "--no-build", "--svg", picture, "partition-table", "no-rollback")
    assert run.returncode == 0, run.stdout
    document = xml.dom.minidom.parse(str(picture))
    titles = [element.firstChild.data for element in document.getElementsByTagName("title")]
    assert any("not survivable by nature" in title for title in titles)
    assert any("held" in title for title in titles)
    texts = " ".join(element.firstChild.data for element in document.getElementsByTagName("text"))
    assert "partition-table" in texts and "skipped: " in texts and "bricked" in texts


def test_an_interrupted_sweep_says_what_it_has_found(rollback, tmp_path):
    file = tmp_path / "r.json"
    where = folder("rollback")
    process = subprocess.Popen(
        [build.tool(), "powercut", "-B", where / "build", "--no-build", "--json", file,
         "first-update", "nvs", "--seeds", "100"], stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, env=build.environment())
    for line in process.stdout:
        if line.startswith("first-update"):
            break
    process.send_signal(signal.SIGINT)
    rest = process.stdout.read()
    assert process.wait(WAIT) == 130, rest
    assert "interrupted: this is what was found so far" in rest
    found = report(file)
    assert found["interrupted"]
    assert [s["status"] for s in found["scenarios"]][0] == "swept"
    assert no_engine_left(where)


def no_engine_left(where):
    """Whether every process of that build's engine has ended; they may take a while to."""
    engine = str(where / "build" / "powercut" / "engine")
    deadline = time.monotonic() + WAIT
    while time.monotonic() < deadline:
        running = []
        for file in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                running.append(file.read_bytes().split(b"\0")[0].decode())
            except OSError:
                pass
        if engine not in running:
            return True
        time.sleep(0.1)
    return False


def test_a_project_without_updates_is_told_what_it_lacks(tmp_path):
    project = tmp_path / "hello"
    (project / "main").mkdir(parents=True)
    (project / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.22)\n"
        "include($ENV{IDF_PATH}/tools/cmake/project.cmake)\n"
        "idf_build_set_property(MINIMAL_BUILD ON)\nproject(hello)\n")
    (project / "main" / "CMakeLists.txt").write_text('idf_component_register(SRCS "main.c")\n')
    (project / "main" / "main.c").write_text("void app_main(void)\n{\n}\n")
    run = subprocess.run([build.tool(), "powercut", "-C", project], stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT, text=True,
                         env=build.environment(IDF_TARGET="linux"))
    assert run.returncode == 3, run.stdout
    assert "does not use the component app_update" in run.stdout


