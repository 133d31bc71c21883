"""Checkpoints that were published: read from a folder, their signatures checked, by shard."""

from pathlib import Path

from verifier.checkpoints import Checkpoint, CheckpointRefused, key_of, read_checkpoint
from verifier.findings import Findings, Spot

Keys = dict[str, list[bytes]]  # by origin


def keys_of(texts: list[str]) -> Keys:
    """Keys written name+id+base64, or files of such lines. Raises CheckpointRefused, OSError."""
    found: Keys = {}
    for text in texts:
        lines = [text] if "+" in text else Path(text).read_text("utf-8").split("\n")
        for line in lines:
            if not line.strip():
                continue
            name, key = key_of(line.strip())
            origin, _, last = name.rpartition("/")
            keys = found.setdefault(origin if origin and last.isdecimal() else name, [])
            if key not in keys:
                keys.append(key)
    return found


def load(folder: Path, keys: Keys, findings: Findings) -> dict[int, list[Checkpoint]]:
    """Every checkpoint of a folder by shard, in order of size; what is none is a finding.

    Raises OSError where the folder cannot be read.
    """
    found: dict[int, list[Checkpoint]] = {}
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        try:
            checkpoint = _read(path.read_text("utf-8"), keys)
        except (CheckpointRefused, UnicodeDecodeError) as error:
            findings.add(
                Spot("checkpoints", row=str(path.name)), f"{path.relative_to(folder)}: {error}"
            )
            continue
        found.setdefault(checkpoint.shard, []).append(checkpoint)
    for same in found.values():
        same.sort(key=lambda one: one.size)
    return found


def _read(text: str, keys: Keys) -> Checkpoint:
    """With any of the keys that may have signed it."""
    refused = CheckpointRefused("no key is known")
    for origin, given in keys.items():
        for key in given:
            try:
                return read_checkpoint(text, origin=origin, key=key)
            except CheckpointRefused as error:
                refused = error
    raise refused
