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
    SendValue,
    SetStanding,
    TopUpWallet,
)
from contracts.values import Reason, Status

from .many_shards import ALI, BAKER, FLORIST, GROCER, HERE, SARA, THERE
from .many_shards import page as page_of
from .network_examples import NP, SPRING, NetworkExamples, award


@pytest.fixture
def office():
    return NetworkExamples()


# ---------------------------------------------------------------------------------------- budgets


def test_a_budget_is_granted_drawn_and_given_back(office):
    assert page_of(office.grant(10_000)) == [
        ("baker", "budget-granted", "IRR", SPRING, -10_000),
        ("baker", "budget", "IRR", SPRING, 10_000),
    ]
    sale = office.buy(award(60, issuer=GROCER), lines=((1, 600), (2, 400)))
    assert page_of(sale) == [
        ("baker", "budget", "IRR", SPRING, -6_000),
        ("baker", "budget-spent", "IRR", SPRING, 6_000),
        ("grocer", "issued", "NP", "", -60),
        ("ali", "value", "NP", "", 60),
        ("baker", "payable", "IRR", "grocer", -6_000),
        ("grocer", "receivable", "IRR", "baker", 6_000),
    ]
    assert office.left() == 4_000
    back = page_of(office.undo(sale, (2, 400)))
    assert back[2:4] == [
        ("baker", "budget", "IRR", SPRING, 2_400),
        ("baker", "budget-spent", "IRR", SPRING, -2_400),
    ]
    assert office.left() == 6_400


def test_an_award_that_finds_no_budget_earns_nothing_and_the_purchase_stands(office):
    office.grant(10_000)
    sale = office.buy(
        award(60, line=1), award(50, line=2), award(7, line=2, budget=None), award(40, line=3),
        lines=((1, 1_000), (2, 1_000), (3, 1_000)),
    )  # fmt: skip
    answer = msgspec.json.decode(sale.answer)
    assert (answer["status"], answer["points_earned"]) == ("completed", 107)
    assert [line.get("points", 0) for line in answer["lines"]] == [60, 0, 7, 40]
    assert answer["lines"][1]["reason"]["code"] == "budget-exhausted"
    assert "۴٬۰۰۰" in answer["lines"][1]["reason"]["fa"]
    assert office.left() == 0
    undone = office.undo(sale)
    assert [row.amount for row in undone.rows] == [60, 7, 40]
    assert msgspec.json.decode(undone.answer)["points_clawed_back"] == 107
    assert office.left() == 10_000


def test_a_held_purchase_without_a_funded_award_is_not_held(office):
    due = office.at + timedelta(hours=72)
    assert office.buy(award(5), review_due_at=due).status is Status.COMPLETED
    office.grant(500)
    held = office.buy(award(5), award(6), review_due_at=due)
    assert held.status is Status.UNDER_REVIEW
    no = CancelPending(name="v.1", original=held.command.name, case_id="1", reviewer="r")
    assert office.hear(no).code == ""
    assert office.left() == 500


def test_an_issue_beyond_its_slice_is_declined_and_a_take_back_gives_back(office):
    office.grant(5_000, campaign=0)
    assert office.issue(51, budget=0).code == "budget-exhausted"
    assert office.issue(1, budget=SPRING).code == "budget-exhausted"
    issued = office.issue(50, budget=0)
    assert office.left(campaign=0) == 0
    office.hear(RevokeIssue(name="a.1.b", account=ALI, member=1, issued_by=issued.command.name))
    assert office.left(campaign=0) == 5_000


def test_slices_move_between_shards_through_transit(office):
    office.grant(10_000)
    sent = office.pass_on(4_000)
    assert page_of(sent) == [
        ("baker", "budget", "IRR", SPRING, -4_000),
        ("network", "transit", "IRR", "baker", 4_000),
    ]
    assert office.in_transit() == {("IRR", BAKER): 4_000}
    office.deliver()
    assert (office.left(HERE), office.left(THERE), office.in_transit()) == (6_000, 4_000, {})
    assert office.pass_on(6_001).code == "budget-exhausted"
    assert office.pass_on(1, to_shard=HERE).code == "same-shard"
    office.pass_on(0, to_shard=HERE, shard=THERE)
    office.deliver()
    assert (office.left(HERE), office.left(THERE)) == (10_000, 0)
    idle = office.pass_on(0, to_shard=HERE, shard=THERE)
    assert (idle.status, idle.code, idle.legs) == (Status.COMPLETED, "nothing-left", ())


# -------------------------------------------------------------------------------------- standings


def test_nothing_leaves_a_frozen_account_and_what_comes_is_booked(office):
    sale = office.buy(award(100, budget=None))
    spent = office.spend(20)
    office.stand("frozen", account=ALI)
    assert office.spend(1).code == "account-frozen"
    gift = SendValue(
        name="a.1.g", account=ALI, member=1, unit=NP, amount=1, to_shard=THERE, to_account=SARA,
        to_member=2,
    )  # fmt: skip
    assert office.hear(gift).code == "account-frozen"
    assert office.buy(award(5, budget=None)).code == ""
    assert office.undo(spent).code == ""
    assert office.undo(sale).code == ""
    assert office.stand("frozen", account=ALI).code == "standing-unchanged"
    assert office.stand("open", account=ALI).code == ""
    assert office.spend(5).code == ""


def test_an_account_closes_when_it_holds_and_owes_nothing_and_for_ever(office):
    sale = office.buy(award(100, budget=None))
    assert office.stand("closed", account=ALI).code == "account-not-empty"
    office.spend(100)
    office.undo(sale)
    assert office.stand("closed", account=ALI).code == "account-owes"
    office.issue(100)
    assert office.stand("closed", account=ALI).code == ""
    for body in (
        IssueValue(
            name="a.1.i", account=ALI, member=1, unit=NP, amount=1, cost_rial=1, issuer=BAKER,
            funder=BAKER, rule="r", rule_version=1,
        ),
        SetStanding(name="p.1.s", standing="open", by="o", reason="", account=ALI),
        TopUpWallet(
            name="a.1.t", account=ALI, member=1, amount_rial=1, custodian=GROCER, merchant=1
        ),
    ):  # fmt: skip
        assert office.hear(body).code == "account-closed"
    assert office.buy(award(5)).code == "account-closed"
    assert office.hear(ExpireLot(name="x.1.d", account=ALI, lot=4096)).code == "nothing-left"
    assert office.hear(AdvanceClock(name="k.1")).code == ""
    told = (Reason(code="late", fa="دیر", en="late"),)
    assert office.buy(decline=told).code == "late"
    no = RefuseTransaction(name="t.1.1.1", reason=told[0], account=ALI)
    assert office.hear(no).code == "late"
    assert office.stand("closed").code == "no-account"


def test_a_frozen_party_issues_and_funds_nothing_more(office):
    office.stand("frozen", party=BAKER)
    assert office.issue(1).code == "party-frozen"
    assert office.issue(1, issuer=GROCER).code == "party-frozen"
    sale = office.buy(
        award(1, budget=None), award(2, issuer=GROCER, funder=GROCER, budget=None),
        award(3, issuer=GROCER, budget=None),
    )  # fmt: skip
    lines = msgspec.json.decode(sale.answer)["lines"]
    assert [line.get("points", 0) for line in lines] == [0, 2, 0]
    assert lines[0]["reason"]["code"] == lines[2]["reason"]["code"] == "party-frozen"
    assert office.spend(2, acceptor=BAKER).code == ""
    assert msgspec.json.decode(office.undo(sale).answer)["debt_points"] == 2
    top = TopUpWallet(
        name="a.1.t", account=SARA, member=1, amount_rial=1, custodian=BAKER, merchant=1
    )
    assert office.hear(top).code == "party-frozen"


def test_a_party_closes_when_nothing_of_it_is_outstanding_or_owed(office):
    sale = office.buy(award(100, budget=None))
    assert office.stand("closed", party=BAKER).code == "party-not-empty"
    office.spend(100, acceptor=BAKER)
    office.undo(sale)  # into debt
    assert office.stand("closed", party=BAKER).code == ""
    assert office.stand("closed", party=BAKER).code == "standing-unchanged"
    assert office.stand("open", party=BAKER).code == "party-closed"
    assert office.buy(acceptor=BAKER).code == "party-closed"
    assert office.buy(award(1), acceptor=GROCER).code == ""
    assert office.grant(5).code == "party-closed"
    assert office.settle(1, BAKER, GROCER, 1).code == "window-not-closed"


def test_a_party_that_owes_or_is_owed_stays_open(office):
    office.issue(100, funder=GROCER)
    assert office.stand("closed", party=GROCER).code == "party-owes"
    assert office.stand("closed", party=FLORIST).code == ""
    office.close(1)
    assert office.settle(1, GROCER, BAKER, 10_000).code == ""
    assert office.stand("closed", party=GROCER).code == ""


def test_points_on_their_way_are_outstanding_where_they_will_arrive(office):
    office.issue(100)
    office.hear(
        SendValue(
            name="a.1.g", account=ALI, member=1, unit=NP, amount=100, to_shard=THERE,
            to_account=SARA, to_member=2,
        )
    )  # fmt: skip
    assert office.book.shard(HERE).registry.outstanding(BAKER) == {NP: 0}
    office.deliver()
    assert office.book.shard(THERE).registry.outstanding(BAKER) == {NP: 100}
