"""SQL of the first purchase: its versions, and one row an account."""

from collections.abc import Sequence

import msgspec

from campaigns.first_purchase.domain import FirstPurchase, State, Version
from kit.base.db import Record, Tx


async def lock_versions(tx: Tx) -> None:
    """One writer at a time; the table itself may be empty of rows to lock."""
    await tx.execute("select pg_advisory_xact_lock(hashtext('campaigns.first_purchase_versions'))")


async def list_versions(tx: Tx) -> list[Version]:
    """Every version, newest first: a handful, chosen by operators."""
    rows = await tx.fetch(
        "select version, effective_from, amount_rial, validity_days, funder, title_fa, title_en"
        " from first_purchase_versions order by version desc"
    )
    return [msgspec.convert(dict(row), Version) for row in rows]


async def insert_version(tx: Tx, version: Version) -> None:
    """Write down a version; the key is new, the caller has looked."""
    await tx.execute(
        "insert into first_purchase_versions"
        " (version, effective_from, amount_rial, validity_days, funder, title_fa, title_en)"
        " values ($1, $2, $3, $4, $5, $6, $7)",
        version.version,
        version.effective_from,
        version.amount_rial,
        version.validity_days,
        version.funder,
        version.title_fa,
        version.title_en,
    )


async def insert_first_purchases(tx: Tx, taken: Sequence[FirstPurchase]) -> set[int]:
    """Take the counts of accounts that have none; gives the accounts whose count was taken."""
    rows = await tx.fetch(
        "insert into first_purchases (account, shard, name, member, version, state, decided_at)"
        " select u.account, u.shard, u.name, u.member, u.version, u.state, u.decided_at"
        " from unnest($1::bigint[], $2::int[], $3::text[], $4::bigint[], $5::int[],"
        " $6::timestamptz[], $7::text[])"
        " as u (account, shard, name, member, version, decided_at, state)"
        " on conflict do nothing returning account",
        [t.account for t in taken],
        [t.shard for t in taken],
        [t.name for t in taken],
        [t.member for t in taken],
        [t.version for t in taken],
        [t.decided_at for t in taken],
        [t.state.value for t in taken],
    )
    return {row["account"] for row in rows}


async def find_first_purchases(
    tx: Tx, names: Sequence[tuple[int, str]]
) -> dict[tuple[int, str], FirstPurchase]:
    """The counts that were taken under those (shard, name of a purchase)."""
    rows = await tx.fetch(
        "select f.account, f.shard, f.name, f.member, f.version, f.state, f.returned,"
        " f.decided_at"
        " from first_purchases f join unnest($1::int[], $2::text[]) as u (shard, name)"
        " on f.shard = u.shard and f.name = u.name",
        [shard for shard, _ in names],
        [name for _, name in names],
    )
    return {(row["shard"], row["name"]): _first_purchase(row) for row in rows}


async def find_returned(
    tx: Tx, accounts: Sequence[tuple[int, int]]
) -> dict[tuple[int, int], FirstPurchase]:
    """Of those (shard, account), the credits whose purchase was undone."""
    rows = await tx.fetch(
        "select f.account, f.shard, f.name, f.member, f.version, f.state, f.returned,"
        " f.decided_at"
        " from first_purchases f join unnest($1::int[], $2::bigint[]) as u (shard, account)"
        " on f.shard = u.shard and f.account = u.account where f.returned",
        [shard for shard, _ in accounts],
        [account for _, account in accounts],
    )
    return {(row["shard"], row["account"]): _first_purchase(row) for row in rows}


async def update_states(tx: Tx, states: Sequence[tuple[int, State]]) -> None:
    """Confirm or release counts that are reserved."""
    await tx.execute(
        "update first_purchases f set state = u.state"
        " from unnest($1::bigint[], $2::text[]) as u (account, state)"
        " where f.account = u.account and f.state = 'reserved'",
        [account for account, _ in states],
        [state.value for _, state in states],
    )


async def update_returned(tx: Tx, accounts: Sequence[int]) -> set[int]:
    """Mark credits as taken back; gives the accounts that were not yet."""
    rows = await tx.fetch(
        "update first_purchases set returned = true"
        " where account = any($1::bigint[]) and not returned returning account",
        list(accounts),
    )
    return {row["account"] for row in rows}


def _first_purchase(row: Record) -> FirstPurchase:
    return FirstPurchase(
        account=row["account"],
        shard=row["shard"],
        name=row["name"],
        member=row["member"],
        version=row["version"],
        state=State(row["state"]),
        returned=row["returned"],
        decided_at=row["decided_at"],
    )
