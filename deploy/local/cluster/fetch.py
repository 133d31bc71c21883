"""Fetches Kafka and PostgreSQL with plain Maven and verifies them against servers.sha256."""

import hashlib
import io
import lzma
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Any

from cluster import lockfile, paths

POM = paths.LOCAL / "pom.xml"
HASHES = paths.LOCAL / "servers.sha256"
LOCK_WAIT_S = 600.0
ARCHIVE_PREFIX = "embedded-postgres-binaries-"


class BadServers(Exception):
    """What was fetched is not what the project's list of hashes names."""


def fetch() -> Path:
    """The folder with kafka/*.jar and postgres/{bin,lib,share}; fetched when it is not there.

    The second call costs a read of two small files. Two at a time wait for one another.
    """
    if is_current():
        return paths.SERVERS
    with lockfile.held(paths.CACHE / "servers.lock", wait_s=LOCK_WAIT_S):
        if not is_current():
            _fetch_anew()
    return paths.SERVERS


def is_current() -> bool:
    """Whether what is there is what the project wants."""
    stamp = paths.SERVERS / "stamp"
    return stamp.exists() and stamp.read_text() == _expected_stamp()


def _expected_stamp() -> str:
    """What decides the fetched files: the list of artifacts and the list of hashes."""
    return hashlib.sha256(POM.read_bytes() + HASHES.read_bytes()).hexdigest()


def _fetch_anew() -> None:
    fresh = paths.CACHE / "servers.new"
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    _run_maven(fresh)
    archive = _verify(fresh)
    _unpack(archive, fresh / "postgres")
    archive.unlink()
    (fresh / "stamp").write_text(_expected_stamp())
    shutil.rmtree(paths.SERVERS, ignore_errors=True)
    fresh.rename(paths.SERVERS)


def _run_maven(target: Path) -> None:
    command = ["mvn", "--batch-mode", "--quiet", "--file", str(POM), "package"]
    done = subprocess.run(
        [*command, f"-Dservers.folder={target}"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise BadServers(f"Maven could not fetch the servers:\n{done.stdout[-3000:]}")


def _verify(folder: Path) -> Path:
    """Compare every file with the list; the path of this machine's PostgreSQL archive."""
    lines = HASHES.read_text().splitlines()
    digests = {name: digest for digest, name in (line.split() for line in lines)}
    fetched = {path.name: path for path in folder.glob("*/*.jar")}
    for name, path in fetched.items():
        if hashlib.sha256(path.read_bytes()).hexdigest() != digests.get(name):
            raise BadServers(f"{name} is not the file that {HASHES.name} names")
    archives = [path for name, path in fetched.items() if name.startswith(ARCHIVE_PREFIX)]
    missing = {name for name in digests if not name.startswith(ARCHIVE_PREFIX)} - set(fetched)
    if missing or len(archives) != 1:
        raise BadServers(f"Maven did not bring all servers; missing: {sorted(missing)}")
    return archives[0]


def _unpack(archive: Path, target: Path) -> None:
    with zipfile.ZipFile(archive) as jar:
        inner = next(name for name in jar.namelist() if name.endswith(".txz"))
        content = lzma.decompress(jar.read(inner))
    # older Pythons know no filters; the archive was verified, so they add nothing it needs
    options: dict[str, Any] = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        tar.extractall(target, **options)  # noqa: S202
    for folder, _, files in os.walk(target):
        Path(folder).chmod(0o755)
        for name in files:
            path = Path(folder, name)
            if not path.is_symlink():
                path.chmod(0o755 if path.parent.name == "bin" else 0o644)


if __name__ == "__main__":
    sys.stdout.write(f"servers: {fetch()}\n")
