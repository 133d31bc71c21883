"""Decisions do not hang on the order in which rows were read; what returns, returns once."""

from datetime import timedelta

from contracts.value import ReturnValue, SendValue
from contracts.values import Unit
from ledger.book.facts import LotMovementKind

from .one_shard import ACCOUNT, BAKER, FLORIST, OneShard, award

HERE, THERE = 3, 7


def in_debt(one_shard, *issuers):
    """Points of each issuer are spent, wait anew for an hour, and are clawed back."""
    for issuer in issuers:
        bought = one_shard.buy(award(100, issuer=issuer), merchant=issuer)
        one_shard.spend(100)
        later = one_shard.at + timedelta(hours=1)
        one_shard.buy(award(150, issuer=issuer, available_from=later), merchant=issuer)
        one_shard.refund(bought)
    assert one_shard.debts() == dict.fromkeys(issuers, 100)
    one_shard.later(hours=2)


def test_a_returned_gift_leaves_a_debt_repaid():
    one_shard = OneShard(HERE)
    in_debt(one_shard, BAKER)
    sent = one_shard.hear(
        SendValue(
            name="p.5.gift", account=ACCOUNT, member=1, unit=Unit.NETWORK_POINTS, amount=20,
            to_shard=THERE, to_account=9, to_member=2,
        )
    )  # fmt: skip
    assert [(row.kind, row.amount) for row in sent.rows] == [
        (LotMovementKind.REPAID, 100),
        (LotMovementKind.SENT, 20),
    ]
    back = one_shard.hear(
        ReturnValue(name="b.3.1", account=ACCOUNT, original="p.5.gift", code="account-closed")
    )
    assert [(row.kind, row.amount) for row in back.rows] == [(LotMovementKind.ARRIVED, 20)]
    assert one_shard.lots() == [(BAKER, 50)]
    assert one_shard.debts() == {}


def test_debts_are_repaid_in_one_order_however_they_were_read():
    said = []
    for turned in (False, True):
        one_shard = OneShard(HERE)
        in_debt(one_shard, FLORIST, BAKER)
        member = one_shard.book.member(HERE, ACCOUNT)
        if turned:
            member.debts = dict(reversed(member.debts.items()))
        said.append(one_shard.buy(award(1)).legs)
    assert said[0] == said[1]


def test_waiting_points_are_clawed_back_in_one_order_however_they_were_read():
    said = []
    for turned in (False, True):
        one_shard = OneShard(HERE)
        later = one_shard.at + timedelta(hours=9)
        sale = one_shard.buy(
            award(40, line=1), award(60, line=2, rule="bonus", available_from=later),
            award(60, line=3, rule="double", available_from=later),
            lines=((1, 100), (2, 100), (3, 100)),
        )  # fmt: skip
        one_shard.spend(40)
        member = one_shard.book.member(HERE, ACCOUNT)
        if turned:
            member.lots = dict(reversed(member.lots.items()))
        said.append([(row.lot, row.amount) for row in one_shard.refund(sale, (1, 100)).rows])
    assert said[0] == said[1]
    assert said[0]
