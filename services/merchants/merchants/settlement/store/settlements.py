"""SQL of settlements, their parties and pairs, and what clearing counted for them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from kit.base.db import Record, Tx
from merchants.clearing.domain.counting import Pair
from merchants.settlement.domain.netting import Booking, Due
from merchants.settlement.domain.settlements import (
    PartyPayment,
    Settlement,
    SettlementState,
    command_name,
)

_SELECT: Final = (
    "select window_number as window, state, minimum_rial, proposed_by, proposed_at, approved_by,"
    " approved_at, completed_at from settlements"
)
_DUES: Final = (
    "select c.window_number, c.debtor, c.creditor, c.shard,"
    " (c.claims_rial - c.reversed_rial + c.fee_rial)::bigint as due_rial"
    " from clearing_pairs c where c.window_number <= $1 and c.debtor <> c.creditor"
    " and c.window_number > coalesce((select max(s.window_number) from settlement_pairs s"
    "  where s.debtor = least(c.debtor, c.creditor)"
    "  and s.creditor = greatest(c.debtor, c.creditor)), 0)"
    " and c.claims_rial - c.reversed_rial + c.fee_rial <> 0"
)


async def list_dues(tx: Tx, window: int, pair: Pair | None = None) -> list[Due]:
    """What came to be owed up to a window since each pair was settled last; of one pair, both ways.

    pair None: of all.
    """
    if pair is None:
        rows = await tx.fetch(_DUES, window)
    else:
        rows = await tx.fetch(
            _DUES + " and c.debtor = any($2::int[]) and c.creditor = any($2::int[])",
            window,
            list(pair),
        )
    return [
        Due(r["window_number"], Pair(r["debtor"], r["creditor"]), r["shard"], r["due_rial"])
        for r in rows
    ]


async def list_closed(tx: Tx) -> dict[int, datetime]:
    """When each closed window closed."""
    rows = await tx.fetch(
        "select window_number, closed_at from clearing_windows where state = 'closed'"
    )
    return {row["window_number"]: row["closed_at"] for row in rows}


async def lock_sequence(tx: Tx) -> None:
    """Let one settlement be proposed at a time: the first window's row is the lock."""
    await tx.execute("select from clearing_windows where window_number = 1 for no key update")


async def insert_settlement(tx: Tx, settlement: Settlement) -> bool:
    """Write a new settlement; False where its window has one."""
    tag = await tx.execute(
        "insert into settlements (window_number, state, minimum_rial, proposed_by, proposed_at)"
        " values ($1, $2, $3, $4, $5) on conflict (window_number) do nothing",
        settlement.window,
        settlement.state,
        settlement.minimum_rial,
        settlement.proposed_by,
        settlement.proposed_at,
    )
    return tag == "INSERT 0 1"


async def update_settlement(tx: Tx, settlement: Settlement) -> None:
    """Write where a settlement stands."""
    await tx.execute(
        "update settlements set state = $2, proposed_by = $3, proposed_at = $4, approved_by = $5,"
        " approved_at = $6, completed_at = $7 where window_number = $1",
        settlement.window,
        settlement.state,
        settlement.proposed_by,
        settlement.proposed_at,
        settlement.approved_by,
        settlement.approved_at,
        settlement.completed_at,
    )


async def lock_settlement(tx: Tx, window: int) -> Settlement | None:
    """A settlement, held until the transaction ends, or None."""
    return _settlement(await tx.fetchrow(_SELECT + " where window_number = $1 for update", window))


async def find_settlement(tx: Tx, window: int) -> Settlement | None:
    """A settlement, or None."""
    return _settlement(await tx.fetchrow(_SELECT + " where window_number = $1", window))


async def find_last(tx: Tx) -> Settlement | None:
    """The settlement of the latest window, withdrawn ones too, or None."""
    return _settlement(await tx.fetchrow(_SELECT + " order by window_number desc limit 1"))


async def list_settlements(tx: Tx, *, before: int, limit: int) -> list[Settlement]:
    """Settlements of windows below a number, newest first."""
    rows = await tx.fetch(
        _SELECT + " where window_number < $1 order by window_number desc limit $2", before, limit
    )
    return [settlement for row in rows if (settlement := _settlement(row)) is not None]


async def upsert_parties(tx: Tx, window: int, parties: Sequence[PartyPayment]) -> None:
    """Write the parties of a settlement, all of them: their targets sum to zero."""
    await tx.execute(
        "insert into settlement_parties (window_number, party, target_rial, moved_rial, excluded)"
        " select $1, u.party, 0, 0, false from unnest($2::int[]) as u (party)"
        " on conflict do nothing",
        window,
        [one.party for one in parties],
    )
    await tx.execute(
        "update settlement_parties p set target_rial = u.target_rial, excluded = u.excluded"
        " from unnest($2::int[], $3::bigint[], $4::bool[]) as u (party, target_rial, excluded)"
        " where p.window_number = $1 and p.party = u.party",
        window,
        [one.party for one in parties],
        [one.target_rial for one in parties],
        [one.excluded for one in parties],
    )


async def add_moved(tx: Tx, window: int, party: int, rial: int) -> None:
    """Count what was paid to a party; below zero, by it."""
    await tx.execute(
        "update settlement_parties set moved_rial = moved_rial + $3"
        " where window_number = $1 and party = $2",
        window,
        party,
        rial,
    )


async def list_parties(tx: Tx, window: int) -> list[PartyPayment]:
    """The parties of a settlement in the order of their numbers."""
    rows = await tx.fetch(
        "select party, target_rial, moved_rial, excluded from settlement_parties"
        " where window_number = $1 order by party",
        window,
    )
    return [PartyPayment(**dict(row)) for row in rows]


async def insert_pairs(tx: Tx, window: int, pairs: Sequence[Pair], at: datetime) -> None:
    """Keep that the ledger was told of pairs, each with the lower number first."""
    await tx.execute(
        "insert into settlement_pairs (window_number, debtor, creditor, sent_at)"
        " select $1, u.debtor, u.creditor, $4 from unnest($2::int[], $3::int[])"
        " as u (debtor, creditor)",
        window,
        [pair.debtor for pair in pairs],
        [pair.creditor for pair in pairs],
        at,
    )


async def insert_bookings(tx: Tx, window: int, bookings: Sequence[Booking]) -> None:
    """Keep which commands a settlement sent to the ledger."""
    await tx.execute(
        "insert into settlement_bookings (window_number, name, shard, amount_rial)"
        " select $1, * from unnest($2::text[], $3::int[], $4::bigint[])",
        window,
        [command_name(one) for one in bookings],
        [one.shard for one in bookings],
        [one.amount_rial for one in bookings],
    )


async def count_unbooked(tx: Tx, window: int) -> tuple[int, int]:
    """How many of a settlement's commands the ledger has not answered, and has declined."""
    row = await tx.fetchrow(
        "select count(*) filter (where r.completed is null) as pending,"
        " count(*) filter (where not r.completed) as declined"
        " from settlement_bookings b join requests r using (name, shard)"
        " where b.window_number = $1",
        window,
    )
    return (0, 0) if row is None else (row["pending"], row["declined"])


async def list_pairs(tx: Tx, window: int) -> list[Pair]:
    """The pairs of which the ledger was told in a settlement."""
    rows = await tx.fetch(
        "select debtor, creditor from settlement_pairs where window_number = $1"
        " order by debtor, creditor",
        window,
    )
    return [Pair(row["debtor"], row["creditor"]) for row in rows]


def _settlement(row: Record | None) -> Settlement | None:
    if row is None:
        return None
    values = dict(row)
    values["state"] = SettlementState(row["state"])
    return Settlement(**values)
