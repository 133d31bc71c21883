"""Locks on folders: held by an open file, so they end with the process that holds it."""

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

WAIT_STEP_S = 0.1


class Locked(Exception):
    """Somebody else holds the lock of a folder."""


def take(path: Path) -> IO[str]:
    """Lock a file at once, or raise Locked; whoever inherits the open file holds it too."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = path.open("a+")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as busy:
        handle.close()
        raise Locked(f"{path} is locked by another process") from busy
    return handle


@contextmanager
def held(path: Path, *, wait_s: float) -> Iterator[None]:
    """Hold a lock for a block; waits up to wait_s for whoever has it, then raises Locked."""
    deadline = time.monotonic() + wait_s
    while True:
        try:
            handle = take(path)
            break
        except Locked:
            if time.monotonic() > deadline:
                raise
            time.sleep(WAIT_STEP_S)
    try:
        yield
    finally:
        handle.close()
