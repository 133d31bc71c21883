"""A history's file: every line is a basket's or named, and baskets go out in time order."""

import gzip
import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from lab.history import __main__ as command
from lab.history import partners, reading, rows, source
from lab.history.baskets import Basket, Baskets
from lab.history.problems import Code, Problems
from peyvand import Line
from peyvand.files import text as files_in

HEAD = "transaction,member,merchant,occurred_at,amount_rial,terminal,line,sku,category,quantity"
AT = "2025-05-01T10:00:00+03:30"
UTC_AT = datetime(2025, 5, 1, 6, 30, tzinfo=UTC)


@dataclass
class Read:
    """A file that was read."""

    baskets: list[Basket]
    counts: dict[str, int]
    problems: list[tuple[list[int], str]]
    left_out: int
    file: str


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def read(folder: Path, raw: str | bytes, name: str = "history.csv") -> Read:
    path = folder / name
    path.write_bytes(raw.encode() if isinstance(raw, str) else raw)
    (folder / "rows.sqlite").unlink(missing_ok=True)
    baskets, problems = Baskets.open(folder), Problems.open(folder / "problems.csv")
    try:
        counts = reading.read_file(path, baskets, problems, tell=lambda *_: None)
        baskets.tell_left_out(problems)
        tally = baskets.tally()
        counts["left_out"] = tally.left_out_rows
        counts["sent"] = tally.sendable_rows
        found = list(baskets.in_time_order())
    finally:
        baskets.close()
        problems.close()
    return Read(
        baskets=found,
        counts=dict(counts),
        problems=[(one["lines"], one["code"]) for one in problems.listed],
        left_out=tally.left_out,
        file=(folder / "problems.csv").read_text(),
    )


def lines(*given: str, head: str = HEAD) -> str:
    return "\n".join((head, *given)) + "\n"


# ------------------------------------------------------------------------------------- one row


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ("t1,m,s,2025-05-01T10:00,12.5,,,,,", Code.BAD_AMOUNT),
        ("t1,m,s,2025-05-01T10:00,1e3,,,,,", Code.BAD_AMOUNT),
        ("t1,m,s,2025-05-01T10:00,,,,,,", Code.BAD_AMOUNT),
        ('t1,m,s,2025-05-01T10:00,"1,000",,,,,', Code.BAD_AMOUNT),
        ("t1,m,s,2025-05-01T10:00,-5,,,,,", Code.NEGATIVE_AMOUNT),
        ("t1,m,s,2025-05-01T10:00,9007199254740992,,,,,", Code.AMOUNT_TOO_LARGE),
        ("t1,m,s,yesterday,5,,,,,", Code.BAD_TIME),
        ("t1,m,s,,5,,,,,", Code.BAD_TIME),
        ("t1,m,s,2025-02-30,5,,,,,", Code.BAD_TIME),
        ("t1,m,s,1404-02-30,5,,,,,", Code.BAD_TIME),
        ("t1,m,s,1404-02-11,5,,,,,", Code.TIME_TOO_OLD),
        ("t1,m,s,0001-01-01,5,,,,,", Code.BAD_TIME),
        (",m,s,2025-05-01,5,,,,,", Code.NO_TRANSACTION),
        ("t1,,s,2025-05-01,5,,,,,", Code.NO_MEMBER),
        ("t1,m, ,2025-05-01,5,,,,,", Code.NO_MERCHANT),
        ("t1,m,s,2025-05-01,5,x,,,,", Code.BAD_TERMINAL),
        ("t1,m,s,2025-05-01,5,2147483648,,,,", Code.BAD_TERMINAL),
        ("t1,m,s,2025-05-01,5,,0,,,", Code.BAD_LINE),
        ("t1,m,s,2025-05-01,5,,10000,,,", Code.BAD_LINE),
        ("t1,m,s,2025-05-01,5,,,,,1.5", Code.BAD_QUANTITY),
        (f"t1,m,s,2025-05-01,5,,,{'x' * 65},,", Code.BAD_TEXT),
        (f"t1,{'m' * 65},s,2025-05-01,5,,,,,", Code.BAD_TEXT),
        (f"{'ش' * 40},m,s,2025-05-01,5,,,,,", Code.BAD_TEXT),
        ("t1,m\x00,s,2025-05-01,5,,,,,", Code.BAD_TEXT),
        ("t1,m,s,2025-05-01,5", Code.BAD_CELLS),
        ("t1,m,s,2025-05-01,5,,,,,,", Code.BAD_CELLS),
        ('"t1,m,s,2025-05-01,5,,,,,', Code.BAD_QUOTES),
        ('t1,"m"x,s,2025-05-01,5,,,,,', Code.BAD_QUOTES),
        ("x" * 70_000, Code.LINE_TOO_LONG),
    ],
)
def test_a_bad_row_is_named_with_its_line_and_reason(folder: Path, row: str, code: Code) -> None:
    found = read(folder, lines(f"good,m,s,{AT},5,,,,,", row, f"last,m,s,{AT},5,,,,,"))
    assert ([3], code.code) in found.problems
    assert [b.transaction for b in found.baskets] == ["good", "last"]
    assert (found.counts["read"], found.counts["bad"]) == (3, 1)
    assert code.fa in found.file


def test_a_line_break_in_a_cell_that_nobody_looks_at_makes_no_row(folder: Path) -> None:
    """Findings F1: a note that looks like a row was booked, and its own purchase left out."""
    found = read(
        folder,
        lines(
            'M1,m1,r13 shop,2025-05-01 10:00,100000,"thank you',
            "M9999,m1,r13 shop,2025-05-01 10:30,900000000,",
            'bye"',
            "M2,m2,r13 shop,2025-05-01 11:00,200000,",
            head="transaction,member,merchant,occurred_at,amount_rial,Notes",
        ),
    )
    assert [(b.transaction, b.amount_rial) for b in found.baskets] == [
        ("M1", 100_000),
        ("M2", 200_000),
    ]
    assert (found.counts["read"], found.problems) == (2, [])


def test_bytes_that_are_no_utf_8_spoil_their_own_row_only(folder: Path) -> None:
    raw = lines(f"t1,m,s,{AT},5,,,,,", f"t2,m,s,{AT},5,,,x,,").encode().replace(b"x", b"\xff")
    found = read(folder, raw)
    assert found.problems == [([3], "bad-encoding")]
    assert [b.transaction for b in found.baskets] == ["t1"]


def test_digits_letters_and_marks_are_normalised(folder: Path) -> None:
    row = "\u200fت۱ ,علي ۷,۱۲,۲۰۲۵-۰۵-۰۱T۱۰:۰۰:۰۰+۰۳:۳۰,۱۵۰۰۰۰,۱۷,۲,الف,كالا,٣.۰"
    (basket,) = read(folder, lines(row)).baskets
    assert basket == Basket(
        merchant="12",
        transaction="ت1",
        member="علی 7",
        at=UTC_AT,
        amount_rial=150_000,
        terminal=17,
        lines=(Line(line=2, amount_rial=150_000, quantity=3, sku="الف", category="کالا"),),
        rows=(2,),
    )


@pytest.mark.parametrize(
    ("text", "at", "zoneless"),
    [
        ("2025-05-01T06:30:00Z", UTC_AT, False),
        ("2025-05-01 10:00", UTC_AT, True),
        ("20250501", datetime(2025, 4, 30, 20, 30, tzinfo=UTC), True),
        ("2017-07-01T00:00", datetime(2017, 6, 30, 19, 30, tzinfo=UTC), True),  # summer time
        ("2017-03-22", datetime(2017, 3, 21, 20, 30, tzinfo=UTC), True),  # an hour that was not
    ],
)
def test_a_time_without_a_zone_is_tehrans(text: str, at: datetime, zoneless: bool) -> None:
    micros, had_none = rows.moment(text)
    assert (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)) == at
    assert had_none is zoneless


# ----------------------------------------------------------------------------------- baskets


def test_rows_of_one_transaction_are_its_lines_wherever_they_stand(folder: Path) -> None:
    found = read(
        folder,
        lines(
            f"t1,m,s,{AT},100,,,bread,,",
            "t2,m,s,2025-05-01T09:00:00+03:30,30,,,,,",
            f"t1,m,other,{AT},7,,,,,",
            f"t1,m,s,{AT},50,,,milk,,2",
        ),
    )
    assert [(b.merchant, b.transaction, b.amount_rial) for b in found.baskets] == [
        ("s", "t2", 30),
        ("other", "t1", 7),
        ("s", "t1", 150),
    ]
    assert found.baskets[-1].rows == (2, 5)
    assert [(n.line, n.sku, n.quantity) for n in found.baskets[-1].lines] == [
        (1, "bread", 1),
        (2, "milk", 2),
    ]


def test_another_order_of_rows_makes_the_same_baskets(folder: Path) -> None:
    rng = random.Random(3)
    given = [
        f"t{n % 40},m{n % 40},s{n % 3},{AT},{n % 7 + 1},,{n % 2 * (n + 1) or ''},k{n % 5},,"
        for n in range(400)
    ]
    first = read(folder, lines(*given)).baskets
    rng.shuffle(given)
    second = read(folder, lines(*given)).baskets
    assert [(b.merchant, b.transaction, b.lines) for b in first] == [
        (b.merchant, b.transaction, b.lines) for b in second
    ]
    assert [b.at for b in first] == sorted(b.at for b in first)


@pytest.mark.parametrize(
    ("second", "code"),
    [
        (f"t1,other,s,{AT},5,,,,,", "members-differ"),
        ("t1,m,s,2025-05-01T10:00:01+03:30,5,,,,,", "times-differ"),
        (f"t1,m,s,{AT},5,8,,,,", "terminals-differ"),
        (f"t1,m,s,{AT},6,7,1,,,", "line-twice"),
        (f"t1,m,s,{AT},x,7,,,,", "bad-rows"),
        (f't1,m,s,{AT},5,7,,"open,,', "bad-rows"),
        (f"t1,m,s,{AT},9007199254740991,7,,,,", "amount-too-large"),
    ],
)
def test_a_transaction_that_contradicts_itself_is_left_out_whole(
    folder: Path, second: str, code: str
) -> None:
    found = read(folder, lines(f"t1,m,s,{AT},5,7,1,,,", f"t2,m,s,{AT},5,,,,,", second))
    assert [b.transaction for b in found.baskets] == ["t2"]
    assert code in {said for _, said in found.problems}
    assert found.left_out == 1


def test_the_same_instant_in_two_zones_is_no_contradiction(folder: Path) -> None:
    rows_ = (f"t1,m,s,{AT},5,,,,,", "t1,m,s,2025-05-01T06:30:00Z,6,7,,,,")
    (basket,) = read(folder, lines(*rows_)).baskets
    assert (basket.amount_rial, basket.terminal) == (11, 7)


def test_a_row_there_twice_counts_once_where_lines_are_numbered(folder: Path) -> None:
    twice = f"t1,m,s,{AT},5,,1,,,"
    found = read(folder, lines(twice, f"t1,m,s,{AT},6,,2,,,", twice))
    assert found.problems == [([4], "repeated-row")]
    assert [b.amount_rial for b in found.baskets] == [11]
    assert found.counts["repeated"] == 1


def test_rows_alike_without_line_numbers_are_as_many_lines(folder: Path) -> None:
    found = read(folder, lines(*[f"t1,m,s,{AT},5,,,a,,"] * 3))
    assert [(b.amount_rial, len(b.lines)) for b in found.baskets] == [(15, 3)]
    assert found.counts["alike"] == 2


def test_zero_rows_are_named_and_leave_the_rest_of_the_basket(folder: Path) -> None:
    found = read(
        folder, lines(f"t1,m,s,{AT},0,,1,,,", f"t1,m,s,{AT},5,,1,,,", f"t2,m,s,{AT},۰,,,,,")
    )
    assert found.problems == [([2], "zero-amount"), ([4], "zero-amount")]
    assert [(b.transaction, b.amount_rial, b.rows) for b in found.baskets] == [("t1", 5, (3,))]
    assert found.left_out == 1


def test_more_lines_than_the_road_takes_are_left_out(folder: Path) -> None:
    many = [f"t1,m,s,{AT},5,,,k{n},," for n in range(501)]
    found = read(folder, lines(*many))
    assert found.baskets == []
    ((numbers, code),) = found.problems
    assert (code, len(numbers)) == ("too-many-lines", 20)
    assert " 502," in found.file


def test_every_row_is_accounted_for(folder: Path) -> None:
    rng = random.Random(11)
    pool = [
        f"t{{n}},m{{n}},s,{AT},5,,,,,",
        f"t{{n}},m{{n}},s,{AT},0,,1,,,",
        f"t{{n}},m{{n}},s,{AT},x,,,,,",
        f"t{{n}},other,s,{AT},5,,2,,,",
        f"t{{n}},m{{n}},s,{AT},5,,2,,,",
        "t{n},m{n},s",
        '"t{n},m',
    ]
    given = [rng.choice(pool).format(n=rng.randrange(300)) for _ in range(3_000)]
    counts = read(folder, lines(*given)).counts
    parts = ("bad", "zero", "repeated", "left_out", "sent")
    assert all(counts[part] for part in parts)
    assert counts["read"] == 3_000 == sum(counts[part] for part in parts)


# ----------------------------------------------------------------------------------- the file


def test_gzip_is_told_by_its_bytes(folder: Path) -> None:
    raw = lines(f"t1,m,s,{AT},5,,,,,").encode()
    assert read(folder, gzip.compress(raw), "a.csv.gz").baskets
    assert read(folder, gzip.compress(raw), "a.csv").baskets


@pytest.mark.parametrize(
    "raw",
    [
        lines(f"t1,m,s,{AT},5,,,,,").encode("utf-8-sig"),
        lines(f"t1,m,s,{AT},5,,,,,").replace("\n", "\r\n").encode(),
        lines(f"t1,m,s,{AT},5,,,,,", "", "  ").encode(),
        f'"Member", Transaction,MERCHANT,occurred_at,amount_rial,note\nm,t1,s,{AT},5,hm'.encode(),
    ],
)
def test_spellings_of_a_csv_are_all_read(folder: Path, raw: bytes) -> None:
    found = read(folder, raw)
    assert [(b.transaction, b.member) for b in found.baskets] == [("t1", "m")]
    assert found.problems == []
    assert found.counts["read"] == 1


GOOD = gzip.compress(lines(*[f"t{n},m,s,{AT},5,,,,," for n in range(5_000)]).encode())


@pytest.mark.parametrize(
    ("name", "raw", "status", "said"),
    [
        ("absent.csv", None, command.NO_FILE, "No such file"),
        ("empty.csv", b"", command.BAD_FILE, "is empty"),
        ("plain.csv.gz", b"transaction,member\n", command.BAD_FILE, "not gzip"),
        ("cut.csv.gz", GOOD[:-900], command.BAD_FILE, "cut off"),
        ("changed.csv.gz", GOOD[:-8] + b"12345678", command.BAD_FILE, "damaged"),
        ("head.csv", b"a,b,c\n1,2,3\n", command.BAD_FILE, "missing: transaction, member"),
        ("semicolons.csv", HEAD.replace(",", ";").encode(), command.BAD_FILE, "commas"),
        ("twice.csv", (HEAD + ",line").encode(), command.BAD_FILE, "twice: line"),
        ("wide.csv", HEAD.encode("utf-16"), command.BAD_FILE, "UTF-16"),
        ("binary.csv", bytes(range(256)) * 900, command.BAD_FILE, "missing"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_before_anything_is_sent(
    folder: Path,
    name: str,
    raw: bytes | None,
    status: int,
    said: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = folder / name
    if raw is not None:
        path.write_bytes(raw)
    report = folder / "report"
    assert command.main(["--file", str(path), "--report", str(report)]) == status
    assert said in capsys.readouterr().out.replace("\n", " ")
    assert not (report / "report.json").exists()
    assert [p.name for p in report.iterdir()] == ["problems.csv"]


def test_without_a_file_the_usage_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--file", ""]) == command.USAGE
    assert "FILE=" in capsys.readouterr().out


def test_a_folder_is_no_file(folder: Path) -> None:
    with pytest.raises(files_in.NoFile), source.opened(folder):
        pass


# ---------------------------------------------------------------------------------- partners


def test_a_merchant_is_found_by_its_reference_then_by_its_number() -> None:
    known = partners.Registered({5: 50, 12: 120}, {"shop": 5, "12": 5})
    assert [known.find(text) for text in ("shop", "12", "5", "7", "nobody", "٧")] == [
        *(5, 5, 5, None, None, None)
    ]


def test_new_merchants_get_numbers_after_the_highest_that_no_text_of_the_file_means() -> None:
    numbers = partners.Registered({5: 50}, {}).free(["6", "8", "shop", "x"])
    assert [next(numbers) for _ in range(4)] == [7, 9, 10, 11]
    assert next(partners.Registered({}, {}).free([])) == 2


def test_after_the_last_number_of_all_come_those_that_were_passed_over() -> None:
    end = 2**31 - 1
    numbers = partners.Registered({2: 2, 5: 5, end - 1: 9}, {}).free(["3", "shop"])
    assert [next(numbers) for _ in range(3)] == [end, 4, 6]
    numbers = partners.Registered({2: 2, end: 9}, {}).free([])
    assert [next(numbers) for _ in range(2)] == [3, 4]
