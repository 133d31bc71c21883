"""Tables of a wallet that a till tops up, and of the money that goes back (decision 0048)."""

import msgspec
import pytest

from contracts.pos import Answer
from contracts.values import Kind, Unit

from .one_shard import BAKER, FLORIST, GROCER, page, terms
from .value_examples import ValueExamples, said

pytestmark = pytest.mark.SH6


class Till(ValueExamples):
    """Top-ups at the grocer's till."""

    def top_up(self, rial, *, merchant=GROCER, **fields):
        return self.hear(self.transaction(Kind.TOP_UP, merchant, amount_rial=rial, **fields))

    def pay(self, rial, *, merchant=FLORIST):
        return self.hear(
            self.transaction(
                Kind.REDEMPTION, merchant, redemption=terms(0, credit=rial, fee_bp=0),
            )
        )  # fmt: skip


@pytest.fixture
def till():
    return Till()


def told(decision):
    return msgspec.json.decode(decision.answer, type=Answer)


def moves(decision):
    return [(one.movement.value, one.unit.value, one.amount) for one in told(decision).moved]


def test_money_becomes_credit_that_the_shops_party_owes(till):
    paid = till.top_up(500_000)
    assert page(paid) == [
        ("grocer", "issued", "CR", "", -500_000),
        ("member", "value", "CR", "", 500_000),
        ("grocer", "wallet", "IRR", "", -500_000),
        ("grocer", "cash", "IRR", "", 500_000),
    ]
    answer = told(paid)
    assert (answer.payable_rial, answer.points_earned) == (500_000, 0)
    assert answer.balance is not None
    assert answer.balance.credit_rial == 500_000
    assert moves(paid) == [("paid-in", "CR", 500_000)]
    assert answer.fa.startswith("۵۰۰٬۰۰۰ ریال اعتبار شارژ شد")
    assert answer.en.startswith("500,000 Rial of credit topped up.")
    spent = page(till.pay(200_000))
    assert ("grocer", "payable", "IRR", "florist", -200_000) in spent


def test_a_reversal_gives_the_money_back_once(till):
    paid = till.top_up(500_000)
    back = till.reverse(paid.command.name, merchant=GROCER)
    assert sorted(page(back)) == sorted(
        (who, role, unit, towards, -amount) for who, role, unit, towards, amount in page(paid)
    )
    assert moves(back) == [("taken-back", "CR", 500_000)]
    assert till.lots() == []
    again = till.reverse(paid.command.name, merchant=GROCER)
    assert said(again) == ("declined", "already-reversed")


def test_what_was_spent_of_it_is_owed_and_the_next_top_up_repays_it(till):
    paid = till.top_up(500_000)
    till.pay(200_000)
    back = till.reverse(paid.command.name, merchant=GROCER)
    assert moves(back) == [("taken-back", "CR", 300_000), ("owed", "CR", 200_000)]
    assert told(back).debt_rial == 200_000
    again = till.top_up(250_000)
    assert moves(again) == [("repaid", "CR", 200_000), ("paid-in", "CR", 250_000)]
    balance = told(again).balance
    assert balance is not None
    assert balance.credit_rial == 50_000


def test_a_reversal_that_came_first_refuses_the_top_up(till):
    late = till.transaction(Kind.TOP_UP, GROCER, amount_rial=500_000)
    assert said(till.reverse(late.name, merchant=GROCER)) == ("completed", "original-not-seen")
    assert msgspec.json.decode(till.tell(late).answer, type=Answer).code == (
        "reversed-before-arrival"
    )
    assert till.lots() == []


@pytest.mark.parametrize(
    ("code", "fields"),
    [
        ("nothing-to-top-up", {"rial": 0}),
        ("no-acceptor", {"acceptor": 0}),
        ("no-account", {"account": 0}),
    ],
)
def test_what_is_asked_for_wrongly_books_nothing(till, code, fields):
    refused = till.top_up(**({"rial": 1_000} | fields))
    assert (said(refused), page(refused)) == (("declined", code), [])


def test_a_top_up_is_neither_refunded_nor_reversed_by_another_shop(till):
    paid = till.top_up(500_000)
    assert said(till.refund(paid)) == ("declined", "not-refundable")
    assert said(till.reverse(paid.command.name, merchant=BAKER)) == ("declined", "another-merchant")
    assert [(x.unit, x.remaining) for x in till.member().lots.values()] == [(Unit.CREDIT, 500_000)]
