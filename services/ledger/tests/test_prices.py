"""A dearer settlement price: points issued before it stay worth what all points are (A18)."""

from itertools import pairwise

import pytest
from msgspec import json

from contracts import redeeming
from contracts.ledger import Offer
from contracts.redeeming import Tender
from contracts.values import Status

from .one_shard import ACCOUNT, OneShard, award, page
from .value_examples import ValueExamples

pytestmark = pytest.mark.SH14

PRICES = ((100, 1), (101, 1), (250, 2), (400, 3), (120, 1))  # each dearer than the first


def offer(price, least, **fields):
    return Offer(
        price_rial=price[0], price_points=price[1], least_rial=least[0], least_points=least[1],
        fee_bp=100, **fields,
    )  # fmt: skip


def spend(one_shard, points, given, *, basket=1_000_000, **fields):
    """A redemption as campaigns would send it under an offer."""
    deal = redeeming.redemption(given, Tender(basket, points, 0))
    return one_shard.hear(
        one_shard.transaction("redemption", 6, redemption=deal, amount_rial=basket, **fields)
    )


def by_account(decision):
    """{(who, account, towards): Rial or points}; each unit sums to zero."""
    sums, found = {}, {}
    for who, role, unit, towards, amount in page(decision):
        sums[unit] = sums.get(unit, 0) + amount
        found[who, role, towards] = found.get((who, role, towards), 0) + amount
    assert set(sums.values()) <= {0}
    return found


@pytest.fixture
def one_shard():
    return OneShard()


@pytest.mark.parametrize("price", PRICES[1:])
def test_points_of_before_a_rise_are_spent_to_the_last_and_the_network_owes_the_rise(
    one_shard, price
):
    one_shard.buy(award(4_321))
    given = offer(price, PRICES[0])
    seen = one_shard.ask(offer=given)
    assert (seen.redeemable_points, seen.reasons) == (4_321, ())
    decision = spend(one_shard, 4_321, given)
    assert (decision.status, decision.code) == (Status.COMPLETED, "")
    worth = 4_321 * price[0] // price[1]
    told = by_account(decision)
    assert told["baker", "payable", "grocer"] == -432_100  # what it set aside, and no more
    assert told["network", "payable", "grocer"] == 432_100 - worth
    assert told["grocer", "receivable", "network"] == worth - 432_100
    assert told["network", "fee", "grocer"] == 4_321
    assert json.decode(decision.answer)["discount_rial"] == worth == seen.redeemable_rial
    assert "own_discount_rial" not in json.decode(decision.answer)


def test_points_of_every_price_there_was_are_spent_together(one_shard):
    for issuer, (rial, points) in zip((5, 6, 7, 5, 7), PRICES, strict=True):
        one_shard.buy(award(333, issuer=issuer, cost_rial=333 * rial // points))
    given = offer(PRICES[3], PRICES[0])  # not the dearest: some points cost more than they give
    assert one_shard.ask(offer=given).redeemable_points == 5 * 333
    assert spend(one_shard, 5 * 333, given).code == ""


def test_the_acceptors_own_discount_is_its_own_and_the_rise_is_not(one_shard):
    one_shard.buy(award(100))
    given = offer((110, 1), (100, 1), own_discount_bp=1_000, own_discount_max_rial=900)
    told = by_account(spend(one_shard, 100, given))
    assert told["network", "payable", "grocer"] == -1_000
    assert told["grocer", "discount-given", ""] == 900


def test_points_that_were_issued_below_every_price_are_nobodys_gift(one_shard):
    one_shard.buy(award(100, cost_rial=1_000))  # 10 Rial each
    decision = spend(one_shard, 100, offer((110, 1), (100, 1)))
    assert (decision.status, decision.code) == (Status.DECLINED, "own-discount-too-large")
    assert decision.legs == ()


def test_a_price_that_never_rose_costs_the_network_nothing(one_shard):
    one_shard.buy(award(100, cost_rial=9_900))
    assert spend(one_shard, 100, offer((100, 1), (100, 1))).code == "own-discount-too-large"
    assert spend(one_shard, 100, offer((100, 1), (0, 0))).code == "own-discount-too-large"


@pytest.mark.parametrize("parts", [(999_999,), (1, 2, 333_333), (500_000, 250_000)])
def test_refunds_in_parts_give_the_network_back_what_it_added_to_the_rial(one_shard, parts):
    one_shard.buy(award(100))
    given = offer((101, 1), (100, 1))
    sold = spend(one_shard, 77, given)
    total = by_account(sold)
    for part in parts:
        for key, amount in by_account(one_shard.refund(sold, amount_rial=part)).items():
            total[key] = total[key] + amount
    for key, amount in by_account(one_shard.refund(sold)).items():
        total[key] = total[key] + amount
    assert set(total.values()) == {0}


def test_away_from_a_till_the_same_holds():
    one_shard = ValueExamples()
    one_shard.buy(award(100))
    assert one_shard.away(points=50, worth_rial=5_500).code == "own-discount-too-large"
    told = by_account(one_shard.away(points=50, worth_rial=5_500, network_max_rial=500))
    assert told["network", "payable", "grocer"] == -500
    one_shard.capture(one_shard.hold(points=50), points=50, worth_rial=5_500, network_max_rial=500)
    assert not any(
        lot.remaining for lot in one_shard.book.member(one_shard.shard, ACCOUNT).lots.values()
    )


def test_what_the_network_adds_at_most_rises_with_the_points():
    given = offer((110, 1), (1, 3))
    added = [
        redeeming.redemption(given, Tender(10**9, n, 0)).network_max_rial for n in range(1, 90)
    ]
    assert all(before <= after for before, after in pairwise(added))
    assert added[1] == 220  # two points cost nothing at a Rial for three
