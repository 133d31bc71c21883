"""Purchases and redemptions: value is spent, then earned; debts are repaid before and after."""

from collections.abc import Sequence

from msgspec.structs import replace

from contracts.ledger import PostTransaction, Redemption
from contracts.pos import AnswerLine, Line
from contracts.values import Kind, Status, Unit
from ledger.book import lots, money
from ledger.book.facts import LOTS_PER_COMMAND_MAX, discount_of, lots_of_awards
from ledger.posting.decide import budgets, lot_maintenance, spend
from ledger.posting.decide.draft import AccountDraft
from ledger.posting.decide.effects import Effects, decline
from ledger.posting.decide.spend import Demand


def decide(draft: AccountDraft, body: PostTransaction) -> Effects:
    """A purchase, or a redemption in one step (SH14, SH6): all or nothing."""
    if body.kind is Kind.REDEMPTION and body.redemption is None:
        return decline("no-terms")
    if (no := refuse_lines(body.lines)) is not None:
        return no
    draft.settle_debts()  # value that became available since the last command pays first
    effects = Effects(payable_rial=body.amount_rial)
    if body.redemption is not None:
        takes = plan(draft, body, body.redemption)
        effects = (
            takes if isinstance(takes, Effects) else redeem(draft, body, body.redemption, takes)
        )
    if effects.status is not Status.COMPLETED:
        return effects
    effects = earn(draft, body, effects)
    if effects.status is not Status.DECLINED:
        draft.settle_debts()
        lot_maintenance.renew(draft)
    return effects


def refuse_lines(lines: Sequence[Line]) -> Effects | None:
    """A decline of a basket that has a line number twice: a refund names lines by number."""
    if len(lines) < 2:
        return None
    known: set[int] = set()
    for line in lines:
        if line.line in known:
            return decline("line-twice", line=line.line)
        known.add(line.line)
    return None


def plan(draft: AccountDraft, body: PostTransaction, terms: Redemption) -> spend.Takes | Effects:
    """The lots that the redemption of a sale takes now, or why it cannot."""
    if (no := refuse_terms(body, terms)) is not None:
        return no
    return spend.plan(draft, demands(terms))


def refuse_terms(body: PostTransaction, terms: Redemption) -> Effects | None:
    """A decline of terms that spend nothing, more than the basket, or nowhere."""
    if terms.points == 0 and terms.credit_rial == 0 and terms.gift_rial == 0:
        return decline("nothing-to-redeem")
    if discount_of(terms) > body.amount_rial:
        return decline("more-than-the-basket")
    return None if body.acceptor else decline("no-acceptor")


def demands(terms: Redemption) -> tuple[Demand, ...]:
    """The demands of a redemption at a till, unit by unit."""
    return (
        Demand(Unit.NETWORK_POINTS, None, terms.points, "insufficient-points"),
        Demand(Unit.CREDIT, None, terms.credit_rial, "insufficient-credit"),
        Demand(Unit.GIFT, None, terms.gift_rial, "insufficient-gift"),
    )


def redeem(
    draft: AccountDraft, body: PostTransaction, terms: Redemption, takes: spend.Takes
) -> Effects:
    """Take planned lots for the terms of a sale, and book what their issuers owe for them."""
    discount = discount_of(terms)
    leg = spend.consume(draft, takes, money.of_redemption(terms))
    if isinstance(leg, Effects):
        return leg
    return Effects(
        points_redeemed=terms.points,
        credit_redeemed_rial=terms.credit_rial,
        gift_redeemed_rial=terms.gift_rial,
        discount_rial=discount,
        own_discount_rial=leg.own_rial,
        payable_rial=body.amount_rial - discount,
    )


def earn(draft: AccountDraft, body: PostTransaction, effects: Effects) -> Effects:
    """Open the lots of a sale's awards, as far as their budgets go."""
    if not body.awards:
        return replace(effects, lines=body.unearned) if body.unearned else effects
    if len(body.awards) > LOTS_PER_COMMAND_MAX:
        return decline("too-many-awards")
    refused = budgets.refused_awards(draft, body.awards)
    opened, _ = lots_of_awards(
        budgets.without(body, refused) if refused else body,
        draft.owner,
        sequence=draft.sequence,
        occurred_at=draft.command.occurred_at,
        now=draft.now,
    )
    for lot in opened:
        draft.open(lot)
    points = [lot for lot in opened if lot.unit is Unit.NETWORK_POINTS]
    waiting = [lot for lot in points if lots.pending(lot, draft.now)]
    lines = [
        AnswerLine(
            line=award.line,
            points=0 if place in refused or award.unit is not Unit.NETWORK_POINTS else award.amount,
            rule=award.rule,
            rule_version=award.rule_version,
            funder=award.funder,
            reason=refused.get(place),
        )
        for place, award in enumerate(body.awards)
    ]
    return replace(
        effects,
        status=Status.UNDER_REVIEW
        if body.review_due_at is not None and opened
        else Status.COMPLETED,
        points_earned=sum(lot.amount for lot in points),
        points_pending=sum(lot.amount for lot in waiting),
        pending_until=max((at for lot in waiting if (at := lot.available_from)), default=None),
        lines=(*lines, *body.unearned),
        refused_awards=tuple([(place, reason.code) for place, reason in refused.items()]),
    )
