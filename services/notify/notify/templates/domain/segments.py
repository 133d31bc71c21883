"""What an SMS costs: its alphabet and its segments, as GSM 03.38 and 23.040 count them."""

from dataclasses import dataclass
from typing import Final

GSM_SINGLE: Final = 160  # septets
GSM_SEGMENT: Final = 153
UCS2_SINGLE: Final = 70  # UTF-16 code units
UCS2_SEGMENT: Final = 67

_BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED: Final = frozenset("\f^{}\\[~]|€")  # two septets each


@dataclass(frozen=True, slots=True)
class Size:
    """units: septets, or UTF-16 code units where ucs2. segments: the number that is paid for."""

    ucs2: bool
    units: int
    segments: int


def measure(text: str) -> Size:
    """Alphabet, length and segments of a text; the empty text is one segment.

    One character outside GSM 03.38, such as any Persian letter or a ZWNJ, makes all of it UCS-2.
    A segment never splits an escape sequence or a surrogate pair. Source: 3GPP 23.038, 23.040.
    """
    if all(c in _BASIC or c in _EXTENDED for c in text):
        widths = [2 if c in _EXTENDED else 1 for c in text]
        return _fit(widths, GSM_SINGLE, GSM_SEGMENT, ucs2=False)
    widths = [2 if ord(c) > 0xFFFF else 1 for c in text]
    return _fit(widths, UCS2_SINGLE, UCS2_SEGMENT, ucs2=True)


def _fit(widths: list[int], single: int, segment: int, *, ucs2: bool) -> Size:
    units = sum(widths)
    if units <= single:
        return Size(ucs2, units, 1)
    segments, filled = 1, 0
    for width in widths:
        if filled + width > segment:
            segments, filled = segments + 1, 0
        filled += width
    return Size(ucs2, units, segments)
