"""The accountant's tables of settlement: windows cut, positions paid, in order, both ways."""

import pytest

from ledger.posting.domain import texts

from .many_shards import BAKER, GROCER, NETWORK
from .many_shards import page as page_of
from .network_examples import NetworkExamples

pytestmark = pytest.mark.SH14


@pytest.fixture
def network():
    return NetworkExamples()


# ------------------------------------------------------------------------------------- settlement


def test_windows_are_cut_in_order(network):
    assert network.close(2).code == "not-the-next-window"
    assert network.close(1).code == ""
    assert network.close(1).code == "not-the-next-window"
    assert network.close(2).code == ""


def test_what_was_owed_at_the_cut_is_settled_against_cash(network):
    network.issue(1_000)
    network.spend(100)
    network.close(1)
    network.spend(50)
    assert network.settle(2, BAKER, GROCER, 1).code == "window-not-closed"
    over = network.settle(1, BAKER, GROCER, 10_001)
    assert over.code == "more-than-owed"
    assert page_of(network.settle(1, BAKER, GROCER, 4_000)) == [
        ("baker", "payable", "IRR", "grocer", 4_000),
        ("grocer", "receivable", "IRR", "baker", -4_000),
        ("baker", "cash", "IRR", "", -4_000),
        ("grocer", "cash", "IRR", "", 4_000),
    ]
    assert network.settle(1, BAKER, GROCER, 6_001).code == "more-than-owed"
    network.close(2)
    assert network.settle(2, BAKER, GROCER, 5_000).code == "earlier-window-open"
    assert network.settle(1, BAKER, GROCER, 6_000).code == ""
    assert network.settle(2, BAKER, GROCER, 5_000).code == ""
    assert network.settle(1, BAKER, GROCER, 1).code == "more-than-owed"
    assert network.balance(BAKER, "payable", "IRR", GROCER) == 0
    assert network.balance(GROCER, "cash", "IRR", 0) == 15_000


def test_the_networks_fees_stand_on_an_account_of_their_own(network):
    network.issue(1_000)
    network.issue(10, issuer=NETWORK, funder=GROCER)
    network.spend(500)
    network.close(1)
    assert page_of(network.settle(1, GROCER, NETWORK, 1_500)) == [
        ("grocer", "payable", "IRR", "network", 1_500),
        ("network", "receivable", "IRR", "grocer", -1_000),
        ("network", "fee", "IRR", "grocer", -500),
        ("grocer", "cash", "IRR", "", -1_500),
        ("network", "cash", "IRR", "", 1_500),
    ]


def test_what_was_settled_and_refunded_later_is_owed_back(network):
    network.issue(1_000)
    spent = network.spend(100)
    network.close(1)
    network.settle(1, BAKER, GROCER, 10_000)
    network.settle(1, GROCER, NETWORK, 100)
    network.undo(spent)
    network.close(2)
    assert network.settle(2, BAKER, GROCER, 1).code == "more-than-owed"
    assert page_of(network.settle(2, GROCER, BAKER, 10_000)) == [
        ("baker", "payable", "IRR", "grocer", -10_000),
        ("grocer", "receivable", "IRR", "baker", 10_000),
        ("baker", "cash", "IRR", "", 10_000),
        ("grocer", "cash", "IRR", "", -10_000),
    ]
    assert page_of(network.settle(2, NETWORK, GROCER, 100)) == [
        ("grocer", "payable", "IRR", "network", -100),
        ("network", "fee", "IRR", "grocer", 100),
        ("grocer", "cash", "IRR", "", 100),
        ("network", "cash", "IRR", "", -100),
    ]
    network.spend(30)
    network.close(3)
    assert network.settle(3, BAKER, GROCER, 3_000).code == ""
    assert network.settle(2, BAKER, GROCER, 1).code == "more-than-owed"
    for party in (BAKER, GROCER, NETWORK):
        for other in (BAKER, GROCER):
            assert network.balance(party, "payable", "IRR", other) == 0


def test_a_window_that_a_later_payment_passed_is_not_opened_again(network):
    network.issue(1_000)
    network.close(1)
    spent = network.spend(100)
    network.close(2)
    network.settle(2, BAKER, GROCER, 10_000)
    network.undo(spent)
    network.spend(5)
    assert network.settle(1, GROCER, BAKER, 1).code == "window-passed"


def test_every_code_has_its_line_in_both_languages():
    for code, (fa, en) in texts.REASONS.items():
        assert fa != en, code
        assert en.endswith("."), code
