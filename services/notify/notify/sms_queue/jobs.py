"""Clock door of the queue: messages that wait for a contact, and those that expire."""

from functools import partial

from kit.base.clock import Clock
from kit.base.db import Database
from kit.room import Job, Resources
from notify import settings
from notify.sms_queue import usecases


async def settle(
    database: Database, clock: Clock, *, segment_price_rial: int, support: str = ""
) -> None:
    """Address the messages whose contact has come, then end those that are past their time."""
    async with database.transaction() as tx:
        await usecases.address_waiting(tx, segment_price_rial=segment_price_rial, support=support)
    async with database.transaction() as tx:
        await usecases.expire_messages(tx, now=clock.now())


def jobs(opened: Resources) -> tuple[Job, ...]:
    """What time passing makes the queue do, in one process only."""
    config: settings.Settings = opened.settings
    run = partial(
        settle,
        opened.database,
        opened.clock,
        segment_price_rial=config.sms_segment_price_rial,
        support=config.support_phone,
    )
    return (Job(name="settle", every_s=settings.SETTLE_EVERY_S, run=run),)
