"""Wiring of the members room, as a table."""

import logging
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from contracts import keys
from kit.consumer import Consumer
from kit.run import App, Main, Parts
from kit.settings import SettingsError
from members import api, consumer, jobs
from members.domain import words
from members.settings import Settings
from members.usecases.memberships import House

log = logging.getLogger(__name__)
MIGRATIONS: Final = Path(__file__).parents[1] / "migrations"


def house_of(given: Settings) -> House:
    """What enrolment is told of the house. Raises SettingsError for a key that does not read."""
    if not re.fullmatch(r"[0-9]{6}", given.card_prefix):
        raise SettingsError("PEYVAND_CARD_PREFIX: six digits")
    try:
        vault = words.vault(given.member_keys, given.contact_keys, given.identifier_keys)
    except ValueError as error:
        raise SettingsError(str(error)) from error
    return House(
        vault=vault,
        shards=given.shards,
        card_prefix=given.card_prefix,
        wording=given.consent_wording,
        account_day=given.additions_account_day,
        key_day=given.additions_key_day,
    )


@asynccontextmanager
async def build(parts: Parts) -> AsyncGenerator[App]:
    """HTTP, the consumer of the book, the heartbeat."""
    given: Settings = parts.settings
    house = house_of(given)
    for purpose in ("data_keys", "contacts", "identifiers"):
        log.info("%s: the first seals: %s", purpose, keys.names(getattr(house.vault, purpose)))
    asgi = api.app(parts.database, parts.clock, house, actor_secret=given.actor_secret)
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
        jobs=jobs.jobs(parts.database, parts.clock, house.vault),
    )


ROOM: Final = Main(room="members", settings=Settings, migrations=MIGRATIONS, build=build)
