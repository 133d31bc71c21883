"""Monotonic upsert: the only way a local table is written; and reading of what was stored."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, LiteralString, TypeVar

from kit.base import telemetry
from kit.base.db import Tx

log = logging.getLogger(__name__)
Held = TypeVar("Held")


@dataclass(frozen=True, kw_only=True)
class Table:
    """A local table: columns maps name to type; key is its primary key.

    version among key: every version is kept; else only the newest.
    """

    name: LiteralString
    columns: Mapping[LiteralString, LiteralString]
    key: tuple[LiteralString, ...]
    version: LiteralString


async def upsert(tx: Tx, table: Table, rows: Sequence[Mapping[str, Any]]) -> int:
    """Write rows newer than what the table keeps; gives how many were.

    rows: every column by name. The order of arrival does not matter and repeats change nothing.
    Source: architecture 4.
    """
    newest: dict[tuple[Any, ...], Mapping[str, Any]] = {}
    for row in rows:
        name = tuple(row[k] for k in table.key)
        if name not in newest or newest[name][table.version] < row[table.version]:
            newest[name] = row
    if not newest:
        return 0
    kept = [newest[name] for name in sorted(newest)]
    columns = [[row[column] for row in kept] for column in table.columns]
    done = await tx.execute(_statement(table), *columns)
    return int(done.rpartition(" ")[2])


def legible(rows: Iterable[Any], read: Callable[[Any], Held], table: str) -> list[Held]:
    """Stored rows as values; one that does not read is left out, with an alarm, and the rest kept.

    rows: of a table; the first column of each tells which it is.
    """
    held: list[Held] = []
    for row in rows:
        try:
            held.append(read(row))
        except Exception as error:  # noqa: BLE001 - whatever it breaks on is its own doing
            telemetry.count(telemetry.Metric.ALARMS, "stored-row-unreadable")
            log.error("a row of %s does not read: %s: %r", table, row[0], error)
    return held


async def will_number(tx: Tx, table: LiteralString) -> None:
    """Announce that this transaction will number rows of a table; see all_numbered."""
    await tx.fetchval("select pg_advisory_xact_lock_shared(hashtext($1))", table)


async def all_numbered(tx: Tx, table: LiteralString) -> None:
    """Wait until every transaction that announced so has committed; later ones wait for tx to end.

    Numbers are given before the commit: without the wait a page may show 7, and 6 commit later.
    """
    await tx.fetchval("select pg_advisory_xact_lock(hashtext($1))", table)


def _statement(table: Table) -> LiteralString:
    names: LiteralString = ", ".join(table.columns)
    arrays: list[LiteralString] = []
    changes: list[LiteralString] = []
    for place, column in zip(_PLACES, table.columns, strict=False):
        arrays.append(f"{place}::{table.columns[column]}[]")
        if column not in table.key:
            changes.append(f"{column} = excluded.{column}")
    then: LiteralString = "do nothing"
    if table.version not in table.key:
        newer: LiteralString = f"t.{table.version} < excluded.{table.version}"
        then = f"do update set {', '.join(changes)} where {newer}"
    return (
        f"insert into {table.name} as t ({names})"  # noqa: S608 - literals only
        f" select {names} from unnest({', '.join(arrays)}) as u ({names})"
        f" on conflict ({', '.join(table.key)}) {then}"
    )


_PLACES: tuple[LiteralString, ...] = (
    "$1", "$2", "$3", "$4", "$5", "$6", "$7", "$8", "$9", "$10", "$11", "$12", "$13", "$14",
    "$15", "$16", "$17", "$18", "$19", "$20", "$21", "$22", "$23", "$24",
)  # fmt: skip
