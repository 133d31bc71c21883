"""SQL of what is counted: progress of shards, entries and sums of pairs, markers."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final

from kit.base.db import Record, Tx
from merchants.clearing.domain.counting import (
    SUMMED,
    Change,
    Marker,
    Pair,
    PairEntry,
    PairSums,
    Progress,
)
from merchants.clearing.domain.positions import Miscount, Position, WindowSums

_PARTY_SUMS: Final = (
    *("party", "claims_rial", "claims_reversed_rial", "dues_rial", "dues_reversed_rial"),
    *("fee_rial", "paid_rial", "corrections_rial"),
)
_SUMS: Final = (
    "sum(entries_count)::bigint as entries_count, sum(claims_rial) as claims_rial,"
    " sum(reversed_rial) as reversed_rial, sum(fee_rial) as fee_rial, sum(paid_rial) as paid_rial,"
    " sum(own_discount_rial) as own_discount_rial, sum(released_rial) as released_rial"
)


async def lock_progress(tx: Tx, shards: Collection[int]) -> dict[int, Progress]:
    """How far each shard was counted, locked in order; one never seen begins in the open window."""
    progress = await _lock_known(tx, shards)
    if len(progress) < len(set(shards)):  # there must be a row to lock
        await insert_progress(tx, set(shards) - progress.keys())
        progress = await _lock_known(tx, shards)
    return progress


async def insert_progress(tx: Tx, shards: Collection[int]) -> None:
    """Shards that were never seen begin to be counted, into the open window; others stay."""
    await tx.execute(
        "insert into clearing_progress"
        " (shard, window_number, first_sequence, sequence, outcomes_count)"
        " select s.shard, coalesce((select w.window_number from clearing_windows w"
        "  where w.state = 'open'), 1), 1, 0, 0"
        " from unnest($1::int[]) as s (shard) order by s.shard on conflict (shard) do nothing",
        sorted(shards),
    )


async def _lock_known(tx: Tx, shards: Collection[int]) -> dict[int, Progress]:
    rows = await tx.fetch(
        "select shard, window_number, first_sequence, sequence, outcomes_count"
        " from clearing_progress where shard = any($1::int[]) order by shard for no key update",
        sorted(shards),
    )
    return {row["shard"]: Progress(*row) for row in rows}


async def update_progress(tx: Tx, progress: Collection[Progress]) -> None:
    """Write how far each shard was counted."""
    await tx.execute(
        "update clearing_progress p set window_number = u.window_number,"
        " first_sequence = u.first_sequence, sequence = u.sequence,"
        " outcomes_count = u.outcomes_count"
        " from unnest($1::int[], $2::int[], $3::bigint[], $4::bigint[], $5::bigint[])"
        " as u (shard, window_number, first_sequence, sequence, outcomes_count)"
        " where p.shard = u.shard",
        [p.shard for p in progress],
        [p.window for p in progress],
        [p.first for p in progress],
        [p.sequence for p in progress],
        [p.outcomes_count for p in progress],
    )


async def insert_entries(tx: Tx, entries: Sequence[PairEntry]) -> None:
    """Add entries; one that is there is a DataError."""
    await tx.execute(
        "insert into clearing_entries (window_number, debtor, creditor, shard, sequence, name,"
        " command, decided_at, claim_rial, fee_rial, paid_rial, own_discount_rial, released_rial)"
        " select * from unnest($1::int[], $2::int[], $3::int[], $4::int[], $5::bigint[],"
        " $6::text[], $7::text[], $8::timestamptz[], $9::bigint[], $10::bigint[], $11::bigint[],"
        " $12::bigint[], $13::bigint[])",
        [e.window for e in entries],
        [e.pair.debtor for e in entries],
        [e.pair.creditor for e in entries],
        [e.shard for e in entries],
        [e.sequence for e in entries],
        [e.name for e in entries],
        [e.command for e in entries],
        [e.decided_at for e in entries],
        [e.change.claim_rial for e in entries],
        [e.change.fee_rial for e in entries],
        [e.change.paid_rial for e in entries],
        [e.change.own_discount_rial for e in entries],
        [e.change.released_rial for e in entries],
    )


async def upsert_pairs(tx: Tx, sums: Mapping[tuple[int, Pair, int], PairSums]) -> None:
    """Add to the sums of pairs; keys: window, pair, shard, in order."""
    await tx.execute(
        "insert into clearing_pairs as p (window_number, debtor, creditor, shard,"
        " entries_count, claims_rial, reversed_rial, fee_rial, paid_rial,"
        " own_discount_rial, released_rial)"
        " select * from unnest($1::int[], $2::int[], $3::int[], $4::int[], $5::bigint[],"
        " $6::numeric[], $7::numeric[], $8::numeric[], $9::numeric[], $10::numeric[],"
        " $11::numeric[])"
        " on conflict (window_number, debtor, creditor, shard) do update set"
        " entries_count = p.entries_count + excluded.entries_count,"
        " claims_rial = p.claims_rial + excluded.claims_rial,"
        " reversed_rial = p.reversed_rial + excluded.reversed_rial,"
        " fee_rial = p.fee_rial + excluded.fee_rial,"
        " paid_rial = p.paid_rial + excluded.paid_rial,"
        " own_discount_rial = p.own_discount_rial + excluded.own_discount_rial,"
        " released_rial = p.released_rial + excluded.released_rial",
        [window for window, _, _ in sums],
        [pair.debtor for _, pair, _ in sums],
        [pair.creditor for _, pair, _ in sums],
        [shard for _, _, shard in sums],
        [one.entries_count for one in sums.values()],
        [one.claims_rial for one in sums.values()],
        [one.reversed_rial for one in sums.values()],
        [one.fee_rial for one in sums.values()],
        [one.paid_rial for one in sums.values()],
        [one.own_discount_rial for one in sums.values()],
        [one.released_rial for one in sums.values()],
    )


async def insert_markers(tx: Tx, markers: Sequence[Marker]) -> None:
    """Add the ends of windows; one that is there is a DataError."""
    await tx.execute(
        "insert into clearing_markers"
        " (window_number, shard, first_sequence, last_sequence, outcomes_count, decided_at)"
        " select * from unnest($1::int[], $2::int[], $3::bigint[], $4::bigint[], $5::bigint[],"
        " $6::timestamptz[])",
        [m.window for m in markers],
        [m.shard for m in markers],
        [m.first for m in markers],
        [m.last for m in markers],
        [m.outcomes_count for m in markers],
        [m.decided_at for m in markers],
    )


# ----------------------------------------------------------------------------------------- reading


async def list_last_markers(tx: Tx) -> dict[int, int]:
    """The last window that each shard has passed the marker of; a shard without one has no key."""
    rows = await tx.fetch(
        "select shard, max(window_number) as last from clearing_markers group by shard"
    )
    return {row["shard"]: row["last"] for row in rows}


async def list_markers(tx: Tx, window: int) -> list[Marker]:
    """The ends of a window, by shard."""
    return (await list_markers_of(tx, [window])).get(window, [])


async def list_markers_of(tx: Tx, windows: Sequence[int]) -> dict[int, list[Marker]]:
    """The ends of windows, each by shard; a window without one has no key."""
    rows = await tx.fetch(
        "select window_number, shard, first_sequence, last_sequence, outcomes_count, decided_at"
        " from clearing_markers where window_number = any($1::int[])"
        " order by window_number, shard",
        list(windows),
    )
    markers: dict[int, list[Marker]] = {}
    for row in rows:
        markers.setdefault(row["window_number"], []).append(Marker(*row))
    return markers


async def list_pairs(
    tx: Tx, window: int, *, after: Pair | None = None, limit: int | None = None
) -> dict[Pair, PairSums]:
    """Pairs of a window over all shards, in order, above after; limit None: all."""
    rows = await tx.fetch(
        f"select debtor, creditor, {_SUMS} from clearing_pairs"  # noqa: S608 - literals
        " where window_number = $1 and (debtor, creditor) > ($2, $3)"
        " group by debtor, creditor order by debtor, creditor limit $4",
        window,
        *(after or Pair(0, 0)),
        limit,
    )
    return _pairs(rows)


async def list_pairs_of(
    tx: Tx, window: int, party: int, *, after: Pair | None = None, limit: int | None = None
) -> dict[Pair, PairSums]:
    """Pairs of a window that a party is one of, in order, above after; limit None: all."""
    rows = await tx.fetch(
        f"select debtor, creditor, {_SUMS} from ("  # noqa: S608 - literals
        "  select * from clearing_pairs where window_number = $1 and debtor = $2"
        "  union all"
        "  select * from clearing_pairs"
        "   where window_number = $1 and creditor = $2 and debtor <> $2"
        " ) as p where (debtor, creditor) > ($3, $4)"
        " group by debtor, creditor order by debtor, creditor limit $5",
        window,
        party,
        *(after or Pair(0, 0)),
        limit,
    )
    return _pairs(rows)


async def list_entries(
    tx: Tx, window: int, pair: Pair, *, after: tuple[int, int], limit: int
) -> list[PairEntry]:
    """Entries of a pair in a window by shard and sequence, above after."""
    rows = await tx.fetch(
        "select shard, sequence, name, command, decided_at, claim_rial, fee_rial, paid_rial,"
        " own_discount_rial, released_rial from clearing_entries"
        " where window_number = $1 and debtor = $2 and creditor = $3"
        " and (shard, sequence) > ($4, $5) order by shard, sequence limit $6",
        window,
        *pair,
        *after,
        limit,
    )
    return [_entry(window, pair, row) for row in rows]


async def lock_pair(tx: Tx, window: int, pair: Pair) -> None:
    """Lock the rows of a pair in a window until the transaction ends, by shard."""
    await tx.execute(
        "select from clearing_pairs where window_number = $1 and debtor = $2 and creditor = $3"
        " order by shard for no key update",
        window,
        *pair,
    )


async def sum_pair(tx: Tx, window: int, pair: Pair) -> PairSums:
    """The sums of a pair in a window over all shards; zeros where there are none."""
    rows = await tx.fetch(
        f"select debtor, creditor, {_SUMS} from clearing_pairs"  # noqa: S608 - literals
        " where window_number = $1 and debtor = $2 and creditor = $3 group by debtor, creditor",
        window,
        *pair,
    )
    return _pairs(rows).get(pair, PairSums())


async def list_entry_names(
    tx: Tx, window: int, pair: Pair, names: Sequence[tuple[int, str]]
) -> set[tuple[int, str]]:
    """Those of (shard, name) that have an entry of a pair in a window."""
    rows = await tx.fetch(
        "select distinct e.shard, e.name from clearing_entries e"
        " join unnest($4::int[], $5::text[]) as u (shard, name) using (shard, name)"
        " where e.window_number = $1 and e.debtor = $2 and e.creditor = $3",
        window,
        *pair,
        [shard for shard, _ in names],
        [name for _, name in names],
    )
    return {(row["shard"], row["name"]) for row in rows}


async def list_party_sums(tx: Tx, window: int) -> list[Position]:
    """The sums of each party over its pairs and corrections in a window, nothing from before."""
    rows = await tx.fetch(
        "select party, sum(claims), sum(claims_reversed), sum(dues), sum(dues_reversed), sum(fee),"
        " sum(paid), sum(corrected) from (select creditor as party, claims_rial as claims,"
        "   reversed_rial as claims_reversed, 0 as dues, 0 as dues_reversed, -fee_rial as fee,"
        "   paid_rial as paid, 0 as corrected from clearing_pairs"
        "   where window_number = $1 and debtor <> creditor"
        "  union all select debtor, 0, 0, claims_rial, reversed_rial, fee_rial, -paid_rial, 0"
        "   from clearing_pairs where window_number = $1 and debtor <> creditor"
        "  union all select u.party, 0, 0, 0, 0, 0, 0, u.rial from clearing_corrections,"
        "   lateral (values (creditor, amount_rial), (debtor, -amount_rial)) as u (party, rial)"
        "   where window_number = $1"
        "  union all select u.party, 0, 0, 0, 0, 0, u.rial, 0 from clearing_correction_payments p"
        "   join clearing_corrections c using (correction),"
        "   lateral (values (c.creditor, c.amount_rial), (c.debtor, -c.amount_rial))"
        "    as u (party, rial) where p.window_number = $1"
        " ) as p group by party",
        window,
    )
    return [Position(**dict(zip(_PARTY_SUMS, map(int, row), strict=True))) for row in rows]


async def sum_pairs(tx: Tx, window: int) -> WindowSums:
    """The sums of a window over all pairs; what concerns one party alone is only counted."""
    row = await tx.fetchrow(
        "select coalesce(sum(entries_count), 0)::bigint as entries_count,"
        " coalesce(sum(claims_rial) filter (where debtor <> creditor), 0) as claims_rial,"
        " coalesce(sum(reversed_rial) filter (where debtor <> creditor), 0) as reversed_rial,"
        " coalesce(sum(fee_rial) filter (where debtor <> creditor), 0) as fee_rial,"
        " coalesce(sum(paid_rial) filter (where debtor <> creditor), 0) as paid_rial"
        " from clearing_pairs where window_number = $1",
        window,
    )
    return WindowSums(**{name: int(value) for name, value in dict(row or {}).items()})


async def begin_analysis(tx: Tx) -> None:
    """Let this transaction's plans join whole tables; elsewhere a plan must not grow into that."""
    await tx.execute("set local enable_hashjoin to on")


async def list_miscounted(tx: Tx, window: int, *, limit: int) -> list[Miscount]:
    """Pairs of a window whose kept sums on a shard are not those of their entries."""
    rows = await tx.fetch(
        "select shard, debtor, creditor, e.entries_count, e.claims_rial, e.reversed_rial,"
        " e.fee_rial, e.paid_rial, e.own_discount_rial, e.released_rial,"
        " p.entries_count, p.claims_rial, p.reversed_rial, p.fee_rial, p.paid_rial,"
        " p.own_discount_rial, p.released_rial from ("
        "  select shard, debtor, creditor, count(*) as entries_count,"
        "  sum(greatest(claim_rial, 0)) as claims_rial,"
        "  sum(greatest(-claim_rial, 0)) as reversed_rial, sum(fee_rial) as fee_rial,"
        "  sum(paid_rial) as paid_rial, sum(own_discount_rial) as own_discount_rial,"
        "  sum(released_rial) as released_rial from clearing_entries where window_number = $1"
        "  group by debtor, creditor, shard) as e"
        " full join (select shard, debtor, creditor, entries_count, claims_rial, reversed_rial,"
        "  fee_rial, paid_rial, own_discount_rial, released_rial from clearing_pairs"
        "  where window_number = $1) as p using (shard, debtor, creditor)"
        " where (e.entries_count, e.claims_rial, e.reversed_rial, e.fee_rial, e.paid_rial,"
        "  e.own_discount_rial, e.released_rial) is distinct from (p.entries_count, p.claims_rial,"
        "  p.reversed_rial, p.fee_rial, p.paid_rial, p.own_discount_rial, p.released_rial)"
        " order by shard, debtor, creditor limit $2",
        window,
        limit,
    )
    return [(row[0], Pair(row[1], row[2]), _sums(row[3:10]), _sums(row[10:17])) for row in rows]


async def sum_outcomes(tx: Tx, window: int) -> int:
    """How many outcomes of a window were counted so far, on all shards."""
    counted: int = await tx.fetchval(
        "select coalesce((select sum(outcomes_count) from clearing_markers"
        "  where window_number = $1), 0)::bigint"
        " + coalesce((select sum(outcomes_count) from clearing_progress"
        "  where window_number = $1), 0)::bigint",
        window,
    )
    return counted


def _entry(window: int, pair: Pair, row: Record) -> PairEntry:
    return PairEntry(
        window=window,
        pair=pair,
        shard=row["shard"],
        sequence=row["sequence"],
        name=row["name"],
        command=row["command"],
        decided_at=row["decided_at"],
        change=Change(*row[5:]),
    )


def _pairs(rows: Iterable[Record]) -> dict[Pair, PairSums]:
    return {Pair(row[0], row[1]): _sums(row[2:9]) for row in rows}


def _sums(columns: Sequence[Any]) -> PairSums:
    """Sums are numeric, and their integers exact; a row that is not there has none."""
    return PairSums(**dict(zip(SUMMED, [int(one or 0) for one in columns], strict=True)))
