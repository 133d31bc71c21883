"""All the SQL of parties, merchants and branches."""

from collections.abc import Collection
from dataclasses import astuple
from typing import Final

import sqlalchemy as sa

from kit.base.db import Tx
from merchants.parties import domain
from merchants.parties.domain import Branch, Merchant, Party


async def insert_party(tx: Tx, party: Party) -> bool:
    """False when the number, the legal id or the national id is taken."""
    tag = await tx.execute(
        "insert into parties (party, title_fa, title_en, legal_id, national_id, sheba, postal_code,"
        " mobile) values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing",
        *astuple(party),
    )
    return tag == "INSERT 0 1"


async def find_party(tx: Tx, party: int) -> Party | None:
    """The party, or None."""
    row = await tx.fetchrow(
        "select party, title_fa, title_en, legal_id, national_id, sheba, postal_code, mobile"
        " from parties where party = $1",
        party,
    )
    return None if row is None else Party(**dict(row))


async def list_merchants_of(tx: Tx, party: int) -> list[int]:
    """The numbers of a party's merchants, in order."""
    rows = await tx.fetch(
        "select merchant from merchants where party = $1 order by merchant", party
    )
    return [row["merchant"] for row in rows]


async def list_parties(tx: Tx, parties: Collection[int]) -> list[Party]:
    """Those of some parties that are registered."""
    rows = await tx.fetch(
        "select party, title_fa, title_en, legal_id, national_id, sheba, postal_code, mobile"
        " from parties where party = any($1::int[]) order by party",
        sorted(parties),
    )
    return [Party(**dict(row)) for row in rows]


async def insert_merchant(tx: Tx, merchant: Merchant) -> bool:
    """False when the number or the reference is taken; an unknown party is a DataError."""
    tag = await tx.execute(
        "insert into merchants (merchant, party, sector, title_fa, title_en, reference, title_key)"
        " values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing",
        merchant.merchant,
        merchant.party,
        merchant.sector,
        merchant.title_fa,
        merchant.title_en,
        merchant.reference,
        domain.title_key(merchant),
    )
    return tag == "INSERT 0 1"


async def find_merchant(tx: Tx, merchant: int) -> Merchant | None:
    """The merchant, or None."""
    row = await tx.fetchrow(
        "select merchant, party, sector, title_fa, title_en, reference"
        " from merchants where merchant = $1",
        merchant,
    )
    return None if row is None else Merchant(**dict(row))


async def lock_merchant(tx: Tx, merchant: int) -> Merchant | None:
    """The merchant, locked until the transaction ends; None: unknown."""
    row = await tx.fetchrow(
        "select merchant, party, sector, title_fa, title_en, reference"
        " from merchants where merchant = $1 for no key update",
        merchant,
    )
    return None if row is None else Merchant(**dict(row))


MERCHANTS: Final = sa.table(
    "merchants",
    sa.column("merchant", sa.Integer),
    sa.column("party", sa.Integer),
    sa.column("sector", sa.Text),
    sa.column("title_fa", sa.Text),
    sa.column("title_en", sa.Text),
    sa.column("title_key", sa.Text),
    sa.column("reference", sa.Text),
)


_COLUMNS: Final = ("merchant", "party", "sector", "title_fa", "title_en", "reference")


async def list_merchants(tx: Tx, search: domain.MerchantSearch) -> list[Merchant]:
    """Merchants in number order, above search.after; title: the beginning of either title."""
    column = MERCHANTS.c
    columns = [column[name] for name in _COLUMNS]
    statement = (
        sa.select(*columns)
        .where(column.merchant > search.after)
        .order_by(column.merchant)
        .limit(search.limit)
    )
    if search.reference is not None:
        statement = statement.where(column.reference == search.reference)
    if search.sector is not None:
        statement = statement.where(column.sector == search.sector)
    if search.party is not None:
        statement = statement.where(column.party == search.party)
    if search.title is not None:
        key = domain.search_key(search.title)
        either = column.title_key.startswith(key, autoescape=True) | column.title_key.contains(
            "\n" + key, autoescape=True
        )
        statement = statement.where(either)
    return [Merchant(**dict(row)) for row in await tx.select(statement)]


async def insert_branch(tx: Tx, branch: Branch) -> bool:
    """False when the number is taken; an unknown merchant is a DataError."""
    tag = await tx.execute(
        "insert into branches (merchant, branch, title_fa, title_en) values ($1, $2, $3, $4)"
        " on conflict (merchant, branch) do nothing",
        branch.merchant,
        branch.branch,
        branch.title_fa,
        branch.title_en,
    )
    return tag == "INSERT 0 1"


async def find_branch(tx: Tx, merchant: int, branch: int) -> Branch | None:
    """The branch, or None."""
    row = await tx.fetchrow(
        "select merchant, branch, title_fa, title_en from branches"
        " where merchant = $1 and branch = $2",
        merchant,
        branch,
    )
    return None if row is None else Branch(**dict(row))


async def list_branches(tx: Tx, merchant: int, *, after: int, limit: int) -> list[Branch]:
    """Branches of a merchant in number order, above after."""
    rows = await tx.fetch(
        "select merchant, branch, title_fa, title_en from branches"
        " where merchant = $1 and branch > $2 order by branch limit $3",
        merchant,
        after,
        limit,
    )
    return [Branch(**dict(row)) for row in rows]


async def lock_party(tx: Tx, party: int) -> bool:
    """Lock a party until the transaction ends; False: there is none."""
    row = await tx.fetchrow("select 1 from parties where party = $1 for no key update", party)
    return row is not None
