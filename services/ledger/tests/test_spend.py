"""The accountant's tables of value spent in several units, at a till and away, and given back."""

from datetime import timedelta

import msgspec
import pytest
from msgspec.structs import replace

from contracts.pos import RefundLine
from contracts.values import Kind, Reason, Status, Unit

from .one_shard import ACCOUNT, BAKER, FLORIST, GROCER, NETWORK, award, page, terms
from .value_examples import ValueExamples, said


@pytest.fixture
def one_shard():
    return ValueExamples()


def test_a_spend_away_from_a_till_books_what_a_redemption_books(one_shard):
    one_shard.buy(award(100))
    assert page(one_shard.away(points=60, worth_rial=5_000, fee_bp=100)) == [
        ("member", "value", "NP", "", -60),
        ("baker", "redeemed", "NP", "", 60),
        ("baker", "payable", "IRR", "grocer", -5_000),
        ("grocer", "receivable", "IRR", "baker", 5_000),
        ("baker", "points-cost", "IRR", "", -1_000),
        ("baker", "cost-released", "IRR", "", 1_000),
        ("grocer", "payable", "IRR", "network", -50),
        ("network", "fee", "IRR", "grocer", 50),
    ]


def test_points_for_an_entry_to_a_draw_are_worth_nothing_and_all_their_cost_is_released(one_shard):
    one_shard.buy(award(100))
    assert page(one_shard.away(points=10)) == [
        ("member", "value", "NP", "", -10),
        ("baker", "redeemed", "NP", "", 10),
        ("baker", "points-cost", "IRR", "", -1_000),
        ("baker", "cost-released", "IRR", "", 1_000),
    ]


def test_one_spend_takes_four_units_and_merchant_points_clear_nothing_at_their_own(one_shard):
    one_shard.buy(award(100, issuer=NETWORK))
    one_shard.issue(40, unit=Unit.MERCHANT_POINTS, issuer=GROCER)
    one_shard.issue(7_000, unit=Unit.CREDIT, issuer=NETWORK)
    one_shard.issue(9_000, unit=Unit.GIFT, issuer=FLORIST)
    decision = one_shard.away(
        points=50, merchant_points=40, credit_rial=2_000, gift_rial=3_000, worth_rial=14_000,
        fee_bp=100,
    )  # fmt: skip
    assert page(decision) == [
        ("member", "value", "NP", "", -50),
        ("member", "value", "MP", "grocer", -40),
        ("member", "value", "CR", "", -2_000),
        ("member", "value", "GV", "", -3_000),
        ("network", "redeemed", "NP", "", 50),
        ("grocer", "redeemed", "MP", "", 40),
        ("network", "redeemed", "CR", "", 2_000),
        ("florist", "redeemed", "GV", "", 3_000),
        ("network", "payable", "IRR", "grocer", -7_000),
        ("grocer", "receivable", "IRR", "network", 7_000),
        ("florist", "payable", "IRR", "grocer", -3_000),
        ("grocer", "receivable", "IRR", "florist", 3_000),
        ("grocer", "payable", "IRR", "network", -100),
        ("network", "fee", "IRR", "grocer", 100),
    ]
    assert [(row.unit.value, row.claim_rial, row.fee_rial) for row in decision.rows] == [
        ("NP", 5_000, 50), ("MP", 4_000, 0), ("CR", 2_000, 20), ("GV", 3_000, 30),
    ]  # fmt: skip


def test_merchant_points_are_spent_at_their_own_merchant_only(one_shard):
    one_shard.issue(40, unit=Unit.MERCHANT_POINTS, issuer=BAKER)
    assert said(one_shard.away(merchant_points=40)) == ("declined", "insufficient-merchant-points")
    decision = one_shard.away(BAKER, merchant_points=40, worth_rial=4_000, fee_bp=500)
    assert page(decision) == [
        ("member", "value", "MP", "baker", -40),
        ("baker", "redeemed", "MP", "", 40),
    ]


@pytest.mark.NH11
def test_what_the_acceptor_gives_beyond_the_cost_is_its_own_up_to_its_maximum(one_shard):
    one_shard.buy(award(100))
    assert said(one_shard.away(points=10, worth_rial=1_603, own_max_rial=600)) == (
        "declined", "own-discount-too-large",
    )  # fmt: skip
    decision = one_shard.away(points=10, worth_rial=1_600, own_max_rial=600)
    assert ("grocer", "discount-given", "IRR", "", 600) in page(decision)


@pytest.mark.parametrize(
    ("spent", "code"),
    [
        ({"points": 101}, "insufficient-points"),
        ({"credit_rial": 1}, "insufficient-credit"),
        ({"gift_rial": 1}, "insufficient-gift"),
        ({}, "nothing-to-redeem"),
        ({"merchant": 0, "points": 1, "worth_rial": 1}, "no-acceptor"),
        ({"merchant": 0, "merchant_points": 1}, "no-acceptor"),
    ],
)
def test_a_spend_that_cannot_be_moves_nothing(one_shard, spent, code):
    one_shard.buy(award(100))
    decision = one_shard.away(**spent)
    assert said(decision) == ("declined", code)
    assert (decision.legs, decision.rows) == ((), ())


def test_a_spend_without_an_account_or_in_no_unit_of_value_is_declined(one_shard):
    assert said(one_shard.issue(5, account=0)) == ("declined", "no-account")
    assert said(one_shard.issue(5, unit=Unit.RIAL)) == ("declined", "not-value")
    hold = one_shard.hold(points=1)
    body = hold.command.body
    assert said(one_shard.hear(replace(body, name=one_shard.name(), account=0)))[1] == "no-account"
    spent = one_shard.away(points=1).command.body
    assert said(one_shard.hear(replace(spent, name=one_shard.name(), account=0)))[1] == "no-account"


def test_a_fifth_of_a_mixed_spend_comes_back_in_every_unit(one_shard):
    one_shard.buy(award(50))
    one_shard.issue(40, unit=Unit.MERCHANT_POINTS, issuer=GROCER)
    one_shard.issue(3_000, unit=Unit.GIFT, issuer=FLORIST)
    spent = one_shard.away(
        points=50, merchant_points=40, gift_rial=3_000, worth_rial=12_000, fee_bp=100
    )
    decision = one_shard.refund(spent, amount_rial=2_400)
    assert page(decision) == [
        ("member", "value", "NP", "", 10),
        ("member", "value", "MP", "grocer", 8),
        ("member", "value", "GV", "", 600),
        ("baker", "redeemed", "NP", "", -10),
        ("grocer", "redeemed", "MP", "", -8),
        ("florist", "redeemed", "GV", "", -600),
        ("baker", "payable", "IRR", "grocer", 1_000),
        ("grocer", "receivable", "IRR", "baker", -1_000),
        ("florist", "payable", "IRR", "grocer", 600),
        ("grocer", "receivable", "IRR", "florist", -600),
        ("grocer", "payable", "IRR", "network", 16),
        ("network", "fee", "IRR", "grocer", -16),
    ]
    answer = msgspec.json.decode(decision.answer)
    assert answer["points_restored"] == 10
    assert answer["merchant_points_restored"] == 8
    assert answer["gift_restored_rial"] == 600
    assert answer["balance"]["gift_rial"] == 600
    assert said(one_shard.reverse(spent.command.name, merchant=GROCER)) == ("completed", "")
    lots_left = sorted(one_shard.member().lots.items())
    assert [(lot.remaining, lot.cost_left) for _, lot in lots_left] == [
        (50, 5_000), (40, 4_000), (3_000, 3_000),
    ]  # fmt: skip
    assert said(one_shard.reverse(spent.command.name, merchant=GROCER))[1] == "already-reversed"


@pytest.mark.SH2
def test_gift_value_pays_at_a_till_with_points_at_its_face(one_shard):
    one_shard.buy(award(100, issuer=GROCER))
    one_shard.issue(50_000, unit=Unit.GIFT, issuer=FLORIST)
    decision = one_shard.hear(
        one_shard.transaction(
            Kind.REDEMPTION, GROCER, redemption=replace(terms(100), gift_rial=30_000)
        )
    )
    assert page(decision) == [
        ("member", "value", "NP", "", -100),
        ("member", "value", "GV", "", -30_000),
        ("grocer", "redeemed", "NP", "", 100),
        ("florist", "redeemed", "GV", "", 30_000),
        ("florist", "payable", "IRR", "grocer", -30_000),
        ("grocer", "receivable", "IRR", "florist", 30_000),
        ("grocer", "payable", "IRR", "network", -300),
        ("network", "fee", "IRR", "grocer", 300),
    ]
    answer = msgspec.json.decode(decision.answer)
    assert (answer["gift_redeemed_rial"], answer["payable_rial"]) == (30_000, 960_000)
    assert "30,000 Rial of gift value" in answer["en"]
    short = one_shard.hear(
        one_shard.transaction(
            Kind.REDEMPTION, GROCER, redemption=replace(terms(0), gift_rial=20_001)
        )
    )
    assert said(short) == ("declined", "insufficient-gift")


def test_a_refund_by_amount_is_spread_over_what_is_left_of_the_lines(one_shard):
    sale = one_shard.buy(
        award(70, line=1), award(30, line=2, rule="bonus"), lines=((1, 700_000), (2, 300_000))
    )
    one_shard.refund(sale, (2, 100_000))
    decision = one_shard.refund(sale, amount_rial=450_000)  # of 700,000 and 200,000 left
    assert decision.progress[1].refunded == (350_000, 200_000)
    assert [(row.amount, row.cost_rial) for row in decision.rows] == [(35, 3_500), (10, 1_000)]
    over = one_shard.refund(sale, amount_rial=450_001)
    assert said(over) == ("declined", "refund-too-large")
    last = one_shard.refund(sale, amount_rial=450_000)
    assert last.progress[1].full
    assert one_shard.lots() == []
    assert said(one_shard.refund(sale, amount_rial=1)) == ("declined", "already-refunded")


def test_amounts_over_odd_lines_never_pass_a_line(one_shard):
    lines = ((1, 1), (2, 999), (3, 0), (4, 345_678))
    sale = one_shard.buy(award(1_000), lines=lines)
    left = sum(rial for _, rial in lines)
    for rial in (1, 1, 1, 998, 7, 100_001, 3, 200_000):
        decision = one_shard.refund(sale, amount_rial=rial)
        left -= rial
        back = decision.progress[1].refunded
        assert sum(back) == 346_678 - left
        assert all(done <= whole for done, (_, whole) in zip(back, lines, strict=True))
    assert one_shard.refund(sale).progress[1].full
    assert one_shard.lots() == []


def test_lines_say_more_than_an_amount_beside_them(one_shard):
    sale = one_shard.buy(award(100), lines=((1, 700_000), (2, 300_000)))
    decision = one_shard.refund(sale, (2, 300_000), amount_rial=5)
    assert decision.progress[1].refunded == (0, 300_000)
    assert isinstance(decision.command.body.refund_lines[0], RefundLine)


def test_a_spend_of_no_worth_comes_back_whole_or_not_at_all(one_shard):
    one_shard.buy(award(100))
    spent = one_shard.away(points=10)
    assert said(one_shard.refund(spent, amount_rial=1)) == ("declined", "refund-too-large")
    assert page(one_shard.refund(spent)) == [
        ("member", "value", "NP", "", 10),
        ("baker", "redeemed", "NP", "", -10),
        ("baker", "points-cost", "IRR", "", 1_000),
        ("baker", "cost-released", "IRR", "", -1_000),
    ]


def test_a_spend_in_the_batch_of_its_points_and_of_its_refund_sees_both(one_shard):
    one_shard.buy(award(10, expires_at=one_shard.at + timedelta(hours=1)))
    spent = one_shard.away(points=10)
    one_shard.later(hours=2)
    back = one_shard.refund(spent)
    assert back.status is Status.COMPLETED
    assert [lot.parent for lot in back.opened] == [one_shard.lot(back.rows[0].lot).parent]
    assert back.owner == ACCOUNT


def test_a_redemption_of_nobodys_account_is_declined_without_a_balance(one_shard):
    """An identifier that has moved (F11): its first holder's shard answers, and tells nothing."""
    one_shard.buy(award(100))
    moved = Reason(code="identifier-moved", fa="به حساب دیگری رسیده است.", en="It has moved.")
    body = one_shard.transaction(Kind.REDEMPTION, GROCER, account=0, member=0, decline=(moved,))
    declined = one_shard.hear(body)
    answer = msgspec.json.decode(declined.answer)
    assert (answer["status"], answer["code"]) == ("declined", "identifier-moved")
    assert "balance" not in answer
    assert [left for _, left in one_shard.lots()] == [100]
