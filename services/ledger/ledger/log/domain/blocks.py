"""Tree hashes below the stored levels, computed from the leaves of aligned blocks of 256."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from ledger.book.errors import InvariantBroken
from ledger.log.domain import merkle
from ledger.log.domain.merkle import HASH_BYTES, NodeOf, Subtree

STORED_LEVEL: Final = 8  # complete subtrees of this level and above are kept in a table
BLOCK_LEAVES: Final = 1 << STORED_LEVEL


def blocks_of(subtrees: Iterable[Subtree]) -> list[int]:
    """Blocks whose leaves are needed for those subtrees that are not stored, in order.

    Block n has leaves 256 n up to 256 n + 255; their sequence numbers are one more.
    """
    return sorted(
        {part.number >> (STORED_LEVEL - part.level) for part in subtrees if not is_stored(part)}
    )


def stored_of(subtrees: Iterable[Subtree]) -> list[Subtree]:
    """Those that are read from the table, each once, in order."""
    return sorted({part for part in subtrees if is_stored(part)})


def is_stored(subtree: Subtree) -> bool:
    """Whether its hash is kept."""
    return subtree.level >= STORED_LEVEL


def nodes_of(leaves: Mapping[int, Sequence[bytes]], stored: Mapping[Subtree, bytes]) -> NodeOf:
    """Hash of any complete subtree in blocks or in stored, for merkle's proofs.

    leaves: block -> its leaves' bytes from the first on; the last block of a log may be short. The
    function raises InvariantBroken for a subtree in neither: the log has lost something.
    """
    levels = {
        block: merkle.grow(merkle.EMPTY, merkle.leaf_hashes(rows)).levels
        for block, rows in leaves.items()
    }

    def node(subtree: Subtree) -> bytes:
        digest = stored.get(subtree) if is_stored(subtree) else _in_block(levels, subtree)
        if digest is None:
            raise InvariantBroken(f"the log has no node {subtree.number} of level {subtree.level}")
        return digest

    return node


def _in_block(levels: Mapping[int, tuple[bytes, ...]], subtree: Subtree) -> bytes | None:
    height = STORED_LEVEL - subtree.level
    row = levels.get(subtree.number >> height, ())
    place = (subtree.number & ((1 << height) - 1)) * HASH_BYTES
    if subtree.level >= len(row) or place >= len(row[subtree.level]):
        return None
    return row[subtree.level][place : place + HASH_BYTES]
