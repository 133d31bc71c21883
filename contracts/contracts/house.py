"""Words of the house itself: the sandbox's clock, dead letters."""

from datetime import datetime

from msgspec import Struct

from contracts.values import NumberOrZero, Whole


class ClockAdvanced(Struct, frozen=True, kw_only=True):
    """`clock-advanced.v1` on house.clock: a sandbox house's time, advanced by its driver only."""

    now: datetime


class DeadLetter(Struct, frozen=True, kw_only=True):
    """`dead-letter.v1` on house.dead-letters: a record a room could not use, whole, and why."""

    room: str
    topic: str
    partition: NumberOrZero
    offset: Whole
    code: str
    detail: str
    raw: bytes  # base64 on the wire
