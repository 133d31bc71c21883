"""Papers: how mixed text stands on them, and what a reader sees of a PDF."""

import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.text import number_fa
from kit.base import errors
from merchants import settings as merchants_settings
from merchants.clearing.domain.corrections import Correction, effect_of
from merchants.clearing.domain.counting import Pair, PairSums
from merchants.clearing.domain.positions import Position
from merchants.clearing.domain.windows import Window, WindowState
from merchants.parties.domain import Party
from merchants.printing import layout
from merchants.printing.paper import Paper, Style
from merchants.statements.domain import printed, statement
from merchants.statements.domain.statement import Side, Statement, StatementLine

CLOSED = datetime(2026, 11, 30, 20, 30, 5, tzinfo=UTC)  # in Tehran, the 10th of Azar 1405
SEAL = "0123456789abcdef" * 4
DIGITS = str.maketrans("۰۱۲۳۴۵۶۷۸۹", "0123456789", "٬,\u200e\u200f")
DARK = 160  # of 255: letters and rules, not fields of grey
MARGIN_POINTS = 30  # at every edge nothing is printed


def window(number: int = 7) -> Window:
    opened = CLOSED - timedelta(days=1)
    return Window(
        window=number, state=WindowState.CLOSED, opened_at=opened, cut_at=CLOSED, shards=3,
        closed_at=CLOSED + timedelta(seconds=2),
    )  # fmt: skip


def line(index: int, rials: int, *, side: Side = Side.CLAIM, title: str = "نان البرز") -> Any:
    sums = PairSums(
        entries_count=index, claims_rial=rials, reversed_rial=rials // 3, fee_rial=rials // 50,
        paid_rial=rials // 7, own_discount_rial=rials // 11, released_rial=rials // 13,
    )  # fmt: skip
    return StatementLine(side, index + 100, title, f"Bread Co {index}", sums)


def drawn_up(*lines: StatementLine, opening: int = 0, party: Party | None = None) -> Statement:
    """A statement whose position is what its lines come to."""
    party = party or Party(3, "بقالی بهار", "Bahar Grocer", legal_id="10101234567")
    effect = sum(one.effect_rial for one in lines)
    position = Position(
        party=party.party, opening_rial=opening, claims_rial=max(effect, 0),
        dues_rial=max(-effect, 0),
    )  # fmt: skip
    return Statement(window(), party, position, lines)


def pdf_of(told: Statement) -> bytes:
    return layout.pdf_of(printed.sheet_of(told, SEAL))


def texts(pdf: bytes) -> list[str]:
    """What a browser's reader finds on each page, digits and brackets as a program writes them."""
    document = pypdfium2.PdfDocument(pdf)
    pages = [page.get_textpage().get_text_range() for page in document]
    document.close()
    # a reader may show the brackets of a number mirrored, and apart from it
    return [re.sub(r"[()] ?(\d+) ?[()]", r" (\1) ", page.translate(DIGITS)) for page in pages]


def amounts(rials: list[int]) -> Counter[str]:
    return Counter(str(one) if one >= 0 else f"({-one})" for one in rials)


def words_on(pdf: bytes) -> Counter[str]:
    return Counter(" ".join(texts(pdf)).split())


# ---------------------------------------------------------------------------------------- the texts


@pytest.fixture
def paper() -> Iterator[Paper]:
    with closing(Paper(printed.sheet_of(drawn_up(), SEAL))) as blank:
        blank.begin_page()
        yield blank


def from_left_to_right(paper: Paper, text: str) -> str:
    """The letters as they stand on paper. Brackets are told alike: a PDF has the mirrored ones."""
    paper.put((500, 100), text, Style(12, 14), 400)
    document = pypdfium2.PdfDocument(paper.bytes_of())
    found = document[0].get_textpage()
    places: list[tuple[float, str]] = []
    for index, letter in enumerate(found.get_text_range()):
        left, _, right, _ = found.get_charbox(index)
        if right > left:
            places.append((left, re.sub(r"[(){}«»]", "|", letter)))
    document.close()
    return "".join(letter for _, letter in sorted(places))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Snapp! مارکت (شعبه ۲) 24/7", "24/7|۲هبعش|تکرام!Snapp"),
        ("نان (Alborz Bread) ۱۲۳", "۱۲۳|AlborzBread|نان"),
        ("Café (شعبه) No. 5", "No.5|هبعش|Café"),
        ("Bread Co. (Ltd.)", "BreadCo.|Ltd.|"),
        ("(۱۲٬۳۴۵)", "|۱۲٬۳۴۵|"),
        ("******5679", "******5679"),
        ("۱۴۰۵/۰۹/۱۰ ساعت ۰۰:۰۵", "۰۰:۰۵تعاس۱۴۰۵/۰۹/۱۰"),
        ("\u202eab\u2067c\u2069\n\t\u00a0d\x00e\u200f ", "abcde"),  # no name turns the line round
        ("{nb} صفحه", "هحفص|nb|"),  # the library's sign for the number of pages
        ("漢 ab", "\u25ccab"),  # a letter that the font has not
    ],
)
def test_letters_stand_where_a_reader_looks_for_them(paper: Paper, text: str, shown: str) -> None:
    assert from_left_to_right(paper, text).replace(" ", "") == shown


def test_letters_are_joined_marks_take_no_room_and_digits_have_one_width(paper: Paper) -> None:
    style = Style(12, 14)

    def width(text: str) -> float:
        return paper.width_of(text, style)

    assert width("ببب") < 3 * width("ب")
    for marked, plain in (("محمّد", "محمد"), ("دورهٔ", "دوره"), ("دورۀ", "دوره")):
        assert width(marked) == pytest.approx(width(plain), abs=0.01)
    assert width("می\u200cشود") != pytest.approx(width("میشود"), abs=0.01)
    assert len({width(digit) for digit in "0123456789"}) == 1
    assert len({width(digit) for digit in "۰۱۲۳۴۵۶۷۸۹"}) == 1
    assert width("") == 0


# ---------------------------------------------------------------------------------------- the paper


@pytest.mark.SH14
def test_the_paper_says_every_figure_of_the_statement() -> None:
    told = drawn_up(
        line(1, 9_007_199_254_740_991), line(2, 1_234_567, side=Side.DUE, title="Snapp مارکت"),
        line(3, 500, side=Side.OWN, title="=1+1"), opening=-(10**15),
    )  # fmt: skip
    (page,) = texts(pdf_of(told))
    figures: list[int] = []
    for one in told.lines:
        sums = one.sums
        figures += [
            sums.claims_rial, sums.reversed_rial, sums.fee_rial, sums.paid_rial,
            sums.own_discount_rial, sums.released_rial, one.effect_rial, sums.entries_count,
        ]  # fmt: skip
    position = told.position
    figures += [position.opening_rial] * 2 + [position.closing_rial] * 2  # head and table
    figures += [
        position.claims_rial, position.claims_reversed_rial, position.dues_rial,
        position.dues_reversed_rial, position.fee_rial, position.position_rial, position.paid_rial,
    ]  # fmt: skip
    assert not amounts(figures) - Counter(page.split())
    for text in ("بقالی", "Bahar", "10101234567", "PV7-S3", SEAL, "1405/09/10", "00:00:05", "1+1"):
        assert text in page, text
    assert "2026-12-01 00:00:07+03:30" in page


def test_what_a_dispute_came_to_is_a_row_and_a_figure_and_the_paper_adds_up() -> None:
    made = Correction(
        correction="d1", of_window=5, window=7, pair=Pair(104, 3), amount_rial=4_321, made_at=CLOSED
    )
    effect = effect_of(made, 3, 7)
    told = drawn_up(line(1, 1_000))
    told = replace(
        told,
        position=replace(told.position, corrections_rial=effect.correction_rial),
        disputes=(effect,),
        titles={104: Party(104, "قنادی یاس", "Yas Pastry")},
    )
    rows = printed.sheet_of(told, SEAL).rows
    assert rows[2].kind.fa == "اختلاف دورهٔ ۵ با ۱۰۴"
    assert rows[2].name.fa == "قنادی یاس"
    assert rows[2].amounts[0][0] == rows[2].amounts[3][0] == number_fa(4_321)
    found = " ".join(texts(pdf_of(told)))
    assert "dispute of" in found
    assert "corrections" in found


def test_more_disputes_than_a_statement_shows_are_not_printed() -> None:
    made = Correction(
        correction="d1", of_window=5, window=7, pair=Pair(104, 3), amount_rial=1, made_at=CLOSED
    )
    many = (effect_of(made, 3, 7),) * (merchants_settings.PAGE_MAX + 1)
    with pytest.raises(printed.TooLong):
        printed.check_length(replace(drawn_up(), disputes=many))


def test_the_same_statement_is_the_same_bytes_and_another_is_not() -> None:
    told = drawn_up(line(1, 5_000))
    assert pdf_of(told) == pdf_of(told)
    assert pdf_of(told) != pdf_of(drawn_up(line(1, 5_001)))
    assert b"/CreationDate (D:20261201000007+03'30')" in pdf_of(told)
    assert layout.pdf_of(printed.sheet_of(told, "f" * 64)) != pdf_of(told)


def in_a_process(program: str, seed: int) -> bytes:
    path = os.pathsep.join([str(Path(__file__).parents[1]), *sys.path])
    environment = {"PYTHONPATH": path, "PYTHONHASHSEED": str(seed), "PATH": os.environ["PATH"]}
    return subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, check=True
    ).stdout


def test_another_process_makes_the_same_bytes() -> None:
    program = (
        "import sys; from tests.test_domain_printing import drawn_up, line, pdf_of;"
        "sys.stdout.buffer.write(pdf_of(drawn_up(line(1, 5_000))))"
    )
    here = pdf_of(drawn_up(line(1, 5_000)))
    assert [in_a_process(program, seed) == here for seed in (1, 2)] == [True, True]


def test_a_service_that_prints_nothing_does_not_load_the_library() -> None:
    program = "import sys, merchants.main; print({'fpdf', 'fontTools', 'PIL'} & {*sys.modules})"
    assert in_a_process(program, 1).strip() == b"set()"


@pytest.mark.parametrize(
    ("opening", "words"),
    [
        (0, "بدون مانده"),
        (9_525, "نه هزار و پانصد و بیست و پنج ریال"),
        (-10_000, "قابل پرداخت"),
    ],
)
def test_an_empty_window_has_a_page_with_its_balance_in_words(opening: int, words: str) -> None:
    sheet = printed.sheet_of(drawn_up(opening=opening), SEAL)
    assert words in " ".join(text.fa for text in sheet.words)
    (page,) = texts(pdf_of(drawn_up(opening=opening)))
    for word in words.split():
        assert word in page
    assert len(sheet.rows) == 2


@pytest.mark.parametrize("count", [9, 10, 11, 500])
def test_many_lines_go_on_with_the_heading_on_each_page(count: int) -> None:
    told = drawn_up(*(line(index, index * 7_919) for index in range(1, count + 1)))
    pages = texts(pdf_of(told))
    assert len(pages) <= count // 12 + 2
    assert all(page.count("own discount") == 1 for page in pages[:-1])
    assert pages[-1].count("own discount") <= 1  # none where nothing but notes is left
    for index, page in enumerate(pages, 1):
        assert page.count(f"page {index} of {len(pages)}") == 1
        assert page.count(SEAL) == 1
        assert page.count("PV7-S3") >= 1
    found = Counter(" ".join(pages).split())
    assert not amounts([one.effect_rial for one in told.lines]) - found
    assert not Counter(f"Bread Co {index}".split()[-1] for index in range(1, count + 1)) - found


NAMES = (
    "ن" * 200,
    "شرکت بازرگانی " * 14,
    "A" * 200,
    "Snapp! مارکت (شعبهٔ ۲) 24/7 «افق» [تهران]",
    "می‌خواهم خانه‌های آرمان‌شهر",
    "漢字 😀 ქართული",  # letters that the font has not
    "(((" * 60,
    "\u202eabc\u2066",
    "{nb} محمّد",
    " ",
    "",
)


@pytest.mark.parametrize("name", NAMES)
def test_no_name_runs_over_an_edge_or_into_figures(name: str) -> None:
    """The name's column is between that of the kind and that of the count."""
    party = Party(3, name, name, national_id="0012345679")
    lines = [line(1, 10**15, title=name), line(2, 7, title=name)]
    told = drawn_up(*lines, opening=-1, party=party)
    pdf = pdf_of(told)
    document = pypdfium2.PdfDocument(pdf)
    for page in document:
        bitmap = page.render(scale=1, grayscale=True)
        ink, stride = bytes(bitmap.buffer), bitmap.stride
        rows = [y for y in range(bitmap.height) if min(ink[y * stride :][: bitmap.width]) < DARK]
        columns = [x for x in range(bitmap.width) if min(ink[x::stride]) < DARK]
        for dark, size in ((rows, bitmap.height), (columns, bitmap.width)):
            assert dark[0] > MARGIN_POINTS
            assert dark[-1] < size - MARGIN_POINTS
    document.close()
    assert amounts([one.effect_rial for one in told.lines]) - words_on(pdf) == Counter()
    assert "0012345679" not in " ".join(texts(pdf))


@given(st.text(max_size=60), st.integers(-(10**18), 10**18))
@settings(max_examples=15, deadline=None)
def test_any_name_and_any_amount_can_be_printed(name: str, opening: int) -> None:
    told = drawn_up(line(1, abs(opening) // 2, title=name), opening=opening)
    assert amounts([told.position.closing_rial]) - words_on(pdf_of(told)) == Counter()


def test_what_is_too_long_or_does_not_add_up_is_not_printed() -> None:
    whole = drawn_up(line(1, 100))
    with pytest.raises(errors.Alarm, match="the lines lead to"):
        printed.sheet_of(replace(whole, lines=[]), SEAL)
    lines = [line(index, 1) for index in range(1, printed.LINES_MAX + 2)]
    printed.check_length(drawn_up(*lines[:-1]))
    with pytest.raises(printed.TooLong):
        printed.check_length(drawn_up(*lines))


def test_sides_have_their_names() -> None:
    assert {side.value for side in Side} == {"claim", "due", "own"}
    told = drawn_up(*(line(1, 50, side=side) for side in Side))
    rows = printed.sheet_of(told, SEAL).rows
    assert [row.kind.fa for row in rows] == [
        "مانده از پیش", "طلب از ۱۰۱", "بدهی به ۱۰۱", "هزینهٔ خود ۱۰۱", "مانده در پایان",
    ]  # fmt: skip
    assert statement.side_of(statement.pair_of(Side.OWN, 3, 3), 3) is Side.OWN
