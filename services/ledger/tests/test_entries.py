"""The accountant's tables: each command's entries, worked by hand."""

from datetime import timedelta

import msgspec
import pytest

from contracts.ledger import (
    ExpireLot,
    IssueValue,
    TakeBackValue,
)
from contracts.values import Status, Unit

from .desk import ACCOUNT, BAKER, FLORIST, GROCER, NETWORK, Desk, award, page


@pytest.fixture
def desk():
    return Desk()


def test_a_purchase_brings_points_from_their_issuer(desk):
    assert page(desk.buy(award(100))) == [
        ("baker", "issued", "NP", "", -100),
        ("member", "value", "NP", "", 100),
    ]


def test_a_funder_owes_the_issuer_what_the_points_cost(desk):
    assert page(desk.buy(award(100, funder=NETWORK))) == [
        ("baker", "issued", "NP", "", -100),
        ("member", "value", "NP", "", 100),
        ("network", "payable", "IRR", "baker", -10_000),
        ("baker", "receivable", "IRR", "network", 10_000),
    ]


def test_spending_at_another_merchant_books_points_claim_and_fee(desk):
    desk.buy(award(100))
    assert page(desk.spend(60)) == [
        ("member", "value", "NP", "", -60),
        ("baker", "redeemed", "NP", "", 60),
        ("baker", "payable", "IRR", "grocer", -6_000),
        ("grocer", "receivable", "IRR", "baker", 6_000),
        ("grocer", "payable", "IRR", "network", -60),
        ("network", "fee", "IRR", "grocer", 60),
    ]


def test_spending_at_the_issuer_itself_clears_nothing_but_keeps_the_row(desk):
    desk.buy(award(100))
    decision = desk.spend(60, merchant=BAKER)
    assert page(decision) == [
        ("member", "value", "NP", "", -60),
        ("baker", "redeemed", "NP", "", 60),
    ]
    assert [(r.amount, r.cost_rial, r.claim_rial, r.fee_rial) for r in decision.rows] == [
        (60, 6_000, 6_000, 0)
    ]


def test_cost_beyond_the_discount_is_released_to_the_issuer(desk):
    desk.buy(award(100))
    assert page(desk.spend(60, value=4_000))[2:] == [
        ("baker", "payable", "IRR", "grocer", -4_000),
        ("grocer", "receivable", "IRR", "baker", 4_000),
        ("baker", "points-cost", "IRR", "", -2_000),
        ("baker", "cost-released", "IRR", "", 2_000),
        ("grocer", "payable", "IRR", "network", -40),
        ("network", "fee", "IRR", "grocer", 40),
    ]


def test_discount_beyond_the_cost_is_the_acceptors_own_up_to_what_it_declared(desk):
    desk.buy(award(100))
    within = desk.spend(60, own=500, own_max=500)
    assert ("grocer", "own-discount", "IRR", "", -500) in page(within)
    assert ("grocer", "discount-given", "IRR", "", 500) in page(within)
    beyond = desk.spend(10, own=501, own_max=500)
    assert (beyond.status, beyond.code) == (Status.DECLINED, "own-discount-too-large")
    dearer = desk.spend(10, value=1_501, own_max=500)
    assert (dearer.status, dearer.code) == (Status.COMPLETED, "")
    much = desk.spend(10, value=1_503, own_max=500)
    assert much.code == "own-discount-too-large"


def test_a_cost_that_was_rounded_down_does_not_refuse_a_redemption(desk):
    desk.buy(award(3, cost_rial=7))  # at 5 Rial for 2 points
    desk.buy(award(3, cost_rial=7))
    decision = desk.spend(6, value=15)
    assert decision.status is Status.COMPLETED
    assert msgspec.json.decode(decision.answer)["own_discount_rial"] == 1


def test_the_first_to_expire_pays_first_and_claims_follow_cost(desk):
    late, soon = desk.at + timedelta(days=9), desk.at + timedelta(days=2)
    desk.buy(award(100, issuer=BAKER, expires_at=late))
    desk.buy(award(100, issuer=FLORIST, expires_at=soon))
    desk.buy(award(100, issuer=GROCER))
    decision = desk.spend(250, value=24_999, fee_bp=99)
    rows = [(r.issuer, r.amount, r.cost_rial, r.claim_rial, r.fee_rial) for r in decision.rows]
    assert rows == [
        (FLORIST, 100, 10_000, 10_000, 99),
        (BAKER, 100, 10_000, 9_999, 98),
        (GROCER, 50, 5_000, 5_000, 0),
    ]
    assert ("network", "fee", "IRR", "grocer", 19_999 * 99 // 10_000) in page(decision)
    assert ("baker", "cost-released", "IRR", "", 1) in page(decision)


def test_first_purchase_credit_is_spent_like_points_and_taken_back_as_far_as_unspent(desk):
    credit = IssueValue(
        name=f"a.{ACCOUNT}.first-purchase", account=ACCOUNT, member=1, unit=Unit.CREDIT,
        amount=50_000, cost_rial=50_000, issuer=NETWORK, funder=NETWORK, rule="first-purchase",
        rule_version=1, purpose="first-purchase",
    )  # fmt: skip
    assert page(desk.hear(credit)) == [
        ("network", "issued", "CR", "", -50_000),
        ("member", "value", "CR", "", 50_000),
    ]
    spent = desk.spend(0, credit=20_000)
    assert page(spent)[:4] == [
        ("member", "value", "CR", "", -20_000),
        ("network", "redeemed", "CR", "", 20_000),
        ("network", "payable", "IRR", "grocer", -20_000),
        ("grocer", "receivable", "IRR", "network", 20_000),
    ]
    back = desk.hear(
        TakeBackValue(
            name=f"a.{ACCOUNT}.first-purchase-return", account=ACCOUNT, member=1,
            issued_by=credit.name,
        )
    )  # fmt: skip
    assert page(back) == [
        ("network", "issued", "CR", "", 30_000),
        ("member", "value", "CR", "", -30_000),
    ]
    assert desk.lots() == []


def test_points_and_credit_pay_one_basket_together(desk):
    desk.buy(award(100))
    desk.hear(
        IssueValue(
            name="a.1.x", account=ACCOUNT, member=1, unit=Unit.CREDIT, amount=5_000,
            cost_rial=5_000, issuer=NETWORK, funder=NETWORK, rule="gift", rule_version=1,
        )
    )  # fmt: skip
    decision = desk.spend(100, credit=5_000)
    answer = msgspec.json.decode(decision.answer)
    assert (answer["discount_rial"], answer["payable_rial"]) == (15_000, 985_000)
    assert desk.lots() == []


def test_more_than_the_balance_or_the_basket_is_a_stored_no(desk):
    desk.buy(award(100))
    short = desk.spend(101)
    assert (short.status, short.code, page(short)) == (
        Status.DECLINED, "insufficient-points", [],
    )  # fmt: skip
    answer = msgspec.json.decode(short.answer)
    assert "۱ امتیاز کم است" in answer["fa"]
    assert "1 short" in answer["en"]
    assert answer["balance"]["points"] == 100
    assert desk.spend(100, amount=9_999).code == "more-than-the-basket"
    assert desk.spend(0).code == "nothing-to-redeem"
    assert desk.hear(desk.transaction("redemption", GROCER)).code == "no-terms"


def test_buying_earning_and_refunding_a_hundred_times_gains_nothing(desk):
    for _ in range(100):
        sale = desk.buy(award(37), lines=((1, 370_000),))
        desk.refund(sale, (1, 185_001))
        desk.refund(sale)
    assert (desk.lots(), desk.debts()) == ([], {})


def test_twenty_redemptions_of_one_balance_have_one_winner(desk):
    desk.buy(award(100))
    codes = [desk.spend(100).code for _ in range(20)]
    assert codes == [""] + ["insufficient-points"] * 19


def test_a_rule_that_changed_in_between_does_not_change_a_refund(desk):
    sale = desk.buy(award(100))
    desk.buy(award(900, rule_version=2))
    undone = desk.refund(sale)
    assert page(undone) == [(*line[:4], -line[4]) for line in page(sale)]


def test_each_origin_of_a_lot_expires(desk):
    soon = desk.at + timedelta(hours=1)
    desk.buy(award(10, expires_at=soon))
    desk.buy(award(20, expires_at=soon), review_due_at=desk.at + timedelta(hours=72))
    desk.hear(
        IssueValue(
            name="a.1.x", account=ACCOUNT, member=1, unit=Unit.CREDIT, amount=30, cost_rial=30,
            issuer=NETWORK, funder=NETWORK, rule="gift", rule_version=1, expires_at=soon,
        )
    )  # fmt: skip
    spent = desk.spend(5)
    desk.later(hours=3)
    desk.refund(spent, grace_expires_at=desk.at + timedelta(hours=1))  # a child
    desk.later(hours=3)
    member = desk.book.member(3, ACCOUNT)
    for lot in sorted(member.lots):
        booked = desk.hear(ExpireLot(name=f"x.{lot}.day", account=ACCOUNT, lot=lot))
        assert (booked.status, booked.code) == (Status.COMPLETED, ""), lot
    assert desk.lots() == []
    assert {lot.origin.value for lot in member.lots.values()} == {"award", "issue", "child"}


def test_a_refund_elsewhere_or_of_another_account_is_declined(desk):
    sale = desk.buy(award(100), lines=((1, 1000),))
    name = sale.command.name
    for fields, code in (
        ({"merchant": GROCER}, "another-merchant"),
        ({"merchant": BAKER, "account": 77}, "another-account"),
    ):
        body = desk.transaction("refund", BAKER, original=name, amount_rial=0)
        assert desk.hear(msgspec.structs.replace(body, **fields)).code == code
    assert desk.refund(sale, (2, 1)).code == "unknown-line"
    assert desk.refund(sale, (1, 1001)).code == "refund-too-large"
    assert desk.refund(sale, (1, 600), (1, 401)).code == "refund-too-large"
