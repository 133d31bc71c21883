"""The gateway as a program: its parts, wired."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

from starlette.routing import BaseRoute

from gateway.api import front, transactions
from gateway.api.administration import Passing
from gateway.api.document import TITLE, VERSION, Book
from gateway.clients import Services
from gateway.consumer import RepliesFeed, TablesFeed, measure_clock
from gateway.domain import keys, limits
from gateway.settings import Settings
from gateway.store import Tables
from gateway.usecases.access import Access
from gateway.usecases.guard import Guard
from gateway.usecases.lookups import Lookups
from gateway.usecases.submit import Road
from gateway.usecases.waiting import Waiting
from kit import clock, kafka, run, web

LOOK_EVERY_S: Final = 0.5
CLOCK_EVERY_S: Final = 5.0
STRANGERS_RATE_PER_S: Final = 50.0
STRANGERS_BURST: Final = 200.0
_BOOT: Final = Path("/proc/sys/kernel/random/boot_id")


@asynccontextmanager
async def build(parts: run.Parts) -> AsyncGenerator[run.App]:
    """Open the tables and the session to the services; wire doors, use cases and feeds."""
    settings: Settings = parts.settings
    cluster = await kafka.cluster_id(settings.kafka_bootstrap)
    tables = open_tables(settings, cluster)
    guard = Guard(settings.sandbox, clock.wall)
    waiting = Waiting(settings.pending_max)
    session = Services.session()
    try:
        services = Services(settings, session)
        road = Road(
            settings=settings,
            lookups=lookups_of(settings, tables, services),
            waiting=waiting,
            guard=guard,
            limiter=limits.Limiter(settings.terminal_rate_per_s, settings.terminal_burst),
            producer=parts.producer,
            clock=parts.clock,
        )
        yield run.App(
            asgi=edge(road, services),
            tasks=(
                TablesFeed(settings, tables, guard, parts.producer).run,
                RepliesFeed(settings, waiting, guard).run,
            ),
            jobs=(
                run.Job(name="look", every_s=LOOK_EVERY_S, run=guard.look, elected=False),
                run.Job(
                    name="measure-clock",
                    every_s=CLOCK_EVERY_S,
                    run=lambda: measure_clock(settings, parts.producer, guard),
                    elected=False,
                ),
            ),
        )
    finally:
        await session.close()
        tables.close()


def edge(road: Road, services: Services) -> front.Front:
    """The HTTP application: tills, administration, and the rest with the document."""
    secret = road.settings.actor_secret
    access = Access(road.lookups, keys.parse_operators(road.settings.operators), road.clock)
    tills = transactions.Transactions(road, access, services)
    own: list[BaseRoute] = [*tills.routes(), *Book(services).routes()]
    made = web.app(TITLE, VERSION, routes=own, readiness=road.guard.checks(), actor_secret=secret)
    made.router.routes[:] = [  # FastAPI's own document knows nothing of road and services
        route
        for route in made.router.routes
        if getattr(route, "path", "") != "/openapi.json" or route in own
    ]
    return front.front(made, tills, Passing(access, services, secret))


def lookups_of(settings: Settings, tables: Tables, services: Services) -> Lookups:
    """Look-ups within their limits."""
    return Lookups(
        tables=tables,
        services=services,
        limiter=limits.Limiter(settings.lookup_rate_per_s, settings.lookup_burst),
        strangers=limits.Limiter(STRANGERS_RATE_PER_S, STRANGERS_BURST),
    )


def open_tables(settings: Settings, cluster: str) -> Tables:
    """This instance's tables; two instances on one machine have a folder each."""
    boot = ""
    with suppress(OSError):
        boot = _BOOT.read_text().strip()
    return Tables.open(
        Path(settings.tables_dir) / f"gateway-{settings.instance}",
        cluster=cluster,
        boot=boot,
        map_gib=settings.tables_map_gib,
    )


MAIN: Final = run.Main(room="gateway", settings=Settings, build=build)
