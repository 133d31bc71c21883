"""The books recomputed from outside: SQL over entries and consumptions, counts from the topics."""

import hashlib
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from cluster import connections
from contracts import envelope, topics
from contracts.fraud import RefusedTransaction, ScreenedTransaction
from contracts.ledger import Inquire, Outcome, PostTransaction
from contracts.topics import Topic
from contracts.values import Kind, NameKind, Status, name
from kit.stream import kafka

POLL_RECORDS: Final = 5_000
FROM_THE_FIRST: Final = 2**62  # records before the end: all that are there
Offsets = Mapping[kafka.Place, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """What the ledger's tables say, added up anew. Units: NP points, CR and IRR Rial."""

    outcomes: int
    entries: int
    sum_by_unit: dict[str, int]
    accounts_off: int
    lots_off: int
    value: dict[str, dict[str, int]]  # unit to issued, clawed_back, redeemed, …
    redemptions_across: int
    points_across: int
    owes: dict[tuple[int, int], int]  # (debtor, creditor) to Rial
    positions: dict[int, int]
    fee_rial: int


async def books(ledger_dsn: str) -> Books:
    """Read and add up the whole book. Sums are computed by the database from the book's rows."""
    db = await connections.connect(ledger_dsn)
    try:
        payables = await db.fetch(_PAYABLES)
        across = (await db.fetch(_ACROSS))[0]
        return Books(
            outcomes=await db.fetchval("select count(*) from outcomes"),
            entries=await db.fetchval("select count(*) from entries"),
            sum_by_unit={r["unit"]: int(r["total"]) for r in await db.fetch(_SUMS)},
            accounts_off=await db.fetchval(_ACCOUNTS_OFF),
            lots_off=await db.fetchval(_LOTS_OFF),
            value=_by_unit(await db.fetch(_MOVES), await db.fetch(_LOTS)),
            redemptions_across=across["redemptions"],
            points_across=int(across["points"]),
            owes={(r["owner"], r["counterparty"]): int(r["owed"]) for r in payables if r["owed"]},
            positions={r["owner"]: int(r["net"]) for r in await db.fetch(_POSITIONS)},
            fee_rial=int(await db.fetchval(_FEE)),
        )
    finally:
        await db.close()


async def lots_due(ledger_dsn: str) -> int:
    """Lots past their date, as of the newest decision of their shard, that no sweep has booked."""
    db = await connections.connect(ledger_dsn)
    try:
        return await db.fetchval(_DUE)
    finally:
        await db.close()


def _by_unit(moves: Any, lots: Any) -> dict[str, dict[str, int]]:
    by_unit: dict[str, dict[str, int]] = {}
    for row in lots:
        by_unit[row["unit"]] = Counter(issued=int(row["issued"]), outstanding=int(row["remaining"]))
    for row in moves:
        by_unit[row["unit"]][_WORD[row["what"]]] += int(row["amount"])
    return {unit: {word: counts[word] for word in VALUE_WORDS} for unit, counts in by_unit.items()}


VALUE_WORDS: Final = ("issued", "clawed_back", "redeemed", "restored", "expired", "outstanding")
_WORD: Final = {
    "redeemed": "redeemed",
    "restored": "restored",
    "expired": "expired",
    "clawed-back": "clawed_back",
    "cancelled": "clawed_back",
    "repaid": "clawed_back",
    "adjusted": "clawed_back",  # taken by a correction of two people
}

# --------------------------------------------------------------------------------------- topics


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A record that is no message: what becomes of it is kept under the hash of its bytes."""

    name: str


@dataclass(slots=True, kw_only=True)
class TopicCounts:
    """What the topics say, counted by code outside the rooms."""

    commands: int
    decisions: Counter[str]
    released: int


async def topic_counts(bootstrap: str, *, shards: int, until: Offsets | None = None) -> TopicCounts:
    """Read the road's topics from their first record to their present end, or to until.

    until: next offset of each place; of a cluster whose minutes go on ticking meanwhile.
    """
    decisions: dict[tuple[int, str], str] = {}
    async for shard, event in _records(bootstrap, topics.FRAUD_SCREENED, shards, until):
        match event:
            case ScreenedTransaction(transaction=sold, decision=decision):
                if sold.kind is not Kind.INQUIRY:
                    decisions.setdefault((shard, sold.name), decision.value)
            case RefusedTransaction() | Unreadable():
                decisions.setdefault((shard, event.name), "refused")
            case _:
                pass
    released: set[tuple[int, str]] = set()
    async for shard, event in _records(bootstrap, topics.LEDGER_ENTRIES, shards, until):
        if (
            isinstance(event, Outcome)
            and event.command == "release-pending.v1"
            and event.status is Status.COMPLETED
        ):
            released.add((shard, event.name))
    return TopicCounts(
        commands=await _commands(bootstrap, shards, until),
        decisions=Counter(decisions.values()),
        released=len(released),
    )


async def _commands(bootstrap: str, shards: int, until: Offsets | None) -> int:
    """Distinct outcome keys: every command's name, and the original that a reversal forestalls.

    A record played again is left out: its name was there before, or gets no outcome.
    """
    names: set[tuple[int, str]] = set()
    forestalled: set[tuple[int, str]] = set()
    async for shard, data in _records(bootstrap, topics.LEDGER_COMMANDS, shards, until):
        if isinstance(data, Inquire) or getattr(data, "replayed", False):
            continue
        names.add((shard, data.name))
        if isinstance(data, PostTransaction) and data.kind is Kind.REVERSAL and not data.decline:
            forestalled.add((shard, data.original))
    return len(names | forestalled)


async def _records(
    bootstrap: str, topic: Topic, shards: int, until: Offsets | None
) -> AsyncIterator[tuple[int, Any]]:
    start = {(topic.name, partition): None for partition in range(shards)}
    reader = await kafka.Assigned.open(
        bootstrap, client_id="recompute", start=start, last=FROM_THE_FIRST
    )
    types = dict(topic.events)
    try:
        ends = {**await reader.end_offsets(), **(until or {})}
        firsts = await reader.beginnings()  # what retention took is not waited for
        left = {place: ends[place] for place, first in firsts.items() if ends[place] > first}
        while left:
            for record in await reader.poll(max_records=POLL_RECORDS):
                place = (record.topic, record.partition)
                if record.offset + 1 >= left.get(place, 0):
                    left.pop(place, None)
                if record.value is not None and record.offset < ends[place]:
                    yield record.partition, _data_of(record.value, types)
    finally:
        await reader.close()


def _data_of(raw: bytes, types: dict[str, Any]) -> Any:
    try:
        return envelope.decode(raw, types).data
    except envelope.Malformed:
        return Unreadable(name(NameKind.UNDECODABLE, hashlib.sha256(raw).hexdigest()))


# ------------------------------------------------------------------------------------------ SQL

_SUMS: Final = """
select a.unit, sum(e.amount) as total from entries e join accounts a using (shard, account_id)
group by a.unit order by a.unit
"""
# an account is off when its balance is not the sum of its entries, or not its last running
# balance, or when its entries are not numbered 1, 2, 3, …
_ACCOUNTS_OFF: Final = """
select count(*) from accounts a left join (
    select shard, account_id, sum(amount) as total, count(*) as entries,
        max(account_sequence) as last,
        (array_agg(balance order by account_sequence desc))[1] as running
    from entries group by shard, account_id
) e using (shard, account_id)
where a.balance <> coalesce(e.total, 0) or a.balance <> coalesce(e.running, 0)
    or coalesce(e.entries, 0) <> coalesce(e.last, 0)
"""
# a lot is off when what consumptions leave of it is not its remainder; a member's account is off
# when its lots do not add up to its entries
_LOTS_OFF: Final = """
with moved as (
    select shard, lot,
        sum(case when what in ('restored', 'arrived') then amount else -amount end) as total
    from consumptions group by shard, lot
), left_over as (
    select l.shard, l.lot, l.account_id,
        case when l.parent is null then l.amount else 0 end + coalesce(m.total, 0) as remaining
    from lots l left join moved m using (shard, lot)
), owned as (
    select shard, account_id, sum(remaining) as total from left_over group by shard, account_id
), entered as (
    select shard, account_id, sum(e.amount) as total
    from entries e join accounts a using (shard, account_id) where a.role = 'value'
    group by shard, account_id
)
select (select count(*) from left_over join lots s using (shard, lot)
        where left_over.remaining <> s.remaining or left_over.remaining < 0)
    + (select count(*) from owned full join entered using (shard, account_id)
        where coalesce(owned.total, 0) <> coalesce(entered.total, 0))
"""
_LOTS: Final = """
select a.unit, sum(l.amount) filter (where l.parent is null) as issued,
    sum(l.remaining) as remaining
from lots l join accounts a on a.shard = l.shard and a.account_id = l.account_id
group by a.unit
"""
_MOVES: Final = """
select l.unit, c.what, sum(c.amount) as amount
from consumptions c join lots l using (shard, lot) group by l.unit, c.what
"""
_ACROSS: Final = """
select count(distinct (c.shard, c.sequence)) as redemptions, coalesce(sum(c.amount), 0) as points
from consumptions c join lots l using (shard, lot)
where c.what = 'redeemed' and l.unit = 'NP' and c.issuer <> c.acceptor
"""
_PAYABLES: Final = """
select a.owner, a.counterparty, -sum(e.amount) as owed
from entries e join accounts a using (shard, account_id)
where a.unit = 'IRR' and a.role = 'payable'
group by a.owner, a.counterparty order by a.owner, a.counterparty
"""
_POSITIONS: Final = """
select a.owner, sum(e.amount) as net
from entries e join accounts a using (shard, account_id)
where a.unit = 'IRR' and a.role in ('payable', 'receivable', 'fee')
group by a.owner order by a.owner
"""
_FEE: Final = """
select coalesce(sum(e.amount), 0) from entries e join accounts a using (shard, account_id)
where a.role = 'fee'
"""
_DUE: Final = """
select count(*) from lots s join shards using (shard)
where s.open and s.held = 0 and s.expires_at <= shards.decided_at
"""
