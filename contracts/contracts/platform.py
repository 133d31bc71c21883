"""Messages of the platform itself: the sandbox's clock, dead letters."""

from msgspec import Struct

from contracts.values import Instant, NumberOrZero, Whole


class ClockAdvanced(Struct, frozen=True, kw_only=True):
    """`clock-advanced.v1` on platform.clock: a sandbox's time, advanced by its driver only."""

    now: Instant


class DeadLetter(Struct, frozen=True, kw_only=True):
    """`dead-letter.v1` on platform.dead-letters: a record a room could not use, whole, and why."""

    room: str
    topic: str
    partition: NumberOrZero
    offset: Whole
    code: str
    detail: str
    raw: bytes  # base64 on the wire
