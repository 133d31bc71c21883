"""Setting up: what a machine lacks is said in one line, and the lock pins its installer."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cluster import paths

CHECK = paths.LOCAL / "check-machine"
TOOLS = ("sh", "sed", "head", "id", "expr")
PYTHON_3_12 = "exit 0"
PYTHON_3_9 = "exit 1"  # what the question after the version comes to
PYTHON_WITHOUT_VENV = 'case "$2" in *ensurepip*) exit 1;; *) exit 0;; esac'
JAVA_17 = """echo 'openjdk version "17.0.15" 2025-04-15' >&2"""
JAVA_11 = """echo 'openjdk version "11.0.2" 2019-01-15' >&2"""


def check(folder: Path, **programs: str) -> subprocess.CompletedProcess[str]:
    """Run the check on a machine that has these programs and the bare tools of a shell."""
    for tool in TOOLS:
        real = shutil.which(tool)
        assert real is not None
        (folder / tool).symlink_to(real)
    for name, script in programs.items():
        path = folder / name.replace("_", "-")
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
    return subprocess.run(
        [shutil.which("sh") or "sh", str(CHECK)],
        env={"PATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_machine_with_all_three_is_told_its_python(tmp_path):
    done = check(tmp_path, python3=PYTHON_3_12, java=JAVA_17, mvn="exit 0")
    assert (done.returncode, done.stdout, done.stderr) == (0, "python3\n", "")


@pytest.mark.parametrize(
    ("programs", "missing", "packages"),
    [
        ({"java": JAVA_17, "mvn": "exit 0"}, "Python 3.11+", "python3.11-venv"),
        ({"python3": PYTHON_3_9, "java": JAVA_17, "mvn": ":"}, "Python 3.11+", "python3.11-venv"),
        ({"python3": PYTHON_WITHOUT_VENV, "java": JAVA_17, "mvn": ":"}, "venv", "python3-venv"),
        ({"python3": PYTHON_3_12, "mvn": "exit 0"}, "a JDK 17+", "openjdk-17-jdk-headless"),
        ({"python3": PYTHON_3_12, "java": JAVA_11, "mvn": ":"}, "a JDK 17+", "openjdk-17"),
        ({"python3": PYTHON_3_12, "java": JAVA_17}, "Maven", "maven"),
        ({}, "Python 3.11+, a JDK 17+, Maven", "python3.11-venv openjdk-17-jdk-headless maven"),
    ],
)
def test_what_a_machine_lacks_is_one_line_with_the_command_of_apt(
    tmp_path, programs, missing, packages
):
    done = check(tmp_path, **programs, apt_get="exit 0", apt_cache="exit 0")
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert missing in done.stderr
    assert "apt install" in done.stderr
    assert packages in done.stderr


def test_each_packager_is_named_where_it_is_at_home(tmp_path):
    fedora, mac = tmp_path / "fedora", tmp_path / "mac"
    fedora.mkdir()
    mac.mkdir()
    assert "dnf install python3.11" in check(fedora, dnf="exit 0").stderr
    assert "brew install python openjdk maven" in check(mac).stderr


def test_make_says_first_what_is_missing(tmp_path):
    make = shutil.which("make")
    assert make is not None
    check(tmp_path)  # lays out the bare tools
    done = subprocess.run(
        [make, "-C", str(paths.PROJECT), "setup"],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert done.stderr.splitlines()[0].startswith("missing: Python 3.11+")


def test_the_lock_pins_its_own_installer_with_hashes():
    script = "import prepare; print(prepare.uv_pin()); print(len(prepare.members()))"
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ | {"PYTHONPATH": str(paths.LOCAL)},
        capture_output=True,
        text=True,
        check=True,
    )
    pin, members = done.stdout.splitlines()
    assert pin.startswith("uv==")
    assert "--hash=sha256:" in pin
    assert int(members) >= 11


def test_neither_lock_nor_pom_names_an_address():
    for path in (paths.PROJECT / "requirements.lock", paths.LOCAL / "servers.sha256"):
        assert "://" not in path.read_text()
    assert "<repositor" not in (paths.LOCAL / "pom.xml").read_text()
