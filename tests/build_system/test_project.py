# SPDX-License-Identifier: Apache-2.0
"""Target, version, components, manifests and configuration of a project."""

import subprocess

import pytest


# --- folders and targets ---

def test_folder_without_cmakelists_is_no_project(project):
    (project.folder / "CMakeLists.txt").unlink()
    assert "no CMakeLists.txt" in project.build(status=1)


def test_build_folder_must_not_be_the_project_folder(project):
    assert "must not be the project folder" in project.build("-B", project.folder, status=1)


def test_build_folder_of_another_project_is_refused(project, make_project):
    project.build()
    other = make_project("other")
    assert "build folder of another project" in other.build("-B", project.out, status=1)


def test_target_defaults_to_linux(project):
    project.build()
    assert project.description()["target"] == "linux"
    assert project.config()["IDF_TARGET_LINUX"] is True
    assert project.config()["IDF_FIRMWARE_CHIP_ID"] in ("0xA105", 0xA105)


def test_unknown_target_is_named_with_those_there_are(project):
    output = project.build("-D", "IDF_TARGET=esp99", status=1)
    assert "No board 'esp99'" in output and "linux" in output


def test_targets_that_disagree_are_an_error_with_both_names(project):
    project.write("sdkconfig", 'CONFIG_IDF_TARGET="sifive_u"\n')
    output = project.build(env={"IDF_TARGET": "linux"}, status=1)
    assert "'linux'" in output and "'sifive_u'" in output


def test_failed_first_configuration_leaves_no_cache_behind(project):
    project.cmakelists(between="message(FATAL_ERROR stop)")
    project.build(status=1)
    assert not (project.out / "CMakeCache.txt").exists()
    project.cmakelists()
    project.build()


def test_a_configuration_leaves_nothing_in_the_temporary_folder(project, tmp_path):
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    project.build(env={"TMPDIR": str(temporary)})
    assert list(temporary.iterdir()) == []


# --- version ---

def git(project, *words):
    subprocess.run(["git", "-c", "user.name=t", "-c", "user.email=t@t", *words], check=True,
                   cwd=project.folder, stdout=subprocess.DEVNULL)


def test_variable_beats_version_txt(project):
    project.cmakelists(before='set(PROJECT_VER "3.1-var")', project="small VERSION 2.0")
    project.build()
    assert project.description()["project_version"] == "3.1-var"


def test_version_txt_beats_the_argument_of_project(project):
    project.cmakelists(project="small VERSION 2.0")
    project.build()
    assert project.description()["project_version"] == "7"


def test_argument_of_project_beats_git(project):
    (project.folder / "version.txt").unlink()
    project.cmakelists(project="small VERSION 2.0")
    git(project, "init", "-q")
    git(project, "commit", "-q", "--allow-empty", "-m", "x")
    git(project, "tag", "v9")
    project.build()
    assert project.description()["project_version"] == "2.0"
    project.cmakelists()
    project.build()
    assert project.description()["project_version"].startswith("v9")


def test_version_is_1_when_nobody_knows(project):
    (project.folder / "version.txt").unlink()
    project.build()
    assert project.description()["project_version"] == "1"


def test_configured_version_beats_all(project):
    project.cmakelists(before='set(PROJECT_VER "3.1-var")')
    project.write("sdkconfig.defaults",
                  'CONFIG_APP_PROJECT_VER_FROM_CONFIG=y\nCONFIG_APP_PROJECT_VER="conf"\n')
    project.build()
    assert project.description()["project_version"] == "conf"


def test_edited_version_txt_is_noticed(project):
    project.build()
    project.write("version.txt", "8\n")
    project.build()
    assert project.description()["project_version"] == "8"


def test_version_given_on_the_command_line(project):
    project.build("-D", "PROJECT_VER=5", "partition-table")
    assert project.description()["project_version"] == "5"
    project.build("-D", "PROJECT_VER=6", "partition-table")
    assert project.description()["project_version"] == "6"


# --- components ---

def test_minimal_build_takes_what_main_needs(project):
    project.write("main/CMakeLists.txt",
                  'idf_component_register(SRCS "main.c" PRIV_REQUIRES nvs_flash)\n')
    project.build()
    components = project.description()["build_components"]
    assert "nvs_flash" in components and "esp_partition" in components
    assert "esp_https_ota" not in components


def test_every_component_is_built_without_it(project):
    project.cmakelists(between="")
    project.build()
    assert {"esp_https_ota", "nvs_flash"} <= set(project.description()["build_components"])


def test_requirement_nobody_knows_is_named(project):
    project.write("main/CMakeLists.txt",
                  'idf_component_register(SRCS "main.c" REQUIRES no_such_thing)\n')
    output = " ".join(project.build(status=1).split())
    assert ("Failed to resolve component 'no_such_thing' required by component 'main': unknown "
            "name.") in output


def test_component_that_does_not_register_cannot_be_required(project):
    project.write("components/shy/CMakeLists.txt", "return()\n")
    project.write("main/CMakeLists.txt",
                  'idf_component_register(SRCS "main.c" REQUIRES shy)\n')
    output = " ".join(project.build(status=1).split())
    assert "component 'shy' required by component 'main': component not registered." in output


def test_projects_own_component_replaces_an_extra_one(project, tmp_path):
    for place in ("extra/thing", "project/components/thing"):
        project.write(tmp_path / place / "CMakeLists.txt", "idf_component_register()\n")
    project.cmakelists(before=f'set(EXTRA_COMPONENT_DIRS "{tmp_path}/extra")', between="")
    project.build()
    info = project.description()["build_component_info"]["thing"]
    assert info["dir"] == str(project.folder / "components/thing")
    assert info["type"] == "CONFIG_ONLY"


def test_missing_component_folder_is_fatal(project):
    project.cmakelists(before='set(EXTRA_COMPONENT_DIRS "/no/such/folder")')
    assert "'/no/such/folder' does not exist" in project.build(status=1)


def test_configuration_and_properties_are_seen_where_the_manual_says(project):
    project.write("main/CMakeLists.txt", """
if(CMAKE_BUILD_EARLY_EXPANSION AND DEFINED CONFIG_IDF_TARGET)
    message(FATAL_ERROR "configuration in pass 1")
endif()
idf_component_register(SRCS "main.c" EMBED_TXTFILES ${project_dir}/version.txt)
idf_build_get_property(dir PROJECT_DIR)
if(NOT dir STREQUAL project_dir OR NOT CONFIG_IDF_TARGET STREQUAL "linux"
   OR NOT COMPONENT_LIB STREQUAL "__idf_main" OR NOT FROM_INCLUDE)
    message(FATAL_ERROR "pass 2: '${dir}' '${CONFIG_IDF_TARGET}' '${COMPONENT_LIB}'")
endif()
target_compile_options(${COMPONENT_LIB} PRIVATE -Wno-unused)
""")
    project.write("main/project_include.cmake", """
if(NOT COMPONENT_NAME STREQUAL "main" OR NOT CONFIG_IDF_TARGET OR NOT IDF_VER)
    message(FATAL_ERROR "project_include: '${COMPONENT_NAME}' '${CONFIG_IDF_TARGET}'")
endif()
set(FROM_INCLUDE 1)
""")
    project.build()


# --- manifests ---

def test_path_dependency_joins_the_build(project):
    project.write("shared/helper/CMakeLists.txt", "idf_component_register()\n")
    project.write("shared/helper/idf_component.yml",
                  "dependencies:\n  second:\n    path: ../second\n")
    project.write("shared/second/CMakeLists.txt", "idf_component_register()\n")
    project.write("main/idf_component.yml", """dependencies:
  idf: ">=5.0"
  helper:
    path: $MY_FOLDER/helper
  not_here:
    path: ../nowhere
    rules:
      - if: "target != linux"
  espressif/ethernet_init:
    version: "*"
""")
    output = project.build("-v", "partition-table",
                           env={"MY_FOLDER": str(project.folder / "shared")})
    components = project.description()["build_components"]
    assert "helper" in components and "second" in components
    assert "espressif/ethernet_init drives hardware" in output


@pytest.mark.parametrize("text,message", [
    ("dependencies:\n  espressif/mdns: '*'\n", "espressif/mdns would have to be downloaded"),
    ("dependencies:\n  idf: '>=99'\n", "needs ESP-IDF >=99"),
    ("dependencies:\n  x:\n    path: ../nowhere\n", "no component at"),
    ("dependencies:\n  x:\n    path: $NOT_SET_ANYWHERE/x\n", "NOT_SET_ANYWHERE is not set"),
    ("dependencies: [\n", "idf_component.yml"),
], ids=["registry", "version", "path", "variable", "syntax"])
def test_manifest_mistakes_are_told(project, text, message):
    project.write("main/idf_component.yml", text)
    assert message in project.build(status=1)


def test_manifests_can_be_switched_off(project):
    project.write("main/idf_component.yml", "dependencies:\n  espressif/mdns: '*'\n")
    assert "ignored in: main" in project.build(env={"IDF_COMPONENT_MANAGER": "0"})


# --- configuration ---

def test_later_defaults_override_and_target_files_come_after_theirs(project):
    project.write("a", "CONFIG_LOG_DEFAULT_LEVEL_ERROR=y\nCONFIG_FREERTOS_HZ=200\n")
    project.write("a.linux", "CONFIG_FREERTOS_HZ=300\n")
    project.write("a.sifive_u", "CONFIG_FREERTOS_HZ=999\n")
    project.write("b", "CONFIG_LOG_DEFAULT_LEVEL_WARN=y\n")
    project.build(env={"SDKCONFIG_DEFAULTS": "a;b"})
    assert project.config()["FREERTOS_HZ"] == 300
    assert project.config()["LOG_DEFAULT_LEVEL"] == 2


def test_sdkconfig_wins_over_edited_defaults(project):
    project.write("sdkconfig.defaults", "CONFIG_FREERTOS_HZ=200\n")
    project.build()
    sdkconfig = project.folder / "sdkconfig"
    sdkconfig.write_text(sdkconfig.read_text().replace("CONFIG_FREERTOS_HZ=200",
                                                       "CONFIG_FREERTOS_HZ=250"))
    project.write("sdkconfig.defaults", "CONFIG_FREERTOS_HZ=400\n")
    project.build()
    assert project.config()["FREERTOS_HZ"] == 250


def test_missing_defaults_file_is_fatal(project):
    output = project.build(env={"SDKCONFIG_DEFAULTS": "nowhere"}, status=1)
    assert "nowhere" in output and "does not exist" in output


def test_unknown_options_in_defaults_are_told_and_not_fatal(project):
    project.write("sdkconfig.defaults", "CONFIG_NO_SUCH_OPTION=y\n")
    assert "NO_SUCH_OPTION" in project.build()


def test_options_of_components_are_where_the_manual_says(project):
    project.write("main/Kconfig.projbuild", 'menu "Mine"\nconfig MINE\n    int "mine"\n'
                                            "    default 5\nendmenu\n")
    project.build()
    assert project.config()["MINE"] == 5
    header = (project.out / "config/sdkconfig.h").read_text()
    assert "#define CONFIG_MINE 5" in header
    assert "CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE" not in header
    project.write("main/Kconfig.projbuild", 'config MINE\n    int "mine"\n    default 6\n')
    project.build(env={"KCONFIG_DEFAULTS_POLICY": "kconfig"})
    assert project.config()["MINE"] == 6
