"""The rows of a file gathered into transactions, on disk: a file may be larger than memory."""

import itertools
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple

from lab.history.problems import Code, Problems
from lab.history.rows import BadRow, Row
from peyvand import Line

CHUNK_ROWS: Final = 5_000
LINES_MAX: Final = 500  # of one transaction on the road
AMOUNT_MAX: Final = 2**53 - 1
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Basket:
    """One transaction ready to be sent. rows: numbers of its rows in the file."""

    merchant: str
    transaction: str
    member: str
    at: datetime
    amount_rial: int
    terminal: int
    lines: tuple[Line, ...]
    rows: tuple[int, ...]


class Reference(NamedTuple):
    """A person as a partner knows him: the text means somebody within that party only."""

    party: int
    text: str


@dataclass(frozen=True, slots=True)
class Tally:
    """Rows with an amount, and transactions, that can be sent and that cannot."""

    sendable: int
    sendable_rows: int
    left_out: int
    left_out_rows: int


@dataclass(slots=True)
class Baskets:
    """All rows that read. Bad ones are kept only as the mark they leave on their transaction."""

    _db: sqlite3.Connection
    _rows: list[tuple[object, ...]] = field(default_factory=list[tuple[object, ...]])

    @classmethod
    def open(cls, folder: Path) -> "Baskets":
        """An empty store in a folder, whose owner deletes it."""
        db = sqlite3.connect(folder / "rows.sqlite", isolation_level=None)
        db.executescript(_SCHEMA)
        return cls(db)

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    # ------------------------------------------------------------------------------- filling

    def add(self, row: Row) -> None:
        """Keep a row."""
        self._rows.append(
            (
                row.merchant,
                row.transaction,
                row.number,
                row.member,
                row.at,
                row.amount_rial,
                row.terminal,
                row.line,
                row.sku,
                row.category,
                row.quantity,
            )
        )
        if len(self._rows) >= CHUNK_ROWS:
            self._flush()

    def spoil(self, row: BadRow) -> None:
        """Remember that a bad row belongs to a transaction, which is then left out whole."""
        if row.merchant and row.transaction:
            marked = (_storable(row.merchant), _storable(row.transaction))
            self._db.execute("insert or ignore into spoilt values (?, ?)", marked)

    def gather(self, problems: Problems) -> int:
        """Make transactions of the rows; how many rows were there twice, and count once.

        Rows with the same line number and content are one. Without line numbers, rows that are
        alike are as many lines: the same article was sold twice.
        """
        self._flush()
        self._db.executescript(_INDEX)
        repeated = self._drop_repeated(problems)
        self._db.executescript(_GATHER)
        return repeated

    def _drop_repeated(self, problems: Problems) -> int:
        repeated = self._db.execute(_REPEATED).fetchall()
        for merchant, transaction, number, first in repeated:
            why = f"the same as line {first}; counted once"
            problems.row(number, Code.REPEATED_ROW, why, of=(merchant, transaction))
        self._db.executemany("delete from rows where number = ?", [(row[2],) for row in repeated])
        return len(repeated)

    def _flush(self) -> None:
        self._db.execute("begin")
        self._db.executemany(f"insert into rows values ({'?,' * 10}?)", self._rows)  # noqa: S608
        self._db.execute("commit")
        self._rows.clear()

    # ------------------------------------------------------------------------------- knowing

    def alike(self) -> int:
        """Rows without a line number that are like another of their transaction, in all cells."""
        return int(self._db.execute(_ALIKE).fetchone()[0])

    def merchants(self) -> list[tuple[str, datetime]]:
        """Merchants of what can be sent, each with the time of its first purchase."""
        rows = self._db.execute(
            "select merchant, min(at) from baskets where why = '' group by merchant order by 1"
        )
        return [(text, _time(at)) for text, at in rows]

    def customers(self) -> int:
        """How many customers what can be sent speaks of, each shop's own counted by themselves."""
        counted = (
            "select count(*) from (select distinct merchant, member from baskets where why='')"
        )
        return int(self._db.execute(counted).fetchone()[0])

    def own(self, parties: Mapping[str, int]) -> None:
        """Say which party each merchant belongs to: members are references of it."""
        self._db.executemany("insert into parties values (?, ?)", parties.items())

    def members(self) -> Iterator[Reference]:
        """Members of what can be sent, in order; of the merchants whose party was said."""
        rows = self._db.execute(
            "select distinct party, member from baskets join parties using (merchant)"
            " where why = '' order by 1, 2"
        )
        return itertools.starmap(Reference, rows)

    def leave_out_merchants(self, texts: Iterable[str], code: Code) -> None:
        """Leave out what was bought at these."""
        change = "update baskets set why = ? where merchant = ? and why = ''"
        self._db.executemany(change, [(code.code, text) for text in texts])

    def leave_out_members(self, unknown: Iterable[Reference], code: Code) -> None:
        """Leave out what these bought."""
        change = (
            "update baskets set why = ? where member = ? and why = ''"
            " and merchant in (select merchant from parties where party = ?)"
        )
        self._db.executemany(change, [(code.code, one.text, one.party) for one in unknown])

    def tell_left_out(self, problems: Problems) -> None:
        """Name every transaction that is left out, with the lines of all its rows."""
        codes = {code.code: code for code in Code}
        left_out = self._db.execute(
            "select merchant, tx, member, why from baskets where why not in ('', ?) order by first",
            (Code.NOTHING_BOUGHT.code,),  # each of its rows was named already
        )
        for merchant, transaction, member, why in left_out:
            code = codes[why]
            detail = f"{code.en}: {member}" if code is Code.UNKNOWN_MEMBER else code.en
            lines = [row[0] for row in self._db.execute(_NUMBERS, (merchant, transaction))]
            problems.transaction(lines, code, detail, of=(merchant, transaction))

    def tally(self) -> Tally:
        """How much is to be sent and how much is left out, as things stand."""
        counts = {
            bool(sent): (count, rows)
            for sent, count, rows in self._db.execute(
                "select why = '', count(*), sum(sold) from baskets group by 1"
            )
        }
        sendable, sendable_rows = counts.get(True, (0, 0))
        left_out, left_out_rows = counts.get(False, (0, 0))
        all_bad = int(self._db.execute(_ALL_BAD).fetchone()[0])
        return Tally(sendable, sendable_rows, left_out + all_bad, left_out_rows)

    # ------------------------------------------------------------------------------- sending

    def in_time_order(self) -> Iterator[Basket]:
        """What is to be sent, the earliest first."""
        selected = self._db.execute(
            "select merchant, tx, member, at, terminal from baskets where why = ''"
            " order by at, merchant, tx"
        )
        for merchant, transaction, member, at, terminal in selected:
            rows = self._db.execute(_LINES, (merchant, transaction)).fetchall()
            lines = numbered([row[:5] for row in rows])
            yield Basket(
                merchant=merchant,
                transaction=transaction,
                member=member,
                at=_time(at),
                amount_rial=sum(line.amount_rial for line in lines),
                terminal=terminal,
                lines=lines,
                rows=tuple(sorted(row[5] for row in rows)),
            )


Sold = tuple[int, str, str, int, int]  # line (0: none), sku, category, amount in Rial, quantity


def numbered(rows: list[Sold]) -> tuple[Line, ...]:
    """Lines of a basket: those with a number keep it, the others get the free ones.

    These are put in order of their content, so that another order of rows in the file makes the
    very same transaction.
    """
    taken = {row[0] for row in rows if row[0]}
    free = iter(number for number in range(1, len(rows) + len(taken) + 1) if number not in taken)
    return tuple(
        Line(line=line or next(free), sku=sku, category=category, amount_rial=amount, quantity=n)
        for line, sku, category, amount, n in sorted(rows)
    )


def _time(at: int) -> datetime:
    return _EPOCH + timedelta(microseconds=at)


def _storable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()


_SCHEMA: Final = """
pragma journal_mode = off;
pragma synchronous = off;
pragma cache_size = -65536;
create table rows (
    merchant text, tx text, number integer, member text, at integer, amount integer,
    terminal integer, line integer, sku text, category text, quantity integer
);
create table spoilt (merchant text, tx text, primary key (merchant, tx)) without rowid;
create table parties (merchant text primary key, party integer not null) without rowid;
"""
_INDEX: Final = """
create index rows_basket on rows (merchant, tx, line);
create index rows_number on rows (number);
"""
_REPEATED: Final = """
select r.merchant, r.tx, r.number, o.first from rows r join (
    select min(number) as first, merchant, tx, line, member, at, amount, terminal, sku, category,
        quantity
    from rows where line > 0 and amount > 0
    group by merchant, tx, line, member, at, amount, terminal, sku, category, quantity
    having count(*) > 1
) o using (merchant, tx, line, member, at, amount, terminal, sku, category, quantity)
where r.number > o.first order by r.number
"""
_ALIKE: Final = """
select coalesce(sum(times - 1), 0) from (
    select count(*) as times from rows where line = 0 and amount > 0
    group by merchant, tx, member, at, amount, terminal, sku, category, quantity having times > 1
)
"""
_GATHER: Final = f"""
create table baskets as
select merchant, tx, min(member) as member, min(at) as at, max(terminal) as terminal,
    min(number) as first, sum(amount > 0) as sold,
    case
        when exists (select 1 from spoilt s where s.merchant = r.merchant and s.tx = r.tx)
            then '{Code.BAD_ROWS.code}'
        when min(member) <> max(member) then '{Code.MEMBERS_DIFFER.code}'
        when min(at) <> max(at) then '{Code.TIMES_DIFFER.code}'
        when min(nullif(terminal, 0)) <> max(terminal) then '{Code.TERMINALS_DIFFER.code}'
        when max(amount) = 0 then '{Code.NOTHING_BOUGHT.code}'
        when count(distinct iif(amount > 0 and line > 0, line, null))
            < sum(amount > 0 and line > 0) then '{Code.LINE_TWICE.code}'
        when sum(amount > 0) > {LINES_MAX} then '{Code.TOO_MANY_LINES.code}'
        when total(amount) > {AMOUNT_MAX} then '{Code.AMOUNT_TOO_LARGE.code}'
        else ''
    end as why
from rows r group by merchant, tx;
create index baskets_order on baskets (why, at, merchant, tx);
create index baskets_member on baskets (member);
create index baskets_merchant on baskets (merchant);
"""  # noqa: S608  words of a closed set
_ALL_BAD: Final = """
select count(*) from spoilt s
where not exists (select 1 from rows r where r.merchant = s.merchant and r.tx = s.tx)
"""
_NUMBERS: Final = "select number from rows where merchant = ? and tx = ? order by number"
_LINES: Final = """
select line, sku, category, amount, quantity, number from rows
where merchant = ? and tx = ? and amount > 0
"""
