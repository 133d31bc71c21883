"""A sheet set on pages: head, figures, words, the table with its heading on each, the foot."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from typing import Final

from contracts.text import digits_fa
from merchants.printing.paper import Paper, Style
from merchants.printing.sheet import Fact, Figure, Row, Sheet, Text

_LEFT: Final = 36.0
_RIGHT: Final = 559.0
_WIDTH: Final = _RIGHT - _LEFT
_TOP: Final = 40.0
_BOTTOM: Final = 768.0  # the foot is below
_GAP: Final = 4.0
_LINE: Final = 11.5
_FIRSTS: Final = (24.0, 52.0, 106.0, 32.0)  # widths: number, kind, name, count; the rest is amounts
_HEADING: Final = 44.0
_GREY: Final = 97
_SHADE: Final = 243
_HEAD_SHADE: Final = 224
_BRACKET: Final = 2.7  # a closing bracket stands beyond the column of digits

_TITLE: Final = Style(15, 20, bold=True)
_TITLE_EN: Final = Style(9, 12, grey=_GREY)
_BODY: Final = Style(9.5, _LINE)
_STRONG: Final = replace(_BODY, bold=True)
_LABEL: Final = Style(8.5, 10, bold=True)
_SMALL: Final = Style(8, 10, grey=_GREY)
_SMALL_EN: Final = Style(7.5, 10, grey=_GREY)
_SEAL: Final = Style(7, 10, grey=_GREY)
_AMOUNT: Final = Style(9, _LINE)

_Cell = Sequence[tuple[str, Style]]  # texts below each other


def pdf_of(sheet: Sheet) -> bytes:
    """A sheet as a PDF of A4 pages. The same sheet is the same bytes."""
    with closing(Paper(sheet)) as paper:
        return _set(paper, sheet)


def _set(paper: Paper, sheet: Sheet) -> bytes:
    paper.begin_page()
    y = _head(paper, sheet)
    y = _facts(paper, sheet.facts, y)
    y = _figures(paper, sheet.figures, y)
    words = _lines_of(sheet.words, _BODY)
    y = (
        _column(paper, [(words[0][0], _wrapped(_STRONG)), *words[1:]], (_RIGHT, y), _WIDTH)
        + 2 * _GAP
    )
    pages = _paginated(paper, sheet, y)
    for number, rows in enumerate(pages, 1):
        if number > 1:
            paper.begin_page()
            y = _TOP
        if rows:
            y = _table(paper, sheet, rows, y)
        if number == len(pages):
            _column(paper, _lines_of(sheet.notes, _SMALL), (_RIGHT, y + _GAP), _WIDTH)
        _foot(paper, sheet, number, len(pages))
    return paper.bytes_of()


def _wrapped(style: Style) -> Style:
    return replace(style, wraps=True)


def _lines_of(texts: Sequence[Text], persian: Style) -> _Cell:
    return [
        (text, _wrapped(style))
        for both in texts
        for text, style in ((both.fa, persian), (both.en, _SMALL_EN))
    ]


def _column(paper: Paper, cell: _Cell, place: tuple[float, float], width: float) -> float:
    """Texts below each other from (right, top); the foot of the last."""
    y = place[1]
    for text, style in cell:
        y = paper.put((place[0], y), text, style, width)
    return y


# ----------------------------------------------------------------------------------- the first page


def _head(paper: Paper, sheet: Sheet) -> float:
    for x, text, left in ((_RIGHT, sheet.house, False), (_LEFT, sheet.title, True)):
        paper.put((x, _TOP), text.fa, _TITLE, _WIDTH / 2, left=left)
        paper.put((x, _TOP + 20), text.en, _TITLE_EN, _WIDTH / 2, left=left)
    paper.rule(_LEFT, _RIGHT, _TOP + 38, width=1)
    return _TOP + 42


def _facts(paper: Paper, facts: Sequence[Fact], y: float) -> float:
    """Two facts beside each other, each with its label above it."""
    width = _WIDTH / 2 - _GAP
    for start in range(0, len(facts), 2):
        feet: list[float] = []
        for fact, right in zip(facts[start:], (_RIGHT, _LEFT + width), strict=False):
            paper.put((right, y + 2), fact.label.fa, _SMALL, width)
            wide = paper.width_of(fact.label.fa, _SMALL) + 5
            paper.put((right - wide, y + 2), fact.label.en, _SMALL_EN, width - wide)
            feet.append(_column(paper, _lines_of([fact.value], _STRONG), (right, y + 12), width))
        y = max(feet)
    return y + _GAP


def _figures(paper: Paper, figures: Sequence[Figure], y: float) -> float:
    """Figures in two columns, read down the right one first."""
    rows = (len(figures) + 1) // 2
    width, height = _WIDTH / 2, 17.0
    paper.fill(_LEFT, y, _WIDTH, rows * height + 4, _SHADE)
    for index, figure in enumerate(figures):
        column, row = divmod(index, rows)
        right, top = _RIGHT - column * width - _GAP, y + row * height + 4
        paper.put((right, top), figure.label.fa, _STRONG if figure.strong else _BODY, 88)
        paper.put((right - 92, top + 1), figure.label.en, _SMALL_EN, 66)
        edge = right - width + 2 * _GAP + 106
        _amounts(paper, [figure.amount], (edge, top), 104, strong=figure.strong)
    return y + rows * height + 4 + _GAP


# ---------------------------------------------------------------------------------------- the table


def _paginated(paper: Paper, sheet: Sheet, y: float) -> list[list[tuple[Row, float]]]:
    """The rows of each page with their heights; the notes stand on the last, which may have none.

    y: where the table begins on the first page.
    """
    pages: list[list[tuple[Row, float]]] = [[]]
    y += _HEADING
    for row in sheet.rows:
        height = max(_height(paper, _name(row), _FIRSTS[2] - 2 * _GAP), 2 * _LINE) + 5
        if y + height > _BOTTOM:
            pages.append([])
            y = _TOP + _HEADING
        pages[-1].append((row, height))
        y += height
    if y + _GAP + _height(paper, _lines_of(sheet.notes, _SMALL), _WIDTH) > _BOTTOM:
        pages.append([])
    return pages


def _height(paper: Paper, cell: _Cell, width: float) -> float:
    return sum(paper.height_of(text, style, width) for text, style in cell)


def _table(paper: Paper, sheet: Sheet, rows: Sequence[tuple[Row, float]], y: float) -> float:
    paper.fill(_LEFT, y, _WIDTH, _HEADING, _HEAD_SHADE)
    labels = [[label] for label in sheet.firsts] + [list(both) for both in sheet.columns]
    for texts, (right, width) in zip(labels, _columns(len(sheet.columns)), strict=True):
        cell = [piece for text in texts for piece in ((text.fa, _LABEL), (text.en, _SMALL_EN))]
        _column(paper, cell, (right, y + 2), width)
    y += _HEADING
    paper.rule(_LEFT, _RIGHT, y)
    for index, (row, height) in enumerate(rows):
        if index % 2:
            paper.fill(_LEFT, y + 0.25, _WIDTH, height - 0.25, _SHADE)
        _row(paper, row, y + 2)
        y += height
        paper.rule(_LEFT, _RIGHT, y, width=0.25)
    return y


def _columns(amounts: int) -> Iterator[tuple[float, float]]:
    """From the right: the right end of what a column holds, and its width."""
    rest = (_WIDTH - sum(_FIRSTS)) / amounts
    right = _RIGHT
    for width in (*_FIRSTS, *(rest,) * amounts):
        yield right - _GAP, width - 2 * _GAP
        right -= width


def _name(row: Row) -> _Cell:
    return _lines_of([row.name], _BODY)


def _row(paper: Paper, row: Row, y: float) -> None:
    kind = [(row.kind.fa, _STRONG if row.strong else _BODY), (row.kind.en, _SMALL_EN)]
    columns = _columns(len(row.amounts))
    for cell in ([(row.number, _BODY)], kind, _name(row), [(row.count, _BODY)]):
        right, width = next(columns)
        _column(paper, cell, (right, y), width)
    for amounts, (right, width) in zip(row.amounts, columns, strict=True):
        _amounts(paper, amounts, (right, y), width, strong=row.strong)


def _amounts(
    paper: Paper, amounts: Sequence[str], place: tuple[float, float], width: float, *, strong: bool
) -> None:
    """Digits in line with those above; the bracket of an amount below zero stands outside."""
    style = replace(_AMOUNT, bold=strong)
    for index, amount in enumerate(amounts):
        x = place[0] - (0 if amount.endswith(")") else _BRACKET)
        paper.put((x, place[1] + index * _LINE), amount, style, width - _BRACKET)


# ----------------------------------------------------------------------------------------- the foot


def _foot(paper: Paper, sheet: Sheet, page: int, pages: int) -> None:
    y, half = _BOTTOM + 6, _WIDTH / 2
    paper.rule(_LEFT, _RIGHT, y)
    # without the document's number: a reader of the PDF turns it round in a Persian text
    persian = f"{sheet.title.fa} · صفحهٔ {digits_fa(page)} از {digits_fa(pages)}"
    _column(paper, [(persian, _SMALL), (sheet.house.fa, _SMALL)], (_RIGHT, y + 3), half)
    english = f"{sheet.number} · page {page} of {pages}"
    paper.put((_LEFT, y + 3), english, _SMALL_EN, half, left=True)
    paper.put((_LEFT, y + 22), f"SHA-256 {sheet.seal}", _SEAL, _WIDTH, left=True)
