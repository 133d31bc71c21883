"""The worked examples of the page of accounts: each tells its story and gives the last decision."""

from datetime import timedelta

from contracts.value import TopUpWallet
from ledger.book.facts import Role

from . import network_examples as offices
from .many_shards import (
    ALI,
    BAKER,
    CARD,
    FLORIST,
    GROCER,
    NETWORK,
    OTHER_CARD,
    SARA,
    THERE,
    WHO,
)
from .network_examples import NetworkExamples
from .one_shard import award
from .transfer_examples import GV, MP, NP, TransferExamples
from .value_examples import ValueExamples, first_lot

BUDGETS = (Role.BUDGET, Role.BUDGET_GRANTED, Role.BUDGET_SPENT)


def page(decision):
    """Entries as the page has them: who, account, unit, towards whom, amount with its sign."""
    return [
        (
            WHO[leg.account.owner], leg.account.role.value, leg.account.unit.value,
            _towards(leg.account), leg.amount,
        )
        for leg in decision.legs
    ]  # fmt: skip


def _towards(key):
    if not key.counterparty:
        return ""
    return f"campaign {key.counterparty}" if key.role in BUDGETS else WHO[key.counterparty]


# ---------------------------------------------------------------------------------------- the till


def purchase():
    return ValueExamples().buy(award(100, funder=NETWORK))


def redemption():
    one_shard = ValueExamples()
    one_shard.buy(award(100))
    return one_shard.spend(60)


def redemption_with_own_discount():
    one_shard = ValueExamples()
    one_shard.buy(award(100))
    return one_shard.spend(60, own=500, own_max=500)


def redemption_of_points_that_got_dearer():
    one_shard = ValueExamples()
    one_shard.buy(award(100))
    return one_shard.spend(60, value=6_600, network_max=600)


def refund_of_a_purchase():
    one_shard = ValueExamples()
    sale = one_shard.buy(award(100, funder=NETWORK), lines=((1, 700_000), (2, 300_000)))
    return one_shard.refund(sale, (2, 300_000))


def refund_into_debt():
    one_shard = ValueExamples()
    sale = one_shard.buy(award(100))
    one_shard.spend(70)
    return one_shard.refund(sale)


def repayment():
    one_shard = ValueExamples()
    sale = one_shard.buy(award(100))
    one_shard.spend(70)
    one_shard.refund(sale)
    return one_shard.buy(award(200))


def refund_of_a_redemption():
    one_shard = ValueExamples()
    one_shard.buy(award(100))
    return one_shard.refund(one_shard.spend(60), amount_rial=500_000)


def reversal():
    one_shard = ValueExamples()
    sale = one_shard.buy(award(100, funder=NETWORK))
    return one_shard.reverse(sale.command.name)


# ----------------------------------------------------------------------------------- life of a lot


def issue():
    return ValueExamples().issue(50_000, unit=offices.CR, issuer=NETWORK)


def take_back():
    one_shard = ValueExamples()
    credit = one_shard.issue(50_000, unit=offices.CR, issuer=NETWORK)
    one_shard.spend(0, credit=20_000)
    return one_shard.take_back(credit)


def release_pending():
    one_shard = ValueExamples()
    return one_shard.arrives(one_shard.issue(100, pending_event="delivered"))


def cancel_pending():
    one_shard = ValueExamples()
    return one_shard.never_comes(one_shard.issue(100, pending_event="delivered", funder=NETWORK))


def expiry():
    one_shard = ValueExamples()
    sale = one_shard.buy(award(100, expires_at=one_shard.at + timedelta(hours=1)))
    one_shard.spend(30)
    one_shard.later(hours=2)
    return one_shard.expire(first_lot(sale))


def extension():
    one_shard = ValueExamples()
    sale = one_shard.buy(award(100, expires_at=one_shard.at + timedelta(hours=9)))
    return one_shard.extend(first_lot(sale), None)


def adjustment():
    return ValueExamples().adjust(40, funder=NETWORK, cost_rial=4_000)


# ---------------------------------------------------------------------------------- spend and hold


def spend_away():
    one_shard = ValueExamples()
    one_shard.buy(award(100))
    return one_shard.away(points=60, worth_rial=5_000, fee_bp=100)


def hold():
    one_shard = ValueExamples()
    one_shard.buy(award(100))
    return one_shard.hold(points=80)


def capture():
    one_shard = ValueExamples()
    one_shard.buy(award(100))
    return one_shard.capture(one_shard.hold(points=80), points=60, worth_rial=6_000, fee_bp=100)


def void():
    one_shard = ValueExamples()
    one_shard.buy(award(100))
    return one_shard.void(one_shard.hold(points=80))


def hold_due():
    one_shard = ValueExamples()
    one_shard.buy(award(100))
    held = one_shard.hold(points=80, hours=1)
    one_shard.later(hours=1)
    return one_shard.fall_due(held)


# ---------------------------------------------------------------------------------------- crossing


def sending():
    many_shards = TransferExamples()
    many_shards.issue(100)
    return many_shards.send(30)


def receipt():
    many_shards = TransferExamples()
    many_shards.issue(100)
    many_shards.send(30)
    return many_shards.deliver()[0]


def returning():
    many_shards = TransferExamples()
    many_shards.issue(100)
    many_shards.stand("closed", account=SARA, shard=THERE)
    many_shards.send(30)
    refused, back = many_shards.deliver()
    assert refused.code == "account-closed"
    assert refused.legs == ()
    return back


def exchange_in():
    many_shards = TransferExamples()
    many_shards.rate()
    many_shards.issue(1_000, unit=MP)
    return many_shards.exchange(MP, 1_000, 100, cost_rial=10_000)


def exchange_out():
    many_shards = TransferExamples()
    many_shards.rate()
    many_shards.issue(100, issuer=GROCER)
    return many_shards.exchange(NP, 100, 1_000, fee_bp=150)


def terms():
    return TransferExamples().rate()


def activation():
    return TransferExamples().card(200_000)


def reissue():
    many_shards = TransferExamples()
    many_shards.card(200_000)
    many_shards.issue(50_000, account=CARD, unit=GV, issuer=FLORIST, cost_rial=50_000)
    many_shards.card(account=OTHER_CARD, shard=THERE)
    return many_shards.reissue()


def top_up():
    return TransferExamples().hear(
        TopUpWallet(
            name="a.1000001.top-up-1", account=ALI, member=1, amount_rial=500_000,
            custodian=GROCER, merchant=GROCER,
        )
    )  # fmt: skip


# ------------------------------------------------------------------------------------- the registry


def budget_granted():
    return NetworkExamples().grant(10_000)


def budget_drawn():
    network = NetworkExamples()
    network.grant(10_000)
    return network.buy(offices.award(60, issuer=GROCER))


def budget_sent():
    network = NetworkExamples()
    network.grant(10_000)
    return network.pass_on(4_000)


def budget_received():
    network = NetworkExamples()
    network.grant(10_000)
    network.pass_on(4_000)
    return network.deliver()[0]


def standing():
    return NetworkExamples().stand("frozen", account=ALI)


def window():
    network = _indebted()
    return network.close(1)


def settlement():
    network = _indebted()
    network.close(1)
    return network.settle(1, BAKER, GROCER, 10_000)


def settlement_with_the_network():
    network = _indebted()
    network.issue(10, issuer=NETWORK, funder=GROCER)
    network.close(1)
    return network.settle(1, GROCER, NETWORK, 1_100)


def settlement_turned_round():
    network = NetworkExamples()
    network.issue(1_000)
    spent = network.spend(100)
    network.close(1)
    network.settle(1, BAKER, GROCER, 10_000)
    network.undo(spent)
    network.close(2)
    return network.settle(2, GROCER, BAKER, 10_000)


def _indebted():
    """The baker owes the grocer 10,000 Rial, the grocer the network 100 of it."""
    network = NetworkExamples()
    network.issue(1_000)
    network.spend(100)
    return network


EXAMPLES = {  # by heading of the page
    "Purchase": purchase,
    "Redemption at another merchant": redemption,
    "Redemption worth more than the points cost": redemption_with_own_discount,
    "Redemption of points that got dearer": redemption_of_points_that_got_dearer,
    "Refund of a purchase, by line": refund_of_a_purchase,
    "Refund of a purchase whose points are spent": refund_into_debt,
    "Repayment of a debt": repayment,
    "Refund of half a redemption": refund_of_a_redemption,
    "Reversal": reversal,
    "Issue": issue,
    "Take-back": take_back,
    "Cancellation of pending value": cancel_pending,
    "Expiry": expiry,
    "Adjustment": adjustment,
    "Spend away from a till": spend_away,
    "Capture of a hold": capture,
    "Sending": sending,
    "Receipt": receipt,
    "Return": returning,
    "Exchange, merchant points for network points": exchange_in,
    "Exchange, network points for merchant points": exchange_out,
    "Activation of a gift card": activation,
    "Reissue of a gift card": reissue,
    "Top-up of a wallet": top_up,
    "Grant of a budget": budget_granted,
    "Purchase paid by a budget": budget_drawn,
    "Sending of a budget": budget_sent,
    "Receipt of a budget": budget_received,
    "Settlement of a claim": settlement,
    "Settlement with the network": settlement_with_the_network,
    "Settlement turned round": settlement_turned_round,
}

WITHOUT_ENTRIES = {  # by command
    "release-pending.v1": release_pending,
    "extend-lot.v1": extension,
    "hold-value.v1": hold,
    "void-hold.v1": void,
    "release-hold.v1": hold_due,
    "install-terms.v1": terms,
    "set-standing.v1": standing,
    "close-window.v1": window,
}
