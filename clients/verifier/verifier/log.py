"""Pass 1: a shard's log from its chunks: digests, unpacking, canonical bytes, order, the tree."""

import hashlib
from collections.abc import AsyncIterator, Collection
from typing import Any, NamedTuple

import zstandard

from verifier import leaves, tree
from verifier.books import Book
from verifier.copying import BadRows, rows_of
from verifier.findings import Findings, Spot
from verifier.leaves import Leaf, LeafRefused
from verifier.tables import LEAVES

NODES_FROM = 8
WINDOW_LEAVES = 1024
CHUNK_LEAVES_MAX = 64
_UNPACKED_MAX = 256 * 1024 * 1024
_unpacker = zstandard.ZstdDecompressor()

Row = tuple[Any, ...]


class BadChunk(Exception):
    """A chunk's bytes are no leaves; the text has the reason."""


class Window(NamedTuple):
    """Some consecutive leaves, read and hashed. whole: no leaf before their end is missing."""

    leaves: list[Leaf]
    whole: bool


def unpack(packed: bytes) -> list[bytes]:
    """The leaves of a chunk. Raises BadChunk."""
    try:
        size = zstandard.get_frame_parameters(packed).content_size
        if size > _UNPACKED_MAX and size != zstandard.CONTENTSIZE_UNKNOWN:
            raise BadChunk("it would unpack to more than a chunk may hold")
        raw = _unpacker.decompress(packed, max_output_size=_UNPACKED_MAX, allow_extra_data=False)
    except zstandard.ZstdError as error:
        raise BadChunk(f"it cannot be unpacked: {error}") from error
    unpacked: list[bytes] = []
    place, end = 0, len(raw)
    while place < end:
        start = place + 4
        place = start + int.from_bytes(raw[place:start], "big")
        unpacked.append(raw[start:place])
    if place != end:
        raise BadChunk("its last leaf is cut off")
    return unpacked


class Log:
    """One shard's log while it is read. sizes: tree sizes whose roots are needed; None: no tree."""

    def __init__(self, shard: int, findings: Findings, sizes: Collection[int] | None) -> None:
        self.shard = shard
        self.findings = findings
        self.tree = tree.Tree(note_from=NODES_FROM)
        self.roots: dict[int, bytes] = {0: tree.EMPTY_ROOT}
        self.next = 1
        self.decided_at = 0
        self.whole = True  # every leaf so far was read
        self.hashed = sizes is not None  # every leaf so far was hashed
        self._sizes = sizes or ()

    async def windows(self, book: Book) -> AsyncIterator[Window]:
        """The log in windows, each of some chunks."""
        waiting: list[Leaf] = []
        try:
            async for rows in rows_of(LEAVES, book.blocks(LEAVES, self.shard)):
                for row in rows:
                    before, decoded = self.whole, self._chunk(row)
                    if waiting and before and not self.whole:
                        yield Window(waiting, True)
                        waiting = []
                    waiting += decoded
                    if len(waiting) >= WINDOW_LEAVES:
                        yield Window(waiting, self.whole)
                        waiting = []
        except BadRows as error:
            self.findings.add(Spot("leaves", table="leaves"), str(error))
            self.whole = self.hashed = False
        yield Window(waiting, self.whole)

    def _chunk(self, row: Row) -> list[Leaf]:
        first, decided_at, _, count, digest, packed = row
        where = f"first {first}"
        if first != self.next:
            self._gap(first)
        actual = hashlib.sha256(packed).digest()
        if actual != digest:
            self.findings.wrong(
                Spot("leaves", "leaves", first, row=where), "digest", digest, actual
            )
        try:
            raws = unpack(packed)
        except BadChunk as error:
            self.findings.add(
                Spot("leaves", "leaves", first, row=where),
                f"leaves, {where}: packed: {error}",
                column="packed",
            )
            self.whole = self.hashed = False
            self.next = first + max(count, 1)
            return []
        if len(raws) != count or count > CHUNK_LEAVES_MAX:
            self.findings.wrong(
                Spot("leaves", "leaves", first, row=where),
                "count",
                count,
                min(len(raws), CHUNK_LEAVES_MAX),
            )
        decoded = self._leaves(first, raws)
        self.next = first + len(raws)
        if decoded and decoded[-1].head[1] == self.next - 1 and decoded[-1].head[2] != decided_at:
            self.findings.wrong(
                Spot("leaves", "leaves", first, row=where),
                "decided_at",
                decided_at,
                decoded[-1].head[2],
            )
        return decoded

    def _gap(self, first: int) -> None:
        off = first - self.next
        words = f"{off} leaves are missing" if off > 0 else "leaves stand there twice"
        self.findings.add(
            Spot("leaves", "leaves", first, f"first {first}"),
            f"leaves: a chunk begins at {first}, should begin at {self.next}: {words}",
            column="first",
        )
        self.whole = self.hashed = False

    def _leaves(self, first: int, raws: list[bytes]) -> list[Leaf]:
        decoded: list[Leaf] = []
        add, sizes = self.tree.add, self._sizes
        for sequence, raw in enumerate(raws, first):
            if self.hashed:
                add(tree.hash_of_leaf(raw))
                if sequence in sizes:
                    self.roots[sequence] = self.tree.root()
            try:
                leaf = leaves.from_bytes(raw)
            except LeafRefused as error:
                self.findings.add(
                    Spot("leaves", "leaves", sequence, row=f"leaf {sequence}"),
                    f"the leaf of sequence {sequence} is not canonical: {error}",
                    column="packed",
                )
                self.whole = False
                continue
            if leaf.head[2] < self.decided_at:
                self.findings.add(
                    Spot("leaves", "leaves", sequence, row=f"leaf {sequence}"),
                    f"the leaf of sequence {sequence} was decided at {leaf.head[2]}, before the one"
                    f" in front of it at {self.decided_at}",
                    column="decided_at",
                )
            self.decided_at = max(self.decided_at, leaf.head[2])
            decoded.append(leaf)
        return decoded
