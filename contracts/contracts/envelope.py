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
    fingerprint: the gateway's, of the caller's own fields; None where no caller sent it.
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
    """JSON bytes of an envelope. Raises ValueError for a time that no reader accepts."""
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


def derive_id(cause_id: str, purpose: str, index: int = 0) -> str:
    """Id of a message that follows from another: the same cause gives the same id (style 5)."""
    digest = hashlib.blake2b(f"{cause_id}|{purpose}|{index}".encode(), digest_size=16).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-8{digest[13:16]}-a{digest[17:20]}-{digest[20:]}"


def fingerprint_of(fields: Any) -> str:
    """Fingerprint of a caller's decoded fields, only those present (architecture 2).

    fields: builtins; the encoder sorts their keys, so that their order makes no difference.
    """
    ordered = msgspec.json.encode(fields, order="sorted")
    return hashlib.blake2b(ordered, digest_size=16).hexdigest()


def _reading(kind: Any) -> tuple[msgspec.json.Decoder[Any], limits.Check | None]:
    reading = _inner.get(kind)
    if reading is None:
        reading = _inner[kind] = (msgspec.json.Decoder(kind), limits.times_of(kind))
    return reading
