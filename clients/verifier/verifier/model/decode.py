"""Records as commands: the envelope and the body decoded, or neither."""

from datetime import UTC, datetime
from itertools import accumulate
from typing import Any, cast

import msgspec
from msgspec import Raw, Struct

from verifier.model.commands_value import VALUE_COMMANDS
from verifier.model.messages import ROAD, Moment, Transaction, micros


class Wrapped(Struct):
    """The envelope of a command."""

    id: str
    type: str
    key: str
    occurred_at: Moment
    accepted_at: Moment
    data: Raw
    fingerprint: str | None = None
    cause_id: str | None = None


class Usual(Struct):
    """The envelope of a transaction, with its body."""

    id: str
    type: str
    key: str
    occurred_at: Moment
    accepted_at: Moment
    data: Transaction
    fingerprint: str | None = None
    cause_id: str | None = None


class Command(Struct):
    """A command to decide: times in microseconds; body None where it cannot be read."""

    name: str
    body: Any
    type: str
    occurred: int
    accepted: int | None
    fingerprint: bytes | None
    occurred_at: Moment
    accepted_at: Moment


FIRST = datetime(1970, 1, 1, tzinfo=UTC)
END = datetime(2200, 1, 1, tzinfo=UTC)
DEEPEST = 200  # brackets open at once, outside texts

_USUAL = "post-transaction.v1"
_USUAL_MARK = b'"type":"post-transaction.v1"'
_LOOK_BYTES = 200
_usual = msgspec.json.Decoder(Usual)
_outer = msgspec.json.Decoder(Wrapped)
_inner = {name: msgspec.json.Decoder(shape) for name, shape in (ROAD | VALUE_COMMANDS).items()}


def _opened(raw: bytes) -> tuple[Any, Any]:
    """Envelope and body. A usual command is decoded in one step."""
    if _USUAL_MARK in raw[:_LOOK_BYTES]:
        try:
            outer = _usual.decode(raw)
        except msgspec.MsgspecError:
            pass
        else:
            if outer.type == _USUAL:
                return outer, outer.data
    outer = _outer.decode(raw)
    return outer, _inner[outer.type].decode(outer.data)


def decode_command(raw: bytes) -> Command | None:
    """A record as a command; None: unreadable, or its name cannot be stored."""
    if too_deep(raw):
        return None
    try:
        outer, body = _opened(raw)
        occurred, accepted = micros(outer.occurred_at), micros(outer.accepted_at)
    except (msgspec.MsgspecError, ValueError, LookupError, TypeError, RecursionError):
        return None
    if not (timely(outer) and timely(body)):
        return None
    name = body.name
    if not 0 < len(name) <= 200 or "\x00" in name:
        return None
    if not name.isascii() and any("\ud800" <= letter <= "\udfff" for letter in name):
        return None
    return Command(
        name,
        body,
        outer.type,
        occurred,
        accepted,
        _fingerprint(outer.fingerprint),
        outer.occurred_at,
        outer.accepted_at,
    )


def timely(value: Any) -> bool:
    """Whether every time in a shape lies between FIRST and END."""
    for name in value.__struct_fields__:
        held: Any = getattr(value, name)
        if isinstance(held, datetime):
            if not FIRST <= held < END:
                return False
        elif isinstance(held, Struct):
            if not timely(held):
                return False
        elif isinstance(held, tuple) and not all(
            timely(item) for item in cast("tuple[Any, ...]", held) if isinstance(item, Struct)
        ):
            return False
    return True


def too_deep(raw: bytes) -> bool:
    """Whether lists and objects are nested deeper than DEEPEST."""
    if raw.count(b"[") + raw.count(b"{") <= DEEPEST:
        return False
    texts_apart = raw.replace(b"\\\\", b"").replace(b'\\"', b"").split(b'"')[::2]
    steps = [1 if c in b"[{" else -1 for c in b"".join(texts_apart) if c in b"[]{}"]
    return max(accumulate(steps), default=0) > DEEPEST


def _fingerprint(text: str | None) -> bytes | None:
    """A fingerprint as stored: 32 hexadecimal digits as 16 bytes, anything else as text."""
    if text is None:
        return None
    if len(text) == 32:
        try:
            return bytes.fromhex(text)
        except ValueError:
            pass
    return text.encode()
