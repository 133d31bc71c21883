"""The gateway as a program: its parts, wired."""

import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Final

from contracts import keys
from contracts.members import OF_IDENTIFIERS
from gateway.api import front, transactions
from gateway.api.administration import Passing
from gateway.api.document import Book
from gateway.clients import Services
from gateway.consumer import RepliesFeed, TablesFeed, measure_clock
from gateway.domain import keys as callers
from gateway.domain import limits
from gateway.settings import Settings
from gateway.store import Tables
from gateway.usecases.access import Access
from gateway.usecases.guard import Guard
from gateway.usecases.lookups import Lookups
from gateway.usecases.sending import Road
from gateway.usecases.shares import Shares
from gateway.usecases.waiting import Waiting
from kit import clock, kafka, run

log = logging.getLogger(__name__)
LOOK_EVERY_S: Final = 0.5
CLOCK_EVERY_S: Final = 5.0
DOCUMENT_EVERY_S: Final = 10.0
_BOOT: Final = Path("/proc/sys/kernel/random/boot_id")


@asynccontextmanager
async def build(parts: run.Parts) -> AsyncGenerator[run.App]:
    """Open the tables and the session to the services; wire doors, use cases and feeds."""
    settings: Settings = parts.settings
    identifiers = identifiers_of(settings)
    log.info("keys of identifiers: %s", keys.names(identifiers))
    cluster = await kafka.cluster_id(settings.kafka_bootstrap)
    tables = open_tables(settings, cluster)
    guard = Guard(settings.sandbox, clock.wall)
    waiting = Waiting(settings.pending_max)
    services = Services(settings)
    book = Book(services)
    try:
        road = Road(
            settings=settings,
            identifiers=identifiers,
            lookups=lookups_of(settings, tables, services),
            waiting=waiting,
            guard=guard,
            shown=limits.Shown(settings.identifiers_unsold_max, settings.identifiers_window_s),
            shares=Shares.of(settings),
            producer=parts.producer,
            clock=parts.clock,
        )
        yield run.App(
            asgi=edge(road, services, book),
            tasks=(
                TablesFeed(settings, tables, guard, parts.producer, identifiers).run,
                RepliesFeed(settings, waiting, guard).run,
            ),
            jobs=(
                run.Job(name="document", every_s=DOCUMENT_EVERY_S, run=book.refresh, elected=False),
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
        await services.close()
        tables.close()


def edge(road: Road, services: Services, book: Book) -> front.Front:
    """The HTTP application: tills, administration, and the rest with the document."""
    operators = callers.parse_operators(road.settings.operators)
    access = Access(road.lookups, operators, road.clock, road.shares)
    return front.Front(
        transactions=transactions.Transactions(road, access, services),
        passing=Passing(access, services, road.shares),
        book=book,
        shares=road.shares,
        state=SimpleNamespace(readiness=road.guard.checks()),
    )


def identifiers_of(settings: Settings) -> keys.Ring:
    """Keys of identifiers' digests. Raises ValueError."""
    return keys.ring(settings.identifier_keys, OF_IDENTIFIERS, setting="PEYVAND_IDENTIFIER_KEYS")


def lookups_of(settings: Settings, tables: Tables, services: Services) -> Lookups:
    """Look-ups within their limits."""
    return Lookups(
        tables=tables,
        services=services,
        limiter=limits.Limiter(settings.lookup_rate_per_s, settings.lookup_burst),
        strangers=limits.Limiter(settings.lookup_rate_per_s, settings.lookup_burst),
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
