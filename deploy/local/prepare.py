"""Makes the environment of the project; runs on a bare Python 3.11+, before anything is installed.

Python packages come from requirements.lock through uv, Kafka and PostgreSQL through Maven, both
at the same time. When nothing has changed since the last time, it does nothing.
"""

import hashlib
import os
import re
import subprocess
import sys
import time
import tomllib
import venv
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
VENV = PROJECT / ".venv"
LOCK = PROJECT / "requirements.lock"
CACHE = PROJECT / ".cache"
STAMP = VENV / "peyvand-stamp"
PYTHON = VENV / "bin" / "python"
PIP_PLACES = ("global", "site", "user", ":env:")


def main() -> int:
    """Prepare what is not prepared; the exit status."""
    if is_current():
        return 0
    began = time.monotonic()
    say("servers: Kafka and PostgreSQL through Maven (beside what follows)")
    servers = start_fetching()
    try:
        make_environment()
    except subprocess.CalledProcessError as failure:
        servers.kill()
        say(f"failed: {' '.join(map(str, failure.cmd))}")
        return 1
    finally:
        servers.wait()
    # says what went wrong if the fetching did, and makes the archive of Kafka's classes
    if subprocess.run([PYTHON, "-m", "cluster", "setup"], check=False).returncode != 0:
        return 1
    install_hook()
    STAMP.write_text(expected_stamp())
    say(f"ready in {time.monotonic() - began:.0f} s")
    return 0


def is_current() -> bool:
    """Whether the environment and the servers are those that the project names."""
    stamped = STAMP.exists() and STAMP.read_text() == expected_stamp()
    return stamped and PYTHON.exists() and (CACHE / "servers" / "stamp").exists()


def expected_stamp() -> str:
    """What decides the environment: this Python, the locks, the members and where they lie."""
    seen = hashlib.sha256(f"{sys.version}\n{PROJECT}\n".encode())
    local = PROJECT / "deploy" / "local"
    for path in (
        LOCK,
        local / "pom.xml",
        local / "servers.sha256",
        *(member / "pyproject.toml" for member in members()),
    ):
        seen.update(path.read_bytes())
    return seen.hexdigest()


def members() -> list[Path]:
    """The packages of the workspace, as pyproject.toml lists them."""
    settings = tomllib.loads((PROJECT / "pyproject.toml").read_text())
    patterns = settings["tool"]["uv"]["workspace"]["members"]
    folders = [path for pattern in patterns for path in sorted(PROJECT.glob(pattern))]
    return [path for path in folders if (path / "pyproject.toml").exists()]


def start_fetching() -> subprocess.Popen[bytes]:
    """Fetch the servers beside the packages: it needs nothing that is not in Python itself."""
    source = os.environ | {"PYTHONPATH": str(PROJECT / "deploy" / "local")}
    return subprocess.Popen(
        [sys.executable, "-m", "cluster.fetch"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        env=source,
    )


def make_environment() -> None:
    """A fresh .venv with exactly the packages of the lock, and the members editable."""
    if not runs_this_python():
        say("Python environment: .venv")
        venv.create(VENV, clear=True, with_pip=True)
    if not has_uv():
        pin = uv_pin()
        say(f"uv {pin.partition(' ')[0].partition('==')[2]}")
        requirements = VENV / "uv.requirements"
        requirements.write_text(pin + "\n")
        run(PYTHON, "-m", "pip", "install", "--quiet", "--require-hashes", "-r", requirements)
    say("packages of requirements.lock")
    follow_pip()
    run(uv(), "pip", "sync", "--quiet", "--require-hashes", "--python", PYTHON, LOCK)
    say("the project's own packages")
    editable = [part for member in members() for part in ("--editable", str(member))]
    offline = ("--no-deps", "--no-build-isolation", "--offline")
    run(uv(), "pip", "install", "--quiet", "--python", PYTHON, *offline, *editable)


def follow_pip() -> None:
    """Let uv use the index and the certificates that this machine has configured for pip."""
    completed = subprocess.run(
        [PYTHON, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False
    )
    options = dict(line.split("=", 1) for line in completed.stdout.splitlines() if "=" in line)
    for key, variable in (("index-url", "UV_DEFAULT_INDEX"), ("cert", "SSL_CERT_FILE")):
        values = [options[f"{place}.{key}"] for place in PIP_PLACES if f"{place}.{key}" in options]
        if values:
            os.environ.setdefault(variable, values[-1].strip("'"))


def runs_this_python() -> bool:
    """Whether .venv exists and was made by the Python that runs this."""
    if not PYTHON.exists():
        return False
    completed = subprocess.run(
        [PYTHON, "-c", "import sys; print(sys.version)"],
        capture_output=True,
        text=True,
        check=False,
    )
    return completed.stdout.strip() == sys.version


def has_uv() -> bool:
    """Whether the uv of the lock is there already."""
    version = uv_pin().partition(" ")[0].partition("==")[2]
    if not uv().exists():
        return False
    completed = subprocess.run([uv(), "--version"], capture_output=True, text=True, check=False)
    return completed.stdout.split()[1:2] == [version]


def uv() -> Path:
    """The installer of the lock, inside the environment."""
    return VENV / "bin" / "uv"


def uv_pin() -> str:
    """The lines of the lock that pin uv, with their hashes, as one line."""
    match = re.search(r"^uv==(?:.*\\\n)*.*$", LOCK.read_text(), re.MULTILINE)
    if match is None:
        raise SystemExit("requirements.lock does not name uv")
    return match[0].replace("\\\n", " ")


def install_hook() -> None:
    """Checks before each commit of a checkout, and of its message; elsewhere nothing to do."""
    hooks = [PROJECT / ".git" / "hooks" / name for name in ("pre-commit", "commit-msg")]
    if os.environ.get("CI") or not (PROJECT / ".git").is_dir() or all(h.exists() for h in hooks):
        return
    command = [VENV / "bin" / "pre-commit", "install"]
    subprocess.run(command, cwd=PROJECT, capture_output=True, check=False)


def run(*command: str | Path) -> None:
    """Run a command of the set-up; its own output is shown."""
    subprocess.run(command, cwd=PROJECT, stdin=subprocess.DEVNULL, check=True)


def say(text: str) -> None:
    """One line of progress."""
    sys.stdout.write(f"setup: {text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
