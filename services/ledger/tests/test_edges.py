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
from ledger.book.facts import Role
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
def network():
    made = NetworkExamples()
    yield made
    audit(made)


@pytest.fixture
def many_shards():
    made = TransferExamples()
    yield made
    audit(made)


def owed(network):
    """What anybody owes or is owed, in Rial, by owner and other."""
    roles = (Role.PAYABLE, Role.RECEIVABLE, Role.FEE)
    return {
        (key.owner, key.role.value, key.counterparty): amount
        for key, amount in network.book.shard(3).registry.balances.items()
        if key.role in roles and amount
    }


def hold(network, points, *, acceptor):
    network.count += 1
    return network.hear(
        HoldValue(
            name=network.name(), account=ALI, member=1, acceptor=acceptor, merchant=acceptor,
            due_at=network.at + timedelta(days=9), points=points,
        )
    )  # fmt: skip


def test_what_comes_back_after_its_issuer_closed_can_be_spent_and_all_of_it_settled(network):
    """N8: 60 of the baker's points, spent at the grocer, paid for; the baker closes; 30 return."""
    network.buy(award(60, budget=None))
    spent = network.spend(60, lines=((1, 3_000), (2, 3_000)))
    network.close(1)
    assert network.settle(1, BAKER, GROCER, 6_000).code == ""
    assert network.settle(1, GROCER, 1, 60).code == ""
    assert network.stand("closed", party=BAKER).code == ""

    back = network.undo(spent, (1, 3_000))
    assert (back.status, back.effects.points_restored) == (Status.COMPLETED, 30)
    assert owed(network) == {
        (BAKER, "payable", GROCER): 3_000, (GROCER, "receivable", BAKER): -3_000,
        (GROCER, "payable", 1): 30, (1, "fee", GROCER): -30,
    }  # fmt: skip
    assert network.spend(30, acceptor=FLORIST).code == ""
    network.close(2)
    assert network.settle(2, GROCER, BAKER, 3_000).code == ""
    assert network.settle(2, BAKER, FLORIST, 3_000).code == ""
    assert network.settle(2, 1, GROCER, 30).code == ""
    assert network.settle(2, FLORIST, 1, 30).code == ""
    assert owed(network) == {}
    cash = {
        party: network.balance(party, "cash", "IRR", 0) for party in (BAKER, GROCER, FLORIST, 1)
    }
    assert cash == {BAKER: -6_000, GROCER: 3_000 - 30, FLORIST: 3_000 - 30, 1: 60}
    assert sum(cash.values()) == 0
    assert network.issue(1).code == "party-closed"


def test_nothing_is_captured_at_a_closed_party_and_the_member_has_it_all_back(network):
    """N15: a hold at the florist, who closes before the capture."""
    network.buy(award(100, budget=None))
    held = hold(network, 60, acceptor=FLORIST)
    assert held.status is Status.COMPLETED
    assert network.stand("closed", party=FLORIST).code == ""
    spend = RedemptionTerms(points=60, worth_rial=6_000, fee_bp=100)
    taken = CaptureHold(name=network.name(), original=held.command.name, spend=spend)
    assert network.hear(taken).code == "party-closed"
    assert owed(network) == {}
    assert network.hear(VoidHold(name=network.name(), original=held.command.name)).code == ""
    assert network.spend(100).code == ""


def test_a_sale_is_undone_where_its_merchant_has_closed_since(network):
    """Its own points, spent at its own till: it owed nobody and closed before the reversal."""
    network.buy(award(100, budget=None))
    spent = network.spend(100, acceptor=BAKER)
    assert network.stand("closed", party=BAKER).code == ""
    assert network.undo(spent).effects.points_restored == 100
    assert network.lots(ALI) == [("NP", BAKER, 100, 10_000)]
    assert network.spend(100, acceptor=BAKER).code == "party-closed"


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


def test_sends_in_a_row_to_a_closed_account_give_no_more_life_than_one(many_shards):
    """C6: each send leaves in the last minute, each return comes after the date."""
    many_shards.stand("closed", account=SARA, shard=THERE)
    ends = many_shards.at + timedelta(days=2)
    many_shards.issue(60, expires_at=ends)
    until(many_shards, ends - timedelta(minutes=1))
    assert many_shards.send(60).code == ""
    many_shards.deliver()
    grace = max(lot.expires_at for lot in many_shards.book.member(HERE, ALI).lots.values())
    assert grace - ends < timedelta(days=30, minutes=5)
    until(many_shards, grace - timedelta(minutes=1))
    assert many_shards.send(60).code == ""
    many_shards.deliver()
    assert live(many_shards) == 0
    assert many_shards.send(60).code == "insufficient-points"
    sweep(many_shards, ALI)
    assert many_shards.lots(ALI) == []
    assert many_shards.balance(BAKER, "expired", "NP", 0) == 60
    assert many_shards.in_transit() == {}


def test_grace_is_not_given_again_to_whoever_points_were_sent_to(many_shards):
    """C6: the child goes to Sara, and she sends it to a closed account in its last minute."""
    many_shards.stand("closed", account=CARD, shard=THERE)
    ends = many_shards.at + timedelta(days=2)
    many_shards.issue(60, expires_at=ends)
    until(many_shards, ends - timedelta(minutes=1))
    many_shards.send(60, to=CARD)
    many_shards.deliver()
    many_shards.send(60, to=SARA, to_shard=THERE)
    many_shards.deliver()
    (lot,) = many_shards.book.member(THERE, SARA).lots.values()
    until(many_shards, lot.expires_at - timedelta(minutes=1))
    many_shards.send(60, account=SARA, to=CARD, to_shard=THERE, shard=THERE)
    many_shards.deliver()
    assert live(many_shards, SARA, shard=THERE) == 0
    sweep(many_shards, SARA, shard=THERE)
    assert many_shards.balance(BAKER, "expired", "NP", 0) == 60


def test_refunds_in_a_row_give_one_grace_too(network):
    ends = network.at + timedelta(days=1)
    network.buy(award(60, budget=None, expires_at=ends))
    spent = network.spend(60)
    network.later(days=2)
    assert network.undo(spent).effects.points_restored == 60
    assert live(network) == 60
    again = network.spend(60)
    network.later(days=31)
    assert network.undo(again).effects.points_restored == 60
    assert live(network) == 0
    assert network.spend(1).code == "insufficient-points"


def test_a_hold_has_an_end(network):
    network.buy(award(100, budget=None))
    held = HoldValue(
        name=network.name(), account=ALI, member=1, acceptor=FLORIST, merchant=FLORIST,
        due_at=network.at + timedelta(days=30, minutes=1), points=5,
    )  # fmt: skip
    assert network.hear(held).code == ""
    late = msgspec.structs.replace(
        held, name=network.name(), due_at=network.at + timedelta(days=30, minutes=2)
    )
    assert network.hear(late).code == "due-too-late"


# ---------------------------------------------------------------------------- smaller


def test_an_award_in_rial_or_of_nobody_earns_nothing_and_says_why(network):
    rial = Award(
        line=0, unit=Unit.RIAL, amount=5, cost_rial=5, issuer=BAKER, funder=BAKER, rule="r",
        rule_version=1,
    )  # fmt: skip
    nobody = [award(7, issuer=issuer, funder=funder, budget=None) for issuer, funder in (
        (0, BAKER), (BAKER, 0),
    )]  # fmt: skip
    sale = network.buy(rial, *nobody, award(10, budget=None))
    answer = msgspec.json.decode(sale.answer)
    assert (sale.status, answer["points_earned"]) == (Status.COMPLETED, 10)
    codes = [line.get("reason", {}).get("code", "") for line in answer["lines"]]
    assert codes == ["not-value", "no-issuer", "no-issuer", ""]
    assert network.undo(sale).effects.points_clawed_back == 10
    assert network.lots(ALI) == []


def test_value_of_nobody_is_not_issued(network):
    assert network.issue(1, issuer=0).code == "no-issuer"
    assert network.issue(1, funder=0).code == "no-issuer"
    card = ActivateCard(name=network.name(), account=CARD, issuer=0, amount_rial=1)
    assert network.hear(card).code == "no-issuer"
    paid = TopUpWallet(
        name=network.name(), account=ALI, member=1, amount_rial=1, custodian=0, merchant=0
    )
    assert network.hear(paid).code == "no-issuer"
    network.issue(10)
    assert network.spend(1, acceptor=0).code == "no-acceptor"


def test_a_basket_with_two_lines_of_one_number_is_declined(network):
    lines = (Line(line=1, amount_rial=1_000_000), Line(line=1, amount_rial=1_000_000))
    sale = network.buy(award(100, line=1, budget=None), lines=((1, 1_000_000), (1, 1_000_000)))
    assert sale.command.body.lines == lines
    assert (sale.status, sale.code) == (Status.DECLINED, "line-twice")
    assert "۱" in msgspec.json.decode(sale.answer)["fa"]


def test_a_card_of_very_many_lots_is_reissued_in_pieces(many_shards):
    many_shards.card()
    many_shards.card(account=OTHER_CARD, shard=THERE)
    for _ in range(1_030):
        many_shards.issue(1, account=CARD, unit=GV, issuer=GROCER)
    assert many_shards.reissue().code == "more-to-reissue"
    assert many_shards.issue(1, account=CARD, unit=GV, issuer=GROCER).code == "account-frozen"
    assert many_shards.reissue().code == ""
    many_shards.deliver()
    assert many_shards.lots(CARD) == []
    assert len(many_shards.lots(OTHER_CARD, shard=THERE)) == 1_030
    assert many_shards.issue(1, account=CARD, unit=NP).code == "account-closed"


# ---------------------------------------------------------------------------- what is owed


def test_a_refund_of_a_sale_whose_points_are_spent_says_what_they_were_worth(network):
    """S15: buy for 100,000,000 Rial, spend the 100,000 points at B, refund at A."""
    lines = ((1, 60_000_000), (2, 40_000_000))
    sale = network.buy(
        award(60_000, line=1, budget=None), award(40_000, line=2, budget=None), lines=lines
    )
    network.spend(100_000, lines=((1, 10_000_000),))
    back = msgspec.json.decode(network.undo(sale, (1, 30_000_000)).answer)
    assert (back["debt_points"], back["debt_rial"]) == (30_000, 3_000_000)
    assert "۳٬۰۰۰٬۰۰۰ ریال" in back["fa"]
    assert "30,000 points" in back["en"]
    rest = msgspec.json.decode(network.undo(sale).answer)
    assert (rest["debt_points"], rest["debt_rial"]) == (70_000, 7_000_000)


def test_a_refund_that_takes_all_back_owes_nothing(network):
    sale = network.buy(award(100, budget=None))
    back = msgspec.json.decode(network.undo(sale).answer)
    assert "debt_rial" not in back
    assert "بدهی" not in back["fa"]


def test_a_refund_to_an_account_that_closed_since_opens_it_frozen(network):
    network.buy(award(60, budget=None))
    spent = network.spend(60)
    assert network.stand("closed", account=ALI).code == ""
    assert network.undo(spent).effects.points_restored == 60
    assert network.lots(ALI) == [("NP", BAKER, 60, 6_000)]
    assert network.spend(1).code == "account-frozen"
    assert network.stand("open", account=ALI).code == ""
    assert network.spend(60).code == ""
