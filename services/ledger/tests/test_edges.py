"""Stories at the edges of the rules: parties that close while others still reckon with them."""

import pytest

from contracts.value import CaptureHold, HoldValue, Spend, VoidHold
from contracts.values import Status

from .office import Office, award
from .town import ALI, BAKER, FLORIST, GROCER


@pytest.fixture
def office():
    return Office()


def owed(office):
    """What anybody owes or is owed, in Rial, by owner and other."""
    roles = ("payable", "receivable", "fee")
    return {
        (key.owner, key.role.value, key.counterparty): amount
        for key, amount in office.book.shard(3).house.balances.items()
        if key.role in roles and amount
    }


def hold(office, points, *, acceptor):
    office.count += 1
    return office.hear(
        HoldValue(
            name=office.name(), account=ALI, member=1, acceptor=acceptor, merchant=acceptor,
            due_at=office.later(days=0).replace(year=2026, month=4), points=points,
        )
    )  # fmt: skip


def test_what_comes_back_after_its_issuer_closed_can_be_spent_and_all_of_it_settled(office):
    """N8: 60 of the baker's points, spent at the grocer, paid for; the baker closes; 30 return."""
    office.buy(award(60, budget=None))
    spent = office.spend(60, lines=((1, 3_000), (2, 3_000)))
    office.close(1)
    assert office.settle(1, BAKER, GROCER, 6_000).code == ""
    assert office.settle(1, GROCER, 1, 60).code == ""
    assert office.stand("closed", party=BAKER).code == ""

    back = office.undo(spent, (1, 3_000))
    assert (back.status, back.said.points_restored) == (Status.COMPLETED, 30)
    assert owed(office) == {
        (BAKER, "payable", GROCER): 3_000, (GROCER, "receivable", BAKER): -3_000,
        (GROCER, "payable", 1): 30, (1, "fee", GROCER): -30,
    }  # fmt: skip
    assert office.spend(30, acceptor=FLORIST).code == ""
    office.close(2)
    assert office.settle(2, GROCER, BAKER, 3_000).code == ""
    assert office.settle(2, BAKER, FLORIST, 3_000).code == ""
    assert office.settle(2, 1, GROCER, 30).code == ""
    assert office.settle(2, FLORIST, 1, 30).code == ""
    assert owed(office) == {}
    cash = {party: office.balance(party, "cash", "IRR", 0) for party in (BAKER, GROCER, FLORIST, 1)}
    assert cash == {BAKER: -6_000, GROCER: 3_000 - 30, FLORIST: 3_000 - 30, 1: 60}
    assert sum(cash.values()) == 0
    assert office.issue(1).code == "party-closed"


def test_nothing_is_captured_at_a_closed_party_and_the_member_has_it_all_back(office):
    """N15: a hold at the florist, who closes before the capture."""
    office.buy(award(100, budget=None))
    held = hold(office, 60, acceptor=FLORIST)
    assert held.status is Status.COMPLETED
    assert office.stand("closed", party=FLORIST).code == ""
    spend = Spend(points=60, worth_rial=6_000, fee_bp=100)
    taken = CaptureHold(name=office.name(), original=held.command.name, spend=spend)
    assert office.hear(taken).code == "party-closed"
    assert owed(office) == {}
    assert office.hear(VoidHold(name=office.name(), original=held.command.name)).code == ""
    assert office.spend(100).code == ""


def test_a_sale_is_undone_where_its_merchant_has_closed_since(office):
    """Its own points, spent at its own till: it owed nobody and closed before the reversal."""
    office.buy(award(100, budget=None))
    spent = office.spend(100, acceptor=BAKER)
    assert office.stand("closed", party=BAKER).code == ""
    assert office.undo(spent).said.points_restored == 100
    assert office.lots(ALI) == [("NP", BAKER, 100, 10_000)]
    assert office.spend(100, acceptor=BAKER).code == "party-closed"
