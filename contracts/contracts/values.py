"""Values that every room shares: units, amounts, names, days, text as it is stored."""

import re
import unicodedata
from collections.abc import Sequence
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Annotated, Final
from urllib.parse import quote, unquote
from zoneinfo import ZoneInfo

from msgspec import Meta, Struct

AMOUNT_MAX: Final = 2**53 - 1  # JSON numbers stay exact in every language up to here
NETWORK_PARTY: Final = 1  # the network's own legal entity; merchants registers it first
ACCOUNT_FIRST: Final = 1_000_001  # number of the first club account that members opens
BASIS_POINTS: Final = 10_000
MARKS_MAX: Final = 30  # combining marks in a row
HOLD_DAYS_MAX: Final = 30  # a hold keeps its lots from expiring, so it has an end
TEHRAN: Final = ZoneInfo("Asia/Tehran")
# Every time that a caller or a record may choose lies in [MOMENT_MIN, MOMENT_MAX): beyond it are
# PostgreSQL's infinities, the ends of Python's calendar, and years typed in another calendar.
MOMENT_MIN: Final = datetime(1990, 1, 1, tzinfo=UTC)
MOMENT_MAX: Final = datetime(2200, 1, 1, tzinfo=UTC)
TIME_ZERO: Final = datetime(1970, 1, 1, tzinfo=UTC)  # in messages: what has no time of its own
SOLAR_HIJRI: Final = range(1300, 1501)  # years of a calendar that people here write in
UNSET_TIME: Final = MOMENT_MAX  # after every time there is, and still one that can be reckoned with

Amount = Annotated[int, Meta(ge=0, le=AMOUNT_MAX)]
PositiveAmount = Annotated[int, Meta(ge=1, le=AMOUNT_MAX)]
BasisPoints = Annotated[int, Meta(ge=0, le=BASIS_POINTS)]
# Every number in a message is bounded by the column that keeps it, so that a spoilt one is an
# undecodable record, which is refused alone, and no error of the database amid a batch.
Number = Annotated[int, Meta(ge=1, le=2**31 - 1)]  # merchants, parties, branches, terminals
NumberOrZero = Annotated[int, Meta(ge=0, le=2**31 - 1)]  # 0: none; versions and epochs too
AccountNumber = Annotated[int, Meta(ge=1, le=2**53 - 1)]
AccountOrZero = Annotated[int, Meta(ge=0, le=2**53 - 1)]  # accounts and members; 0: none
SHARDS_MAX: Final = 2**15
Shard = Annotated[int, Meta(ge=0, le=SHARDS_MAX - 1)]  # a platform has far fewer
LineOrBasket = Annotated[int, Meta(ge=0, le=9999)]  # 0: the whole basket
Whole = Annotated[int, Meta(ge=0, le=2**63 - 1)]  # sequences, lots, offsets, what was booked
Signed = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
# Times too: one without a zone compares with no other, amid a batch.
Instant = Annotated[datetime, Meta(tz=True)]


class Unit(StrEnum):
    """What an amount counts. Sums never mix units (architecture 5)."""

    __hash__ = str.__hash__  # in the key of every account: spare Enum's hash in Python

    NETWORK_POINTS = "NP"
    MERCHANT_POINTS = "MP"  # a merchant's own, kept apart by issuer
    CREDIT = "CR"  # money credit in Rial, spent like points
    GIFT = "GV"  # gift value in Rial
    RIAL = "IRR"  # what parties owe one another


class Kind(StrEnum):
    """Kinds of transaction on the road."""

    PURCHASE = "purchase"
    REDEMPTION = "redemption"
    AUTHORISATION = "authorisation"  # reserves what a sale will spend, until a due time
    CAPTURE = "capture"  # the sale itself: spends of its authorisation, once, and earns
    VOID = "void"  # frees all that an authorisation reserved
    TOP_UP = "top-up"  # money paid in at the till becomes credit
    REFUND = "refund"
    REVERSAL = "reversal"
    INQUIRY = "inquiry"


SALES: Final = frozenset((Kind.PURCHASE, Kind.REDEMPTION, Kind.CAPTURE))  # goods change hands
SPENDS: Final = frozenset((Kind.REDEMPTION, Kind.AUTHORISATION))  # asks for a member's value
UNDOS: Final = frozenset((Kind.REFUND, Kind.REVERSAL, Kind.VOID))


class Channel(StrEnum):
    """Where a transaction comes from."""

    TILL = "till"
    ONLINE = "online"
    HISTORY = "history"  # an operator's import: base rules only, no message, never too old


class Status(StrEnum):
    """The outcome of a name, for ever."""

    COMPLETED = "completed"
    UNDER_REVIEW = "held"  # completed, points pending until the review ends or is due
    DECLINED = "declined"  # a business decision: stored and answered like a completed one
    REFUSED = "refused"  # a stage could not decide it: stored and answered


class Reason(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why something was declined, reviewed, or earned nothing; Persian first."""

    code: str
    fa: str
    en: str
    rule: str = ""
    version: NumberOrZero = 0


# ------------------------------------------------------------------------------------------ names


class NameKind(StrEnum):
    """First part of a name: who counts the rest."""

    TILL = "t"  # terminal, epoch, sequence
    ORDER = "o"  # merchant, order, operation
    HISTORY = "h"  # merchant, the file's transaction, "purchase"
    ACCOUNT = "a"  # account, purpose
    VERDICT = "v"  # case
    EXPIRY = "x"  # lot, Tehran hour
    TICK = "k"  # minute since the epoch
    PARTY = "p"  # party, purpose
    RECEIPT = "r"  # shard and sequence of what was sent here
    RETURN = "b"  # shard and sequence of what was refused there
    WINDOW = "w"  # settlement window
    HOLD = "d"  # sequence of a hold that fell due
    UNDECODABLE = "u"  # SHA-256 of the record's bytes, hex


_NAME_PARTS: Final = {
    NameKind.TILL: 3,
    NameKind.ORDER: 3,
    NameKind.HISTORY: 3,
    NameKind.ACCOUNT: 2,
    NameKind.VERDICT: 1,
    NameKind.EXPIRY: 2,
    NameKind.TICK: 1,
    NameKind.PARTY: 2,
    NameKind.RECEIPT: 2,
    NameKind.RETURN: 2,
    NameKind.WINDOW: 1,
    NameKind.HOLD: 1,
    NameKind.UNDECODABLE: 1,
}
NAME_LENGTH_MAX: Final = 200


def name(family: NameKind, *parts: int | str) -> str:
    """Text of a name, e.g. "t.10000017.1.42"; text parts are percent-encoded, dots too.

    Raises ValueError on a wrong number of parts, an empty part, or more than 200 characters.
    Source: architecture 2 (the name), 5 (natural keys).
    """
    if len(parts) != _NAME_PARTS[family]:
        raise ValueError(f"a name of family {family.value} has {_NAME_PARTS[family]} parts")
    texts = [str(p) if isinstance(p, int) else _escape(p) for p in parts]
    text = ".".join([family.value, *texts])
    if not all(texts) or len(text) > NAME_LENGTH_MAX:
        raise ValueError("a part of the name is empty, or the name is over 200 characters")
    return text


def name_parts(text: str) -> tuple[NameKind, tuple[str, ...]]:
    """Kind and decoded parts of a name's text. Raises ValueError when it is not one."""
    head, *rest = text.split(".")
    family = NameKind(head)
    if len(rest) != _NAME_PARTS[family] or not all(rest) or len(text) > NAME_LENGTH_MAX:
        raise ValueError("not a transaction name")
    return family, tuple(unquote(part, errors="strict") for part in rest)


def till_name(terminal: int, epoch: int, sequence: int) -> str:
    """Name of a till's transaction (architecture 2)."""
    return f"t.{terminal}.{epoch}.{sequence}"


def order_name(merchant: int, order: str, operation: str) -> str:
    """Name of an online shop's transaction (architecture 2). Raises ValueError as name does."""
    return name(NameKind.ORDER, merchant, order, operation)


def public_id(shard: int, text: str) -> str:
    """Public id of a transaction: the shard, then its name."""
    return f"{shard}.{text}"


def parse_public_id(text: str) -> tuple[int, str]:
    """(shard, name) of a public id. Raises ValueError when it is not well formed."""
    shard, _, rest = text.partition(".")
    if not shard.isascii() or not shard.isdigit() or len(shard) > 5:
        raise ValueError("a transaction id starts with its shard")
    name_parts(rest)
    return int(shard), rest


def _escape(part: str) -> str:
    return quote(part, safe="").replace(".", "%2E").replace("~", "%7E")


# ------------------------------------------------------------------------------------------ text

_DIGITS: Final = {
    **{ord(c): str(i) for i, c in enumerate("۰۱۲۳۴۵۶۷۸۹")},
    **{ord(c): str(i) for i, c in enumerate("٠١٢٣٤٥٦٧٨٩")},
}
_DIGIT: Final = re.compile(r"\d")  # a decimal digit of any script, nothing else
_LETTERS: Final = {ord("ي"): "ی", ord("ى"): "ی", ord("ك"): "ک"}


def ascii_digits(text: str) -> str:
    """Decimal digits of every script as ASCII digits; the rest as it is."""
    if text.isascii():
        return text
    return _DIGIT.sub(lambda digit: str(unicodedata.decimal(digit[0])), text.translate(_DIGITS))


def fold_letters(text: str) -> str:
    """The two forms of ye and kaf as the Persian ones (style 5)."""
    return text.translate(_LETTERS)


def storable(text: str) -> bool:
    """False for what no door lets in: U+0000, lone surrogates, over 30 combining marks in a row.

    No writing has so many, and to order them costs the square of their number. Source:
    architecture 2 (poison); Unicode UAX 15 (stream-safe text).
    """
    if text.isascii():
        return "\x00" not in text
    marks = 0
    for character in text:
        if "\ud800" <= character <= "\udfff" or character == "\x00":
            return False
        marks = marks + 1 if unicodedata.combining(character) else 0
        if marks > MARKS_MAX:
            return False
    return True


# ------------------------------------------------------------------------------------------ time


def moment_error(at: datetime) -> str:
    """Why a time is not one that the platform accepts, and what to write; empty where it is.

    Source: findings S1, S18, S19, C3.
    """
    if at.tzinfo is None or at.utcoffset() is None:
        return "a time needs its zone, such as 2026-03-21T12:00:00+03:30"
    if MOMENT_MIN <= at < MOMENT_MAX:
        return ""
    if at.year in SOLAR_HIJRI:
        return (
            f"{at.year} looks like a Solar Hijri year; write the Gregorian one,"
            f" such as {at.year + 621} or {at.year + 622}"
        )
    return f"times are from {MOMENT_MIN.year} to {MOMENT_MAX.year - 1}; this one is of {at.year}"


def tehran_day(at: datetime) -> date:
    """The civil day in Iran of an aware time; the platform's only definition of a day (style 5)."""
    return at.astimezone(TEHRAN).date()


def micros(at: datetime) -> int:
    """Integer microseconds since the epoch of an aware time, exact."""
    delta = at - TIME_ZERO
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


# ------------------------------------------------------------------------------------------ sums


def largest_remainder(total: int, weights: Sequence[int]) -> list[int]:
    """Split total over weights: floors first, the rest to the largest remainders.

    Ties go to the first. total >= 0, weights >= 0; all weights zero puts everything on the first.
    The parts sum to total exactly. Raises ValueError on no weights or negatives. Source: ledger
    reference 6.
    """
    if not weights or total < 0 or min(weights) < 0:
        raise ValueError("nothing to split over, or a negative number")
    whole = sum(weights)
    if whole == 0:
        return [total] + [0] * (len(weights) - 1)
    parts = [total * w // whole for w in weights]
    short = total - sum(parts)
    order = sorted(range(len(weights)), key=lambda i: (-(total * weights[i] % whole), i))
    for i in order[:short]:
        parts[i] += 1
    return parts
