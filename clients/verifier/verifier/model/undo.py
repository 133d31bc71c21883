"""Refunds and reversals: they undo what was booked, in proportion, and once."""

from typing import Any, NamedTuple

from verifier.model import budgets, money
from verifier.model.computation import (
    CREDIT,
    DONE,
    GIFT,
    GRACE,
    GRACED,
    MERCHANT,
    POINTS,
    Draft,
    Effects,
    No,
    in_date,
    part_of,
    spread,
)
from verifier.model.messages import Transaction, micros
from verifier.model.originals import Grant, Original
from verifier.state import Progress


class Way(NamedTuple):
    """Rial undone of an original by line, before and after. last: nothing is left."""

    done: tuple[int, ...]
    due: tuple[int, ...]
    last: bool

    def of_basket(self, whole: int, original: Original) -> int:
        """The share of an amount that comes back now, by the basket as a whole."""
        return part_of(whole, sum(self.done), sum(self.due), original.total)

    def of_grant(self, whole: int, grant: Grant, original: Original) -> int:
        """The same for a prize: by its own line, if that is in the basket and not free."""
        total = original.total
        for place, (line, rial) in enumerate(original.lines):
            if line == grant.line:
                if rial:
                    return part_of(whole, self.done[place], self.due[place], rial)
                total = 0
        if total:
            return self.of_basket(whole, original)
        return whole if self.last else 0


def progress_of(draft: Draft, original: Original) -> Progress:
    """The progress of an original: what was undone of it so far."""
    known = draft.state.progress.get(original.name)
    if known is not None:
        return known
    return Progress(original.sequence, original.total, (0,) * len(original.lines))


def refund(draft: Draft, body: Transaction, original: Original | None) -> Effects:
    """All that is left, or parts of lines."""
    known = _may_be_undone(draft, body, original)
    assert original is not None  # noqa: S101 - for the types
    whole = tuple(rial for _, rial in original.lines)
    due = list(whole)
    if not body.refund_lines:
        due = _by_amount(body.amount_rial, known.refunded, whole)
    else:
        places = {line: place for place, (line, _) in enumerate(original.lines)}
        due = list(known.refunded)
        for back in body.refund_lines:
            if back.line not in places:
                raise No("unknown-line")
            place = places[back.line]
            due[place] += back.amount_rial
            if due[place] > whole[place]:
                raise No("refund-too-large")
    last = tuple(due) == whole
    effects = _undo(draft, body, original, Way(known.refunded, tuple(due), last))
    reached = Progress(known.sequence, known.total, tuple(due), last, known.reversed, known.verdict)
    effects.progress = (original.name, reached)
    return effects


def _by_amount(rial: int, done: tuple[int, ...], whole: tuple[int, ...]) -> list[int]:
    """Rial undone by line when an amount comes back; 0: all that is left."""
    left = [rial_of - back for back, rial_of in zip(done, whole, strict=True)]
    if rial in (0, sum(left)):
        return list(whole)
    if rial > sum(left):
        raise No("refund-too-large")
    return [back + more for back, more in zip(done, spread(rial, left), strict=True)]


def reverse(draft: Draft, body: Transaction, original: Original | None) -> Effects:
    """Undo all that is left. An original that never came is marked: it is refused if it comes."""
    if original is None:
        effects = Effects(code="original-not-seen")
        effects.marks = body.original
        return effects
    if not original.arrived or original.status not in DONE:
        return Effects(code="nothing-to-reverse")
    known = _may_be_undone(draft, body, original)
    whole = tuple(rial for _, rial in original.lines)
    effects = _undo(draft, body, original, Way(known.refunded, whole, True))
    reached = Progress(known.sequence, known.total, whole, True, True, known.verdict)
    effects.progress = (original.name, reached)
    return effects


def _may_be_undone(draft: Draft, body: Transaction, original: Original | None) -> Progress:
    if original is None:
        raise No("unknown-original")
    undoable = ("purchase", "redemption", "capture")
    if body.kind == "reversal":
        undoable = (*undoable, "top-up")
    if original.kind not in undoable:
        raise No("not-refundable" if original.arrived else "original-not-completed")
    if original.status not in DONE:
        raise No("original-not-completed")
    if body.shown != 0 or body.account not in (0, original.account):
        raise No("another-account")
    if body.merchant != original.merchant:
        raise No("another-merchant")
    known = progress_of(draft, original)
    if known.reversed:
        raise No("already-reversed")
    if known.full:
        raise No("already-refunded")
    return known


def _undo(draft: Draft, body: Transaction, original: Original, way: Way) -> Effects:
    effects = Effects()
    draft.repay()
    until = draft.now + GRACE if body.grace_expires_at is None else micros(body.grace_expires_at)
    draft.lapse([grant.lot for grant in original.grants])
    back = _restore(draft, original, way, until)
    taken, owed, worth = _claw_back(draft, original, way, effects)
    draft.repay()
    effects.numbers = {
        "points_restored": back.get(POINTS, 0),
        "credit_restored_rial": back.get(CREDIT, 0),
        "gift_restored_rial": back.get(GIFT, 0),
        "merchant_points_restored": back.get(MERCHANT, 0),
        "points_clawed_back": taken,
        "debt_points": owed,
        "debt_rial": worth,
    }
    return effects


def _restore(draft: Draft, original: Original, way: Way, until: int) -> dict[str, int]:
    back: dict[str, int] = {}
    if not original.spent:
        return back
    done = sum(way.done)
    pieces: list[money.Piece] = []
    for row in original.spent:
        _, number, amount, cost, claim, fee, *_ = row
        lot = draft.purse.lots[number]
        points = way.of_basket(amount, original)
        before = part_of(amount, 0, done, original.total) if original.total else 0
        part = (
            part_of(cost, before, before + points, amount),
            way.of_basket(claim, original),
            way.of_basket(fee, original),
        )
        back[lot.unit] = back.get(lot.unit, 0) + points
        free = way.of_basket(cost - claim, original)
        pieces.append(money.Piece(lot.unit, row[8], points, part[1], part[2], free))
        if points or part[1] or part[2]:
            restore(draft, original, row, points, part, until)
    own, made_up = [way.of_basket(rial, original) for rial in original.beside]
    money.enter(draft, original.acceptor, pieces, (own, made_up), -1)
    return back


def restore(
    draft: Draft,
    original: Original,
    row: tuple[Any, ...],
    points: int,
    part: tuple[int, int, int],
    until: int,
) -> None:
    """Restore part of a row (points; cost, claim and fee) to its lot."""
    number = refill(draft, row[1], points, part[0], until)
    draft.rows.append(
        (
            len(draft.rows), number, points, *part, original.sequence, row[0], row[8],
            original.acceptor, draft.merchant, "restored",
        )
    )  # fmt: skip


def give_back(draft: Draft, original: Original, row: tuple[Any, ...], until: int) -> None:
    """Restore all of a row that sent value."""
    number = refill(draft, row[1], row[2], row[3], until)
    draft.rows.append(
        (len(draft.rows), number, *row[2:6], original.sequence, row[0], *row[8:11], "arrived")
    )


def refill(draft: Draft, number: int, points: int, cost: int, until: int) -> int:
    """Refill a lot; past its date, a child of it with another date. Gives the number of either."""
    lot = draft.purse.lots[number]
    if not points:
        return number
    if in_date(lot, draft.now):
        draft.touch(lot)
    else:
        until = lot.until if lot.origin in GRACED and lot.until is not None else until
        like = {
            "unit": lot.unit, "issuer": lot.issuer, "funder": lot.funder, "start": draft.now,
            "until": until, "born": lot.born, "merchant": lot.merchant, "rule": lot.rule,
            "version": lot.version, "origin": "child", "parent": lot.number,
        }  # fmt: skip
        lot = draft.open(like, points, cost, filled=False)
    lot.left += points
    lot.cost += cost
    return lot.number


def _claw_back(
    draft: Draft, original: Original, way: Way, effects: Effects
) -> tuple[int, int, int]:
    """Claw back from the sale's own lots, then from others of the issuer, then as debt.

    Gives points taken, points owed, and the worth in Rial of all that is owed.
    """
    if progress_of(draft, original).verdict == "cancelled":
        return 0, 0, 0
    costs: dict[tuple[str, int], int] = {}
    needed: dict[tuple[str, int], int] = {}
    taken: dict[tuple[str, int], int] = {}
    short: dict[tuple[str, int], int] = {}
    for grant in original.grants:
        kin = (grant.unit, grant.issuer)
        points = way.of_grant(grant.amount, grant, original)
        cost = way.of_grant(grant.cost, grant, original)
        draft.fund(grant.issuer, grant.funder, -cost)
        budgets.give_back(draft, grant, cost)
        costs[kin] = costs.get(kin, 0) + cost
        needed[kin] = needed.get(kin, 0) + points
        lot = draft.purse.lots[grant.lot]
        amount = min(points, lot.left - lot.held)
        if amount:
            draft.take(lot, amount, "clawed-back")
        missing = points - amount
        if missing and lot.lapsed:  # points that expired unspent are not owed
            draft.touch(lot)
            forgiven = min(missing, lot.lapsed)
            lot.lapsed -= forgiven
            effects.forgiven.append((lot.number, forgiven))
            missing -= forgiven
        taken[kin] = taken.get(kin, 0) + amount
        short[kin] = short.get(kin, 0) + missing
    own = {grant.lot for grant in original.grants}
    for (unit, issuer), amount in taken.items():
        more = _from_others(draft, unit, issuer, own, short[unit, issuer])
        draft.issue(unit, issuer, -(amount + more))
        taken[unit, issuer] += more
        owed = short[unit, issuer] = short[unit, issuer] - more
        draft.move((draft.owner, "debt", unit, issuer), (issuer, "issued", unit, 0), owed)
        draft.owe(unit, issuer, owed)
    worth = 0
    for kin, owed in short.items():
        if owed:
            worth += owed if kin[0] in (CREDIT, GIFT) else costs[kin] * owed // needed[kin]
    return _points(taken), _points(short), worth


def _from_others(draft: Draft, unit: str, issuer: int, own: set[int], needed: int) -> int:
    """Take from pending lots of the same sale, then usable ones of the issuer. Gives the amount."""
    left = needed
    waiting = [
        lot
        for number in sorted(own)
        if (lot := draft.purse.lots[number]).unit == unit
        and lot.issuer == issuer
        and lot.start > draft.now
    ]
    usable = draft.usable(unit, issuer)
    for lot in [*waiting, *usable]:
        amount = min(left, lot.left if lot.start > draft.now else lot.left - lot.held)
        if amount:
            draft.take(lot, amount, "clawed-back")
            left -= amount
    return needed - left


def _points(by_kin: dict[tuple[str, int], int]) -> int:
    return sum(amount for (unit, _), amount in by_kin.items() if unit == POINTS)
