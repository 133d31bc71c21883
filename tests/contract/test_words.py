"""Persian texts of the rooms: one word for a thing, digits as Persian writes them.

Findings N10 and §7. Texts are the string literals with Arabic letters; docstrings
and comments are not.
"""

import ast
import re
from collections.abc import Iterator

import pytest

from .sources import ROOT, parsed

ROOMS = ("campaigns", "fraud", "identity", "members", "merchants", "notify")
_PERSIAN = re.compile(r"[\u0621-\u063a\u0641-\u064a\u067e\u0686\u0698\u06a9\u06af\u06cc]{2}")
_FILLED_IN = re.compile(r"\{[^}]*\}")
ONE_WORD = {  # what is not written, and what is
    "موجودی": "مانده",
    "صندوق": "پایانه",
    "برنامه": "طرح",
    "باشگاه": "پیوند",
    "پذیرنده": "فروشگاه",
    "شارد": "",
    "تصمیم‌پذیر": "",
    "نگه‌داشتنی": "",
    "اعتبار لغزان": "مهلت",
    "طول اعتبار": "مهلت",
    "به بالا": "بیش از",
    "پیوند تازه": "انتساب تازه",
}


def texts(room: str) -> Iterator[tuple[str, str]]:
    """(place, text) of every Persian literal in a room's code."""
    for path in sorted((ROOT / "services" / room / room).rglob("*.py")):
        for node in ast.walk(parsed(path)):
            if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
                continue
            if _PERSIAN.search(node.value):
                yield f"{path.relative_to(ROOT)}:{node.lineno}", node.value


@pytest.mark.parametrize("room", ROOMS)
def test_one_thing_has_one_word(room: str) -> None:
    wrong = [
        f"{place}: «{word}», say «{better}»"
        for place, text in texts(room)
        for word, better in ONE_WORD.items()
        if word in text
    ]
    assert wrong == []


@pytest.mark.parametrize("room", ROOMS)
def test_digits_in_persian_texts_are_persian(room: str) -> None:
    wrong = [
        f"{place}: {text}"
        for place, text in texts(room)
        if re.search("[0-9\u0660-\u0669]", _FILLED_IN.sub("", text))
    ]
    assert wrong == []
