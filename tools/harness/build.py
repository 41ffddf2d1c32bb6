# SPDX-License-Identifier: Apache-2.0
"""Builds firmware for tests, benches and the demo, once for each variant, in build/e2e."""

import contextlib
import fcntl
import os
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WORK = ROOT / "build" / ("e2e-san" if os.environ.get("AIRLIFT_SAN") == "1" else "e2e")


def tool():
    """The airlift program under test."""
    default = ROOT / "build" / ("host-san" if os.environ.get("AIRLIFT_SAN") == "1" else "host")
    return Path(os.environ.get("AIRLIFT_TOOL", default / "airlift"))


def environment(**extra):
    env = dict(os.environ, IDF_PATH=str(ROOT), AIRLIFT_TOOL=str(tool()))
    env.update(extra)
    return env


@contextlib.contextmanager
def _only_one(folder):
    """Lets one test run at a time make what is in the folder."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with open(f"{folder}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def certificates(name="server", hosts=("127.0.0.1", "10.0.2.2", "localhost"), key="rsa2048"):
    """Folder with ca_cert.pem and ca_key.pem made by `airlift cert`, kept between runs."""
    folder = WORK / "certs" / name
    with _only_one(folder):
        if not (folder / "ca_key.pem").exists():
            folder.mkdir(exist_ok=True)
            names = [word for host in hosts for word in ("--name", host)]
            subprocess.run([tool(), "cert", *names, "--key", key, "--days", "3650", "--force",
                            "--out", folder], check=True, stdout=subprocess.DEVNULL)
    return folder


def trusting(name, *folders):
    """Folder whose ca_cert.pem holds the certificates of all folders: firmware built with it
    trusts each of them."""
    folder = WORK / "certs" / name
    folder.mkdir(parents=True, exist_ok=True)
    text = "".join((Path(other) / "ca_cert.pem").read_text() for other in folders)
    _write_if_different(folder / "ca_cert.pem", text)
    return folder


class Firmware:
    """A project built in its own folder; version(n) gives the image of that version."""

    def __init__(self, source, target="linux", name=None, config=(), certs=None):
        self.target = target
        self.project = WORK / target / (name or Path(source).name) / "project"
        self.build = self.project.parent / "build"
        self.images = self.project.parent / "images"
        self._sync(Path(source))
        if certs:
            folder = self.project / "server_certs"
            folder.mkdir(exist_ok=True)
            _copy_if_different(Path(certs) / "ca_cert.pem", folder / "ca_cert.pem")
        defaults = (Path(source) / "sdkconfig.defaults").read_text() if (
            Path(source) / "sdkconfig.defaults").exists() else ""
        wanted = defaults + "".join(f"{line}\n" for line in config)
        if os.environ.get("AIRLIFT_SAN") == "1":
            wanted += sanitizer_layout(self.project, wanted)
        if _write_if_different(self.project / "sdkconfig.defaults", wanted):
            (self.project / "sdkconfig").unlink(missing_ok=True)
            shutil.rmtree(self.images, ignore_errors=True)
        self.images.mkdir(parents=True, exist_ok=True)

    def _sync(self, source):
        self.project.mkdir(parents=True, exist_ok=True)
        for file in source.rglob("*"):
            part = file.relative_to(source)
            if file.is_dir() or part.parts[0] in ("build", "sdkconfig", "sdkconfig.defaults",
                                                  "server_certs", "version.txt"):
                continue
            (self.project / part).parent.mkdir(parents=True, exist_ok=True)
            _copy_if_different(file, self.project / part)

    def version(self, version):
        """Path of the image of this version, built now. Others that build the project at the same
        time wait, or the version would be theirs."""
        with _only_one(self.project.parent):
            return self._version(version)

    def _version(self, version):
        _write_if_different(self.project / "version.txt", f"{version}\n")
        run = subprocess.run([tool(), "build", "-C", self.project, "-B", self.build],
                             env=environment(IDF_TARGET=self.target), text=True,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if run.returncode != 0:
            raise AssertionError(f"build of {self.project} failed:\n{run.stdout[-6000:]}")
        name = next(line for line in (self.project / "CMakeLists.txt").read_text().splitlines()
                    if line.startswith("project(")).split("(")[1].split(")")[0].split()[0]
        image = self.images / f"{version}.bin"
        shutil.copyfile(self.build / f"{name}.bin", image)
        return image

    def flash(self, file):
        """Writes bootloader, table, blank otadata and the app built last into a flash file."""
        Path(file).unlink(missing_ok=True)
        Path(f"{file}.state").unlink(missing_ok=True)
        subprocess.run([tool(), "flash", "-B", self.build, "--flash", file], check=True,
                       stdout=subprocess.DEVNULL)
        return Path(file)


def sanitizer_layout(project, config):
    """Sanitised firmware is several times larger: same roles and names on a 32 MiB flash."""
    if "CONFIG_PARTITION_TABLE_CUSTOM=y" in config:
        for table in project.glob("*.csv"):
            table.write_text(table.read_text().replace("1M", "8M"))
        return "CONFIG_ESPTOOLPY_FLASHSIZE_32MB=y\n"
    if "CONFIG_PARTITION_TABLE_TWO_OTA=y" not in config:
        raise AssertionError("the sanitizer layout knows PARTITION_TABLE_TWO_OTA and custom tables")
    (project / "partitions_san.csv").write_text(
        "nvs,data,nvs,,0x4000\notadata,data,ota,,0x2000\nphy_init,data,phy,,0x1000\n"
        "factory,app,factory,,8M\nota_0,app,ota_0,,8M\nota_1,app,ota_1,,8M\n")
    return ("CONFIG_ESPTOOLPY_FLASHSIZE_32MB=y\nCONFIG_PARTITION_TABLE_CUSTOM=y\n"
            'CONFIG_PARTITION_TABLE_CUSTOM_FILENAME="partitions_san.csv"\n')


def _write_if_different(path, text):
    if path.exists() and path.read_text() == text:
        return False
    path.write_text(text)
    return True


def _copy_if_different(source, target):
    if not target.exists() or target.read_bytes() != source.read_bytes():
        shutil.copyfile(source, target)
