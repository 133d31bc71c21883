"""What people read of the book: balance, lots, statement, positions, one outcome."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from msgspec import Raw

from contracts.values import Unit, public_id
from kit import errors
from kit.db import Record, Tx
from ledger import read
from ledger.domain import lots, records
from ledger.domain.book import Lot, Original, Progress, Role
from ledger.domain.leaves import Leaf
from ledger.store import posting, reading


async def balance_of(tx: Tx, account: int, *, now: datetime) -> dict[str, Any]:
    """Balance of a club account at now, and of each issuer; a snapshot.

    Zeros, of no shard, where nothing was ever booked: who is a member the book does not know.
    """
    rows = await _accounts(tx, account)
    now = max(now, rows[0]["decided_at"]) if rows else now
    shard: int | None = rows[0]["shard"] if rows else None
    values = {row["account_id"]: row for row in rows if row["role"] == Role.VALUE.value}
    found = await posting.list_open_lots(tx, [(row["shard"], n) for n, row in values.items()])
    mine = [posting.lot_of(record[2:], account) for record in found]
    told = lots.balance(mine, now=now)
    debts = [row for row in rows if row["role"] == Role.DEBT.value and row["balance"]]
    return {
        "account": account,
        "shard": shard,
        "sequence": rows[0]["last_sequence"] if rows else 0,
        "as_of": now,
        "points": told.points,
        "available_points": told.available_points,
        "pending_points": told.pending_points,
        "credit_rial": told.credit_rial,
        "expiring_points": told.expiring_points,
        "expiring_at": told.expiring_at,
        "by_issuer": _by_issuer(mine, debts, now=now),
    }


async def list_lots(tx: Tx, account: int, *, after: int, limit: int) -> dict[str, Any]:
    """Open lots of a club account by number."""
    rows = await _accounts(tx, account)
    if not rows:
        return {"items": [], "next": None}
    numbers = [row["account_id"] for row in rows if row["role"] == Role.VALUE.value]
    found = await reading.list_lots(
        tx, shard=rows[0]["shard"], account_ids=numbers, after=after, limit=limit
    )
    return _page([dict(row) for row in found], limit, "lot")


async def list_statement(
    tx: Tx, account: int, *, unit: Unit, before: int | None, limit: int
) -> dict[str, Any]:
    """Entries of a club account in one unit, newest first, with balance."""
    rows = await _accounts(tx, account)
    chosen = [r for r in rows if r["role"] == Role.VALUE.value and r["unit"] == unit.value]
    if not chosen:
        return {"items": [], "next": None}
    shard: int = chosen[0]["shard"]
    found = await reading.list_entries(
        tx,
        shard=shard,
        account_id=chosen[0]["account_id"],
        before=_INT_MAX if before is None else before,
        limit=limit,
    )
    sealed = await read.read_leaves(tx, {(shard, row["sequence"]) for row in found})
    lines = [_statement_line(row, sealed[shard, row["sequence"]]) for row in found]
    return _page(lines, limit, "account_sequence")


async def list_positions(tx: Tx, *, after: tuple[int, int], limit: int) -> dict[str, Any]:
    """Who owes whom as of one vector of sequence numbers; totals over shards are text."""
    await reading.begin_snapshot(tx)
    found = await reading.list_positions(
        tx, after_debtor=after[0], after_creditor=after[1], limit=limit
    )
    items = [
        {
            "debtor": row["debtor"],
            "creditor": row["creditor"],
            "owed_rial": row["owed"],
            "fee_rial": row["fee"],
        }
        for row in found
    ]
    last = items[-1] if len(items) == limit else None
    vector = {str(row["shard"]): row["last_sequence"] for row in await reading.list_vector(tx)}
    following = f"{last['debtor']}.{last['creditor']}" if last is not None else None
    return {"items": items, "next": following, "vector": vector}


async def outcome_of(tx: Tx, shard: int, name: str, *, now: datetime) -> dict[str, Any]:
    """First answer, byte for byte, and what has become of the name since. Raises NotFound."""
    await reading.begin_snapshot(tx)
    rows = await posting.find_outcomes(tx, [(shard, name)])
    if not rows:
        raise errors.NotFound("no outcome under this name", code="unknown-outcome")
    sequence: int = rows[0]["sequence"]
    leaf = (await read.read_leaves(tx, {(shard, sequence)}))[shard, sequence]
    original = read.original_in(leaf, name, ())
    answer, current = leaf.marked, {"status": "reversed_before_arrival"}
    if original.arrived:
        now = max(now, await reading.get_decided_at(tx, shard))
        answer, current = leaf.answer, await _current(tx, shard, original, now=now)
    told = Raw(answer or b"null")
    return {"id": public_id(shard, name), "first_answer": told, "current": current}


async def _current(tx: Tx, shard: int, original: Original, *, now: datetime) -> dict[str, Any]:
    states = await posting.find_originals(tx, [(shard, original.name)])
    progress = posting.progress_of(states[0]) if states else original.progress
    wanted = [(shard, number) for number in sorted({grant.lot for grant in original.grants})]
    mine = [
        posting.lot_of(record[2:], original.account)
        for record in (await posting.list_named_lots(tx, wanted) if wanted else [])
    ]
    return {
        "status": _status(original, progress, now=now),
        "points_pending": lots.balance(mine, now=now).pending_points,
        "refunded_rial": sum(progress.refunded),
    }


def _status(original: Original, progress: Progress, *, now: datetime) -> str:
    if progress.reversed:
        return "reversed"
    if progress.full:
        return "refunded"
    if progress.verdict:
        return progress.verdict
    if original.held_until is not None and original.held_until <= now:
        return "released"  # nobody decided in time: dates alone decide
    return original.status.value


async def _accounts(tx: Tx, account: int) -> list[Record]:
    await reading.begin_snapshot(tx)
    return await reading.list_value_accounts(tx, account)


def _by_issuer(
    mine: Sequence[Lot], debts: Sequence[Record], *, now: datetime
) -> list[dict[str, Any]]:
    found: dict[tuple[int, str], dict[str, Any]] = {}

    def of(issuer: int, unit: str) -> dict[str, Any]:
        zero = {"total": 0, "available": 0, "pending": 0, "debt": 0}
        return found.setdefault((issuer, unit), {"issuer": issuer, "unit": unit, **zero})

    for lot in mine:
        if lots.in_date(lot, now):
            part = of(lot.issuer, lot.unit.value)
            part["total"] += lot.remaining
            part["pending" if lots.pending(lot, now) else "available"] += lot.remaining
    for row in debts:
        of(row["counterparty"], row["unit"])["debt"] -= row["balance"]
    return [found[key] for key in sorted(found)]


def _statement_line(row: Record, leaf: Leaf) -> dict[str, Any]:
    command = records.command_from(leaf.shard, leaf.command)
    return {
        "account_sequence": row["account_sequence"],
        "sequence": row["sequence"],
        "line": row["line"],
        "amount": row["amount"],
        "balance": row["balance"],
        "decided_at": leaf.decided_at,
        "occurred_at": command.occurred_at,
        "id": public_id(leaf.shard, command.name),
        "command": command.type,
        "kind": getattr(command.body, "kind", None),
        "merchant": getattr(command.body, "merchant", 0),
    }


def _page(items: list[dict[str, Any]], limit: int, key: str) -> dict[str, Any]:
    return {"items": items, "next": items[-1][key] if len(items) == limit else None}


_INT_MAX: Final = 2**31 - 1
