"""Whole numbers and amounts in Persian words, as they are written on papers of account.

Source: decision 0045. Beyond a milliard one counts milliards, as the budget laws of Iran do, since
a trillion is a thousand of them for some and a milliard of them for others. A single hundred has
its one written, so that no other word fits before it.
"""

from typing import Final

_ZERO: Final = "صفر"
_MINUS: Final = "منفی"
_AND: Final = " و "
_ONES: Final = ("", "یک", "دو", "سه", "چهار", "پنج", "شش", "هفت", "هشت", "نه")
_TEENS: Final = (
    *("ده", "یازده", "دوازده", "سیزده", "چهارده", "پانزده", "شانزده", "هفده", "هجده", "نوزده"),
)
_TENS: Final = ("", "", "بیست", "سی", "چهل", "پنجاه", "شصت", "هفتاد", "هشتاد", "نود")
_HUNDREDS: Final = (
    *("", "یکصد", "دویست", "سیصد", "چهارصد", "پانصد", "ششصد", "هفتصد", "هشتصد", "نهصد"),
)
_THOUSAND: Final = "هزار"
_SCALES: Final = ("", _THOUSAND, "میلیون")
_MILLIARD: Final = "میلیارد"
WORDS_MAX: Final = 10**27 - 1  # further on it is milliards of milliards of milliards
RIALS_OF_TOMAN: Final = 10


def words_fa(number: int) -> str:
    """A whole number in Persian words. Raises ValueError beyond WORDS_MAX either way."""
    if abs(number) > WORDS_MAX:
        raise ValueError(f"there are no words for numbers beyond {WORDS_MAX}")
    if number == 0:
        return _ZERO
    words = _positive(abs(number))
    return f"{_MINUS} {words}" if number < 0 else words


def rial_fa(rials: int) -> str:
    """An amount in Rial, the unit of the law: ده هزار ریال. Raises ValueError as words_fa."""
    return f"{words_fa(rials)} ریال"


def toman_fa(rials: int) -> str:
    """The same in Toman, in which people reckon; what is less than one Toman stays Rial."""
    toman, rest = divmod(abs(rials), RIALS_OF_TOMAN)
    parts = [f"{words_fa(toman)} تومان"] if toman or not rest else []
    if rest:
        parts.append(f"{words_fa(rest)} ریال")
    words = _AND.join(parts)
    return f"{_MINUS} {words}" if rials < 0 else words


def _positive(number: int) -> str:
    """Milliards counted in words of their own, then what is left, from large to small."""
    milliards, rest = divmod(number, 10**9)
    parts: list[str] = []
    for scale in _SCALES:
        rest, group = divmod(rest, 1_000)
        if group:
            parts.append(_scaled(group, scale))
    if milliards:
        parts.append(f"{_positive(milliards)} {_MILLIARD}")
    return _AND.join(reversed(parts))


def _scaled(group: int, scale: str) -> str:
    """A group of three digits with its scale; a single thousand is هزار, not یک هزار."""
    if scale == _THOUSAND and group == 1:
        return scale
    return f"{_hundreds(group)} {scale}" if scale else _hundreds(group)


def _hundreds(group: int) -> str:
    hundreds, rest = divmod(group, 100)
    tens, ones = divmod(rest, 10)
    below = (_TEENS[ones],) if tens == 1 else (_TENS[tens], _ONES[ones])
    return _AND.join(word for word in (_HUNDREDS[hundreds], *below) if word)
