"""The auditor's tree: published vectors, and what a proof may not show."""

import hashlib
from typing import Any

import pytest

from verifier import tree

# The test tree of the Certificate Transparency implementations: leaves, roots by size, proofs.
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
B, CD, EFGH, E, GH, ABCD, EF, G = (
    bytes.fromhex(text)
    for text in (
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f",
    )
)
HASHES = [tree.hash_of_leaf(leaf) for leaf in LEAVES]


def test_the_published_roots():
    growing = tree.Tree()
    for size, leaf in enumerate([None, *HASHES]):
        if leaf is not None:
            growing.add(leaf)
        assert growing.size == size
        assert growing.root() == tree.root_of(HASHES[:size]) == ROOTS[size]


@pytest.mark.parametrize(
    ("index", "size", "proof"),
    [
        (0, 1, []), (0, 8, [B, CD, EFGH]), (5, 8, [E, GH, ABCD]), (2, 3, [ROOTS[2]]),
        (1, 5, [ROOTS[1], CD, E]),
    ],
)  # fmt: skip
def test_the_published_inclusion_proofs(index: int, size: int, proof: list[bytes]) -> None:
    true: dict[str, Any] = {"index": index, "size": size, "proof": proof, "root": ROOTS[size]}
    tree.check_inclusion(HASHES[index], **true)
    changes: tuple[tuple[dict[str, Any], str], ...] = (
        ({"root": ROOTS[0]}, "another root"),
        ({"proof": [*proof, B]}, "too long|another root"),
        ({"proof": [*proof, B[:31]]}, "not a hash"),
        ({"index": size}, "no leaf"),
        ({"index": -1}, "no leaf"),
        ({"size": size * 2}, "too short"),
    )
    for change, why in changes:
        with pytest.raises(tree.ProofRefused, match=why):
            tree.check_inclusion(HASHES[index], **(true | change))
    for place in range(len(proof)):
        forged = [*proof[:place], hashlib.sha256(b"no").digest(), *proof[place + 1 :]]
        with pytest.raises(tree.ProofRefused, match="another root"):
            tree.check_inclusion(HASHES[index], **{**true, "proof": forged})


@pytest.mark.parametrize(
    ("old", "new", "proof"),
    [
        (0, 5, []), (1, 1, []), (1, 8, [B, CD, EFGH]), (6, 8, [EF, GH, ABCD]), (2, 5, [CD, E]),
        (6, 7, [EF, G, ABCD]),
    ],
)  # fmt: skip
def test_the_published_consistency_proofs(old: int, new: int, proof: list[bytes]) -> None:
    true: dict[str, Any] = {
        "old_size": old, "old_root": ROOTS[old], "new_size": new, "new_root": ROOTS[new],
        "proof": proof,
    }  # fmt: skip
    tree.check_consistency(**true)
    changes: tuple[tuple[dict[str, Any], str], ...] = (
        ({"old_root": bytes(32)}, "another root"),
        ({"proof": [*proof, B]}, "too long|another root"),
        ({"new_size": old - 1}, "cannot continue"),
        ({"old_size": -1}, "cannot continue"),
    )
    for change, why in changes:
        with pytest.raises(tree.ProofRefused, match=why):
            tree.check_consistency(**(true | change))
    if proof:
        with pytest.raises(tree.ProofRefused, match=r"too short|another root"):
            tree.check_consistency(**{**true, "proof": proof[1:]})
        with pytest.raises(tree.ProofRefused, match=f"root of {new} leaves"):
            tree.check_consistency(**{**true, "new_root": bytes(32)})
