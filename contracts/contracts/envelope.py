"""The envelope every message on Kafka wears, and how bytes become one and back."""

import hashlib
from typing import Any, Final, Generic, TypeVar

import msgspec
from msgspec import Raw, Struct

from contracts import limits
from contracts.values import MOMENT_MAX, TIME_ZERO, Instant, moment_error

T = TypeVar("T")


class Envelope(Struct, Generic[T], frozen=True, kw_only=True):
    """id: UUID text, derived where a message follows from another. type: "post-transaction.v1".

    key: what the topic is keyed by. occurred_at, accepted_at: aware UTC (architecture 2).
    fingerprint: the gateway's, of the caller's own fields; None where nobody outside asked.
    """

    id: str
    type: str
    key: str
    occurred_at: Instant
    accepted_at: Instant
    fingerprint: str | None = None
    cause_id: str | None = None
    data: T


_encoder: Final = msgspec.json.Encoder()
_outer: Final = msgspec.json.Decoder(Envelope[Raw])
_inner: Final[dict[Any, tuple[msgspec.json.Decoder[Any], limits.Check | None]]] = {}
_UNREADABLE: Final = (ValueError, TypeError, ArithmeticError, RecursionError)


class Malformed(ValueError):
    """Bytes that are no envelope, of a type nobody knows, or whose data does not validate."""


def encode(envelope: Envelope[Any]) -> bytes:
    """JSON bytes of an envelope. Raises ValueError for a time that no reader would take."""
    _check_times(envelope, _reading(type(envelope.data))[1])
    return _encoder.encode(envelope)


def decode(raw: bytes, types: dict[str, Any]) -> Envelope[Any]:
    """Read one message; types maps envelope type to data Struct. Raises Malformed, nothing else."""
    if limits.nests_too_deep(raw):
        raise Malformed(f"nests deeper than {limits.NESTING_MAX}")
    try:
        outer = _outer.decode(raw)
        decoder, times = _reading(types[outer.type])
        data = decoder.decode(outer.data)
        read = _read(outer, data)
        _check_times(read, times)
    except KeyError as unknown:
        raise Malformed(f"unknown type {unknown}") from unknown
    except _UNREADABLE as error:
        raise Malformed(str(error)) from error
    return read


def _check_times(envelope: Envelope[Any], inner: limits.Check | None) -> None:
    for at in (envelope.occurred_at, envelope.accepted_at):
        if not TIME_ZERO <= at < MOMENT_MAX:
            raise ValueError(f"occurred_at or accepted_at: {moment_error(at)}")
    if inner is not None:
        inner(envelope.data)


def _read(outer: Envelope[Raw], data: Any) -> Envelope[Any]:
    return Envelope(
        id=outer.id,
        type=outer.type,
        key=outer.key,
        occurred_at=outer.occurred_at,
        accepted_at=outer.accepted_at,
        fingerprint=outer.fingerprint,
        cause_id=outer.cause_id,
        data=data,
    )


def derive_id(cause_id: str, what: str, index: int = 0) -> str:
    """Id of what follows from a message: a repeat of the cause repeats it (style 5)."""
    digest = hashlib.blake2b(f"{cause_id}|{what}|{index}".encode(), digest_size=16).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-8{digest[13:16]}-a{digest[17:20]}-{digest[20:]}"


def fingerprint_of(fields: Any) -> str:
    """Fingerprint of a caller's decoded fields, only those present (architecture 2).

    fields: builtins, keys sorted by the encoder so that their order says nothing.
    """
    ordered = msgspec.json.encode(fields, order="sorted")
    return hashlib.blake2b(ordered, digest_size=16).hexdigest()


def _reading(kind: Any) -> tuple[msgspec.json.Decoder[Any], limits.Check | None]:
    found = _inner.get(kind)
    if found is None:
        found = _inner[kind] = (msgspec.json.Decoder(kind), limits.times_of(kind))
    return found
