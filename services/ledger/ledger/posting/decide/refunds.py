"""Refunds and reversals: they undo what was booked, in proportion, and once."""

from datetime import datetime
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from contracts.ledger import PostTransaction
from contracts.values import SALES, Kind, Status, Unit, largest_remainder
from ledger.book import chart, lots
from ledger.book.facts import GRACE, Grant, Lot, LotMovement, LotMovementKind, PriorPosting
from ledger.book.money import share
from ledger.posting.decide import budgets
from ledger.posting.decide.draft import AccountDraft
from ledger.posting.decide.effects import Effects, decline, unchanged

_REVERSIBLE: Final = SALES | {Kind.TOP_UP}


class Step(Struct, frozen=True):
    """Rial refunded by line before and after this command. closing: nothing is left after it."""

    before: tuple[int, ...]
    after: tuple[int, ...]
    closing: bool


def refund(draft: AccountDraft, body: PostTransaction, original: PriorPosting | None) -> Effects:
    """A refund of all that is left (nothing named), by line, or by an amount spread over the lines.

    All refunds together never pass the original.
    """
    no = _refusal(body, original)
    if no is not None or original is None:
        return no or decline("unknown-original")
    if original.progress.reversed:
        return decline("already-reversed")
    if original.progress.full:
        return decline("already-refunded")
    step = _step(body, original)
    if isinstance(step, Effects):
        return step
    effects = _undo(draft, original, step, body.grace_expires_at)
    progress = replace(original.progress, refunded=step.after, full=step.closing)
    return replace(effects, progress=(original.name, progress))


def reverse(draft: AccountDraft, body: PostTransaction, original: PriorPosting | None) -> Effects:
    """Undo all that is left of the original.

    An original that never came is marked, and refused should it arrive.
    """
    if original is None:
        return replace(unchanged("original-not-seen"), marks=body.original)
    if not original.arrived or original.status not in (Status.COMPLETED, Status.UNDER_REVIEW):
        return unchanged("nothing-to-reverse")
    no = _refusal(body, original)
    if no is not None:
        return no
    if original.progress.reversed:
        return decline("already-reversed")
    if original.progress.full:
        return decline("already-refunded")
    whole = tuple(amount for _, amount in original.lines)
    step = Step(original.progress.refunded, whole, closing=True)
    effects = _undo(draft, original, step, body.grace_expires_at)
    progress = replace(original.progress, refunded=whole, full=True, reversed=True)
    return replace(effects, progress=(original.name, progress))


def of_grant(part: int, grant: Grant, original: PriorPosting, step: Step) -> int:
    """The share of a grant's points or cost that a step undoes, by its line, else by the basket."""
    for place, (line, amount) in enumerate(original.lines):
        if line == grant.line and amount:
            return share(part, step.before[place], step.after[place], amount)
    total = original.total_rial if not any(n == grant.line for n, _ in original.lines) else 0
    if total:
        return share(part, sum(step.before), sum(step.after), total)
    return part if step.closing else 0


def _refusal(body: PostTransaction, original: PriorPosting | None) -> Effects | None:
    if original is None:
        return decline("unknown-original")
    undoable = _REVERSIBLE if body.kind is Kind.REVERSAL else SALES
    if original.kind not in undoable:
        return decline("not-refundable" if original.arrived else "original-not-completed")
    if original.status not in (Status.COMPLETED, Status.UNDER_REVIEW):
        return decline("original-not-completed")
    if body.shown or body.account not in (0, original.account):
        return decline("another-account")
    if body.merchant != original.merchant:
        return decline("another-merchant")
    return None


def _step(body: PostTransaction, original: PriorPosting) -> Step | Effects:
    before = original.progress.refunded
    whole = tuple(amount for _, amount in original.lines)
    if not body.refund_lines:
        return _step_by_amount(body.amount_rial, before, whole)
    places = {line: place for place, (line, _) in enumerate(original.lines)}
    after = list(before)
    for refunded in body.refund_lines:
        place = places.get(refunded.line)
        if place is None:
            return decline("unknown-line", line=refunded.line)
        after[place] += refunded.amount_rial
        if after[place] > whole[place]:
            return decline("refund-too-large", left=whole[place] - before[place])
    return Step(before, tuple(after), closing=tuple(after) == whole)


def _step_by_amount(rial: int, before: tuple[int, ...], whole: tuple[int, ...]) -> Step | Effects:
    """A step of an amount, spread over the lines by what is left of each; 0: all that is left."""
    left = [amount - back for back, amount in zip(before, whole, strict=True)]
    if rial in (0, sum(left)):
        return Step(before, whole, closing=True)
    if rial > sum(left):
        return decline("refund-too-large", left=sum(left))
    parts = largest_remainder(rial, left)
    after = tuple(back + part for back, part in zip(before, parts, strict=True))
    return Step(before, after, closing=False)


def _undo(
    draft: AccountDraft, original: PriorPosting, step: Step, grace: datetime | None
) -> Effects:
    draft.settle_debts()
    draft.lapse([grant.lot for grant in original.grants])
    restored = _restore(draft, original, step, grace or draft.now + GRACE)
    taken, owed, owed_rial = _claw_back(draft, original, step)
    draft.settle_debts()
    return Effects(
        points_restored=restored.get(Unit.NETWORK_POINTS, 0),
        credit_restored_rial=restored.get(Unit.CREDIT, 0),
        gift_restored_rial=restored.get(Unit.GIFT, 0),
        merchant_points_restored=restored.get(Unit.MERCHANT_POINTS, 0),
        points_clawed_back=taken,
        debt_points=owed,
        debt_rial=owed_rial,
        amount_rial=sum(step.after) - sum(step.before),
    )


def _restore(
    draft: AccountDraft, original: PriorPosting, step: Step, grace: datetime
) -> dict[Unit, int]:
    if not (original.rows or original.own_rial or original.network_rial):
        return {}
    restored: dict[Unit, int] = {}
    spent: list[chart.Spent] = []
    for row in original.rows:
        part, released = _part(draft, row, original, step)
        if part.amount or part.claim_rial or part.fee_rial:
            draft.give_back(row, original.sequence, part=part, grace=grace)
        restored[row.unit] = restored.get(row.unit, 0) + part.amount
        spent.append(
            chart.Spent(row.unit, row.issuer, part.amount, part.claim_rial, part.fee_rial, released)
        )
    own = _money(original.own_rial, original, step)
    added = chart.Added(own, _money(original.network_rial, original, step))
    for transfer in chart.redeem(draft.owner, original.acceptor, spent, added, sign=-1):
        draft.post(transfer)
    return restored


def _part(
    draft: AccountDraft, row: LotMovement, original: PriorPosting, step: Step
) -> tuple[LotMovement, int]:
    """The share of a consumption row that comes back; its cost follows its points."""
    total = original.total_rial
    before = share(row.amount, 0, sum(step.before), total) if total else 0
    amount = _money(row.amount, original, step)
    part = LotMovement(
        0, row.lot, row.unit, LotMovementKind.RESTORED, amount,
        share(row.cost_rial, before, before + amount, row.amount), row.issuer,
        original.acceptor, draft.merchant, _money(row.claim_rial, original, step),
        _money(row.fee_rial, original, step),
    )  # fmt: skip
    return part, _money(row.cost_rial - row.claim_rial, original, step)


def _money(part: int, original: PriorPosting, step: Step) -> int:
    return share(part, sum(step.before), sum(step.after), original.total_rial)


def _claw_back(draft: AccountDraft, original: PriorPosting, step: Step) -> tuple[int, int, int]:
    """Points taken back, points owed, and the worth in Rial of all that is owed.

    Points come from the sale's own lots first, then from the issuer's others; the rest is owed.
    Held amounts are not taken.
    """
    if original.progress.verdict == "cancelled":
        return 0, 0, 0  # the review cancelled them all
    worth: dict[tuple[Unit, int], tuple[int, int]] = {}
    short: dict[tuple[Unit, int], int] = {}
    taken: dict[tuple[Unit, int], int] = {}
    for grant in original.grants:
        kin = (grant.unit, grant.issuer)
        demand = of_grant(grant.amount, grant, original, step)
        cost = of_grant(grant.cost_rial, grant, original, step)
        draft.post(chart.fund(grant.issuer, grant.funder, -cost))
        budgets.give_back(draft, grant, cost)
        points, rial = worth.get(kin, (0, 0))
        worth[kin] = (points + demand, rial + cost)
        lot = draft.lots[grant.lot]
        amount = min(demand, lot.remaining - lot.held)
        if amount:
            draft.take(lot, amount, LotMovementKind.CLAWED_BACK)
        taken[kin] = taken.get(kin, 0) + amount
        short[kin] = short.get(kin, 0) + _beyond_lapsed(draft, grant.lot, demand - amount)
    own = {grant.lot for grant in original.grants}
    for (unit, issuer), amount in taken.items():
        more = _take_others(draft, unit, issuer, demand=short[unit, issuer], own=own)
        draft.post(chart.issue(draft.owner, unit, issuer, -(amount + more)))
        taken[unit, issuer] += more
        short[unit, issuer] -= more
        draft.post(chart.claw_into_debt(draft.owner, unit, issuer, short[unit, issuer]))
        draft.owe(unit, issuer, short[unit, issuer])
    owed_rial = sum(
        _worth(unit, owed, *worth[unit, issuer]) for (unit, issuer), owed in short.items()
    )
    return _points(taken), _points(short), owed_rial


def _worth(unit: Unit, owed: int, points: int, rial: int) -> int:
    """Worth in Rial of a debt: money at face, points by their share of the undone cost, floored."""
    if unit in (Unit.CREDIT, Unit.GIFT) or not owed:
        return owed
    return rial * owed // points


def _beyond_lapsed(draft: AccountDraft, number: int, amount: int) -> int:
    """Points that the member really used: what expired unspent of the lot is not owed."""
    lot = draft.lots[number]
    forgiven = min(amount, lot.lapsed)
    if forgiven:
        draft.set(replace(lot, lapsed=lot.lapsed - forgiven))
    return amount - forgiven


def _take_others(
    draft: AccountDraft, unit: Unit, issuer: int, *, demand: int, own: set[int]
) -> int:
    """Take from lots of the issuer: pending ones of this same sale, then any that are available.

    Pending lots of other sales stay: their review may still cancel them.
    """
    left = demand
    waiting = [
        lot
        for lot in sorted(draft.of(unit, issuer), key=lambda lot: lot.lot)
        if lot.lot in own and lot.remaining and lots.pending(lot, draft.now)
    ]
    for lot in waiting:
        left -= _claw(draft, lot, min(left, lot.remaining))
    for lot, amount in draft.plan(unit, issuer, left).takes:
        left -= _claw(draft, lot, amount)
    return demand - left


def _claw(draft: AccountDraft, lot: Lot, amount: int) -> int:
    if amount:
        draft.take(lot, amount, LotMovementKind.CLAWED_BACK)
    return amount


def _points(by_kin: dict[tuple[Unit, int], int]) -> int:
    return sum(amount for (unit, _), amount in by_kin.items() if unit is Unit.NETWORK_POINTS)
