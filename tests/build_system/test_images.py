# SPDX-License-Identifier: Apache-2.0
"""What a build makes: embedded files, tables, images, files for flashing tools."""

import hashlib
import json
import subprocess

import pytest

from harness import build

MAIN = r"""
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "esp_app_desc.h"
#include "esp_system.h"

extern const char text_start[] asm("_binary_note_txt_start");
extern const char text_end[] asm("_binary_note_txt_end");
extern const char note_txt[];
extern const uint32_t note_txt_length;
extern const uint8_t blob_start[] asm("_binary_1_bin_start");
extern const uint8_t blob_end[] asm("_binary_1_bin_end");
extern const uint32_t _1_bin_length;

void app_main(void)
{
    printf("text %u %u %u %d [%s]\n", (unsigned)(text_end - text_start), (unsigned)note_txt_length,
           (unsigned)strlen(text_start), &note_txt[0] == &text_start[0], text_start);
    printf("blob %u %u %02x%02x%02x\n", (unsigned)(blob_end - blob_start),
           (unsigned)_1_bin_length, blob_start[0], blob_start[1], blob_start[2]);
    printf("app %s %s %s\n", esp_app_get_description()->project_name,
           esp_app_get_description()->version, esp_app_get_elf_sha256_str());
    printf("done\n");
    fflush(stdout);
}
"""


@pytest.fixture(scope="module")
def built(make_project):
    """One project built completely; tests that change it put it back."""
    project = make_project("images")
    project.write("main/CMakeLists.txt", 'idf_component_register(SRCS "main.c" '
                  'PRIV_REQUIRES esp_app_format EMBED_TXTFILES note.txt EMBED_FILES 1.bin)\n')
    project.write("main/main.c", MAIN)
    project.write("main/note.txt", "hello")
    project.write("main/1.bin", b"\x00\xff\x7f")
    project.write("sdkconfig.defaults",
                  "CONFIG_ESPTOOLPY_FLASHSIZE_4MB=y\nCONFIG_PARTITION_TABLE_TWO_OTA=y\n")
    project.output = project.build("all")
    return project


def run_board(project):
    flash = project.folder / "flash.bin"
    flash.unlink(missing_ok=True)
    subprocess.run([build.tool(), "flash", "-B", project.out, "--flash", flash], check=True,
                   stdout=subprocess.DEVNULL)
    run = subprocess.run([build.tool(), "run", "-B", project.out, "--flash", flash, "--timeout",
                          "180", "--until", "^done"], text=True, stdin=subprocess.DEVNULL,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert run.returncode == 0, run.stdout
    return run.stdout


def test_embedded_files_have_their_symbols_sizes_and_bytes(built):
    output = run_board(built)
    assert "text 6 5 5 1 [hello]" in output
    assert "blob 3 3 00ff7f" in output


def test_running_program_knows_its_name_version_and_elf_hash(built):
    elf = hashlib.sha256((built.out / "small.elf").read_bytes()).hexdigest()
    assert f"app small 7 {elf[:9]}" in run_board(built)


def test_all_files_of_a_build_are_there(built):
    for name in ("small.elf", "small.map", "small.bin", "bootloader/bootloader.elf",
                 "bootloader/bootloader.bin", "partition_table/partition-table.bin",
                 "ota_data_initial.bin", "flash_args", "flash_project_args", "app-flash_args",
                 "flash_app_args", "bootloader-flash_args", "flash_bootloader_args",
                 "partition-table-flash_args", "otadata-flash_args", "flasher_args.json",
                 "project_description.json", "config/sdkconfig.h", "config/sdkconfig.cmake",
                 "config/sdkconfig.json", "config/kconfig_menus.json", "config.env",
                 "kconfigs.in", "kconfigs_projbuild.in", "compile_commands.json"):
        assert (built.out / name).exists(), name
    assert (built.out / "ota_data_initial.bin").read_bytes() == b"\xff" * 0x2000
    assert "Project build complete. To flash, run:" in built.output


def test_flash_args_name_every_image_and_its_offset(built):
    lines = (built.out / "flash_args").read_text().split("\n")
    assert lines[0] == "--flash-mode dio --flash-freq 80m --flash-size 4MB"
    assert lines[1:5] == ["0x0 bootloader/bootloader.bin",
                          "0x8000 partition_table/partition-table.bin",
                          "0xd000 ota_data_initial.bin", "0x10000 small.bin"]


def test_flasher_args_say_the_same_for_programs(built):
    args = json.loads((built.out / "flasher_args.json").read_text())
    assert args["flash_files"] == {"0x0": "bootloader/bootloader.bin",
                                   "0x8000": "partition_table/partition-table.bin",
                                   "0xd000": "ota_data_initial.bin", "0x10000": "small.bin"}
    assert args["app"] == {"offset": "0x10000", "file": "small.bin", "encrypted": "false"}
    assert args["flash_settings"] == {"flash_mode": "dio", "flash_size": "4MB",
                                      "flash_freq": "80m"}
    assert args["extra_esptool_args"]["chip"] == "linux"


def test_second_build_does_nothing(built):
    before = (built.out / "small.bin").stat().st_mtime_ns
    output = built.build("all")
    assert (built.out / "small.bin").stat().st_mtime_ns == before
    assert "Linking" not in output


def test_changed_embedded_file_is_linked_in(built):
    built.write("main/note.txt", "other words")
    built.build("all")
    assert "text 12 11 11 1 [other words]" in run_board(built)
    built.write("main/note.txt", "hello")
    built.build("all")


def test_new_version_changes_the_image(built):
    built.write("version.txt", "8\n")
    built.build("all")
    assert "app small 8 " in run_board(built)
    built.write("version.txt", "7\n")
    built.build("all")


def test_application_larger_than_every_partition_ends_the_build(built):
    built.write("tiny.csv", "factory,app,factory,,32K\n")
    kept = (built.folder / "sdkconfig").read_text()
    built.write("sdkconfig", kept.replace("CONFIG_PARTITION_TABLE_TWO_OTA=y",
                                          "CONFIG_PARTITION_TABLE_CUSTOM=y")
                + 'CONFIG_PARTITION_TABLE_CUSTOM_FILENAME="tiny.csv"\n')
    output = built.build("all", status=1)
    assert "app partition is too small for binary small.bin" in output
    built.write("sdkconfig", kept)
    built.build("all")


def test_table_without_otadata_has_no_blank_image(project):
    project.build()
    assert "otadata" not in json.loads((project.out / "flasher_args.json").read_text())
    assert (project.out / "partition_table/partition-table.bin").stat().st_size == 0xC00


def test_table_larger_than_the_flash_ends_the_build(project):
    project.write("sdkconfig.defaults", "CONFIG_PARTITION_TABLE_TWO_OTA=y\n")
    output = project.build(status=1)
    assert "does not fit" in output and "2MB" in output


def test_missing_table_is_named_with_what_to_do(project):
    project.write("sdkconfig.defaults", "CONFIG_PARTITION_TABLE_CUSTOM=y\n")
    output = project.build(status=1)
    assert f"{project.folder}/partitions.csv does not exist" in output and "menuconfig" in output
    project.write("partitions.csv", "factory,app,factory,,1M\n")
    assert "factory,app,factory,0x10000,1M," in project.build()


def test_missing_certificate_is_named_with_the_command_that_makes_it(project):
    project.write("main/CMakeLists.txt", 'idf_component_register(SRCS "main.c" '
                  "EMBED_TXTFILES ../server_certs/ca_cert.pem)\n")
    output = project.build("__idf_main", status=1)
    assert "server_certs/ca_cert.pem: no such file" in output
    assert "airlift cert --name NAME --out" in output
    project.write("server_certs/ca_cert.pem", "-----BEGIN\n")
    project.build("__idf_main")


def test_two_embedded_files_of_one_name_are_refused(project):
    project.write("main/CMakeLists.txt", 'idf_component_register(SRCS "main.c" '
                  "EMBED_FILES ../version.txt x/version.txt)\n")
    project.write("main/x/version.txt", "1\n")
    assert "Two embedded files are called 'version.txt'" in project.build(status=1)


def test_anti_rollback_refuses_a_table_with_factory(project):
    project.write("sdkconfig.defaults", "CONFIG_ESPTOOLPY_FLASHSIZE_4MB=y\n"
                  "CONFIG_PARTITION_TABLE_TWO_OTA=y\nCONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE=y\n"
                  "CONFIG_BOOTLOADER_APP_ANTI_ROLLBACK=y\n")
    output = project.build("anti_rollback_table_factory", status=1)
    assert "the partition table has a factory app" in output


@pytest.mark.parametrize("size", ["", "0x1000", "0x2000"])
def test_anti_rollback_wants_a_partition_for_emulated_fuses(project, size):
    fuses = f"emul_efuse,data,efuse,,{size}\n" if size else ""
    project.write("partitions.csv", "nvs,data,nvs,,0x4000\notadata,data,ota,,0x2000\n" + fuses +
                  "ota_0,app,ota_0,,1M\nota_1,app,ota_1,,1M\n")
    project.write("sdkconfig.defaults", "CONFIG_ESPTOOLPY_FLASHSIZE_4MB=y\n"
                  "CONFIG_PARTITION_TABLE_CUSTOM=y\nCONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE=y\n"
                  "CONFIG_BOOTLOADER_APP_ANTI_ROLLBACK=y\n")
    output = project.build()
    assert ("emul_efuse, data, efuse, , 0x2000" in output) == (size != "0x2000")


def test_images_of_the_project_join_the_flash_files(project):
    project.write("sdkconfig.defaults",
                  "CONFIG_ESPTOOLPY_FLASHSIZE_4MB=y\nCONFIG_PARTITION_TABLE_TWO_OTA=y\n")
    project.cmakelists(after="""
partition_table_get_partition_info(offset "--partition-name nvs" offset)
partition_table_get_partition_info(size "-t app -s ota_1" size)
partition_table_get_partition_info(boot "--partition-boot-default" offset)
partition_table_get_partition_info(none "--partition-name nothing" offset)
if(NOT offset STREQUAL "0x9000" OR NOT size STREQUAL "0x100000" OR NOT boot STREQUAL "0x10000"
   OR NOT none STREQUAL "")
    message(FATAL_ERROR "partition info: '${offset}' '${size}' '${boot}' '${none}'")
endif()
esptool_py_flash_to_partition(flash nvs ${CMAKE_CURRENT_LIST_DIR}/nvs.bin)
""")
    project.build()
    assert "0x9000 ../nvs.bin" in (project.out / "flash_args").read_text()


NVS_CSV = """key,type,encoding,value
start,namespace,,
count,data,u16,513
text,file,string,text.txt
"""


def test_an_nvs_partition_is_made_of_a_table_and_flashed_with_the_project(project):
    project.write("sdkconfig.defaults",
                  "CONFIG_ESPTOOLPY_FLASHSIZE_4MB=y\nCONFIG_PARTITION_TABLE_TWO_OTA=y\n")
    project.write("main/values.csv", NVS_CSV)
    project.write("main/text.txt", "hello")
    project.write("main/CMakeLists.txt", """idf_component_register(SRCS "main.c" REQUIRES nvs_flash)
nvs_create_partition_image(nvs values.csv FLASH_IN_PROJECT DEPENDS text.txt)
""")
    project.build("nvs_nvs_bin")
    assert "0x9000 nvs.bin" in (project.out / "flash_args").read_text()

    def shown():
        return subprocess.run([build.tool(), "nvs", "show", project.out / "nvs.bin"], text=True,
                              check=True, stdout=subprocess.PIPE).stdout

    assert (project.out / "nvs.bin").stat().st_size == 0x4000
    assert "513" in shown() and '"hello"' in shown()
    project.write("main/text.txt", "other")
    project.build("nvs_nvs_bin")
    assert '"other"' in shown()
    project.write("main/values.csv", NVS_CSV.replace("513", "65536"))
    assert "not a whole number of type u16" in project.build("nvs_nvs_bin", status=1)


def test_an_nvs_image_for_no_partition_ends_the_build(project):
    project.write("sdkconfig.defaults",
                  "CONFIG_ESPTOOLPY_FLASHSIZE_4MB=y\nCONFIG_PARTITION_TABLE_TWO_OTA=y\n")
    project.write("main/CMakeLists.txt", """idf_component_register(SRCS "main.c" REQUIRES nvs_flash)
nvs_create_partition_image(settings values.csv VERSION 1)
""")
    output = project.build("nvs_settings_bin", status=1)
    assert "the partition table has no partition 'settings'" in output
