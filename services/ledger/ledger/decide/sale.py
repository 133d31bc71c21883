"""Purchases and redemptions: spend first, then earn, debts repaid around both."""

from msgspec.structs import replace

from contracts.ledger import PostTransaction, Redemption
from contracts.pos import AnswerLine
from contracts.values import Kind, Status, Unit
from ledger.decide import verdicts
from ledger.decide.draft import Draft
from ledger.decide.verdicts import Said
from ledger.domain import chart, lots, money
from ledger.domain.book import LOTS_PER_COMMAND_MAX, Lot, What, discount_of, lots_of_awards


def decide(draft: Draft, body: PostTransaction) -> Said:
    """A purchase, or a redemption in one step (SH14, SH6): all or nothing."""
    if body.kind is Kind.REDEMPTION and body.redemption is None:
        return verdicts.no("no-terms")
    draft.settle_debts()  # what matured since the last command pays first
    said = Said(payable_rial=body.amount_rial)
    if body.redemption is not None:
        said = _redeem(draft, body, body.redemption)
    if said.status is not Status.COMPLETED:
        return said
    said = _earn(draft, body, said)
    draft.settle_debts()
    return said


def _redeem(draft: Draft, body: PostTransaction, terms: Redemption) -> Said:
    discount = discount_of(terms)
    if terms.points == 0 and terms.credit_rial == 0:
        return verdicts.no("nothing-to-redeem")
    if discount > body.amount_rial:
        return verdicts.no("more-than-the-basket")
    takes: list[tuple[Lot, int]] = []
    for unit, demand, lack in (
        (Unit.NETWORK_POINTS, terms.points, "insufficient-points"),
        (Unit.CREDIT, terms.credit_rial, "insufficient-credit"),
    ):
        plan = lots.plan_consumption(draft.of(unit), demand, now=draft.now)
        if plan.short:
            return verdicts.no(lack, available=demand - plan.short, short=plan.short)
        takes += plan.takes
    if len(takes) > LOTS_PER_COMMAND_MAX:
        return verdicts.no("too-many-lots")
    costs = [lots.cost_of(lot, amount) for lot, amount in takes]
    leg = money.settle(costs, [lot.issuer for lot, _ in takes], body.acceptor, terms)
    if isinstance(leg, money.OwnDiscountTooLarge):
        return verdicts.no("own-discount-too-large", own=leg.own_rial, max=leg.max_rial)
    _spend(draft, takes, costs, leg)
    return Said(
        points_redeemed=terms.points,
        credit_redeemed_rial=terms.credit_rial,
        discount_rial=discount,
        own_discount_rial=leg.own_rial,
        payable_rial=body.amount_rial - discount,
    )


def _spend(
    draft: Draft, takes: list[tuple[Lot, int]], costs: list[int], leg: money.MoneyLeg
) -> None:
    spent: list[chart.Spent] = []
    for (lot, amount), cost, claim, fee in zip(takes, costs, leg.claims, leg.fees, strict=True):
        draft.take_at(lot, amount, What.REDEEMED, cost, claim=claim, fee=fee)
        spent.append(chart.Spent(lot.unit, lot.issuer, amount, claim, fee, cost - claim))
    for transfer in chart.redeem(draft.owner, draft.acceptor, spent, leg.own_rial):
        draft.post(transfer)


def _earn(draft: Draft, body: PostTransaction, said: Said) -> Said:
    if not body.awards:
        return replace(said, lines=body.unearned) if body.unearned else said
    if len(body.awards) > LOTS_PER_COMMAND_MAX:
        return verdicts.no("too-many-awards")
    opened, _ = lots_of_awards(
        body,
        draft.owner,
        sequence=draft.sequence,
        occurred_at=draft.command.occurred_at,
        now=draft.now,
    )
    for lot in opened:
        draft.open(lot)
    points = [lot for lot in opened if lot.unit is Unit.NETWORK_POINTS]
    waiting = [lot for lot in points if lot.available_from > draft.now]
    lines = [
        AnswerLine(
            line=award.line,
            points=award.amount if award.unit is Unit.NETWORK_POINTS else 0,
            rule=award.rule,
            rule_version=award.rule_version,
            funder=award.funder,
        )
        for award in body.awards
    ]
    return replace(
        said,
        status=Status.HELD if body.review_due_at is not None else Status.COMPLETED,
        points_earned=sum(lot.amount for lot in points),
        points_pending=sum(lot.amount for lot in waiting),
        pending_until=max((lot.available_from for lot in waiting), default=None),
        lines=(*lines, *body.unearned),
    )
