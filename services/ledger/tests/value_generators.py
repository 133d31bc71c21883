"""Commands beyond baskets: value issued, spent, held and let go, extended, corrected."""

import random
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from contracts.ledger import CancelPending, ExpireLot, IssueValue, ReleasePending
from contracts.value import (
    AdjustValue,
    CaptureHold,
    ExtendLot,
    HoldValue,
    RedemptionTerms,
    ReleaseHold,
    SpendValue,
    VoidHold,
)
from contracts.values import NameKind, Unit, name

if TYPE_CHECKING:
    from .generators import Story

UNITS = (Unit.NETWORK_POINTS, Unit.MERCHANT_POINTS, Unit.CREDIT, Unit.GIFT)


def makers(story: "Story") -> tuple[tuple[Callable[[], Any], int], ...]:
    """(maker, weight): each gives one command's body."""
    return (
        (lambda: issue(story), 8), (lambda: event(story), 4), (lambda: spend(story), 7),
        (lambda: hold(story), 12), (lambda: resolve(story), 12), (lambda: release(story), 4),
        (lambda: extend(story), 3), (lambda: adjust(story), 4), (lambda: expire_held(story), 3),
    )  # fmt: skip


def own_name(story: "Story", account: int, kind: str) -> str:
    return name(NameKind.ACCOUNT, account, f"{kind}-{story.count}")


def issue(story: "Story") -> IssueValue:
    rng, account = story.rng, story.rng.choice(story.accounts)
    unit = rng.choice(UNITS)
    amount = rng.choice((1, 40, 700, 5_000))
    issuer = rng.choice((5, 6))
    return IssueValue(
        name=own_name(story, account, "issue"), account=account, member=1, unit=unit,
        amount=amount, cost_rial=amount * rng.choice((1, 90, 100)) - rng.choice((0, 1)),
        issuer=issuer, funder=rng.choice((issuer, issuer, 1)), rule="gift", rule_version=1,
        expires_at=rng.choice((None, *[story.at + timedelta(hours=h) for h in (1, 9, 80)])),
        available_from=rng.choice((None, None, None, story.at + timedelta(hours=1))),
        pending_event=rng.choice(("", "", "delivered")),
        sliding_days=rng.choice((0, 0, 1, 3)),
    )  # fmt: skip


def event(story: "Story") -> ReleasePending | CancelPending:
    """The event that some issue awaits, or may not."""
    issued = [e.data for e in story.history if isinstance(e.data, IssueValue)]
    outcome = story.rng.choice((ReleasePending, ReleasePending, CancelPending))
    original = story.rng.choice(issued[-12:]).name if issued else "a.1.nothing"
    return outcome(
        name=name(NameKind.VERDICT, f"event-{story.count}"), original=original, case_id="",
        reviewer="event",
    )  # fmt: skip


def units(rng: random.Random) -> dict[str, Any]:
    """Some units, seldom all."""
    return {
        "points": rng.choice((0, 1, 20, 50, 150, 900)),
        "merchant_points": rng.choice((0, 0, 0, 0, 1, 40)),
        "credit_rial": rng.choice((0, 0, 0, 0, 300)),
        "gift_rial": rng.choice((0, 0, 0, 0, 30, 5_000)),
    }


def spend(story: "Story") -> SpendValue:
    rng, account = story.rng, story.rng.choice(story.accounts)
    merchant = rng.choice((5, 5, 6, 7, 0)) if rng.random() < 0.2 else rng.choice((5, 6))
    wants = units(rng)
    return SpendValue(
        name=own_name(story, account, "spend"), account=account, member=1, acceptor=merchant,
        merchant=merchant, spend=RedemptionTerms(**wants, **worth(rng, wants)),
    )  # fmt: skip


def worth(rng: random.Random, wants: dict[str, int]) -> dict[str, int]:
    """What it is worth: about its cost, more, or nothing."""
    points = wants["points"] + wants["merchant_points"]
    rial = points * rng.choice((0, 90, 95, 100, 120)) + wants["credit_rial"] + wants["gift_rial"]
    return {
        "worth_rial": rial * rng.choice((0, 1, 1, 1)),
        "own_max_rial": rng.choice((0, 1_000, 10**6)),
        "fee_bp": 150,
        "network_max_rial": points % 2 * points * 15,
    }


def hold(story: "Story") -> HoldValue:
    rng, account = story.rng, story.rng.choice(story.accounts)
    merchant = rng.choice((5, 6, 7, 0)) if rng.random() < 0.2 else rng.choice((5, 6))
    hours = rng.choice((1, 8, 60, 200)) if rng.random() < 0.96 else -1
    return HoldValue(
        name=own_name(story, account, "hold"), account=account, member=1, acceptor=merchant,
        merchant=merchant, due_at=story.at + timedelta(hours=hours), **units(rng),
    )  # fmt: skip


def resolve(story: "Story") -> CaptureHold | VoidHold:
    """A capture or a void of some hold; now and then just when it falls due, or two at once."""
    rng = story.rng
    placed = [e.data for e in story.history if isinstance(e.data, HoldValue)]
    if not placed or rng.random() < 0.04:
        sales = [e.data for e in story.history] or [spend(story)]
        return VoidHold(name=own_name(story, 1000, "void"), original=rng.choice(sales).name)
    standing = {hold.name for hold in story.holds().values() if not hold.end}
    likely = [one for one in placed if one.name in standing] if rng.random() < 0.7 else []
    one = rng.choice((likely or placed)[-6:])
    if rng.random() < 0.1:
        story.at = max(story.at, one.due_at - timedelta(seconds=rng.choice((0, 1))))
    if rng.random() < 0.3:
        story.planned.append(lambda: end_of(story, one))
    return end_of(story, one)


def end_of(story: "Story", one: HoldValue) -> CaptureHold | VoidHold:
    """One resolution of a hold."""
    rng = story.rng
    if rng.random() < 0.3:
        return VoidHold(name=own_name(story, one.account, "void"), original=one.name)
    wants: dict[str, int] = {}
    for field in ("points", "merchant_points", "credit_rial", "gift_rial"):
        whole = getattr(one, field)
        wants[field] = rng.choice((whole, whole, whole, whole // 2, 0))
        if rng.random() < 0.05:
            wants[field] += 1
    return CaptureHold(
        name=own_name(story, one.account, "capture"), original=one.name,
        spend=RedemptionTerms(**wants, **worth(rng, wants)),
    )  # fmt: skip


def release(story: "Story") -> ReleaseHold:
    """The sweep's command for a hold, due or not; or on one that is none."""
    holds = story.holds()
    standing = [number for number, hold in holds.items() if not hold.end]
    number = story.rng.choice(standing or sorted(holds)) if holds else 1
    account = holds[number].owner if holds else story.accounts[0]
    return ReleaseHold(
        name=name(NameKind.HOLD, number + 10**6 * story.count), account=account, hold=number
    )


def expire_held(story: "Story") -> ExpireLot:
    """The sweep's command for a lot that some hold has."""
    parts = [
        (lot, hold.owner)
        for hold in story.holds().values()
        if not hold.end
        for lot, _ in hold.parts
    ]
    lot, account = story.rng.choice(parts) if parts else (4096, story.accounts[0])
    return ExpireLot(
        name=name(NameKind.EXPIRY, lot, f"held-{story.count}"), account=account, lot=lot
    )


def extend(story: "Story") -> ExtendLot:
    lots = story.lots()
    number = story.rng.choice(sorted(lots)) if lots else 4096
    hours = story.rng.choice((-1, 1, 6, 100))
    return ExtendLot(
        name=own_name(story, 1000, "extend"), account=lots.get(number, 1000), lot=number,
        expires_at=None if story.rng.random() < 0.1 else story.at + timedelta(hours=hours),
        by="o.1", reason="goodwill",
    )  # fmt: skip


def adjust(story: "Story") -> AdjustValue:
    rng, account = story.rng, story.rng.choice(story.accounts)
    amount = rng.choice((1, 30, 400))
    return AdjustValue(
        name=own_name(story, account, "adjust"), account=account, member=1,
        unit=rng.choice(UNITS), amount=amount, issuer=rng.choice((5, 6)), funder=1,
        proposed_by="o.1", approved_by="o.2" if rng.random() < 0.95 else "o.1", reason="wrong",
        take=rng.random() < 0.6, cost_rial=amount * 100, expires_at=story.at + timedelta(days=2),
    )  # fmt: skip
