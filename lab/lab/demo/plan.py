"""What the customers of the demo will do, drawn once from a seed: a list of acts in time order."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from lab.demo.purchases import Visit

PAY_WITH_POINTS = 0.09
REFUND_OF_PURCHASE, REFUND_OF_REDEMPTION, REFUND_BY_LINE = 0.03, 0.12, 0.5
TILL_TIMED_OUT, NEVER_ARRIVED = 0.01, 0.004
SENT_TWICE_AT_ONCE, SENT_AGAIN_LATER = 0.035, 0.035
ASKED_FIRST = 0.01
BURST_TRIES = 24


class Deed(Enum):
    """What a customer does at a till."""

    BUY = "buy"
    PAY_WITH_POINTS = "pay with points"
    RETURN = "return"
    TIME_OUT = "buy, but the till never hears the answer"
    NEVER_ARRIVED = "the till reverses a sale that never arrived"
    STOLEN = "a stolen card at one till after another"


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One deed at a time. of: index of the act that a return undoes. lines: of the visit, 1.. ."""

    at: datetime
    deed: Deed
    visit: Visit
    of: int = -1
    lines: tuple[int, ...] = ()
    twice_at_once: bool = False
    again_later: bool = False
    asks_first: bool = False


def draw(visits: Sequence[Visit], seed: int) -> list[Act]:
    """Acts in time order; the same visits and seed draw the same acts."""
    rng = random.Random(seed)
    acts: list[Act] = []
    for visit in visits:
        deed = _deed(rng)
        acts.append(
            Act(
                at=visit.at,
                deed=deed,
                visit=visit,
                twice_at_once=rng.random() < SENT_TWICE_AT_ONCE,
                again_later=rng.random() < SENT_AGAIN_LATER,
                asks_first=rng.random() < ASKED_FIRST,
            )
        )
    _add_returns(acts, rng)
    _add_burst(acts, rng)
    return _in_time_order(acts)


def _deed(rng: random.Random) -> Deed:
    point = rng.random()
    for deed, share in (
        (Deed.PAY_WITH_POINTS, PAY_WITH_POINTS),
        (Deed.TIME_OUT, TILL_TIMED_OUT),
        (Deed.NEVER_ARRIVED, NEVER_ARRIVED),
    ):
        if point < share:
            return deed
        point -= share
    return Deed.BUY


def _add_returns(acts: list[Act], rng: random.Random) -> None:
    last = acts[-1].at
    for index, act in enumerate(list(acts)):
        share = {
            Deed.BUY: REFUND_OF_PURCHASE,
            Deed.PAY_WITH_POINTS: REFUND_OF_REDEMPTION,
        }.get(act.deed, 0.0)
        at = act.at + timedelta(hours=rng.uniform(0.5, 120))
        if rng.random() >= share or at > last:
            continue
        lines: tuple[int, ...] = ()
        several = len(act.visit.lines) > 1 and act.deed is Deed.BUY
        if several and rng.random() < REFUND_BY_LINE:
            count = rng.randint(1, len(act.visit.lines) - 1)
            lines = tuple(sorted(rng.sample(range(1, len(act.visit.lines) + 1), count)))
        acts.append(Act(at=at, deed=Deed.RETURN, visit=act.visit, of=index, lines=lines))


def _add_burst(acts: list[Act], rng: random.Random) -> None:
    """Two thirds in, one busy customer's card is used every twenty seconds, everywhere."""
    start = acts[len(acts) * 2 // 3]
    dear = sorted((a.visit for a in acts), key=lambda v: v.amount_rial)[-400:]
    for number in range(BURST_TRIES):
        seen = rng.choice(dear)
        at = start.at + timedelta(seconds=20 * (number + 1))
        visit = Visit(
            at=at,
            household=start.visit.household,
            merchant=seen.merchant,
            branch=seen.branch,
            lines=seen.lines,
        )
        acts.append(Act(at=at, deed=Deed.STOLEN, visit=visit))


def _in_time_order(acts: list[Act]) -> list[Act]:
    order = sorted(range(len(acts)), key=lambda i: (acts[i].at, i))
    place = {old: new for new, old in enumerate(order)}
    return [
        act
        if act.of < 0
        else Act(at=act.at, deed=act.deed, visit=act.visit, of=place[act.of], lines=act.lines)
        for act in (acts[i] for i in order)
    ]
