"""A4 paper on which texts are put, by fpdf2 (decision 0045). Lengths are points from the top left.

A text with letters that run from the right is shaped (HarfBuzz) and ordered (UAX 9) by fpdf2. Any
other is set letter by letter: figures are most of a paper, cost a fraction so, and nothing turns
them round. The font is Amiri (OFL-1.1) from its package: one width for all digits, so that columns
stand in line; and a glyph a letter with its dots, so that readers of a PDF find what it says.
"""

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from typing import Final, cast
from unicodedata import bidirectional, normalize

from fpdf import FPDF
from fpdf.enums import Align, MethodReturnValue
from fpdf.fonts import TTFFont
from fpdf.line_break import Fragment
from fpdf.prefs import ViewerPreferences

from merchants.printing.sheet import Sheet

logging.getLogger("fontTools").setLevel(logging.WARNING)  # it tells of each table that it cuts
_FONT: Final = "Amiri"
_FILES: Final = {"": "Amiri-Regular.ttf", "B": "Amiri-Bold.ttf"}
_LEFTWARD: Final = frozenset({"R", "AL"})
# what turns the rest of a line round, and what is not seen; the joiners of Persian stay
_UNSEEN: Final = re.compile("[\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff]")
_BLANK: Final = re.compile(r"[\s\x00-\x1f\x7f-\x9f]+")
_HEH_YEH: Final = ("\u06c0", "\u0647\u0654")  # two glyphs, of which one would have no meaning
_NO_SUCH_LETTER: Final = "\u25cc"  # a dotted circle: fpdf2 leaves out what the font has not


@dataclass(frozen=True, slots=True)
class Style:
    """How a text is set. leading: from line to line; grey: 0 is black, 255 white.

    wraps: what is wider than its place goes on below, a word that is wider is cut; else all of it
    is set smaller.
    """

    size: float
    leading: float
    bold: bool = False
    grey: int = 0
    wraps: bool = False


class _Document(FPDF):
    """fpdf2 without its splitting of a run where a mark or a joiner stands.

    2.8.9 takes them for a script of their own, shapes each piece alone and so puts marks beside
    their letters and parts what a joiner joins. There is one font and no markup: a run is a piece.
    """

    def _parse_chars(
        self, text: str, markdown: bool, *, _initial_emphasis: object = None
    ) -> Iterator[Fragment]:
        del markdown
        yield Fragment(text, self._get_current_graphics_state(), self.k)


class Paper:
    """The pages of one document; title, language and date are the sheet's, no clock is read."""

    def __init__(self, sheet: Sheet) -> None:
        self._pdf = pdf = _Document(unit="pt", format="A4")
        pdf.set_auto_page_break(False)
        pdf.alias_nb_pages("")  # "{nb}" in a name is a name
        pdf.c_margin = 0
        files = resources.files("fontpkg_amiri") / "files"
        for style, name in _FILES.items():
            pdf.add_font(_FONT, style, str(files / name))
        self._fonts = [cast(TTFFont, pdf.fonts[_FONT.lower() + style]) for style in _FILES]
        self._widths: dict[tuple[str, Style], float] = {}
        pdf.set_title(f"{sheet.title.fa} {sheet.number}")
        pdf.set_author(sheet.house.fa)
        pdf.set_subject(f"SHA-256 {sheet.seal}")
        pdf.set_lang("fa-IR")
        pdf.set_creation_date(sheet.made_at)
        pdf.viewer_preferences = ViewerPreferences(display_doc_title=True)

    def close(self) -> None:
        """Close the files of the font, which are read until the bytes are made."""
        for font in self._fonts:
            font.close()

    def begin_page(self) -> None:
        """A new page, on which everything goes from now on."""
        self._pdf.add_page()

    def put(
        self, place: tuple[float, float], text: str, style: Style, width: float, *,
        left: bool = False,
    ) -> float:  # fmt: skip
        """A text at (right, top), or (left, top), of at most that width; its foot."""
        plain = self._begin(text, style)
        if not plain:
            return place[1]
        wide = self._width_of(plain, style)
        pdf, x = self._pdf, place[0] if left else place[0] - width
        pdf.set_xy(x, place[1])
        if wide > width and style.wraps:
            pdf.multi_cell(width, style.leading, plain, align=Align.R)
            return pdf.y
        if wide > width:
            pdf.set_font_size(style.size * width / wide)
        pdf.cell(width, style.leading, plain, align=Align.L if left else Align.R)
        return place[1] + style.leading

    def height_of(self, text: str, style: Style, width: float) -> float:
        """How much lower than its top the foot of a text is; 0 where it has no letters."""
        plain = self._begin(text, style)
        if style.wraps and self._width_of(plain, style) > width:
            told = MethodReturnValue.HEIGHT
            height = self._pdf.multi_cell(width, style.leading, plain, dry_run=True, output=told)
            return cast(float, height)
        return style.leading if plain else 0.0

    def width_of(self, text: str, style: Style) -> float:
        """Of a text in one line."""
        return self._width_of(self._begin(text, style), style)

    def rule(self, left: float, right: float, y: float, *, width: float = 0.5) -> None:
        """A horizontal line."""
        self._pdf.set_line_width(width)
        self._pdf.line(left, y, right, y)

    def fill(self, left: float, top: float, width: float, height: float, grey: int) -> None:
        """A field of grey, under what is put there later."""
        self._pdf.set_fill_color(grey)
        self._pdf.rect(left, top, width, height, style="F")

    def bytes_of(self) -> bytes:
        """The pages as a PDF. Its id is a digest of its content."""
        return bytes(self._pdf.output())

    def _width_of(self, plain: str, style: Style) -> float:
        """Asked for twice of each text, and again of a heading on each page."""
        if (plain, style) not in self._widths:
            self._widths[plain, style] = self._pdf.get_string_width(plain)
        return self._widths[plain, style]

    def _begin(self, text: str, style: Style) -> str:
        """Set the font and the direction for a text; the text as the font can show it."""
        letters = self._fonts[style.bold].cmap
        seen = _BLANK.sub(" ", _UNSEEN.sub("", normalize("NFC", text))).strip()
        seen = seen.replace(*_HEH_YEH)
        plain = "".join(each if ord(each) in letters else _NO_SUCH_LETTER for each in seen)
        self._pdf.set_font(_FONT, "B" if style.bold else "", style.size)
        self._pdf.set_text_color(style.grey)
        leftward = not _LEFTWARD.isdisjoint(map(bidirectional, plain))
        self._pdf.set_text_shaping(leftward, direction="rtl")
        return plain
