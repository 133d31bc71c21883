"""Request bodies: their shapes, how they are read from bytes, and the fields of each kind."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated, Any, Final, TypeVar, cast

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from contracts import envelope
from contracts.members import IdentifierKind, canonical
from contracts.pos import LINES_MAX
from contracts.text import fold_code
from contracts.values import (
    Amount,
    Kind,
    Number,
    PositiveAmount,
    ascii_digits,
    moment_error,
)
from gateway import problems
from gateway.problems import Code
from gateway.road.domain import names
from kit.base import bodies

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
    """What a redemption asks to spend: network points, and money credit in Rial."""

    points: Amount | UnsetType = UNSET
    credit_rial: Amount | UnsetType = UNSET


class Original(names.TransactionName, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a refund or reversal undoes: its public id, or its name and occurred_at."""

    id: Annotated[str, Meta(min_length=1, max_length=210)] | UnsetType = UNSET
    occurred_at: Zoned | UnsetType = UNSET


Lines = Annotated[tuple[Line, ...], Meta(min_length=1, max_length=LINES_MAX)]
RefundLines = Annotated[tuple[RefundLine, ...], Meta(min_length=1, max_length=LINES_MAX)]


class Transaction(names.TransactionName, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Body of POST /v1/transactions.

    (terminal, epoch, sequence) names it for ever, or, from an online shop, (merchant, order,
    operation). A refund takes back refund_lines, or amount_rial spread over what is left of the
    lines, or, with neither, all that is left.
    """

    kind: Kind
    occurred_at: Zoned
    identifier: Identifier | UnsetType = UNSET
    amount_rial: Amount | UnsetType = UNSET
    lines: Lines | UnsetType = UNSET
    redeem: Redeem | UnsetType = UNSET
    original: Original | UnsetType = UNSET
    refund_lines: RefundLines | UnsetType = UNSET


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


Body = TypeVar("Body", Transaction, HistoricPurchase)

# --------------------------------------------------------------------------------------- reading

INTEGERS: Final = frozenset(
    {
        *("terminal", "epoch", "sequence", "merchant", "branch"),
        *("line", "quantity", "amount_rial", "points", "credit_rial"),
        *("programme_version", "terms_version"),
    }
)
_DIGIT_FIELDS: Final = INTEGERS | {"occurred_at"}
_DIGITS_MAX: Final = 17  # more cannot be within any range; int() of a long text is slow
_DEPTH_MAX: Final = 6

_transaction: Final = msgspec.json.Decoder(Transaction)
_historic: Final = msgspec.json.Decoder(HistoricPurchase)
_encoder: Final = msgspec.json.Encoder()

_CODES_OF_CAUSES: Final = (
    ("Object contains unknown field", Code.UNKNOWN_FIELD),
    ("Object missing required field", Code.MISSING_FIELD),
    ("Invalid enum value", Code.UNKNOWN_KIND),
    ("Invalid RFC3339", Code.BAD_TIME),
    ("Expected `datetime`", Code.BAD_TIME),
    ("Expected `int` ", Code.OUT_OF_RANGE),
    ("Expected `int`, ", Code.NOT_AN_INTEGER),
    ("Expected `str` of length", Code.OUT_OF_RANGE),
    ("Expected `array` of length", Code.OUT_OF_RANGE),
    ("Integer value out of range", Code.OUT_OF_RANGE),
)


def read_transaction(raw: bytes) -> Transaction:
    """A till's or an online shop's request from its bytes, normalised and checked.

    Integers are strict: no float, not even 1.0. Numbers in strings of Persian, Arabic-Indic or
    ASCII digits are taken as numbers. Raises a problem of `problems.Code`.
    """
    body = names.normalised(_normalised(_read(raw, _transaction, Transaction)))
    names.text_of(body)
    check_kind(body)
    return body


def read_historic(raw: bytes) -> HistoricPurchase:
    """An imported purchase from its bytes; as read_transaction."""
    body = _normalised(_read(raw, _historic, HistoricPurchase))
    _check_basket(body.amount_rial, body.lines)
    if body.amount_rial == 0:
        raise problems.refusal(Code.AMOUNT_IS_ZERO)
    return msgspec.structs.replace(body, transaction=_folded_text(body.transaction))


def _read(raw: bytes, decoder: "msgspec.json.Decoder[Body]", kind: type[Body]) -> Body:
    try:
        body = decoder.decode(raw)
    except msgspec.ValidationError:
        return _read_leniently(raw, kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise problems.refusal(Code.MALFORMED_JSON, str(error)) from error
    if bodies.repeats(raw, _encoder.encode(body)):
        raise problems.refusal(Code.DUPLICATE_KEY)
    return body


def _read_leniently(raw: bytes, kind: type[Body]) -> Body:
    """The slow way: digit strings become their numbers, and the error names what is wrong."""
    fields = bodies.read(raw)
    try:
        return msgspec.convert(_numbered(fields, 0), kind)
    except msgspec.ValidationError as error:
        raise problems.refusal(_code_of(str(error)), str(error)) from error


def _numbered(value: Any, depth: int) -> Any:
    if depth > _DEPTH_MAX:
        return value
    if isinstance(value, dict):
        fields = cast("dict[str, Any]", value)
        return {k: _number(k, _numbered(v, depth + 1)) for k, v in fields.items()}
    if isinstance(value, list):
        return [_numbered(v, depth + 1) for v in cast("list[Any]", value)]
    return value


def _number(field: str, value: Any) -> Any:
    if field not in _DIGIT_FIELDS or not isinstance(value, str):
        return value
    text = ascii_digits(value)
    if field not in INTEGERS:
        return text
    return int(text) if text.isascii() and text.isdigit() and len(text) < _DIGITS_MAX else value


def _code_of(text: str) -> Code:
    return next(
        (code for start, code in _CODES_OF_CAUSES if text.startswith(start)), Code.BAD_SHAPE
    )


def _normalised(body: Body) -> Body:
    """Times in UTC, codes folded, so that their spelling changes nothing."""
    if body.lines is not UNSET:
        body = msgspec.structs.replace(body, lines=tuple(map(_folded, body.lines)))
    original = getattr(body, "original", UNSET)
    if original is not UNSET:
        original = names.normalised(original)
        if original.occurred_at is not UNSET:
            original = msgspec.structs.replace(original, occurred_at=_utc(original.occurred_at))
        body = msgspec.structs.replace(body, original=original)
    at = _utc(body.occurred_at)
    return body if at is body.occurred_at else msgspec.structs.replace(body, occurred_at=at)


def _folded(line: Line) -> Line:
    """A line whose codes are folded, as are the lists of programmes and rules."""
    sku, category = _code(line.sku), _code(line.category)
    if sku == line.sku and category == line.category:
        return line
    return msgspec.structs.replace(line, sku=sku, category=category)


def _code(text: str | UnsetType) -> str | UnsetType:
    if text is UNSET:
        return UNSET
    folded = _folded_text(text)
    if len(folded) > ITEM_CODE_LENGTH_MAX:  # a ligature may stand for many letters
        raise problems.refusal(
            Code.OUT_OF_RANGE, f"a code of over {ITEM_CODE_LENGTH_MAX} characters"
        )
    return folded


def _folded_text(text: str) -> str:
    try:
        return fold_code(text)
    except ValueError as error:
        raise problems.refusal(Code.UNSTORABLE_TEXT, str(error)) from error


def _utc(at: datetime) -> datetime:
    """A time within the platform's bounds, in UTC. Raises BAD_TIME."""
    if error := moment_error(at):
        raise problems.refusal(Code.BAD_TIME, error)
    return at.astimezone(UTC)


# -------------------------------------------------------------------------------------- checking

_OPTIONAL_FIELDS: Final = (
    "identifier",
    "amount_rial",
    "lines",
    "redeem",
    "original",
    "refund_lines",
)
_REQUIRED: Final[dict[Kind, frozenset[str]]] = {
    Kind.PURCHASE: frozenset({"identifier", "amount_rial"}),
    Kind.REDEMPTION: frozenset({"identifier", "amount_rial", "redeem"}),
    Kind.REFUND: frozenset({"original"}),
    Kind.REVERSAL: frozenset({"original"}),
    Kind.INQUIRY: frozenset({"identifier"}),
}
_ALLOWED: Final[dict[Kind, frozenset[str]]] = {
    Kind.PURCHASE: frozenset({"lines"}),
    Kind.REDEMPTION: frozenset({"lines"}),
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
    _check_basket(amount, body.lines)
    if amount == 0 and "amount_rial" in required:
        raise problems.refusal(Code.AMOUNT_IS_ZERO)
    if body.kind is Kind.REFUND and body.amount_rial is not UNSET:
        _check_part(body)
    if body.redeem is not UNSET and not (body.redeem.points or body.redeem.credit_rial):
        raise problems.refusal(Code.NOTHING_TO_REDEEM)
    if body.original is not UNSET:
        _check_original(body, body.original)
    if body.identifier is not UNSET and body.identifier.external is not UNSET:
        raise problems.refusal(Code.BAD_IDENTIFIER, "external is for imported history only")


def _check_part(body: Transaction) -> None:
    """A refund of an amount: more than nothing, and not of lines too."""
    if body.refund_lines is not UNSET:
        raise problems.refusal(Code.FIELD_NOT_ALLOWED, "amount_rial beside refund_lines")
    if not body.amount_rial:
        raise problems.refusal(Code.AMOUNT_IS_ZERO)


def _check_basket(amount: int, lines: tuple[Line, ...] | UnsetType) -> None:
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


# ----------------------------------------------------------------- identifiers and fingerprints


_IDENTIFIER_FIELDS: Final = tuple((kind, kind.value) for kind in IdentifierKind)


def canonical_identifier(identifier: Identifier) -> tuple[IdentifierKind, str]:
    """Kind and canonical text of the one identifier that was sent. Raises BAD_IDENTIFIER."""
    sent: tuple[IdentifierKind, str] | None = None
    for kind, field in _IDENTIFIER_FIELDS:
        text = getattr(identifier, field)
        if text is UNSET:
            continue
        if sent is not None:
            raise problems.refusal(Code.BAD_IDENTIFIER, "send exactly one identifier")
        sent = (kind, text)
    if sent is None:
        raise problems.refusal(Code.BAD_IDENTIFIER, "send a card, a mobile or a qr")
    try:
        return sent[0], canonical(*sent)
    except ValueError as error:
        raise problems.refusal(Code.BAD_IDENTIFIER, str(error)) from error


def fingerprint(body: Transaction | HistoricPurchase, digest: str | None) -> str:
    """Fingerprint over the caller's own fields, only those present.

    digest: of the identifier sent. It replaces the identifier: there are so few possible numbers
    that a plain hash would reveal the number to any reader of the topic. The order of keys,
    spellings of digits and letters, and a time's zone change nothing. The versions that an import
    expects are a condition and do not count.
    """
    if isinstance(body, HistoricPurchase):
        body = msgspec.structs.replace(body, programme_version=UNSET, terms_version=UNSET)
    if digest is not None and body.identifier is not UNSET:
        kind = next(
            k.value for k in IdentifierKind if getattr(body.identifier, k.value) is not UNSET
        )
        body = msgspec.structs.replace(body, identifier=Identifier(**{kind: digest}))
    return envelope.fingerprint_of(body)
