"""All the SQL of terms."""

from collections.abc import Sequence
from typing import Final

import msgspec

from contracts.merchants import Terms
from kit.base.db import Tx
from kit.stream import local_tables

_encode: Final = msgspec.json.Encoder().encode
_terms: Final = msgspec.json.Decoder(Terms)
TERMS_TABLE: Final = local_tables.Table(
    name="terms",
    columns={"version": "int", "body": "jsonb"},
    key=("version",),
    version="version",
)


async def upsert_terms(tx: Tx, terms: Sequence[Terms]) -> int:
    """Keep every version of the network's terms, in any order; gives how many are new."""
    rows = [{"version": one.version, "body": _encode(one).decode()} for one in terms]
    return await local_tables.upsert(tx, TERMS_TABLE, rows)


async def find_terms(tx: Tx) -> list[Terms]:
    """Every version of the network's terms: a handful a year."""
    rows = await tx.fetch("select version, body from terms order by version")
    return local_tables.legible(rows, lambda row: _terms.decode(row["body"]), "terms")
