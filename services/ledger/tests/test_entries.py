"""The accountant's tables: each command's entries, worked by hand."""

from datetime import timedelta

import msgspec
import pytest

from contracts.ledger import (
    AdvanceClock,
    ExpireLot,
    IssueValue,
    RefuseTransaction,
    RevokeIssue,
)
from contracts.pos import Answer, AnswerLine
from contracts.values import Status, Unit
from ledger.book.facts import LOTS_PER_COMMAND_MAX
from ledger.log.domain import records
from ledger.posting.decide import commands
from ledger.posting.domain import texts

from .one_shard import ACCOUNT, BAKER, FLORIST, GROCER, NETWORK, OneShard, award, page


@pytest.fixture
def one_shard():
    return OneShard()


def test_a_purchase_brings_points_from_their_issuer(one_shard):
    assert page(one_shard.buy(award(100))) == [
        ("baker", "issued", "NP", "", -100),
        ("member", "value", "NP", "", 100),
    ]


def test_a_funder_owes_the_issuer_what_the_points_cost(one_shard):
    assert page(one_shard.buy(award(100, funder=NETWORK))) == [
        ("baker", "issued", "NP", "", -100),
        ("member", "value", "NP", "", 100),
        ("network", "payable", "IRR", "baker", -10_000),
        ("baker", "receivable", "IRR", "network", 10_000),
    ]


@pytest.mark.SH14
def test_spending_at_another_merchant_books_points_claim_and_fee(one_shard):
    one_shard.buy(award(100))
    assert page(one_shard.spend(60)) == [
        ("member", "value", "NP", "", -60),
        ("baker", "redeemed", "NP", "", 60),
        ("baker", "payable", "IRR", "grocer", -6_000),
        ("grocer", "receivable", "IRR", "baker", 6_000),
        ("grocer", "payable", "IRR", "network", -60),
        ("network", "fee", "IRR", "grocer", 60),
    ]


def test_spending_at_the_issuer_itself_clears_nothing_but_keeps_the_row(one_shard):
    one_shard.buy(award(100))
    decision = one_shard.spend(60, merchant=BAKER)
    assert page(decision) == [
        ("member", "value", "NP", "", -60),
        ("baker", "redeemed", "NP", "", 60),
    ]
    assert [(r.amount, r.cost_rial, r.claim_rial, r.fee_rial) for r in decision.rows] == [
        (60, 6_000, 6_000, 0)
    ]


@pytest.mark.SH14
def test_cost_beyond_the_discount_is_released_to_the_issuer(one_shard):
    one_shard.buy(award(100))
    assert page(one_shard.spend(60, value=4_000))[2:] == [
        ("baker", "payable", "IRR", "grocer", -4_000),
        ("grocer", "receivable", "IRR", "baker", 4_000),
        ("baker", "points-cost", "IRR", "", -2_000),
        ("baker", "cost-released", "IRR", "", 2_000),
        ("grocer", "payable", "IRR", "network", -40),
        ("network", "fee", "IRR", "grocer", 40),
    ]


@pytest.mark.SH14
@pytest.mark.NH11
def test_discount_beyond_the_cost_is_the_acceptors_own_up_to_what_it_declared(one_shard):
    one_shard.buy(award(100))
    within = one_shard.spend(60, own=500, own_max=500)
    assert ("grocer", "own-discount", "IRR", "", -500) in page(within)
    assert ("grocer", "discount-given", "IRR", "", 500) in page(within)
    beyond = one_shard.spend(10, own=501, own_max=500)
    assert (beyond.status, beyond.code) == (Status.DECLINED, "own-discount-too-large")
    dearer = one_shard.spend(10, value=1_501, own_max=500)
    assert (dearer.status, dearer.code) == (Status.COMPLETED, "")
    much = one_shard.spend(10, value=1_503, own_max=500)
    assert much.code == "own-discount-too-large"


def test_a_cost_that_was_rounded_down_does_not_refuse_a_redemption(one_shard):
    one_shard.buy(award(3, cost_rial=7))  # at 5 Rial for 2 points
    one_shard.buy(award(3, cost_rial=7))
    decision = one_shard.spend(6, value=15)
    assert decision.status is Status.COMPLETED
    assert msgspec.json.decode(decision.answer)["own_discount_rial"] == 1


@pytest.mark.SH14
def test_the_first_to_expire_pays_first_and_claims_follow_cost(one_shard):
    late, soon = one_shard.at + timedelta(days=9), one_shard.at + timedelta(days=2)
    one_shard.buy(award(100, issuer=BAKER, expires_at=late))
    one_shard.buy(award(100, issuer=FLORIST, expires_at=soon))
    one_shard.buy(award(100, issuer=GROCER))
    decision = one_shard.spend(250, value=24_999, fee_bp=99)
    rows = [(r.issuer, r.amount, r.cost_rial, r.claim_rial, r.fee_rial) for r in decision.rows]
    assert rows == [
        (FLORIST, 100, 10_000, 10_000, 99),
        (BAKER, 100, 10_000, 9_999, 98),
        (GROCER, 50, 5_000, 5_000, 0),
    ]
    assert ("network", "fee", "IRR", "grocer", 19_999 * 99 // 10_000) in page(decision)
    assert ("baker", "cost-released", "IRR", "", 1) in page(decision)


@pytest.mark.SH5
def test_first_purchase_credit_is_spent_like_points_and_taken_back_as_far_as_unspent(one_shard):
    credit = IssueValue(
        name=f"a.{ACCOUNT}.first-purchase", account=ACCOUNT, member=1, unit=Unit.CREDIT,
        amount=50_000, cost_rial=50_000, issuer=NETWORK, funder=NETWORK, rule="first-purchase",
        rule_version=1, purpose="first-purchase",
    )  # fmt: skip
    assert page(one_shard.hear(credit)) == [
        ("network", "issued", "CR", "", -50_000),
        ("member", "value", "CR", "", 50_000),
    ]
    spent = one_shard.spend(0, credit=20_000)
    assert page(spent)[:4] == [
        ("member", "value", "CR", "", -20_000),
        ("network", "redeemed", "CR", "", 20_000),
        ("network", "payable", "IRR", "grocer", -20_000),
        ("grocer", "receivable", "IRR", "network", 20_000),
    ]
    back = one_shard.hear(
        RevokeIssue(
            name=f"a.{ACCOUNT}.first-purchase-return", account=ACCOUNT, member=1,
            issued_by=credit.name,
        )
    )  # fmt: skip
    assert page(back) == [
        ("network", "issued", "CR", "", 30_000),
        ("member", "value", "CR", "", -30_000),
    ]
    assert one_shard.lots() == []


@pytest.mark.SH6
def test_points_and_credit_pay_one_basket_together(one_shard):
    one_shard.buy(award(100))
    one_shard.hear(
        IssueValue(
            name="a.1.x", account=ACCOUNT, member=1, unit=Unit.CREDIT, amount=5_000,
            cost_rial=5_000, issuer=NETWORK, funder=NETWORK, rule="gift", rule_version=1,
        )
    )  # fmt: skip
    decision = one_shard.spend(100, credit=5_000)
    answer = msgspec.json.decode(decision.answer)
    assert (answer["discount_rial"], answer["payable_rial"]) == (15_000, 985_000)
    assert one_shard.lots() == []


def test_more_than_the_balance_or_the_basket_is_a_stored_no(one_shard):
    one_shard.buy(award(100))
    short = one_shard.spend(101)
    assert (short.status, short.code, page(short)) == (
        Status.DECLINED, "insufficient-points", [],
    )  # fmt: skip
    answer = msgspec.json.decode(short.answer)
    assert "۱ امتیاز کم است" in answer["fa"]
    assert "1 short" in answer["en"]
    assert answer["balance"]["points"] == 100
    assert one_shard.spend(100, amount=9_999).code == "more-than-the-basket"
    assert one_shard.spend(0).code == "nothing-to-redeem"
    assert one_shard.hear(one_shard.transaction("redemption", GROCER)).code == "no-terms"


def test_buying_earning_and_refunding_a_hundred_times_gains_nothing(one_shard):
    for _ in range(100):
        sale = one_shard.buy(award(37), lines=((1, 370_000),))
        one_shard.refund(sale, (1, 185_001))
        one_shard.refund(sale)
    assert (one_shard.lots(), one_shard.debts()) == ([], {})


def test_twenty_redemptions_of_one_balance_have_one_winner(one_shard):
    one_shard.buy(award(100))
    codes = [one_shard.spend(100).code for _ in range(20)]
    assert codes == [""] + ["insufficient-points"] * 19


def test_a_rule_that_changed_in_between_does_not_change_a_refund(one_shard):
    sale = one_shard.buy(award(100))
    one_shard.buy(award(900, rule_version=2))
    undone = one_shard.refund(sale)
    assert page(undone) == [(*line[:4], -line[4]) for line in page(sale)]


def test_each_origin_of_a_lot_expires(one_shard):
    soon = one_shard.at + timedelta(hours=1)
    one_shard.buy(award(10, expires_at=soon))
    one_shard.buy(award(20, expires_at=soon), review_due_at=one_shard.at + timedelta(hours=72))
    one_shard.hear(
        IssueValue(
            name="a.1.x", account=ACCOUNT, member=1, unit=Unit.CREDIT, amount=30, cost_rial=30,
            issuer=NETWORK, funder=NETWORK, rule="gift", rule_version=1, expires_at=soon,
        )
    )  # fmt: skip
    spent = one_shard.spend(5)
    one_shard.later(hours=3)
    one_shard.refund(spent, grace_expires_at=one_shard.at + timedelta(hours=1))  # a child
    one_shard.later(hours=3)
    member = one_shard.book.member(3, ACCOUNT)
    for lot in sorted(member.lots):
        booked = one_shard.hear(ExpireLot(name=f"x.{lot}.day", account=ACCOUNT, lot=lot))
        assert (booked.status, booked.code) == (Status.COMPLETED, ""), lot
    assert one_shard.lots() == []
    assert {lot.origin.value for lot in member.lots.values()} == {"award", "issue", "child"}


def test_a_refund_elsewhere_or_of_another_account_is_declined(one_shard):
    sale = one_shard.buy(award(100), lines=((1, 1000),))
    name = sale.command.name
    for fields, code in (
        ({"merchant": GROCER}, "another-merchant"),
        ({"merchant": BAKER, "account": 77}, "another-account"),
    ):
        body = one_shard.transaction("refund", BAKER, original=name, amount_rial=0)
        assert one_shard.hear(msgspec.structs.replace(body, **fields)).code == code
    elsewhere = one_shard.refund(
        sale, account=0, member=0, shown=78
    )  # who lives on another shard (A11)
    assert (elsewhere.status, elsewhere.code) == (Status.DECLINED, "another-account")
    assert (elsewhere.owner, elsewhere.legs) == (0, ())
    assert b'"balance"' not in elsewhere.answer  # nothing of the sale's account is told to him
    assert one_shard.refund(sale, (2, 1)).code == "unknown-line"
    assert one_shard.refund(sale, (1, 1001)).code == "refund-too-large"
    assert one_shard.refund(sale, (1, 600), (1, 401)).code == "refund-too-large"


def test_what_names_no_account_or_is_no_command_is_a_stored_no(one_shard):
    assert one_shard.hear(one_shard.transaction("purchase", BAKER, account=0)).code == "no-account"
    nobody = IssueValue(
        name="a.0.x", account=0, member=0, unit=Unit.CREDIT, amount=1, cost_rial=1, issuer=1,
        funder=1, rule="gift", rule_version=1,
    )  # fmt: skip
    assert one_shard.hear(nobody).code == "no-account"
    asked = one_shard.hear(one_shard.transaction("inquiry", BAKER))
    assert (asked.status, asked.code) == (Status.REFUSED, "not-a-command")


def test_what_was_refused_cannot_be_refunded(one_shard):
    refusal = RefuseTransaction(name=one_shard.name(), reason=texts.reason("undecodable"))
    refused = one_shard.hear(refusal)
    assert (refused.status, refused.code) == (Status.REFUSED, "undecodable")
    back = one_shard.transaction("refund", BAKER, original=refusal.name, account=0, amount_rial=0)
    assert one_shard.hear(back).code == "original-not-completed"


def test_an_issue_is_taken_back_from_its_own_account_only(one_shard):
    one_shard.hear(
        IssueValue(
            name="a.1.x", account=ACCOUNT, member=1, unit=Unit.CREDIT, amount=5, cost_rial=5,
            issuer=NETWORK, funder=NETWORK, rule="gift", rule_version=1,
        )
    )  # fmt: skip
    for account, issued_by, code in (
        (77, "a.1.x", "another-account"),
        (ACCOUNT, "a.1.y", "unknown-original"),
    ):
        wrong = RevokeIssue(name=f"a.{code}.z", account=account, member=1, issued_by=issued_by)
        assert one_shard.hear(wrong).code == code


def test_a_sale_has_at_most_so_many_lots(one_shard):
    many = tuple(award(1, line=n) for n in range(LOTS_PER_COMMAND_MAX + 1))
    refused = one_shard.buy(*many)
    assert (refused.status, refused.code) == (Status.DECLINED, "too-many-awards")
    member = one_shard.book.member(one_shard.shard, ACCOUNT)
    one_shard.buy(award(1))
    ((_, one),) = member.lots.items()
    for number in range(LOTS_PER_COMMAND_MAX):
        member.lots[number] = msgspec.structs.replace(one, lot=number)
    refused = one_shard.spend(LOTS_PER_COMMAND_MAX + 1)
    assert refused.code == "too-many-lots"
    assert "up to 4,096 at once" in refused.effects.reasons[0].en
    assert one_shard.spend(LOTS_PER_COMMAND_MAX).status is Status.COMPLETED
    assert one_shard.spend(1).status is Status.COMPLETED


def test_lines_that_earned_nothing_are_told_with_their_reason(one_shard):
    why = AnswerLine(line=2, reason=texts.reason("nothing-left"))
    for given in ((), (award(5, line=1),)):
        told = msgspec.json.decode(one_shard.buy(*given, unearned=(why,)).answer)["lines"]
        assert told[-1]["reason"]["code"] == "nothing-left"
        assert len(told) == len(given) + 1


def test_only_sales_are_undone(one_shard):
    one_shard.hear(AdvanceClock(name="k.1"))
    back = one_shard.transaction("refund", BAKER, original="k.1", account=0, amount_rial=0)
    assert one_shard.hear(back).code == "not-refundable"
    poison = commands.decide_one(
        one_shard.book, records.command_from(one_shard.shard, b"\xff")
    ).decision
    assert poison is not None
    assert (poison.status, poison.code) == (Status.REFUSED, "undecodable")
    told = msgspec.json.decode(poison.answer, type=Answer)
    assert (told.status, told.code) == (Status.REFUSED, "undecodable")
    assert told.fa
