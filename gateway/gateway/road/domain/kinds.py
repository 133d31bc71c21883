"""The fields of each kind of request: which it needs, which it may have, and how they agree."""

from collections.abc import Iterable
from typing import Final

from msgspec import UNSET, UnsetType

from contracts.values import Kind
from gateway import problems
from gateway.problems import Code
from gateway.road.domain import names
from gateway.road.domain.shapes import Line, Original, Transaction

TILL_HOLD_S_MAX: Final = 86_400  # somebody stands there; an order may wait for its shipment
_OPTIONAL_FIELDS: Final = (
    "identifier",
    "amount_rial",
    "lines",
    "redeem",
    "original",
    "refund_lines",
    "hold_s",
)
_REQUIRED: Final[dict[Kind, frozenset[str]]] = {
    Kind.PURCHASE: frozenset({"identifier", "amount_rial"}),
    Kind.REDEMPTION: frozenset({"identifier", "amount_rial", "redeem"}),
    Kind.AUTHORISATION: frozenset({"identifier", "amount_rial", "redeem"}),
    Kind.CAPTURE: frozenset({"original", "amount_rial"}),
    Kind.VOID: frozenset({"original"}),
    Kind.TOP_UP: frozenset({"identifier", "amount_rial"}),
    Kind.REFUND: frozenset({"original"}),
    Kind.REVERSAL: frozenset({"original"}),
    Kind.INQUIRY: frozenset({"identifier"}),
}
_ALLOWED: Final[dict[Kind, frozenset[str]]] = {
    Kind.PURCHASE: frozenset({"lines"}),
    Kind.REDEMPTION: frozenset({"lines"}),
    Kind.AUTHORISATION: frozenset({"lines", "hold_s"}),
    Kind.CAPTURE: frozenset({"identifier", "lines", "redeem"}),
    Kind.VOID: frozenset({"identifier"}),
    Kind.TOP_UP: frozenset(),
    Kind.REFUND: frozenset({"identifier", "refund_lines", "amount_rial"}),
    Kind.REVERSAL: frozenset({"identifier"}),
    Kind.INQUIRY: frozenset({"amount_rial", "lines"}),
}


def check_kind(body: Transaction) -> None:
    """Every required field is there, no field that is not allowed, and the sums add up.

    Raises a problem of `problems.Code`.
    """
    required, allowed = _REQUIRED[body.kind], _ALLOWED[body.kind]
    for field in _OPTIONAL_FIELDS:
        present = getattr(body, field) is not UNSET
        if present and field not in required and field not in allowed:
            raise problems.refusal(Code.FIELD_NOT_ALLOWED, f"{field} in a {body.kind.value}")
        if not present and field in required:
            raise problems.refusal(Code.MISSING_FIELD, f"{field} in a {body.kind.value}")
    amount = 0 if body.amount_rial is UNSET else body.amount_rial
    check_basket(amount, body.lines)
    if amount == 0 and "amount_rial" in required:
        raise problems.refusal(Code.AMOUNT_IS_ZERO)
    if body.kind is Kind.REFUND and body.amount_rial is not UNSET:
        _check_part(body)
    if body.redeem is not UNSET and not (body.redeem.points or body.redeem.credit_rial):
        raise problems.refusal(Code.NOTHING_TO_REDEEM)
    if body.original is not UNSET:
        _check_original(body, body.original)
    if body.hold_s is not UNSET and body.order is UNSET and body.hold_s > TILL_HOLD_S_MAX:
        raise problems.refusal(Code.OUT_OF_RANGE, f"hold_s: a till's {TILL_HOLD_S_MAX} at most")
    if body.identifier is not UNSET and body.identifier.external is not UNSET:
        raise problems.refusal(Code.BAD_IDENTIFIER, "external is for imported history only")


def _check_part(body: Transaction) -> None:
    """A refund of an amount: more than nothing, and not of lines too."""
    if body.refund_lines is not UNSET:
        raise problems.refusal(Code.FIELD_NOT_ALLOWED, "amount_rial beside refund_lines")
    if not body.amount_rial:
        raise problems.refusal(Code.AMOUNT_IS_ZERO)


def check_basket(amount: int, lines: tuple[Line, ...] | UnsetType) -> None:
    """The lines of a basket are numbered once each and add up to it. Raises as check_kind."""
    if lines is UNSET:
        return
    if sum(line.amount_rial for line in lines) != amount:
        raise problems.refusal(Code.LINES_DO_NOT_ADD_UP)
    _check_numbers(line.line for line in lines)


def _check_numbers(numbers: Iterable[int]) -> None:
    seen: set[int] = set()
    for number in numbers:
        if number in seen:
            raise problems.refusal(Code.LINE_REPEATED, f"line {number}")
        seen.add(number)


def _check_original(body: Transaction, original: Original) -> None:
    """By id, alone; or by name, with its time and the identifier, which lead to its shard."""
    if original.id is not UNSET:
        beside = (*names.parts(original), original.occurred_at)
        if any(part is not UNSET for part in beside):
            raise problems.refusal(Code.FIELD_NOT_ALLOWED, "original has an id and a name too")
    elif original.occurred_at is UNSET:
        raise problems.refusal(Code.MISSING_FIELD, "original: id, or its name and occurred_at")
    elif names.text_of(original) == names.text_of(body):
        raise problems.refusal(Code.ORIGINAL_IS_ITSELF)
    elif body.identifier is UNSET:
        raise problems.refusal(Code.MISSING_FIELD, "identifier, where the original has no id")
    if body.refund_lines is not UNSET:
        _check_numbers(line.line for line in body.refund_lines)
