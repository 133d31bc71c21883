"""Clock door of clearing: the daily cut."""

from functools import partial
from typing import Final

from kit.base.clock import Clock
from kit.base.db import Database
from kit.room import Job, Resources
from merchants.clearing import usecases

CUT_EVERY_S: Final = 5.0  # a sandbox's days pass in seconds


async def cut_due_window(
    database: Database, clock: Clock, *, cut_minute: int | None, shards: int
) -> None:
    """Cut the open window where its time of day has come; None: windows are cut by hand alone."""
    async with database.transaction() as tx:
        await usecases.cut_due_window(tx, now=clock.now(), cut_minute=cut_minute, shards=shards)


def jobs(opened: Resources) -> list[Job]:
    """The jobs of clearing."""
    run = partial(
        cut_due_window,
        opened.database,
        opened.clock,
        cut_minute=opened.settings.cut_minute,
        shards=opened.settings.shards,
    )
    return [Job(name="cut-due-window", every_s=CUT_EVERY_S, run=run)]
