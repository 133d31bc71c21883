"""The passes over single leaves: a book of two commands, then one lie after the other."""

import json

import pytest
import zstandard

from verifier import leaves, log, posting, review
from verifier.findings import Findings
from verifier.leaves import Leaf
from verifier.model import originals
from verifier.model.decode import decode_command
from verifier.state import State

SHARD = 3
T1, T2 = 1_795_255_200_000_000, 1_795_255_260_000_000
AT1, AT2 = "2026-11-21T10:00:00Z", "2026-11-21T10:01:00Z"


def command(kind, body, at):
    return json.dumps(
        {
            "id": "0", "type": kind, "key": "9", "occurred_at": at, "accepted_at": at, "data": body,
        }
    ).encode()  # fmt: skip


ISSUE = command(
    "issue-value.v1",
    {
        "name": "a.9.gift", "account": 9, "member": 1, "unit": "CR", "amount": 70,
        "cost_rial": 7000, "issuer": 5, "funder": 1, "rule": "welcome", "rule_version": 2,
    },
    AT1,
)  # fmt: skip
TAKE = command(
    "revoke-issue.v1",
    {"name": "a.9.back", "account": 9, "member": 1, "issued_by": "a.9.gift"},
    AT2,
)
LOT = 4096


def head(sequence, at, raw):
    return (SHARD, sequence, at, "completed", "", raw, b"null", None)


FIRST = Leaf(
    head(1, T1, ISSUE),
    {
        "names": [("a.9.gift", None)],
        "accounts": [
            (1, 5, 0, "issued", "CR"), (2, 9, 0, "value", "CR"), (3, 1, 5, "payable", "IRR"),
            (4, 5, 1, "receivable", "IRR"),
        ],
        "entries": [(0, 1, 1, -70, -70), (1, 2, 1, 70, 70), (2, 3, 1, -7000, -7000),
                    (3, 4, 1, 7000, 7000)],
        "lots": [(LOT, 2, 70, 7000, T1, None, T1, None, 5, 1, 0, 2, "CR", "welcome", "issue")],
    },
)  # fmt: skip
SECOND = Leaf(
    head(2, T2, TAKE),
    {
        "names": [("a.9.back", None)],
        "entries": [(0, 1, 2, 70, 0), (1, 2, 2, -70, 0), (2, 3, 2, 7000, 0), (3, 4, 2, -7000, 0)],
        "consumptions": [(0, LOT, 70, 7000, 0, 0, 0, 0, 5, 0, 0, "clawed-back")],
    },
)


def reviewed(*book):
    """What is wrong with these leaves."""
    state, findings, known = State(SHARD), Findings(SHARD), {}

    def find(name):
        return originals.original_of(name, *known[name]) if name in known else None

    for leaf in book:
        command = decode_command(leaf.head[5])
        review.review(state, leaf, command, find, findings)
        known.update({row[0]: (leaf, command) for row in leaf.rows.get("names", ())})
    return findings


def with_row(leaf, section, place, row):
    rows = list(leaf.rows[section])
    rows[place] = row
    return Leaf(leaf.head, {**leaf.rows, section: rows})


def with_head(leaf, **change):
    names = ("shard", "sequence", "decided_at", "status", "code", "command", "answer", "marked")
    made = dict(zip(names, leaf.head, strict=True)) | change
    return Leaf(tuple(made.values()), leaf.rows)


def test_a_true_book_is_found_true():
    assert [finding.text for finding in reviewed(FIRST, SECOND).listed] == []


@pytest.mark.parametrize(
    ("leaf", "words"),
    [
        (with_head(SECOND, status="declined"), "status is 'declined', should be 'completed'"),
        (with_head(SECOND, code="nothing-left"), "code is 'nothing-left', should be ''"),
        (with_head(SECOND, shard=4), "shard is 4, should be 3"),
        (with_head(SECOND, sequence=3), "sequence is 3, should be 2"),
        (with_head(SECOND, decided_at=T2 + 1), f"decided_at is {T2 + 1}, should be {T2}"),
        (with_head(SECOND, answer=b"{}"), "answer is 7b7d, should be 6e756c6c"),
        (with_row(SECOND, "names", 0, ("a.9.bac", None)), "names is"),
        (with_row(SECOND, "entries", 0, (0, 1, 2, 71, 1)), "in CR sum to 1, should be 0"),
        (with_row(SECOND, "entries", 0, (0, 1, 2, 71, 1)), "entries row 0: amount is 71, should"),
        (with_row(SECOND, "entries", 1, (1, 2, 3, -70, 0)), "account_sequence is 3, should be 2"),
        (with_row(SECOND, "entries", 1, (1, 2, 2, -70, 5)), "balance is 5, should be 0"),
        (with_row(SECOND, "entries", 1, (2, 2, 2, -70, 0)), "line is 2, should be 1"),
        (with_row(SECOND, "entries", 1, (1, 8, 2, -70, 0)), "on account 8; 4 accounts exist"),
        (with_row(SECOND, "entries", 1, (1, 2, 2, -71, -1)), "below zero: -1"),
        (
            with_row(SECOND, "consumptions", 0, (0, LOT, 60, 7000, 0, 0, 0, 0, 5, 0, 0, "expired")),
            "the lots of account 2 (value of 9 in CR) hold 10, its balance is 0",
        ),
        (
            with_row(SECOND, "consumptions", 0, (0, LOT, 71, 7000, 0, 0, 0, 0, 5, 0, 0, "expired")),
            "1 more amount than it held",
        ),
        (
            with_row(SECOND, "consumptions", 0, (0, 9, 70, 7000, 0, 0, 0, 0, 5, 0, 0, "expired")),
            "expired of lot 9, which is used up",
        ),
        (
            with_row(SECOND, "consumptions", 0, (0, LOT, 70, 7000, 0, 0, 0, 0, 6, 0, 0, "expired")),
            "issuer is 6, should be 5",
        ),
        (Leaf(SECOND.head, {**SECOND.rows, "holds": [(0, 2, LOT, 9, "held")]}), "holds 9 of 0"),
        (Leaf(SECOND.head, {**SECOND.rows, "holds": [(0, 1, LOT, 9, "due")]}), "does not stand"),
        (Leaf(SECOND.head, {**SECOND.rows, "dates": [(LOT, T2, None)]}), "1 rows of dates"),
        (
            Leaf(SECOND.head, {**SECOND.rows, "accounts": [(7, 5, 0, "issued", "GV")]}),
            "opens account 7; the next number is 5",
        ),
        (
            Leaf(SECOND.head, {**SECOND.rows, "accounts": [(5, 5, 0, "issued", "CR")]}),
            "which is account 1",
        ),
    ],
)  # fmt: skip
def test_a_lie_in_a_leaf_is_told_in_words(leaf, words):
    found = "\n".join(finding.text for finding in reviewed(FIRST, leaf).listed)
    assert words in found, found


def test_one_lie_is_not_told_again_of_the_next_leaf():
    """A leaf is judged on what stands, right or wrong."""
    lie = with_row(
        FIRST, "lots", 0,
        (LOT, 2, 70, 7001, T1, None, T1, None, 5, 1, 0, 2, "CR", "welcome", "issue"),
    )  # fmt: skip
    after = with_row(
        SECOND, "consumptions", 0, (0, LOT, 70, 7001, 0, 0, 0, 0, 5, 0, 0, "clawed-back")
    )
    recorded = [(finding.sequence, finding.column) for finding in reviewed(lie, after).listed]
    assert (1, "cost_rial") in recorded
    assert all(sequence == 1 or column == "amount" for sequence, column in recorded)


def test_rows_move_the_state_without_a_command():
    state, findings = State(SHARD), Findings(SHARD)
    posting.post(state, FIRST, findings)
    assert findings.count == 0
    assert [account.balance for account in state.accounts] == [-70, 70, -7000, 7000]
    assert state.lots[LOT].left == 70
    posting.post(state, SECOND, findings)
    assert findings.count == 0
    assert [lot.number for lot in state.drop_emptied()] == [LOT]


# ------------------------------------------------------------------------------------------ chunks


def packed(*raws):
    joined = b"".join(len(raw).to_bytes(4, "big") + raw for raw in raws)
    return zstandard.ZstdCompressor().compress(joined)


RAWS = [leaves.to_bytes(FIRST), leaves.to_bytes(SECOND)]


def test_a_chunk_gives_its_leaves():
    assert log.unpack(packed(*RAWS)) == RAWS


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "cannot be unpacked"),
        (packed(*RAWS)[:-1], "cannot be unpacked"),
        (packed(*RAWS) + b"x", "cannot be unpacked"),
        (packed(RAWS[0])[:-3] + b"xyz", "cannot be unpacked|cut off"),
    ],
)
def test_a_spoilt_chunk_gives_none(raw, words):
    with pytest.raises(log.BadChunk, match=words):
        log.unpack(raw)


def test_what_rests_on_nothing_is_said_to_and_the_audit_goes_on():
    """A take-back of an issue whose lot was never opened: no rule can be followed."""
    state, findings = State(SHARD), Findings(SHARD)
    state.sequence, state.now = 1, T1
    original = originals.original_of("a.9.gift", FIRST, decode_command(ISSUE))
    review.review(state, SECOND, decode_command(TAKE), {"a.9.gift": original}.get, findings)
    assert "it cannot be worked out" in findings.listed[0].text
    assert state.sequence == 2
