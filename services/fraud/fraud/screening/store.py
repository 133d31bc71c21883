"""All the SQL of screening: decisions and windows; it reads the revision of rules beside them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

from contracts.fraud import ScreeningDecision
from contracts.pos import PosTransaction
from contracts.values import Kind, Reason
from fraud.screening.domain.decisions import CountedTransaction, Key, ScreeningResult
from fraud.screening.domain.windows import Gone, Windows, pack, unpack
from kit.base.db import Record, Tx
from kit.stream import local_tables

_REFUSE: Final = "refuse"  # how a result without a decision is written
_json: Final = msgspec.json.Encoder()
_reasons: Final = msgspec.json.Decoder(tuple[Reason, ...])


def _text(value: Any) -> str:
    return _json.encode(value).decode()


async def find_decisions(tx: Tx, names: Sequence[Key]) -> tuple[int, dict[Key, ScreeningResult]]:
    """The rulebook's revision, and the earlier decisions about (shard, name)."""
    rows = await tx.fetch(
        "select r.revision, d.shard, d.name, d.decision, d.reasons, d.review_due_at, d.case_id"
        " from rulebook r left join (select d.shard, d.name, d.decision, d.reasons,"
        "  d.review_due_at, d.case_id from unnest($1::int[], $2::text[]) as k (shard, name)"
        "  join decisions d on d.shard = k.shard and d.name = k.name) d on true",
        [shard for shard, _ in names],
        [name for _, name in names],
    )
    results = [_decision(row) for row in rows if row["shard"] is not None]
    return rows[0]["revision"], {(result.shard, result.name): result for result in results}


def _decision(row: Record) -> ScreeningResult:
    return ScreeningResult(
        shard=row["shard"],
        name=row["name"],
        decision=None if row["decision"] == _REFUSE else ScreeningDecision(row["decision"]),
        reasons=() if row["reasons"] is None else _reasons.decode(row["reasons"]),
        review_due_at=row["review_due_at"],
        case_id=row["case_id"] or "",
    )


async def find_counted(tx: Tx, names: Sequence[Key]) -> list[CountedTransaction]:
    """The transactions of (shard, name) as they were counted, where they are decided."""
    rows = await tx.fetch(
        "select d.shard, d.name, d.kind, d.account, d.decision, d.identifier_id, d.counted_rial,"
        " d.accepted_at from unnest($1::int[], $2::text[]) as k (shard, name)"
        " join decisions d on d.shard = k.shard and d.name = k.name",
        [shard for shard, _ in names],
        [name for _, name in names],
    )
    return [
        CountedTransaction(
            shard=shard,
            name=name,
            kind=None if kind is None else Kind(kind),
            account=account,
            decision=None if decision == _REFUSE else ScreeningDecision(decision),
            identifier_id=identifier or "",
            counted_rial=rial,
            accepted_at=at,
        )
        for shard, name, kind, account, decision, identifier, rial, at in rows
    ]


async def write_poll(
    tx: Tx,
    decided: Sequence[tuple[ScreeningResult, PosTransaction | None, datetime, datetime]],
    changed: Mapping[Key, Windows],
    touched_at: datetime,
) -> None:
    """Write down decisions and windows of one poll, in one statement.

    decided: each with its transaction, its occurred_at and its accepted_at; changed: written back
    in key order; touched_at: newest accepted_at of the poll.
    """
    keys = sorted(changed)
    await tx.execute(
        _WRITE_POLL,
        [d.shard for d, *_ in decided],
        [d.name for d, *_ in decided],
        [None if about is None else about.kind for _, about, *_ in decided],
        [0 if about is None else about.account for _, about, *_ in decided],
        [_REFUSE if d.decision is None else d.decision for d, *_ in decided],
        [_text(d.reasons) if d.reasons else None for d, *_ in decided],
        [_text(d.findings) if d.findings else None for d, *_ in decided],
        [d.review_due_at for d, *_ in decided],
        [d.case_id or None for d, *_ in decided],
        [d.score for d, *_ in decided],
        [d.model_version for d, *_ in decided],
        [occurred_at for *_, occurred_at, _ in decided],
        [accepted_at for *_, accepted_at in decided],
        [None if d.counted_rial is None or a is None else a.identifier_id for d, a, *_ in decided],
        [d.counted_rial for d, *_ in decided],
        [shard for shard, _ in keys],
        [key for _, key in keys],
        [pack(changed[key]) for key in keys],
        touched_at,
    )


_WRITE_POLL: Final = """
with decided as (
    insert into decisions (shard, name, kind, account, decision, reasons, findings, review_due_at,
        case_id, score, model_version, occurred_at, accepted_at, identifier_id, counted_rial)
    select * from unnest($1::int[], $2::text[], $3::text[], $4::bigint[], $5::text[], $6::jsonb[],
        $7::jsonb[], $8::timestamptz[], $9::text[], $10::float8[], $11::text[],
        $12::timestamptz[], $13::timestamptz[], $14::text[], $15::bigint[])
)
insert into windows as w (shard, key, events, touched_at)
select u.shard, u.key, u.events, $19
from unnest($16::int[], $17::text[], $18::bytea[]) as u (shard, key, events)
on conflict (shard, key) do update set events = excluded.events,
    touched_at = greatest(w.touched_at, excluded.touched_at)
"""


Withdrawal = tuple[Key, str, Gone]  # a key of windows, the name that was declined, its event


async def find_windows(tx: Tx, keys: Sequence[Key]) -> tuple[dict[Key, Windows], list[Withdrawal]]:
    """The windows of keys, and their events that the network declined since.

    Not locked: the offset row of the shard, advanced by compare-and-set at the transaction's
    start, lets one writer in, and the pruning job leaves busy keys alone. The consumer of outcomes
    writes withdrawals and never windows.
    """
    rows = await tx.fetch(
        "select w.shard, w.key, w.events, d.name, d.series, d.at, d.amount_rial, d.merchant"
        " from unnest($1::int[], $2::text[]) as k (shard, key)"
        " join windows w on w.shard = k.shard and w.key = k.key"
        " left join withdrawals d on d.shard = k.shard and d.key = k.key and not d.applied",
        [shard for shard, _ in keys],
        [key for _, key in keys],
    )
    try:
        known = {(row[0], row[1]): unpack(row[2]) for row in rows}
    except ValueError:  # a key whose events cannot be read starts empty
        known = dict(local_tables.legible(rows, lambda row: (_key(row), unpack(row[2])), "windows"))
    gone = [_withdrawal(row) for row in rows if row[3] is not None and _key(row) in known]
    return known, gone


def _key(row: Record) -> Key:
    return row[0], row[1]


def _withdrawal(row: Record) -> Withdrawal:
    shard, key, _, name, series, at, amount_rial, merchant = row
    return (shard, key), name, Gone(series, at, amount_rial, merchant, key.startswith("m."))


async def update_applied(tx: Tx, done: Sequence[Withdrawal]) -> None:
    """Mark withdrawals as applied, in the transaction that writes their windows."""
    await tx.execute(
        "update withdrawals w set applied = true"
        " from unnest($1::int[], $2::text[], $3::text[]) as u (shard, name, key)"
        " where w.shard = u.shard and w.name = u.name and w.key = u.key",
        [shard for (shard, _), *_ in done],
        [name for _, name, _ in done],
        [key for (_, key), *_ in done],
    )


async def delete_decisions(tx: Tx, before: datetime, limit: int) -> int:
    """Forget names decided before a time, limit at most; gives how many."""
    done = await tx.execute(
        "delete from decisions where (shard, name) in"
        " (select shard, name from decisions where accepted_at < $1 limit $2)",
        before,
        limit,
    )
    return _rows(done)


async def delete_idle_windows(tx: Tx, before: datetime, limit: int) -> int:
    """Forget keys that nothing touched since a time; the condition is tested again under lock."""
    done = await tx.execute(
        "delete from windows where (shard, key) in"
        " (select shard, key from windows where touched_at < $1 limit $2) and touched_at < $1",
        before,
        limit,
    )
    return _rows(done)


def _rows(tag: str) -> int:
    return int(tag.rpartition(" ")[2])
