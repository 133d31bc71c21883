"""Wiring of the ledger room, as a table."""

import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from kit.consumer import Consumer
from kit.run import App, Main, Parts
from ledger import api, consumer, jobs, settings
from ledger.clients import Archive
from ledger.settings import Settings

log = logging.getLogger(__name__)
MIGRATIONS: Final = Path(__file__).parents[1] / "migrations"


@asynccontextmanager
async def build(parts: Parts) -> AsyncGenerator[App]:
    """HTTP, the consumer of the road, what time passing does."""
    given: Settings = parts.settings
    archive = Archive(Path(given.checkpoint_folder)) if given.checkpoint_folder else None
    ahead_max = None if given.sandbox else settings.CLOCK_AHEAD_MAX
    road = consumer.subscriptions(ahead_max, given.shards)
    timed = jobs.jobs(parts.database, parts.clock, given)
    if archive is not None and given.checkpoint_key_file:
        timed.append(jobs.publisher(parts.database, parts.clock, archive, given))
    else:
        log.warning("no checkpoints are published: set PEYVAND_CHECKPOINT_FOLDER and _KEY_FILE")
    yield App(
        asgi=api.app(parts.database, parts.clock, actor_secret=given.actor_secret, archive=archive),
        consumers=[Consumer(consumer.GROUP, road, parts.database, parts.producer, given)],
        jobs=timed,
    )


ROOM: Final = Main(room="ledger", settings=Settings, migrations=MIGRATIONS, build=build)
