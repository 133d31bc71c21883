"""Signed checkpoints: reads the text form, checks the signature, compares two of one shard."""

import base64
import hashlib
import re
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from verifier.tree import EMPTY_ROOT

_SHAPE = re.compile(
    r"(?P<text>"
    r"(?P<name>(?P<origin>[^\s+\x00-\x1f]{1,200})/(?P<shard>0|[1-9][0-9]{0,4}))\n"
    r"(?P<size>0|[1-9][0-9]{0,18})\n"
    r"(?P<root>[A-Za-z0-9+/]{43}=)\n"
    r"time (?P<micros>0|[1-9][0-9]{0,18})\n"
    r")\n"
    r"(?P<signatures>(?:— [^\s+\x00-\x1f]+ [A-Za-z0-9+/]+={0,2}\n){1,64})"
)
_SIZE_MAX = (1 << 63) - 1
_MICROS_MAX = 253_402_300_799_999_999


class CheckpointRefused(Exception):
    """The text is no checkpoint, or the key did not sign it; the text has the reason."""


@dataclass(frozen=True)
class Checkpoint:
    """A shard's log at one size, as the ledger signed it. micros: of the signing, since 1970."""

    origin: str
    shard: int
    size: int
    root: bytes
    micros: int


def read_checkpoint(text: str, *, origin: str, key: bytes) -> Checkpoint:
    """A checkpoint of the ledger of this origin, signed with this Ed25519 key (its 32 bytes).

    Raises CheckpointRefused. Signatures of others are ignored.
    """
    note = _SHAPE.fullmatch(text)
    if note is None:
        raise CheckpointRefused(f"not a checkpoint: {_where(text)}")
    checkpoint = Checkpoint(
        note["origin"],
        int(note["shard"]),
        int(note["size"]),
        _decoded(note["root"]),
        int(note["micros"]),
    )
    if checkpoint.origin != origin:
        raise CheckpointRefused(f"a checkpoint of {checkpoint.origin}, not of {origin}")
    if checkpoint.size > _SIZE_MAX or checkpoint.shard > 32_767 or checkpoint.micros > _MICROS_MAX:
        raise CheckpointRefused("a number of the checkpoint is out of bounds")
    if checkpoint.size == 0 and checkpoint.root != EMPTY_ROOT:
        raise CheckpointRefused("an empty log has another root")
    _check_signatures(note, key)
    return checkpoint


def key_of(verifier_key: str) -> tuple[str, bytes]:
    """Name and 32 bytes of a key in the form name+id+base64. Raises CheckpointRefused."""
    name, _, rest = verifier_key.partition("+")
    stated, _, encoded = rest.partition("+")
    raw = _decoded(encoded)
    if not name or len(raw) != 33 or raw[0] != 1:
        raise CheckpointRefused("the key is not an Ed25519 key of the form name+id+base64")
    if key_id(name, raw[1:]).hex() != stated:
        raise CheckpointRefused("the key's id does not belong to its name and bytes")
    return name, raw[1:]


def key_id(name: str, key: bytes) -> bytes:
    """The four bytes by which a signature names its key (C2SP signed-note)."""
    return hashlib.sha256(b"%b\n\x01%b" % (name.encode(), key)).digest()[:4]


def _check_signatures(note: re.Match[str], key: bytes) -> None:
    own_id = key_id(note["name"], key)
    seen = 0
    for line in note["signatures"][:-1].split("\n"):
        _, name, encoded = line.split(" ")
        raw = _decoded(encoded)
        if name != note["name"] or raw[:4] != own_id:
            continue
        try:
            Ed25519PublicKey.from_public_bytes(key).verify(raw[4:], note["text"].encode())
        except InvalidSignature:
            raise CheckpointRefused(f"the signature of {name} is not over this text") from None
        seen += 1
    if not seen:
        raise CheckpointRefused(f"no signature of {note['name']} with the key given")


def _decoded(text: str) -> bytes:
    try:
        raw = base64.b64decode(text, validate=True)
    except ValueError:
        raise CheckpointRefused(f"not base64: {text[:60]}") from None
    if base64.b64encode(raw).decode() != text:
        raise CheckpointRefused(f"base64 with loose ends: {text[:60]}")
    return raw


def _where(text: str) -> str:
    """The first line that is not well formed."""
    expected = (
        (r"[^\s+\x00-\x1f]{1,200}/(0|[1-9][0-9]{0,4})", "the origin, a slash, the shard"),
        (r"0|[1-9][0-9]{0,18}", "the size in decimal"),
        (r"[A-Za-z0-9+/]{43}=", "the root in base64"),
        (r"time (0|[1-9][0-9]{0,18})", "the time in microseconds since 1970"),
        (r"", "a blank line"),
    )
    lines = text.split("\n")
    for number, (shape, words) in enumerate(expected, 1):
        line = lines[number - 1] if number <= len(lines) else None
        if line is None or not re.fullmatch(shape, line):
            return f"line {number} should be {words}"
    return "after the blank line, signatures: a dash, a name and base64, each line ended"
