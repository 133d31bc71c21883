"""The fields that a condition may read: of a transaction and of its lines, with their types."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from functools import lru_cache
from operator import attrgetter
from typing import Any, Final

from msgspec import Struct
from persiantools.jdatetime import JalaliDate

from campaigns.contributions import BaseEarning, Basket
from contracts.pos import Line
from contracts.values import TEHRAN, Channel, Kind

Read = Callable[[Any], Any]

WEEKDAYS: Final = (  # the week of Iran
    "saturday", "sunday", "monday", "tuesday", "wednesday", "thursday", "friday",
)  # fmt: skip


class Type(Enum):
    """Types of values in a condition. There is no float: Rial and points are integers."""

    BOOL = "bool"
    INT = "int"
    TEXT = "text"


class BasketFacts(Struct, frozen=True, kw_only=True):
    """The facts of one transaction and its base earning, the same for every rule.

    hour: 0-23 in Tehran at occurred_at; weekday: one of WEEKDAYS; jalali_month 1-12, jalali_day
    1-31, of the same moment. lines: the whole basket. earning: the lines that the
    programme lets earn; base: of each of them, points as numerator over base_denominator.
    """

    kind: Kind
    channel: Channel
    merchant: int
    branch: int
    terminal: int
    amount_rial: int
    hour: int
    weekday: str
    jalali_month: int
    jalali_day: int
    occurred_at: datetime
    accepted_at: datetime
    lines: Sequence[Line]
    earning: Sequence[Line]
    base: Sequence[int]
    base_denominator: int


def facts_of(basket: Basket, base: BaseEarning) -> BasketFacts:
    """The facts of a basket, with its moment as clocks and calendars in Tehran have it."""
    transaction = basket.transaction
    hour, weekday, month, day = calendar(basket.occurred_at)
    return BasketFacts(
        kind=transaction.kind,
        channel=transaction.channel,
        merchant=transaction.merchant,
        branch=transaction.branch,
        terminal=transaction.terminal,
        amount_rial=transaction.amount_rial,
        hour=hour,
        weekday=weekday,
        jalali_month=month,
        jalali_day=day,
        occurred_at=basket.occurred_at,
        accepted_at=basket.accepted_at,
        lines=transaction.lines,
        earning=base.earning,
        base=base.points,
        base_denominator=base.denominator,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One readable field. optional: may be missing, read then gives None and raw 0 or "".

    allowed: the closed set of its values.
    """

    name: str
    type: Type
    read: Read
    raw: Read
    optional: bool = False
    allowed: frozenset[Any] | None = None


def _field(name: str, kind: Type, allowed: Sequence[Any] | None = None) -> Field:
    return Field(
        name=name,
        type=kind,
        read=attrgetter(name),
        raw=attrgetter(name),
        allowed=None if allowed is None else frozenset(allowed),
    )


def _optional(name: str, kind: Type) -> Field:
    get = attrgetter(name)
    return Field(
        name=name, type=kind, read=lambda facts: get(facts) or None, raw=get, optional=True
    )


def _by_name(*fields: Field) -> Mapping[str, Field]:
    return {field.name: field for field in fields}


# branch and terminal 0, sku and category "" are missing: the till did not say
TRANSACTION: Final = _by_name(
    _field("amount_rial", Type.INT),
    _field("kind", Type.TEXT, list(Kind)),
    _field("channel", Type.TEXT, list(Channel)),
    _field("merchant", Type.INT),
    _optional("branch", Type.INT),
    _optional("terminal", Type.INT),
    _field("hour", Type.INT, range(24)),
    _field("weekday", Type.TEXT, WEEKDAYS),
    _field("jalali_month", Type.INT, range(1, 13)),
    _field("jalali_day", Type.INT, range(1, 32)),
)
LINE: Final = _by_name(
    _optional("sku", Type.TEXT),
    _optional("category", Type.TEXT),
    _field("quantity", Type.INT),
    _field("amount_rial", Type.INT),
)
LINES: Final = "lines"  # the one list a condition may range over


def calendar(at: datetime) -> tuple[int, str, int, int]:
    """(hour, weekday, Jalali month, Jalali day) in Tehran of an aware time.

    The zone is Asia/Tehran, not +03:30: summers until 1401 were at +04:30.
    Source: campaigns reference 3, calendar traps.
    """
    local = at.astimezone(TEHRAN)
    return (local.hour, *_jalali(local.date()))


@lru_cache(maxsize=4096)
def _jalali(day: date) -> tuple[str, int, int]:
    jalali = JalaliDate(day)
    return WEEKDAYS[(day.weekday() + 2) % 7], jalali.month, jalali.day
