"""The logs of a cluster: bounded while they are written, and searched."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

BYTES_MAX: Final = 16 * 2**20  # of one file
OLDER: Final = 2  # files kept beside the one being written: 48 MB a process in all


def bound(folder: Path, *, bytes_max: int = BYTES_MAX) -> list[str]:
    """Turn every log that has grown too large; the names of those.

    A process goes on writing into the file it has open, so what is there is copied aside and the
    file emptied in place: a line that falls between the two, a moment, is the price.
    """
    turned: list[str] = []
    for path in sorted((folder / "logs").glob("*.log")):
        if path.stat().st_size <= bytes_max:
            continue
        for number in range(OLDER, 1, -1):
            before = _older(path, number - 1)
            if before.exists():
                before.replace(_older(path, number))
        shutil.copyfile(path, _older(path, 1))
        with path.open("r+b") as file:
            file.truncate(0)
        turned.append(path.name)
    return turned


def search(folder: Path, text: str) -> Iterator[tuple[str, str]]:
    """(process, line) of every line that holds a text, the oldest file of each process first."""
    for path in sorted((folder / "logs").glob("*.log")):
        files = [*(_older(path, number) for number in range(OLDER, 0, -1)), path]
        for file in files:
            if file.exists():
                with file.open(encoding="utf-8", errors="replace") as lines:
                    yield from ((path.stem, line.rstrip("\n")) for line in lines if text in line)


def _older(path: Path, number: int) -> Path:
    return path.with_name(f"{path.name}.{number}")
