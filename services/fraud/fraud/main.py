"""Fraud as a program: its doors, consumers and jobs, wired as a table."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from fastapi import FastAPI

from fraud import api, consumer, jobs
from fraud.alerts import api as alerts_api
from fraud.alerts import consumer as alerts_consumer
from fraud.alerts import jobs as alerts_jobs
from fraud.cases import api as cases_api
from fraud.cases import consumer as cases_consumer
from fraud.cases import jobs as cases_jobs
from fraud.domain.decisions import Limits
from fraud.settings import Settings
from fraud.usecases import Desk
from kit import audit, auth, run, web
from kit.clock import Clock
from kit.consumer import Consumer
from kit.db import Database

VERSION = "0.1.0"


def limits(given: Settings) -> Limits:
    """The road's numbers; a sandbox house's time is not the broker's, so its guard is off."""
    guard = timedelta(seconds=given.clock_ahead_max_s)
    return Limits(
        occurred_age_max=timedelta(hours=given.occurred_age_max_h),
        review=timedelta(hours=given.review_h),
        clock_ahead_max=None if given.sandbox else guard,
    )


def app(database: Database, clock: Clock, *, actor_secret: str) -> FastAPI:
    """The application of the fraud room."""
    return web.app(
        "Peyvand fraud",
        VERSION,
        routes=[
            api.router(database),
            cases_api.router(database, clock),
            alerts_api.router(database),
            audit.router("fraud", database),
        ],
        signed=auth.Signing("fraud", actor_secret),
    )


@asynccontextmanager
async def build(parts: run.Parts) -> AsyncGenerator[run.App]:
    """Wire the room."""
    given: Settings = parts.settings
    database, clock = parts.database, parts.clock
    road = [consumer.road(Desk(limits(given)))]
    state = [
        cases_consumer.LEDGER_ENTRIES,
        alerts_consumer.FRAUD_TERMINALS,
        consumer.MERCHANTS_TERMS,
    ]
    yield run.App(
        asgi=app(database, clock, actor_secret=given.actor_secret),
        consumers=[
            Consumer(consumer.ROAD_GROUP, road, database, parts.producer, given),
            Consumer(consumer.STATE_GROUP, state, database, parts.producer, given, patient=True),
        ],
        jobs=[
            *jobs.jobs(database, clock, given),
            *cases_jobs.jobs(database, clock),
            *alerts_jobs.jobs(database, clock, given.sightings_days),
        ],
    )


MAIN = run.Main(
    room="fraud",
    settings=Settings,
    build=build,
    migrations=Path(__file__).parents[1] / "migrations",
)
