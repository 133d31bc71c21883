"""Files that come in: quoted text never becomes structure, and every row comes exactly once."""

import csv
import gzip
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peyvand.files import csv_rows
from peyvand.files import text as files_in
from peyvand.files.csv_rows import Broken, Fault

HEAD = "a,b,c"


def read(folder: Path, raw: str | bytes, name: str = "file.csv") -> list[csv_rows.Row]:
    path = folder / name
    path.write_bytes(raw.encode() if isinstance(raw, str) else raw)
    with files_in.opened(path) as text:
        csv_rows.header(text, ["a"], ["a", "b", "c"])
        return list(csv_rows.rows(text))


def cells(row: csv_rows.Row) -> tuple[int, list[str] | Fault]:
    number, found = row
    return number, found.fault if isinstance(found, Broken) else found


CELL = st.text(alphabet="ab0 \",\n'ی۱;", max_size=6)


@given(table=st.lists(st.lists(CELL, min_size=3, max_size=3), max_size=6), quote_all=st.booleans())
def test_what_a_csv_writer_writes_is_read_back_whole(
    tmp_path_factory: pytest.TempPathFactory, table: list[list[str]], quote_all: bool
) -> None:
    out = io.StringIO()
    quoting = csv.QUOTE_ALL if quote_all else csv.QUOTE_MINIMAL
    csv.writer(out, quoting=quoting, lineterminator="\r\n").writerows(table)
    found = read(tmp_path_factory.getbasetemp(), f"{HEAD}\r\n{out.getvalue()}")
    assert [row for _, row in found] == [row for row in table if any(c.strip() for c in row)]


@given(body=st.text(alphabet='ab",\n', max_size=40))
def test_whatever_the_file_every_line_is_of_exactly_one_row(
    tmp_path_factory: pytest.TempPathFactory, body: str
) -> None:
    """No line is lost or comes twice: a row is its own lines up to where the next one begins."""
    found = read(tmp_path_factory.getbasetemp(), f"{HEAD}\n{body}")
    numbers = [number for number, _ in found]
    assert numbers == sorted(set(numbers))
    lines = body.split("\n")
    for number, row in found:
        if isinstance(row, Broken):
            assert row.cells == lines[number - 2].replace('"', "").split(",")
    covered = {n for n, row in found for n in range(n, n + _height(row))}
    spoken = {n for n, line in enumerate(lines, 2) if line.replace(",", "").replace('"', "")}
    assert spoken <= covered


def _height(row: list[str] | Broken) -> int:
    return 1 if isinstance(row, Broken) else 1 + sum(cell.count("\n") for cell in row)


def test_a_quote_left_open_spoils_its_own_row_only(tmp_path: Path) -> None:
    raw = f'{HEAD}\n1,"x,y\n2,b,c\n3,"d ""e""\nf",g\n4,"h"i,j\n5,k"l,m\n6,n,o'
    assert [cells(row) for row in read(tmp_path, raw)] == [
        (2, Fault.QUOTES),
        (3, ["2", "b", "c"]),
        (4, ["3", 'd "e"\nf', "g"]),
        (6, Fault.QUOTES),
        (7, Fault.QUOTES),
        (8, ["6", "n", "o"]),
    ]


def test_a_quote_that_is_open_too_long_and_a_line_too_long_are_bad_rows(tmp_path: Path) -> None:
    long = "x" * 30_000
    raw = f'{HEAD}\n1,"a\n2,{long},\n3,{long},\n4,{long},\n5,{"y" * 70_000},\n6,b,"c"\n'
    found = read(tmp_path, raw)
    assert [number for number, _ in found] == [2, 3, 4, 5, 6, 7]
    assert [n for n, row in found if isinstance(row, Broken)] == [2, 6]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("zipped", [False, True])
def test_marks_ends_of_lines_and_compression_do_not_matter(
    tmp_path: Path, end: str, zipped: bool
) -> None:
    raw = ("\ufeff" + end.join([" A ,b,C", "1,2,3", " , ,", "", "4,5,6"])).encode()
    found = read(tmp_path, gzip.compress(raw) if zipped else raw)
    assert found == [(2, ["1", "2", "3"]), (5, ["4", "5", "6"])]


@pytest.mark.parametrize(
    ("raw", "fa", "en"),
    [
        ("a;b;c\n1;2;3\n", "نقطه‌ویرگول", "save the file as CSV in UTF-8, parted by commas: a,b,c"),
        ("a\tb\n", "جهش", "parted by commas"),
        ("a،b\n", "«،»", "parted by commas"),
        ("a,b,a\n1,2,3\n", "دو بار", "names a column twice: a"),
        ("x,y\n1,2\n", "نام ببرد", "missing: a"),
        ('a,"b\n', "سرستون نیست", "no header"),
        ("", "تهی", "empty"),
    ],
)
def test_a_file_that_is_no_table_of_ours_is_refused_in_both_languages(
    tmp_path: Path, raw: str, fa: str, en: str
) -> None:
    with pytest.raises(files_in.BadFile) as refused:
        read(tmp_path, raw)
    assert fa in str(refused.value)
    assert en in str(refused.value)
