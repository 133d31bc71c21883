"""The accountant's tables of what crosses: accounts and shards, units, cards, wallets."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from contracts.ledger import Award, PostTransaction
from contracts.values import Channel, Kind, Status, Unit
from ledger.book.facts import LotMovementKind, Origin

from .many_shards import ALI, BAKER, FLORIST, GROCER, HERE, NETWORK, SARA, THERE
from .many_shards import page as page_of
from .transfer_examples import CR, GV, MP, NP, TransferExamples


@pytest.fixture
def many_shards():
    return TransferExamples()


def test_a_gift_goes_through_transit_and_arrives_as_children_of_the_very_lots(many_shards):
    soon = many_shards.at + timedelta(days=9)
    first = many_shards.issue(100, funder=NETWORK, expires_at=soon).opened[0]
    second = many_shards.issue(50, issuer=FLORIST).opened[0]
    sent = many_shards.send(120)
    assert page_of(sent) == [
        ("ali", "value", "NP", "", -100),
        ("network", "transit", "NP", "baker", 100),
        ("ali", "value", "NP", "", -20),
        ("network", "transit", "NP", "florist", 20),
    ]
    assert [(r.lot, r.kind, r.amount, r.cost_rial) for r in sent.rows] == [
        (first.lot, LotMovementKind.SENT, 100, 10_000),
        (second.lot, LotMovementKind.SENT, 20, 2_000),
    ]  # fmt: skip
    assert many_shards.in_transit() == {("NP", BAKER): 100, ("NP", FLORIST): 20}
    (arrived,) = many_shards.deliver()
    assert arrived.command.name == f"r.{HERE}.{sent.sequence}"
    assert page_of(arrived) == [
        ("sara", "value", "NP", "", 100),
        ("network", "transit", "NP", "baker", -100),
        ("sara", "value", "NP", "", 20),
        ("network", "transit", "NP", "florist", -20),
    ]
    for child, parent, amount in zip(arrived.opened, (first, second), (100, 20), strict=True):
        kept = replace(
            parent, lot=child.lot, owner=SARA, parent=parent.lot, origin=Origin.RECEIVED,
            amount=amount, remaining=amount, cost_rial=amount * 100, cost_left=amount * 100,
        )  # fmt: skip
        assert child == kept
    assert [(r.lot, r.kind, r.amount) for r in arrived.rows] == [
        (lot.lot, LotMovementKind.ARRIVED, lot.amount) for lot in arrived.opened
    ]
    assert many_shards.in_transit() == {}
    assert many_shards.lots(ALI) == [("NP", FLORIST, 30, 3_000)]


def test_a_gift_inside_a_shard_takes_the_same_way(many_shards):
    many_shards.issue(100)
    sent = many_shards.send(60, to_shard=HERE)
    assert (many_shards.lots(ALI), many_shards.lots(SARA)) == ([("NP", BAKER, 40, 4_000)], [])
    (arrived,) = many_shards.deliver()
    assert arrived.sequence == sent.sequence + 1
    assert many_shards.lots(SARA) == [("NP", BAKER, 60, 6_000)]
    assert many_shards.in_transit() == {}


@pytest.mark.parametrize("late", [False, True])
def test_what_a_closed_account_refuses_comes_back_into_the_very_lots(many_shards, late):
    soon = many_shards.at + timedelta(days=1)
    lot = many_shards.issue(100, expires_at=soon).opened[0]
    many_shards.stand("closed", account=SARA, shard=THERE)
    sent = many_shards.send(70)
    if late:
        many_shards.later(days=2)
    refused, back = many_shards.deliver()
    assert (refused.status, refused.code, page_of(refused)) == (
        Status.DECLINED, "account-closed", [],
    )  # fmt: skip
    assert back.command.name == f"b.{HERE}.{sent.sequence}"
    assert back.command.body.code == "account-closed"
    assert page_of(back) == [
        ("ali", "value", "NP", "", 70),
        ("network", "transit", "NP", "baker", -70),
    ]
    (row,) = back.rows
    assert (row.kind, row.original_sequence, row.amount) == (
        LotMovementKind.ARRIVED,
        sent.sequence,
        70,
    )
    if late:
        (child,) = back.opened
        assert (child.parent, child.amount, child.cost_rial) == (lot.lot, 70, 7_000)
        assert child.expires_at == many_shards.at - timedelta(minutes=1) + timedelta(days=30)
        assert many_shards.lots(ALI) == [("NP", BAKER, 30, 3_000), ("NP", BAKER, 70, 7_000)]
    else:
        assert back.opened == ()
        assert many_shards.lots(ALI) == [("NP", BAKER, 100, 10_000)]
    assert many_shards.in_transit() == {}
    again = replace(back.command.body, name=many_shards.name())
    assert many_shards.hear(again).code == "already-returned"


def test_a_return_opens_an_account_that_closed_meanwhile_frozen(many_shards):
    many_shards.issue(100)
    many_shards.stand("closed", account=SARA, shard=THERE)
    many_shards.send(100)
    assert many_shards.stand("closed", account=ALI).code == ""
    assert many_shards.issue(5).code == "account-closed"
    many_shards.deliver()
    assert many_shards.lots(ALI) == [("NP", BAKER, 100, 10_000)]
    assert many_shards.send(1).code == "account-frozen"
    many_shards.stand("open", account=ALI)
    assert many_shards.send(1).code == ""


def test_sends_that_are_no_gifts_are_declined(many_shards):
    many_shards.issue(100)
    assert many_shards.send(101).code == "insufficient-points"
    assert many_shards.send(1, unit=CR).code == "insufficient-credit"
    assert many_shards.send(1, unit=MP, issuer=BAKER).code == "insufficient-merchant-points"
    assert many_shards.send(1, unit=GV).code == "insufficient-gift"
    assert many_shards.send(1, unit=Unit.RIAL).code == "not-value"
    assert many_shards.send(1, to=0).code == "no-account"
    assert many_shards.send(1, account=0).code == "no-account"
    assert many_shards.send(1, to=ALI, to_shard=HERE).code == "same-account"
    for _ in range(1025):
        many_shards.issue(1, account=SARA, shard=THERE)
    many = many_shards.send(1025, account=SARA, shard=THERE, to=ALI, to_shard=HERE)
    assert many.code == "too-many-lots"
    assert many_shards.says == []


def test_merchant_points_are_sent_by_issuer(many_shards):
    many_shards.issue(100, unit=MP)
    many_shards.issue(100, unit=MP, issuer=GROCER)
    assert page_of(many_shards.send(30, unit=MP, issuer=GROCER)) == [
        ("ali", "value", "MP", "grocer", -30),
        ("network", "transit", "MP", "grocer", 30),
    ]
    (arrived,) = many_shards.deliver()
    assert page_of(arrived)[0] == ("sara", "value", "MP", "grocer", 30)


def test_debts_of_the_receiver_are_repaid_by_a_gift(many_shards):
    sale = PostTransaction(
        name="t.10000017.1.1", kind=Kind.PURCHASE, channel=Channel.TILL, merchant=BAKER,
        acceptor=BAKER, branch=1, terminal=10000017, account=SARA, member=2, amount_rial=1000,
        awards=(
            Award(line=0, unit=NP, amount=100, cost_rial=10_000, issuer=BAKER, funder=BAKER,
                  rule="base", rule_version=1),
        ),
    )  # fmt: skip
    many_shards.hear(sale, shard=THERE)
    many_shards.send(100, account=SARA, shard=THERE, to=ALI, to_shard=HERE)
    many_shards.deliver()
    refund = replace(
        sale, name="t.10000017.1.2", kind=Kind.REFUND, awards=(), original=sale.name, amount_rial=0
    )
    assert page_of(many_shards.hear(refund, shard=THERE)) == [
        ("sara", "debt", "NP", "baker", -100),
        ("baker", "issued", "NP", "", 100),
    ]
    many_shards.send(100)
    (arrived,) = many_shards.deliver()
    assert page_of(arrived)[2:] == [
        ("sara", "value", "NP", "", -100),
        ("sara", "debt", "NP", "baker", 100),
    ]


# --------------------------------------------------------------------------------------- exchange


def test_merchant_points_become_network_points_of_that_merchant(many_shards):
    many_shards.rate()
    many_shards.issue(1000, unit=MP)
    done = many_shards.exchange(MP, 999, 99, cost_rial=9_900)
    assert page_of(done) == [
        ("ali", "value", "MP", "baker", -999),
        ("network", "exchange", "MP", "baker", 999),
        ("ali", "value", "NP", "", 99),
        ("network", "exchange", "NP", "baker", -99),
    ]
    (lot,) = done.opened
    assert (lot.issuer, lot.funder, lot.cost_rial, lot.rule, lot.rule_version) == (
        BAKER, BAKER, 9_900, "5", 1,
    )  # fmt: skip
    assert [(r.kind, r.amount, r.claim_rial) for r in done.rows] == [
        (LotMovementKind.EXCHANGED, 999, 0)
    ]


def test_issuers_of_network_points_owe_the_merchant_what_they_cost(many_shards):
    many_shards.rate()
    many_shards.issue(30, issuer=GROCER)
    many_shards.issue(30)
    many_shards.issue(40, issuer=FLORIST)
    done = many_shards.exchange(NP, 100, 1000, fee_bp=150)
    assert page_of(done) == [
        ("grocer", "payable", "IRR", "baker", -3_000),
        ("baker", "receivable", "IRR", "grocer", 3_000),
        ("florist", "payable", "IRR", "baker", -4_000),
        ("baker", "receivable", "IRR", "florist", 4_000),
        ("baker", "payable", "IRR", "network", -105),
        ("network", "fee", "IRR", "baker", 105),
        ("ali", "value", "NP", "", -30),
        ("network", "exchange", "NP", "grocer", 30),
        ("ali", "value", "NP", "", -30),
        ("network", "exchange", "NP", "baker", 30),
        ("ali", "value", "NP", "", -40),
        ("network", "exchange", "NP", "florist", 40),
        ("ali", "value", "MP", "baker", 1000),
        ("network", "exchange", "MP", "baker", -1000),
    ]
    assert [(r.claim_rial, r.fee_rial, r.acceptor) for r in done.rows] == [
        (3_000, 45, BAKER), (3_000, 0, BAKER), (4_000, 60, BAKER),
    ]  # fmt: skip
    assert done.opened[0].cost_rial == 10_000


def test_an_exchange_needs_the_very_rate_that_both_accepted(many_shards):
    many_shards.issue(1000, unit=MP)
    many_shards.issue(1000)
    assert many_shards.exchange(MP, 100, 10).code == "unknown-rate"
    assert many_shards.rate(accepted_by=(BAKER,)).code == "rate-not-accepted"
    assert many_shards.rate(accepted_by=(1,)).code == "rate-not-accepted"
    many_shards.rate()
    many_shards.rate(ident="6", accepted_by=(1, GROCER))
    assert many_shards.exchange(MP, 100, 10, rate="6").code == "rate-not-accepted"
    assert many_shards.exchange(MP, 100, 10, version=2).code == "unknown-rate"
    assert many_shards.exchange(MP, 100, 20, numerator=2).code == "rate-differs"
    assert many_shards.exchange(NP, 100, 10, numerator=1, denominator=10).code == "rate-differs"
    assert many_shards.exchange(MP, 100, 11).code == "rate-gives-otherwise"
    assert many_shards.exchange(CR, 100, 10).code == "not-value"
    assert many_shards.exchange(MP, 100, 10, account=0).code == "no-account"
    assert many_shards.exchange(MP, 1010, 101).code == "insufficient-merchant-points"
    assert many_shards.exchange(NP, 1001, 10_010).code == "insufficient-points"
    many_shards.stand("frozen", party=BAKER)
    assert many_shards.exchange(MP, 100, 10).code == "party-frozen"


def test_an_installed_version_never_changes(many_shards):
    assert many_shards.rate().status is Status.COMPLETED
    assert many_shards.rate(2).code == "version-differs"
    assert many_shards.rate(accepted_by=(1, GROCER)).code == "version-differs"
    same = many_shards.rate(accepted_by=(BAKER, 1, 1))
    assert (same.status, same.code, same.change) == (Status.COMPLETED, "already-installed", None)
    assert many_shards.rate(2, version=2).code == ""
