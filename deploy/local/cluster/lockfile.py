"""Locks on folders: held by an open file, so they end with the process that holds it."""

import fcntl
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

WAIT_STEP_S = 0.05


class Locked(Exception):
    """Somebody else holds the lock of a folder."""


def take(path: Path, *, wait_s: float = 0.0) -> IO[str]:
    """Lock a file, waiting up to wait_s for whoever has it, or raise Locked.

    A process that inherits the open file holds the lock too.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + wait_s
    handle = path.open("a+")
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as busy:
            if time.monotonic() >= deadline:
                handle.close()
                raise Locked(f"{path} is locked by another process") from busy
            time.sleep(WAIT_STEP_S)
        else:
            return handle


@contextmanager
def held(path: Path, *, wait_s: float) -> Generator[None]:
    """Hold a lock for a block; waits up to wait_s for whoever has it, then raises Locked."""
    handle = take(path, wait_s=wait_s)
    try:
        yield
    finally:
        handle.close()
