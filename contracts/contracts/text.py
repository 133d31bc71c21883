"""Text that comes from outside, in the one spelling in which it is kept and compared (style 5).

Two kinds: prose is read by people (names, titles, notes, addresses), a code is compared with others
(categories, SKUs, sectors, orders, references). What is kept to be compared is folded by the very
function that folds what arrives. Letters are never digits. Source: findings F3 to F9, S21.
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import Final, Literal

from contracts.values import ascii_digits, fold_letters, storable

_JOINERS: Final = "\u200c\u200d"  # Persian needs them within a word, nobody at its end
# Characters that a reader does not see, and those that change the direction of visible ones.
_UNSEEN_RANGES: Final = (
    (0x00AD, 0x00AD),  # soft hyphen
    (0x034F, 0x034F),  # grapheme joiner
    (0x061C, 0x061C),  # Arabic letter mark
    (0x180E, 0x180E),
    (0x200B, 0x200B),  # zero-width space
    (0x200E, 0x200F),  # direction marks
    (0x202A, 0x202E),  # embeddings and overrides
    (0x2060, 0x206F),  # word joiner, isolates, what is deprecated
    (0xFEFF, 0xFEFF),  # byte order mark
    (0xFFF9, 0xFFFB),
    (0xE0000, 0xE007F),  # tags
)


def _numbers(ranges: Iterable[tuple[int, int]]) -> Iterable[int]:
    return (number for first, last in ranges for number in range(first, last + 1))


_UNSEEN: Final[dict[int, None]] = dict.fromkeys(_numbers(_UNSEEN_RANGES))
# A code also loses joiners, tatweel, and controls that are no blank.
_NOT_IN_CODES: Final[dict[int, None]] = _UNSEEN | dict.fromkeys(
    [0x200C, 0x200D, 0x0640, *_numbers(((0, 8), (0x0E, 0x1B), (0x7F, 0x84), (0x86, 0x9F)))]
)
_REFUSED: Final = ("Cc", "Cs", "Co", "Cn")
_SEPARATORS: Final = re.compile(r"[\s\-_.()\u2010-\u2015\u2212]+")


def clean_text(text: str) -> str:
    """Prose as it is kept: composed (NFC), ye and kaf Persian, digits ASCII, blanks single.

    Unseen and direction characters are gone; joiners stay within words. Idempotent. May be empty.
    Raises ValueError on controls (U+0000, line ends too), lone surrogates, what Unicode has not
    assigned, and over 30 combining marks in a row.
    """
    if not text.isprintable():
        if any(unicodedata.category(c) in _REFUSED for c in text):
            raise ValueError("control characters and lone surrogates are not text; remove them")
        text = text.translate(_UNSEEN)
    if not text.isascii():
        text = ascii_digits(fold_letters(_composed("NFC", text)))
    return " ".join(filter(None, (word.strip(_JOINERS) for word in text.split())))


def fold_code(text: str) -> str:
    """A code as it is kept and compared: one spelling of every digit, letter and blank.

    Compatibility forms are their plain ones (NFKC), digits of every script ASCII, ye and kaf
    Persian; tatweel, joiners, controls and all that is unseen are gone. Capital and small letters
    differ. Idempotent. The result may be empty, or longer than the text. Raises ValueError on text
    that is not `storable`. Costs 0.2 µs a word that is ASCII or was seen before, else 4 µs.
    """
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    return _folded(text)


@lru_cache(maxsize=4_096)  # words of a shop: the same few thousand all day
def _folded(text: str) -> str:
    if not storable(text):
        raise ValueError("U+0000 and lone surrogates are not text; remove them")
    plain = _composed("NFKC", text.translate(_NOT_IN_CODES))
    return " ".join(ascii_digits(fold_letters(plain)).translate(_NOT_IN_CODES).split())


def fold_or_keep(text: str) -> str:
    """A code as fold_code gives it; text that cannot be stored stays, to be refused later."""
    try:
        return fold_code(text)
    except ValueError:
        return text


def _composed(form: Literal["NFC", "NFKC"], text: str) -> str:
    """Normalised text; checked again, as removing characters may have joined two runs of marks."""
    if not storable(text):
        raise ValueError("over 30 combining marks in a row are no writing; remove them")
    return unicodedata.normalize(form, text)


def fold_number(text: str) -> str:
    """The text of a mobile or card number: without blanks, dashes, dots and brackets.

    A digit is a decimal digit of a script, never a letter nor a figure in a ring. Raises
    ValueError as fold_code does.
    """
    if text.isascii() and text.isalnum():
        return text
    if not storable(text):
        raise ValueError("U+0000 and lone surrogates are not text; remove them")
    return _SEPARATORS.sub("", ascii_digits(text).translate(_NOT_IN_CODES))


# --------------------------------------------------------------------------------- as it is shown

_PERSIAN: Final = str.maketrans("0123456789,", "۰۱۲۳۴۵۶۷۸۹٬")


def number_fa(number: int) -> str:
    """A number in a Persian text: groups of three, parted by U+066C: ۱٬۲۳۴٬۵۶۷."""
    return f"{number:,}".translate(_PERSIAN)


def digits_fa(text: object) -> str:
    """A text's digits as Persian ones, nothing parted: years, shards, numbers of terminals."""
    return str(text).translate(_PERSIAN_DIGITS)


_PERSIAN_DIGITS: Final = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")
