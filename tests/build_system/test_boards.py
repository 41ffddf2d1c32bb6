# SPDX-License-Identifier: Apache-2.0
"""Several boards and several builds of one project; what a board needs and is not installed."""

import fcntl
import os
import shutil
import subprocess

import pytest

from harness import build
from harness.servers import await_line

MISSING_ELSEWHERE = ("riscv64-unknown-elf-", "qemu-system-")


def airlift(*words, status=0, **options):
    """Output of the program, which must end with this status."""
    run = subprocess.run([build.tool(), *words], text=True, stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT, **options)
    assert run.returncode == status, run.stdout
    return run.stdout


@pytest.fixture(scope="session")
def bare_path(tmp_path_factory):
    """A PATH with all programs but the second board's compiler and emulator."""
    folder = tmp_path_factory.mktemp("bin")
    for path in os.environ["PATH"].split(os.pathsep):
        for name in os.listdir(path) if os.path.isdir(path) else ():
            if not name.startswith(MISSING_ELSEWHERE) and not (folder / name).is_symlink():
                (folder / name).symlink_to(os.path.join(path, name))
    return dict(os.environ, PATH=str(folder))


# --- a board instead of a build folder ---

@pytest.mark.parametrize("board", ["linux", "sifive_u"])
def test_a_boards_name_is_a_build_of_its_own(project, board):
    if board == "sifive_u" and not shutil.which("riscv64-unknown-elf-gcc"):
        pytest.skip("apt-get install gcc-riscv64-unknown-elf")
    project.build("-B", board, "partition-table")
    project.out = project.folder / f"build-{board}"
    assert project.description()["target"] == board
    assert f'CONFIG_IDF_TARGET="{board}"' in (project.folder / f"sdkconfig.{board}").read_text()
    assert not (project.folder / "build").exists()
    assert not (project.folder / "sdkconfig").exists()
    # The project's own build is as ever, and none disturbs the other.
    project.build()
    project.build("-B", board, "partition-table")
    assert project.description()["target"] == board
    assert 'CONFIG_IDF_TARGET="linux"' in (project.folder / "sdkconfig").read_text()


def test_a_folder_of_a_boards_name_goes_first(project):
    (project.folder / "sifive_u").mkdir()
    airlift("build", "-B", "sifive_u", "partition-table", cwd=project.folder)
    project.out = project.folder / "sifive_u"
    assert project.description()["target"] == "linux"
    assert not (project.folder / "build-sifive_u").exists()


def test_a_name_that_is_no_board_is_a_folder(project):
    airlift("build", "-B", "esp32", "partition-table", cwd=project.folder)
    assert (project.folder / "esp32/partition_table").is_dir()


@pytest.mark.parametrize("board, pin, beyond", [("linux", 18, 32), ("sifive_u", 15, 16)])
def test_pins_are_those_the_board_has(project, board, pin, beyond):
    if board == "sifive_u" and not shutil.which("riscv64-unknown-elf-gcc"):
        pytest.skip("apt-get install gcc-riscv64-unknown-elf")
    project.write("sdkconfig.defaults", "CONFIG_BOOTLOADER_APP_TEST=y\n")
    project.build("-B", board, "partition-table")
    assert (f"CONFIG_BOOTLOADER_NUM_PIN_APP_TEST={pin}\n"
            in (project.folder / f"sdkconfig.{board}").read_text())
    out = airlift("gpio", "-B", board, str(beyond), "low", status=2, cwd=project.folder)
    assert f"{beyond}: " in out and f"0 to {beyond - 1}" in out
    (project.folder / f"build-{board}/flash.bin").touch()
    if board == "sifive_u":
        out = airlift("run", "-B", board, "--gpio", "18=0", status=1, cwd=project.folder)
        assert "--gpio: 18: the pins of a sifive_u board are 0 to 15" in out


def test_a_configuration_named_by_the_user_is_taken(project):
    project.build("-B", "linux", "-D", "SDKCONFIG=mine", "partition-table")
    assert (project.folder / "mine").exists()
    assert not (project.folder / "sdkconfig.linux").exists()


def test_flash_of_a_board_that_was_never_built_says_what_to_do(project):
    output = airlift("flash", "-C", project.folder, "-B", "sifive_u", status=1)
    assert "build-sifive_u" in output and "airlift build" in output


# --- several verbs ---

def test_verbs_after_b_are_done_one_after_the_other(project):
    project.write("main/main.c", '#include <stdio.h>\nvoid app_main(void)\n{\n    puts("up");\n}\n')
    output = airlift("-C", project.folder, "-B", "linux", "build", "flash", "run", "--until", "^up")
    assert output.rstrip().endswith("up")
    assert (project.folder / "build-linux/flash.bin").exists()
    # One that fails ends the row.
    project.write("main/main.c", "#error wrong\n")
    output = airlift("-C", project.folder, "-B", "linux", "build", "run", status=1)
    assert "#error wrong" in output and "rst:" not in output


def test_what_is_no_verb_of_a_board_is_the_argument_of_the_one_before(project):
    airlift("-C", project.folder, "build", "partition-table")
    assert (project.out / "partition_table/partition-table.bin").exists()


@pytest.mark.parametrize("words, told", [
    (["-B", "linux"], "which verb"),
    (["-B"], "-B"),
    (["-x", "build"], "-x"),
    (["-B", "linux", "fly"], "fly: no such verb"),
    (["-B", "linux", "image", "info"], "image: takes no -C or -B"),
])
def test_what_cannot_stand_there_is_named(words, told):
    assert told in airlift(*words, status=2)


# --- two builds at once ---

def test_a_build_waits_for_the_one_that_uses_its_folder(project):
    project.build()
    folder = os.open(project.out, os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_EX)
    waiting = subprocess.Popen([build.tool(), "build", "-C", project.folder, "partition-table"],
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    await_line(waiting.stdout, "another build is running there; waiting")
    assert waiting.poll() is None
    os.close(folder)
    output = waiting.communicate()[0].decode()
    assert waiting.returncode == 0, output
    assert "build complete" in output


def test_builds_at_once_leave_what_one_leaves(project):
    builds = [subprocess.Popen([build.tool(), "build", "-C", project.folder],
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT) for _ in range(3)]
    outputs = [one.communicate()[0].decode() for one in builds]
    assert [one.returncode for one in builds] == [0, 0, 0], "\n".join(outputs)
    assert sum("another build is running" in output for output in outputs) >= 1
    airlift("image", "info", project.out / "small.bin")


# --- what is missing is named with its package ---

def test_missing_compiler_names_its_packages(project, bare_path):
    output = airlift("build", "-C", project.folder, "-B", "sifive_u", status=1, env=bare_path)
    text = " ".join(output.split())
    assert "riscv64-unknown-elf-gcc, is missing" in text
    assert "gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf" in text


def test_missing_emulator_names_the_package_of_each_release(tmp_path, bare_path):
    build_dir = tmp_path / "build"
    (build_dir / "rom").mkdir(parents=True)
    (build_dir / "rom/rom.elf").write_bytes(b"")
    (build_dir / "project_description.json").write_text('{\n    "target": "sifive_u"\n}\n')
    airlift("erase-flash", "-B", build_dir, env=bare_path)
    output = airlift("run", "-B", build_dir, status=1, env=bare_path)
    assert "qemu-system-riscv32 is missing" in output
    assert "qemu-system-misc (Debian 12)" in output and "qemu-system-riscv (Debian 13)" in output
