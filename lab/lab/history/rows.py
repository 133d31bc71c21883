"""One row: its cells read, digits and letters normalised, or the reason why it cannot be."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from contracts import values
from contracts.text import fold_or_keep
from contracts.values import AMOUNT_MAX, NameKind
from lab.history.problems import Code
from peyvand.files.csv_rows import Broken, Fault, Header

MEMBER_LENGTH_MAX: Final = 64
MERCHANT_LENGTH_MAX: Final = 64
WORD_LENGTH_MAX: Final = 64
QUANTITY_MAX: Final = 1_000_000
LINE_MAX: Final = 9999
NUMBER_MAX: Final = 2**31 - 1
_FAULTS: Final = {Fault.QUOTES: Code.BAD_QUOTES, Fault.TOO_LONG: Code.LINE_TOO_LONG}
_INTEGER: Final = re.compile(r"-?[0-9]{1,18}")
_WHOLE: Final = re.compile(r"([0-9]{1,18})(\.0+)?")  # how programs write counts that lack some rows


@dataclass(frozen=True, slots=True)
class Row:
    """A row that reads. at: microseconds since the epoch. line 0: the file numbers none."""

    number: int
    merchant: str
    transaction: str
    member: str
    at: int
    amount_rial: int
    terminal: int
    line: int
    sku: str
    category: str
    quantity: int
    zoneless: bool


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that does not read. merchant and transaction: whose basket it spoils, if known."""

    number: int
    code: Code
    why: str
    merchant: str = ""
    transaction: str = ""


class _Bad(Exception):
    def __init__(self, code: Code, why: str) -> None:
        super().__init__(why)
        self.code = code
        self.why = why


def read(number: int, row: list[str] | Broken, header: Header) -> Row | BadRow:
    """What a row says, or what is wrong with it. Source: style 5 (digits, ye and kaf, times)."""
    cells = row.cells if isinstance(row, Broken) else row
    values = {
        column: plain(cells[place]) if place < len(cells) else ""
        for column, place in header.places.items()
    }
    merchant, transaction = values["merchant"], values["transaction"]
    if isinstance(row, Broken):
        return BadRow(number, _FAULTS[row.fault], row.why, merchant, transaction)
    try:
        _check_shape(cells, header)
        return _row(number, values)
    except _Bad as bad:
        return BadRow(number, bad.code, bad.why, merchant, transaction)


def plain(text: str) -> str:
    """A cell's text in the spelling in which every door keeps it; bytes that are none stay."""
    return fold_or_keep(text.strip())


def _check_shape(cells: list[str], header: Header) -> None:
    if len(cells) != header.width:
        why = f"{len(cells)} cells under {header.width} columns"
        raise _Bad(Code.BAD_CELLS, why)
    for place in header.places.values():  # a cell that nobody looks at may hold what it likes
        cell = cells[place]
        if cell.isascii() and cell.isprintable():
            continue
        if any(0xDC80 <= ord(c) <= 0xDCFF for c in cell):
            raise _Bad(Code.BAD_ENCODING, Code.BAD_ENCODING.en)
        if any(c < " " or c == "\x7f" for c in cell.strip()):
            raise _Bad(Code.BAD_TEXT, "a cell holds a control character")


def _row(number: int, values: dict[str, str]) -> Row:
    merchant = _text(values["merchant"], MERCHANT_LENGTH_MAX, Code.NO_MERCHANT, "merchant")
    transaction = _transaction(values["transaction"])
    member = _text(values["member"], MEMBER_LENGTH_MAX, Code.NO_MEMBER, "member")
    at, zoneless = moment(values["occurred_at"])
    return Row(
        number=number,
        merchant=merchant,
        transaction=transaction,
        member=member,
        at=at,
        amount_rial=_amount(values["amount_rial"]),
        terminal=_number(values, "terminal", Code.BAD_TERMINAL, NUMBER_MAX),
        line=_number(values, "line", Code.BAD_LINE, LINE_MAX, least=1),
        sku=_word(values, "sku"),
        category=_word(values, "category"),
        quantity=_number(values, "quantity", Code.BAD_QUANTITY, QUANTITY_MAX, absent=1),
        zoneless=zoneless,
    )


def moment(text: str) -> tuple[int, bool]:
    """Microseconds since the epoch of an ISO time, and whether it came without a zone (Tehran's).

    Raises the row's refusal: not a time, or none that the platform reckons with.
    """
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise _Bad(Code.BAD_TIME, f"occurred_at: {text!r} is not a time in ISO form") from error
    zoneless = at.tzinfo is None
    aware = at.replace(tzinfo=values.TEHRAN) if zoneless else at
    if wrong := values.moment_error(aware):
        old = 1000 <= at.year < values.MOMENT_MIN.year  # before: a program's zero, not a year
        code = Code.TIME_TOO_OLD if old else Code.BAD_TIME
        raise _Bad(code, f"occurred_at: {text!r}: {wrong}")
    return values.micros(aware.astimezone(UTC)), zoneless


def _transaction(text: str) -> str:
    if not text:
        raise _Bad(Code.NO_TRANSACTION, Code.NO_TRANSACTION.en)
    try:
        if len(text) > 128:
            raise ValueError("over 128 characters")
        values.name(NameKind.HISTORY, NUMBER_MAX, text, "purchase")
    except (ValueError, UnicodeEncodeError) as error:
        raise _Bad(Code.BAD_TEXT, f"transaction: {error}") from error
    return text


def _text(text: str, length_max: int, missing: Code, column: str) -> str:
    if not text:
        raise _Bad(missing, missing.en)
    if len(text) > length_max:
        raise _Bad(Code.BAD_TEXT, f"{column}: over {length_max} characters")
    return text


def _word(values: dict[str, str], column: str) -> str:
    text = values.get(column, "")
    if len(text) > WORD_LENGTH_MAX:
        raise _Bad(Code.BAD_TEXT, f"{column}: over {WORD_LENGTH_MAX} characters")
    return text


def _amount(text: str) -> int:
    if not _INTEGER.fullmatch(text):
        raise _Bad(Code.BAD_AMOUNT, f"amount_rial: {text[:40]!r} is no whole number of Rial")
    amount = int(text)
    if amount < 0:
        raise _Bad(Code.NEGATIVE_AMOUNT, f"amount_rial: {amount}; a history holds purchases only")
    if amount > AMOUNT_MAX:
        raise _Bad(Code.AMOUNT_TOO_LARGE, f"amount_rial: {amount} is beyond {AMOUNT_MAX}")
    return amount


def _number(
    values: dict[str, str], column: str, code: Code, most: int, *, least: int = 0, absent: int = 0
) -> int:
    text = values.get(column, "")
    if not text:
        return absent
    whole = _WHOLE.fullmatch(text)
    if whole is None or not least <= int(whole[1]) <= most:
        raise _Bad(code, f"{column}: {text[:40]!r} is no number from {least} to {most}")
    return int(whole[1])
