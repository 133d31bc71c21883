"""Request bodies, read from their bytes into one spelling; their identifier and fingerprint."""

from datetime import UTC, datetime
from typing import Any, Final, TypeVar, cast

import msgspec
from msgspec import UNSET, UnsetType

from contracts import envelope
from contracts.members import IdentifierKind, canonical
from contracts.text import fold_code
from contracts.values import (
    ascii_digits,
    moment_error,
)
from gateway import problems
from gateway.problems import Code
from gateway.road.domain import names
from gateway.road.domain.kinds import check_basket, check_kind
from gateway.road.domain.shapes import (
    ITEM_CODE_LENGTH_MAX,
    HistoricPurchase,
    Identifier,
    Line,
    Transaction,
)
from kit.base import bodies

Body = TypeVar("Body", Transaction, HistoricPurchase)

# --------------------------------------------------------------------------------------- reading

INTEGERS: Final = frozenset(
    {
        *("terminal", "epoch", "sequence", "merchant", "branch"),
        *("line", "quantity", "amount_rial", "points", "credit_rial", "hold_s"),
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
    check_basket(body.amount_rial, body.lines)
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
