"""The accountant's tables of gift cards and the wallet."""

import pytest
from msgspec.structs import replace

from contracts.ledger import RevokeIssue
from contracts.value import (
    TopUpWallet,
)

from .many_shards import ALI, BAKER, CARD, FLORIST, GROCER, HERE, OTHER_CARD, THERE
from .many_shards import page as page_of
from .transfer_examples import GV, NP, TransferExamples


@pytest.fixture
def many_shards():
    return TransferExamples()


# ------------------------------------------------------------------------------- cards and wallet


@pytest.mark.SH2
def test_a_card_is_activated_once_and_loaded_only_when_active(many_shards):
    load = {"account": CARD, "unit": GV, "issuer": GROCER, "cost_rial": 50_000}
    assert many_shards.issue(50_000, **load).code == "card-not-active"
    assert page_of(many_shards.card(200_000)) == [
        ("grocer", "issued", "GV", "", -200_000),
        ("card", "value", "GV", "", 200_000),
    ]
    assert many_shards.card(1).code == "card-already-active"
    assert many_shards.card(1, account=0).code == "no-account"
    many_shards.issue(5)
    assert many_shards.card(1, account=ALI).code == "account-in-use"
    assert page_of(many_shards.issue(50_000, **load)) == [
        ("grocer", "issued", "GV", "", -50_000),
        ("card", "value", "GV", "", 50_000),
    ]
    many_shards.stand("frozen", account=CARD)
    assert many_shards.issue(50_000, **load).code == "account-frozen"


@pytest.mark.SH2
def test_all_of_a_card_goes_to_a_new_one_and_the_old_one_closes(many_shards):
    many_shards.card(200_000)
    many_shards.issue(50_000, account=CARD, unit=GV, issuer=FLORIST, cost_rial=50_000)
    many_shards.card(account=OTHER_CARD, shard=THERE)
    many_shards.stand("frozen", account=CARD)
    assert many_shards.reissue(to=CARD, to_shard=HERE).code == "same-account"
    assert page_of(many_shards.reissue()) == [
        ("card", "value", "GV", "", -200_000),
        ("network", "transit", "GV", "grocer", 200_000),
        ("card", "value", "GV", "", -50_000),
        ("network", "transit", "GV", "florist", 50_000),
    ]
    many_shards.deliver()
    assert many_shards.lots(OTHER_CARD, shard=THERE) == [
        ("GV", GROCER, 200_000, 200_000), ("GV", FLORIST, 50_000, 50_000),
    ]  # fmt: skip
    assert many_shards.in_transit() == {}
    assert many_shards.reissue().code == "account-closed"
    assert many_shards.card(5).code == "account-closed"


@pytest.mark.SH2
def test_a_card_whose_successor_is_no_card_gets_all_back_and_is_blocked(many_shards):
    many_shards.card(200_000)
    many_shards.reissue()
    refused, back = many_shards.deliver()
    assert (refused.code, back.code) == ("card-not-active", "")
    assert many_shards.lots(CARD) == [("GV", GROCER, 200_000, 200_000)]
    assert many_shards.send(1, account=CARD, unit=GV).code == "account-frozen"
    assert many_shards.in_transit() == {}
    many_shards.card(account=OTHER_CARD, shard=THERE)
    many_shards.reissue()
    many_shards.deliver()
    assert many_shards.lots(OTHER_CARD, shard=THERE) == [("GV", GROCER, 200_000, 200_000)]


@pytest.mark.SH2
def test_a_card_with_held_value_or_no_card_is_not_reissued(many_shards):
    assert many_shards.reissue().code == "card-not-active"
    many_shards.card(account=OTHER_CARD, shard=THERE)
    many_shards.card(100)
    member = many_shards.book.member(HERE, CARD)
    ((number, lot),) = member.lots.items()
    member.lots[number] = replace(lot, held=1)
    assert many_shards.reissue().code == "value-held"
    member.lots[number] = lot
    member.debts[NP, BAKER] = -1
    assert many_shards.reissue().code == "account-owes"
    member.debts.clear()
    assert many_shards.send(100, account=CARD, unit=GV, to=OTHER_CARD).code == ""
    assert (many_shards.reissue().code, many_shards.reissue().code) == ("", "account-closed")


@pytest.mark.SH6
def test_money_paid_in_becomes_credit_and_the_custodian_has_the_cash(many_shards):
    paid = TopUpWallet(
        name="a.1000001.top-up-1", account=ALI, member=1, amount_rial=500_000, custodian=GROCER,
        merchant=GROCER,
    )  # fmt: skip
    done = many_shards.hear(paid)
    assert page_of(done) == [
        ("grocer", "issued", "CR", "", -500_000),
        ("ali", "value", "CR", "", 500_000),
        ("grocer", "wallet", "IRR", "", -500_000),
        ("grocer", "cash", "IRR", "", 500_000),
    ]
    assert done.opened[0].expires_at is None
    assert many_shards.hear(replace(paid, name="a.0.top-up", account=0)).code == "no-account"
    mine = RevokeIssue(name="a.1.back", account=ALI, member=1, issued_by=paid.name)
    assert many_shards.hear(mine).code == "unknown-original"
