"""Leaves of the auditor: one written by hand from the page, back again, and what is refused."""

from datetime import UTC, datetime

import pytest

from verifier import leaves
from verifier.leaves import Leaf, LeafRefused

AT = leaves.micros(datetime(2026, 11, 21, 10, 0, 0, 123456, tzinfo=UTC))
LEAF = Leaf(
    (3, 42, AT, "completed", "", b"{}", b"null", None),
    {
        "names": [("t.1.1.1", b"\x01\x02"), ("t.1.1.2", None)],
        "entries": [(0, 1, 1, 70, 70), (1, 2, 9, -70, -630)],
        "lots": [(8192, 1, 70, 7000, AT, None, AT, None, 5, 5, 7, 1, "NP", "base", "award")],
    },
)
RAW = leaves.to_bytes(LEAF)


def number(value):
    return value.to_bytes(8, "big", signed=True)


def length(value):
    return value.to_bytes(4, "big")


def test_the_bytes_of_the_page():
    null = b"\x80" + bytes(7)
    at = number(1_795_255_200_123_456)
    expected = [
        b"\x01", number(3), number(42), at, length(9), length(0), length(2), length(4), b"\xff" * 4,
        b"completed{}null",
        b"\x01", length(2), length(7), length(2), b"t.1.1.1\x01\x02",
        length(7), b"\xff" * 4, b"t.1.1.2",
        b"\x03", length(2), *map(number, (0, 1, 1, 70, 70, 1, 2, 9, -70, -630)),
        b"\x05", length(1), *map(number, (8192, 1, 70, 7000)), at, null, at, null,
        *map(number, (5, 5, 7, 1)), length(2), length(4), length(5), b"NPbaseaward",
    ]  # fmt: skip
    assert b"".join(expected) == RAW


def test_a_leaf_comes_back():
    assert leaves.from_bytes(RAW) == LEAF


def test_no_other_bytes_are_a_leaf_of_these_rows():
    """Any byte flipped gives another leaf or none."""
    for place in range(len(RAW)):
        flipped = RAW[:place] + bytes([RAW[place] ^ 1]) + RAW[place + 1 :]
        try:
            assert leaves.from_bytes(flipped) != LEAF
        except LeafRefused:
            continue


def test_what_was_read_would_be_written_the_same():
    for place in range(len(RAW)):
        for bit in (1, 128):
            flipped = RAW[:place] + bytes([RAW[place] ^ bit]) + RAW[place + 1 :]
            try:
                found = leaves.from_bytes(flipped)
            except LeafRefused:
                continue
            assert leaves.to_bytes(found) == flipped


@pytest.mark.parametrize("size", range(len(RAW)))
def test_a_beginning_of_a_leaf_is_a_smaller_leaf_or_none(size):
    try:
        found = leaves.from_bytes(RAW[:size])
    except LeafRefused:
        return
    assert found.rows != LEAF.rows


def test_refusals_say_why():
    head = RAW[: RAW.index(b"null") + 4]
    for raw, why in (
        (b"", "version"),
        (b"\x02" + RAW[1:], "version"),
        (RAW[:-1], "missing their end"),
        (RAW + b"\x09" + length(1), "section 9"),
        (RAW + b"\x03" + length(1) + bytes(40), "cannot stand after"),
        (head + b"\x03" + length(0), "empty section"),
        (RAW.replace(b"completed", b"complete\xff"), "status is not UTF-8"),
    ):
        with pytest.raises(LeafRefused, match=why):
            leaves.from_bytes(raw)
    for leaf, why in (
        (Leaf(LEAF.head, {"rows": []}), "no such section"),
        (Leaf((*LEAF.head[:3], None, *LEAF.head[4:]), {}), "status is null"),
        (Leaf(LEAF.head, {"entries": [(0, 1, 1, None, 70)]}), "entries cannot be written"),
        (Leaf(LEAF.head, {"entries": [(0, 1, 1, 2**63, 70)]}), "entries cannot be written"),
        (Leaf(LEAF.head[:4], {}), "head"),
    ):
        with pytest.raises(LeafRefused, match=why):
            leaves.to_bytes(leaf)


def test_differences_are_told_column_by_column():
    other = Leaf(
        (*LEAF.head[:4], "late", *LEAF.head[5:]),
        {**LEAF.rows, "entries": [(0, 1, 1, 71, 70), LEAF.rows["entries"][1]], "lots": []},
    )
    assert list(leaves.differences(LEAF, other)) == [
        "head: code is '', not 'late'",
        "entries row 0: amount is 70, not 71",
        "lots: 1 rows, not 0",
    ]
    assert not list(leaves.differences(LEAF, LEAF))
