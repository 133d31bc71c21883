"""Clock door: the lane, deliveries that nobody called back about, what waits and what expires."""

from functools import partial

from kit.clock import Clock
from kit.db import Database
from kit.room import Job
from notify import settings
from notify.usecases import messages
from notify.usecases.lane import Lane
from notify.usecases.receipts import Asker


async def send_queued(lane: Lane) -> None:
    """One run of the lane."""
    await lane.run()


async def ask_deliveries(asker: Asker) -> None:
    """One round of questions."""
    await asker.run()


async def settle_waiting(
    database: Database, clock: Clock, *, part_price_rial: int, support: str = ""
) -> None:
    """Address what waited for a contact, then end what is past its time."""
    async with database.transaction() as tx:
        await messages.address_waiting(tx, part_price_rial=part_price_rial, support=support)
    async with database.transaction() as tx:
        await messages.expire_messages(tx, now=clock.now())


def jobs(lane: Lane, asker: Asker, *, part_price_rial: int, support: str = "") -> tuple[Job, ...]:
    """What time passing makes notify do; all of it in one process only."""
    settle = partial(
        settle_waiting,
        lane.database,
        lane.clock,
        part_price_rial=part_price_rial,
        support=support,
    )
    return (
        Job(name="send", every_s=settings.SEND_EVERY_S, run=partial(send_queued, lane)),
        Job(name="ask", every_s=settings.ASK_EVERY_S, run=partial(ask_deliveries, asker)),
        Job(name="settle", every_s=settings.SETTLE_EVERY_S, run=settle),
    )
