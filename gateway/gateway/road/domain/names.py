"""How a request names a transaction: a till by its counter, an online shop by its order."""

import re
from typing import Annotated, Final, TypeVar

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from contracts import values
from contracts.text import fold_code
from contracts.values import AMOUNT_MAX, Number
from gateway import problems
from gateway.problems import Code

Sequence = Annotated[int, Meta(ge=0, le=AMOUNT_MAX)]
Order = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=64,
        description="the shop's own number of the order: 1 to 48 of A-Z a-z 0-9 - _ . : / #",
    ),
]
Operation = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=64,
        description="what is done to the order, each time a new word: 1 to 32 of a-z 0-9 -",
    ),
]
_ORDER: Final = re.compile(r"[A-Za-z0-9\-_.:/#]{1,48}")
_OPERATION: Final = re.compile(r"[a-z0-9\-]{1,32}")


class TransactionName(Struct, frozen=True, kw_only=True):
    """A till's (terminal, epoch, sequence) or an online shop's (merchant, order, operation)."""

    terminal: Number | UnsetType = UNSET
    epoch: Number | UnsetType = UNSET
    sequence: Sequence | UnsetType = UNSET
    merchant: Number | UnsetType = UNSET
    order: Order | UnsetType = UNSET
    operation: Operation | UnsetType = UNSET


Body = TypeVar("Body", bound=TransactionName)


def parts(name: TransactionName) -> tuple[int | str | UnsetType, ...]:
    """All that may be part of a name, present or not."""
    till = (name.terminal, name.epoch, name.sequence)
    return (*till, name.merchant, name.order, name.operation)


def text_of(name: TransactionName) -> str:
    """The name's text, for a name that `normalised` has brought into its one spelling.

    Raises FIELD_NOT_ALLOWED where both forms are mixed, MISSING_FIELD where neither is whole.
    """
    match parts(name):
        case (int(terminal), int(epoch), int(sequence), UnsetType(), UnsetType(), UnsetType()):
            return values.till_name(terminal, epoch, sequence)
        case (UnsetType(), UnsetType(), UnsetType(), int(merchant), str(order), str(operation)):
            return values.order_name(merchant, order, operation)
        case (UnsetType(), UnsetType(), UnsetType(), *_) | (
            *_,
            UnsetType(),
            UnsetType(),
            UnsetType(),
        ):
            raise problems.refusal(
                Code.MISSING_FIELD, "terminal, epoch, sequence; or merchant, order, operation"
            )
        case _:
            raise problems.refusal(Code.FIELD_NOT_ALLOWED, "a till's name and an online shop's too")


def normalised(body: Body) -> Body:
    """The order and operation in their one spelling, as `fold_code` gives it.

    Capital and small letters of an order differ. Raises BAD_ORDER.
    """
    if body.order is UNSET and body.operation is UNSET:
        return body
    return msgspec.structs.replace(
        body, order=_spelled(body.order, _ORDER), operation=_spelled(body.operation, _OPERATION)
    )


def _spelled(text: str | UnsetType, allowed: re.Pattern[str]) -> str | UnsetType:
    if text is UNSET:
        return UNSET
    try:
        plain = fold_code(text)
    except ValueError as error:
        raise problems.refusal(Code.BAD_ORDER) from error
    if allowed.fullmatch(plain) is None:
        raise problems.refusal(Code.BAD_ORDER)
    return plain
