"""The time of a sandbox: topic platform.clock, which only the platform's driver advances."""

from datetime import datetime

from contracts import envelope, topics
from contracts.platform import ClockAdvanced
from kit.base import ids
from kit.stream import kafka, outbox

KEY = "platform"
EVENT = "clock-advanced.v1"


async def advance(producer: kafka.Producer, now: datetime) -> None:
    """Set the cluster's time (aware UTC); a value below the last one changes nothing.

    Returns once the broker has it; the processes follow within some tens of milliseconds.
    """
    event = envelope.Envelope(
        id=ids.uuid7(now),
        type=EVENT,
        key=KEY,
        occurred_at=now,
        accepted_at=now,
        data=ClockAdvanced(now=now),
    )
    await producer.send([outbox.message(topics.PLATFORM_CLOCK, event, partition=0)])


async def set_first(bootstrap: str, now: datetime) -> bool:
    """Give a new sandbox cluster a time to start from: no process is ready before. True if set."""
    ends = await kafka.end_offsets(bootstrap, [topics.PLATFORM_CLOCK.name])
    if any(ends.values()):
        return False
    producer = await kafka.Producer.open(bootstrap, client_id="cluster-clock")
    try:
        await advance(producer, now)
    finally:
        await producer.close()
    return True
