"""Dead letters: a record set aside with its reason, counted, up to a limit."""

import logging
from typing import TYPE_CHECKING, Final

from contracts import topics
from contracts.envelope import Envelope, follow
from contracts.house import DeadLetter
from kit import clock, errors, outbox, telemetry

if TYPE_CHECKING:
    from kit.db import Database, Tx
    from kit.event import Event
    from kit.outbox import Batch

log = logging.getLogger(__name__)

WHY_MAX: Final = 2_000
RAW_BYTES_MAX: Final = 500_000  # base64 of more would not fit into a message


async def write(
    tx: "Tx", room: str, consumer: str, event: "Event", why: str, *, limit: int | None
) -> None:
    """Set event aside: a row, a copy on house.dead-letters, an alarm.

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
    letter = DeadLetter(
        room=room,
        topic=event.topic,
        partition=event.partition,
        offset=event.offset,
        code=code,
        detail=detail,
        raw=event.raw[:RAW_BYTES_MAX],
    )
    said = Envelope(
        id=follow(f"{consumer}|{place}", "dead-letter"),
        type="dead-letter.v1",
        key=event.topic,
        occurred_at=event.at,
        accepted_at=event.at,
        data=letter,
    )
    outbox.add(tx, [outbox.message(topics.DEAD_LETTERS, said)])


async def write_unsaid(database: "Database", room: str, consumer: str, batch: "Batch") -> None:
    """Keep a batch for a partition that is not there, message by message, and raise an alarm.

    Its row is found under the topic it was meant for and the number of its outbox row.
    """
    place = (batch.topic, batch.partition or 0)
    why = f"{batch.topic} has no partition {batch.partition}; {len(batch.messages)} messages"
    log.error("cannot be said: %s", why)
    telemetry.count(telemetry.Metric.ALARMS, "unsayable")
    at = clock.wall()
    async with database.transaction() as tx:
        await tx.execute(_INSERT, consumer, *place, batch.id, "unsayable", why, True)
        for index, said in enumerate(batch.messages):
            letter = DeadLetter(
                room=room,
                topic=place[0],
                partition=place[1],
                offset=batch.id,
                code="unsayable",
                detail=why,
                raw=(said.value or b"")[:RAW_BYTES_MAX],
            )
            envelope = Envelope(
                id=follow(f"{consumer}|{place}|{batch.id}", "dead-letter", index),
                type="dead-letter.v1",
                key=place[0],
                occurred_at=at,
                accepted_at=at,
                data=letter,
            )
            outbox.add(tx, [outbox.message(topics.DEAD_LETTERS, envelope)])


def clean(why: str) -> str:
    """A reason as any table and any message can hold it: it may quote the record."""
    shown = why[:WHY_MAX].replace("\x00", "\ufffd")
    return shown.encode(errors="replace").decode()


_INSERT: Final = """
insert into dead_letters (consumer, topic, partition, "offset", code, detail, counted)
values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing
"""
_COUNT: Final = "select count(*) from dead_letters where consumer = $1 and counted"
