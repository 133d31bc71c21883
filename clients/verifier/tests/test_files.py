"""Rows of binary copies, runs of names: what lies on disk or comes over the wire."""

import struct

import pytest

from verifier import names, sent_twice, tables
from verifier.copying import SIGNATURE, BadRows, Reader
from verifier.findings import Findings
from verifier.rows import Comparison

HEADER = SIGNATURE + bytes(8)


def field(layout, value):
    raw = value if isinstance(value, bytes) else struct.pack(f">{layout}", value)
    return struct.pack(">i", len(raw)) + raw


def null():
    return struct.pack(">i", -1)


def row(*fields):
    return struct.pack(">h", len(fields)) + b"".join(fields)


def entry(sequence, line):
    return row(
        field("q", sequence), field("h", line), field("i", 7), field("i", 1), field("q", -5),
        field("q", -5), field("h", 3),
    )  # fmt: skip


def outcome(sequence, name, fingerprint):
    last = null() if fingerprint is None else field("", fingerprint)
    return row(field("q", sequence), field("h", 3), field("", name.encode()), last)


ENTRIES = HEADER + entry(1, 0) + entry(1, 1) + b"\xff\xff"
OUTCOMES = HEADER + outcome(1, "t.1.1.1", b"ab") + outcome(2, "نام", None) + b"\xff\xff"


@pytest.mark.parametrize("size", [1, 7, 50, 1000])
def test_rows_come_whole_however_the_blocks_are_cut(size):
    for table, raw, wanted in (
        (tables.ENTRIES, ENTRIES, [(1, 0, 7, 1, -5, -5, 3), (1, 1, 7, 1, -5, -5, 3)]),
        (tables.OUTCOMES, OUTCOMES, [(1, 3, "t.1.1.1", b"ab"), (2, 3, "نام", None)]),
    ):
        reader = Reader(table)
        found = []
        for start in range(0, len(raw), size):
            found += reader.rows(raw[start : start + size])
        reader.finish()
        assert found == wanted


@pytest.mark.parametrize(
    "raw",
    [
        b"x" * 40,
        HEADER + row(null(), *[field("q", 1)] * 6) + b"\xff\xff",
        HEADER + entry(1, 0)[:-9],
        HEADER + entry(1, 0),
        HEADER + entry(1, 0) + b"\xff\xff\x00",
        HEADER + row(field("q", 1)) + bytes(80),
    ],
)
def test_what_is_no_copy_of_the_table_is_refused(raw):
    reader = Reader(tables.ENTRIES)
    with pytest.raises(BadRows):
        reader.rows(raw)
        reader.finish()


def test_times_and_arrays_are_read():
    times = struct.pack(">q", 0)
    found = Reader(tables.HOLDS).rows(
        HEADER
        + row(
            field("q", 9), field("q", 8), field("", times), field("h", 3), null(),
            field("", struct.pack(">iiiii", 1, 0, 20, 2, 1) + field("q", 4096) + field("q", 4097)),
            field("", struct.pack(">iii", 0, 0, 20)), field("", b"a.8.h"), field("", b""),
        )
        + b"\xff\xff"
    )  # fmt: skip
    assert found == [(9, 8, 946_684_800_000_000, 3, None, (4096, 4097), (), "a.8.h", "")]


# ------------------------------------------------------------------------------------ comparison


@pytest.mark.parametrize(
    ("found", "wanted", "words"),
    [
        ([(1, 0, 7)], [(1, 0, 8)], ["entries, sequence 1, sequence 1, line 0: account_id is 7"]),
        ([(1, 0, 7)], [], ["a row too many"]),
        ([], [(1, 0, 7)], ["a row is missing"]),
        ([(1, 0, 7), (1, 0, 7)], [(1, 0, 7)], ["a row too many"]),
        ([(1, 1, 7), (1, 0, 8)], [(1, 0, 7), (1, 1, 8)], ["line 0: account_id", "line 1: account"]),
    ],
)
def test_rows_that_differ_are_told_by_row_and_column(found, wanted, words):
    def whole(rows):
        return [(*given, 1, 5, 5, 3) for given in rows]

    findings = Findings()
    Comparison(tables.ENTRIES, ("sequence", "line"), findings).check(whole(found), whole(wanted))
    assert findings.count == len(words)
    for finding, expected in zip(findings.listed, words, strict=True):
        assert expected in finding.text


# ------------------------------------------------------------------------------------------ names


def test_names_are_found_again_before_and_after_they_are_put_down(tmp_path):
    known = names.Names(tmp_path, 3)
    for sequence in range(1, 1001):
        known.add([(f"t.1.1.{sequence}", sequence)])
    for _ in range(2):
        assert known.find("t.1.1.7") == [7]
        assert known.find("t.1.1.1001") == []
        known.put_down()
    known.add([("t.1.1.7", 1002)])
    assert known.find("t.1.1.7") == [7, 1002]


def test_a_name_on_two_shards_is_a_twin(tmp_path):
    for shard in (3, 4):
        known = names.Names(tmp_path, shard)
        known.add([(f"t.{shard}.1.{sequence}", sequence) for sequence in range(1, 500)])
        known.add([("t.9.9.9", 500 + shard)])
        known.put_down()
    known.add([("t.4.1.7", 505)])
    known.put_down()
    assert sorted(found for _, found in names.twins(tmp_path)) == [
        [(3, 503), (4, 504)], [(4, 7), (4, 505)],
    ]  # fmt: skip


def test_names_that_tills_sent_to_two_shards_are_counted_without_bound_and_listed_up_to_one():
    found = sent_twice.SentTwice()
    for sequence in range(sent_twice.LISTED_MAX + 5):
        found.add(sent_twice.Sent(f"t.7.1.{sequence}", 7, 5, (3, 4), (1, 1)))
    assert (found.count, len(found.listed)) == (1005, 1000)
