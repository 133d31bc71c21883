"""Are the command files the same ones every time, and what ledger reference 3 says?"""

import hashlib
from collections import Counter

import pytest

from lab.bench.ledger import workloads
from lab.bench.ledger.workloads import Kind, Size, Workload

SMALL = Size(2_000, 300, 500)
GOLDEN = {
    Workload.W1: (2000, "6104a665f6aaeeac24d5c3eb4e946172a4e3bbf22f44a78893769a0848c37d7a"),
    Workload.W2: (2000, "ebf4ae47153a6d8e6f1fd6e5ca3fe568c6323bfd67f2db081a545abb1656e75c"),
    Workload.W3: (2000, "90e0e87a6e736fbe950d357c6f0432d5d9d438fd53462ac9904ca311641438b9"),
    Workload.W4: (2000, "3892a210ad7a34ec0d73196a770dd9338256ad0d82d5fc232e1fdaf0f34d86d7"),
    Workload.W5: (2205, "1de110e0aef5e30aed1a43c46ddc96a4d119b002b82288c7dd0db1bf27b81320"),
    Workload.W6: (2000, "6104a665f6aaeeac24d5c3eb4e946172a4e3bbf22f44a78893769a0848c37d7a"),
    Workload.W7: (2000, "f6f439eeeafd6a9ee5cddd0707e60cd415aea125352153f0d742e9fdd97d4e8a"),
}


def made(workload, size=SMALL):
    return list(workloads.generate(workload, size))


@pytest.mark.parametrize("workload", list(Workload))
def test_a_file_is_the_same_every_time(workload, tmp_path):
    written = workloads.write(workload, SMALL, tmp_path)
    assert written.sha256 == hashlib.sha256(written.path.read_bytes()).hexdigest()
    assert (written.lines, written.sha256) == GOLDEN[workload]


def test_a_line_is_read_back_as_it_was_drawn(tmp_path):
    written = workloads.write(Workload.W4, SMALL, tmp_path)
    assert list(workloads.read(written.path)) == made(Workload.W4)
    first = written.path.read_text().splitlines()[0]
    assert first == (
        '{"i":0,"id":"01a3185c5000682c832117002092c2e0","kind":"hold",'
        f'"debit":{made(Workload.W4)[0].debit},"credit":{made(Workload.W4)[0].credit},'
        f'"amount":{made(Workload.W4)[0].amount},"hold":"","at":1800000000000}}'
    )


def test_ids_rise_with_time_and_are_unique():
    ids = [command.id for command in made(Workload.W1)]
    assert len(set(ids)) == len(ids)
    assert [id[:12] for id in ids] == sorted(id[:12] for id in ids)
    assert int(ids[-1][:12], 16) == workloads.START_MS + (len(ids) - 1) // 10


def test_w1_is_half_earn_half_spend_over_all_merchants_and_members():
    commands = made(Workload.W1, Size(20_000, 1_000))
    kinds = Counter(command.kind for command in commands)
    assert 0.48 < kinds[Kind.EARN] / len(commands) < 0.52
    assert {min(c.debit, c.credit) for c in commands} == set(range(1, 101))
    assert {max(c.debit, c.credit) for c in commands} <= set(range(101, 1_101))
    assert {c.amount for c in commands} == set(range(1, 500))


def test_w2_is_w1_at_one_merchant():
    assert [(c.kind, max(c.debit, c.credit), c.amount) for c in made(Workload.W2)] == [
        (c.kind, max(c.debit, c.credit), c.amount) for c in made(Workload.W1)
    ]
    assert {min(c.debit, c.credit) for c in made(Workload.W2)} == {1}


def test_w4_resolves_each_hold_at_most_once_and_soon():
    commands = made(Workload.W4, Size(20_000, 1_000))
    held = {c.id: c for c in commands if c.kind is Kind.HOLD}
    fates = [c for c in commands if c.kind is not Kind.HOLD]
    assert len({c.hold for c in fates}) == len(fates)
    for fate in fates:
        hold = held[fate.hold]
        assert hold.i < fate.i
        assert (fate.debit, fate.credit) == (hold.debit, hold.credit)
        assert 0 <= fate.amount <= hold.amount
        assert (fate.kind is Kind.CAPTURE) == (fate.amount > 0)
    captures = [c for c in fates if c.kind is Kind.CAPTURE]
    parts = [c for c in captures if c.amount < held[c.hold].amount]
    assert 0.55 < len(captures) / len(fates) < 0.65
    assert 0.45 < len(parts) / len(captures) < 0.55


def test_w5_is_w1_with_repeats_in_between():
    commands, plain = made(Workload.W5), made(Workload.W1)
    first = {}
    repeated = changed = 0
    for command in commands:
        if command.id not in first:
            first[command.id] = command
            continue
        repeated += first[command.id] == command
        changed += first[command.id].amount + 1 == command.amount
    assert list(first.values()) == plain
    assert repeated + changed == len(commands) - len(plain)
    assert 0.08 < repeated / len(plain) < 0.12
    assert 0.005 < changed / len(plain) < 0.02


def test_w7_ends_each_day_with_a_tick():
    commands = made(Workload.W7)
    ticks = [c.i for c in commands if c.kind is Kind.TICK]
    assert ticks == [499, 999, 1_499, 1_999]
    assert commands[500].at - commands[498].at > workloads.DAY_MS


def test_every_time_is_at_least_the_one_before():
    for workload in Workload:
        times = [c.at for c in made(workload) if workload is not Workload.W5]
        assert times == sorted(times)


def test_members_of_w7_have_five_lots_each_and_all_others_one():
    born = dict(workloads.lots_before(Workload.W7, SMALL))
    assert {len(lots) for lots in born.values()} == {5}
    assert {lot.points for lots in born.values() for lot in lots} == {200}
    assert all(
        lot.days is not None and 1 <= lot.days <= 400 for lots in born.values() for lot in lots
    )
    assert all(50 * 200 <= lot.cost_rial <= 150 * 200 for lots in born.values() for lot in lots)
    for workload in (Workload.W1, Workload.W3):
        assert {len(lots) for _, lots in workloads.lots_before(workload, SMALL)} == {1}
