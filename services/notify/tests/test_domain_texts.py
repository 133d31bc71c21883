"""The words members read, what they cost, and where their numbers come from."""

import string
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.members import IdentifierKind
from contracts.pos import Answer, Balance
from contracts.values import Kind, Status, Unit
from notify.sms_queue import domain as messages
from notify.templates.domain import facts, segments, texts
from notify.templates.domain.facts import Amounts, Facts, IdentifierLabel
from notify.templates.domain.texts import Locale, Template

pytestmark = pytest.mark.NH16

NOON = datetime(2026, 3, 21, 8, 0, tzinfo=UTC)  # 11:30 in Tehran, the first of the year
FULL = Facts(
    kind=Kind.REFUND,
    shop_fa="کتاب‌سرای پویا",
    shop_en="Pouya Bookshop",
    amount_rial=12_500_000,
    discount_rial=55_000,
    credited=Amounts(points=1_250, credit_rial=500_000),
    spent=Amounts(points=100, own_points=7, credit_rial=45_000, gift_rial=30),
    revoked=Amounts(points=1_250, credit_rial=200_000),
    restored=Amounts(points=30, credit_rial=50_000, gift_rial=10),
    repaid=Amounts(points=100),
    debt_points=70,
    ends_on=date(2026, 1, 28),
    ending_points=12,
    ending_on=date(2026, 3, 20),
    balance_points=12_345,
    balance_credit_rial=990,
    identifiers=(
        IdentifierLabel(IdentifierKind.CARD, "5670"),
        IdentifierLabel(IdentifierKind.QR, "x-_9"),
    ),
    changed_at=NOON,
)
SHOP: dict[str, Any] = {"shop_fa": "سوپر نگین", "shop_en": "Super Negin"}

# template, facts, Persian, its segments, English, its segments (footers not shown)
TEXTS: list[tuple[Template, dict[str, Any], str, int, str, int]] = [
    (
        Template.RECEIPT_PURCHASE,
        {"amount_rial": 2_500_000, "credited": Amounts(points=250), "balance_points": 1_250},
        "پیوند، سوپر نگین: ۲۵۰ امتیاز گرفتید؛ مانده ۱٬۲۵۰ امتیاز", 1,
        "Peyvand, Super Negin: 250 points earned; balance 1,250 points", 1,
    ),
    (
        Template.RECEIPT_PURCHASE,
        {"amount_rial": 15, "balance_points": 7},
        "پیوند، سوپر نگین: خرید ۱۵ ریال امتیازی نداشت؛ مانده ۷ امتیاز", 1,
        "Peyvand, Super Negin: your sale of 15 Rial earned no points; balance 7 points", 1,
    ),
    (
        Template.RECEIPT_PURCHASE,
        {"credited": Amounts(points=3), "pending": True, "balance_points": 7},
        "پیوند، سوپر نگین: ۳ امتیاز در انتظار بررسی است؛ مانده ۷ امتیاز", 1,
        "Peyvand, Super Negin: 3 points under review; balance 7 points", 1,
    ),
    (
        Template.RECEIPT_PURCHASE,  # the debt of an earlier refund
        {"credited": Amounts(points=100), "repaid": Amounts(points=100), "balance_points": 0},
        "پیوند، سوپر نگین: ۱۰۰ امتیاز گرفتید؛ ۱۰۰ امتیاز بابت بدهی قبلی کم شد؛ مانده ۰ امتیاز", 2,
        "Peyvand, Super Negin: 100 points earned; 100 points went to an old debt;"
        " balance 0 points", 1,
    ),
    (
        Template.RECEIPT_PURCHASE,
        {"credited": Amounts(points=1), "balance_points": 90, "ending_points": 40,
         "ending_on": date(2026, 1, 28)},
        "پیوند، سوپر نگین: ۱ امتیاز گرفتید؛ مانده ۹۰ امتیاز؛ ۴۰ امتیاز تا ۸ بهمن مهلت دارد", 2,
        "Peyvand, Super Negin: 1 points earned; balance 90 points; 40 points end after 8 Bahman", 1,
    ),
    (
        Template.VALUE_SPENT,
        {"spent": Amounts(points=100), "discount_rial": 10_000, "balance_points": 20},
        "پیوند، سوپر نگین: با ۱۰۰ امتیاز، ۱٬۰۰۰ تومان تخفیف گرفتید؛ مانده ۲۰ امتیاز", 2,
        "Peyvand, Super Negin: 1,000 Toman off for 100 points; balance 20 points", 1,
    ),
    (
        Template.VALUE_SPENT,
        {"spent": Amounts(credit_rial=200_000), "discount_rial": 200_000, "balance_points": 5,
         "credited": Amounts(points=3)},
        "پیوند، سوپر نگین: با ۲۰٬۰۰۰ تومان اعتبار، ۲۰٬۰۰۰ تومان تخفیف گرفتید؛ ۳ امتیاز گرفتید؛"
        " مانده ۵ امتیاز و ۰ تومان اعتبار", 2,
        "Peyvand, Super Negin: 20,000 Toman off for 20,000 Toman credit; 3 points earned;"
        " balance 5 points and 0 Toman credit", 1,
    ),
    (
        Template.RECEIPT_REFUND,
        {"kind": Kind.REFUND, "revoked": Amounts(points=80), "balance_points": 20},
        "پیوند، سوپر نگین: خرید برگشت داده شد؛ ۸۰ امتیاز آن کم شد؛ مانده ۲۰ امتیاز", 2,
        "Peyvand, Super Negin: sale refunded; 80 points taken back; balance 20 points", 1,
    ),
    (
        Template.RECEIPT_REFUND,  # F12: 100,000 Rial of credit spent, half of the sale refunded
        {"kind": Kind.REFUND, "restored": Amounts(credit_rial=50_000), "balance_points": 430,
         "balance_credit_rial": 50_000},
        "پیوند، سوپر نگین: خرید برگشت داده شد؛ ۵٬۰۰۰ تومان اعتبار به شما بازگشت؛"
        " مانده ۴۳۰ امتیاز و ۵٬۰۰۰ تومان اعتبار", 2,
        "Peyvand, Super Negin: sale refunded; 5,000 Toman credit returned to you;"
        " balance 430 points and 5,000 Toman credit", 1,
    ),
    (
        Template.RECEIPT_REFUND,
        {"kind": Kind.REVERSAL, "revoked": Amounts(points=50), "debt_points": 100},
        "پیوند، سوپر نگین: خرید لغو شد؛ ۵۰ امتیاز آن کم شد؛ ۱۰۰ امتیاز بدهکارید؛ مانده ۰ امتیاز", 2,
        "Peyvand, Super Negin: sale reversed; 50 points taken back; you owe 100 points;"
        " balance 0 points", 1,
    ),
    (
        Template.WALLET_TOPPED_UP,
        {"credited": Amounts(credit_rial=500_000), "balance_credit_rial": 700_000},
        "پیوند، سوپر نگین: ۵۰٬۰۰۰ تومان اعتبار به کیف پول شما افزوده شد؛"
        " مانده ۰ امتیاز و ۷۰٬۰۰۰ تومان اعتبار", 2,
        "Peyvand, Super Negin: 50,000 Toman credit added to your wallet;"
        " balance 0 points and 70,000 Toman credit", 1,
    ),
    (
        Template.WALLET_GIVEN_BACK,
        {"revoked": Amounts(credit_rial=500_000), "balance_points": 20},
        "پیوند، سوپر نگین: شارژ کیف پول لغو شد؛ ۵۰٬۰۰۰ تومان اعتبار کم شد؛"
        " مانده ۲۰ امتیاز و ۰ تومان اعتبار", 2,
        "Peyvand, Super Negin: the top-up of your wallet was cancelled;"
        " 50,000 Toman credit taken back; balance 20 points and 0 Toman credit", 1,
    ),
    (
        Template.FIRST_PURCHASE,
        {"shop_fa": "", "shop_en": "", "credited": Amounts(credit_rial=200_000),
         "ends_on": date(2026, 1, 28)},
        "پیوند: ۲۰٬۰۰۰ تومان اعتبار هدیه گرفتید؛ تا ۸ بهمن خرج کنید", 1,
        "Peyvand: 20,000 Toman gift credit for you; spend it by 8 Bahman", 1,
    ),
    (
        Template.CREDIT_RETURNED,
        {"shop_fa": "", "shop_en": "", "revoked": Amounts(credit_rial=200_000)},
        "پیوند: نخستین خرید برگشت داده شد و ۲۰٬۰۰۰ تومان اعتبار هدیهٔ آن پس گرفته شد", 2,
        "Peyvand: your first purchase was refunded, so its gift of 20,000 Toman credit was taken"
        " back", 1,
    ),
    (
        Template.POINTS_RELEASED,
        {"shop_fa": "", "shop_en": "", "balance_points": 12_345},
        "پیوند: امتیاز در انتظار بررسی تأیید شد؛ مانده ۱۲٬۳۴۵ امتیاز", 1,
        "Peyvand: your points under review were approved; balance 12,345 points", 1,
    ),
    (
        Template.POINTS_CANCELLED,
        {"shop_fa": "", "shop_en": "", "revoked": Amounts(points=50), "balance_points": 1},
        "پیوند: ۵۰ امتیاز در بررسی امنیتی تأیید نشد؛ مانده ۱ امتیاز؛"
        " پشتیبانی: ۰۲۱۱۲۳۴", 2,
        "Peyvand: 50 points under a security review were not approved; balance 1 points;"
        " questions: 0211234", 1,
    ),
    (
        Template.IDENTIFIER_ADDED,
        {"identifiers": (IdentifierLabel(IdentifierKind.CARD, "5670"),), "changed_at": NOON},
        "پیوند، سوپر نگین: کارت …۵۶۷۰ در ۱ فروردین ساعت ۱۱:۳۰ به حساب شما افزوده شد؛"
        " اگر کار شما نیست با ۰۲۱۱۲۳۴ تماس بگیرید", 2,
        "Peyvand, Super Negin: card ending 5670 added to your account on 1 Farvardin at 11:30;"
        " if this was not you, call 0211234", 1,
    ),
    (
        Template.IDENTIFIER_ADDED,
        {"shop_fa": "", "shop_en": "", "changed_at": NOON,
         "identifiers": (IdentifierLabel(IdentifierKind.MOBILE, "4567"),
                         IdentifierLabel(IdentifierKind.QR, "x-_9"))},
        "پیوند: شمارهٔ همراه …۴۵۶۷ و کارت مجازی در ۱ فروردین ساعت ۱۱:۳۰ به حساب شما افزوده شد؛"
        " اگر کار شما نیست با ۰۲۱۱۲۳۴ تماس بگیرید", 2,
        "Peyvand: mobile ending 4567 and virtual card added to your account on 1 Farvardin at"
        " 11:30; if this was not you, call 0211234", 1,
    ),
    (
        Template.IDENTIFIER_SHOWN,
        {"identifiers": (IdentifierLabel(IdentifierKind.QR, "x-_9"),), "changed_at": NOON},
        "پیوند، سوپر نگین: کارت مجازی در ۱ فروردین ساعت ۱۱:۳۰ برای حساب شما دوباره نمایش داده شد؛"
        " اگر کار شما نیست با ۰۲۱۱۲۳۴ تماس بگیرید", 2,
        "Peyvand, Super Negin: virtual card shown again on 1 Farvardin at 11:30;"
        " if this was not you, call 0211234", 1,
    ),
    (
        Template.IDENTIFIER_MOVED,
        {"identifiers": (IdentifierLabel(IdentifierKind.CARD, "5670"),), "changed_at": NOON},
        "پیوند، سوپر نگین: کارت …۵۶۷۰ در ۱ فروردین ساعت ۱۱:۳۰ از حساب شما به حساب دیگری رفت؛"
        " اگر کار شما نیست با ۰۲۱۱۲۳۴ تماس بگیرید", 2,
        "Peyvand, Super Negin: card ending 5670 moved to another account on 1 Farvardin at 11:30;"
        " if this was not you, call 0211234", 1,
    ),
]  # fmt: skip


@pytest.mark.parametrize(("template", "fields", "fa", "fa_segments", "en", "en_segments"), TEXTS)
def test_the_texts_and_their_segments(
    template: Template, fields: dict[str, Any], fa: str, fa_segments: int, en: str, en_segments: int
) -> None:
    of_outcome = Facts(**(SHOP | fields))
    persian = texts.render(template, Locale.FA, of_outcome, support="0211234")
    english = texts.render(template, Locale.EN, of_outcome, support="0211234")
    assert persian == fa + "\nلغو۱۱"
    assert english == en + "\nStop 11"
    assert (segments.measure(persian).segments, segments.measure(english).segments) == (
        fa_segments,
        en_segments,
    )


@pytest.mark.parametrize("template", list(Template))
def test_every_text_ends_with_the_way_out_in_its_own_digits_and_alphabet(
    template: Template,
) -> None:
    persian = texts.render(template, Locale.FA, FULL, support="0211234")
    english = texts.render(template, Locale.EN, FULL, support="0211234")
    assert persian.endswith(texts.FOOTER_FA)
    assert english.endswith(texts.FOOTER_EN)
    assert not any(c in string.digits + string.ascii_letters for c in persian)
    assert not segments.measure(english).ucs2
    for text in (persian, english):
        assert "http" not in text
        assert len(text) <= 900
        assert segments.measure(text).segments <= 5  # all that can happen at once


@given(
    st.builds(
        Amounts,
        points=st.integers(0, 2),
        own_points=st.integers(0, 2),
        credit_rial=st.integers(0, 2),
        gift_rial=st.integers(0, 2),
    ).filter(bool),
    st.sampled_from(["spent", "revoked", "restored"]),
)
def test_every_unit_that_moved_is_named_and_nothing_that_is_zero(
    value: Amounts, moved: str
) -> None:
    template = Template.VALUE_SPENT if moved == "spent" else Template.RECEIPT_REFUND
    fields: dict[str, Any] = {moved: value}
    refund = Facts(**fields)
    unit_words = {"points": "امتیاز", "own_points": "امتیاز فروشگاه", "gift_rial": "کارت هدیه"}
    text = texts.render(template, Locale.FA, refund).replace("مانده ۰ امتیاز", "")
    for unit, word in unit_words.items():
        if getattr(value, unit) or (unit == "points" and value.own_points):
            assert word in text
        else:
            assert word not in text
    assert ("اعتبار" in text) is bool(value.credit_rial)


def test_a_shop_whose_english_name_would_make_every_letter_cost_double_is_left_out() -> None:
    sale = Facts(shop_fa="گل", shop_en="Gol گل", credited=Amounts(points=1))
    english = texts.render(Template.RECEIPT_PURCHASE, Locale.EN, sale)
    assert english == "Peyvand: 1 points earned; balance 0 points\nStop 11"
    long = Facts(shop_fa="ف" * 200, credited=Amounts(points=1))
    assert texts.render(Template.RECEIPT_PURCHASE, Locale.FA, long).count("ف") < 30


# ------------------------------------------------------------------------------- where from

NOW = datetime(2026, 3, 21, 8, 0, tzinfo=UTC)


def answer(**changes: Any) -> msgspec.Raw:
    balance = Balance(
        points=90, available_points=90, pending_points=0, credit_rial=0,
        expiring_points=40, expiring_at=NOW + timedelta(days=20),
    )  # fmt: skip
    fields = {
        "id": "3.t.7.1.1", "kind": Kind.REFUND, "status": Status.COMPLETED, "occurred_at": NOW,
        "accepted_at": NOW, "discount_rial": 700, "debt_points": 70, "balance": balance,
    }  # fmt: skip
    return msgspec.Raw(msgspec.json.encode(Answer(**(fields | changes))))


def test_the_numbers_come_from_lots_moves_and_the_answer(samples: Any, make: Any) -> None:
    moves = [
        make.move("redeemed", 7), make.move("redeemed", 2), make.move("redeemed", 50, Unit.CREDIT),
        make.move("redeemed", 6, Unit.GIFT), make.move("repaid", 4), make.move("clawed-back", 3),
        make.move("cancelled", 1), make.move("restored", 8, Unit.CREDIT),
        make.move("restored", 9, Unit.MERCHANT_POINTS), make.move("expired", 99),
    ]  # fmt: skip
    lots = (make.lot(10), make.lot(5), make.lot(900, Unit.CREDIT))
    outcome = samples.outcome(
        9, moves=tuple(moves), lots=lots, status=Status.UNDER_REVIEW, answer=answer()
    )
    row = facts.facts_of(outcome)
    assert row.credited == Amounts(points=15, credit_rial=900)
    assert row.spent == Amounts(points=9, credit_rial=50, gift_rial=6)
    assert row.revoked == Amounts(points=4)
    assert row.restored == Amounts(own_points=9, credit_rial=8)
    assert row.repaid == Amounts(points=4)
    assert (row.pending, row.debt_points, row.discount_rial) == (True, 70, 700)
    assert (row.ending_points, row.ending_on) == (40, date(2026, 4, 10))


@pytest.mark.parametrize("raw", [b"null", b"[]", b"{}", b'{"id": 5}'])
def test_an_answer_that_is_none_or_cannot_be_read_costs_only_its_own_numbers(
    samples: Any, make: Any, raw: bytes
) -> None:
    row = facts.facts_of(samples.outcome(9, lots=(make.lot(10),), answer=msgspec.Raw(raw)))
    assert (row.credited.points, row.debt_points, row.ending_on) == (10, 0, None)


def test_points_that_end_in_months_are_not_named(samples: Any) -> None:
    late = Balance(
        points=9, available_points=9, pending_points=0, credit_rial=0, expiring_points=9,
        expiring_at=NOW + timedelta(days=31),
    )  # fmt: skip
    assert facts.facts_of(samples.outcome(9, answer=answer(balance=late))).ending_on is None


def test_a_row_that_waited_for_its_contact_keeps_its_facts(samples: Any, make: Any) -> None:
    draft = messages.draft_of(3, samples.first_purchase(9))
    assert draft is not None
    kept = msgspec.json.decode(msgspec.json.encode(FULL), type=Facts)
    assert kept == FULL
    assert messages.with_titles(draft, {5: ("نان", "Bread")}).facts.shop_fa == ""
