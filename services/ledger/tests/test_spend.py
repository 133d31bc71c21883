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
def desk():
    return ValueExamples()


def test_a_spend_away_from_a_till_books_what_a_redemption_books(desk):
    desk.buy(award(100))
    assert page(desk.away(points=60, worth_rial=5_000, fee_bp=100)) == [
        ("member", "value", "NP", "", -60),
        ("baker", "redeemed", "NP", "", 60),
        ("baker", "payable", "IRR", "grocer", -5_000),
        ("grocer", "receivable", "IRR", "baker", 5_000),
        ("baker", "points-cost", "IRR", "", -1_000),
        ("baker", "cost-released", "IRR", "", 1_000),
        ("grocer", "payable", "IRR", "network", -50),
        ("network", "fee", "IRR", "grocer", 50),
    ]


def test_points_for_an_entry_to_a_draw_are_worth_nothing_and_all_their_cost_is_released(desk):
    desk.buy(award(100))
    assert page(desk.away(points=10)) == [
        ("member", "value", "NP", "", -10),
        ("baker", "redeemed", "NP", "", 10),
        ("baker", "points-cost", "IRR", "", -1_000),
        ("baker", "cost-released", "IRR", "", 1_000),
    ]


def test_one_spend_takes_four_units_and_merchant_points_clear_nothing_at_their_own(desk):
    desk.buy(award(100, issuer=NETWORK))
    desk.issue(40, unit=Unit.MERCHANT_POINTS, issuer=GROCER)
    desk.issue(7_000, unit=Unit.CREDIT, issuer=NETWORK)
    desk.issue(9_000, unit=Unit.GIFT, issuer=FLORIST)
    decision = desk.away(
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


def test_merchant_points_are_spent_at_their_own_merchant_only(desk):
    desk.issue(40, unit=Unit.MERCHANT_POINTS, issuer=BAKER)
    assert said(desk.away(merchant_points=40)) == ("declined", "insufficient-merchant-points")
    decision = desk.away(BAKER, merchant_points=40, worth_rial=4_000, fee_bp=500)
    assert page(decision) == [
        ("member", "value", "MP", "baker", -40),
        ("baker", "redeemed", "MP", "", 40),
    ]


@pytest.mark.NH11
def test_what_the_acceptor_gives_beyond_the_cost_is_its_own_up_to_its_maximum(desk):
    desk.buy(award(100))
    assert said(desk.away(points=10, worth_rial=1_603, own_max_rial=600)) == (
        "declined", "own-discount-too-large",
    )  # fmt: skip
    decision = desk.away(points=10, worth_rial=1_600, own_max_rial=600)
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
def test_a_spend_that_cannot_be_moves_nothing(desk, spent, code):
    desk.buy(award(100))
    decision = desk.away(**spent)
    assert said(decision) == ("declined", code)
    assert (decision.legs, decision.rows) == ((), ())


def test_a_spend_without_an_account_or_in_no_unit_of_value_is_declined(desk):
    assert said(desk.issue(5, account=0)) == ("declined", "no-account")
    assert said(desk.issue(5, unit=Unit.RIAL)) == ("declined", "not-value")
    hold = desk.hold(points=1)
    body = hold.command.body
    assert said(desk.hear(replace(body, name=desk.name(), account=0)))[1] == "no-account"
    spent = desk.away(points=1).command.body
    assert said(desk.hear(replace(spent, name=desk.name(), account=0)))[1] == "no-account"


def test_a_fifth_of_a_mixed_spend_comes_back_in_every_unit(desk):
    desk.buy(award(50))
    desk.issue(40, unit=Unit.MERCHANT_POINTS, issuer=GROCER)
    desk.issue(3_000, unit=Unit.GIFT, issuer=FLORIST)
    spent = desk.away(points=50, merchant_points=40, gift_rial=3_000, worth_rial=12_000, fee_bp=100)
    decision = desk.refund(spent, amount_rial=2_400)
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
    assert said(desk.reverse(spent.command.name, merchant=GROCER)) == ("completed", "")
    assert [(lot.remaining, lot.cost_left) for _, lot in sorted(desk.member().lots.items())] == [
        (50, 5_000), (40, 4_000), (3_000, 3_000),
    ]  # fmt: skip
    assert said(desk.reverse(spent.command.name, merchant=GROCER))[1] == "already-reversed"


@pytest.mark.SH2
def test_gift_value_pays_at_a_till_with_points_at_its_face(desk):
    desk.buy(award(100, issuer=GROCER))
    desk.issue(50_000, unit=Unit.GIFT, issuer=FLORIST)
    decision = desk.hear(
        desk.transaction(Kind.REDEMPTION, GROCER, redemption=replace(terms(100), gift_rial=30_000))
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
    short = desk.hear(
        desk.transaction(Kind.REDEMPTION, GROCER, redemption=replace(terms(0), gift_rial=20_001))
    )
    assert said(short) == ("declined", "insufficient-gift")


def test_a_refund_by_amount_is_spread_over_what_is_left_of_the_lines(desk):
    sale = desk.buy(
        award(70, line=1), award(30, line=2, rule="bonus"), lines=((1, 700_000), (2, 300_000))
    )
    desk.refund(sale, (2, 100_000))
    decision = desk.refund(sale, amount_rial=450_000)  # of 700,000 and 200,000 left
    assert decision.progress[1].refunded == (350_000, 200_000)
    assert [(row.amount, row.cost_rial) for row in decision.rows] == [(35, 3_500), (10, 1_000)]
    over = desk.refund(sale, amount_rial=450_001)
    assert said(over) == ("declined", "refund-too-large")
    last = desk.refund(sale, amount_rial=450_000)
    assert last.progress[1].full
    assert desk.lots() == []
    assert said(desk.refund(sale, amount_rial=1)) == ("declined", "already-refunded")


def test_amounts_over_odd_lines_never_pass_a_line(desk):
    lines = ((1, 1), (2, 999), (3, 0), (4, 345_678))
    sale = desk.buy(award(1_000), lines=lines)
    left = sum(rial for _, rial in lines)
    for rial in (1, 1, 1, 998, 7, 100_001, 3, 200_000):
        decision = desk.refund(sale, amount_rial=rial)
        left -= rial
        back = decision.progress[1].refunded
        assert sum(back) == 346_678 - left
        assert all(done <= whole for done, (_, whole) in zip(back, lines, strict=True))
    assert desk.refund(sale).progress[1].full
    assert desk.lots() == []


def test_lines_say_more_than_an_amount_beside_them(desk):
    sale = desk.buy(award(100), lines=((1, 700_000), (2, 300_000)))
    decision = desk.refund(sale, (2, 300_000), amount_rial=5)
    assert decision.progress[1].refunded == (0, 300_000)
    assert isinstance(decision.command.body.refund_lines[0], RefundLine)


def test_a_spend_of_no_worth_comes_back_whole_or_not_at_all(desk):
    desk.buy(award(100))
    spent = desk.away(points=10)
    assert said(desk.refund(spent, amount_rial=1)) == ("declined", "refund-too-large")
    assert page(desk.refund(spent)) == [
        ("member", "value", "NP", "", 10),
        ("baker", "redeemed", "NP", "", -10),
        ("baker", "points-cost", "IRR", "", 1_000),
        ("baker", "cost-released", "IRR", "", -1_000),
    ]


def test_a_spend_in_the_batch_of_its_points_and_of_its_refund_sees_both(desk):
    desk.buy(award(10, expires_at=desk.at + timedelta(hours=1)))
    spent = desk.away(points=10)
    desk.later(hours=2)
    back = desk.refund(spent)
    assert back.status is Status.COMPLETED
    assert [lot.parent for lot in back.opened] == [desk.lot(back.rows[0].lot).parent]
    assert back.owner == ACCOUNT


def test_a_redemption_of_nobodys_account_is_declined_without_a_balance(desk):
    """An identifier that has moved (F11): its first holder's shard answers, and tells nothing."""
    desk.buy(award(100))
    moved = Reason(code="identifier-moved", fa="به حساب دیگری رسیده است.", en="It has moved.")
    body = desk.transaction(Kind.REDEMPTION, GROCER, account=0, member=0, decline=(moved,))
    declined = desk.hear(body)
    answer = msgspec.json.decode(declined.answer)
    assert (answer["status"], answer["code"]) == ("declined", "identifier-moved")
    assert "balance" not in answer
    assert [left for _, left in desk.lots()] == [100]
