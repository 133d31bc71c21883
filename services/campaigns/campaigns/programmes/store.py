"""SQL of the local tables programmes and terms."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from contracts.merchants import Programme, Terms
from kit.base.db import Tx
from kit.stream import local_tables

TERMS: Final = 0  # in programme_changes, where a merchant's number would be
PROGRAMMES_TABLE: Final = local_tables.Table(
    name="programmes",
    columns={"merchant": "int", "version": "int", "body": "jsonb"},
    key=("merchant", "version"),
    version="version",
)
TERMS_TABLE: Final = local_tables.Table(
    name="terms",
    columns={"version": "int", "body": "jsonb"},
    key=("version",),
    version="version",
)

_programme = msgspec.json.Decoder(Programme)
_terms = msgspec.json.Decoder(Terms)


async def upsert_programmes(tx: Tx, programmes: Sequence[Programme]) -> None:
    """Keep every version, whatever the order of arrival."""
    rows = [{"merchant": p.merchant, "version": p.version, "body": _text(p)} for p in programmes]
    await local_tables.upsert(tx, PROGRAMMES_TABLE, rows)


async def upsert_terms(tx: Tx, terms: Sequence[Terms]) -> None:
    """Keep every version, whatever the order of arrival."""
    rows = [{"version": t.version, "body": _text(t)} for t in terms]
    await local_tables.upsert(tx, TERMS_TABLE, rows)


async def upsert_changes(tx: Tx, changed: Sequence[tuple[int, int]]) -> None:
    """Announce (merchant, version) under the next revision; its row is locked until commit, so
    that no reader ever skips a lower revision that commits later."""
    rows = sorted(set(changed))
    await tx.execute(
        "with risen as (update programme_revision set revision = revision + 1 returning revision)"
        " insert into programme_changes (merchant, version, revision)"
        " select u.merchant, u.version, risen.revision"
        " from risen, unnest($1::int[], $2::int[]) as u (merchant, version)"
        " on conflict (merchant, version) do update set revision = excluded.revision",
        [merchant for merchant, _ in rows],
        [version for _, version in rows],
    )


async def list_changes(tx: Tx, revision: int) -> list[tuple[int, Programme | Terms]]:
    """(revision, fact) of everything announced after revision; limited by what there is."""
    rows = await tx.fetch(
        "select c.merchant, c.version, c.revision, p.body::text as body from programme_changes c"
        " join programmes p on p.merchant = c.merchant and p.version = c.version"
        " where c.revision > $1"
        " union all"
        " select c.merchant, c.version, c.revision, t.body::text from programme_changes c"
        " join terms t on t.version = c.version"
        " where c.merchant = 0 and c.revision > $1",
        revision,
    )
    return local_tables.legible(
        rows, lambda row: (row["revision"], _fact(row["merchant"], row["body"])), "programmes"
    )


def _text(fact: Any) -> str:
    return msgspec.json.encode(fact).decode()


def _fact(merchant: int, body: str) -> Programme | Terms:
    return _terms.decode(body) if merchant == TERMS else _programme.decode(body)
