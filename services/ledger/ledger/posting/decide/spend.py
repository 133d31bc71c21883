"""Value spent: the lots that pay for each unit, and the money leg of them all."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from contracts.value import RedemptionTerms, SpendValue
from contracts.values import Unit
from ledger.book import chart, lots, money
from ledger.book.facts import LOTS_PER_COMMAND_MAX, Lot, LotMovementKind
from ledger.posting.decide import lot_maintenance
from ledger.posting.decide.debits import of_units
from ledger.posting.decide.draft import AccountDraft
from ledger.posting.decide.effects import Effects, decline, decline_too_many
from ledger.posting.decide.kinds import Kind, always

Takes = list[tuple[Lot, int]]


class Demand(NamedTuple):
    """An amount of a unit, of one issuer where that is named. lack: the code for too little."""

    unit: Unit
    issuer: int | None
    amount: int
    lack: str


def spend(draft: AccountDraft, body: SpendValue) -> Effects:
    """Spend value away from a till (RK1): a redemption whose basket is what the value is worth."""
    if not body.account:
        return decline("no-account")
    if no := refuse_place(body.acceptor, body.spend):
        return no
    draft.settle_debts()
    takes = plan(draft, demands(body.spend, body.acceptor))
    effects = takes if isinstance(takes, Effects) else pay(draft, takes, body.spend)
    if effects.code:
        return effects
    lot_maintenance.renew(draft)
    return effects


def demands(spent: RedemptionTerms, acceptor: int) -> tuple[Demand, ...]:
    """The demands of a spend, unit by unit; merchant points are the acceptor's own."""
    return (
        Demand(Unit.NETWORK_POINTS, None, spent.points, "insufficient-points"),
        Demand(
            Unit.MERCHANT_POINTS, acceptor, spent.merchant_points, "insufficient-merchant-points"
        ),
        Demand(Unit.CREDIT, None, spent.credit_rial, "insufficient-credit"),
        Demand(Unit.GIFT, None, spent.gift_rial, "insufficient-gift"),
    )


def refuse_place(acceptor: int, spent: RedemptionTerms) -> Effects | None:
    """A decline of a spend that names no acceptor but needs one."""
    if not acceptor and (spent.merchant_points or spent.worth_rial):
        return decline("no-acceptor")
    return None


def plan(draft: AccountDraft, demands: Sequence[Demand]) -> Takes | Effects:
    """The lots that a spend takes now, or why it cannot; nothing is taken yet."""
    takes: Takes = []
    for unit, issuer, amount, lack in demands:
        if not amount:
            continue
        unit_plan = draft.plan_all(unit, issuer, amount)
        if unit_plan.short:
            return decline(lack, available=amount - unit_plan.short, short=unit_plan.short)
        takes += unit_plan.takes
    if not takes:
        return decline("nothing-to-redeem")
    return decline_too_many(takes, LOTS_PER_COMMAND_MAX) or takes


def pay(draft: AccountDraft, takes: Takes, spent: RedemptionTerms) -> Effects:
    """Take and book the value of a spend away from a till."""
    leg = consume(draft, takes, money.of_spend(spent))
    if isinstance(leg, Effects):
        return leg
    return Effects(
        points_redeemed=spent.points,
        credit_redeemed_rial=spent.credit_rial,
        gift_redeemed_rial=spent.gift_rial,
        discount_rial=spent.worth_rial,
        own_discount_rial=leg.own_rial,
        amount_rial=spent.worth_rial,
    )


def consume(
    draft: AccountDraft, takes: Takes, discount: money.Discount
) -> money.MoneyLeg | Effects:
    """Take planned lots and book both legs. takes: lots in their present state, each once."""
    costs = [lots.cost_of(lot, amount) for lot, amount in takes]
    leg = money.settle(costs, [lot.issuer for lot, _ in takes], draft.acceptor, discount)
    if isinstance(leg, money.OwnDiscountTooLarge):
        return decline("own-discount-too-large", own=leg.own_rial, max=leg.max_rial)
    spent: list[chart.Spent] = []
    for (lot, amount), cost, claim, fee in zip(takes, costs, leg.claims, leg.fees, strict=True):
        draft.take_at(lot, amount, LotMovementKind.REDEEMED, cost, claim=claim, fee=fee)
        spent.append(chart.Spent(lot.unit, lot.issuer, amount, claim, fee, cost - claim))
    added = chart.Added(leg.own_rial, leg.network_rial)
    for transfer in chart.redeem(draft.owner, draft.acceptor, spent, added):
        draft.post(transfer)
    return leg


KINDS: Final = (
    Kind(
        SpendValue,
        lambda draft, body, _: spend(draft, body),
        debits=lambda body, _: of_units(body.spend, body.acceptor),
        parties=lambda body: (body.acceptor,),
        leaves=always,
        begins=lambda body: body.acceptor,
    ),
)
