"""Leaves and tree nodes of a shard's log, for proofs and statements."""

import asyncio
from bisect import bisect_right, insort
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from kit.base.db import Record, Tx
from ledger.book.errors import InvariantBroken
from ledger.log import store
from ledger.log.domain import blocks, chunks, leaves
from ledger.log.domain.leaves import Leaf
from ledger.log.domain.merkle import NodeOf, Subtree

Place = tuple[int, int]  # shard, sequence


async def leaves_at(tx: Tx, places: Collection[Place]) -> dict[Place, Leaf]:
    """Leaves by (shard, sequence), each of which the shard has reached.

    They are unpacked in a thread: a page of a statement may come out of two hundred chunks.
    """
    if not places:
        return {}
    rows = await store.list_chunks_at(tx, sorted(places))
    return await asyncio.to_thread(_leaves_in, rows, places)


async def read_leaves(tx: Tx, places: Collection[Place]) -> dict[Place, Leaf]:
    """As leaves_at, without a thread: a batch names few."""
    if not places:
        return {}
    return _leaves_in(await store.list_chunks_at(tx, sorted(places)), places)


async def raw_leaf(tx: Tx, shard: int, sequence: int) -> bytes:
    """The canonical bytes of one leaf that the shard has reached."""
    rows = await store.list_chunks(tx, shard, sequence, sequence)
    return (await asyncio.to_thread(_between, rows, shard, sequence, sequence))[0]


async def node_of(tx: Tx, shard: int, size: int, subtrees: Iterable[Subtree]) -> NodeOf:
    """Hashes of complete subtrees of a log of at least this size. Raises InvariantBroken."""
    subtrees = list(subtrees)
    stored = {
        Subtree(row["level"], row["number"]): row["hash"]
        for row in await store.list_nodes(tx, shard, blocks.stored_of(subtrees))
    }
    leaves_by_block: dict[int, Sequence[bytes]] = {}
    for block in blocks.blocks_of(subtrees):
        first = block * blocks.BLOCK_LEAVES + 1
        last = min(first + blocks.BLOCK_LEAVES - 1, size)
        rows = await store.list_chunks(tx, shard, first, last)
        leaves_by_block[block] = await asyncio.to_thread(_between, rows, shard, first, last)
    return await asyncio.to_thread(blocks.nodes_of, leaves_by_block, stored)


async def sequences_at(tx: Tx, shards: Iterable[Record], at: datetime) -> dict[int, int]:
    """The last sequence number of each shard decided not later than a time; 0: none.

    A binary search over the chunks of all shards together, then in one chunk of each: decision time
    never falls. shards: rows of store.log. Source: ledger reference 1 (as-of balances).
    """
    sequences: dict[int, int] = {}
    open_at: dict[int, _Search] = {}
    for row in shards:
        number: int = row["shard"]
        if row["decided_at"] <= at or not row["last_sequence"]:
            sequences[number] = row["last_sequence"]
        else:
            open_at[number] = _Search(0, row["last_sequence"] + 1)
    while going := [shard for shard, search in open_at.items() if search.middle]:
        places = [(shard, open_at[shard].middle) for shard in going]
        for row in await store.list_chunk_ends(tx, places):
            place: int = row["place"]
            shard = going[place - 1]
            open_at[shard] = open_at[shard].after(row, at)
    for shard, search in open_at.items():
        sequences[shard] = search.low
        if search.chunk:  # the time falls into it, or just before it
            rows = await store.list_chunks(tx, shard, search.chunk, search.chunk)
            sequences[shard] += await asyncio.to_thread(_count_until, rows[0]["packed"], at)
    return sequences


class _Search:
    """Leaves up to low count, those from high on do not. chunk: first of the one at high, or 0."""

    __slots__ = ("chunk", "high", "low")

    def __init__(self, low: int, high: int, chunk: int = 0) -> None:
        self.low, self.high, self.chunk = low, high, chunk

    @property
    def middle(self) -> int:
        """The next leaf to look at; 0: the search is over."""
        return (self.low + self.high) // 2 if self.low + 1 < self.high else 0

    def after(self, row: Record, at: datetime) -> "_Search":
        """The search after it looked at the chunk at the middle."""
        if row["decided_at"] <= at:
            return _Search(row["first"] + row["count"] - 1, self.high, self.chunk)
        return _Search(self.low, row["first"], row["first"])


def _count_until(packed: bytes, at: datetime) -> int:
    return bisect_right(chunks.unpack(packed), at, key=lambda raw: leaves.decode(raw).decided_at)


def _leaves_in(rows: Sequence[Record], places: Collection[Place]) -> dict[Place, Leaf]:
    firsts: dict[int, list[int]] = {}
    unpacked: dict[Place, list[bytes]] = {}
    for shard, first, packed in rows:
        if (shard, first) not in unpacked:
            unpacked[shard, first] = chunks.unpack(packed)
            insort(firsts.setdefault(shard, []), first)
    by_place: dict[Place, Leaf] = {}
    for shard, sequence in places:
        of_shard = firsts.get(shard, [])
        first = of_shard[bisect_right(of_shard, sequence) - 1] if of_shard else sequence
        group = unpacked.get((shard, first), [])
        if not 0 <= sequence - first < len(group):
            raise InvariantBroken(f"shard {shard}: the log has no leaf {sequence}")
        by_place[shard, sequence] = leaves.decode(group[sequence - first])
    return by_place


def _between(rows: Sequence[Record], shard: int, first: int, last: int) -> list[bytes]:
    """Leaves first to last. Raises InvariantBroken where one is missing."""
    raw_leaves: list[bytes] = []
    for row in rows:
        for sequence, raw in enumerate(chunks.unpack(row["packed"]), row["first"]):
            if first <= sequence <= last:
                if sequence != first + len(raw_leaves):
                    break
                raw_leaves.append(raw)
    if len(raw_leaves) != last - first + 1:
        raise InvariantBroken(f"shard {shard}: the log has no leaf {first + len(raw_leaves)}")
    return raw_leaves
