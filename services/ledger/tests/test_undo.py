"""The accountant's tables of what comes back: refunds, reversals, verdicts, debts."""

from datetime import timedelta

import msgspec
import pytest

from contracts.ledger import (
    AdvanceClock,
    CancelPending,
    ExpireLot,
    ReleasePending,
)
from contracts.values import Status

from .one_shard import ACCOUNT, BAKER, FLORIST, NETWORK, OneShard, award, page


@pytest.fixture
def one_shard():
    return OneShard()


def test_a_refund_of_a_purchase_takes_its_own_lot_first(one_shard):
    one_shard.buy(award(50))
    sale = one_shard.buy(award(100), lines=((1, 700_000), (2, 300_000)))
    assert page(one_shard.refund(sale, (2, 300_000))) == [
        ("baker", "issued", "NP", "", 30),
        ("member", "value", "NP", "", -30),
    ]
    assert one_shard.lots() == [(BAKER, 50), (BAKER, 70)]


def test_what_was_spent_comes_from_other_lots_of_the_issuer_and_then_from_debt(one_shard):
    soon = one_shard.at + timedelta(days=2)
    sale = one_shard.buy(award(100, expires_at=soon))
    one_shard.buy(award(30))
    one_shard.buy(award(500, issuer=FLORIST))
    one_shard.spend(100)
    decision = one_shard.refund(sale)
    assert page(decision) == [
        ("baker", "issued", "NP", "", 30),
        ("member", "value", "NP", "", -30),
        ("member", "debt", "NP", "baker", -70),
        ("baker", "issued", "NP", "", 70),
    ]
    assert (one_shard.debts(), one_shard.lots()) == ({BAKER: 70}, [(FLORIST, 500)])
    answer = msgspec.json.decode(decision.answer)
    assert (answer["points_clawed_back"], answer["debt_points"]) == (30, 70)


def test_a_debt_is_repaid_first_from_what_its_issuer_gives_later(one_shard):
    sale = one_shard.buy(award(100))
    one_shard.spend(100)
    one_shard.refund(sale)
    assert page(one_shard.buy(award(500, issuer=FLORIST)))[2:] == []
    assert page(one_shard.buy(award(60)))[2:] == [
        ("member", "value", "NP", "", -60),
        ("member", "debt", "NP", "baker", 60),
    ]
    later = one_shard.at + timedelta(hours=2)
    one_shard.buy(award(70, available_from=later))
    assert one_shard.debts() == {BAKER: 40}
    one_shard.at = later
    matured = one_shard.buy()
    assert page(matured) == [
        ("member", "value", "NP", "", -40),
        ("member", "debt", "NP", "baker", 40),
    ]
    assert one_shard.lots() == [(FLORIST, 500), (BAKER, 30)]


def test_a_pending_lot_of_the_same_sale_pays_before_other_lots(one_shard):
    one_shard.buy(award(500))
    soon, later = one_shard.at + timedelta(days=2), one_shard.at + timedelta(days=1)
    sale = one_shard.buy(
        award(100, expires_at=soon), award(100, rule="bonus", available_from=later)
    )
    one_shard.spend(100)
    one_shard.refund(sale)
    assert one_shard.lots() == [(BAKER, 400)]


def test_half_a_refund_takes_the_pending_bonus_for_the_spent_half(one_shard):
    one_shard.buy(award(500))
    soon, later = one_shard.at + timedelta(days=2), one_shard.at + timedelta(days=1)
    sale = one_shard.buy(
        award(100, expires_at=soon), award(100, rule="bonus", available_from=later),
        lines=((1, 400), (2, 600)),
    )  # fmt: skip
    one_shard.spend(100)
    decision = one_shard.refund(sale, (1, 400))
    assert [(r.amount, r.lot) for r in decision.rows] == [
        (40, sale.opened[1].lot), (40, sale.opened[1].lot),
    ]  # fmt: skip
    assert one_shard.lots() == [(BAKER, 500), (BAKER, 20)]


def test_points_that_expired_unspent_are_not_owed_swept_or_not(one_shard):
    for swept in (True, False):
        sale = one_shard.buy(award(100, expires_at=one_shard.at + timedelta(hours=1)))
        one_shard.later(hours=2)
        if swept:
            lot = sale.opened[0].lot
            booked = one_shard.hear(ExpireLot(name=f"x.{lot}.day", account=ACCOUNT, lot=lot))
            assert page(booked) == [
                ("member", "value", "NP", "", -100),
                ("baker", "expired", "NP", "", 100),
            ]
        one_shard.refund(sale)
        assert (one_shard.debts(), one_shard.lots()) == ({}, [])


def test_a_refund_of_a_redemption_is_its_mirror_image_and_restores_the_very_lots(one_shard):
    one_shard.buy(award(100))
    spent = one_shard.spend(60, own=500, own_max=500)
    back = one_shard.refund(spent)
    assert page(back) == [(*line[:4], -line[4]) for line in page(spent)]
    assert one_shard.lots() == [(BAKER, 100)]
    assert [(r.lot, r.amount, r.cost_rial, r.claim_rial, r.fee_rial) for r in back.rows] == [
        (r.lot, r.amount, r.cost_rial, r.claim_rial, r.fee_rial) for r in spent.rows
    ]
    assert back.rows[0].original_sequence == spent.sequence


def test_parts_of_a_redemption_refunded_in_any_order_add_up_to_the_whole():
    for order in ((0, 1, 2), (2, 1, 0), (1, 0, 2)):
        one_shard = OneShard()
        one_shard.buy(award(70, expires_at=one_shard.at + timedelta(days=1)))
        one_shard.buy(award(100, issuer=FLORIST))
        before = one_shard.lots()
        lines = ((1, 333_333), (2, 333_334), (3, 100_001))
        spent = one_shard.spend(101, own=777, own_max=777, fee_bp=123, lines=lines)
        parts = [one_shard.refund(spent, lines[place]) for place in order]
        total = {}
        for decision in (spent, *parts):
            for *account, amount in page(decision):
                total[tuple(account)] = total.get(tuple(account), 0) + amount
        assert not any(total.values())
        assert one_shard.lots() == before
        assert one_shard.refund(spent).code == "already-refunded"


def test_parts_of_a_purchase_refunded_in_any_order_add_up_to_the_whole():
    for order in ((0, 1, 2), (2, 0, 1)):
        one_shard = OneShard()
        lines = ((1, 333), (2, 334), (3, 100))
        sale = one_shard.buy(award(7, line=1), award(11, line=2), award(101), lines=lines)
        taken = [
            sum(row.amount for row in one_shard.refund(sale, lines[place]).rows) for place in order
        ]
        assert sum(taken) == 119
        assert (one_shard.lots(), one_shard.debts()) == ([], {})


def test_a_lot_past_its_date_comes_back_as_a_child_with_the_grace_date(one_shard):
    one_shard.buy(award(100, funder=NETWORK, expires_at=one_shard.at + timedelta(hours=1)))
    spent = one_shard.spend(60)
    one_shard.later(hours=2)
    grace = one_shard.at + timedelta(days=10)
    back = one_shard.refund(spent, grace_expires_at=grace)
    (child,) = back.opened
    parent = spent.rows[0].lot
    assert (child.parent, child.amount, child.cost_rial, child.expires_at) == (
        parent, 60, 6_000, grace,
    )  # fmt: skip
    assert (child.issuer, child.funder, child.rule) == (BAKER, NETWORK, "base")
    assert [(r.lot, r.kind.value, r.amount) for r in back.rows] == [(child.lot, "restored", 60)]


def test_a_held_purchase_is_pending_until_the_verdict(one_shard):
    due = one_shard.at + timedelta(hours=72)
    sale = one_shard.buy(award(100), award(20, line=1), review_due_at=due, lines=((1, 1000),))
    answer = msgspec.json.decode(sale.answer)
    assert (answer["status"], answer["points_earned"], answer["points_pending"]) == (
        "held", 120, 120,
    )  # fmt: skip
    assert len(sale.opened) == 1  # alike but for line and amount
    assert one_shard.spend(1).code == "insufficient-points"
    name = sale.command.name
    yes = one_shard.hear(ReleasePending(name="v.1", original=name, case_id="1", reviewer="r"))
    assert (yes.status, page(yes)) == (Status.COMPLETED, [])
    assert one_shard.spend(120).status is Status.COMPLETED
    again = one_shard.hear(CancelPending(name="v.2", original=name, case_id="1", reviewer="r"))
    assert again.code == "already-decided"


def test_a_verdict_cancels_what_a_clawback_left_and_its_funding(one_shard):
    due = one_shard.at + timedelta(hours=72)
    sale = one_shard.buy(award(100, funder=NETWORK), review_due_at=due, lines=((1, 600), (2, 400)))
    one_shard.refund(sale, (2, 400))
    no = one_shard.hear(
        CancelPending(name="v.1", original=sale.command.name, case_id="1", reviewer="r")
    )
    assert page(no) == [
        ("network", "payable", "IRR", "baker", 6_000),
        ("baker", "receivable", "IRR", "network", -6_000),
        ("baker", "issued", "NP", "", 60),
        ("member", "value", "NP", "", -60),
    ]
    assert page(one_shard.refund(sale)) == []
    assert (one_shard.lots(), one_shard.debts()) == ([], {})


def test_after_the_due_time_points_are_free_and_a_verdict_is_refused(one_shard):
    due = one_shard.at + timedelta(hours=72)
    sale = one_shard.buy(award(100), review_due_at=due)
    one_shard.at = due
    assert one_shard.hear(AdvanceClock(name="k.1")).status is Status.COMPLETED
    no = one_shard.hear(
        CancelPending(name="v.1", original=sale.command.name, case_id="1", reviewer="r")
    )
    assert (no.status, no.code) == (Status.DECLINED, "past-due")
    assert one_shard.spend(100).status is Status.COMPLETED


def test_a_reversal_mirrors_once_and_a_refund_is_not_refundable(one_shard):
    sale = one_shard.buy(award(100))
    undone = one_shard.reverse(sale.command.name)
    assert page(undone) == [
        ("baker", "issued", "NP", "", 100),
        ("member", "value", "NP", "", -100),
    ]
    assert one_shard.reverse(sale.command.name).code == "already-reversed"
    assert one_shard.refund(sale).code == "already-reversed"
    assert one_shard.refund(undone).code == "not-refundable"
    assert one_shard.reverse(undone.command.name).code == "not-refundable"


def test_nothing_is_posted_for_an_original_whose_reversal_came_first(one_shard):
    name = "t.10000017.9.1"
    first = one_shard.reverse(name)
    assert (first.status, first.code) == (Status.COMPLETED, "original-not-seen")
    late = one_shard.tell(one_shard.transaction("purchase", BAKER, name=name, awards=(award(100),)))
    assert late.decision is None
    answer = msgspec.json.decode(late.answer)
    assert (answer["status"], answer["code"]) == ("declined", "reversed-before-arrival")
    assert answer["id"] == f"3.{name}"
    assert one_shard.reverse(name).code == "nothing-to-reverse"
    assert one_shard.lots() == []
