"""A sandbox's own time: the topic platform.clock, which its operators advance."""

import asyncio
import logging
from datetime import datetime
from typing import Any, Final

from contracts import envelope, topics
from contracts.platform import ClockAdvanced
from kit.base import errors, telemetry
from kit.stream import kafka

log = logging.getLogger(__name__)

LAST: Final = 10  # records read at a start: the very last may be one that does not read


class SandboxClock:
    """A sandbox's clock: the last value of topic platform.clock; it never falls."""

    def __init__(self) -> None:
        self._now: datetime | None = None

    @property
    def ready(self) -> bool:
        """Whether a first value has come."""
        return self._now is not None

    def now(self) -> datetime:
        """The sandbox's time. Raises Unavailable before the first value."""
        if self._now is None:
            raise errors.Unavailable(
                "the sandbox's clock has not been set yet; advance platform.clock"
            )
        return self._now

    def advance(self, now: datetime) -> None:
        """Take a new value; a lower one changes nothing."""
        if self._now is None or now > self._now:
            self._now = now

    async def run(self, bootstrap: str) -> None:
        """Follow platform.clock until cancelled; while the broker is away, time stands still."""
        while True:
            try:
                await self._follow(bootstrap)
            except (errors.Unavailable, kafka.OffsetGone) as away:
                log.warning("platform.clock cannot be read: %s", away)
                await asyncio.sleep(0.5)

    async def _follow(self, bootstrap: str) -> None:
        topic = topics.PLATFORM_CLOCK
        decoders = dict(topic.events)
        start = {(topic.name, 0): None}
        reader = await kafka.Assigned.open(bootstrap, client_id="clock", start=start, last=LAST)
        try:
            while True:
                for record in await reader.poll():
                    self._take(record, decoders)
        finally:
            await reader.close()

    def _take(self, record: kafka.Record, decoders: dict[str, Any]) -> None:
        """Take a record's time; one that does not read is an alarm, and time stands still."""
        try:
            value = envelope.decode(record.value or b"", decoders).data
        except envelope.Malformed as error:
            telemetry.count(telemetry.Metric.ALARMS, "clock-undecodable")
            log.error("platform.clock@%d does not read, advance it again: %s", record.offset, error)
            return
        if isinstance(value, ClockAdvanced):
            self.advance(value.now)
