"""The tree: published vectors, and every size up to 300 against the definition itself."""

import random
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.log.domain import merkle
from ledger.log.domain.merkle import Subtree

SIZE_MAX = 300

# The test tree of the Certificate Transparency implementations.
LEAVES = [
    bytes.fromhex(text)
    for text in (
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]  # fmt: skip
ROOTS = [
    bytes.fromhex(text)
    for text in (
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    )
]
_NODE = {
    "b": "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
    "cd": "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
    "efgh": "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    "e": "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    "gh": "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
    "abcd": "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "ab": "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "a": "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "ef": "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
    "g": "b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f",
}
INCLUSION = [  # leaf number from 0, size, proof
    (0, 1, ()),
    (0, 8, ("b", "cd", "efgh")),
    (5, 8, ("e", "gh", "abcd")),
    (2, 3, ("ab",)),
    (1, 5, ("a", "cd", "e")),
]
CONSISTENCY = [
    (1, 1, ()),
    (1, 8, ("b", "cd", "efgh")),
    (6, 8, ("ef", "gh", "abcd")),
    (2, 5, ("cd", "e")),
    (6, 7, ("ef", "g", "abcd")),
]
HASHES = [merkle.leaf_hash(str(number).encode()) for number in range(SIZE_MAX)]


def named(parts):
    return [bytes.fromhex(_NODE[part]) for part in parts]


def plain_root(hashes):
    """The definition of RFC 9162, 2.1.1, word for word."""
    if not hashes:
        return sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    k = 1
    while k * 2 < len(hashes):
        k *= 2
    return sha256(b"\x01" + plain_root(hashes[:k]) + plain_root(hashes[k:])).digest()


def plain_path(index, hashes):
    """PATH of RFC 9162, 2.1.3.1."""
    if len(hashes) == 1:
        return []
    k = 1
    while k * 2 < len(hashes):
        k *= 2
    if index < k:
        return [*plain_path(index, hashes[:k]), plain_root(hashes[k:])]
    return [*plain_path(index - k, hashes[k:]), plain_root(hashes[:k])]


def plain_subproof(old, hashes, whole):
    """SUBPROOF of RFC 9162, 2.1.4.1."""
    if old == len(hashes):
        return [] if whole else [plain_root(hashes)]
    k = 1
    while k * 2 < len(hashes):
        k *= 2
    if old <= k:
        return [*plain_subproof(old, hashes[:k], whole), plain_root(hashes[k:])]
    return [*plain_subproof(old - k, hashes[k:], False), plain_root(hashes[:k])]


def store_of(hashes):
    """Every complete subtree, as a ledger that stores what grow completes would hold them."""
    held = {}
    level, row = 0, list(hashes)
    while row:
        held |= {Subtree(level, index): found for index, found in enumerate(row)}
        row = [merkle.node_hash(*row[i : i + 2]) for i in range(0, len(row) - 1, 2)]
        level += 1
    return held


NODES = store_of(HASHES)


@pytest.mark.parametrize("size", range(9))
def test_the_published_roots(size):
    grown = merkle.grow(merkle.EMPTY, merkle.leaf_hashes(LEAVES[:size]))
    assert merkle.root(grown.frontier) == ROOTS[size]


@pytest.mark.parametrize(("index", "size", "parts"), INCLUSION)
def test_the_published_inclusion_proofs(index, size, parts):
    hashes = merkle.leaf_hashes(LEAVES)
    proof = merkle.inclusion_proof(index, size, store_of(hashes).__getitem__)
    assert proof == named(parts)
    assert merkle.verify_inclusion(
        hashes[index], index=index, size=size, proof=proof, root=ROOTS[size]
    )


@pytest.mark.parametrize(("old", "new", "parts"), CONSISTENCY)
def test_the_published_consistency_proofs(old, new, parts):
    node = store_of(merkle.leaf_hashes(LEAVES)).__getitem__
    proof = merkle.consistency_proof(old, new, node)
    assert proof == named(parts)
    assert merkle.verify_consistency(
        ROOTS[old], ROOTS[new], old_size=old, new_size=new, proof=proof
    )


def test_every_size_has_the_root_of_the_definition():
    one_by_one = merkle.EMPTY
    for size in range(SIZE_MAX + 1):
        expected = plain_root(HASHES[:size])
        assert merkle.root(merkle.grow(merkle.EMPTY, HASHES[:size]).frontier) == expected
        assert merkle.root(one_by_one) == expected
        assert merkle.root_at(size, NODES.__getitem__) == expected
        assert merkle.frontier(size, one_by_one.peaks) == one_by_one
        one_by_one = merkle.grow(one_by_one, HASHES[size : size + 1]).frontier


@given(st.lists(st.integers(0, 40), max_size=12))
def test_the_cut_of_the_batches_does_not_matter(cuts):
    held, grown = {}, merkle.EMPTY
    for count in cuts:
        count = min(count, SIZE_MAX - grown.size)
        growth = merkle.grow(grown, HASHES[grown.size : grown.size + count])
        for level, joined in enumerate(growth.levels):
            first = grown.size >> level
            for place in range(len(joined) // 32):
                found = joined[place * 32 : place * 32 + 32]
                assert held.setdefault(Subtree(level, first + place), found) == found
        grown = growth.frontier
    assert grown == merkle.grow(merkle.EMPTY, HASHES[: grown.size]).frontier
    assert held == store_of(HASHES[: grown.size])


def test_inclusion_proofs_are_those_of_the_definition_and_hold():
    for size in [*range(1, 70), 127, 128, 129, 255, 256, 257, SIZE_MAX]:
        root = plain_root(HASHES[:size])
        for index in range(size) if size < 70 else random.Random(size).sample(range(size), 12):
            proof = merkle.inclusion_proof(index, size, NODES.__getitem__)
            assert proof == plain_path(index, HASHES[:size])
            held = {part: NODES[part] for part in merkle.inclusion_subtrees(index, size)}
            assert merkle.inclusion_proof(index, size, held.__getitem__) == proof
            assert merkle.verify_inclusion(
                HASHES[index], index=index, size=size, proof=proof, root=root
            )


def test_consistency_proofs_are_those_of_the_definition_and_hold():
    for new in [*range(1, 50), 127, 128, 129, 255, 256, 257, SIZE_MAX]:
        root = plain_root(HASHES[:new])
        olds = range(1, new + 1) if new < 50 else random.Random(new).sample(range(1, new), 20)
        for old in olds:
            proof = merkle.consistency_proof(old, new, NODES.__getitem__)
            assert proof == plain_subproof(old, HASHES[:new], True)
            held = {part: NODES[part] for part in merkle.consistency_subtrees(old, new)}
            assert merkle.consistency_proof(old, new, held.__getitem__) == proof
            old_root = plain_root(HASHES[:old])
            assert merkle.verify_consistency(
                old_root, root, old_size=old, new_size=new, proof=proof
            )


@settings(max_examples=200)
@given(st.integers(1, SIZE_MAX), st.data())
def test_a_forged_inclusion_proof_is_refused(size, data):
    index = data.draw(st.integers(0, size - 1))
    proof = merkle.inclusion_proof(index, size, NODES.__getitem__)
    root = merkle.root_at(size, NODES.__getitem__)
    true = {"index": index, "size": size, "proof": proof, "root": root}
    other = bytes(32)
    place = data.draw(st.integers(0, max(len(proof) - 1, 0)))
    forged = [
        {"index": index + 1}, {"index": index - 1}, {"index": index ^ 1}, {"root": other},
        {"size": size * 2 + 1}, {"proof": [*proof, other]}, {"proof": [other, *proof]},
        {"size": index}, {"index": -1},
    ]  # fmt: skip
    if proof:
        forged += [
            {"proof": proof[:-1]}, {"proof": proof[1:]},
            {"proof": [*proof[:place], other, *proof[place + 1 :]]},
            {"proof": [*proof[:place], proof[place] + b"x", *proof[place + 1 :]]},
        ]  # fmt: skip
    for change in forged:
        assert not merkle.verify_inclusion(HASHES[index], **(true | change)), change
    assert not merkle.verify_inclusion(other, **true)


@settings(max_examples=200)
@given(st.integers(2, SIZE_MAX), st.data())
def test_a_forged_consistency_proof_is_refused(new, data):
    old = data.draw(st.integers(1, new - 1))
    proof = merkle.consistency_proof(old, new, NODES.__getitem__)
    roots = [merkle.root_at(size, NODES.__getitem__) for size in (old, new)]
    true = {"old_size": old, "new_size": new, "proof": proof}
    other = bytes(32)
    place = data.draw(st.integers(0, len(proof) - 1))
    assert merkle.verify_consistency(*roots, **true)
    for change in (
        {"old_size": old + 1}, {"old_size": old - 1}, {"new_size": old}, {"new_size": new * 2 + 1},
        {"proof": proof[:-1]}, {"proof": proof[1:]}, {"proof": [*proof, other]},
        {"proof": [other, *proof]}, {"proof": [*proof[:place], other, *proof[place + 1 :]]},
        {"proof": []}, {"old_size": -1}, {"proof": [*proof[:-1], b"short"]},
    ):  # fmt: skip
        assert not merkle.verify_consistency(*roots, **(true | change)), change
    assert not merkle.verify_consistency(roots[1], roots[0], **true)
    assert not merkle.verify_consistency(other, roots[1], **true)
    assert not merkle.verify_consistency(roots[0], other, **true)


def test_nothing_begins_everything_and_a_tree_begins_itself():
    root = merkle.root_at(7, NODES.__getitem__)
    assert merkle.consistency_proof(0, 7, NODES.__getitem__) == []
    assert merkle.verify_consistency(merkle.EMPTY_ROOT, root, old_size=0, new_size=7, proof=[])
    assert not merkle.verify_consistency(root, root, old_size=0, new_size=7, proof=[])
    assert merkle.verify_consistency(root, root, old_size=7, new_size=7, proof=[])
    assert not merkle.verify_consistency(root, bytes(32), old_size=7, new_size=7, proof=[])


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="32 bytes"):
        merkle.grow(merkle.EMPTY, [b"short"])
    with pytest.raises(ValueError, match="peaks"):
        merkle.frontier(3, bytes(32))
    with pytest.raises(ValueError, match="not in a tree"):
        merkle.inclusion_proof(5, 5, NODES.__getitem__)
    with pytest.raises(ValueError, match="cannot continue"):
        merkle.consistency_proof(6, 5, NODES.__getitem__)
