"""Shapes of the requests of tills, online shops and imports, with the bounds of their fields."""

from datetime import datetime
from typing import Annotated, Final

from msgspec import UNSET, Meta, Struct, UnsetType

from contracts.pos import LINES_MAX
from contracts.values import HOLD_DAYS_MAX, Amount, Kind, Number, PositiveAmount
from gateway.road.domain import names

Zoned = Annotated[datetime, Meta(tz=True, description="RFC 3339 with its zone")]
IdentifierText = Annotated[str, Meta(min_length=1, max_length=128)]
ITEM_CODE_LENGTH_MAX: Final = 64
ItemCode = Annotated[str, Meta(max_length=ITEM_CODE_LENGTH_MAX)]
LineNumber = Annotated[int, Meta(ge=1, le=9999)]


class Identifier(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The identifier that the member presents: exactly one of these.

    external: imported history only, a reference of the party of the history's merchant.
    """

    card: IdentifierText | UnsetType = UNSET
    mobile: IdentifierText | UnsetType = UNSET
    qr: IdentifierText | UnsetType = UNSET
    external: IdentifierText | UnsetType = UNSET


class Line(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One line of a basket. amount_rial: what the customer pays for the whole line."""

    line: LineNumber
    amount_rial: Amount
    quantity: Annotated[int, Meta(ge=0, le=1_000_000)] | UnsetType = UNSET
    sku: ItemCode | UnsetType = UNSET
    category: ItemCode | UnsetType = UNSET


class RefundLine(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Part of a line that comes back. amount_rial: of this refund, not cumulative."""

    line: LineNumber
    amount_rial: PositiveAmount


class Redeem(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a sale asks to spend: network points, and money credit in Rial."""

    points: Amount | UnsetType = UNSET
    credit_rial: Amount | UnsetType = UNSET


class Original(names.TransactionName, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an undo undoes or a capture captures: its public id, or its name and occurred_at."""

    id: Annotated[str, Meta(min_length=1, max_length=210)] | UnsetType = UNSET
    occurred_at: Zoned | UnsetType = UNSET


Lines = Annotated[tuple[Line, ...], Meta(min_length=1, max_length=LINES_MAX)]
RefundLines = Annotated[tuple[RefundLine, ...], Meta(min_length=1, max_length=LINES_MAX)]


HoldSeconds = Annotated[
    int,
    Meta(
        ge=60,
        le=HOLD_DAYS_MAX * 86_400,
        description="for how long the value stays reserved; of a till a day at most",
    ),
]


class Transaction(names.TransactionName, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Body of POST /v1/transactions.

    (terminal, epoch, sequence) names it for ever, or, from an online shop, (merchant, order,
    operation). A refund takes back refund_lines, or amount_rial spread over what is left of the
    lines, or, with neither, all that is left. A capture without redeem spends all that its
    authorisation reserved, which lasts hold_s: 15 minutes unless said, of an online order a day.
    """

    kind: Kind
    occurred_at: Zoned
    identifier: Identifier | UnsetType = UNSET
    amount_rial: Amount | UnsetType = UNSET
    lines: Lines | UnsetType = UNSET
    redeem: Redeem | UnsetType = UNSET
    original: Original | UnsetType = UNSET
    refund_lines: RefundLines | UnsetType = UNSET
    hold_s: HoldSeconds | UnsetType = UNSET


class HistoricPurchase(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Body of POST /v1/history. (merchant, transaction) names it, for ever.

    programme_version, terms_version: the versions by which the caller expects it to be booked;
    while others are in force here, it is refused. They are no part of the purchase: a repeat may
    leave them out or name others.
    """

    merchant: Number
    transaction: Annotated[str, Meta(min_length=1, max_length=128)]
    identifier: Identifier
    occurred_at: Zoned
    amount_rial: Amount
    lines: Lines | UnsetType = UNSET
    terminal: Annotated[int, Meta(ge=0, le=2**31 - 1)] | UnsetType = UNSET
    branch: Annotated[int, Meta(ge=0, le=2**31 - 1)] | UnsetType = UNSET
    programme_version: Annotated[int, Meta(ge=1, le=2**31 - 1)] | UnsetType = UNSET
    terms_version: Annotated[int, Meta(ge=1, le=2**31 - 1)] | UnsetType = UNSET
