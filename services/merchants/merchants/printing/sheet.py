"""What is on a sheet of account: texts and figures, Persian first, ready to be set."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from contracts.text import number_fa


@dataclass(frozen=True, slots=True)
class Text:
    """The same in both languages."""

    fa: str
    en: str


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing said at the head of a sheet, with what it is."""

    label: Text
    value: Text


@dataclass(frozen=True, slots=True)
class Figure:
    """An amount with what it is. strong: what the sheet is about."""

    label: Text
    amount: str
    strong: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table. amounts: for each column the upper and the lower one, "" for none.

    name: of a party, in a paragraph of its own, so that it cannot turn round what stands beside it.
    """

    number: str
    kind: Text
    name: Text
    count: str
    amounts: Sequence[tuple[str, str]]
    strong: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A whole document. made_at: aware, the PDF's date.

    firsts: headings of number, kind, name and count; columns: of the amounts, as many as rows have.
    seal: the SHA-256 of the data that the sheet shows, at the foot of every page.
    """

    house: Text
    title: Text
    number: str
    made_at: datetime
    facts: Sequence[Fact]
    figures: Sequence[Figure]
    words: Sequence[Text]
    firsts: tuple[Text, Text, Text, Text]
    columns: Sequence[tuple[Text, Text]]
    rows: Sequence[Row]
    notes: Sequence[Text]
    seal: str


def amount_fa(rials: int) -> str:
    """An amount in Persian digits; below zero in brackets, as Iranian accounts have it."""
    return number_fa(rials) if rials >= 0 else f"({number_fa(-rials)})"
