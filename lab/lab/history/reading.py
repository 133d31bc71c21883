"""A file read into transactions, every line of it accounted for."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Final

from lab.history import rows, source
from lab.history.baskets import Baskets
from lab.history.problems import Code, Problems
from lab.history.rows import BadRow, Row

TELL_EVERY: Final = 2_000

# what is counted of rows: read = bad + zero + repeated + left_out + sent
Tell = Callable[[int, int], None]  # bytes of the file read, rows


def read_file(path: Path, baskets: Baskets, problems: Problems, *, tell: Tell) -> Counter[str]:
    """Read a whole file. Counts: read, bad, zero, repeated, zoneless, alike, ignored columns.

    Raises BadFile; nothing has been sent by then.
    """
    counts: Counter[str] = Counter()
    with source.opened(path) as file:
        for name in file.header.ignored:
            counts[f"column {name}"] += 1
        for number, cells in file.rows():
            counts["read"] += 1
            _take(rows.read(number, cells, file.header), baskets, problems, counts)
            if counts["read"] % TELL_EVERY == 0:
                tell(file.text.read_bytes(), counts["read"])
        tell(file.text.size_bytes, counts["read"])
    counts["repeated"] = baskets.gather(problems)
    counts["alike"] = baskets.alike()
    return counts


def _take(row: Row | BadRow, baskets: Baskets, problems: Problems, counts: Counter[str]) -> None:
    of = (row.merchant, row.transaction)
    if isinstance(row, BadRow):
        counts["bad"] += 1
        problems.row(row.number, row.code, row.why, of=of)
        baskets.spoil(row)
        return
    counts["zoneless"] += row.zoneless
    if row.amount_rial == 0:
        counts["zero"] += 1
        problems.row(row.number, Code.ZERO_AMOUNT, of=of)
    baskets.add(row)
