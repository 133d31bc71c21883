"""Purchases and redemptions: value is spent, then earned."""

from verifier.model import budgets, life, money
from verifier.model.computation import CREDIT, GIFT, POINTS, Draft, Effects, No
from verifier.model.messages import AnswerLine, Deal, Prize, Transaction, Why
from verifier.model.originals import kins_of
from verifier.state import LOTS_PER_SEQUENCE, Lot


def sell(draft: Draft, body: Transaction) -> Effects:
    """One sale, all of it or nothing."""
    if not draft.owner:
        raise No("no-account")
    if body.kind == "redemption" and body.redemption is None:
        raise No("no-terms")
    if len({line.line for line in body.lines}) < len(body.lines):
        raise No("line-twice")
    draft.repay()
    effects = Effects(payable_rial=body.amount_rial)
    if body.redemption is not None:
        pay(draft, body, body.redemption, effects, takes_of(draft, body, body.redemption))
    earn(draft, body, effects)
    draft.repay()
    life.renew(draft)
    return effects


def check(body: Transaction, deal: Deal) -> None:
    """The terms of a sale spend something, no more than its basket, and somewhere."""
    if not deal.points and not deal.credit_rial and not deal.gift_rial:
        raise No("nothing-to-redeem")
    if money.worth_of(deal).discount > body.amount_rial:
        raise No("more-than-the-basket")
    if not body.acceptor:
        raise No("no-acceptor")


def takes_of(draft: Draft, body: Transaction, deal: Deal) -> list[tuple[Lot, int]]:
    """The lots that a sale takes now."""
    check(body, deal)
    takes = draft.plan(POINTS, deal.points, "insufficient-points")
    takes += draft.plan(CREDIT, deal.credit_rial, "insufficient-credit")
    takes += draft.plan(GIFT, deal.gift_rial, "insufficient-gift")
    if len(takes) > LOTS_PER_SEQUENCE:
        raise No("too-many-lots")
    return takes


def pay(
    draft: Draft, body: Transaction, deal: Deal, effects: Effects, takes: list[tuple[Lot, int]]
) -> None:
    """Take lots for a sale and book what is owed for them."""
    worth = money.worth_of(deal)
    discount = worth.discount
    own = money.spend(draft, takes, worth)
    effects.numbers = {
        "points_redeemed": deal.points,
        "credit_redeemed_rial": deal.credit_rial,
        "gift_redeemed_rial": deal.gift_rial,
        "discount_rial": discount,
        "own_discount_rial": own,
        "payable_rial": body.amount_rial - discount,
    }


def earn(draft: Draft, body: Transaction, effects: Effects) -> None:
    """Open the lots of a sale's prizes, as far as their budgets go."""
    if not body.awards:
        effects.lines = list(body.unearned)
        return
    if len(body.awards) > LOTS_PER_SEQUENCE:
        raise No("too-many-awards")
    refused = budgets.refused(draft, body.awards)
    effects.refused_awards = sorted(refused.items())
    effects.lines = [_answer_line(prize, refused.get(i)) for i, prize in enumerate(body.awards)]
    effects.lines += body.unearned
    awards = [prize for i, prize in enumerate(body.awards) if i not in refused]
    opened = kins_of(body, awards, draft.now)
    earned = waiting = 0
    until: int | None = None
    for kin, (amount, cost) in opened.items():
        unit, issuer, funder, rule, version, start, expires, sliding = kin
        like = {
            "unit": unit, "issuer": issuer, "funder": funder, "start": start, "until": expires,
            "born": draft.occurred, "merchant": body.merchant, "rule": rule, "version": version,
            "origin": "award", "parent": None, "sliding": sliding,
        }  # fmt: skip
        draft.open(like, amount, cost)
        draft.issue(unit, issuer, amount)
        draft.fund(issuer, funder, cost)
        if unit == POINTS:
            earned += amount
            if start > draft.now:
                waiting += amount
                until = start if until is None else max(until, start)
    effects.numbers |= {"points_earned": earned, "points_pending": waiting, "pending_until": until}
    if body.review_due_at is not None and opened:
        effects.status = "held"


def _answer_line(prize: Prize, refused: str | None) -> AnswerLine:
    if refused is not None:
        why = Why(refused, "", "")
        return AnswerLine(prize.line, 0, prize.rule, prize.rule_version, prize.funder, why)
    points = prize.amount if prize.unit == POINTS else 0
    return AnswerLine(prize.line, points, prize.rule, prize.rule_version, prize.funder)
