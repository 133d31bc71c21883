"""A party's statement of a closed window: opening, a line for each pair, disputes, closing."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from kit.base import errors
from merchants.clearing.domain.corrections import CorrectionEffect
from merchants.clearing.domain.counting import Pair, PairSums
from merchants.clearing.domain.positions import Position
from merchants.clearing.domain.windows import Window
from merchants.parties.domain import Party


class Side(StrEnum):
    """CLAIM: the other owes the party. DUE: the party owes the other. OWN: its own expense."""

    CLAIM = "claim"
    DUE = "due"
    OWN = "own"


@dataclass(frozen=True, slots=True)
class StatementLine:
    """What stands between the party and another one, over all shards."""

    side: Side
    counterparty: int
    title_fa: str
    title_en: str
    sums: PairSums

    @property
    def effect_rial(self) -> int:
        """What the line adds to what the party is owed."""
        unpaid = self.sums.due_rial - self.sums.paid_rial
        return {Side.CLAIM: unpaid, Side.DUE: -unpaid, Side.OWN: 0}[self.side]


@dataclass(frozen=True, slots=True)
class Statement:
    """A party's figures of a closed window with lines in order of (debtor, creditor).

    disputes: what ends of disputes came to, or was paid of them, in the window. titles: of the
    other parties, where they are registered. last: the pair of the last line, where the lines are a
    page that others follow.
    """

    window: Window
    party: Party
    position: Position
    lines: Sequence[StatementLine]
    disputes: Sequence[CorrectionEffect] = ()
    titles: Mapping[int, Party] = field(default_factory=dict[int, Party])
    last: Pair | None = None

    @property
    def reached_rial(self) -> int:
        """Where opening, lines and disputes lead."""
        effects = sum(line.effect_rial for line in self.lines)
        return self.position.opening_rial + effects + sum(one.effect_rial for one in self.disputes)


def side_of(pair: Pair, party: int) -> Side:
    """On which side of a party's statement a pair stands."""
    if pair.debtor == pair.creditor:
        return Side.OWN
    return Side.DUE if pair.debtor == party else Side.CLAIM


def pair_of(side: Side, party: int, counterparty: int) -> Pair:
    """The pair of a line."""
    if side is Side.OWN:
        return Pair(party, party)
    return Pair(party, counterparty) if side is Side.DUE else Pair(counterparty, party)


def lines_of(
    party: int, pairs: Mapping[Pair, PairSums], titles: Mapping[int, Party]
) -> list[StatementLine]:
    """A party's lines; titles: of the other parties, where they are registered."""
    lines: list[StatementLine] = []
    for pair, sums in pairs.items():
        other = pair.creditor if pair.debtor == party else pair.debtor
        title = titles.get(other)
        fa, en = ("", "") if title is None else (title.title_fa, title.title_en)
        lines.append(StatementLine(side_of(pair, party), other, fa, en, sums))
    return lines


def check_closing(statement: Statement) -> None:
    """Raise Alarm where a whole statement's lines do not lead from its opening to its closing."""
    position, reached = statement.position, statement.reached_rial
    if reached != position.closing_rial:
        raise errors.Alarm(
            f"window {statement.window.window}, party {position.party}: the lines lead to"
            f" {reached} Rial, not to {position.closing_rial}"
        )


# --------------------------------------------------------------------------------------- as a file

_BOM: Final = "\ufeff"  # by which spreadsheets know UTF-8
_HEADINGS: Final = (
    "دوره",
    "شرح",
    "شمارهٔ طرف",
    "نام طرف",
    "طلب یا بدهی به ریال",
    "برگشتی به ریال",
    "کارمزد به ریال",
    "پرداخت به ریال",
    "تخفیف خود به ریال",
    "بهای آزادشده به ریال",
    "شمار ردیف‌ها",
    "اثر بر مانده به ریال",
)
_SIDES: Final = {Side.CLAIM: "طلب از", Side.DUE: "بدهی به", Side.OWN: "هزینهٔ خود"}
_OPENING: Final = "مانده از پیش"
_CLOSING: Final = "مانده در پایان دوره"
_DISPUTE: Final = "نتیجهٔ اعتراض به دورهٔ"  # and the number of the disputed window
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def csv_of(statement: Statement) -> str:
    """A whole statement as CSV (RFC 4180): a byte order mark, Persian headings, whole Rial.

    The last column adds up: opening and lines to closing. Raises Alarm where it does not.
    """
    check_closing(statement)
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(_HEADINGS)
    writer.writerows(_rows(statement))
    return _BOM + text.getvalue()


def _rows(statement: Statement) -> Iterable[tuple[str | int, ...]]:
    number, position = statement.window.window, statement.position
    empty = ("",) * 7
    own = (statement.party.party, _cell(statement.party.title_fa))
    yield (number, _OPENING, *own, *empty, position.opening_rial)
    for line in statement.lines:
        sums = line.sums
        yield (
            number,
            _SIDES[line.side],
            line.counterparty,
            _cell(line.title_fa),
            sums.claims_rial,
            sums.reversed_rial,
            sums.fee_rial,
            sums.paid_rial,
            sums.own_discount_rial,
            sums.released_rial,
            sums.entries_count,
            line.effect_rial,
        )
    for one in statement.disputes:
        title = statement.titles.get(one.counterparty)
        yield (
            number,
            f"{_DISPUTE} {one.correction.of_window}",
            one.counterparty,
            "" if title is None else _cell(title.title_fa),
            one.correction_rial,
            "",
            "",
            one.paid_rial,
            "",
            "",
            "",
            one.effect_rial,
        )
    yield (number, _CLOSING, *own, *empty, position.closing_rial)


def _cell(text: str) -> str:
    """A text that no spreadsheet takes for a formula (OWASP, CSV injection)."""
    return f"'{text}" if text.startswith(_FORMULA) else text
