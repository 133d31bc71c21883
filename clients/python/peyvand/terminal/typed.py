"""What a person types at a till: amounts in any digits, lines of a basket, names of requests."""

import argparse
import re
from typing import Final

from peyvand.models import Line, RefundLine, TillReference

_DIGITS: Final = str.maketrans("۰۱۲۳۴۵۶۷۸۹٠١٢٣٤٥٦٧٨٩٬٫", "01234567890123456789,.")
_PLAIN: Final = re.compile(r"[0-9]{1,16}")
_GROUPED: Final = re.compile(r"[0-9]{1,3}(,[0-9]{3})+")
_NAME: Final = re.compile(r"(?:(?P<shard>[0-9]+)\.t\.)?([0-9]+)\.([0-9]+)\.([0-9]+)")


def amount(text: str) -> int:
    """Whole Rial: 1500000, 1,500,000, ۱٬۵۰۰٬۰۰۰. Raises ArgumentTypeError with the reason."""
    plain = text.strip().translate(_DIGITS)
    if _PLAIN.fullmatch(plain):
        return int(plain)
    if _GROUPED.fullmatch(plain):
        return int(plain.replace(",", ""))
    if "." in plain:
        why = "ریال اعشار ندارد؛ عدد صحیح بنویسید · Rial has no fraction, type a whole number"
    elif plain.startswith("-"):
        why = "مبلغ منفی نمی‌شود · an amount is never negative"
    else:
        why = "عدد صحیح بنویسید، مانند 1500000 یا ۱٬۵۰۰٬۰۰۰ · type a whole number, as 1,500,000"
    raise argparse.ArgumentTypeError(f"{text!r}: {why}")


def positive(text: str) -> int:
    """An amount, number or count above zero."""
    value = amount(text)
    if value == 0:
        raise argparse.ArgumentTypeError("صفر است؛ چیزی برای ثبت نیست · it is zero")
    return value


def line(text: str) -> Line:
    """A line of a basket, NUMBER:RIAL or NUMBER:RIAL:CATEGORY."""
    number, rial, category = (*text.split(":", 2), "", "")[:3]
    if not rial:
        raise argparse.ArgumentTypeError(
            f"{text!r}: شماره:ریال یا شماره:ریال:دسته بنویسید · type NUMBER:RIAL[:CATEGORY]"
        )
    return Line(line=positive(number), amount_rial=amount(rial), category=category.strip())


def refund_line(text: str) -> RefundLine:
    """A part of a line that comes back, NUMBER:RIAL."""
    number, parted, rial = text.partition(":")
    if not parted:
        raise argparse.ArgumentTypeError(f"{text!r}: شماره:ریال بنویسید · type NUMBER:RIAL")
    return RefundLine(line=positive(number), amount_rial=positive(rial))


def name(text: str, terminal: int, epoch: int) -> TillReference | None:
    """The till's name in a text: 3003.1.2 as `journal` prints it, an id of it, or 2 alone.

    None where the text is nothing of the kind, such as an online shop's id.
    """
    plain = text.strip().translate(_DIGITS)
    if plain.isascii() and plain.isdigit():
        return TillReference(terminal, epoch, int(plain))
    match = _NAME.fullmatch(plain)
    return None if match is None else TillReference(int(match[2]), int(match[3]), int(match[4]))
