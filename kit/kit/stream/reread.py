"""A topic read once more from its first record, and handed to a handler as it was before."""

import logging
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import TYPE_CHECKING

from kit.base import errors
from kit.stream import isolation
from kit.stream.event import Event, Poison, Subscription, read
from kit.stream.kafka import Assigned, Place

if TYPE_CHECKING:
    from kit.base.db import Tx

log = logging.getLogger(__name__)


async def polls(
    bootstrap: str, ends: Mapping[Place, int], subscription: Subscription
) -> AsyncGenerator[list[Event]]:
    """All that lies before these offsets. Raises Alarm where the topic does not hold it."""
    start = dict.fromkeys(ends, 0)
    reader = await Assigned.open(bootstrap, client_id="reread", start=start)
    try:
        firsts, lasts = await reader.beginnings(), await reader.end_offsets()
        if any(firsts[place] > 0 or lasts[place] < end for place, end in ends.items()):
            raise errors.Alarm(f"{subscription.topic.name} does not hold all that was read of it")
        left = set(ends)
        while left:
            records = [r for r in await reader.poll() if r.offset < ends[(r.topic, r.partition)]]
            events = [read(record, dict(subscription.topic.events)) for record in records]
            yield [event for event in events if subscription.takes(event)]
            left = {place for place in left if await reader.position(*place) < ends[place]}
    finally:
        await reader.close()


async def apply(tx: "Tx", subscription: Subscription, events: Sequence[Event]) -> None:
    """Hand events over; one that the handler fails on is left out, found by halving."""
    pieces = [[e for e in events if not e.error or subscription.poison is Poison.PASS]]
    while pieces:
        piece = pieces.pop(0)
        try:
            async with tx.savepoint():
                await subscription.handle(tx, piece)
        except Exception as error:
            if not isolation.of_a_record(error):
                raise
            half = len(piece) // 2
            pieces[:0] = [piece[:half], piece[half:]] if half else []
            if not half:
                log.warning("left out: %s: %s", piece, isolation.describe(error))
