"""Dead letters: a record set aside with its reason, counted, up to a limit."""

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from contracts import topics
from contracts.envelope import Envelope, derive_id
from contracts.platform import DeadLetter
from kit.base import clock, errors, telemetry
from kit.stream import outbox

if TYPE_CHECKING:
    from kit.base.db import Database, Tx
    from kit.stream.event import Event
    from kit.stream.outbox import Batch, Message, Torn

log = logging.getLogger(__name__)

TORN: Final = ("torn", "a row of the outbox cannot be read or said; the letter has its bytes")
WHY_MAX: Final = 2_000
RAW_BYTES_MAX: Final = 500_000  # base64 of more would not fit into a message


async def write(
    tx: "Tx", room: str, consumer: str, event: "Event", why: str, *, limit: int | None
) -> None:
    """Set event aside: a row, a copy on platform.dead-letters, an alarm.

    limit: how many rows that nobody has dealt with a consumer may have, then it stops (Alarm):
    when all is poison the fault is ours. None: the event was answered otherwise, and not counted.
    """
    code, _, detail = clean(why).partition(": ")
    place = (event.topic, event.partition, event.offset)
    await tx.execute(_INSERT, consumer, *place, code, detail, limit is not None)
    if limit is not None and await tx.fetchval(_COUNT, consumer) > limit:
        telemetry.count(telemetry.Metric.ALARMS, "dead-letter-limit")
        raise errors.Alarm(f"{consumer} has over {limit} dead letters; see table dead_letters")
    telemetry.count(telemetry.Metric.DEAD_LETTERS, consumer, code)
    log.error("dead letter %s/%s@%s: %s: %s", *place, code, detail)
    id = derive_id(f"{consumer}|{place}", "dead-letter")
    outbox.add(tx, [_message(room, id, place, (code, detail), event.raw, event.at)])


def _message(
    room: str, id: str, place: Sequence[Any], why: tuple[str, str], raw: bytes, at: datetime
) -> "Message":
    """A dead letter for platform.dead-letters. why: code and detail."""
    letter = DeadLetter(
        room=room, topic=place[0], partition=place[1], offset=place[2], code=why[0], detail=why[1],
        raw=raw[:RAW_BYTES_MAX],
    )  # fmt: skip
    envelope = Envelope(
        id=id, type="dead-letter.v1", key=place[0], occurred_at=at, accepted_at=at, data=letter
    )
    return outbox.message(topics.DEAD_LETTERS, envelope)


async def keep_batch(database: "Database", room: str, consumer: str, batch: "Batch") -> None:
    """Set a batch aside whose partition does not exist."""
    why = f"{batch.topic} has no partition {batch.partition}; {len(batch.messages)} messages"
    raws = [message.value or b"" for message in batch.messages]
    async with database.transaction() as tx:
        row = (batch.topic, batch.partition or 0, batch.id, raws)
        await keep(tx, room, consumer, [row], ("unsayable", why))


async def keep(
    tx: "Tx", room: str, consumer: str, rows: "Sequence[Torn]", why: tuple[str, str] = TORN
) -> None:
    """Set outbox rows aside that cannot be sent, message by message, and raise an alarm.

    The letter has the topic that the row was for, where that is known, and as offset the row's
    number, negated: no record has a negative offset. why: code and detail.
    """
    for topic, partition, number, raws in rows:
        place = (topic, partition, number)
        log.error("cannot be said: %s/%s, row %s: %s", *place, why[1])
        telemetry.count(telemetry.Metric.ALARMS, why[0])
        await tx.execute(_INSERT, consumer, topic, partition, -number, *why, True)
        for index, raw in enumerate(raws):
            id = derive_id(f"{consumer}|{place}", "dead-letter", index)
            outbox.add(tx, [_message(room, id, place, why, raw, clock.wall())])


def clean(why: str) -> str:
    """A reason as any table and any message can hold it: it may quote the record."""
    text = why[:WHY_MAX].replace("\x00", "\ufffd")
    return text.encode(errors="replace").decode()


_INSERT: Final = """
insert into dead_letters (consumer, topic, partition, "offset", code, detail, counted)
values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing
"""
_COUNT: Final = "select count(*) from dead_letters where consumer = $1 and counted"
