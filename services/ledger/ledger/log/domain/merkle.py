"""The Merkle tree over a shard's leaves (RFC 6962, RFC 9162): frontier, roots, proofs, checks.

Leaf number i (from 0) is that of sequence number i + 1. Hashes are SHA-256, 32 bytes each, and
many of them are one bytes object, one after another.
"""

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from typing import Final, NamedTuple

HASH_BYTES: Final = 32
EMPTY_ROOT: Final = sha256(b"").digest()
_PAIR_BYTES: Final = 2 * HASH_BYTES


class Subtree(NamedTuple):
    """A complete subtree: leaves number * 2^level up to the next such."""

    level: int
    number: int


class Frontier(NamedTuple):
    """The state from which a tree grows: its size, and the hashes of its complete subtrees.

    peaks: one hash for each 1 in the size's binary form, the largest subtree first.
    """

    size: int
    peaks: bytes


class Growth(NamedTuple):
    """A frontier after new leaves, and every subtree that they completed.

    levels[n]: hashes of the new complete subtrees of level n, from number (old size >> n) on; level
    0 is the new leaves themselves. Empty levels at the end are left out.
    """

    frontier: Frontier
    levels: tuple[bytes, ...]


NodeOf = Callable[[Subtree], bytes]
EMPTY: Final = Frontier(0, b"")


def leaf_hash(leaf: bytes) -> bytes:
    """Hash of one leaf's bytes. Source: RFC 9162, 2.1.1."""
    return sha256(b"\x00" + leaf).digest()


def leaf_hashes(leaves: Iterable[bytes]) -> list[bytes]:
    """Hashes of many leaves, in order."""
    return [sha256(b"\x00" + leaf).digest() for leaf in leaves]


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of two subtrees side by side. Source: RFC 9162, 2.1.1."""
    return sha256(b"\x01" + left + right).digest()


# --------------------------------------------------------------------------------------- growing


def frontier(size: int, peaks: bytes) -> Frontier:
    """A frontier as it was stored. Raises ValueError when peaks do not fit the size."""
    if size < 0 or len(peaks) != HASH_BYTES * size.bit_count():
        raise ValueError(f"{len(peaks)} bytes of peaks do not belong to a size of {size}")
    return Frontier(size, peaks)


def grow(before: Frontier, hashes: Sequence[bytes]) -> Growth:
    """Append leaves by their hashes, a level at a time. Raises ValueError on another hash length.

    It takes about one SHA-256 a leaf, whatever the size of the tree. Appending the same leaves in
    other portions gives the same frontier.
    """
    row = b"".join(hashes)
    if len(row) != HASH_BYTES * len(hashes):
        raise ValueError("a leaf's hash has 32 bytes")
    size, after = before.size, before.size + len(hashes)
    waiting = _split(before.peaks)  # the lowest last
    kept: list[bytes] = []
    levels: list[bytes] = []
    level = 0
    while after >> level:
        if row:
            levels.append(row)
        if size >> level & 1:  # the left sibling of the first new one
            row = waiting.pop() + row
        if after >> level & 1:
            kept.append(row[-HASH_BYTES:])
        row = b"".join(
            [
                sha256(b"\x01" + row[i : i + _PAIR_BYTES]).digest()
                for i in range(0, len(row) - HASH_BYTES, _PAIR_BYTES)
            ]
        )
        level += 1
    return Growth(Frontier(after, b"".join(reversed(kept))), tuple(levels))


def root(of: Frontier) -> bytes:
    """The tree's root at the frontier's size."""
    return _fold(_split(of.peaks)) if of.size else EMPTY_ROOT


# ----------------------------------------------------------------------------------------- proofs


def subtrees(first: int, after: int) -> list[Subtree]:
    """Complete subtrees that leaves first up to after (excluded) are made of, left to right."""
    parts: list[Subtree] = []
    while first < after:
        level = (after - first).bit_length() - 1
        if first:
            level = min(level, (first & -first).bit_length() - 1)
        parts.append(Subtree(level, first >> level))
        first += 1 << level
    return parts


def root_at(size: int, node: NodeOf) -> bytes:
    """The root that the tree had at an earlier size; calls node for subtrees(0, size)."""
    return _range_hash((0, size), node) if size else EMPTY_ROOT


def inclusion_subtrees(index: int, size: int) -> list[Subtree]:
    """The subtrees of inclusion_proof, so that they can be read at once. Raises ValueError."""
    return [subtree for part in _inclusion_path(index, size) for subtree in subtrees(*part)]


def inclusion_proof(index: int, size: int, node: NodeOf) -> list[bytes]:
    """Proof that leaf index is in the tree of a size, the leaf's sibling first.

    node: hash of a complete subtree. Raises ValueError on an index outside. Source: RFC 9162,
    2.1.3.1.
    """
    return [_range_hash(part, node) for part in _inclusion_path(index, size)]


def consistency_subtrees(old_size: int, new_size: int) -> list[Subtree]:
    """The subtrees of consistency_proof, so that they can be read at once. Raises ValueError."""
    return [
        subtree for part in _consistency_path(old_size, new_size) for subtree in subtrees(*part)
    ]


def consistency_proof(old_size: int, new_size: int, node: NodeOf) -> list[bytes]:
    """Proof that the tree of new_size begins with that of old_size; empty for 0 and equal sizes.

    node: hash of a complete subtree. Raises ValueError on a new size below the old. Source: RFC
    9162, 2.1.4.1.
    """
    return [_range_hash(part, node) for part in _consistency_path(old_size, new_size)]


def _inclusion_path(index: int, size: int) -> list[tuple[int, int]]:
    if not 0 <= index < size:
        raise ValueError(f"leaf {index} is not in a tree of {size}")
    first, after = 0, size
    path: list[tuple[int, int]] = []
    while after - first > 1:
        middle = _middle(first, after)
        if index < middle:
            path.append((middle, after))
            after = middle
        else:
            path.append((first, middle))
            first = middle
    return path[::-1]


def _consistency_path(old_size: int, new_size: int) -> list[tuple[int, int]]:
    if not 0 <= old_size <= new_size:
        raise ValueError(f"a tree of {new_size} cannot continue one of {old_size}")
    if old_size in (0, new_size):
        return []
    first, after = 0, new_size
    path: list[tuple[int, int]] = []
    while after != old_size:
        middle = _middle(first, after)
        if old_size <= middle:
            path.append((middle, after))
            after = middle
        else:
            path.append((first, middle))
            first = middle
    if first:  # else the verifier has this one: it is the old root
        path.append((first, after))
    return path[::-1]


def _middle(first: int, after: int) -> int:
    """Where a tree of more than one leaf splits: the largest power of two below its size."""
    return first + (1 << ((after - first - 1).bit_length() - 1))


def _range_hash(part: tuple[int, int], node: NodeOf) -> bytes:
    return _fold([node(subtree) for subtree in subtrees(*part)])


def _fold(peaks: list[bytes]) -> bytes:
    """Root over subtrees of falling size, left to right; at least one."""
    folded = peaks[-1]
    for peak in peaks[-2::-1]:
        folded = sha256(b"\x01" + peak + folded).digest()
    return folded


def _split(joined: bytes) -> list[bytes]:
    return [joined[i : i + HASH_BYTES] for i in range(0, len(joined), HASH_BYTES)]


# ------------------------------------------------------------------------------------ verification


def verify_inclusion(
    leaf: bytes, *, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> bool:
    """Whether proof shows that a leaf's hash stands at index under root. Source: RFC 9162, 2.1.3.2.

    Anything malformed is False.
    """
    if not 0 <= index < size:
        return False
    place, last, computed = index, size - 1, leaf
    for sibling in proof:
        if last == 0 or len(sibling) != HASH_BYTES:
            return False
        if place & 1 or place == last:
            computed = node_hash(sibling, computed)
            place, last = _skip_even(place, last)
        else:
            computed = node_hash(computed, sibling)
        place, last = place >> 1, last >> 1
    return last == 0 and computed == root


def verify_consistency(
    old_root: bytes, new_root: bytes, *, old_size: int, new_size: int, proof: Sequence[bytes]
) -> bool:
    """Whether proof shows that the tree of new_size only continues the old one.

    Anything malformed is False. The empty tree begins every tree, and each tree begins itself.
    Source: RFC 9162, 2.1.4.2.
    """
    if not 0 <= old_size <= new_size or any(len(part) != HASH_BYTES for part in proof):
        return False
    if old_size == new_size:
        return not proof and old_root == new_root
    if old_size == 0:
        return not proof and old_root == EMPTY_ROOT
    steps = list(proof)
    if old_size & (old_size - 1) == 0:  # the old tree is one subtree of the new: its root is known
        steps.insert(0, old_root)
    return bool(steps) and _roots_of(steps, old_size, new_size) == (old_root, new_root)


def _roots_of(steps: list[bytes], old_size: int, new_size: int) -> tuple[bytes, bytes] | None:
    """Old and new root that a consistency proof leads to; None where its length is wrong."""
    place, last = old_size - 1, new_size - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    old = new = steps[0]
    for step in steps[1:]:
        if last == 0:
            return None
        if place & 1 or place == last:
            old, new = node_hash(step, old), node_hash(step, new)
            place, last = _skip_even(place, last)
        else:
            new = node_hash(new, step)
        place, last = place >> 1, last >> 1
    return (old, new) if last == 0 else None


def _skip_even(place: int, last: int) -> tuple[int, int]:
    """Up past the levels on which the node has no sibling."""
    while place and not place & 1:
        place, last = place >> 1, last >> 1
    return place, last
