"""SQL of windows and their positions."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from kit.base.db import Record, Tx
from merchants.clearing.domain.positions import Position, WindowSums
from merchants.clearing.domain.windows import Window, WindowState

_WINDOW: Final = (
    "select window_number, state, opened_at, cut_at, cut_by, shards, closed_at, outcomes_count,"
    " entries_count, claims_rial, reversed_rial, fee_rial, paid_rial, net_rial"
    " from clearing_windows"
)
_POSITION: Final = (
    "select party, opening_rial, claims_rial, claims_reversed_rial, dues_rial,"
    " dues_reversed_rial, fee_rial, paid_rial, corrections_rial from clearing_positions"
)
FIRST: Final = 1


async def insert_window(tx: Tx, window: int, *, opened_at: datetime) -> None:
    """Open a window; one that is there stays."""
    await tx.execute(
        "insert into clearing_windows (window_number, state, opened_at) values ($1, 'open', $2)"
        " on conflict (window_number) do nothing",
        window,
        opened_at,
    )


async def find_open(tx: Tx) -> Window | None:
    """The open window; None before the first."""
    row = await tx.fetchrow(_WINDOW + " where state = 'open'")
    return None if row is None else _window(row)


async def find_window(tx: Tx, window: int) -> tuple[Window, WindowSums | None] | None:
    """A window, with its sums where it is closed; None where there is none of that number."""
    row = await tx.fetchrow(_WINDOW + " where window_number = $1", window)
    return None if row is None else (_window(row), _sums(row))


async def lock_window(tx: Tx, window: int) -> Window | None:
    """A window, locked until the transaction ends, or None."""
    row = await tx.fetchrow(_WINDOW + " where window_number = $1 for no key update", window)
    return None if row is None else _window(row)


async def list_windows(
    tx: Tx, *, before: int, limit: int
) -> list[tuple[Window, WindowSums | None]]:
    """Windows below a number, newest first, each with its sums where it is closed."""
    rows = await tx.fetch(
        _WINDOW + " where window_number < $1 order by window_number desc limit $2", before, limit
    )
    return [(_window(row), _sums(row)) for row in rows]


async def update_cut(tx: Tx, window: int, *, at: datetime, by: str, shards: int) -> None:
    """The open window is closing."""
    await tx.execute(
        "update clearing_windows set state = 'closing', cut_at = $2, cut_by = $3, shards = $4"
        " where window_number = $1 and state = 'open'",
        window,
        at,
        by,
        shards,
    )


async def update_closed(tx: Tx, window: int, sums: WindowSums, *, closed_at: datetime) -> None:
    """The window is closed, with its sums, for ever."""
    await tx.execute(
        "update clearing_windows set state = 'closed', closed_at = $2, outcomes_count = $3,"
        " entries_count = $4, claims_rial = $5, reversed_rial = $6, fee_rial = $7, paid_rial = $8,"
        " net_rial = $9 where window_number = $1 and state = 'closing'",
        window,
        closed_at,
        sums.outcomes_count,
        sums.entries_count,
        sums.claims_rial,
        sums.reversed_rial,
        sums.fee_rial,
        sums.paid_rial,
        sums.net_rial,
    )


# --------------------------------------------------------------------------------------- positions


async def insert_positions(tx: Tx, window: int, positions: Sequence[Position]) -> None:
    """Add a window's positions, all in one statement: a trigger refuses what is not balanced."""
    await tx.execute(
        "insert into clearing_positions (window_number, party, opening_rial, claims_rial,"
        " claims_reversed_rial, dues_rial, dues_reversed_rial, fee_rial, position_rial, paid_rial,"
        " closing_rial, corrections_rial)"
        " select $1::int, u.* from unnest($2::int[], $3::numeric[], $4::numeric[], $5::numeric[],"
        " $6::numeric[], $7::numeric[], $8::numeric[], $9::numeric[], $10::numeric[],"
        " $11::numeric[], $12::numeric[]) as u",
        window,
        [p.party for p in positions],
        [p.opening_rial for p in positions],
        [p.claims_rial for p in positions],
        [p.claims_reversed_rial for p in positions],
        [p.dues_rial for p in positions],
        [p.dues_reversed_rial for p in positions],
        [p.fee_rial for p in positions],
        [p.position_rial for p in positions],
        [p.paid_rial for p in positions],
        [p.closing_rial for p in positions],
        [p.corrections_rial for p in positions],
    )


async def list_positions(
    tx: Tx, window: int, *, after: int = 0, limit: int | None = None
) -> list[Position]:
    """Positions of a closed window by party, above after; limit None: all."""
    rows = await tx.fetch(
        _POSITION + " where window_number = $1 and party > $2 order by party limit $3",
        window,
        after,
        limit,
    )
    return [_position(row) for row in rows]


async def find_position(tx: Tx, window: int, party: int) -> Position | None:
    """The position of a party in a closed window; None: it had nothing to do with it."""
    row = await tx.fetchrow(_POSITION + " where window_number = $1 and party = $2", window, party)
    return None if row is None else _position(row)


async def list_unpaid(tx: Tx, window: int) -> dict[int, int]:
    """What is unpaid at the end of a window, by party, without those that have nothing."""
    rows = await tx.fetch(
        "select party, closing_rial from clearing_positions"
        " where window_number = $1 and closing_rial <> 0",
        window,
    )
    return {row["party"]: int(row["closing_rial"]) for row in rows}


def _window(row: Record) -> Window:
    return Window(
        window=row["window_number"],
        state=WindowState(row["state"]),
        opened_at=row["opened_at"],
        cut_at=row["cut_at"],
        cut_by=row["cut_by"],
        shards=row["shards"],
        closed_at=row["closed_at"],
    )


def _sums(row: Record) -> WindowSums | None:
    if row["closed_at"] is None:
        return None
    return WindowSums(
        outcomes_count=row["outcomes_count"],
        entries_count=row["entries_count"],
        claims_rial=int(row["claims_rial"]),
        reversed_rial=int(row["reversed_rial"]),
        fee_rial=int(row["fee_rial"]),
        paid_rial=int(row["paid_rial"]),
        net_rial=int(row["net_rial"]),
    )


def _position(row: Record) -> Position:
    return Position(
        party=row["party"],
        opening_rial=int(row["opening_rial"]),
        claims_rial=int(row["claims_rial"]),
        claims_reversed_rial=int(row["claims_reversed_rial"]),
        dues_rial=int(row["dues_rial"]),
        dues_reversed_rial=int(row["dues_reversed_rial"]),
        fee_rial=int(row["fee_rial"]),
        paid_rial=int(row["paid_rial"]),
        corrections_rial=int(row["corrections_rial"]),
    )
