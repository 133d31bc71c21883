"""Decisions do not hang on the order in which rows were read; what returns, returns once."""

from datetime import timedelta

from contracts.value import ReturnValue, SendValue
from contracts.values import Unit
from ledger.book.facts import LotMovementKind

from .one_shard import ACCOUNT, BAKER, FLORIST, OneShard, award

HERE, THERE = 3, 7


def in_debt(desk, *issuers):
    """Points of each issuer are spent, wait anew for an hour, and are clawed back."""
    for issuer in issuers:
        bought = desk.buy(award(100, issuer=issuer), merchant=issuer)
        desk.spend(100)
        later = desk.at + timedelta(hours=1)
        desk.buy(award(150, issuer=issuer, available_from=later), merchant=issuer)
        desk.refund(bought)
    assert desk.debts() == dict.fromkeys(issuers, 100)
    desk.later(hours=2)


def test_a_returned_gift_leaves_a_debt_repaid():
    desk = OneShard(HERE)
    in_debt(desk, BAKER)
    sent = desk.hear(
        SendValue(
            name="p.5.gift", account=ACCOUNT, member=1, unit=Unit.NETWORK_POINTS, amount=20,
            to_shard=THERE, to_account=9, to_member=2,
        )
    )  # fmt: skip
    assert [(row.kind, row.amount) for row in sent.rows] == [
        (LotMovementKind.REPAID, 100),
        (LotMovementKind.SENT, 20),
    ]
    back = desk.hear(
        ReturnValue(name="b.3.1", account=ACCOUNT, original="p.5.gift", code="account-closed")
    )
    assert [(row.kind, row.amount) for row in back.rows] == [(LotMovementKind.ARRIVED, 20)]
    assert desk.lots() == [(BAKER, 50)]
    assert desk.debts() == {}


def test_debts_are_repaid_in_one_order_however_they_were_read():
    said = []
    for turned in (False, True):
        desk = OneShard(HERE)
        in_debt(desk, FLORIST, BAKER)
        member = desk.book.member(HERE, ACCOUNT)
        if turned:
            member.debts = dict(reversed(member.debts.items()))
        said.append(desk.buy(award(1)).legs)
    assert said[0] == said[1]


def test_waiting_points_are_clawed_back_in_one_order_however_they_were_read():
    said = []
    for turned in (False, True):
        desk = OneShard(HERE)
        later = desk.at + timedelta(hours=9)
        sale = desk.buy(
            award(40, line=1), award(60, line=2, rule="bonus", available_from=later),
            award(60, line=3, rule="double", available_from=later),
            lines=((1, 100), (2, 100), (3, 100)),
        )  # fmt: skip
        desk.spend(40)
        member = desk.book.member(HERE, ACCOUNT)
        if turned:
            member.lots = dict(reversed(member.lots.items()))
        said.append([(row.lot, row.amount) for row in desk.refund(sale, (1, 100)).rows])
    assert said[0] == said[1]
    assert said[0]
