"""Stories at the edges of the rules, each audited at its end: who closed, how long points live."""

from collections import defaultdict
from datetime import timedelta

import msgspec
import pytest

from contracts.ledger import Award, ExpireLot
from contracts.pos import Line
from contracts.value import (
    ActivateCard,
    CaptureHold,
    HoldValue,
    RedemptionTerms,
    TopUpWallet,
    VoidHold,
)
from contracts.values import Status, Unit
from ledger.log.domain import leaves
from verifier.findings import Findings

from . import sealing
from .many_shards import ALI, BAKER, CARD, FLORIST, GROCER, HERE, OTHER_CARD, SARA, THERE
from .network_examples import NetworkExamples, award
from .test_audit_seeds import audited
from .transfer_examples import GV, NP, TransferExamples


def audit(town):
    """The auditor comes to what was decided, leaf by leaf."""
    rows, raws = defaultdict(sealing.Rows), defaultdict(list)
    for decision in town.decided:
        shard = decision.command.shard
        raws[shard].append(leaves.encode(rows[shard].leaf(decision)))
    findings = Findings()
    for shard, found in raws.items():
        findings.take(audited(shard, found)[0].findings)
    assert [finding.text for finding in findings.listed] == []


@pytest.fixture
def office():
    made = NetworkExamples()
    yield made
    audit(made)


@pytest.fixture
def bazaar():
    made = TransferExamples()
    yield made
    audit(made)


def owed(office):
    """What anybody owes or is owed, in Rial, by owner and other."""
    roles = ("payable", "receivable", "fee")
    return {
        (key.owner, key.role.value, key.counterparty): amount
        for key, amount in office.book.shard(3).registry.balances.items()
        if key.role in roles and amount
    }


def hold(office, points, *, acceptor):
    office.count += 1
    return office.hear(
        HoldValue(
            name=office.name(), account=ALI, member=1, acceptor=acceptor, merchant=acceptor,
            due_at=office.at + timedelta(days=9), points=points,
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
    assert (back.status, back.effects.points_restored) == (Status.COMPLETED, 30)
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
    spend = RedemptionTerms(points=60, worth_rial=6_000, fee_bp=100)
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
    assert office.undo(spent).effects.points_restored == 100
    assert office.lots(ALI) == [("NP", BAKER, 100, 10_000)]
    assert office.spend(100, acceptor=BAKER).code == "party-closed"


# ------------------------------------------------------------------------- how long points live


def sweep(town, account, *, shard=HERE):
    """Book what is past its date."""
    town.later(hours=1)
    for number, lot in sorted(town.book.member(shard, account).lots.items()):
        if lot.remaining:
            town.count += 1
            body = ExpireLot(name=f"x.{number}.{town.count}", account=account, lot=number)
            town.hear(body, shard=shard)


def live(town, account=ALI, *, shard=HERE):
    """What an account has in date."""
    member = town.book.member(shard, account)
    return sum(lot.remaining for lot in member.lots.values() if lot.expires_at > town.at)


def until(town, when):
    town.at = when - timedelta(minutes=1)


def test_sends_in_a_row_to_a_closed_account_give_no_more_life_than_one(bazaar):
    """C6: each send leaves in the last minute, each return comes after the date."""
    bazaar.stand("closed", account=SARA, shard=THERE)
    ends = bazaar.at + timedelta(days=2)
    bazaar.issue(60, expires_at=ends)
    until(bazaar, ends - timedelta(minutes=1))
    assert bazaar.send(60).code == ""
    bazaar.deliver()
    grace = max(lot.expires_at for lot in bazaar.book.member(HERE, ALI).lots.values())
    assert grace - ends < timedelta(days=30, minutes=5)
    until(bazaar, grace - timedelta(minutes=1))
    assert bazaar.send(60).code == ""
    bazaar.deliver()
    assert live(bazaar) == 0
    assert bazaar.send(60).code == "insufficient-points"
    sweep(bazaar, ALI)
    assert bazaar.lots(ALI) == []
    assert bazaar.balance(BAKER, "expired", "NP", 0) == 60
    assert bazaar.in_transit() == {}


def test_grace_is_not_given_again_to_whoever_points_were_sent_to(bazaar):
    """C6: the child goes to Sara, and she sends it to a closed account in its last minute."""
    bazaar.stand("closed", account=CARD, shard=THERE)
    ends = bazaar.at + timedelta(days=2)
    bazaar.issue(60, expires_at=ends)
    until(bazaar, ends - timedelta(minutes=1))
    bazaar.send(60, to=CARD)
    bazaar.deliver()
    bazaar.send(60, to=SARA, to_shard=THERE)
    bazaar.deliver()
    (lot,) = bazaar.book.member(THERE, SARA).lots.values()
    until(bazaar, lot.expires_at - timedelta(minutes=1))
    bazaar.send(60, account=SARA, to=CARD, to_shard=THERE, shard=THERE)
    bazaar.deliver()
    assert live(bazaar, SARA, shard=THERE) == 0
    sweep(bazaar, SARA, shard=THERE)
    assert bazaar.balance(BAKER, "expired", "NP", 0) == 60


def test_refunds_in_a_row_give_one_grace_too(office):
    ends = office.at + timedelta(days=1)
    office.buy(award(60, budget=None, expires_at=ends))
    spent = office.spend(60)
    office.later(days=2)
    assert office.undo(spent).effects.points_restored == 60
    assert live(office) == 60
    again = office.spend(60)
    office.later(days=31)
    assert office.undo(again).effects.points_restored == 60
    assert live(office) == 0
    assert office.spend(1).code == "insufficient-points"


def test_a_hold_has_an_end(office):
    office.buy(award(100, budget=None))
    held = HoldValue(
        name=office.name(), account=ALI, member=1, acceptor=FLORIST, merchant=FLORIST,
        due_at=office.at + timedelta(days=30, minutes=1), points=5,
    )  # fmt: skip
    assert office.hear(held).code == ""
    late = msgspec.structs.replace(
        held, name=office.name(), due_at=office.at + timedelta(days=30, minutes=2)
    )
    assert office.hear(late).code == "due-too-late"


# ---------------------------------------------------------------------------- smaller


def test_an_award_in_rial_or_of_nobody_earns_nothing_and_says_why(office):
    rial = Award(
        line=0, unit=Unit.RIAL, amount=5, cost_rial=5, issuer=BAKER, funder=BAKER, rule="r",
        rule_version=1,
    )  # fmt: skip
    nobody = [award(7, issuer=issuer, funder=funder, budget=None) for issuer, funder in (
        (0, BAKER), (BAKER, 0),
    )]  # fmt: skip
    sale = office.buy(rial, *nobody, award(10, budget=None))
    answer = msgspec.json.decode(sale.answer)
    assert (sale.status, answer["points_earned"]) == (Status.COMPLETED, 10)
    codes = [line.get("reason", {}).get("code", "") for line in answer["lines"]]
    assert codes == ["not-value", "no-issuer", "no-issuer", ""]
    assert office.undo(sale).effects.points_clawed_back == 10
    assert office.lots(ALI) == []


def test_value_of_nobody_is_not_issued(office):
    assert office.issue(1, issuer=0).code == "no-issuer"
    assert office.issue(1, funder=0).code == "no-issuer"
    card = ActivateCard(name=office.name(), account=CARD, issuer=0, amount_rial=1)
    assert office.hear(card).code == "no-issuer"
    paid = TopUpWallet(
        name=office.name(), account=ALI, member=1, amount_rial=1, custodian=0, merchant=0
    )
    assert office.hear(paid).code == "no-issuer"
    office.issue(10)
    assert office.spend(1, acceptor=0).code == "no-acceptor"


def test_a_basket_with_two_lines_of_one_number_is_declined(office):
    lines = (Line(line=1, amount_rial=1_000_000), Line(line=1, amount_rial=1_000_000))
    sale = office.buy(award(100, line=1, budget=None), lines=((1, 1_000_000), (1, 1_000_000)))
    assert sale.command.body.lines == lines
    assert (sale.status, sale.code) == (Status.DECLINED, "line-twice")
    assert "۱" in msgspec.json.decode(sale.answer)["fa"]


def test_a_card_of_very_many_lots_is_reissued_in_pieces(bazaar):
    bazaar.card()
    bazaar.card(account=OTHER_CARD, shard=THERE)
    for _ in range(1_030):
        bazaar.issue(1, account=CARD, unit=GV, issuer=GROCER)
    assert bazaar.reissue().code == "more-to-reissue"
    assert bazaar.issue(1, account=CARD, unit=GV, issuer=GROCER).code == "account-frozen"
    assert bazaar.reissue().code == ""
    bazaar.deliver()
    assert bazaar.lots(CARD) == []
    assert len(bazaar.lots(OTHER_CARD, shard=THERE)) == 1_030
    assert bazaar.issue(1, account=CARD, unit=NP).code == "account-closed"


# ---------------------------------------------------------------------------- what is owed


def test_a_refund_of_a_sale_whose_points_are_spent_says_what_they_were_worth(office):
    """S15: buy for 100,000,000 Rial, spend the 100,000 points at B, refund at A."""
    lines = ((1, 60_000_000), (2, 40_000_000))
    sale = office.buy(
        award(60_000, line=1, budget=None), award(40_000, line=2, budget=None), lines=lines
    )
    office.spend(100_000, lines=((1, 10_000_000),))
    back = msgspec.json.decode(office.undo(sale, (1, 30_000_000)).answer)
    assert (back["debt_points"], back["debt_rial"]) == (30_000, 3_000_000)
    assert "۳٬۰۰۰٬۰۰۰ ریال" in back["fa"]
    assert "30,000 points" in back["en"]
    rest = msgspec.json.decode(office.undo(sale).answer)
    assert (rest["debt_points"], rest["debt_rial"]) == (70_000, 7_000_000)


def test_a_refund_that_takes_all_back_owes_nothing(office):
    sale = office.buy(award(100, budget=None))
    back = msgspec.json.decode(office.undo(sale).answer)
    assert "debt_rial" not in back
    assert "بدهی" not in back["fa"]


def test_a_refund_to_an_account_that_closed_since_opens_it_frozen(office):
    office.buy(award(60, budget=None))
    spent = office.spend(60)
    assert office.stand("closed", account=ALI).code == ""
    assert office.undo(spent).effects.points_restored == 60
    assert office.lots(ALI) == [("NP", BAKER, 60, 6_000)]
    assert office.spend(1).code == "account-frozen"
    assert office.stand("open", account=ALI).code == ""
    assert office.spend(60).code == ""
