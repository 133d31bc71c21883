"""Merkle trees by RFC 6962: the root over a stream of leaves, and the check of proofs."""

import hashlib
from collections.abc import Iterable, Sequence

EMPTY_ROOT = hashlib.sha256().digest()


class ProofRefused(Exception):
    """A proof does not prove its claim; the text has the reason."""


def hash_of_leaf(leaf: bytes) -> bytes:
    """Hash of a leaf's bytes (RFC 6962, 2.1)."""
    return hashlib.sha256(b"\x00" + leaf).digest()


def hash_of_pair(left: bytes, right: bytes) -> bytes:
    """Hash of two trees side by side (RFC 6962, 2.1)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class Tree:
    """Appends leaf after leaf and has the root at every size; keeps a few hashes, not the leaves.

    Two complete trees of one height become one of the next, as in a binary counter.
    """

    def __init__(self, note_from: int | None = None) -> None:
        """note_from: height from which complete trees are noted, as (height, number) to hash."""
        self.size = 0
        self.noted: dict[tuple[int, int], bytes] = {}
        self._note_from = note_from
        self._finished: list[tuple[int, bytes]] = []  # (height, hash), heights falling

    def add(self, leaf_hash: bytes) -> None:
        """Append one leaf by its hash."""
        finished, height, digest = self._finished, 0, leaf_hash
        while finished and finished[-1][0] == height:
            digest = hash_of_pair(finished.pop()[1], digest)
            height += 1
            if height == self._note_from or (self._note_from and height > self._note_from):
                self.noted[height, self.size >> height] = digest
        finished.append((height, digest))
        self.size += 1

    def peaks(self) -> bytes:
        """Hashes of the complete trees side by side, the largest first."""
        return b"".join([digest for _, digest in self._finished])

    def root(self) -> bytes:
        """Root over the leaves so far."""
        if not self._finished:
            return EMPTY_ROOT
        digest = self._finished[-1][1]
        for _, left in reversed(self._finished[:-1]):
            digest = hash_of_pair(left, digest)
        return digest


def root_of(leaf_hashes: Iterable[bytes]) -> bytes:
    """Root over some leaves."""
    tree = Tree()
    for leaf_hash in leaf_hashes:
        tree.add(leaf_hash)
    return tree.root()


def check_inclusion(
    leaf_hash: bytes, *, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> None:
    """Leaf number index (from 0) is in the tree with this size and root. Raises ProofRefused."""
    if not 0 <= index < size:
        raise ProofRefused(f"a tree of {size} has no leaf {index}")
    steps = _Steps(proof)
    computed = _root_by_inclusion(leaf_hash, index, size, steps)
    steps.must_be_used_up()
    if computed != root:
        raise ProofRefused(f"the proof of leaf {index} leads to another root")


def check_consistency(
    *, old_size: int, old_root: bytes, new_size: int, new_root: bytes, proof: Sequence[bytes]
) -> None:
    """The newer tree begins with all of the older one, unchanged. Raises ProofRefused."""
    if not 0 <= old_size <= new_size:
        raise ProofRefused(f"a tree of {new_size} cannot continue one of {old_size}")
    steps = _Steps(proof)
    if old_size == 0:
        old, new = EMPTY_ROOT, new_root  # every tree continues the empty one
    else:
        old, new = _roots_by_consistency(old_size, new_size, steps, old_root)
    steps.must_be_used_up()
    if old != old_root:
        raise ProofRefused(f"the proof leads to another root of the first {old_size} leaves")
    if new != new_root:
        raise ProofRefused(f"the proof leads to another root of {new_size} leaves")


class _Steps:
    """A proof, read from its end: the definitions of RFC 6962 go recursively from the root down."""

    def __init__(self, proof: Sequence[bytes]) -> None:
        if any(len(step) != len(EMPTY_ROOT) for step in proof):
            raise ProofRefused("a step of the proof is not a hash")
        self._left = list(proof)

    def take(self) -> bytes:
        if not self._left:
            raise ProofRefused("the proof is too short")
        return self._left.pop()

    def must_be_used_up(self) -> None:
        if self._left:
            raise ProofRefused("the proof is too long")


def _largest_power_below(size: int) -> int:
    power = 1
    while power * 2 < size:
        power *= 2
    return power


def _root_by_inclusion(leaf_hash: bytes, index: int, size: int, steps: _Steps) -> bytes:
    """PATH(m, D[n]) of RFC 6962, 2.1.1, in reverse."""
    if size == 1:
        return leaf_hash
    k = _largest_power_below(size)
    sibling = steps.take()
    if index < k:
        return hash_of_pair(_root_by_inclusion(leaf_hash, index, k, steps), sibling)
    return hash_of_pair(sibling, _root_by_inclusion(leaf_hash, index - k, size - k, steps))


def _roots_by_consistency(
    old_size: int, size: int, steps: _Steps, known: bytes | None
) -> tuple[bytes, bytes]:
    """SUBPROOF(m, D[n], b) of RFC 6962, 2.1.2, in reverse; known: the old root while b is true.

    Gives the root of the first old_size leaves and that of all.
    """
    if old_size == size:
        same = steps.take() if known is None else known
        return same, same
    k = _largest_power_below(size)
    sibling = steps.take()
    if old_size <= k:
        old, new = _roots_by_consistency(old_size, k, steps, known)
        return old, hash_of_pair(new, sibling)
    old, new = _roots_by_consistency(old_size - k, size - k, steps, None)
    return hash_of_pair(sibling, old), hash_of_pair(sibling, new)
