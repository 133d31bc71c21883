"""How a transaction moved its account's value, by unit, from its own rows, lots and legs."""

from typing import Final

from contracts.pos import Movement
from contracts.values import Unit
from ledger.book import lots
from ledger.book.facts import Held, LotMovementKind, Origin, Role
from ledger.posting.decide.draft import AccountDraft

_ORDER: Final = {
    (movement, unit): place
    for place, (movement, unit) in enumerate(
        [(movement, unit) for movement in Movement for unit in Unit]
    )
}
_OF_ROWS: Final = {
    LotMovementKind.REDEEMED: Movement.SPENT,
    LotMovementKind.RESTORED: Movement.RESTORED,
    LotMovementKind.CLAWED_BACK: Movement.TAKEN_BACK,
}
_OF_LOTS: Final = {Origin.AWARD: Movement.EARNED, Origin.TOP_UP: Movement.PAID_IN}
_OF_HOLDS: Final[dict[str, Movement]] = {
    Held.HELD: Movement.AUTHORISED,
    Held.RELEASED: Movement.RELEASED,
}


def of(draft: AccountDraft) -> dict[tuple[Movement, Unit], int]:
    """Amounts above zero by movement and unit, in their order.

    A lot that an award opened was earned. Repayments and new debts are the legs of debt accounts.
    Expiry by date and holds that fell due are left out: a till's answer is the same whether the
    sweep came before or not.
    """
    amounts: dict[tuple[Movement, Unit], int] = {}
    for number in draft.opened:
        lot = draft.lots[number]
        if (movement := _OF_LOTS.get(lot.origin)) is not None:
            _add(amounts, movement, lot.unit, lot.amount)
            if lots.pending(lot, draft.now):
                _add(amounts, Movement.PENDING, lot.unit, lot.amount)
    for row in draft.rows:
        if row.amount and (movement := _OF_ROWS.get(row.kind)) is not None:
            _add(amounts, movement, row.unit, row.amount)
    for _, _, lot, amount, event in draft.hold_rows:
        if (movement := _OF_HOLDS.get(event)) is not None:
            _add(amounts, movement, draft.lots[lot].unit, amount)
    for leg in draft.legs:
        if leg[0][1] is Role.DEBT:
            movement = Movement.REPAID if leg[1] > 0 else Movement.OWED
            _add(amounts, movement, leg[0][2], abs(leg[1]))
    return dict(sorted(amounts.items(), key=_place)) if len(amounts) > 1 else amounts


def _place(item: tuple[tuple[Movement, Unit], int]) -> int:
    return _ORDER[item[0]]


def _add(
    amounts: dict[tuple[Movement, Unit], int], movement: Movement, unit: Unit, amount: int
) -> None:
    amounts[movement, unit] = amounts.get((movement, unit), 0) + amount
