"""Previews: what an inquiry says can be spent completes when it is sent, and no unit more does."""

import copy
import random
from collections import Counter
from datetime import timedelta

import pytest

from contracts import redeeming
from contracts.ledger import Inquire, IssueValue, Offer, PostTransaction
from contracts.redeeming import Tender
from contracts.value import AccountStatus, SetStanding
from contracts.values import AMOUNT_MAX, Channel, Kind, Unit, till_name
from ledger.log.domain import records
from ledger.posting.decide import commands, inquiry
from ledger.posting.decide.batch_state import BatchState

from . import generators
from .generators import wrap
from .one_shard import ACCOUNT, GROCER, OneShard, award, terms

SHARD = 3
SEEN = Counter()


def command(said):
    return records.command_from(SHARD, generators.envelopes.encode(said))


def heard(book, body, at):
    """The decision of one command, on a copy of what it decides on: its account and its shard."""
    accounts = {key: member for key, member in book.members.items() if key[1] == body.account}
    trial = copy.deepcopy(BatchState(shards=book.shards, members=accounts, guarded=book.guarded))
    decision = commands.decide_one(trial, command(wrap(body, at))).decision
    assert decision is not None
    return decision


def redeem(book, asked, points, credit, at):
    """What a till would hear that sends a redemption: campaigns' no, or the ledger's answer."""
    wish = Tender(asked.amount_rial or AMOUNT_MAX, points, credit)
    objections = list(redeeming.objections(asked.offer, wish))
    if objections:
        return "declined", objections[0]
    body = PostTransaction(
        name=till_name(5, 5, 5), kind=Kind.REDEMPTION, channel=Channel.TILL,
        merchant=asked.merchant, acceptor=asked.acceptor, branch=1, terminal=5,
        account=asked.account, member=1, amount_rial=wish.amount_rial,
        redemption=redeeming.redemption(asked.offer, wish),
    )  # fmt: skip
    decision = heard(book, body, at)
    return decision.status, decision.code


def asked_of(rng, account):
    price = rng.choice(((100, 1), (90, 1), (110, 1), (5, 2), (1, 3)))
    own_max = rng.choice((0, 0, 1_000, 10**6))
    least = rng.choice(((0, 0), min(price, (90, 1), key=lambda p: p[0] / p[1]), (1, 4)))
    offer = Offer(
        price_rial=price[0], price_points=price[1], fee_bp=150,
        redeem_min_points=rng.choice((0, 0, 5, 120, 1_000)),
        redeem_max_share_bp=rng.choice((10_000, 10_000, 5_000, 100, 0)),
        own_discount_bp=rng.choice((0, 0, 500)), own_discount_max_rial=own_max,
        least_rial=least[0], least_points=least[1],
    )  # fmt: skip
    merchant = rng.choice((5, 6, 7))
    return Inquire(
        name=till_name(9, 9, 1), account=account, member=1, merchant=merchant, acceptor=merchant,
        amount_rial=rng.choice((0, 1, 9_999, 50_000, 345_678, 10**8)), would_earn_points=0,
        offer=offer,
    )  # fmt: skip


@pytest.fixture
def one_shard():
    return OneShard()


@pytest.mark.parametrize("seed", range(6))
def test_what_can_be_spent_is_accepted_when_it_is_sent_and_no_unit_more(seed):
    story, book, rng = generators.Story(seed + 900), BatchState(), random.Random(seed)
    for _ in range(24):
        for envelope in story.batch(rng.choice((5, 10, 20))):
            commands.decide_one(book, command(envelope))
        account = rng.choice(story.accounts)
        if rng.random() < 0.1:
            freeze = SetStanding(name=story.name(), account=account, standing=AccountStatus.FROZEN,
                                 by="o", reason="r")  # fmt: skip
            commands.decide_one(book, command(wrap(freeze, story.at)))
        for _ in range(4):
            asked, at = asked_of(rng, account), story.at + timedelta(hours=rng.choice((0, 3, 80)))
            seen = inquiry.preview(book, command(wrap(asked, at)), inquiry.Effort())
            points, credit = seen.redeemable_points, seen.redeemable_credit_rial
            place = (seed, asked, seen)
            if points or credit:
                assert redeem(book, asked, points, credit, at) == ("completed", ""), place
            else:
                assert seen.redeemable_rial == 0
            assert redeem(book, asked, points + 1, credit, at)[0] == "declined", place
            assert redeem(book, asked, points, credit + 1, at)[0] == "declined", place
            SEEN["points"] += points > 0
            SEEN["credit"] += credit > 0
            SEEN["both"] += points > 0 and credit > 0
            SEEN.update(reason.code for reason in seen.reasons)


def test_the_rare_cases_did_occur():
    wanted = {"points", "credit", "both", "redeem-below-minimum", "redeem-above-share",
              "account-frozen", "own-discount-too-large"}  # fmt: skip
    assert wanted - set(+SEEN) == set()


def credit(one_shard, rial):
    one_shard.hear(
        IssueValue(
            name=one_shard.name(), account=ACCOUNT, member=1, unit=Unit.CREDIT, amount=rial,
            cost_rial=rial, issuer=1, funder=1, rule="gift", rule_version=1,
        )
    )  # fmt: skip


def offer(**fields):
    return Offer(**({"price_rial": 100, "price_points": 1} | fields))


def test_a_minimum_of_points_is_told_and_nothing_can_be_spent(one_shard):  # findings F10
    one_shard.buy(award(50))
    seen = one_shard.ask(1_000_000, offer=offer(redeem_min_points=100))
    assert (seen.redeemable_points, seen.redeemable_rial) == (0, 0)
    assert [reason.code for reason in seen.reasons] == ["redeem-below-minimum"]
    assert seen.fa == "۵۰ امتیاز دارید. کمترین امتیاز قابل خرج در این فروشگاه ۱۰۰ است."
    assert seen.en == "50 points available. This merchant takes 100 points or more at once."


def test_credit_alone_can_be_spent(one_shard):  # findings F11
    credit(one_shard, 200_000)
    seen = one_shard.ask(150_000)
    assert (seen.redeemable_points, seen.redeemable_credit_rial) == (0, 150_000)
    assert seen.redeemable_rial == 150_000
    assert seen.fa == "۲۰۰٬۰۰۰ ریال اعتبار دارید؛ برای این خرید تا ۱۵۰٬۰۰۰ ریال قابل خرج است."


def test_points_and_credit_together(one_shard):  # newcomer, bug 8
    one_shard.buy(award(460))
    credit(one_shard, 200_000)
    seen = one_shard.ask(500_000)
    assert (seen.redeemable_points, seen.redeemable_credit_rial) == (460, 200_000)
    assert seen.redeemable_rial == 246_000
    assert seen.en == (
        "460 points and 200,000 Rial of credit available;"
        " up to 246,000 Rial can be spent on this sale."
    )


def test_an_inquiry_without_a_basket_says_what_can_be_spent_at_all(one_shard):  # newcomer, bug 9
    one_shard.buy(award(460, expires_at=one_shard.at + timedelta(days=40)))
    seen = one_shard.ask(0)
    assert seen.redeemable_rial == 46_000
    assert seen.fa == (
        "۴۶۰ امتیاز دارید؛ تا ۴۶٬۰۰۰ ریال قابل خرج است. مهلت ۴۶۰ امتیاز تا ۱۰ اردیبهشت ۱۴۰۵."
    )
    assert "۰ ریال." not in one_shard.ask(0, account=77).fa
    assert one_shard.ask(0, account=77).fa == "چیزی برای خرج کردن ندارید."


def test_whatever_forbids_a_redemption_forbids_its_preview(one_shard):
    one_shard.buy(award(100))
    assert one_shard.ask(1_000_000, offer=offer(price_rial=120)).reasons[0].code == (
        "own-discount-too-large"
    )
    name, frozen = one_shard.name(), AccountStatus.FROZEN
    one_shard.hear(SetStanding(name=name, account=ACCOUNT, standing=frozen, by="o", reason="r"))
    seen = one_shard.ask(1_000_000)
    assert (seen.redeemable_rial, seen.reasons[0].code) == (0, "account-frozen")
    no = seen.reasons[0]
    refused = one_shard.ask(1_000_000, decline=(no,))
    assert (refused.fa, refused.reasons) == (no.fa, (no,))
    without = one_shard.ask(1_000_000, offer=None, without=(no,))
    assert (without.redeemable_rial, without.reasons) == (0, (no,))
    assert without.fa == f"۱۰۰ امتیاز دارید. {no.fa}"


def test_a_debt_is_repaid_before_anything_can_be_spent(one_shard):
    sold = one_shard.buy(award(300))
    one_shard.hear(one_shard.transaction("redemption", GROCER, redemption=terms(250)))
    one_shard.refund(sold)
    seen = one_shard.ask()
    assert (seen.balance.points, seen.balance.debt_points) == (0, 250)
    assert seen.fa == "چیزی برای خرج کردن ندارید. بدهی: ۲۵۰ امتیاز."
