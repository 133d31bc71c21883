"""What could not be taken from a file: why, which lines, nothing lost; bounded in memory."""

import csv
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any, Final, Self, TextIO

LISTED_MAX: Final = 100  # in the report; all of them are in the file beside it
LINES_MAX: Final = 20  # numbers of lines that one entry of the report names
HEADER: Final = ("lines", "code", "merchant", "transaction", "detail", "fa")


class Code(Enum):
    """Stable code, what is wrong in Persian, the same in English."""

    BAD_CELLS = (
        "bad-cells",
        "شمار خانه‌های سطر با سرستون‌ها نمی‌خواند",
        "cells are not as the header",
    )
    BAD_QUOTES = ("bad-quotes", "گیومهٔ سطر باز مانده یا نابجاست", "a quote is open or misplaced")
    LINE_TOO_LONG = ("line-too-long", "سطر بیش از اندازه بلند است", "the line is too long")
    BAD_ENCODING = ("bad-encoding", "سطر UTF-8 نیست", "the line is not UTF-8")
    BAD_TEXT = ("bad-text", "متن نویسه‌ای نادرست دارد یا بلند است", "text is too long or not text")
    NO_TRANSACTION = ("no-transaction", "شمارهٔ تراکنش نیامده است", "no transaction is named")
    NO_MEMBER = ("no-member", "عضو نیامده است", "no member is named")
    NO_MERCHANT = ("no-merchant", "فروشگاه نیامده است", "no merchant is named")
    BAD_TIME = ("bad-time", "زمان خوانا نیست", "not a time in ISO form")
    TIME_TOO_OLD = ("time-too-old", "زمان پیش از ۱۹۹۰ است؛ تاریخ میلادی بنویسید", "before 1990")
    BAD_AMOUNT = ("bad-amount", "مبلغ عدد صحیح ریال نیست", "the amount is no whole number of Rial")
    NEGATIVE_AMOUNT = (
        "negative-amount",
        "مبلغ منفی است؛ برگشت خرید نیست",
        "the amount is negative",
    )
    AMOUNT_TOO_LARGE = (
        "amount-too-large",
        "مبلغ بیش از اندازه بزرگ است",
        "the amount is too large",
    )
    ZERO_AMOUNT = ("zero-amount", "مبلغ صفر است؛ چیزی برای ثبت نیست", "the amount is zero")
    BAD_TERMINAL = ("bad-terminal", "شمارهٔ پایانه درست نیست", "the terminal is no number")
    BAD_LINE = ("bad-line", "شمارهٔ سطر سبد ۱ تا ۹۹۹۹ است", "line is a number from 1 to 9999")
    BAD_QUANTITY = ("bad-quantity", "تعداد عددی صحیح تا یک میلیون است", "quantity: 0 to 1,000,000")
    REPEATED_ROW = ("repeated-row", "سطر دو بار آمده؛ یک بار شمرده شد", "the row is there twice")
    # of whole transactions
    BAD_ROWS = ("bad-rows", "سطری نادرست دارد؛ سبد ناقص ثبت نمی‌شود", "some of its rows are bad")
    MEMBERS_DIFFER = ("members-differ", "سطرهایش عضوهای گوناگون دارند", "rows name other members")
    TIMES_DIFFER = ("times-differ", "سطرهایش زمان‌های گوناگون دارند", "rows have other times")
    TERMINALS_DIFFER = (
        "terminals-differ",
        "سطرهایش پایانه‌های گوناگون دارند",
        "rows: other terminals",
    )
    LINE_TWICE = ("line-twice", "یک شمارهٔ سطر دو محتوا دارد", "one line number, two contents")
    TOO_MANY_LINES = ("too-many-lines", "سطرهای سبد بیش از ۵۰۰ است", "more than 500 lines")
    NOTHING_BOUGHT = ("nothing-bought", "همهٔ سطرهایش صفر است", "all its amounts are zero")
    UNKNOWN_MERCHANT = ("unknown-merchant", "فروشگاه شناخته نیست", "the merchant is not registered")
    UNKNOWN_MEMBER = ("unknown-member", "عضو شناخته نیست", "no member has this reference")
    NO_PROGRAMME = ("no-programme", "فروشگاه در آن زمان طرحی ندارد", "no programme at that time")
    REFUSED = ("refused", "پیوند آن را نپذیرفت", "the platform did not take it")

    @property
    def code(self) -> str:
        """For programs."""
        return self.value[0]

    @property
    def fa(self) -> str:
        """In Persian."""
        return self.value[1]

    @property
    def en(self) -> str:
        """In English."""
        return self.value[2]


@dataclass(slots=True)
class Problems:
    """All problems of a run: the first in memory, each in the file, counted by code."""

    file: TextIO
    listed: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    counts: Counter[str] = field(default_factory=Counter[str])

    def __post_init__(self) -> None:
        csv.writer(self.file).writerow(HEADER)

    @classmethod
    def open(cls, path: Path) -> Self:
        """A new file, in place of an older one."""
        path.parent.mkdir(parents=True, exist_ok=True)
        return cls(path.open("w", encoding="utf-8", newline=""))

    def close(self) -> None:
        """Finish the file."""
        self.file.close()

    def row(self, line: int, code: Code, why: str = "", *, of: tuple[str, str] = ("", "")) -> None:
        """One row that was left out. of: its merchant and transaction, as far as they are known."""
        self.add([line], code.code, why or code.en, fa=code.fa, of=of)

    def transaction(
        self, lines: Sequence[int], code: Code, why: str = "", *, of: tuple[str, str]
    ) -> None:
        """A whole transaction that was left out, with the lines of all its rows."""
        self.add(lines, code.code, why or code.en, fa=code.fa, of=of)

    def add(
        self, lines: Sequence[int], code: str, detail: str, *, fa: str, of: tuple[str, str]
    ) -> None:
        """Write down one problem."""
        self.counts[code] += 1
        cleaned = _printable(detail)
        merchant, transaction = (_printable(text) for text in of)
        numbers = " ".join(map(str, lines))
        csv.writer(self.file).writerow((numbers, code, merchant, transaction, cleaned, fa))
        if len(self.listed) < LISTED_MAX:
            self.listed.append(
                {
                    "lines": list(lines[:LINES_MAX]),
                    "lines_count": len(lines),
                    "code": code,
                    "detail": cleaned,
                    "fa": fa,
                    "merchant": merchant,
                    "transaction": transaction,
                }
            )


def _printable(text: str) -> str:
    """Text that any file can hold, however broken it came."""
    return text.encode("utf-8", "backslashreplace").decode().replace("\x00", "\\x00")[:300]
