"""The accountant's tables of authorisations: reserved, captured by the sale, freed (0050)."""

from datetime import timedelta

import msgspec
import pytest

from contracts.pos import Answer
from contracts.values import Kind

from .one_shard import ACCOUNT, BAKER, FLORIST, GROCER, OneShard, award, page, terms
from .value_examples import ValueExamples, said


class Till(ValueExamples):
    """Authorisations of the grocer's till, and what becomes of them."""

    def authorise(self, points, *, minutes=15, amount=1_000_000, **given):
        return self.hear(
            self.transaction(
                Kind.AUTHORISATION, GROCER, amount_rial=amount, redemption=terms(points, **given),
                due_at=self.at + timedelta(minutes=minutes + 1),
            )
        )  # fmt: skip

    def sell(self, held, points, *awards, merchant=GROCER, amount=1_000_000, account=ACCOUNT):
        return self.hear(
            self.transaction(
                Kind.CAPTURE, merchant, original=held.command.name, redemption=terms(points),
                awards=awards, amount_rial=amount, account=account,
            )
        )  # fmt: skip

    def undo(self, held, kind=Kind.VOID, merchant=GROCER, **fields):
        given = {"account": 0, "amount_rial": 0, "original": held.command.name}
        return self.hear(self.transaction(kind, merchant, **(given | fields)))


@pytest.fixture
def till():
    made = Till()
    made.buy(award(100))
    return made


def told(decision):
    return msgspec.json.decode(decision.answer, type=Answer)


def moves(decision):
    return [(one.movement.value, one.amount) for one in told(decision).moved]


def test_an_authorisation_reserves_and_books_nothing(till):
    held = till.authorise(80)
    answer = told(held)
    assert (page(held), held.rows, held.opened) == ([], (), ())
    assert (answer.points_redeemed, answer.discount_rial, answer.payable_rial) == (
        0,
        8_000,
        992_000,
    )
    assert answer.due_at == held.decided_at + timedelta(minutes=15)
    assert answer.balance is not None
    assert (answer.balance.available_points, answer.balance.held_points) == (20, 80)
    assert moves(held) == [("authorised", 80)]
    assert said(till.authorise(21)) == ("declined", "insufficient-points")
    assert said(till.spend(21)) == ("declined", "insufficient-points")


def test_a_capture_is_the_sale_and_frees_the_rest(till):
    held = till.authorise(80)
    sold = till.sell(held, 60, award(7, issuer=GROCER))
    assert page(sold) == [
        ("member", "value", "NP", "", -60),
        ("baker", "redeemed", "NP", "", 60),
        ("baker", "payable", "IRR", "grocer", -6_000),
        ("grocer", "receivable", "IRR", "baker", 6_000),
        ("grocer", "payable", "IRR", "network", -60),
        ("network", "fee", "IRR", "grocer", 60),
        ("grocer", "issued", "NP", "", -7),
        ("member", "value", "NP", "", 7),
    ]
    answer = told(sold)
    assert (answer.points_redeemed, answer.points_earned) == (60, 7)
    assert (answer.discount_rial, answer.payable_rial) == (6_000, 994_000)
    assert moves(sold) == [("earned", 7), ("spent", 60), ("released", 20)]
    assert till.held() == [(40, 0), (7, 0)]
    assert said(till.sell(held, 10)) == ("declined", "hold-captured")
    assert said(till.undo(held)) == ("declined", "hold-captured")


def test_a_capture_gets_what_was_reserved_though_its_lot_has_expired(till):
    soon = till.at + timedelta(minutes=10)
    till.buy(award(50, expires_at=soon))
    held = till.authorise(50, minutes=60)
    till.later(minutes=20)
    assert said(till.sell(held, 50)) == ("completed", "")
    assert till.held() == [(100, 0)]


@pytest.mark.parametrize("kind", [Kind.VOID, Kind.REVERSAL])
def test_a_void_frees_all_and_a_second_one_is_no_error(till, kind):
    held = till.authorise(80)
    freed = till.undo(held, kind)
    assert (said(freed), moves(freed), page(freed)) == (("completed", ""), [("released", 80)], [])
    again = till.undo(held, kind)
    assert (said(again), moves(again)) == (("completed", "hold-voided"), [])
    assert said(till.sell(held, 80)) == ("declined", "hold-voided")
    assert till.held() == [(100, 0)]


def test_what_fell_due_is_free_by_itself_and_cannot_be_captured(till):
    held = till.authorise(80, minutes=15)
    till.later(minutes=20)
    assert said(till.sell(held, 80)) == ("declined", "hold-due")
    assert said(till.undo(held)) == ("completed", "hold-due")
    assert till.held() == [(100, 0)]


def test_a_reversal_that_came_first_refuses_the_authorisation(till):
    late = till.transaction(
        Kind.AUTHORISATION, GROCER, redemption=terms(80), due_at=till.at + timedelta(hours=1)
    )
    assert said(till.reverse(late.name, merchant=GROCER)) == ("completed", "original-not-seen")
    known = msgspec.json.decode(till.tell(late).answer, type=Answer)
    assert (known.status.value, known.code) == ("declined", "reversed-before-arrival")
    assert till.held() == [(100, 0)]


def test_only_the_same_person_at_the_same_merchant_captures_or_voids(till):
    held = till.authorise(80)
    for code, fields in (
        ("another-account", {"account": ACCOUNT + 1}),
        ("another-merchant", {"merchant": FLORIST}),
        ("no-account", {"account": 0}),
    ):
        assert said(till.sell(held, 80, **fields)) == ("declined", code)
    assert said(till.undo(held, account=ACCOUNT + 1)) == ("declined", "another-account")
    assert said(till.undo(held, shown=77)) == ("declined", "another-account")
    assert said(till.undo(held, merchant=FLORIST)) == ("declined", "another-merchant")
    assert till.held() == [(100, 80)]


def test_what_is_asked_for_wrongly_leaves_the_hold_standing(till):
    held = till.authorise(80)
    bought = till.buy(award(3))
    assert said(till.sell(held, 81)) == ("declined", "capture-too-large")
    assert said(till.sell(held, 80, amount=7_999)) == ("declined", "more-than-the-basket")
    assert said(till.sell(held, 0)) == ("declined", "nothing-to-redeem")
    assert said(till.sell(bought, 10)) == ("declined", "not-a-hold")
    assert said(till.undo(bought)) == ("declined", "not-a-hold")
    declined = till.authorise(10**6)
    assert said(till.sell(declined, 1)) == ("declined", "original-not-completed")
    assert said(till.undo(declined)) == ("completed", "nothing-to-reverse")
    assert till.held() == [(100, 80), (3, 0)]
    assert said(till.sell(held, 80)) == ("completed", "")


def test_times_before_the_beginning_and_beyond_thirty_days_are_declined(till):
    assert said(till.authorise(1, minutes=-1)) == ("declined", "due-too-early")
    assert said(till.authorise(1, minutes=60 * 24 * 31)) == ("declined", "due-too-late")


def test_a_capture_is_refunded_like_any_sale_and_its_authorisation_is_not(till):
    held = till.authorise(80)
    sold = till.sell(held, 60, award(10, issuer=GROCER))
    assert said(till.refund(held)) == ("declined", "not-refundable")
    half = till.refund(sold, amount_rial=500_000)
    assert moves(half) == [("restored", 30), ("taken-back", 5)]
    rest = till.reverse(sold.command.name, merchant=GROCER)
    assert moves(rest) == [("restored", 30), ("taken-back", 5)]
    assert till.held() == [(100, 0)]
    assert said(till.reverse(sold.command.name, merchant=GROCER)) == (
        "declined", "already-reversed",
    )  # fmt: skip


def test_a_capture_under_review_keeps_its_earning_pending(till):
    held = till.authorise(80)
    sold = till.hear(
        till.transaction(
            Kind.CAPTURE, GROCER, original=held.command.name, redemption=terms(80),
            awards=(award(9, issuer=BAKER),), review_due_at=till.at + timedelta(hours=72),
        )
    )  # fmt: skip
    assert (said(sold), told(sold).points_pending) == (("held", ""), 9)


def test_a_cashier_reads_until_when_and_how_much(till):
    held = till.authorise(80)
    assert told(held).fa.startswith("۸۰ امتیاز تا ساعت ")
    assert "نگه داشته شد" in told(held).fa
    assert told(held).en.startswith("80 points held until ")
    assert told(till.undo(held)).en.startswith("Void booked; 80 points free again.")
    assert OneShard().hear(till.transaction(Kind.VOID, GROCER, original="t.1.1.1")).code == (
        "unknown-original"
    )
