"""The moment that a reading is as of, from text: a time, a sequence number or a vector."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final, Never

from contracts.text import digits_fa
from contracts.values import SOLAR_HIJRI, ascii_digits
from kit.base.errors import Invalid
from ledger.book.facts import BEGINNING
from ledger.book.jalali import MONTHS_PER_YEAR, Month

SEQUENCE_MAX: Final = 2**63 - 1
SHARD_MAX: Final = 2**15 - 1
SHARDS_MAX: Final = 1_000
VECTOR_LENGTH_MAX: Final = 16_384

_TIME: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(\.\d{1,6})?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)
_BARE_OFFSET: Final = re.compile(r"(?<=[0-9]) (?=\d\d:\d\d$)", re.ASCII)
_SOLAR_DAY: Final = re.compile(r"1[345][0-9]{2}[-/]")
_NUMBER: Final = re.compile(r"0|[1-9][0-9]{0,18}")
_MONTH: Final = re.compile(r"([0-9]{4})-([0-9]{2})")


def time_of(text: str) -> datetime:
    """An aware time from RFC 3339 text, UTC. Persian and Arabic digits are read as ASCII ones.

    A plus that an address turned into a space is a plus again. Raises Invalid `bad-time` on
    anything else: no zone, more than microseconds, a day that is none, a time before 1970.
    """
    plain = _BARE_OFFSET.sub("+", ascii_digits(text).strip())
    match = _TIME.fullmatch(plain)
    try:
        if match is None:
            raise ValueError("not RFC 3339")
        day, clock, fraction, zone = match.groups()
        zone = "+00:00" if zone in "Zz" else zone
        at = datetime.fromisoformat(f"{day}T{clock}{fraction or ''}{zone}").astimezone(UTC)
    except (ValueError, OverflowError):
        if _SOLAR_DAY.match(plain):
            _refuse_solar(text)
        _refuse(
            "bad-time",
            f"{text!r} is no time: write it as 2026-11-22T09:30:00+03:30, with its zone",
            "زمان را با منطقهٔ زمانی بنویسید، مانند 2026-11-22T09:30:00+03:30.",
        )
    if at < BEGINNING:
        if at.year in SOLAR_HIJRI:
            _refuse_solar(text)
        _refuse("bad-time", "a time is in 1970 or later", "زمان پیش از سال ۱۹۷۰ است.")
    return at


def _refuse_solar(text: str) -> Never:
    _refuse(
        "bad-time",
        f"{text!r} looks like a Solar Hijri year; write the Gregorian time, with its zone",
        "این سال خورشیدی به نظر می‌رسد؛ زمان را میلادی و با منطقهٔ زمانی بنویسید.",
    )


def number_of(text: str) -> int:
    """A sequence number or size, 0 or more, from any digits. Raises Invalid `bad-number`."""
    plain = ascii_digits(text).strip()
    if not _NUMBER.fullmatch(plain) or int(plain) > SEQUENCE_MAX:
        _refuse(
            "bad-number",
            f"{text!r} is no sequence number: write digits alone, without leading zeros",
            "شماره را تنها با رقم و بدون صفر آغازین بنویسید.",
        )
    return int(plain)


def vector_of(text: str) -> dict[int, int]:
    """{shard: sequence} from "0:17,1:0". Raises Invalid `bad-vector`; so does a repeated shard."""
    plain = "".join(ascii_digits(text).split())
    vector: dict[int, int] = {}
    for part in plain.split(",")[: SHARDS_MAX + 1]:
        shard, _, sequence = part.partition(":")
        numbers = [int(n) for n in (shard, sequence) if _NUMBER.fullmatch(n)]
        if len(numbers) != 2 or numbers[0] > SHARD_MAX or numbers[1] > SEQUENCE_MAX:
            _refuse_vector(f"{part[:60]!r} is not shard:sequence")
        if numbers[0] in vector:
            _refuse_vector(f"shard {numbers[0]} is named twice")
        vector[numbers[0]] = numbers[1]
    if len(vector) > SHARDS_MAX:
        _refuse_vector(f"more than {SHARDS_MAX} shards")
    return vector


def vector_text(vector: Mapping[int, int]) -> str:
    """The text that vector_of reads, shards in order."""
    return ",".join(f"{shard}:{vector[shard]}" for shard in sorted(vector))


def month_of(text: str) -> Month:
    """A Solar Hijri month from "1405-03". Raises Invalid `bad-month`."""
    match = _MONTH.fullmatch(ascii_digits(text).strip())
    if match is not None:
        year, month = int(match[1]), int(match[2])
        if 1 <= month <= MONTHS_PER_YEAR and 1300 <= year < 1600:
            return Month(year, month)
    _refuse(
        "bad-month",
        f"{text!r} is no month: write it as 1405-03, Solar Hijri",
        "ماه را مانند ۱۴۰۵-۰۳ به سال هجری خورشیدی بنویسید.",
    )


def at_most_one(**parameters: object) -> None:
    """Refuse two parameters that name a moment. Raises Invalid `as-of-twice`."""
    named = [name for name, value in parameters.items() if value is not None]
    if len(named) > 1:
        _refuse(
            "as-of-twice",
            f"give one of {' and '.join(named)}, not both",
            f"تنها یکی از {' و '.join(named)} را بدهید.",
        )


def check_vector(vector: Mapping[int, int], present: Mapping[int, int]) -> None:
    """A vector must name every shard of the book, and no number that it has not reached.

    Raises Invalid `vector-lacks-a-shard`, `unknown-shard` or `not-yet-reached`.
    """
    missing = sorted(present.keys() - vector.keys())
    if missing:
        _refuse(
            "vector-lacks-a-shard",
            f"the vector of sequence numbers does not name shard {missing[0]}",
            f"بردار شماره‌ها شارد {digits_fa(missing[0])} را ندارد.",
        )
    for shard, sequence in vector.items():
        if shard not in present:
            _refuse(
                "unknown-shard",
                f"there is no shard {shard}",
                f"شارد {digits_fa(shard)} وجود ندارد.",
            )
        check_reached(shard, sequence, present[shard])


def check_reached(shard: int, sequence: int, last: int) -> None:
    """Raises Invalid `not-yet-reached` beyond a shard's last sequence number."""
    if sequence > last:
        _refuse(
            "not-yet-reached",
            f"shard {shard} has reached {last}, not {sequence}",
            f"شارد {digits_fa(shard)} تا شمارهٔ {digits_fa(last)} رسیده است،"
            f" نه {digits_fa(sequence)}.",
        )


def check_past(at: datetime, now: datetime) -> None:
    """Raises Invalid `not-yet-reached` for a time to come."""
    if at > now:
        _refuse(
            "not-yet-reached",
            f"{at.isoformat()} is still to come: now it is {now.isoformat()}",
            "این زمان هنوز نرسیده است.",
        )


def _refuse_vector(why: str) -> Never:
    _refuse(
        "bad-vector",
        f"{why}: write a vector as 0:120,1:98 and so on, every shard once",
        "بردار را مانند ۰:۱۲۰,۱:۹۸ بنویسید؛ هر شارد یک بار.",
    )


def _refuse(code: str, detail: str, fa: str) -> Never:
    raise Invalid(detail, code=code, fa=fa)
