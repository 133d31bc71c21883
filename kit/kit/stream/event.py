"""What a handler gets: one record, decoded; and how a topic is subscribed to."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, Final

import msgspec

from contracts import envelope as envelopes
from contracts.topics import Topic
from contracts.values import MOMENT_MAX, TIME_ZERO, micros
from kit.base import clock, errors
from kit.base.db import Tx
from kit.base.message import Headers
from kit.stream.local_tables import Table

LETTERS_MAX: Final = 100
ONWARD_BYTES_MAX: Final = 1_024  # of one header: a trace and an address are far shorter
_DEADLINE_DIGITS: Final = 15
_MILLIS_MAX: Final = micros(MOMENT_MAX) // 1_000 - 1
_ONWARD: Final = frozenset(
    {
        *("traceparent", "reply-topic", "reply-partition", "correlation-id", "replay"),
        "deadline",  # every stage may drop an inquiry that nobody waits for any more
    }
)


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One record. envelope None: undecodable (error says why) or, with no error, a tombstone."""

    topic: str
    partition: int  # the shard, on road topics
    offset: int
    at: datetime  # the broker's append time where the topic keeps it, else the producer's
    headers: Mapping[str, bytes]
    key: bytes
    raw: bytes
    envelope: envelopes.Envelope[Any] | None
    error: str = ""

    @property
    def data(self) -> Any:
        """The envelope's data. Raises Invalid for an undecodable event."""
        if self.envelope is None:
            raise errors.Invalid(f"undecodable: {self.error}")
        return self.envelope.data

    @property
    def onward(self) -> Headers:
        """Trace, reply address and deadline, for the messages that follow from this event."""
        return tuple(
            (k, v) for k, v in self.headers.items() if k in _ONWARD and len(v) <= ONWARD_BYTES_MAX
        )

    @property
    def expired(self) -> bool:
        """Whether this is a query that nobody waits for any more: past its deadline, wall time."""
        deadline = self.headers.get("deadline", b"")
        is_valid = deadline.isdigit() and len(deadline) <= _DEADLINE_DIGITS
        return is_valid and int(deadline) < clock.wall().timestamp() * 1000


Handler = Callable[[Tx, Sequence[Event]], Awaitable[None]]


class Poison(Enum):
    """What becomes of a record that cannot be decoded."""

    PASS = "pass"  # noqa: S105 - the handler gets it (the road: it becomes a refusal)
    DEAD_LETTER = "dead letter"


@dataclass(frozen=True, kw_only=True)
class Subscription:
    """One topic of a consumer.

    handle: gets the whole poll of the topic, in partition order, types mixed.
    decoders: envelope type to Struct; empty: all events of the topic.
    dependencies_missing: asked every 25 ms, up to 2 s, before the transaction begins.
    refuse: stores the outcome of one event whose handling fails for good (a permanent error or a
    datum the database refuses), found by halving; without it the event becomes a dead letter.
    letters_max: dead letters nobody has dealt with before the process stops.
    tables: the local tables that handle fills, and does nothing else: they can be rebuilt.
    part: whose it is, where several parts of a group hear one topic; kit.room names it.
    """

    topic: Topic
    handle: Handler
    decoders: Mapping[str, type[Any]] = field(default_factory=dict[str, type[Any]])
    poison: Poison = Poison.DEAD_LETTER
    dependencies_missing: Callable[[Sequence[Event]], Awaitable[bool]] | None = None
    refuse: Callable[[Tx, Event, str], Awaitable[None]] | None = None
    letters_max: int = LETTERS_MAX
    tables: tuple[Table, ...] = ()
    part: str = ""

    @property
    def read_as(self) -> Mapping[str, type[Any]]:
        """Envelope types that it takes, and how they are decoded."""
        return self.decoders or self.topic.events

    def takes(self, event: Event) -> bool:
        """Whether an event is for it: of its topic, and of a type it reads or undecodable."""
        if event.topic != self.topic.name:
            return False
        return event.envelope is None or event.envelope.type in self.read_as


def read(record: Any, decoders: dict[str, type[Any]]) -> Event:
    """A record of the broker as an event; one that does not decode says why. Raises nothing."""
    decoded, error = None, ""
    raw: bytes | None = record.value
    if raw is not None:
        try:
            decoded = envelopes.decode(raw, decoders)
        except Exception as malformed:  # noqa: BLE001 - any failure is the record's own
            error = str(malformed) or "malformed"
    return Event(
        topic=record.topic, partition=record.partition, offset=record.offset,
        at=_time_of(record.timestamp), key=record.key or b"", raw=raw or b"",
        headers={key: value for key, value in record.headers if value is not None},
        envelope=decoded, error=error,
    )  # fmt: skip


def bare(event: Event, why: str) -> Event:
    """The same record as one that nobody could read."""
    return msgspec.structs.replace(event, envelope=None, error=why)


def _time_of(millis: int) -> datetime:
    """A record's timestamp, cut to the times that messages allow: a producer may have set it."""
    return TIME_ZERO + timedelta(milliseconds=min(max(millis, 0), _MILLIS_MAX))


def event(
    topic: Topic,
    envelope: envelopes.Envelope[Any],
    *,
    partition: int = 0,
    offset: int = 0,
    headers: Headers = (),
) -> Event:
    """An event as a handler gets it, through the bytes: for tests and for replays by hand."""
    raw = envelopes.encode(envelope)
    return Event(
        topic=topic.name, partition=partition, offset=offset, at=envelope.accepted_at,
        headers=dict(headers), key=envelope.key.encode(), raw=raw,
        envelope=envelopes.decode(raw, dict(topic.events)),
    )  # fmt: skip
