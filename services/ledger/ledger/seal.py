"""The log's share of a posting: a leaf for every decision, the trees grown, chunks to keep.

Pure: it needs no database, and runs in steps while the database books the rows that it seals.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from ledger.decide.book import Book, Decision
from ledger.domain import chunks, leaves, merkle
from ledger.domain.book import AccountKey, Lot, Row, value_key
from ledger.domain.chunks import Chunk
from ledger.domain.leaves import Leaf

STEP = 16  # leaves at once: so long, about half a millisecond, a statement's end may wait
NODE_LEVEL_MIN = 8  # smaller subtrees are computed from their leaves when a proof asks


class Posted(NamedTuple):
    """What booking a decision gave it: numbers of accounts, running balances."""

    decision: Decision
    accounts: Sequence[leaves.AccountRow]  # used first here
    entries: Sequence[leaves.EntryRow]


class Node(NamedTuple):
    """A complete subtree of a shard's log."""

    shard: int
    level: int
    number: int
    hash: bytes


class Sealed(NamedTuple):
    """A chunk of a shard's log with its last decision. nodes: from NODE_LEVEL_MIN on."""

    shard: int
    chunk: Chunk
    last: Decision
    nodes: list[Node]


def seal(
    book: Book, posted: Iterable[Posted], number_of: dict[tuple[int, AccountKey], int]
) -> Iterator[Sealed | None]:
    """Append decisions to the logs of their shards, a chunk at a time; the book's peaks move on.

    None: a step inside a chunk. number_of: account numbers of members' value accounts that opened
    lots. Source: architecture 5 (log), decisions 0011 and 0012.
    """
    by_shard: dict[int, list[Posted]] = {}
    for one in posted:
        by_shard.setdefault(one.decision.command.shard, []).append(one)
    for shard, group in by_shard.items():
        for start in range(0, len(group), chunks.LEAVES_MAX):
            part = group[start : start + chunks.LEAVES_MAX]
            raw: list[bytes] = []
            for place in range(0, len(part), STEP):
                raw += [leaves.encode(_leaf(one, number_of)) for one in part[place : place + STEP]]
                yield None
            first = part[0].decision.sequence
            nodes = _grow(book, shard, first, raw)
            yield Sealed(shard, chunks.pack(first, raw), part[-1].decision, nodes)


def _grow(book: Book, shard: int, first: int, raw: Sequence[bytes]) -> list[Node]:
    state = book.shards[shard]
    before = merkle.frontier(first - 1, state.peaks)
    growth = merkle.grow(before, merkle.leaf_hashes(raw))
    state.peaks = growth.frontier.peaks
    nodes: list[Node] = []
    for level, hashes in enumerate(growth.levels):
        if level >= NODE_LEVEL_MIN:
            number = before.size >> level
            for start in range(0, len(hashes), merkle.HASH_BYTES):
                found = hashes[start : start + merkle.HASH_BYTES]
                nodes.append(Node(shard, level, number + start // merkle.HASH_BYTES, found))
    return nodes


def _leaf(posted: Posted, number_of: dict[tuple[int, AccountKey], int]) -> Leaf:
    decision = posted.decision
    command, shard = decision.command, decision.command.shard
    names = [(command.name, command.fingerprint)]
    marked = None
    if decision.marked is not None:
        names.append((decision.marked[0], None))
        names.sort(key=_bytes_of_name)
        marked = decision.marked[1]
    return Leaf(
        shard, decision.sequence, decision.decided_at, decision.status, decision.code,
        command.raw, decision.answer, marked, names, posted.accounts, posted.entries,
        [_consumption(row) for row in decision.rows],
        [_lot(lot, number_of[shard, value_key(lot.owner, lot.unit, lot.issuer)])
         for lot in decision.opened],
        decision.holds, decision.dates,
    )  # fmt: skip


def _bytes_of_name(row: leaves.NameRow) -> bytes:
    return row[0].encode()


def _consumption(row: Row) -> leaves.ConsumptionRow:
    return (
        row.ordinal, row.lot, row.amount, row.cost_rial, row.claim_rial, row.fee_rial,
        row.original_sequence, row.original_ordinal, row.issuer, row.acceptor, row.merchant,
        row.what,
    )  # fmt: skip


def _lot(lot: Lot, account_id: int) -> leaves.LotRow:
    return (
        lot.lot, account_id, lot.amount, lot.cost_rial, lot.available_from, lot.expires_at,
        lot.born_at, lot.parent or None, lot.issuer, lot.funder, lot.merchant, lot.rule_version,
        lot.unit, lot.rule, lot.origin,
    )  # fmt: skip
