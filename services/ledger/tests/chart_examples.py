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
    desk = ValueExamples()
    desk.buy(award(100))
    return desk.spend(60)


def redemption_with_own_discount():
    desk = ValueExamples()
    desk.buy(award(100))
    return desk.spend(60, own=500, own_max=500)


def redemption_of_points_that_got_dearer():
    desk = ValueExamples()
    desk.buy(award(100))
    return desk.spend(60, value=6_600, network_max=600)


def refund_of_a_purchase():
    desk = ValueExamples()
    sale = desk.buy(award(100, funder=NETWORK), lines=((1, 700_000), (2, 300_000)))
    return desk.refund(sale, (2, 300_000))


def refund_into_debt():
    desk = ValueExamples()
    sale = desk.buy(award(100))
    desk.spend(70)
    return desk.refund(sale)


def repayment():
    desk = ValueExamples()
    sale = desk.buy(award(100))
    desk.spend(70)
    desk.refund(sale)
    return desk.buy(award(200))


def refund_of_a_redemption():
    desk = ValueExamples()
    desk.buy(award(100))
    return desk.refund(desk.spend(60), amount_rial=500_000)


def reversal():
    desk = ValueExamples()
    sale = desk.buy(award(100, funder=NETWORK))
    return desk.reverse(sale.command.name)


# ----------------------------------------------------------------------------------- life of a lot


def issue():
    return ValueExamples().issue(50_000, unit=offices.CR, issuer=NETWORK)


def take_back():
    desk = ValueExamples()
    credit = desk.issue(50_000, unit=offices.CR, issuer=NETWORK)
    desk.spend(0, credit=20_000)
    return desk.take_back(credit)


def release_pending():
    desk = ValueExamples()
    return desk.arrives(desk.issue(100, pending_event="delivered"))


def cancel_pending():
    desk = ValueExamples()
    return desk.never_comes(desk.issue(100, pending_event="delivered", funder=NETWORK))


def expiry():
    desk = ValueExamples()
    sale = desk.buy(award(100, expires_at=desk.at + timedelta(hours=1)))
    desk.spend(30)
    desk.later(hours=2)
    return desk.expire(first_lot(sale))


def extension():
    desk = ValueExamples()
    sale = desk.buy(award(100, expires_at=desk.at + timedelta(hours=9)))
    return desk.extend(first_lot(sale), None)


def adjustment():
    return ValueExamples().adjust(40, funder=NETWORK, cost_rial=4_000)


# ---------------------------------------------------------------------------------- spend and hold


def spend_away():
    desk = ValueExamples()
    desk.buy(award(100))
    return desk.away(points=60, worth_rial=5_000, fee_bp=100)


def hold():
    desk = ValueExamples()
    desk.buy(award(100))
    return desk.hold(points=80)


def capture():
    desk = ValueExamples()
    desk.buy(award(100))
    return desk.capture(desk.hold(points=80), points=60, worth_rial=6_000, fee_bp=100)


def void():
    desk = ValueExamples()
    desk.buy(award(100))
    return desk.void(desk.hold(points=80))


def hold_due():
    desk = ValueExamples()
    desk.buy(award(100))
    held = desk.hold(points=80, hours=1)
    desk.later(hours=1)
    return desk.fall_due(held)


# ---------------------------------------------------------------------------------------- crossing


def sending():
    bazaar = TransferExamples()
    bazaar.issue(100)
    return bazaar.send(30)


def receipt():
    bazaar = TransferExamples()
    bazaar.issue(100)
    bazaar.send(30)
    return bazaar.deliver()[0]


def returning():
    bazaar = TransferExamples()
    bazaar.issue(100)
    bazaar.stand("closed", account=SARA, shard=THERE)
    bazaar.send(30)
    refused, back = bazaar.deliver()
    assert refused.code == "account-closed"
    assert refused.legs == ()
    return back


def exchange_in():
    bazaar = TransferExamples()
    bazaar.rate()
    bazaar.issue(1_000, unit=MP)
    return bazaar.exchange(MP, 1_000, 100, cost_rial=10_000)


def exchange_out():
    bazaar = TransferExamples()
    bazaar.rate()
    bazaar.issue(100, issuer=GROCER)
    return bazaar.exchange(NP, 100, 1_000, fee_bp=150)


def terms():
    return TransferExamples().rate()


def activation():
    return TransferExamples().card(200_000)


def reissue():
    bazaar = TransferExamples()
    bazaar.card(200_000)
    bazaar.issue(50_000, account=CARD, unit=GV, issuer=FLORIST, cost_rial=50_000)
    bazaar.card(account=OTHER_CARD, shard=THERE)
    return bazaar.reissue()


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
    office = NetworkExamples()
    office.grant(10_000)
    return office.buy(offices.award(60, issuer=GROCER))


def budget_sent():
    office = NetworkExamples()
    office.grant(10_000)
    return office.pass_on(4_000)


def budget_received():
    office = NetworkExamples()
    office.grant(10_000)
    office.pass_on(4_000)
    return office.deliver()[0]


def standing():
    return NetworkExamples().stand("frozen", account=ALI)


def window():
    office = _indebted()
    return office.close(1)


def settlement():
    office = _indebted()
    office.close(1)
    return office.settle(1, BAKER, GROCER, 10_000)


def settlement_with_the_network():
    office = _indebted()
    office.issue(10, issuer=NETWORK, funder=GROCER)
    office.close(1)
    return office.settle(1, GROCER, NETWORK, 1_100)


def settlement_turned_round():
    office = NetworkExamples()
    office.issue(1_000)
    spent = office.spend(100)
    office.close(1)
    office.settle(1, BAKER, GROCER, 10_000)
    office.undo(spent)
    office.close(2)
    return office.settle(2, GROCER, BAKER, 10_000)


def _indebted():
    """The baker owes the grocer 10,000 Rial, the grocer the network 100 of it."""
    office = NetworkExamples()
    office.issue(1_000)
    office.spend(100)
    return office


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
