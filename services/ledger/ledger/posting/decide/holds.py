"""Value held: named lots reserved, then captured in part or whole, let go, or fallen due; once."""

from typing import Final

from msgspec.structs import replace

from contracts.value import CaptureHold, HoldValue, RedemptionTerms, ReleaseHold, VoidHold
from contracts.values import Status, Unit
from ledger.book.facts import HOLD_MAX, Held, Hold, PriorPosting
from ledger.posting.decide import account_status, effects, lot_maintenance, spend
from ledger.posting.decide.debits import of_units
from ledger.posting.decide.draft import AccountDraft
from ledger.posting.decide.effects import Effects
from ledger.posting.decide.kinds import Kind, always

CAPTURED, VOIDED = "captured", "voided"


def place(draft: AccountDraft, body: HoldValue) -> Effects:
    """Reserve the lots that a spend would take now, until the due time."""
    if not body.account:
        return effects.decline("no-account")
    if body.due_at <= draft.now:
        return effects.decline("due-too-early")
    if body.due_at > draft.now + HOLD_MAX:
        return effects.decline("due-too-late", days=HOLD_MAX.days)
    spent = RedemptionTerms(
        points=body.points,
        merchant_points=body.merchant_points,
        credit_rial=body.credit_rial,
        gift_rial=body.gift_rial,
    )
    if no := spend.refuse_place(body.acceptor, spent):
        return no
    draft.settle_debts()
    takes = spend.plan(draft, spend.wants(spent, body.acceptor))
    if isinstance(takes, Effects):
        return takes
    parts = tuple((lot.lot, amount) for lot, amount in takes)
    draft.reserve(Hold(draft.sequence, draft.owner, body.name, body.due_at, parts))
    return Effects()


def capture(draft: AccountDraft, body: CaptureHold, original: PriorPosting | None) -> Effects:
    """Spend what is named of a hold, whatever its lots' dates say by now; the rest is free again.

    Of each unit nothing up to all that is held, of one unit something.
    """
    hold = _standing(draft, original)
    if isinstance(hold, Effects):
        return hold
    if original is not None:
        draft.acceptor, draft.merchant = original.acceptor, original.merchant
    if no := account_status.closed(draft.registry, draft.acceptor):
        return no
    if no := spend.refuse_place(draft.acceptor, body.spend):
        return no
    draft.settle_debts()
    captured = _captured(draft, hold, body.spend)
    if isinstance(captured, Effects):
        return captured
    parts = [number for number, _ in hold.parts]
    draft.lapse(parts)  # before: what is captured then costs the same whenever the sweep comes
    draft.release(hold, Held.RELEASED, captured=captured)
    takes = [(draft.lots[number], amount) for number, amount in captured.items()]
    said = spend.pay(draft, takes, body.spend)
    if said.code:
        return said
    draft.lapse(parts)
    draft.settle_debts()
    lot_maintenance.renew(draft)
    return _resolved(said, original, CAPTURED)


def void(draft: AccountDraft, original: PriorPosting | None) -> Effects:
    """All of a hold is free again, in the very lots."""
    hold = _standing(draft, original)
    if isinstance(hold, Effects):
        return hold
    draft.release(hold, Held.RELEASED)
    draft.lapse([number for number, _ in hold.parts])
    draft.settle_debts()
    return _resolved(Effects(), original, VOIDED)


def release(draft: AccountDraft, body: ReleaseHold) -> Effects:
    """Book that a hold fell due. Whatever the account is told next does the same before it.

    A sweep only books: debts are repaid by what comes next, as from points whose time has come.
    """
    if body.hold in draft.holds:
        return effects.decline("hold-not-due")
    if not any(hold == body.hold for _, hold, *_ in draft.hold_rows):
        return effects.unchanged("nothing-left")
    return Effects()


def _standing(draft: AccountDraft, original: PriorPosting | None) -> Hold | Effects:
    """The hold that a command is to resolve, or why it cannot: one resolution, and in time."""
    if original is None or not original.arrived:
        return effects.decline("unknown-original")
    if original.type != "hold-value.v1":
        return effects.decline("not-a-hold")
    if original.status is not Status.COMPLETED or original.held_until is None:
        return effects.decline("original-not-completed")
    if original.progress.verdict:
        return effects.decline(f"hold-{original.progress.verdict}")
    if draft.now >= original.held_until:
        return effects.decline("hold-due")
    return draft.holds[original.sequence]


def _captured(draft: AccountDraft, hold: Hold, spent: RedemptionTerms) -> dict[int, int] | Effects:
    """How much of each lot is captured, in the hold's order."""
    left = {want.unit: want.amount for want in spend.wants(spent, draft.acceptor)}
    held = dict.fromkeys(Unit, 0)
    captured: dict[int, int] = {}
    for number, amount in hold.parts:
        unit = draft.lots[number].unit
        part = min(amount, left[unit])
        held[unit] += amount
        left[unit] -= part
        if part:
            captured[number] = part
    over = [(unit, lack) for unit, lack in left.items() if lack]
    if over:
        unit, lack = over[0]
        return effects.decline("capture-too-large", held=held[unit], over=lack)
    return captured or effects.decline("nothing-to-redeem")


def _resolved(said: Effects, original: PriorPosting | None, how: str) -> Effects:
    if original is None:
        return said
    return replace(said, progress=(original.name, replace(original.progress, verdict=how)))


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
