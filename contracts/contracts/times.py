"""Times and days as they are written from outside, read in one way by every door (style 5).

Source: findings S1, S18, S19; a Solar Hijri day is understood, a Solar Hijri time is refused with
the reason, since nobody's clock counts in it.
"""

import re
from datetime import UTC, date, datetime
from typing import Final

from persiantools.jdatetime import JalaliDate

from contracts.values import MOMENT_MAX, MOMENT_MIN, SOLAR_HIJRI, ascii_digits, moment_error

_TIME: Final = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]([0-9]{2}:[0-9]{2}:[0-9]{2})"
    r"(\.[0-9]{1,6})?[0-9]*([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_DAY: Final = re.compile(r"([0-9]{4})[-/]([0-9]{1,2})[-/]([0-9]{1,2})")


def moment_of(text: str) -> datetime:
    """An aware UTC time from RFC 3339 text with its zone, in [MOMENT_MIN, MOMENT_MAX).

    Digits of any script; what is finer than a microsecond is cut off. Raises ValueError saying
    what is wrong and what to write.
    """
    match = _TIME.fullmatch(ascii_digits(text).strip())
    if match is None:
        raise ValueError("write RFC 3339 text with a zone, such as 2026-03-21T00:00:00+03:30")
    day, clock, fraction, zone = match.groups()
    zone = "+00:00" if zone in "Zz" else zone
    try:
        at = datetime.fromisoformat(f"{day}T{clock}{fraction or ''}{zone}")
    except ValueError as error:
        raise ValueError(f"{text[:64]!r} is no time: {error}") from error
    return bounded(at)


def bounded(at: datetime) -> datetime:
    """A time in UTC. Raises ValueError as `moment_error` says."""
    error_text = moment_error(at)
    if error_text:
        raise ValueError(error_text)
    return at.astimezone(UTC)


def day_of(text: str) -> date:
    """A civil day from 2026-11-22, or from 1405-09-01 of the Solar Hijri calendar; / for -.

    Years 1300 to 1500 are Solar Hijri. Raises ValueError on what is no day, or is outside the
    years that the platform reckons with.
    """
    match = _DAY.fullmatch(ascii_digits(text).strip())
    if match is None:
        raise ValueError("write a day as 2026-11-22, or as 1405-09-01 (Solar Hijri)")
    year, month, day = (int(part) for part in match.groups())
    try:
        if year in SOLAR_HIJRI:
            return JalaliDate(year, month, day).to_gregorian()
        civil = date(year, month, day)
    except ValueError as error:
        raise ValueError(f"{text[:64]!r} is no day: {error}") from error
    if not MOMENT_MIN.year <= year < MOMENT_MAX.year:
        raise ValueError(f"years are {MOMENT_MIN.year} to {MOMENT_MAX.year - 1}, or Solar Hijri")
    return civil
