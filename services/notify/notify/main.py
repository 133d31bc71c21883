"""Wiring of the notify room, as a table."""

import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from contracts import keys
from kit import clock
from kit.consumer import Consumer
from kit.run import App, Main, Parts
from notify import api, consumer, jobs
from notify.clients import Provider
from notify.domain import contacts
from notify.settings import Settings
from notify.usecases.lane import Lane
from notify.usecases.receipts import Asker, Desk

log = logging.getLogger(__name__)
MIGRATIONS: Final = Path(__file__).parents[1] / "migrations"


@asynccontextmanager
async def build(parts: Parts) -> AsyncGenerator[App]:
    """HTTP, one consumer of the book, one of contacts, the lane and its questions."""
    given: Settings = parts.settings
    ring = contacts.ring_of(given.contact_keys)
    log.info("keys that open contacts: %s", keys.names(ring))
    database = parts.database
    desk = Desk(database)
    async with Provider.of(given) as provider:
        lane = Lane(
            database=database, provider=provider, clock=parts.clock, wall=clock.wall, ring=ring
        )
        asker = Asker(database=database, provider=provider, wall=clock.wall)
        door = api.Door(database, desk, ring, given.callback_secret)
        yield App(
            asgi=api.app(door, actor_secret=given.actor_secret),
            consumers=[
                Consumer(group, heard, database, parts.producer, given, patient=True)
                for group, heard in (
                    ("notify-road", consumer.road(given)),
                    ("notify-state", consumer.state(given)),
                )
            ],
            jobs=jobs.jobs(
                lane,
                asker,
                part_price_rial=given.sms_part_price_rial,
                support=given.support_phone,
            ),
            tasks=[desk.run],
        )


ROOM: Final = Main(room="notify", settings=Settings, migrations=MIGRATIONS, build=build)
