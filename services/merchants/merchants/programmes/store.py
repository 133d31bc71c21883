"""All the SQL of programmes and terms."""

from datetime import datetime
from typing import Final

from msgspec import structs

from contracts.merchants import Programme, Terms
from kit.base.db import Record, Tx
from kit.base.versions import Newest

_PROGRAMME: Final = (
    "select merchant, party, version, effective_from, title_fa, title_en, earn_points,"
    " earn_per_rial, earning_categories, excluded_categories, validity_days, activation_days,"
    " redeem_min_points, redeem_max_share_bp, own_discount_bp, own_discount_max_rial,"
    " basket_max_rial, earns_on_paid_part, earn_in_steps, top_up_max_rial"
    " from programmes"
)
_TERMS: Final = (
    "select version, effective_from, price_rial, price_points, fee_bp, grace_days from terms"
)


async def insert_programme(tx: Tx, programme: Programme, published_at: datetime) -> None:
    """Add a version."""
    p = programme
    await tx.execute(
        "insert into programmes (merchant, party, version, effective_from, title_fa, title_en,"
        " earn_points, earn_per_rial, earning_categories, excluded_categories, validity_days,"
        " activation_days, redeem_min_points, redeem_max_share_bp, own_discount_bp,"
        " own_discount_max_rial, basket_max_rial, earns_on_paid_part, earn_in_steps,"
        " top_up_max_rial, published_at)"
        " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,"
        " $19, $20, $21)",
        *structs.astuple(p),
        published_at,
    )


async def find_programme(tx: Tx, merchant: int, version: int) -> Programme | None:
    """One version, or None."""
    row = await tx.fetchrow(_PROGRAMME + " where merchant = $1 and version = $2", merchant, version)
    return None if row is None else _programme(row)


async def find_newest_programme(tx: Tx, merchant: int) -> Newest | None:
    """Number and start of a merchant's newest version, or None."""
    row = await tx.fetchrow(
        "select version, effective_from from programmes where merchant = $1"
        " order by version desc limit 1",
        merchant,
    )
    return None if row is None else Newest(**dict(row))


async def list_programmes(tx: Tx, merchant: int, *, after: int, limit: int) -> list[Programme]:
    """A merchant's versions in order, above after."""
    rows = await tx.fetch(
        _PROGRAMME + " where merchant = $1 and version > $2 order by version limit $3",
        merchant,
        after,
        limit,
    )
    return [_programme(row) for row in rows]


async def insert_terms(tx: Tx, terms: Terms, published_at: datetime) -> None:
    """Add a version."""
    await tx.execute(
        "insert into terms (version, effective_from, price_rial, price_points, fee_bp, grace_days,"
        " published_at) values ($1, $2, $3, $4, $5, $6, $7)",
        *structs.astuple(terms),
        published_at,
    )


async def find_terms(tx: Tx, version: int) -> Terms | None:
    """One version, or None."""
    row = await tx.fetchrow(_TERMS + " where version = $1", version)
    return None if row is None else Terms(**dict(row))


async def find_terms_in_force(tx: Tx, at: datetime) -> Terms | None:
    """The version in force at a time, as kit.base.versions picks it, or None."""
    row = await tx.fetchrow(
        _TERMS + " where effective_from <= $1 order by effective_from desc, version desc limit 1",
        at,
    )
    return None if row is None else Terms(**dict(row))


async def find_newest_terms(tx: Tx) -> Newest | None:
    """Number and start of the newest version, or None."""
    row = await tx.fetchrow(
        "select version, effective_from from terms order by version desc limit 1"
    )
    return None if row is None else Newest(**dict(row))


async def list_terms(tx: Tx, *, after: int, limit: int) -> list[Terms]:
    """Versions in order, above after."""
    rows = await tx.fetch(_TERMS + " where version > $1 order by version limit $2", after, limit)
    return [Terms(**dict(row)) for row in rows]


def _programme(row: Record) -> Programme:
    columns = dict(row)
    columns["earning_categories"] = tuple(columns["earning_categories"])
    columns["excluded_categories"] = tuple(columns["excluded_categories"])
    return Programme(**columns)
