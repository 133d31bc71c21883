"""Local tables: what contracts.topics lists is what the services fill, and all can be rebuilt."""

import importlib
import pkgutil
from collections.abc import Iterator

import pytest

from contracts.topics import TOPICS
from gateway.tables.consumer import HANDLERS
from kit.base import clock
from kit.rebuild import tables_of
from kit.stream.local_tables import Table
from support import services

from .openapi_file import NOT_OPENED

Row = tuple[str, str, frozenset[str], str]  # topic, table, key without the version, version


def listed(room: str) -> set[Row]:
    return {
        (topic.name, table.table, frozenset(table.key), table.version)
        for topic in TOPICS
        for table in topic.local_tables
        if table.room == room
    }


def filled(room: str) -> Iterator[Row]:
    """What the parts of a service declare."""
    service = services.service(room)
    opened = services.opened(service, NOT_OPENED, clock.SystemClock())
    for _, one in tables_of(room, [part(opened) for part in service.parts]):
        for table in one.tables:
            key = frozenset(table.key) - {table.version}
            yield one.topic.name, table.name, key, table.version


def tables_in_code(room: str) -> set[str]:
    """Every monotonic table that a module of the service has."""
    package = importlib.import_module(room)
    modules = [
        importlib.import_module(found.name)
        for found in pkgutil.walk_packages(package.__path__, f"{room}.")
        if not found.name.endswith("__main__")
    ]
    values = [value for module in modules for value in vars(module).values()]
    return {value.name for value in values if isinstance(value, Table)}


@pytest.mark.parametrize("room", services.SERVICES)
def test_what_is_listed_is_filled_and_nothing_else(room: str) -> None:
    rows = list(filled(room))
    assert len(rows) == len({name for _, name, _, _ in rows}), "a table has two sources"
    assert set(rows) == listed(room)
    assert tables_in_code(room) == {name for _, name, _, _ in rows}


def test_the_gateway_fills_what_is_listed_for_it() -> None:
    fills = {
        (topic, table.value.decode()) for topic, (tables, _) in HANDLERS.items() for table in tables
    }
    assert fills == {(topic, table) for topic, table, _, _ in listed("gateway")}
