"""Purchases and redemptions worked out: what is spent, then what is earned."""

from verifier.model import budgets, life, money
from verifier.model.computation import CREDIT, GIFT, POINTS, No, Said, Work
from verifier.model.messages import Deal, Prize, Told, Transaction, Why
from verifier.model.originals import kins_of
from verifier.state import LOTS_PER_SEQUENCE


def sell(work: Work, body: Transaction) -> Said:
    """One sale, all of it or nothing."""
    if not work.owner:
        raise No("no-account")
    if body.kind == "redemption" and body.redemption is None:
        raise No("no-terms")
    if len({line.line for line in body.lines}) < len(body.lines):
        raise No("line-twice")
    work.repay()
    said = Said(payable_rial=body.amount_rial)
    if body.redemption is not None:
        _redeem(work, body, body.redemption, said)
    _earn(work, body, said)
    work.repay()
    life.renew(work)
    return said


def _redeem(work: Work, body: Transaction, deal: Deal, said: Said) -> None:
    worth = money.worth_of(deal)
    discount = worth.discount
    if not deal.points and not deal.credit_rial and not deal.gift_rial:
        raise No("nothing-to-redeem")
    if discount > body.amount_rial:
        raise No("more-than-the-basket")
    if not body.acceptor:
        raise No("no-acceptor")
    takes = work.plan(POINTS, deal.points, "insufficient-points")
    takes += work.plan(CREDIT, deal.credit_rial, "insufficient-credit")
    takes += work.plan(GIFT, deal.gift_rial, "insufficient-gift")
    if len(takes) > LOTS_PER_SEQUENCE:
        raise No("too-many-lots")
    own = money.spend(work, takes, worth)
    said.numbers = {
        "points_redeemed": deal.points,
        "credit_redeemed_rial": deal.credit_rial,
        "gift_redeemed_rial": deal.gift_rial,
        "discount_rial": discount,
        "own_discount_rial": own,
        "payable_rial": body.amount_rial - discount,
    }


def _earn(work: Work, body: Transaction, said: Said) -> None:
    if not body.awards:
        said.lines = list(body.unearned)
        return
    if len(body.awards) > LOTS_PER_SEQUENCE:
        raise No("too-many-awards")
    refused = budgets.refused(work, body.awards)
    said.refused_awards = sorted(refused.items())
    said.lines = [_told(prize, refused.get(i)) for i, prize in enumerate(body.awards)]
    said.lines += body.unearned
    awards = [prize for i, prize in enumerate(body.awards) if i not in refused]
    opened = kins_of(body, awards, work.now)
    earned = waiting = 0
    until: int | None = None
    for kin, (amount, cost) in opened.items():
        unit, issuer, funder, rule, version, start, expires, sliding = kin
        like = {
            "unit": unit, "issuer": issuer, "funder": funder, "start": start, "until": expires,
            "born": work.occurred, "merchant": body.merchant, "rule": rule, "version": version,
            "origin": "award", "parent": None, "sliding": sliding,
        }  # fmt: skip
        work.open(like, amount, cost)
        work.issue(unit, issuer, amount)
        work.fund(issuer, funder, cost)
        if unit == POINTS:
            earned += amount
            if start > work.now:
                waiting += amount
                until = start if until is None else max(until, start)
    said.numbers |= {"points_earned": earned, "points_pending": waiting, "pending_until": until}
    if body.review_due_at is not None and opened:
        said.status = "held"


def _told(prize: Prize, refused: str | None) -> Told:
    if refused is not None:
        why = Why(refused, "", "")
        return Told(prize.line, 0, prize.rule, prize.rule_version, prize.funder, why)
    points = prize.amount if prize.unit == POINTS else 0
    return Told(prize.line, points, prize.rule, prize.rule_version, prize.funder)
