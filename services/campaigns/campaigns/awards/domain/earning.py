"""What a purchase earns: the base rule, the lots of all rules with cost and dates, and reasons."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final, Protocol

from msgspec import Struct

from campaigns import reasons
from campaigns.contributions import BaseEarning, Basket, Contribution, Grant
from contracts.ledger import Award
from contracts.merchants import Programme, Terms
from contracts.pos import AnswerLine, Line, PosTransaction
from contracts.values import (
    AMOUNT_MAX,
    TEHRAN,
    Channel,
    Reason,
    Unit,
    largest_remainder,
    tehran_day,
)
from kit.base import errors

BASE: Final = "base"  # rule id of a programme's own earn rule; its version is the programme's


class Earned(Struct, frozen=True, kw_only=True):
    """awards: lots with their lines. unearned: what earned nothing, and why."""

    awards: tuple[Award, ...] = ()
    unearned: tuple[AnswerLine, ...] = ()

    @property
    def points(self) -> int:
        """Sum of the awards."""
        return sum(award.amount for award in self.awards)

    @property
    def lines(self) -> tuple[AnswerLine, ...]:
        """What each line earns, or why nothing, as the answer of the sale will say."""
        earning = [
            AnswerLine(
                line=award.line,
                points=award.amount if award.unit is Unit.NETWORK_POINTS else 0,
                rule=award.rule,
                rule_version=award.rule_version,
                funder=award.funder,
            )
            for award in self.awards
        ]
        return (*earning, *self.unearned)


NOTHING: Final = Earned()


def nothing(reason: Reason) -> Earned:
    """The whole basket earns nothing, for one reason."""
    return Earned(unearned=(AnswerLine(line=0, reason=reason),))


def base_of(transaction: PosTransaction, programme: Programme) -> BaseEarning:
    """Which lines earn, and their exact points: amount x earn_points / earn_per_rial.

    The amount of a line is what the customer pays for it, discounts taken off (pos.Line). With
    earn_in_steps the earning lines together earn for whole earn_per_rial only, spread over them by
    largest remainder. Source: loyalty reference 1.1, SH14.
    """
    lines = transaction.lines or (Line(line=0, amount_rial=transaction.amount_rial),)
    earning: list[Line] = []
    excluded: list[tuple[int, Reason]] = []
    for line in lines:
        why = _why_not(line, programme)
        if why is None:
            earning.append(line)
        else:
            excluded.append((line.line, why))
    amounts = [line.amount_rial for line in earning]
    points, denominator = [a * programme.earn_points for a in amounts], programme.earn_per_rial
    if programme.earn_in_steps and amounts:
        whole = sum(amounts) // programme.earn_per_rial * programme.earn_points
        points, denominator = largest_remainder(whole, amounts), 1
    return BaseEarning(
        lines=lines, earning=earning, points=points, denominator=denominator, excluded=excluded
    )


def _why_not(line: Line, programme: Programme) -> Reason | None:
    if line.amount_rial == 0:
        return reasons.ZERO_AMOUNT
    if line.category in programme.excluded_categories:
        return reasons.CATEGORY_EXCLUDED
    if programme.earning_categories and line.category not in programme.earning_categories:
        return reasons.CATEGORY_NOT_EARNING
    return None


def base_grant(base: BaseEarning, programme: Programme) -> Grant:
    """The base rule's points: floored once a transaction, spread by largest remainder.

    Ties go to the lower line. Funded by the merchant's own party.
    """
    points = sum(base.points) // base.denominator
    parts = largest_remainder(points, base.points) if points else ()
    return Grant(
        rule=BASE,
        version=programme.version,
        funder=programme.party,
        parts=[
            (line.line, part)
            for line, part in zip(base.earning, parts, strict=bool(points))
            if part
        ],
    )


class EarningFacts(Protocol):
    """The facts of the base rule: the versions that the gateway stamped, None for none."""

    @property
    def programme(self) -> Programme | None: ...
    @property
    def earn(self) -> Terms | None: ...


def contribute(basket: Basket, facts: EarningFacts) -> Contribution:
    """The programme's own points, and for the other rules which lines earn."""
    programme = facts.programme
    if programme is None:
        return Contribution(unearned=reasons.NO_PROGRAMME)
    if facts.earn is None:
        return Contribution(unearned=reasons.NO_TERMS)
    base = base_of(basket.transaction, programme)
    return Contribution(
        grants=(base_grant(base, programme),),
        basket=Basket(basket.transaction, basket.occurred_at, basket.accepted_at, base),
    )


def earned(
    base: BaseEarning, grants: Sequence[Grant], *, programme: Programme, terms: Terms, at: datetime,
    channel: Channel,
) -> Earned:  # fmt: skip
    """Awards of all grants, and a reason for every line that earned nothing from any of them.

    One lot a grant: its cost is points x price_rial // price_points of the terms in force, floored
    once and spread over its lines by largest remainder, so that the parts sum. at: occurred_at.
    Raises Invalid where a sum is beyond what a message can carry exactly.
    """
    awards: list[Award] = []
    rewarded: set[int] = set()
    available_from, expires_at = lot_dates(programme, at)
    for grant in grants:
        for (line, points), cost in zip(grant.parts, _costs(grant, terms), strict=True):
            rewarded.add(line)
            awards.append(
                Award(
                    line=line,
                    unit=Unit.NETWORK_POINTS,
                    amount=points,
                    cost_rial=cost,
                    issuer=programme.party,
                    funder=grant.funder,
                    rule=grant.rule,
                    rule_version=grant.version,
                    expires_at=expires_at,
                    available_from=available_from,
                )
            )
    unearned = [
        *(_unearned_line(line, programme, why) for line, why in base.excluded),
        *(
            _unearned_line(line.line, programme, _too_little(programme, channel))
            for line in base.earning
            if line.line not in rewarded
        ),
        *(
            AnswerLine(line=0, rule=g.rule, rule_version=g.version, funder=g.funder, reason=g.note)
            for g in grants
            if g.note is not None
        ),
    ]
    return Earned(awards=tuple(awards), unearned=tuple(sorted(unearned, key=lambda a: a.line)))


def _costs(grant: Grant, terms: Terms) -> list[int]:
    if not grant.parts:
        return []
    weights = [points for _, points in grant.parts]
    points = sum(weights)
    cost = points * terms.price_rial // terms.price_points
    if points > AMOUNT_MAX or cost > AMOUNT_MAX:
        raise errors.Invalid(
            f"rule {grant.rule} gives {points} points costing {cost} Rial: too large",
            code="amount-too-large",
        )
    if terms.price_points == 1 or len(weights) == 1:  # nothing to round, nothing to spread
        return [part * cost // points for part in weights]
    return largest_remainder(cost, weights)


def _unearned_line(line: int, programme: Programme, why: Reason) -> AnswerLine:
    return AnswerLine(line=line, rule=BASE, rule_version=programme.version, reason=why)


def _too_little(programme: Programme, channel: Channel) -> Reason:
    if programme.earn_points:
        return reasons.BELOW_ONE_POINT
    history = channel is Channel.HISTORY
    return reasons.HISTORY_BASE_ONLY if history else reasons.BASE_EARNS_NOTHING


# ------------------------------------------------------------------------------------------ dates


def lot_dates(programme: Programme, at: datetime) -> tuple[datetime | None, datetime | None]:
    """(available_from, expires_at) of a lot born at occurred_at.

    available_from: None at once, else activation_days x 24 hours later. expires_at: the end of the
    Tehran day validity_days after the day of activation; None never. Both may lie in the past
    (history): such a lot is born expired. Source: loyalty reference 1.2, architecture 2.
    """
    active = at + timedelta(days=programme.activation_days)
    available_from = active if programme.activation_days else None
    if programme.validity_days is None:
        return available_from, None
    return available_from, end_of_day(tehran_day(active), programme.validity_days)


@lru_cache(maxsize=4096)
def end_of_day(day: date, days: int) -> datetime:
    """The moment at which the Tehran day so many days after day ends, UTC: the next one's start."""
    last = day + timedelta(days=days + 1)
    return datetime.combine(last, time(), tzinfo=TEHRAN).astimezone(UTC)
