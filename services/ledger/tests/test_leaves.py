"""Leaves: the layout byte by byte, every stored value seen, leaves of real decisions."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from contracts import envelope as envelopes
from contracts.values import till_name
from ledger.log.domain import leaves, merkle, records
from ledger.log.domain.leaves import Leaf
from ledger.posting.decide import commands
from ledger.posting.decide.batch_state import BatchState

from . import generators, one_shard, sealing

AT = datetime(2026, 11, 21, 10, 0, 0, 123456, tzinfo=UTC)
FULL = Leaf(
    3, 42, AT, "completed", "کد", b"{}", b"null", b"",
    [("t.1.1.1", b"\x01\x02"), ("t.1.1.2", None)],
    [(1, 1000001, 0, "value", "NP")],
    [(0, 1, 1, 70, 70), (1, 2, 9, -70, -630)],
    [(0, 8192, 5, 500, 400, 4, 2, 0, 5, 6, 7, "redeemed")],
    [(172032, 1, 70, 7000, AT, AT, AT, 8192, 5, 5, 7, 1, "NP", "base", "award"),
     (172033, 1, 70, 7000, AT, None, AT, None, 5, 5, 7, 1, "NP", "base", "award")],
    [(0, 172032, 8192, 5, "placed")],
    [(8192, AT, None)],
    [(0, "budget-exhausted"), (2, "party-frozen")],
)  # fmt: skip


def number(value):
    return value.to_bytes(8, "big", signed=True)


def length(value):
    return value.to_bytes(4, "big")


def micros(at):
    return int(at.timestamp()) * 1_000_000 + at.microsecond


NULL_NUMBER = b"\x80" + bytes(7)
NULL_LENGTH = b"\xff" * 4


def test_the_layout_byte_by_byte():
    """Written from decision 0011, without the module's help."""
    at = number(micros(AT))
    lot = [number(172032), number(1), number(70), number(7000), at, at, at, number(8192)]
    never = [number(172033), number(1), number(70), number(7000), at, NULL_NUMBER, at, NULL_NUMBER]
    kin = [number(5), number(5), number(7), number(1), length(2), length(4), length(5)]
    expected = [
        b"\x01", number(3), number(42), at,
        length(9), length(4), length(2), length(4), length(0),
        b"completed", "کد".encode(), b"{}", b"null",
        b"\x01", length(2),
        length(7), length(2), b"t.1.1.1", b"\x01\x02", length(7), NULL_LENGTH, b"t.1.1.2",
        b"\x02", length(1), number(1), number(1000001), number(0),
        length(5), length(2), b"value", b"NP",
        b"\x03", length(2), *map(number, (0, 1, 1, 70, 70)), *map(number, (1, 2, 9, -70, -630)),
        b"\x04", length(1), *map(number, (0, 8192, 5, 500, 400, 4, 2, 0, 5, 6, 7)),
        length(8), b"redeemed",
        b"\x05", length(2), *lot, *kin, b"NPbaseaward", *never, *kin, b"NPbaseaward",
        b"\x06", length(1), *map(number, (0, 172032, 8192, 5)), length(6), b"placed",
        b"\x07", length(1), number(8192), at, NULL_NUMBER,
        b"\x08", length(2), number(0), length(16), b"budget-exhausted",
        number(2), length(12), b"party-frozen",
    ]  # fmt: skip
    assert leaves.encode(FULL) == b"".join(expected)


def test_an_empty_section_is_left_out_and_null_is_not_empty():
    tick = Leaf(0, 1, AT, "completed", "", b"{}", b"null", None, [("m.1", None)])
    head = b"\x01" + number(0) + number(1) + number(micros(AT)) + length(9) + length(0) + length(2)
    head += length(4) + NULL_LENGTH + b"completed{}null"
    assert leaves.encode(tick) == head + b"\x01" + length(1) + length(3) + NULL_LENGTH + b"m.1"
    assert leaves.encode(replace(tick, marked=b"")) != leaves.encode(tick)
    assert leaves.encode(replace(tick, names=[("m.1", b"")])) != leaves.encode(tick)


def changed(value):
    """Other values of the same kind."""
    if isinstance(value, datetime):
        return [value + timedelta(microseconds=1)]
    if isinstance(value, int):
        return [value + 1, value ^ 1 << 40]
    if isinstance(value, bytes):
        return [value + b"x"]
    return [value + "x", value + "\u0301"]


NULLS = {(2, 1): [b"", b"x"], (15, 5): [AT, datetime.max.replace(tzinfo=UTC)], (15, 7): [0, 1]}


def with_one_value_changed(rows):
    for place, row in enumerate(rows):
        for column, value in enumerate(row):
            for other in changed(value) if value is not None else NULLS[len(row), column]:
                yield [
                    *rows[:place],
                    (*row[:column], other, *row[column + 1 :]),
                    *rows[place + 1 :],
                ]


def with_rows_moved(rows):
    yield [*rows, rows[0]]
    yield rows[1:]
    if len(rows) > 1:
        yield rows[::-1]


def test_each_stored_value_changes_the_leaf():
    seen = [leaves.encode(FULL)]
    for name in (
        "shard",
        "sequence",
        "decided_at",
        "status",
        "code",
        "command",
        "answer",
        "marked",
    ):
        for other in changed(getattr(FULL, name)):
            seen.append(leaves.encode(replace(FULL, **{name: other})))
    for name in ("names", "accounts", "entries", "consumptions", "lots", "holds", "refused_awards"):
        rows = getattr(FULL, name)
        for variants in (with_one_value_changed(rows), with_rows_moved(rows)):
            seen += [leaves.encode(replace(FULL, **{name: other})) for other in variants]
    assert len(seen) > 120
    assert len(set(seen)) == len(seen)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"status": "ab", "code": "c"}, {"status": "a", "code": "bc"}),
        ({"command": b"ab", "answer": b"c"}, {"command": b"a", "answer": b"bc"}),
        ({"answer": b"a", "marked": b"b"}, {"answer": b"ab", "marked": b""}),
        ({"names": [("ab", b"c")]}, {"names": [("a", b"bc")]}),
        ({"code": "é"}, {"code": "e\u0301"}),  # not normalised: exactly as received
    ],
)
def test_fields_split_differently_differ(one, other):
    assert leaves.encode(replace(FULL, **one)) != leaves.encode(replace(FULL, **other))


def test_every_decision_of_a_story_has_a_leaf_of_its_own():
    rows, book, story = sealing.Rows(), BatchState(), generators.Story(7)
    seen, marked, rich = set(), 0, 0
    for _ in range(600):
        command = records.command_from(3, envelopes.encode(story.one()))
        decision = commands.decide_one(book, command).decision
        if decision is None:
            continue
        leaf = rows.leaf(decision)
        seen.add(merkle.leaf_hash(leaves.encode(leaf)))
        assert len(seen) == decision.sequence
        marked += leaf.marked is not None
        rich += bool(leaf.entries and leaf.consumptions)
    assert marked > 3
    assert rich > 50


def usual_sale():
    """A basket's leaf: one award, four entries, accounts known already."""
    shard_examples, rows = one_shard.OneShard(), sealing.Rows()
    leaves_of_three = [
        rows.leaf(
            shard_examples.buy(one_shard.award(100, issuer=5, funder=6), lines=[(1, 1_200_000)])
        )
        for _ in range(3)
    ]
    return leaves_of_three[-1]


def usual_spending():
    """A redemption's leaf: two lots of two issuers, money leg and all."""
    shard_examples, rows = one_shard.OneShard(), sealing.Rows()
    for merchant in (one_shard.BAKER, one_shard.FLORIST):
        rows.leaf(shard_examples.buy(one_shard.award(100, issuer=merchant), merchant=merchant))
    rows.leaf(shard_examples.spend(120))
    for merchant in (one_shard.BAKER, one_shard.FLORIST):
        rows.leaf(shard_examples.buy(one_shard.award(100, issuer=merchant), merchant=merchant))
    return rows.leaf(shard_examples.spend(150))


def test_usual_leaves_are_as_large_as_they_should_be():
    sale, spending = usual_sale(), usual_spending()
    assert (len(sale.entries), len(sale.lots), len(sale.accounts)) == (4, 1, 0)
    assert sale.lots[0][0] == sale.sequence * 4096
    assert len(spending.consumptions) == 2
    assert not spending.accounts
    for leaf in (sale, spending):  # bytes beyond what was commanded and answered
        assert len(leaves.encode(leaf)) - len(leaf.command) - len(leaf.answer) < 1_000


def test_a_reversal_that_came_first_seals_both_names():
    shard_examples, rows = one_shard.OneShard(), sealing.Rows()
    leaf = rows.leaf(shard_examples.reverse(till_name(10000017, 9, 1)))
    assert [name for name, _ in leaf.names] == sorted(name for name, _ in leaf.names)
    assert (till_name(10000017, 9, 1), None) in leaf.names
    assert leaf.marked is not None
