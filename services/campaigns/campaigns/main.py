"""The campaigns room as a table: which topic goes to which handler, which job runs when."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from fastapi import APIRouter, FastAPI

from campaigns import settings
from campaigns.awards import api as awards_api
from campaigns.awards import consumer as awards
from campaigns.awards import jobs
from campaigns.awards.usecases import Shelves
from campaigns.first_purchase import api as first_purchase_api
from campaigns.first_purchase import consumer as first_purchase
from campaigns.programmes import consumer as programmes
from campaigns.programmes.usecases import Shelf as ProgrammeShelf
from campaigns.rules import api as rules_api
from campaigns.rules import consumer as rules
from campaigns.rules.usecases import Shelf as RuleShelf
from contracts import topics
from kit import audit, auth, web
from kit.clock import Clock
from kit.consumer import Consumer, Poison, Subscription
from kit.db import Database
from kit.run import App, Job, Main, Parts


def road(shelves: Shelves, database: Database) -> list[Subscription]:
    """The till's path."""
    return [
        Subscription(
            topic=topics.FRAUD_SCREENED,
            handle=partial(awards.on_fraud_screened, shelves=shelves),
            poison=Poison.PASS,
            facts_missing=partial(awards.facts_missing, shelves=shelves, database=database),
            refuse=awards.refuse,
        )
    ]


def outcomes() -> list[Subscription]:
    """What the ledger made of it."""
    return [Subscription(topic=topics.LEDGER_ENTRIES, handle=first_purchase.on_ledger_entries)]


def facts() -> list[Subscription]:
    """State topics, into local tables."""
    return [
        Subscription(topic=topics.MERCHANTS_PROGRAMMES, handle=programmes.on_merchants_programmes),
        Subscription(topic=topics.MERCHANTS_TERMS, handle=programmes.on_merchants_terms),
        Subscription(topic=topics.CAMPAIGNS_RULES, handle=rules.on_campaigns_rules),
    ]


def routes(database: Database, clock: Clock, shelves: Shelves) -> list[APIRouter]:
    """Administration; each route says who may call it."""
    return [
        rules_api.router(database, clock),
        awards_api.router(database, clock, shelves),
        first_purchase_api.router(database),
        audit.router("campaigns", database),
    ]


def app(database: Database, clock: Clock, shelves: Shelves, *, actor_secret: str) -> FastAPI:
    """The application of the campaigns room."""
    return web.app(
        "Peyvand campaigns",
        "1",
        routes=routes(database, clock, shelves),
        signed=auth.Signing("campaigns", actor_secret),
    )


@asynccontextmanager
async def build(parts: Parts) -> AsyncGenerator[App]:
    """Wire the room."""
    given: settings.Settings = parts.settings
    database, clock = parts.database, parts.clock
    shelves = Shelves(programmes=ProgrammeShelf(), rules=RuleShelf())
    asgi = app(database, clock, shelves, actor_secret=given.actor_secret)
    subscribed = {
        settings.ROAD_GROUP: road(shelves, database),
        settings.OUTCOMES_GROUP: outcomes(),
        settings.FACTS_GROUP: facts(),
    }
    consumers = [
        Consumer(
            group,
            subscriptions,
            database,
            parts.producer,
            given,
            patient=group == settings.OUTCOMES_GROUP,
        )
        for group, subscriptions in subscribed.items()
    ]
    prune = Job(
        name="prune-decisions",
        every_s=settings.PRUNE_EVERY_S,
        run=partial(jobs.prune_decisions, database, clock),
    )
    yield App(asgi=asgi, consumers=consumers, jobs=[prune])


MAIN = Main(
    room="campaigns",
    settings=settings.Settings,
    build=build,
    migrations=Path(__file__).parents[1] / "migrations",
)
