"""Wiring of the ledger room, as a table."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from kit.consumer import Consumer
from kit.run import App, Main, Parts
from ledger import api, consumer, jobs
from ledger.settings import Settings

MIGRATIONS: Final = Path(__file__).parents[1] / "migrations"


@asynccontextmanager
async def build(parts: Parts) -> AsyncGenerator[App]:
    """HTTP, the consumer of the road, what time passing does."""
    given: Settings = parts.settings
    yield App(
        asgi=api.app(parts.database, parts.clock, actor_secret=given.actor_secret),
        consumers=[
            Consumer(consumer.GROUP, consumer.SUBSCRIPTIONS, parts.database, parts.producer, given)
        ],
        jobs=jobs.jobs(parts.database, parts.clock, given),
    )


ROOM: Final = Main(room="ledger", settings=Settings, migrations=MIGRATIONS, build=build)
