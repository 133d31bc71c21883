"""Text from outside: prose and codes have one spelling, and what is kept is taken again."""

import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from contracts.text import clean_text, fold_code, fold_number, fold_or_keep

UNSEEN = "\u00ad\u061c\u200b\u200e\u200f\u202a\u202e\u2060\u2066\u2069\ufeff\U000e0041"
STORABLE = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00"))
PROSE = st.text(st.characters(exclude_categories=("Cc", "Cs", "Co", "Cn")))


@pytest.mark.parametrize(
    ("given_text", "kept"),
    [
        ("  علي \u00a0 كريمى ", "علی کریمی"),
        ("\u202eسلام\u2069", "سلام"),
        ("\u061c\ufeff\u200bنان\u200d\u200c", "نان"),
        ("می\u200cرود \u200c خانه", "می\u200cرود خانه"),
        ("پلاک ۱۲ واحد ٣", "پلاک 12 واحد 3"),
        ("ا\u0653ب", "آب"),  # composed
        ("", ""),
        ("\u200b \u200c", ""),
        ("<b>Café</b>", "<b>Café</b>"),
    ],
)
def test_prose_has_one_spelling(given_text: str, kept: str) -> None:
    assert clean_text(given_text) == kept


@pytest.mark.parametrize(
    "text", ["\u202eسلام\u0007\u001b[31m", "a\nb", "a\tb", "a\x85b", "a\x00", "\ud800", "\ue000"]
)
def test_prose_with_controls_or_half_characters_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="control characters"):
        clean_text(text)


@pytest.mark.parametrize(
    "text",
    ["لبنیات", "لبنيات", "لبنىات", " لبنیات\u200f", "\u200eلبنیات\u00a0", "لبـنیات", "لب\u200cنیات",
     "\ufeffلبنیات\t", "لبن\u061cیات\u200b", "ﻟﺒﻨﯿﺎﺕ", "لبنیات\x1d"],
)  # fmt: skip
def test_every_spelling_of_a_category_is_one(text: str) -> None:
    assert fold_code(text) == "لبنیات"


@pytest.mark.parametrize(
    "text", ["A-17 3", "A-۱۷ ٣", "Ａ-１７\u3000３", "\u202e A-१७  3", "A-\u200c17 ۳"]
)
def test_every_spelling_of_a_sku_is_one(text: str) -> None:
    assert fold_code(text) == "A-17 3"


def test_capital_and_small_letters_of_a_code_differ() -> None:
    assert fold_code("a1") != fold_code("A1")


@pytest.mark.parametrize("text", ["a\x00", "\ud800", "\ud800۱"])
def test_a_code_or_number_that_is_no_text_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not text"):
        fold_code(text)
    with pytest.raises(ValueError, match="not text"):
        fold_number(text)


@given(STORABLE)
@example("ا\u200b\u0653")
@example("ﹱ ﷺ ½ ﬁ")
def test_a_folded_code_is_taken_as_it_is(text: str) -> None:
    folded = fold_code(text)
    assert fold_code(folded) == folded
    assert not set(folded) & set(UNSEEN + "\u200c\u200dيىك")
    assert all(c.isascii() for c in folded if unicodedata.category(c) == "Nd")


@given(PROSE)
@example("ی\u200b\u0654")
def test_clean_prose_is_taken_as_it_is(text: str) -> None:
    cleaned = clean_text(text)
    assert clean_text(cleaned) == cleaned
    assert not set(cleaned) & set(UNSEEN + "يىك")
    assert unicodedata.is_normalized("NFC", cleaned)


@given(STORABLE)
def test_a_number_keeps_letters_as_letters(text: str) -> None:
    folded = fold_number(text)
    assert sum(c.isdecimal() for c in folded) == sum(c.isdecimal() for c in text)


MARKS = "\u0300\u0316"


@pytest.mark.parametrize("clean", [clean_text, fold_code])
@pytest.mark.parametrize("text", ["a" + MARKS * 16, "a" + (MARKS * 15 + "\u2060") * 99])
def test_a_heap_of_combining_marks_is_no_text(clean: Callable[[str], str], text: str) -> None:
    """To put n marks in their order costs the square of n, of the whole process."""
    with pytest.raises(ValueError, match=r"marks|not text"):
        clean(text)
    assert clean("a" + MARKS * 15)


def test_what_cannot_be_folded_is_kept() -> None:
    assert [fold_or_keep(t) for t in ("A-۱۷", "a\x00", "\ud800")] == ["A-17", "a\x00", "\ud800"]
