"""The log's share of a posting: a leaf for every decision, the trees grown, chunks to keep.

Pure: it needs no database, and runs while the database books the rows that it seals.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from msgspec import Struct

from ledger.decide.book import Book, Decision
from ledger.domain import chunks, leaves, merkle
from ledger.domain.book import AccountKey, Lot, Row, value_key
from ledger.domain.chunks import Chunk
from ledger.domain.leaves import Leaf

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


class Sealed(Struct, frozen=True):
    """chunks: (shard, chunk with its last decision) in order. nodes: from NODE_LEVEL_MIN on."""

    chunks: list[tuple[int, Chunk, Decision]]
    nodes: list[Node]


def seal(
    book: Book, posted: Iterable[Posted], number_of: dict[tuple[int, AccountKey], int]
) -> Sealed:
    """Append decisions to the logs of their shards; the book's peaks move on.

    number_of: account numbers of members' value accounts that opened lots. Source: architecture 5
    (log), decisions 0011 and 0012.
    """
    by_shard: dict[int, list[Posted]] = {}
    for one in posted:
        by_shard.setdefault(one.decision.command.shard, []).append(one)
    sealed = Sealed([], [])
    for shard, group in by_shard.items():
        raw = [leaves.encode(_leaf(one, number_of)) for one in group]
        _grow(book, shard, raw, sealed.nodes)
        first = group[0].decision.sequence
        for chunk in chunks.pack(first, raw):
            last = group[chunk.first - first + chunk.leaves - 1].decision
            sealed.chunks.append((shard, chunk, last))
    return sealed


def _grow(book: Book, shard: int, raw: Sequence[bytes], nodes: list[Node]) -> None:
    state = book.shards[shard]
    before = merkle.frontier(state.last_sequence - len(raw), state.peaks)
    growth = merkle.grow(before, merkle.leaf_hashes(raw))
    state.peaks = growth.frontier.peaks
    for level, hashes in enumerate(growth.levels):
        if level >= NODE_LEVEL_MIN:
            number = before.size >> level
            for start in range(0, len(hashes), merkle.HASH_BYTES):
                found = hashes[start : start + merkle.HASH_BYTES]
                nodes.append(Node(shard, level, number + start // merkle.HASH_BYTES, found))


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
