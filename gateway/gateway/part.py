"""The edge: tills to the road, administration to its service, the tables that both read."""

import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
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
from kit import clock
from kit.room import Job, Part, Resources

log = logging.getLogger(__name__)
LOOK_EVERY_S: Final = 0.5
CLOCK_EVERY_S: Final = 5.0
DOCUMENT_EVERY_S: Final = 10.0
_BOOT: Final = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class Edge:
    """What the gateway's loops and doors share."""

    tables: Tables
    guard: Guard
    waiting: Waiting
    services: Services
    book: Book
    road: Road


def edge_of(opened: Resources) -> Edge:
    """The edge of this process; `opened.one(edge_of)` makes it once."""
    settings: Settings = opened.settings
    identifiers = identifiers_of(settings)
    log.info("keys of identifiers: %s", keys.names(identifiers))
    tables = open_tables(settings, opened.cluster)
    guard, waiting = Guard(settings.sandbox, clock.wall), Waiting(settings.pending_max)
    services = Services(settings)
    road = Road(
        settings=settings,
        identifiers=identifiers,
        lookups=lookups_of(settings, tables, services),
        waiting=waiting,
        guard=guard,
        shown=limits.Shown(settings.identifiers_unsold_max, settings.identifiers_window_s),
        shares=Shares.of(settings),
        producer=opened.producer,
        clock=opened.clock,
    )
    return Edge(tables, guard, waiting, services, Book(services), road)


def part(opened: Resources) -> Part:
    """Feeds of the tables and of replies, and what is measured again and again."""
    edge, settings = opened.one(edge_of), opened.settings
    guard = edge.guard
    return Part(
        name="edge",
        tasks=(
            TablesFeed(settings, edge.tables, guard, opened.producer, edge.road.identifiers).run,
            RepliesFeed(settings, edge.waiting, guard).run,
        ),
        jobs=(
            Job(name="document", every_s=DOCUMENT_EVERY_S, run=edge.book.refresh, elected=False),
            Job(name="look", every_s=LOOK_EVERY_S, run=guard.look, elected=False),
            Job(
                name="measure-clock",
                every_s=CLOCK_EVERY_S,
                run=lambda: measure_clock(settings, opened.producer, guard),
                elected=False,
            ),
        ),
        opened=(_closing(edge),),
    )


def application(_: str, __: Sequence[Part], opened: Resources) -> front.Front:
    """The gateway's own front in place of an application of routes."""
    edge = opened.one(edge_of)
    return front_of(edge.road, edge.services, edge.book)


@asynccontextmanager
async def _closing(edge: Edge) -> AsyncGenerator[None]:
    try:
        yield
    finally:
        await edge.services.close()
        edge.tables.close()


def front_of(road: Road, services: Services, book: Book) -> front.Front:
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
