"""Holds: named lots reserved, then captured in part or whole, voided, or fallen due; once."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from msgspec.structs import replace

from contracts.value import CaptureHold, HoldValue, RedemptionTerms, ReleaseHold, VoidHold
from contracts.values import Status, Unit
from ledger.book.facts import HOLD_MAX, Held, Hold, PriorPosting
from ledger.posting.decide import account_status, lot_maintenance, spend
from ledger.posting.decide.debits import of_units
from ledger.posting.decide.draft import AccountDraft
from ledger.posting.decide.effects import Effects, decline, unchanged
from ledger.posting.decide.kinds import Kind, always

CAPTURED, VOIDED = "captured", "voided"


def place(draft: AccountDraft, body: HoldValue) -> Effects:
    """Reserve the lots that a spend would take now, until the due time."""
    if not body.account:
        return decline("no-account")
    if no := refuse_due(draft, body.due_at):
        return no
    spent = RedemptionTerms(
        points=body.points,
        merchant_points=body.merchant_points,
        credit_rial=body.credit_rial,
        gift_rial=body.gift_rial,
    )
    if no := spend.refuse_place(body.acceptor, spent):
        return no
    draft.settle_debts()
    takes = spend.plan(draft, spend.demands(spent, body.acceptor))
    if isinstance(takes, Effects):
        return takes
    reserve(draft, body.name, body.due_at, takes)
    return Effects()


def refuse_due(draft: AccountDraft, due_at: datetime) -> Effects | None:
    """A decline of a hold that would end before it begins, or too late."""
    if due_at <= draft.now:
        return decline("due-too-early")
    if due_at > draft.now + HOLD_MAX:
        return decline("due-too-late", days=HOLD_MAX.days)
    return None


def reserve(draft: AccountDraft, name: str, due_at: datetime, takes: spend.Takes) -> None:
    """Hold planned amounts of lots until the due time, under this command's number."""
    parts = tuple((lot.lot, amount) for lot, amount in takes)
    draft.reserve(Hold(draft.sequence, draft.owner, name, due_at, parts))


def capture(draft: AccountDraft, body: CaptureHold, original: PriorPosting | None) -> Effects:
    """Spend part or all of a hold, whatever its lots' dates are by now; the rest is free again.

    Each unit may be captured up to its held amount, and at least one unit must be.
    """
    hold = _placed(draft, original)
    if isinstance(hold, Effects):
        return hold
    if original is not None:
        draft.acceptor, draft.merchant = original.acceptor, original.merchant
    if no := account_status.closed(draft.registry, draft.acceptor):
        return no
    if no := spend.refuse_place(draft.acceptor, body.spend):
        return no
    draft.settle_debts()
    takes = take_over(draft, hold, spend.demands(body.spend, draft.acceptor))
    if isinstance(takes, Effects):
        return takes
    effects = spend.pay(draft, takes, body.spend)
    if effects.code:
        return effects
    draft.lapse(lots_of(hold))
    draft.settle_debts()
    lot_maintenance.renew(draft)
    return resolved(effects, original, CAPTURED)


def void(draft: AccountDraft, original: PriorPosting | None) -> Effects:
    """Release all of a hold, in the same lots."""
    hold = _placed(draft, original)
    if isinstance(hold, Effects):
        return hold
    free(draft, hold)
    return resolved(Effects(), original, VOIDED)


def free(draft: AccountDraft, hold: Hold) -> None:
    """Release all of a hold; what is past its date by now is gone."""
    draft.release(hold, Held.RELEASED)
    draft.lapse(lots_of(hold))
    draft.settle_debts()


def release(draft: AccountDraft, body: ReleaseHold) -> Effects:
    """Book that a hold fell due. Any other command to the account does the same before its rule.

    The sweep sends this. It repays no debts: the next command does, as with points that became
    available.
    """
    if body.hold in draft.holds:
        return decline("hold-not-due")
    if not any(hold == body.hold for _, hold, *_ in draft.hold_rows):
        return unchanged("nothing-left")
    return Effects()


def _placed(draft: AccountDraft, original: PriorPosting | None) -> Hold | Effects:
    """The hold of a hold-value.v1 that is to be resolved, or why it cannot be."""
    if original is None or not original.arrived:
        return decline("unknown-original")
    if original.type != "hold-value.v1":
        return decline("not-a-hold")
    return standing(draft, original)


def standing(draft: AccountDraft, original: PriorPosting) -> Hold | Effects:
    """The hold that stands for its original, or why none does: it is resolved once, and in time."""
    if original.status is not Status.COMPLETED or original.held_until is None:
        return decline("original-not-completed")
    if original.progress.verdict:
        return decline(f"hold-{original.progress.verdict}")
    if draft.now >= original.held_until:
        return decline("hold-due")
    return draft.holds[original.sequence]


def lots_of(hold: Hold) -> list[int]:
    """The numbers of the lots that a hold reserves."""
    return [number for number, _ in hold.parts]


def take_over(
    draft: AccountDraft, hold: Hold, demands: Sequence[spend.Demand]
) -> spend.Takes | Effects:
    """End a hold and give the lots that pay for the demands, or why it has too little of them.

    What is past its date is booked first: the captured cost is then the same whenever the sweep
    comes. Of what the hold leaves free, the caller does so after it has taken its part.
    """
    captured = _captured(draft, hold, demands)
    if isinstance(captured, Effects):
        return captured
    draft.lapse(lots_of(hold))
    draft.release(hold, Held.RELEASED, captured=captured)
    return [(draft.lots[number], amount) for number, amount in captured.items()]


def _captured(
    draft: AccountDraft, hold: Hold, demands: Sequence[spend.Demand]
) -> dict[int, int] | Effects:
    """Captured amount of each lot, in the hold's order."""
    left = {demand.unit: demand.amount for demand in demands}
    held = dict.fromkeys(Unit, 0)
    captured: dict[int, int] = {}
    for number, amount in hold.parts:
        unit = draft.lots[number].unit
        part = min(amount, left.get(unit, 0))
        held[unit] += amount
        if part:
            left[unit] -= part
            captured[number] = part
    over = [(unit, lack) for unit, lack in left.items() if lack]
    if over:
        unit, lack = over[0]
        return decline("capture-too-large", held=held[unit], over=lack)
    return captured or decline("nothing-to-redeem")


def resolved(effects: Effects, original: PriorPosting | None, resolution: str) -> Effects:
    """The effects, with the resolution noted at the hold's own command."""
    if original is None:
        return effects
    return replace(
        effects, progress=(original.name, replace(original.progress, verdict=resolution))
    )


KINDS: Final = (
    Kind(
        HoldValue,
        lambda draft, body, _: place(draft, body),
        debits=lambda body, _: of_units(body, body.acceptor),
        parties=lambda body: (body.acceptor,),
        leaves=always,
        begins=lambda body: body.acceptor,
    ),
    Kind(CaptureHold, capture, leaves=always),
    Kind(VoidHold, lambda draft, _, original: void(draft, original)),
    Kind(ReleaseHold, lambda draft, body, _: release(draft, body)),
)
