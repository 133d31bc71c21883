"""Checkpoints of a shard's log: signed notes (C2SP tlog-checkpoint, signed-note) with Ed25519.

    peyvand.example/ledger/3
    20852163
    CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=
    time 1792000000000000

    — peyvand.example/ledger/3 Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+…

The origin line is the ledger's own origin and the shard, and it is the key's name too.
"""

from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from datetime import datetime, timedelta
from hashlib import sha256
from re import fullmatch
from typing import Final, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from msgspec import Struct

from contracts.values import micros
from kit.base import errors
from ledger.book.facts import BEGINNING
from ledger.log.domain.merkle import EMPTY_ROOT, HASH_BYTES

ORIGIN_LENGTH_MAX: Final = 200
NOTE_LENGTH_MAX: Final = 65_536
SIGNATURES_MAX: Final = 64
_SIZE_MAX: Final = 2**63 - 1
_SHARD_MAX: Final = 2**15 - 1
_MICROS_MAX: Final = 253_402_300_799_999_999  # the last of year 9999
_ED25519: Final = b"\x01"
_DASH: Final = "— "
_KEY_ID_BYTES: Final = 4
_ORIGIN: Final = r"[^\s+\x00-\x1f]+"
_NUMBER: Final = r"0|[1-9][0-9]{0,18}"


class BadCheckpoint(errors.Invalid):
    """The text is no checkpoint of this form, or is not signed by the expected key."""

    code = "bad-checkpoint"
    title = "Not a checkpoint"
    fa = "این متن نقطهٔ وارسی درست و امضاشده‌ای نیست."


class Checkpoint(Struct, frozen=True):
    """A shard's log at one size. origin: the ledger's; root: 32 bytes; at: when it was signed."""

    origin: str
    shard: int
    size: int
    root: bytes
    at: datetime


class Signature(NamedTuple):
    """One signature line: the key's name and id, and the algorithm's bytes."""

    name: str
    key_id: bytes
    signature: bytes


class Note(NamedTuple):
    """A checkpoint as read, not verified: text is what the signatures are over."""

    checkpoint: Checkpoint
    text: bytes
    signatures: tuple[Signature, ...]


def sign(checkpoint: Checkpoint, key: Ed25519PrivateKey) -> str:
    """The signed text, for publishing as it is. Raises BadCheckpoint on values out of bounds."""
    text = _text(checkpoint)
    name = line_of(checkpoint.origin, checkpoint.shard)
    signed = _key_id(name, key.public_key()) + key.sign(text.encode())
    return f"{text}\n{_DASH}{name} {b64encode(signed).decode()}\n"


def parse(text: str) -> Note:
    """A checkpoint with its signatures, none of them verified. Raises BadCheckpoint."""
    if len(text) > NOTE_LENGTH_MAX:
        raise BadCheckpoint(f"a checkpoint has at most {NOTE_LENGTH_MAX} characters")
    if any((ord(c) < 0x20 and c != "\n") or 0xD800 <= ord(c) <= 0xDFFF for c in text):
        raise BadCheckpoint("a checkpoint has no control character but the line feed")
    head, blank, tail = text.rpartition("\n\n")
    if not blank or not tail.endswith("\n"):
        raise BadCheckpoint("a blank line, signature lines and a final line feed are missing")
    body = f"{head}\n"
    lines = tail[:-1].split("\n")
    if len(lines) > SIGNATURES_MAX:
        raise BadCheckpoint(f"a checkpoint has at most {SIGNATURES_MAX} signatures")
    signatures = tuple(_signature(number, line) for number, line in enumerate(lines, 1))
    return Note(_checkpoint(head.split("\n")), body.encode(), signatures)


def verify(text: str, *, origin: str, key: Ed25519PublicKey) -> Checkpoint:
    """The checkpoint, signed by the ledger of this origin with this key. Raises BadCheckpoint.

    Signatures of others, such as witnesses, are ignored.
    """
    note = parse(text)
    if note.checkpoint.origin != origin:
        raise BadCheckpoint(f"line 1: a checkpoint of {note.checkpoint.origin!r}, not {origin!r}")
    name = line_of(origin, note.checkpoint.shard)
    known = (name, _key_id(name, key))
    own = [
        signature for signature in note.signatures if (signature.name, signature.key_id) == known
    ]
    if not own:
        raise BadCheckpoint(f"no signature of {name!r} with the key given")
    for signature in own:
        try:
            key.verify(signature.signature, note.text)
        except InvalidSignature as error:
            raise BadCheckpoint(f"the signature of {name!r} does not belong to the text") from error
    return note.checkpoint


def line_of(origin: str, shard: int) -> str:
    """A shard's origin line, which is its key's name too. Raises BadCheckpoint."""
    if not fullmatch(_ORIGIN, origin) or len(origin) > ORIGIN_LENGTH_MAX:
        raise BadCheckpoint("line 1: an origin has no space, no plus, and 1 to 200 characters")
    if not 0 <= shard <= _SHARD_MAX:
        raise BadCheckpoint(f"line 1: {shard} is not a shard's number")
    return f"{origin}/{shard}"


def verifier_key(origin: str, shard: int, key: Ed25519PublicKey) -> str:
    """The public key in the form that other tools of C2SP's notes take."""
    name = line_of(origin, shard)
    encoded = b64encode(_ED25519 + key.public_bytes_raw()).decode()
    return f"{name}+{_key_id(name, key).hex()}+{encoded}"


def _text(checkpoint: Checkpoint) -> str:
    """The text that is signed."""
    _check_root(checkpoint.size, checkpoint.root)
    if not 0 <= checkpoint.size <= _SIZE_MAX:
        raise BadCheckpoint("line 2: a size is 0 or more and has 63 bits")
    at = micros(checkpoint.at)
    if at < 0:
        raise BadCheckpoint("line 4: a time is in 1970 or later")
    line, root = line_of(checkpoint.origin, checkpoint.shard), b64encode(checkpoint.root).decode()
    return f"{line}\n{checkpoint.size}\n{root}\ntime {at}\n"


def _key_id(name: str, key: Ed25519PublicKey) -> bytes:
    named = name.encode() + b"\n" + _ED25519 + key.public_bytes_raw()
    return sha256(named).digest()[:_KEY_ID_BYTES]


def _checkpoint(lines: list[str]) -> Checkpoint:
    if len(lines) != 4:
        raise BadCheckpoint(f"the signed text has 4 lines, not {len(lines)}")
    origin, _, shard = lines[0].rpartition("/")
    if not fullmatch(_NUMBER, shard):
        raise BadCheckpoint("line 1: an origin, a slash and a shard's number are expected")
    line_of(origin, int(shard))
    if not fullmatch(_NUMBER, lines[1]) or int(lines[1]) > _SIZE_MAX:
        raise BadCheckpoint("line 2: a size is decimal, without leading zeros, and has 63 bits")
    root = _base64(lines[2], "line 3: the root")
    _check_root(int(lines[1]), root)
    word, _, at = lines[3].partition(" ")
    if word != "time" or not fullmatch(_NUMBER, at) or int(at) > _MICROS_MAX:
        raise BadCheckpoint("line 4: the word time and microseconds since 1970 are expected")
    signed_at = BEGINNING + timedelta(microseconds=int(at))
    return Checkpoint(origin, int(shard), int(lines[1]), root, signed_at)


def _check_root(size: int, root: bytes) -> None:
    if len(root) != HASH_BYTES:
        raise BadCheckpoint("line 3: a root has 32 bytes")
    if size == 0 and root != EMPTY_ROOT:
        raise BadCheckpoint("line 3: an empty log has another root")


def _signature(number: int, line: str) -> Signature:
    where = f"signature {number}"
    parts = line.removeprefix(_DASH).split(" ")
    if not line.startswith(_DASH) or len(parts) != 2 or not fullmatch(_ORIGIN, parts[0]):
        raise BadCheckpoint(f"{where}: a dash, a name and base64 are expected")
    raw = _base64(parts[1], where)
    if len(raw) <= _KEY_ID_BYTES:
        raise BadCheckpoint(f"{where}: a key id of 4 bytes and a signature are expected")
    return Signature(parts[0], raw[:_KEY_ID_BYTES], raw[_KEY_ID_BYTES:])


def _base64(text: str, where: str) -> bytes:
    """Standard base64 in its one canonical spelling."""
    try:
        raw = b64decode(text, validate=True)
    except (NotBase64, ValueError) as error:
        raise BadCheckpoint(f"{where} is not base64") from error
    if b64encode(raw).decode() != text:
        raise BadCheckpoint(f"{where} is not in canonical base64")
    return raw
