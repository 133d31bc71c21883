"""Lines of the till: each kind of transaction and each unit that moved, in Persian and English."""

import re
from datetime import timedelta

import msgspec
import pytest

from contracts.ledger import IssueValue
from contracts.pos import Answer, Balance, Movement
from contracts.values import Kind, Reason, Unit
from ledger.posting.domain import lines
from ledger.posting.domain.lines import LineDetails, Spendable

from . import generators
from .one_shard import ACCOUNT, FLORIST, GROCER, OneShard, award

NP, CR, GV, MP = Unit.NETWORK_POINTS, Unit.CREDIT, Unit.GIFT, Unit.MERCHANT_POINTS
M = Movement
NOTHING = LineDetails(0, 0, None, in_review=False)
LATER = generators.START + timedelta(days=3)


def left(**fields):
    given = {
        "points": 0, "available_points": 0, "pending_points": 0, "credit_rial": 0,
        "expiring_points": 0, "expiring_at": None,
    }  # fmt: skip
    return Balance(**(given | fields))


TABLE = [
    (Kind.PURCHASE, {(M.EARNED, NP): 250}, left(points=1_250), NOTHING,
     "۲۵۰ امتیاز گرفتید. مانده: ۱٬۲۵۰ امتیاز.",
     "250 points earned. Balance: 1,250 points."),
    (Kind.PURCHASE, {(M.EARNED, NP): 9, (M.EARNED, CR): 700}, left(points=9, credit_rial=700),
     NOTHING, "۹ امتیاز و ۷۰۰ ریال اعتبار گرفتید. مانده: ۹ امتیاز و ۷۰۰ ریال اعتبار.",
     "9 points and 700 Rial of credit earned. Balance: 9 points and 700 Rial of credit."),
    (Kind.PURCHASE, {}, left(gift_rial=50), NOTHING,
     "این خرید امتیازی نداشت. مانده: ۵۰ ریال هدیه.",
     "This sale earned no points. Balance: 50 Rial of gift value."),
    (Kind.PURCHASE, {(M.EARNED, NP): 30, (M.PENDING, NP): 30}, left(points=30),
     LineDetails(0, 0, LATER, in_review=True), "۳۰ امتیاز در انتظار بررسی است. مانده: ۳۰ امتیاز.",
     "30 points pending a review. Balance: 30 points."),
    (Kind.PURCHASE, {(M.EARNED, NP): 30, (M.PENDING, NP): 20}, left(points=30),
     LineDetails(0, 0, LATER, in_review=False),
     "۱۰ امتیاز گرفتید؛ ۲۰ امتیاز از ۴ فروردین ۱۴۰۵ قابل خرج است. مانده: ۳۰ امتیاز.",
     "10 points earned; 20 points can be spent from 24 March 2026. Balance: 30 points."),
    (Kind.PURCHASE, {(M.EARNED, NP): 100, (M.REPAID, NP): 100}, left(debt_points=150), NOTHING,
     "۱۰۰ امتیاز گرفتید؛ ۱۰۰ امتیاز بابت بدهی کم شد. مانده: ۰ امتیاز. بدهی: ۱۵۰ امتیاز.",
     "100 points earned; 100 points went to what was owed. Balance: 0 points. Owed: 150 points."),
    (Kind.PURCHASE, {(M.EARNED, MP): 4}, left(), NOTHING,
     "۴ امتیاز خود فروشگاه گرفتید. مانده: ۰ امتیاز.",
     "4 of the shop's own points earned. Balance: 0 points."),
    (Kind.REDEMPTION, {(M.SPENT, NP): 100}, left(points=5),
     LineDetails(10_000, 0, None, in_review=False),
     "با ۱۰۰ امتیاز ۱۰٬۰۰۰ ریال تخفیف گرفتید. مانده: ۵ امتیاز.",
     "100 points used for 10,000 Rial off. Balance: 5 points."),
    (Kind.REDEMPTION, {(M.SPENT, CR): 60, (M.SPENT, GV): 40, (M.EARNED, NP): 1}, left(points=1),
     LineDetails(100, 0, None, in_review=False),
     "با ۶۰ ریال اعتبار و ۴۰ ریال هدیه ۱۰۰ ریال تخفیف گرفتید؛ ۱ امتیاز گرفتید. مانده: ۱ امتیاز.",
     "60 Rial of credit and 40 Rial of gift value used for 100 Rial off; 1 points earned."
     " Balance: 1 points."),
    (Kind.REFUND, {(M.RESTORED, CR): 50_000}, left(points=1, credit_rial=150_000), NOTHING,
     "برگشت ثبت شد؛ ۵۰٬۰۰۰ ریال اعتبار به حساب افزوده شد."
     " مانده: ۱ امتیاز و ۱۵۰٬۰۰۰ ریال اعتبار.",
     "Refund booked; 50,000 Rial of credit given back."
     " Balance: 1 points and 150,000 Rial of credit."),
    (Kind.REFUND, {(M.TAKEN_BACK, NP): 50, (M.OWED, NP): 100, (M.REPAID, NP): 3},
     left(debt_points=100), LineDetails(0, 10_000, None, in_review=False),
     "برگشت ثبت شد؛ ۵۰ امتیاز کم شد؛ ۳ امتیاز بابت بدهی کم شد؛ ۱۰۰ امتیاز پیش‌تر خرج شده"
     " و بدهی مشتری است، به ارزش ۱۰٬۰۰۰ ریال. مانده: ۰ امتیاز. بدهی: ۱۰۰ امتیاز.",
     "Refund booked; 50 points taken back; 3 points went to what was owed; 100 points spent already"
     " and owed, worth 10,000 Rial. Balance: 0 points. Owed: 100 points."),
    (Kind.REVERSAL, {}, left(points=3, expiring_points=3, expiring_at=generators.START), NOTHING,
     "لغو ثبت شد؛ چیزی جابه‌جا نشد. مانده: ۳ امتیاز. مهلت ۳ امتیاز تا ۱ فروردین ۱۴۰۵.",
     "Reversal booked; nothing moved. Balance: 3 points. 3 points until 21 March 2026."),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "moved", "balance", "told", "fa", "en"), TABLE)
def test_a_line_names_all_that_moved_and_nothing_else(kind, moved, balance, told, fa, en):
    assert lines.of_transaction(kind, moved, balance, told) == (fa, en)


@pytest.mark.parametrize("unit", list(Unit)[:4])
@pytest.mark.parametrize("what", [M.EARNED, M.SPENT, M.RESTORED, M.TAKEN_BACK, M.REPAID, M.OWED])
def test_every_unit_has_its_word_in_every_clause(what, unit):
    told = LineDetails(7, 7, None, in_review=False)
    fa, en = lines.of_transaction(Kind.REFUND, {(what, unit): 12_345}, left(), told)
    assert "۱۲٬۳۴۵" in fa
    assert "12,345" in en
    assert not re.search(r"[0-9]", fa)


def test_no_line_of_an_inquiry_has_a_zero_or_a_foreign_digit():
    why = (Reason(code="x", fa="نه.", en="No."),)
    for have in (left(), left(available_points=5), left(credit_rial=9), left(debt_points=4)):
        for spendable in (Spendable(0, 0, 0, ()), Spendable(0, 0, 0, why), Spendable(1, 0, 2, ())):
            for basket in (True, False):
                fa, en = lines.of_inquiry(have, spendable, basket=basket)
                assert not re.search(r"(^|[^۰-۹٬])۰( |$)|[0-9]", fa)
                assert not re.search(r"\b0\b", en)


@pytest.fixture
def one_shard():
    return OneShard()


def told(decision):
    return msgspec.json.decode(decision.answer, type=Answer)


def credit(one_shard, rial):
    one_shard.hear(
        IssueValue(
            name=one_shard.name(), account=ACCOUNT, member=1, unit=CR, amount=rial, cost_rial=rial,
            issuer=1, funder=1, rule="gift", rule_version=1,
        )
    )  # fmt: skip


def test_a_refund_of_credit_says_so(one_shard):  # findings F12
    credit(one_shard, 200_000)
    spent = one_shard.spend(0, credit=100_000, amount=100_000)
    assert told(spent).fa.startswith("با ۱۰۰٬۰۰۰ ریال اعتبار ۱۰۰٬۰۰۰ ریال تخفیف گرفتید.")
    back = told(one_shard.hear(one_shard.transaction(
        "refund", GROCER, original=spent.command.body.name, amount_rial=50_000
    )))  # fmt: skip
    assert back.fa == (
        "برگشت ثبت شد؛ ۵۰٬۰۰۰ ریال اعتبار به حساب افزوده شد. مانده: ۱۵۰٬۰۰۰ ریال اعتبار."
    )
    assert [(m.movement, m.unit, m.amount) for m in back.moved] == [("restored", CR, 50_000)]


def test_a_debt_is_named_until_it_is_repaid(one_shard):  # newcomer, bug 14
    sold = one_shard.buy(award(300))
    one_shard.spend(250)
    back = told(one_shard.refund(sold))
    assert "۲۵۰ امتیاز پیش‌تر خرج شده و بدهی مشتری است" in back.fa
    assert back.balance is not None
    assert back.balance.debt_points == 250
    again = told(one_shard.buy(award(100)))
    assert again.fa == (
        "۱۰۰ امتیاز گرفتید؛ ۱۰۰ امتیاز بابت بدهی کم شد. مانده: ۰ امتیاز. بدهی: ۱۵۰ امتیاز."
    )
    assert [(one.movement, one.amount) for one in again.moved] == [("earned", 100), ("repaid", 100)]


def test_a_reversal_of_a_name_that_never_came_tells_no_balance(one_shard):  # newcomer, bug 13
    one_shard.buy(award(480))
    assert told(one_shard.reverse("t.3003.1.999", merchant=FLORIST)).balance is None


def test_a_credit_taken_back_with_its_sale_is_named(one_shard):  # newcomer, bug 15
    sold = one_shard.buy(award(200_000, unit=CR, cost_rial=200_000), award(10))
    back = told(one_shard.refund(sold))
    assert "۱۰ امتیاز و ۲۰۰٬۰۰۰ ریال اعتبار کم شد" in back.fa
