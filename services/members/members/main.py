"""Wiring of the members room, as a table."""

import base64
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from kit.consumer import Consumer
from kit.run import App, Main, Parts
from kit.settings import SettingsError
from members import api, consumer, jobs
from members.domain import words
from members.settings import Settings
from members.usecases.memberships import House

MIGRATIONS: Final = Path(__file__).parents[1] / "migrations"


def house_of(given: Settings) -> House:
    """What enrolment is told of the house. Raises SettingsError for a key that does not read."""
    if not re.fullmatch(r"[0-9]{6}", given.card_prefix):
        raise SettingsError("PEYVAND_CARD_PREFIX: six digits")
    try:
        contact = base64.b64decode(given.contact_key, validate=True)
        own = base64.b64decode(given.member_key, validate=True)
        vault = words.vault(contact, own, given.identifier_key.encode())
    except ValueError as error:
        raise SettingsError(f"PEYVAND_CONTACT_KEY or PEYVAND_MEMBER_KEY: {error}") from error
    return House(vault, given.shards, given.card_prefix, given.consent_wording)


@asynccontextmanager
async def build(parts: Parts) -> AsyncGenerator[App]:
    """HTTP, the consumer of the book, the heartbeat."""
    given: Settings = parts.settings
    asgi = api.app(parts.database, parts.clock, house_of(given), actor_secret=given.actor_secret)
    yield App(
        asgi=asgi,
        consumers=[
            Consumer(
                "members",
                consumer.SUBSCRIPTIONS,
                parts.database,
                parts.producer,
                given,
                patient=True,
            )
        ],
        jobs=jobs.jobs(parts.database, parts.clock),
    )


ROOM: Final = Main(room="members", settings=Settings, migrations=MIGRATIONS, build=build)
