"""Proofs assembled from blocks of leaves and stored nodes, at any size."""

import random
from functools import cache

import pytest

from ledger.book.errors import InvariantBroken
from ledger.log.domain import blocks, merkle
from ledger.log.domain.merkle import HASH_BYTES, Subtree
from verifier import tree

SIZE = 1_311  # five blocks and a rest


@cache
def log():
    """(leaves, hashes of complete subtrees of the stored levels)."""
    rows = [random.Random(n).randbytes(n % 90) for n in range(SIZE)]
    levels = merkle.grow(merkle.EMPTY, merkle.leaf_hashes(rows)).levels
    stored = {
        Subtree(level, n): levels[level][n * HASH_BYTES : (n + 1) * HASH_BYTES]
        for level in range(blocks.STORED_LEVEL, len(levels))
        for n in range(len(levels[level]) // HASH_BYTES)
    }
    return rows, stored


def node_for(wanted):
    """A function over no more than was asked for."""
    rows, stored = log()
    return blocks.nodes_of(
        {n: rows[n * 256 : (n + 1) * 256] for n in blocks.blocks_of(wanted)},
        {part: stored[part] for part in blocks.stored_of(wanted)},
    )


def root(size):
    wanted = merkle.subtrees(0, size)
    assert len(blocks.blocks_of(wanted)) <= 1
    return merkle.root_at(size, node_for(wanted))


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 511, 512, 1024, 1025, SIZE])
def test_roots_and_inclusion_at_any_size_are_what_the_auditors_program_says(size):
    rows, _ = log()
    assert root(size) == tree.root_of(tree.hash_of_leaf(row) for row in rows[:size])
    for index in {0, size - 1, size // 2, size // 3, min(size - 1, 256)}:
        wanted = merkle.inclusion_subtrees(index, size)
        assert len(blocks.blocks_of(wanted)) <= 2
        proof = merkle.inclusion_proof(index, size, node_for(wanted))
        tree.check_inclusion(
            tree.hash_of_leaf(rows[index]), index=index, size=size, proof=proof, root=root(size)
        )


def test_consistency_of_random_pairs_of_sizes():
    rng = random.Random(5)
    for _ in range(60):
        old, new = sorted(rng.sample(range(SIZE + 1), 2))
        wanted = merkle.consistency_subtrees(old, new)
        assert len(blocks.blocks_of(wanted)) <= 2
        proof = merkle.consistency_proof(old, new, node_for(wanted))
        tree.check_consistency(
            old_size=old, old_root=root(old), new_size=new, new_root=root(new), proof=proof
        )


@pytest.mark.parametrize("part", [Subtree(0, 256), Subtree(3, 40), Subtree(8, 0), Subtree(9, 7)])
def test_a_node_that_is_not_there_is_named(part):
    node = blocks.nodes_of({0: log()[0][:256], 5: log()[0][1280:]}, {})
    with pytest.raises(InvariantBroken, match=f"level {part.level}"):
        node(part)
