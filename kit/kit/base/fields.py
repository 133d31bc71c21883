"""Types of what HTTP doors take: one bound for each kind of number, one reading of times and days.

Numbers of a body are strict integers; those of an address or a query are digits of any script.
Nothing that passes here is an infinity, a naive time, or beyond the column that keeps it.
"""

import re
from datetime import UTC, date, datetime
from typing import Annotated, Final

from pydantic import AfterValidator, BeforeValidator, Field, Strict

from contracts.text import clean_text, fold_code
from contracts.times import day_of, moment_of
from contracts.values import AMOUNT_MAX, BASIS_POINTS, ascii_digits

NUMBER_MAX: Final = 2**31 - 1  # parties, merchants, branches, terminals, versions
WHOLE_MAX: Final = 2**63 - 1
_DIGITS: Final = re.compile(r"-?[0-9]{1,19}")


def _number(value: object) -> object:
    """Digits of any script as ASCII ones; the type checks the bounds."""
    if not isinstance(value, str):
        return value
    plain = ascii_digits(value)
    if not _DIGITS.fullmatch(plain):
        raise ValueError("write a whole number in digits alone")
    return int(plain)


def _moment(value: object) -> datetime:
    if isinstance(value, datetime) and value.tzinfo is not None:  # a stored time
        return value.astimezone(UTC)
    if not isinstance(value, str):
        raise ValueError("write RFC 3339 text with a zone, such as 2026-03-21T00:00:00+03:30")
    return moment_of(value)


def _day(value: object) -> date:
    if not isinstance(value, str):
        raise ValueError("write a day as 2026-11-22, or as 1405-09-01 (Solar Hijri)")
    return day_of(value)


Flag = Annotated[bool, Strict()]
Amount = Annotated[int, Strict(), Field(ge=0, le=AMOUNT_MAX)]
PositiveAmount = Annotated[int, Strict(), Field(ge=1, le=AMOUNT_MAX)]
BasisPoints = Annotated[int, Strict(), Field(ge=0, le=BASIS_POINTS)]
Number = Annotated[int, Strict(), Field(ge=1, le=NUMBER_MAX)]
NumberOrZero = Annotated[int, Strict(), Field(ge=0, le=NUMBER_MAX)]
AccountNumber = Annotated[int, Strict(), Field(ge=1, le=AMOUNT_MAX)]  # members too
Moment = Annotated[datetime, BeforeValidator(_moment)]

# of an address or a query
_DIGITAL: Final = BeforeValidator(_number)
NumberText = Annotated[int, _DIGITAL, Field(ge=1, le=NUMBER_MAX)]
AccountText = Annotated[int, _DIGITAL, Field(ge=1, le=AMOUNT_MAX)]
AfterNumber = Annotated[int, _DIGITAL, Field(ge=0, le=NUMBER_MAX)]
AfterAccount = Annotated[int, _DIGITAL, Field(ge=0, le=AMOUNT_MAX)]
AfterWhole = Annotated[int, _DIGITAL, Field(ge=0, le=WHOLE_MAX)]
Day = Annotated[date, BeforeValidator(_day)]

Prose = Annotated[str, AfterValidator(clean_text)]  # bound it: Annotated[Prose, Field(max_length=)]
Code = Annotated[str, AfterValidator(fold_code)]
Title = Annotated[Prose, Field(min_length=1, max_length=200)]
Word = Annotated[Code, Field(min_length=1, max_length=64)]  # a category, a SKU
