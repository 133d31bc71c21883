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
def bazaar():
    return TransferExamples()


# ------------------------------------------------------------------------------- cards and wallet


@pytest.mark.SH2
def test_a_card_is_activated_once_and_loaded_only_when_active(bazaar):
    load = {"account": CARD, "unit": GV, "issuer": GROCER, "cost_rial": 50_000}
    assert bazaar.issue(50_000, **load).code == "card-not-active"
    assert page_of(bazaar.card(200_000)) == [
        ("grocer", "issued", "GV", "", -200_000),
        ("card", "value", "GV", "", 200_000),
    ]
    assert bazaar.card(1).code == "card-already-active"
    assert bazaar.card(1, account=0).code == "no-account"
    bazaar.issue(5)
    assert bazaar.card(1, account=ALI).code == "account-in-use"
    assert page_of(bazaar.issue(50_000, **load)) == [
        ("grocer", "issued", "GV", "", -50_000),
        ("card", "value", "GV", "", 50_000),
    ]
    bazaar.stand("frozen", account=CARD)
    assert bazaar.issue(50_000, **load).code == "account-frozen"


@pytest.mark.SH2
def test_all_of_a_card_goes_to_a_new_one_and_the_old_one_closes(bazaar):
    bazaar.card(200_000)
    bazaar.issue(50_000, account=CARD, unit=GV, issuer=FLORIST, cost_rial=50_000)
    bazaar.card(account=OTHER_CARD, shard=THERE)
    bazaar.stand("frozen", account=CARD)
    assert bazaar.reissue(to=CARD, to_shard=HERE).code == "same-account"
    assert page_of(bazaar.reissue()) == [
        ("card", "value", "GV", "", -200_000),
        ("network", "transit", "GV", "grocer", 200_000),
        ("card", "value", "GV", "", -50_000),
        ("network", "transit", "GV", "florist", 50_000),
    ]
    bazaar.deliver()
    assert bazaar.lots(OTHER_CARD, shard=THERE) == [
        ("GV", GROCER, 200_000, 200_000), ("GV", FLORIST, 50_000, 50_000),
    ]  # fmt: skip
    assert bazaar.in_transit() == {}
    assert bazaar.reissue().code == "account-closed"
    assert bazaar.card(5).code == "account-closed"


@pytest.mark.SH2
def test_a_card_whose_successor_is_no_card_gets_all_back_and_is_blocked(bazaar):
    bazaar.card(200_000)
    bazaar.reissue()
    refused, back = bazaar.deliver()
    assert (refused.code, back.code) == ("card-not-active", "")
    assert bazaar.lots(CARD) == [("GV", GROCER, 200_000, 200_000)]
    assert bazaar.send(1, account=CARD, unit=GV).code == "account-frozen"
    assert bazaar.in_transit() == {}
    bazaar.card(account=OTHER_CARD, shard=THERE)
    bazaar.reissue()
    bazaar.deliver()
    assert bazaar.lots(OTHER_CARD, shard=THERE) == [("GV", GROCER, 200_000, 200_000)]


@pytest.mark.SH2
def test_a_card_with_held_value_or_no_card_is_not_reissued(bazaar):
    assert bazaar.reissue().code == "card-not-active"
    bazaar.card(account=OTHER_CARD, shard=THERE)
    bazaar.card(100)
    member = bazaar.book.member(HERE, CARD)
    ((number, lot),) = member.lots.items()
    member.lots[number] = replace(lot, held=1)
    assert bazaar.reissue().code == "value-held"
    member.lots[number] = lot
    member.debts[NP, BAKER] = -1
    assert bazaar.reissue().code == "account-owes"
    member.debts.clear()
    assert bazaar.send(100, account=CARD, unit=GV, to=OTHER_CARD).code == ""
    assert (bazaar.reissue().code, bazaar.reissue().code) == ("", "account-closed")


@pytest.mark.SH6
def test_money_paid_in_becomes_credit_and_the_custodian_has_the_cash(bazaar):
    paid = TopUpWallet(
        name="a.1000001.top-up-1", account=ALI, member=1, amount_rial=500_000, custodian=GROCER,
        merchant=GROCER,
    )  # fmt: skip
    done = bazaar.hear(paid)
    assert page_of(done) == [
        ("grocer", "issued", "CR", "", -500_000),
        ("ali", "value", "CR", "", 500_000),
        ("grocer", "wallet", "IRR", "", -500_000),
        ("grocer", "cash", "IRR", "", 500_000),
    ]
    assert done.opened[0].expires_at is None
    assert bazaar.hear(replace(paid, name="a.0.top-up", account=0)).code == "no-account"
    mine = RevokeIssue(name="a.1.back", account=ALI, member=1, issued_by=paid.name)
    assert bazaar.hear(mine).code == "unknown-original"
