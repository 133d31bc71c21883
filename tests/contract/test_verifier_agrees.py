"""The ledger and the outside verifier, written apart: the same leaves, proofs and checkpoints."""

import random
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.log.domain import checkpoints, leaves, merkle
from ledger.log.domain.checkpoints import Checkpoint
from ledger.log.domain.leaves import Leaf
from ledger.log.domain.merkle import Subtree
from verifier import checkpoints as their_checkpoints
from verifier import leaves as their_leaves
from verifier import tree

SECTIONS = (
    "names", "accounts", "entries", "consumptions", "lots", "holds", "dates", "refused_awards",
)  # fmt: skip
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))

# ----------------------------------------------------------------------------------------- leaves

whole = st.integers(-(2**63) + 1, 2**63 - 1)
text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
raw = st.binary(max_size=40)
at = st.datetimes(timezones=st.just(UTC))


def rows(*columns: st.SearchStrategy[object]) -> st.SearchStrategy[list[tuple[object, ...]]]:
    return st.lists(st.tuples(*columns), max_size=4)


made_leaves = st.builds(
    Leaf,
    whole,
    whole,
    at,
    text,
    text,
    raw,
    raw,
    st.none() | raw,
    rows(text, st.none() | raw),
    rows(whole, whole, whole, text, text),
    rows(*[whole] * 5),
    rows(*[whole] * 11, text),
    rows(
        *[whole] * 4, at, st.none() | at, at, st.none() | whole, *[whole] * 4, text, text, text
    ),
    rows(*[whole] * 4, text),
    rows(whole, st.none() | at, st.none() | at),
    rows(whole, text),
)  # fmt: skip


def theirs(leaf: Leaf) -> their_leaves.Leaf:
    """The same leaf in the verifier's words."""

    def plain(row: tuple[object, ...]) -> tuple[object, ...]:
        return tuple(their_leaves.micros(v) if isinstance(v, datetime) else v for v in row)

    head = (
        leaf.shard, leaf.sequence, leaf.decided_at, leaf.status, leaf.code, leaf.command,
        leaf.answer, leaf.marked,
    )  # fmt: skip
    found = {name: [plain(row) for row in getattr(leaf, name)] for name in SECTIONS}
    return their_leaves.Leaf(plain(head), {name: part for name, part in found.items() if part})


@settings(max_examples=300)
@given(made_leaves)
def test_both_write_the_same_leaf_and_it_comes_back(leaf: Leaf) -> None:
    written = leaves.encode(leaf)
    assert their_leaves.to_bytes(theirs(leaf)) == written
    assert their_leaves.from_bytes(written) == theirs(leaf)
    assert tree.hash_of_leaf(written) == merkle.leaf_hash(written)


FIRST = datetime(1, 1, 1, tzinfo=UTC)
LAST = datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)
BIG = 2**53
GOLDEN = [  # hashes that may never change: a replay must give the roots it gave
    (
        Leaf(0, 1, FIRST, "completed", "", b"{}", b"null", None, [("m.29920000", None)]),
        "7267b8ab11087fa89e2a591e5baebc570b3f2d6642f800ea6a3e2dc872ab982f",
    ),
    (
        Leaf(
            11, 2**62, LAST, "declined", "insufficient-points",
            '{"name":"فروشگاه کتاب"}'.encode(), "e\u0301 é ي ی ك ک".encode(), b"",
            [("o.7.سفارش.1", b""), ("t.10000017.1.42", bytes(range(16)))],
        ),
        "552a532326150416fcaf9720cca4650edfa3cc3d32eb5de2ca4bace83a577cac",
    ),
    (
        Leaf(
            3, 42, datetime(2026, 3, 20, 20, 29, 59, 999999, tzinfo=UTC), "completed", "", b"c",
            b"a", None, [("t.10000017.1.42", bytes(range(16)))],
            [(17, 1000001, 0, "value", "NP"), (18, 5, 6, "payable", "IRR")],
            [(0, 17, 1, -BIG, -BIG), (1, 18, 1, BIG, BIG)],
            [(0, 8192, BIG, BIG, 1, 0, 0, 0, 5, 6, 7, "redeemed"),
             (1, 8193, 0, 0, 0, 0, 41, 3, 5, 6, 7, "restored")],
            [(172032, 17, BIG, BIG, LAST, LAST, FIRST, 8192, 5, 5, 7, 1, "NP", "پایه", "child"),
             (172033, 17, 1, 0, FIRST, None, LAST, None, 5, 1, 0, 0, "CR", "", "issue")],
            [(0, 172032, 8192, 5, "placed")],
        ),
        "8b635444cf6704bd370e8ce4e5f766e5fde712d93654c437cf9876a07232acd3",
    ),
    (
        Leaf(
            3, 43, datetime(2026, 3, 20, 20, 30, tzinfo=UTC), "completed", "", b"c", b"a", None,
            [("t.10000017.1.43", bytes(range(16)))],
            dates=[(172032, None, LAST), (172033, LAST, None)],
            refused_awards=[(0, "budget-exhausted"), (2, "party-frozen")],
        ),
        "b02afe9d468384a7d7472c96614cd8f039789a988eb869b32d6df348ef8acf26",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("leaf", "expected"), GOLDEN)
def test_golden_leaves(leaf: Leaf, expected: str) -> None:
    assert merkle.leaf_hash(leaves.encode(leaf)).hex() == expected
    assert tree.hash_of_leaf(their_leaves.to_bytes(theirs(leaf))).hex() == expected


# ------------------------------------------------------------------------------------------ trees

SIZE_MAX = 200
HASHES = [merkle.leaf_hash(bytes([number])) for number in range(SIZE_MAX)]


def grown(cuts: random.Random) -> dict[Subtree, bytes]:
    """What the ledger keeps when batches fall as they like."""
    held: dict[Subtree, bytes] = {}
    frontier = merkle.EMPTY
    while frontier.size < SIZE_MAX:
        batch = HASHES[frontier.size : frontier.size + cuts.randrange(1, 30)]
        growth = merkle.grow(frontier, batch)
        for level, joined in enumerate(growth.levels):
            first = frontier.size >> level
            for place in range(len(joined) // merkle.HASH_BYTES):
                piece = joined[place * 32 : place * 32 + 32]
                held[Subtree(level, first + place)] = piece
        frontier = growth.frontier
        assert merkle.root(frontier) == tree.root_of(HASHES[: frontier.size])
    return held


HELD = grown(random.Random(1))


@pytest.mark.parametrize("seed", range(5))
def test_the_ledgers_proofs_convince_the_verifier(seed: int) -> None:
    cuts = random.Random(seed)
    held = grown(cuts)
    for size in [1, 2, SIZE_MAX, *(cuts.randrange(1, SIZE_MAX) for _ in range(20))]:
        root = tree.root_of(HASHES[:size])
        assert merkle.root_at(size, held.__getitem__) == root
        index = cuts.randrange(size)
        proof = merkle.inclusion_proof(index, size, held.__getitem__)
        tree.check_inclusion(HASHES[index], index=index, size=size, proof=proof, root=root)
        old = cuts.randrange(size + 1)
        tree.check_consistency(
            old_size=old,
            old_root=tree.root_of(HASHES[:old]),
            new_size=size,
            new_root=root,
            proof=merkle.consistency_proof(old, size, held.__getitem__),
        )


@settings(max_examples=400)
@given(st.integers(1, SIZE_MAX), st.data())
def test_both_refuse_the_same_proofs(size: int, data: st.DataObject) -> None:
    """A proof with some steps exchanged, left out or added, at some other place or size."""
    node = HELD.__getitem__
    old = data.draw(st.integers(1, size))
    proof = merkle.consistency_proof(old, size, node)
    proof = data.draw(st.permutations(proof + proof[:1]))[
        : len(proof) + data.draw(st.integers(0, 1))
    ]
    claimed = data.draw(st.sampled_from([old, old - 1, old + 1]))
    roots = merkle.root_at(old, node), merkle.root_at(size, node)
    ours = merkle.verify_consistency(*roots, old_size=claimed, new_size=size, proof=proof)
    try:
        tree.check_consistency(
            old_size=claimed, old_root=roots[0], new_size=size, new_root=roots[1], proof=proof
        )
        accepted = True
    except tree.ProofRefused:
        accepted = False
    assert ours == accepted


# ------------------------------------------------------------------------------------ checkpoints


@given(
    st.integers(0, 2**15 - 1),
    st.integers(1, 2**63 - 1),
    st.binary(min_size=32, max_size=32),
    st.datetimes(datetime(1970, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
)
def test_the_verifier_reads_what_the_ledger_signs(
    shard: int, size: int, root: bytes, signed_at: datetime
) -> None:
    origin = "peyvand.example/ledger"
    signed = checkpoints.sign(Checkpoint(origin, shard, size, root, signed_at), KEY)
    name, key = their_checkpoints.key_of(checkpoints.verifier_key(origin, shard, KEY.public_key()))
    found = their_checkpoints.read_checkpoint(signed, origin=origin, key=key)
    assert name == f"{found.origin}/{found.shard}" == f"{origin}/{shard}"
    assert (found.size, found.root) == (size, root)
    assert found.micros == their_leaves.micros(signed_at)


TEXT = checkpoints.sign(
    Checkpoint("peyvand.example/ledger", 3, 42, bytes(32), datetime(2026, 11, 21, tzinfo=UTC)), KEY
)


@settings(max_examples=300)
@given(st.integers(0, len(TEXT)), st.integers(0, 3), st.text(max_size=2))
def test_neither_reads_an_altered_text(place: int, cut: int, put: str) -> None:
    altered = TEXT[:place] + put + TEXT[place + cut :]
    if altered == TEXT:
        return
    public = KEY.public_key()
    with pytest.raises(checkpoints.BadCheckpoint):
        checkpoints.verify(altered, origin="peyvand.example/ledger", key=public)
    with pytest.raises(their_checkpoints.CheckpointRefused):
        their_checkpoints.read_checkpoint(
            altered, origin="peyvand.example/ledger", key=public.public_bytes_raw()
        )
