"""Published checkpoints: read from a folder, their signatures checked, by shard."""

import re
from collections.abc import Iterator
from pathlib import Path

from verifier.checkpoints import Checkpoint, CheckpointRefused, key_of, read_checkpoint
from verifier.findings import Findings, Spot

Keys = dict[str, list[bytes]]  # by origin
KEYS_FILE = "verifier-keys.txt"
_SIGNED = re.compile(r"^— .*\n", re.MULTILINE)
_NOTE = re.compile(r"(?:[^\n]+\n){4}\n(?:— [^\n]+\n)+")


def keys_of(texts: list[str]) -> Keys:
    """Keys in the form name+id+base64, or files of them. Raises CheckpointRefused, OSError."""
    by_origin: Keys = {}
    for text in texts:
        lines = [text] if "+" in text else Path(text).read_text("utf-8").split("\n")
        for line in lines:
            if not line.strip():
                continue
            name, key = key_of(line.strip())
            origin, _, last = name.rpartition("/")
            keys = by_origin.setdefault(origin if origin and last.isdecimal() else name, [])
            if key not in keys:
                keys.append(key)
    return by_origin


def load(folder: Path, keys: Keys, findings: Findings) -> dict[int, list[Checkpoint]]:
    """Every checkpoint of a folder by shard, in order of size; a note that is none is a finding.

    A file has one or many, one after another. Raises OSError where the folder cannot be read.
    """
    by_shard: dict[int, list[Checkpoint]] = {}
    for path in sorted(folder.iterdir()):
        if not path.is_file() or path.name == KEYS_FILE:
            continue
        for line, note in notes(path.read_bytes().decode("utf-8", "replace")):
            try:
                checkpoint = _read(note, keys)
            except CheckpointRefused as error:
                spot = Spot("checkpoints", row=f"{path.name}, line {line}")
                findings.add(spot, f"{path.name}, from line {line}: {error}")
                continue
            by_shard.setdefault(checkpoint.shard, []).append(checkpoint)
    for of_shard in by_shard.values():
        of_shard.sort(key=lambda signed: signed.size)
    return by_shard


def notes(text: str) -> Iterator[tuple[int, str]]:
    """Notes of a file, each with its first line's number; other text is given as a note too.

    A piece that a crash cut off is skipped: at the end of the file, or ended by a tilde.
    """
    place = line = 0
    while place < len(text):
        whole = _NOTE.match(text, place)
        end = whole.end() if whole is not None else _end_of_junk(text, place)
        piece = text[place:end]
        torn = piece.endswith("~\n") or (end == len(text) and not _SIGNED.search(piece))
        if whole is not None or not torn:
            yield line + 1, piece
        line += piece.count("\n")
        place = end


def _end_of_junk(text: str, place: int) -> int:
    """Where the next note begins, or a torn piece ends."""
    while place < len(text):
        end = text.find("\n", place) + 1 or len(text)
        if text[place:end].endswith("~\n") or _NOTE.match(text, end):
            return end
        place = end
    return place


def _read(text: str, keys: Keys) -> Checkpoint:
    """The checkpoint, verified with any of the keys that may have signed it."""
    refused = CheckpointRefused("no key is known")
    for origin, keys_of_origin in keys.items():
        for key in keys_of_origin:
            try:
                return read_checkpoint(text, origin=origin, key=key)
            except CheckpointRefused as error:
                refused = error
    raise refused
