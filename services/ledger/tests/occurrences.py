"""Rare cases by name, as the second model worked a command out: what stories must have come to."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from verifier.model import money
from verifier.model.commands_value import Capture, Extend, Reissue, Return, SetStanding, Settle
from verifier.model.computation import Draft, Effects, in_date
from verifier.model.decode import Command
from verifier.model.messages import Cancel, Expire, Release, TakeBack, Transaction
from verifier.model.originals import Original

DONE = ("completed", "held")


class Case(NamedTuple):
    """A command with all that it came to; its lots are as after it."""

    draft: Draft
    effects: Effects
    body: Any
    original: Original | None

    def rows(self, *hows: str) -> list[tuple[Any, ...]]:
        """Rows that took from lots, or gave to them, in these ways."""
        return [row for row in self.draft.rows if row[11] in hows]

    def legs(self, role: str, sign: int) -> list[int]:
        """Amounts of entries on accounts of a role, of one sign."""
        return [
            amount
            for (_, its, _, _), amount in self.draft.legs
            if its == role and amount * sign > 0
        ]

    @property
    def is_undo(self) -> bool:
        """Whether it is a refund or a reversal."""
        return isinstance(self.body, Transaction) and self.body.kind in ("refund", "reversal")

    @property
    def own_lots(self) -> set[int]:
        """Lots of what the command undoes."""
        return {grant.lot for grant in self.original.grants} if self.original is not None else set()

    def from_other_lots(self) -> bool:
        """Whether it claws back from lots that are not the original's."""
        return any(row[1] not in self.own_lots for row in self.rows("clawed-back"))

    def children(self) -> bool:
        """Whether a lot was opened in the place of one past its date."""
        return any(lot.origin == "child" for lot, _, _ in self.draft.opened)


def of(
    draft: Draft, effects: Effects, command: Command, original: Original | None
) -> Iterator[str]:
    """All that occurred with a command."""
    yield f"{command.type[:-3]} {effects.status} {effects.code}".strip()
    if isinstance(command.body, Transaction):
        yield f"{command.body.kind} {effects.status} {effects.code}".strip()
    case = Case(draft, effects, command.body, original)
    yield from (name for name, occurred in _ALWAYS.items() if occurred(case))
    if effects.status in DONE:
        yield from (name for name, occurred in _WHEN_DONE.items() if occurred(case))


def _spans_units(case: Case) -> bool:
    lots = [row[1] for row in case.rows("redeemed")]
    lots += [row[2] for row in case.draft.hold_rows if row[4] == "held"]
    return len({case.draft.purse.lots[number].unit for number in lots}) > 1


def _captures_past_the_date(case: Case) -> bool:
    lots = case.draft.purse.lots
    capture = isinstance(case.body, Capture) or getattr(case.body, "kind", "") == "capture"
    return capture and any(
        not in_date(lots[row[1]], case.draft.now) for row in case.rows("redeemed")
    )


def _expires_beside_a_hold(case: Case) -> bool:
    if not isinstance(case.body, Expire):
        return False
    lot = case.draft.lot(case.body.lot)
    return lot is not None and bool(lot.held) and not in_date(lot, case.draft.now)


def _claws_back_beside_a_hold(case: Case) -> bool:
    """A lot of the sale is left with nothing but what is held, and more was wanted."""
    if not case.is_undo:
        return False
    lots = [case.draft.purse.lots[number] for number in case.own_lots]
    short = case.from_other_lots() or case.effects.forgiven or case.legs("debt", -1)
    return bool(short) and any(lot.held and lot.held == lot.left for lot in lots)


def _refunds_by_amount(case: Case) -> bool:
    body, progress = case.body, case.effects.progress
    if not isinstance(body, Transaction) or body.kind != "refund" or progress is None:
        return False
    return bool(body.amount_rial) and not body.refund_lines and not progress[1].full


def _network_makes_up(case: Case) -> bool:
    deal = getattr(case.body, "redemption", None) or getattr(case.body, "spend", None)
    if deal is None:
        return False
    claim = sum(row[4] for row in case.rows("redeemed"))
    return money.worth_of(deal).made_up(claim) > 0


def _gives_top_up_back(case: Case) -> bool:
    return case.is_undo and case.original is not None and case.original.kind == "top-up"


def _passes_on(case: Case) -> bool:
    """What a closed card got goes to the one that took its place."""
    arrived = getattr(case.body, "parcels", None) is not None or isinstance(case.body, Return)
    return (arrived or case.is_undo) and bool(case.rows("sent"))


def _opens_again(case: Case) -> bool:
    if isinstance(case.body, SetStanding | Reissue):
        return False
    return any(one[0] == "standing" and one[3] == "frozen" for one in case.draft.changes)


def _pays_back(case: Case) -> bool:
    settled = case.draft.state.registry.settled
    return isinstance(case.body, Settle) and any(
        change[2] < settled.get(change[1], (0, 0, 0))[0] for change in case.draft.changes
    )


def _refuses_awards(*codes: str) -> Callable[[Case], bool]:
    return lambda case: any(code in codes for _, code in case.effects.refused_awards)


def _gives_back_budget(case: Case) -> bool:
    undoes = case.is_undo or isinstance(case.body, Cancel | TakeBack)
    return undoes and bool(case.legs("budget", 1))


_ALWAYS: dict[str, Callable[[Case], bool]] = {
    "expiry beside a hold": _expires_beside_a_hold,
    "award of a frozen or closed party": _refuses_awards("party-frozen", "party-closed"),
    "award without budget": _refuses_awards("budget-exhausted"),
}
_WHEN_DONE: dict[str, Callable[[Case], bool]] = {
    "top-up given back": _gives_top_up_back,
    "burn spans lots": lambda case: len(case.rows("redeemed")) > 1,
    "spend spans units": _spans_units,
    "the network makes up": _network_makes_up,
    "capture past the date": _captures_past_the_date,
    "debt": lambda case: bool(case.legs("debt", -1)),
    "debt repaid": lambda case: bool(case.rows("repaid")),
    "due booked": lambda case: any(row[4] == "due" for row in case.draft.hold_rows),
    "clawback from another lot": lambda case: case.is_undo and case.from_other_lots(),
    "clawback beside a hold": _claws_back_beside_a_hold,
    "expired points forgiven": lambda case: bool(case.effects.forgiven),
    "child of an expired lot": lambda case: case.is_undo and case.children(),
    "a returned lot was past its date": lambda case: (
        isinstance(case.body, Return) and case.children()
    ),
    "taken back of a grace lot": lambda case: (
        isinstance(case.body, TakeBack) and case.from_other_lots()
    ),
    "refund by amount": _refunds_by_amount,
    "renewed": lambda case: (
        bool(case.draft.dates) and not isinstance(case.body, Extend | Release | Cancel)
    ),
    "event": lambda case: (
        isinstance(case.body, Release | Cancel)
        and case.original is not None
        and bool(case.original.pending_event)
    ),
    "value went on to a card's successor": _passes_on,
    "a closed account opened again": _opens_again,
    "paid back": _pays_back,
    "award from a budget": lambda case: (
        isinstance(case.body, Transaction) and not case.is_undo and bool(case.legs("budget", -1))
    ),
    "budget given back": _gives_back_budget,
}
