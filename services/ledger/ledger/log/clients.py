"""Outside the database: the folder where checkpoints are published, and the signing key."""

import fcntl
import os
import re
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from kit.base import errors
from kit.base.settings import SettingsError
from kit.room import Resources

VERIFIER_KEYS: Final = "verifier-keys.txt"
WINDOW_BYTES: Final = 16_384  # several notes fit: one has three thousand bytes at most
_OTHERS_MODE: Final = 0o077
# A whole note: text, blank line, signatures. A note that a crash cut off has no such end.
_NOTE: Final = re.compile(
    rb"^[^\s+]+/[0-9]+\n([0-9]+)\n[A-Za-z0-9+/]{43}=\ntime [0-9]+\n\n"
    rb"(?:\xe2\x80\x94 [^\s+]+ [A-Za-z0-9+/]+={0,2}\n)+",
    re.MULTILINE,
)
_SPOILT: Final = b"~\n"  # ends a torn line so that it can never read as a note


class Unreadable(errors.Permanent):
    """A file of checkpoints has content, but no checkpoint at its end."""

    code = "unreadable-checkpoints"


def signing_key(path: Path) -> Ed25519PrivateKey:
    """The Ed25519 key of a PEM file that only its owner may read. Raises SettingsError."""
    try:
        if path.stat().st_mode & _OTHERS_MODE:
            raise SettingsError(f"{path} can be read by others: chmod 600")
        key = load_pem_private_key(path.read_bytes(), None)
    except (OSError, ValueError, TypeError) as error:
        if isinstance(error, SettingsError):
            raise
        raise SettingsError(f"{path} is no key in PEM without a password: {error}") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise SettingsError(f"{path} is not an Ed25519 key")
    return key


@dataclass(frozen=True, slots=True)
class Archive:
    """Signed checkpoints, one file a shard, notes by rising size; only added to.

    Every call touches the disk and belongs in a thread. Bytes after the last whole note of a file
    were cut off by a crash. They were never published, and are skipped for ever.
    """

    folder: Path

    def shards(self) -> list[int]:
        """Shards with a published checkpoint."""
        names = [path.stem for path in self.folder.glob("*.checkpoints")]
        return sorted(int(name) for name in names if name.isdigit())

    def last(self, shard: int) -> str | None:
        """The text of the latest checkpoint. Raises Unreadable."""
        try:
            with self._path(shard).open("rb") as file:
                return _last(file.fileno())
        except FileNotFoundError:
            return None

    def find(self, shard: int, size: int) -> str | None:
        """The text of the checkpoint at exactly this size: a search by halves."""
        try:
            with self._path(shard).open("rb") as file:
                return _find(file.fileno(), size)
        except FileNotFoundError:
            return None

    def append(self, shard: int, text: str, *, after: str | None) -> bool:
        """Add a checkpoint behind after, durably; False, and nothing added, behind any other.

        Raises Unreadable, and OSError of the disk.
        """
        with self._locked(self._path(shard)) as file:
            if _last(file) != after:
                return False
            end = os.fstat(file).st_size
            torn = bool(end) and os.pread(file, 1, end - 1) != b"\n"
            _write(file, (_SPOILT if torn else b"") + text.encode())
            return True

    def keep_key(self, line: str) -> None:
        """Write a verifier key beside the checkpoints, once."""
        with self._locked(self.folder / VERIFIER_KEYS) as file:
            known = os.pread(file, os.fstat(file).st_size, 0).decode().splitlines()
            if line not in known:
                _write(file, f"{line}\n".encode())

    def keys(self) -> list[str]:
        """Verifier keys ever used, in the order of their first use."""
        try:
            return (self.folder / VERIFIER_KEYS).read_text().splitlines()
        except FileNotFoundError:
            return []

    def _path(self, shard: int) -> Path:
        return self.folder / f"{shard}.checkpoints"

    @contextmanager
    def _locked(self, path: Path) -> Generator[int]:
        """The file, made where missing, locked against other writers."""
        self.folder.mkdir(parents=True, exist_ok=True)
        fresh = not path.exists()
        file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            if fresh:
                _sync_folder(self.folder)
            yield file
        finally:
            os.close(file)


def archive_of(opened: Resources) -> Archive | None:
    """The folder of this process's checkpoints, if it publishes any."""
    folder: str = opened.settings.checkpoint_folder
    return Archive(Path(folder)) if folder else None


def _last(file: int) -> str | None:
    end = os.fstat(file).st_size
    start = max(0, end - WINDOW_BYTES)
    notes = list(_NOTE.finditer(os.pread(file, end - start, start), min(start, 1)))
    if not notes and start:
        raise Unreadable("the last bytes of a file of checkpoints hold no checkpoint")
    return notes[-1].group().decode() if notes else None


def _find(file: int, size: int) -> str | None:
    """The note of a size; it begins at low or later, and before high."""
    low, high = 0, os.fstat(file).st_size
    while high - low > WINDOW_BYTES:
        middle = (low + high) // 2
        # one byte more before it, to recognise the beginning of a line
        note = _NOTE.search(os.pread(file, WINDOW_BYTES, middle - 1), 1)
        if note is None:
            raise Unreadable("a file of checkpoints holds a stretch without any")
        if int(note.group(1)) <= size:
            low = middle - 1 + note.start()
        else:
            high = middle
    for note in _NOTE.finditer(os.pread(file, high - low + WINDOW_BYTES, low)):
        if int(note.group(1)) == size:
            return note.group().decode()
    return None


def _write(file: int, content: bytes) -> None:
    if os.write(file, content) != len(content):
        raise OSError("the disk took a part of a checkpoint only")
    os.fsync(file)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
