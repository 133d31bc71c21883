"""Appends leaves to a shard's log: chunks to store, and the grown tree.

Pure: it needs no database, and runs in steps while the database books the rows that it seals.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import NamedTuple

from ledger.log.domain import chunks, leaves, merkle
from ledger.log.domain.chunks import Chunk
from ledger.log.domain.leaves import Leaf

STEP = 16  # leaves at once: a finished statement may wait for them, about half a millisecond
NODE_LEVEL_MIN = 8  # smaller subtrees are computed from their leaves for a proof


class Node(NamedTuple):
    """A complete subtree of a shard's log."""

    shard: int
    level: int
    number: int
    hash: bytes


class Appended(NamedTuple):
    """A chunk of a shard's log, decided_at of its last leaf, and the log's peaks behind it.

    nodes: from NODE_LEVEL_MIN on.
    """

    shard: int
    chunk: Chunk
    decided_at: datetime
    peaks: bytes
    nodes: list[Node]


def append(peaks: bytes, of_shard: Iterable[Leaf]) -> Iterator[Appended | None]:
    """Append leaves, one sequence number after another, to the log of their shard.

    peaks: of the log before them. None: a step inside a chunk. Source: decisions 0011 and 0012.
    """
    following = iter(of_shard)
    while True:
        raw: list[bytes] = []
        first = last = None
        while step := list(islice(following, min(STEP, chunks.LEAVES_MAX - len(raw)))):
            raw += [leaves.encode(leaf) for leaf in step]
            first, last = first or step[0], step[-1]
            yield None
        if first is None or last is None:
            return
        grown, nodes = _grow(first, peaks, raw)
        peaks = grown
        yield Appended(first.shard, chunks.pack(first.sequence, raw), last.decided_at, grown, nodes)


def _grow(first: Leaf, peaks: bytes, raw: Sequence[bytes]) -> tuple[bytes, list[Node]]:
    before = merkle.frontier(first.sequence - 1, peaks)
    growth = merkle.grow(before, merkle.leaf_hashes(raw))
    nodes: list[Node] = []
    for level, hashes in enumerate(growth.levels):
        if level >= NODE_LEVEL_MIN:
            number = before.size >> level
            for start in range(0, len(hashes), merkle.HASH_BYTES):
                digest = hashes[start : start + merkle.HASH_BYTES]
                nodes.append(Node(first.shard, level, number + start // merkle.HASH_BYTES, digest))
    return growth.frontier.peaks, nodes
