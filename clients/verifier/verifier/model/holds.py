"""Value spent away from a till, and holds: placed, captured, voided, fallen due."""

from typing import Any, NamedTuple

from verifier.model import life, money, registry
from verifier.model.commands_value import (
    Capture,
    HoldValue,
    RedemptionTerms,
    ReleaseHold,
    SpendAway,
)
from verifier.model.computation import CREDIT, GIFT, HOLD_MAX, MERCHANT, POINTS, Draft, Effects, No
from verifier.model.messages import micros
from verifier.model.originals import Original
from verifier.model.undo import progress_of
from verifier.state import LOTS_PER_SEQUENCE, Hold, Lot, Progress


class Demand(NamedTuple):
    """An amount of a unit; issuer: whose, where it matters."""

    unit: str
    amount: int
    lack: str
    issuer: int | None = None


def _demands(needed: Any, acceptor: int) -> list[Demand]:
    demands: list[Demand] = []
    if needed.points:
        demands.append(Demand(POINTS, needed.points, "insufficient-points"))
    if needed.merchant_points:
        lack = "insufficient-merchant-points"
        demands.append(Demand(MERCHANT, needed.merchant_points, lack, acceptor))
    if needed.credit_rial:
        demands.append(Demand(CREDIT, needed.credit_rial, "insufficient-credit"))
    if needed.gift_rial:
        demands.append(Demand(GIFT, needed.gift_rial, "insufficient-gift"))
    return demands


def _needs_acceptor(acceptor: int, merchant_points: int, worth: int) -> None:
    if not acceptor and (merchant_points or worth):
        raise No("no-acceptor")


def _plan(draft: Draft, asks: list[Demand]) -> list[tuple[Lot, int]]:
    takes: list[tuple[Lot, int]] = []
    for ask in asks:
        takes += draft.plan(ask.unit, ask.amount, ask.lack, ask.issuer)
    if not takes:
        raise No("nothing-to-redeem")
    if len(takes) > LOTS_PER_SEQUENCE:
        raise No("too-many-lots")
    return takes


def _pay(draft: Draft, takes: list[tuple[Lot, int]], spend: RedemptionTerms) -> None:
    money.spend(draft, takes, money.worth_of(spend))


def spend(draft: Draft, body: SpendAway) -> Effects:
    """A reward or a fee, like a redemption of what the value is worth."""
    if not body.account:
        raise No("no-account")
    _needs_acceptor(body.acceptor, body.spend.merchant_points, body.spend.worth_rial)
    draft.repay()
    _pay(draft, _plan(draft, _demands(body.spend, body.acceptor)), body.spend)
    life.renew(draft)
    return Effects()


def place(draft: Draft, body: HoldValue) -> Effects:
    """Hold the lots that a spend would take now, until due."""
    if not body.account:
        raise No("no-account")
    check_due(draft, micros(body.due_at))
    _needs_acceptor(body.acceptor, body.merchant_points, 0)
    draft.repay()
    draft.reserve(_plan(draft, _demands(body, body.acceptor)))
    return Effects()


def check_due(draft: Draft, due: int) -> None:
    """A hold ends after it begins, and not too late."""
    if due <= draft.now:
        raise No("due-too-early")
    if due > draft.now + HOLD_MAX:
        raise No("due-too-late")


def capture(draft: Draft, body: Capture, original: Original | None) -> Effects:
    """Spend part or all of a hold; the rest is free again."""
    hold, known = _placed(draft, original)
    assert original is not None  # noqa: S101 - for the types
    draft.acceptor, draft.merchant = original.acceptor, original.merchant
    registry.may_begin(draft, draft.acceptor)
    _needs_acceptor(draft.acceptor, body.spend.merchant_points, body.spend.worth_rial)
    draft.repay()
    asks = _demands(body.spend, draft.acceptor)
    _pay(draft, taken_over(draft, hold, {ask.unit: ask.amount for ask in asks}), body.spend)
    draft.lapse(hold.parts)
    draft.repay()
    life.renew(draft)
    return ended(original, known, "captured")


def taken_over(draft: Draft, hold: Hold, left: dict[str, int]) -> list[tuple[Lot, int]]:
    """The lots of a hold that pay for amounts by unit; it ends, and the rest is free."""
    captured: dict[int, int] = {}
    for number, amount in hold.parts.items():
        unit = draft.purse.lots[number].unit
        part = min(amount, left.get(unit, 0))
        if part:
            left[unit] -= part
            captured[number] = part
    if any(left.values()):
        raise No("capture-too-large")
    if not captured:
        raise No("nothing-to-redeem")
    draft.lapse(hold.parts)
    draft.release(hold, "released", captured)
    return [(draft.purse.lots[lot], amount) for lot, amount in captured.items()]


def void(draft: Draft, original: Original | None) -> Effects:
    """All of a hold is free again."""
    hold, known = _placed(draft, original)
    assert original is not None  # noqa: S101 - for the types
    return freed(draft, original, hold, known)


def freed(draft: Draft, original: Original, hold: Hold, known: Progress) -> Effects:
    """All of a hold is free, and its own command knows it."""
    draft.release(hold, "released")
    draft.lapse(hold.parts)
    draft.repay()
    return ended(original, known, "voided")


def release(draft: Draft, body: ReleaseHold) -> Effects:
    """Book that a hold fell due, as any command of the account does before its rule."""
    if body.hold in draft.purse.holds and body.hold not in draft.ended:
        raise No("hold-not-due")
    if body.hold not in draft.ended:
        return Effects(code="nothing-left")
    return Effects()


def _placed(draft: Draft, original: Original | None) -> tuple[Hold, Progress]:
    if original is None or not original.arrived:
        raise No("unknown-original")
    if original.type != "hold-value.v1":
        raise No("not-a-hold")
    return standing(draft, original)


def standing(draft: Draft, original: Original) -> tuple[Hold, Progress]:
    """The hold that stands for a command, with what is known of it; it ends once, and in time."""
    if original.status != "completed" or original.held_until is None:
        raise No("original-not-completed")
    known = progress_of(draft, original)
    if known.verdict:
        raise No(f"hold-{known.verdict}")
    if draft.now >= original.held_until:
        raise No("hold-due")
    return draft.purse.holds[original.sequence], known


def ended(original: Original, known: Progress, how: str) -> Effects:
    """The effects of an end, which the hold's own command keeps."""
    effects = Effects()
    effects.progress = (
        original.name,
        Progress(known.sequence, known.total, known.refunded, known.full, known.reversed, how),
    )
    return effects
