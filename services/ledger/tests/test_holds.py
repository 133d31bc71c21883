"""The accountant's tables of holds: reserved, captured, let go, fallen due; and who comes first."""

from datetime import timedelta

import msgspec
import pytest
from msgspec.structs import replace

from contracts.ledger import AdvanceClock
from contracts.value import HoldValue
from contracts.values import Kind, Status, Unit
from ledger.book import lots
from ledger.posting.decide import answers

from .one_shard import BAKER, FLORIST, GROCER, NETWORK, award, page
from .value_examples import ValueExamples, first_lot, said


@pytest.fixture
def one_shard():
    return ValueExamples()


def balance(one_shard):
    member = one_shard.member()
    return lots.balance(lots.effective(member.lots, member.holds, one_shard.at), now=one_shard.at)


def test_a_hold_reserves_named_lots_and_books_no_entries(one_shard):
    late = one_shard.buy(award(100))
    soon = one_shard.buy(award(50, expires_at=one_shard.at + timedelta(days=2)))
    hold = one_shard.hold(points=70)
    assert (page(hold), hold.rows) == ([], ())
    assert hold.holds == (
        (0, hold.sequence, first_lot(soon), 50, "held"),
        (1, hold.sequence, first_lot(late), 20, "held"),
    )
    assert one_shard.held() == [(100, 20), (50, 50)]
    told = balance(one_shard)
    assert (told.points, told.available_points, told.held_points) == (150, 80, 70)
    assert (told.expiring_points, told.expiring_at) == (0, None)


def test_six_holds_of_a_thousand_on_five_thousand_the_sixth_is_refused(one_shard):
    one_shard.buy(award(5_000))
    codes = [one_shard.hold(points=1_000).code for _ in range(6)]
    assert codes == ["", "", "", "", "", "insufficient-points"]
    assert said(one_shard.spend(1)) == ("declined", "insufficient-points")
    assert one_shard.held() == [(5_000, 5_000)]


def test_a_capture_in_part_books_a_redemption_and_lets_the_rest_go(one_shard):
    sold = one_shard.buy(award(100))
    hold = one_shard.hold(points=80)
    decision = one_shard.capture(hold, points=60, worth_rial=6_000, fee_bp=100)
    assert page(decision) == [
        ("member", "value", "NP", "", -60),
        ("baker", "redeemed", "NP", "", 60),
        ("baker", "payable", "IRR", "grocer", -6_000),
        ("grocer", "receivable", "IRR", "baker", 6_000),
        ("grocer", "payable", "IRR", "network", -60),
        ("network", "fee", "IRR", "grocer", 60),
    ]
    assert decision.holds == (
        (0, hold.sequence, first_lot(sold), 60, "captured"),
        (1, hold.sequence, first_lot(sold), 20, "released"),
    )
    assert [(row.acceptor, row.merchant) for row in decision.rows] == [(GROCER, GROCER)]
    assert answers.outcomes(decision)[0].acceptor == GROCER
    assert one_shard.held() == [(40, 0)]
    assert one_shard.member().holds == {}


def test_a_capture_takes_of_each_unit_up_to_what_is_held(one_shard):
    one_shard.buy(award(100))
    one_shard.issue(900, unit=Unit.CREDIT, issuer=NETWORK)
    one_shard.issue(30, unit=Unit.MERCHANT_POINTS, issuer=GROCER)
    one_shard.issue(500, unit=Unit.GIFT, issuer=FLORIST)
    hold = one_shard.hold(points=10, credit_rial=200, merchant_points=30, gift_rial=400)
    assert one_shard.held() == [(100, 10), (900, 200), (30, 30), (500, 400)]
    told = balance(one_shard)
    assert (told.credit_rial, told.held_credit_rial) == (700, 200)
    assert (told.gift_rial, told.held_gift_rial) == (100, 400)
    assert said(one_shard.capture(hold, points=11)) == ("declined", "capture-too-large")
    assert said(one_shard.capture(hold, gift_rial=401)) == ("declined", "capture-too-large")
    assert said(one_shard.capture(hold)) == ("declined", "nothing-to-redeem")
    much = one_shard.capture(hold, points=1, worth_rial=200)
    assert said(much) == ("declined", "own-discount-too-large")
    assert one_shard.held() == [(100, 10), (900, 200), (30, 30), (500, 400)]
    assert one_shard.capture(hold, points=1, gift_rial=400).status is Status.COMPLETED
    assert one_shard.held() == [(99, 0), (900, 0), (30, 0), (100, 0)]


def test_a_void_gives_the_very_lots_back_and_a_debt_is_paid_from_them(one_shard):
    sold = one_shard.buy(award(100))
    hold = one_shard.hold(points=100)
    refund = one_shard.refund(sold)
    assert page(refund) == [
        ("member", "debt", "NP", "baker", -100),
        ("baker", "issued", "NP", "", 100),
    ]
    void = one_shard.void(hold)
    assert void.holds == ((0, hold.sequence, first_lot(sold), 100, "released"),)
    assert page(void) == [
        ("member", "value", "NP", "", -100),
        ("member", "debt", "NP", "baker", 100),
    ]


@pytest.mark.parametrize("first", ["capture", "void", "due"])
@pytest.mark.parametrize("second", ["capture", "void", "due"])
def test_of_two_resolutions_the_first_wins_and_the_other_is_told(one_shard, first, second):
    sold = one_shard.buy(award(100))
    hold = one_shard.hold(points=80)
    ways = {
        "capture": lambda: one_shard.capture(hold, points=80),
        "void": lambda: one_shard.void(hold),
        "due": lambda: one_shard.fall_due(hold),
    }
    if first == "due":
        one_shard.later(hours=1)
    told = {"capture": "hold-captured", "void": "hold-voided", "due": "hold-due"}
    assert said(ways[first]()) == ("completed", "")
    refused = ways[second]()
    if second == "due":
        assert said(refused) == ("completed", "nothing-left")
    else:
        assert said(refused) == ("declined", told[first])
    assert refused.holds == ()
    assert one_shard.held() == [(20 if first == "capture" else 100, 0)]
    assert first_lot(sold) in one_shard.member().lots


def test_a_due_hold_reads_as_released_before_anyone_books_it(one_shard):
    sold = one_shard.buy(award(100))
    hold = one_shard.hold(points=80, hours=1)
    before = one_shard.ask()
    assert (before.balance.available_points, before.redeemable_points) == (20, 20)
    one_shard.later(hours=1)
    after = one_shard.ask()
    assert (after.balance.available_points, after.balance.held_points) == (100, 0)
    assert said(one_shard.capture(hold, points=1)) == ("declined", "hold-due")
    assert said(one_shard.void(hold)) == ("declined", "hold-due")
    declined = one_shard.spend(101)
    answer = msgspec.json.decode(declined.answer)
    assert answer["balance"]["available_points"] == 100
    assert declined.holds == ()
    assert one_shard.held() == [(100, 80)]
    spent = one_shard.spend(90)
    assert spent.holds == ((0, hold.sequence, first_lot(sold), 80, "due"),)
    assert one_shard.held() == [(10, 0)]
    assert said(one_shard.fall_due(hold)) == ("completed", "nothing-left")


def test_the_sweep_books_a_due_hold_and_no_other(one_shard):
    sold = one_shard.buy(award(100))
    hold, other = one_shard.hold(points=10, hours=2), one_shard.hold(points=20, hours=2)
    assert said(one_shard.fall_due(hold)) == ("declined", "hold-not-due")
    one_shard.later(hours=1, minutes=56)
    booked = one_shard.fall_due(hold)
    assert booked.holds == ((0, hold.sequence, first_lot(sold), 10, "due"),)
    assert one_shard.held() == [(100, 20)]
    assert one_shard.fall_due(hold).holds == ((0, other.sequence, first_lot(sold), 20, "due"),)


def test_time_alone_falls_due_for_a_tick_too(one_shard):
    one_shard.buy(award(100))
    hold = one_shard.hold(points=10, hours=1)
    one_shard.later(hours=1)
    assert one_shard.hear(AdvanceClock(name="k.1")).holds == ()
    assert said(one_shard.void(hold)) == ("declined", "hold-due")


def test_a_held_lot_does_not_expire_and_its_capture_is_valid_past_its_date(one_shard):
    sold = one_shard.buy(award(100, expires_at=one_shard.at + timedelta(hours=1)))
    hold = one_shard.hold(points=60, hours=5)
    one_shard.later(hours=2)
    told = balance(one_shard)
    assert (told.points, told.available_points, told.held_points) == (60, 0, 60)
    lot = first_lot(sold)
    assert page(one_shard.expire(lot)) == [
        ("member", "value", "NP", "", -40),
        ("baker", "expired", "NP", "", 40),
    ]
    assert said(one_shard.expire(lot)) == ("completed", "lot-held")
    assert said(one_shard.spend(1)) == ("declined", "insufficient-points")
    taken = page(one_shard.capture(hold, points=50, worth_rial=5_000))
    assert taken[:2] == [("member", "value", "NP", "", -50), ("baker", "redeemed", "NP", "", 50)]
    assert taken[-2:] == [  # what was not captured
        ("member", "value", "NP", "", -10), ("baker", "expired", "NP", "", 10),
    ]  # fmt: skip
    assert said(one_shard.spend(1)) == ("declined", "insufficient-points")
    assert said(one_shard.expire(lot)) == ("completed", "nothing-left")


def test_a_voided_lot_past_its_date_expires_with_the_void(one_shard):
    sold = one_shard.buy(award(100, expires_at=one_shard.at + timedelta(hours=1)))
    hold = one_shard.hold(points=100, hours=5)
    one_shard.later(hours=2)
    assert page(one_shard.void(hold)) == [
        ("member", "value", "NP", "", -100), ("baker", "expired", "NP", "", 100),
    ]  # fmt: skip
    assert balance(one_shard).points == 0
    assert said(one_shard.hold(points=1)) == ("declined", "insufficient-points")
    assert said(one_shard.expire(first_lot(sold))) == ("completed", "nothing-left")


def test_a_capture_is_refunded_like_a_redemption_and_reversed_once(one_shard):
    one_shard.buy(award(100))
    hold = one_shard.hold(points=80)
    captured = one_shard.capture(hold, points=60, worth_rial=6_000, fee_bp=100)
    wrong = one_shard.hear(
        one_shard.transaction(
            Kind.REFUND, BAKER, original=captured.command.name, account=0, amount_rial=0
        )
    )
    assert said(wrong) == ("declined", "another-merchant")
    back = one_shard.hear(
        one_shard.transaction(
            Kind.REFUND, GROCER, original=captured.command.name, account=0, amount_rial=2_000
        )
    )
    assert page(back) == [
        ("member", "value", "NP", "", 20),
        ("baker", "redeemed", "NP", "", -20),
        ("baker", "payable", "IRR", "grocer", 2_000),
        ("grocer", "receivable", "IRR", "baker", -2_000),
        ("grocer", "payable", "IRR", "network", 20),
        ("network", "fee", "IRR", "grocer", -20),
    ]
    assert said(one_shard.reverse(captured.command.name, merchant=GROCER)) == ("completed", "")
    assert one_shard.held() == [(100, 0)]
    assert said(one_shard.reverse(captured.command.name, merchant=GROCER))[1] == "already-reversed"
    assert said(one_shard.reverse(hold.command.name, merchant=GROCER))[1] == "not-refundable"


def test_only_a_hold_that_was_placed_can_be_resolved(one_shard):
    sale = one_shard.buy(award(10))
    assert said(one_shard.void(sale)) == ("declined", "not-a-hold")
    assert said(one_shard.capture(sale, points=1)) == ("declined", "not-a-hold")
    refused = one_shard.hold(points=11)
    assert said(one_shard.void(refused)) == ("declined", "original-not-completed")
    unknown = replace(refused.command.body, name="t.1.1.99")
    assert said(
        one_shard.void(replace(refused, command=replace(refused.command, name=unknown.name)))
    )[1] == ("unknown-original")
    lost = one_shard.capture(refused, points=1)
    assert said(lost) == ("declined", "original-not-completed")
    assert said(one_shard.reverse(lost.command.name))[1] == "nothing-to-reverse"
    body = one_shard.transaction(Kind.REFUND, GROCER, original=lost.command.name, amount_rial=0)
    assert said(one_shard.hear(body)) == ("declined", "original-not-completed")


def test_a_hold_that_begins_due_or_holds_nothing_is_refused(one_shard):
    one_shard.buy(award(10))
    assert said(one_shard.hold(points=1, hours=0)) == ("declined", "due-too-early")
    assert said(one_shard.hold()) == ("declined", "nothing-to-redeem")
    assert said(one_shard.hold(merchant=0, merchant_points=1)) == ("declined", "no-acceptor")
    assert said(one_shard.hold(merchant=0, points=1)) == ("completed", "")


def test_nothing_takes_what_a_hold_has(one_shard):
    issued = one_shard.issue(100, expires_at=one_shard.at + timedelta(days=9))
    hold = one_shard.hold(points=70)
    assert page(one_shard.take_back(issued)) == [
        ("baker", "issued", "NP", "", 30),
        ("member", "value", "NP", "", -30),
    ]
    assert said(one_shard.take_back(issued)) == ("completed", "nothing-left")
    assert said(one_shard.adjust(1, take=True)) == ("declined", "insufficient-value")
    one_shard.void(hold)
    assert one_shard.held() == [(70, 0)]


def test_a_hold_named_twice_is_one_hold(one_shard):
    one_shard.buy(award(100))
    hold = one_shard.hold(points=60)
    body = hold.command.body
    assert isinstance(body, HoldValue)
    assert one_shard.tell(body).verdict.value == "repeated"
    assert one_shard.held() == [(100, 60)]
