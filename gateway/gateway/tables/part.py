"""The local tables: fed by the state topics, read by every request."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from gateway.tables import jobs
from gateway.tables.consumer import TablesFeed
from gateway.tables.store import Tables
from gateway.tables.usecases import identifier_keys_of, readiness_of
from gateway.tables.usecases.lookups import tables_of
from kit.room import Part, Resources


def part(opened: Resources) -> Part:
    """The tables, their feed, and the readiness that depends on both."""
    tables, readiness = opened.shared(tables_of), opened.shared(readiness_of)
    identifier_keys = opened.shared(identifier_keys_of)
    feed = TablesFeed(opened.settings, tables, readiness, opened.producer, identifier_keys)
    return Part(
        name="tables",
        tasks=(feed.run,),
        jobs=jobs.jobs(readiness),
        opened=(_closing(tables),),
    )


@asynccontextmanager
async def _closing(tables: Tables) -> AsyncGenerator[None]:
    try:
        yield
    finally:
        tables.close()
