"""All the SQL of titles."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from contracts.merchants import Merchant
from kit.base.db import Tx
from kit.stream import local_tables

TITLES: Final = local_tables.Table(
    name="titles",
    columns={
        "merchant": "int",
        "version": "int",
        "title_fa": "text",
        "title_en": "text",
        "party": "int",
    },
    key=("merchant",),
    version="version",
)


async def upsert_titles(tx: Tx, merchants: Sequence[Merchant]) -> int:
    """Keep the newest titles of each merchant; gives how many were newer."""
    rows: list[Mapping[str, Any]] = [
        {name: getattr(merchant, name) for name in TITLES.columns} for merchant in merchants
    ]
    return await local_tables.upsert(tx, TITLES, rows)


async def find_of_merchants(tx: Tx, merchants: Sequence[int]) -> dict[int, tuple[str, str]]:
    """Persian and English titles of these merchants, of those that are known."""
    rows = await tx.fetch(
        "select merchant, title_fa, title_en from titles where merchant = any($1::int[])",
        list(merchants),
    )
    return {row["merchant"]: (row["title_fa"], row["title_en"]) for row in rows}


async def find_of_parties(tx: Tx, parties: Sequence[int]) -> dict[int, tuple[str, str]]:
    """Titles of each party's first merchant, of those that have one."""
    rows = await tx.fetch(
        "select distinct on (party) party, title_fa, title_en from titles"
        " where party = any($1::int[]) order by party, merchant",
        list(parties),
    )
    return {row["party"]: (row["title_fa"], row["title_en"]) for row in rows}
