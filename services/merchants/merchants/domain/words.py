"""Rules that all nouns of the room share: ids that are taken or unknown, text as it is stored."""

import unicodedata
from typing import Final

from contracts import values
from kit import errors


class Differs(errors.Invalid):
    """The caller's id is taken by something else."""

    code = "already-exists-differently"
    fa = "چیز دیگری با همین شماره ثبت شده است؛ شمارهٔ دیگری برگزینید."


class Unknown(errors.NotFound):
    """A party, merchant, branch, terminal, key or version that nobody registered."""


_CONTROLS: Final = ("Cc", "Cs", "Co", "Cn")
_BIDI: Final = {
    ord(c): None for c in "\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
}
TITLE_LENGTH_MAX: Final = 200


def clean_title(text: str) -> str:
    """A title as it is stored: trimmed, ye and kaf folded, digits ASCII, no direction marks.

    Raises ValueError on U+0000, lone surrogates, other control characters, nothing, or over 200
    characters. Source: style 5, notify-iran reference 7.
    """
    if not values.storable(text) or any(unicodedata.category(c) in _CONTROLS for c in text):
        raise ValueError("control characters and lone surrogates are not text; remove them")
    folded = values.ascii_digits(values.fold_letters(text)).translate(_BIDI).strip()
    if not 1 <= len(folded) <= TITLE_LENGTH_MAX:
        raise ValueError(f"must have 1 to {TITLE_LENGTH_MAX} characters")
    return folded
