"""The accountant's tables of the registry: budgets, status, settlement."""

from datetime import timedelta

import msgspec
import pytest

from contracts.ledger import (
    AdvanceClock,
    CancelPending,
    ExpireLot,
    IssueValue,
    RefuseTransaction,
    RevokeIssue,
)
from contracts.value import (
    AccountStatus,
    SendValue,
    SetStanding,
    TopUpWallet,
)
from contracts.values import Reason, Status

from .many_shards import ALI, BAKER, FLORIST, GROCER, HERE, SARA, THERE
from .many_shards import page as page_of
from .network_examples import NP, SPRING, NetworkExamples, award


@pytest.fixture
def network():
    return NetworkExamples()


# ---------------------------------------------------------------------------------------- budgets


def test_a_budget_is_granted_drawn_and_given_back(network):
    assert page_of(network.grant(10_000)) == [
        ("baker", "budget-granted", "IRR", SPRING, -10_000),
        ("baker", "budget", "IRR", SPRING, 10_000),
    ]
    sale = network.buy(award(60, issuer=GROCER), lines=((1, 600), (2, 400)))
    assert page_of(sale) == [
        ("baker", "budget", "IRR", SPRING, -6_000),
        ("baker", "budget-spent", "IRR", SPRING, 6_000),
        ("grocer", "issued", "NP", "", -60),
        ("ali", "value", "NP", "", 60),
        ("baker", "payable", "IRR", "grocer", -6_000),
        ("grocer", "receivable", "IRR", "baker", 6_000),
    ]
    assert network.left() == 4_000
    back = page_of(network.undo(sale, (2, 400)))
    assert back[2:4] == [
        ("baker", "budget", "IRR", SPRING, 2_400),
        ("baker", "budget-spent", "IRR", SPRING, -2_400),
    ]
    assert network.left() == 6_400


def test_an_award_that_finds_no_budget_earns_nothing_and_the_purchase_stands(network):
    network.grant(10_000)
    sale = network.buy(
        award(60, line=1), award(50, line=2), award(7, line=2, budget=None), award(40, line=3),
        lines=((1, 1_000), (2, 1_000), (3, 1_000)),
    )  # fmt: skip
    answer = msgspec.json.decode(sale.answer)
    assert (answer["status"], answer["points_earned"]) == ("completed", 107)
    assert [line.get("points", 0) for line in answer["lines"]] == [60, 0, 7, 40]
    assert answer["lines"][1]["reason"]["code"] == "budget-exhausted"
    assert "۴٬۰۰۰" in answer["lines"][1]["reason"]["fa"]
    assert network.left() == 0
    undone = network.undo(sale)
    assert [row.amount for row in undone.rows] == [60, 7, 40]
    assert msgspec.json.decode(undone.answer)["points_clawed_back"] == 107
    assert network.left() == 10_000


def test_a_held_purchase_without_a_funded_award_is_not_held(network):
    due = network.at + timedelta(hours=72)
    assert network.buy(award(5), review_due_at=due).status is Status.COMPLETED
    network.grant(500)
    held = network.buy(award(5), award(6), review_due_at=due)
    assert held.status is Status.UNDER_REVIEW
    no = CancelPending(name="v.1", original=held.command.name, case_id="1", reviewer="r")
    assert network.hear(no).code == ""
    assert network.left() == 500


def test_an_issue_beyond_its_slice_is_declined_and_a_take_back_gives_back(network):
    network.grant(5_000, campaign=0)
    assert network.issue(51, budget=0).code == "budget-exhausted"
    assert network.issue(1, budget=SPRING).code == "budget-exhausted"
    issued = network.issue(50, budget=0)
    assert network.left(campaign=0) == 0
    network.hear(RevokeIssue(name="a.1.b", account=ALI, member=1, issued_by=issued.command.name))
    assert network.left(campaign=0) == 5_000


def test_slices_move_between_shards_through_transit(network):
    network.grant(10_000)
    sent = network.pass_on(4_000)
    assert page_of(sent) == [
        ("baker", "budget", "IRR", SPRING, -4_000),
        ("network", "transit", "IRR", "baker", 4_000),
    ]
    assert network.in_transit() == {("IRR", BAKER): 4_000}
    network.deliver()
    assert (network.left(HERE), network.left(THERE), network.in_transit()) == (6_000, 4_000, {})
    assert network.pass_on(6_001).code == "budget-exhausted"
    assert network.pass_on(1, to_shard=HERE).code == "same-shard"
    network.pass_on(0, to_shard=HERE, shard=THERE)
    network.deliver()
    assert (network.left(HERE), network.left(THERE)) == (10_000, 0)
    idle = network.pass_on(0, to_shard=HERE, shard=THERE)
    assert (idle.status, idle.code, idle.legs) == (Status.COMPLETED, "nothing-left", ())


# -------------------------------------------------------------------------------------- standings


def test_nothing_leaves_a_frozen_account_and_what_comes_is_booked(network):
    sale = network.buy(award(100, budget=None))
    spent = network.spend(20)
    network.stand("frozen", account=ALI)
    assert network.spend(1).code == "account-frozen"
    gift = SendValue(
        name="a.1.g", account=ALI, member=1, unit=NP, amount=1, to_shard=THERE, to_account=SARA,
        to_member=2,
    )  # fmt: skip
    assert network.hear(gift).code == "account-frozen"
    assert network.buy(award(5, budget=None)).code == ""
    assert network.undo(spent).code == ""
    assert network.undo(sale).code == ""
    assert network.stand("frozen", account=ALI).code == "standing-unchanged"
    assert network.stand("open", account=ALI).code == ""
    assert network.spend(5).code == ""


def test_an_account_closes_when_it_holds_and_owes_nothing_and_for_ever(network):
    sale = network.buy(award(100, budget=None))
    assert network.stand("closed", account=ALI).code == "account-not-empty"
    network.spend(100)
    network.undo(sale)
    assert network.stand("closed", account=ALI).code == "account-owes"
    network.issue(100)
    assert network.stand("closed", account=ALI).code == ""
    for body in (
        IssueValue(
            name="a.1.i", account=ALI, member=1, unit=NP, amount=1, cost_rial=1, issuer=BAKER,
            funder=BAKER, rule="r", rule_version=1,
        ),
        SetStanding(name="p.1.s", standing=AccountStatus.OPEN, by="o", reason="", account=ALI),
        TopUpWallet(
            name="a.1.t", account=ALI, member=1, amount_rial=1, custodian=GROCER, merchant=1
        ),
    ):  # fmt: skip
        assert network.hear(body).code == "account-closed"
    assert network.buy(award(5)).code == "account-closed"
    assert network.hear(ExpireLot(name="x.1.d", account=ALI, lot=4096)).code == "nothing-left"
    assert network.hear(AdvanceClock(name="k.1")).code == ""
    told = (Reason(code="late", fa="دیر", en="late"),)
    assert network.buy(decline=told).code == "late"
    no = RefuseTransaction(name="t.1.1.1", reason=told[0], account=ALI)
    assert network.hear(no).code == "late"
    assert network.stand("closed").code == "no-account"


def test_a_frozen_party_issues_and_funds_nothing_more(network):
    network.stand("frozen", party=BAKER)
    assert network.issue(1).code == "party-frozen"
    assert network.issue(1, issuer=GROCER).code == "party-frozen"
    sale = network.buy(
        award(1, budget=None), award(2, issuer=GROCER, funder=GROCER, budget=None),
        award(3, issuer=GROCER, budget=None),
    )  # fmt: skip
    lines = msgspec.json.decode(sale.answer)["lines"]
    assert [line.get("points", 0) for line in lines] == [0, 2, 0]
    assert lines[0]["reason"]["code"] == lines[2]["reason"]["code"] == "party-frozen"
    assert network.spend(2, acceptor=BAKER).code == ""
    assert msgspec.json.decode(network.undo(sale).answer)["debt_points"] == 2
    top = TopUpWallet(
        name="a.1.t", account=SARA, member=1, amount_rial=1, custodian=BAKER, merchant=1
    )
    assert network.hear(top).code == "party-frozen"


def test_a_party_closes_when_nothing_of_it_is_outstanding_or_owed(network):
    sale = network.buy(award(100, budget=None))
    assert network.stand("closed", party=BAKER).code == "party-not-empty"
    network.spend(100, acceptor=BAKER)
    network.undo(sale)  # into debt
    assert network.stand("closed", party=BAKER).code == ""
    assert network.stand("closed", party=BAKER).code == "standing-unchanged"
    assert network.stand("open", party=BAKER).code == "party-closed"
    assert network.buy(acceptor=BAKER).code == "party-closed"
    assert network.buy(award(1), acceptor=GROCER).code == ""
    assert network.grant(5).code == "party-closed"
    assert network.settle(1, BAKER, GROCER, 1).code == "window-not-closed"


def test_a_party_that_owes_or_is_owed_stays_open(network):
    network.issue(100, funder=GROCER)
    assert network.stand("closed", party=GROCER).code == "party-owes"
    assert network.stand("closed", party=FLORIST).code == ""
    network.close(1)
    assert network.settle(1, GROCER, BAKER, 10_000).code == ""
    assert network.stand("closed", party=GROCER).code == ""


def test_points_on_their_way_are_outstanding_where_they_will_arrive(network):
    network.issue(100)
    network.hear(
        SendValue(
            name="a.1.g", account=ALI, member=1, unit=NP, amount=100, to_shard=THERE,
            to_account=SARA, to_member=2,
        )
    )  # fmt: skip
    assert network.book.shard(HERE).registry.outstanding(BAKER) == {NP: 0}
    network.deliver()
    assert network.book.shard(THERE).registry.outstanding(BAKER) == {NP: 100}
