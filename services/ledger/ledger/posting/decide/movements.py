"""What a transaction did with its account's value, by unit: as its own rows, lots and legs say."""

from typing import Final

from contracts.pos import Movement
from contracts.values import Unit
from ledger.book import lots
from ledger.book.facts import LotMovementKind, Origin, Role
from ledger.posting.decide.draft import AccountDraft

_ORDER: Final = {
    (what, unit): place
    for place, (what, unit) in enumerate([(what, unit) for what in Movement for unit in Unit])
}
_OF_ROWS: Final = {
    LotMovementKind.REDEEMED: Movement.SPENT,
    LotMovementKind.RESTORED: Movement.RESTORED,
    LotMovementKind.CLAWED_BACK: Movement.TAKEN_BACK,
}


def of(draft: AccountDraft) -> dict[tuple[Movement, Unit], int]:
    """Amounts above zero by what happened and unit, in their order.

    A lot opened by an award was earned; what is repaid or came to be owed stands on debt accounts.
    What dates expired is not told: a till hears the same whether the sweep came before or not.
    """
    found: dict[tuple[Movement, Unit], int] = {}
    for number in draft.opened:
        lot = draft.lots[number]
        if lot.origin is Origin.AWARD:
            _add(found, Movement.EARNED, lot.unit, lot.amount)
            if lots.pending(lot, draft.now):
                _add(found, Movement.PENDING, lot.unit, lot.amount)
    for row in draft.rows:
        if row.amount and (movement := _OF_ROWS.get(row.kind)) is not None:
            _add(found, movement, row.unit, row.amount)
    for leg in draft.legs:
        if leg[0][1] is Role.DEBT:
            movement = Movement.REPAID if leg[1] > 0 else Movement.OWED
            _add(found, movement, leg[0][2], abs(leg[1]))
    return dict(sorted(found.items(), key=_place)) if len(found) > 1 else found


def _place(one: tuple[tuple[Movement, Unit], int]) -> int:
    return _ORDER[one[0]]


def _add(found: dict[tuple[Movement, Unit], int], what: Movement, unit: Unit, amount: int) -> None:
    found[what, unit] = found.get((what, unit), 0) + amount
