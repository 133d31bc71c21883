"""Value spent away from a till, held, captured, let go, fallen due: worked out."""

from typing import Any, NamedTuple

from verifier.model import life, money, registry
from verifier.model.commands_value import Capture, HoldValue, LetGo, SpendAway, Wanted
from verifier.model.computation import CREDIT, GIFT, HOLD_MAX, MERCHANT, POINTS, No, Said, Work
from verifier.model.messages import micros
from verifier.model.originals import Original
from verifier.model.undo import progress_of
from verifier.state import LOTS_PER_SEQUENCE, Hold, Lot, Progress


class Ask(NamedTuple):
    """So much of a unit; issuer: whose, where it matters."""

    unit: str
    amount: int
    lack: str
    issuer: int | None = None


def _asks(wanted: Any, acceptor: int) -> list[Ask]:
    found: list[Ask] = []
    if wanted.points:
        found.append(Ask(POINTS, wanted.points, "insufficient-points"))
    if wanted.merchant_points:
        lack = "insufficient-merchant-points"
        found.append(Ask(MERCHANT, wanted.merchant_points, lack, acceptor))
    if wanted.credit_rial:
        found.append(Ask(CREDIT, wanted.credit_rial, "insufficient-credit"))
    if wanted.gift_rial:
        found.append(Ask(GIFT, wanted.gift_rial, "insufficient-gift"))
    return found


def _needs_acceptor(acceptor: int, merchant_points: int, worth: int) -> None:
    if not acceptor and (merchant_points or worth):
        raise No("no-acceptor")


def _plan(work: Work, asks: list[Ask]) -> list[tuple[Lot, int]]:
    takes: list[tuple[Lot, int]] = []
    for ask in asks:
        takes += work.plan(ask.unit, ask.amount, ask.lack, ask.issuer)
    if not takes:
        raise No("nothing-to-redeem")
    if len(takes) > LOTS_PER_SEQUENCE:
        raise No("too-many-lots")
    return takes


def _pay(work: Work, takes: list[tuple[Lot, int]], spend: Wanted) -> None:
    money.spend(work, takes, money.worth_of(spend))


def spend(work: Work, body: SpendAway) -> Said:
    """A reward, a fee: like a redemption of what it is worth."""
    if not body.account:
        raise No("no-account")
    _needs_acceptor(body.acceptor, body.spend.merchant_points, body.spend.worth_rial)
    work.repay()
    _pay(work, _plan(work, _asks(body.spend, body.acceptor)), body.spend)
    life.renew(work)
    return Said()


def place(work: Work, body: HoldValue) -> Said:
    """The lots that a spend would take now are held until due."""
    if not body.account:
        raise No("no-account")
    if micros(body.due_at) <= work.now:
        raise No("due-too-early")
    if micros(body.due_at) > work.now + HOLD_MAX:
        raise No("due-too-late")
    _needs_acceptor(body.acceptor, body.merchant_points, 0)
    work.repay()
    work.reserve(_plan(work, _asks(body, body.acceptor)))
    return Said()


def capture(work: Work, body: Capture, original: Original | None) -> Said:
    """Some of a hold is spent, the rest is free again."""
    hold, known = _standing(work, original)
    assert original is not None  # noqa: S101 - for the types
    work.acceptor, work.merchant = original.acceptor, original.merchant
    registry.may_begin(work, work.acceptor)
    _needs_acceptor(work.acceptor, body.spend.merchant_points, body.spend.worth_rial)
    work.repay()
    left = {ask.unit: ask.amount for ask in _asks(body.spend, work.acceptor)}
    captured: dict[int, int] = {}
    for number, amount in hold.parts.items():
        unit = work.purse.lots[number].unit
        part = min(amount, left.get(unit, 0))
        if part:
            left[unit] -= part
            captured[number] = part
    if any(left.values()):
        raise No("capture-too-large")
    if not captured:
        raise No("nothing-to-redeem")
    work.lapse(hold.parts)
    work.let_go(hold, "released", captured)
    _pay(work, [(work.purse.lots[lot], amount) for lot, amount in captured.items()], body.spend)
    work.lapse(hold.parts)
    work.repay()
    life.renew(work)
    return _ended(original, known, "captured")


def void(work: Work, original: Original | None) -> Said:
    """All of a hold is free again."""
    hold, known = _standing(work, original)
    assert original is not None  # noqa: S101 - for the types
    work.let_go(hold, "released")
    work.lapse(hold.parts)
    work.repay()
    return _ended(original, known, "voided")


def let_go(work: Work, body: LetGo) -> Said:
    """A hold fell due: what any command of the account books before all else."""
    if body.hold in work.purse.holds and body.hold not in work.ended:
        raise No("hold-not-due")
    if body.hold not in work.ended:
        return Said(code="nothing-left")
    return Said()


def _standing(work: Work, original: Original | None) -> tuple[Hold, Progress]:
    if original is None or not original.arrived:
        raise No("unknown-original")
    if original.type != "hold-value.v1":
        raise No("not-a-hold")
    if original.status != "completed" or original.held_until is None:
        raise No("original-not-completed")
    known = progress_of(work, original)
    if known.verdict:
        raise No(f"hold-{known.verdict}")
    if work.now >= original.held_until:
        raise No("hold-due")
    return work.purse.holds[original.sequence], known


def _ended(original: Original, known: Progress, how: str) -> Said:
    said = Said()
    said.progress = (
        original.name,
        Progress(known.sequence, known.total, known.refunded, known.full, known.reversed, how),
    )
    return said
