"""Wiring of the merchants room, as a table."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from kit.consumer import Consumer
from kit.run import App, Main, Parts
from merchants import api, consumer, jobs
from merchants.settings import Settings

MIGRATIONS: Final = Path(__file__).parents[1] / "migrations"


@asynccontextmanager
async def build(parts: Parts) -> AsyncGenerator[App]:
    """HTTP, the consumer of the book, the heartbeat."""
    given: Settings = parts.settings
    yield App(
        asgi=api.app(
            parts.database, parts.clock, actor_secret=given.actor_secret, shards=given.shards
        ),
        consumers=[
            Consumer(
                "merchants",
                consumer.SUBSCRIPTIONS,
                parts.database,
                parts.producer,
                given,
                patient=True,
            )
        ],
        jobs=jobs.jobs(parts.database, parts.clock),
    )


ROOM: Final = Main(room="merchants", settings=Settings, migrations=MIGRATIONS, build=build)
