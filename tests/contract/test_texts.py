"""Persian texts have Persian digits: read from the source of every room, filled in or not."""

import ast
import re
from collections.abc import Iterator

from campaigns import reasons
from contracts import redeeming
from contracts.values import Reason
from ledger.posting.domain import texts

from .sources import ROOT, parsed

OBJECTIONS = {
    *(redeeming.NOTHING, redeeming.BELOW_MINIMUM),
    *(redeeming.WORTH_NOTHING, redeeming.ABOVE_SHARE),
}
PLACES = ("services/*/*", "gateway/gateway", "kit/kit", "contracts/contracts")
LETTER = re.compile("[\u0621-\u064a\u066e-\u06d3]")
DIGIT = re.compile(r"[0-9]")
MAKER = re.compile(r"\w*_fa|persian_digits|join")  # what makes a Persian text of what it is given
# Values that are texts already, made by the above or typed by people, by file.
WORDS = {
    "services/campaigns/campaigns/rules/domain/explanations.py": {
        *("comparison", "fa", "node.operator", "must_fa"),
    },
    "services/merchants/merchants/printing/layout.py": {"sheet.title.fa"},
    "services/merchants/merchants/printing/paper.py": {"sheet.title.fa", "sheet.number"},
    "services/merchants/merchants/statements/domain/printed.py": {"label.fa"},
    "services/notify/notify/templates/domain/texts.py": {
        *("credit", "amount", "points", "left", "discount", "support"),
    },
}


def sources() -> Iterator[tuple[str, ast.Module]]:
    for pattern in PLACES:
        for folder in sorted(ROOT.glob(pattern)):
            if folder.name in ("tests", "migrations") or not folder.is_dir():
                continue
            for path in sorted(folder.rglob("*.py")):
                yield str(path.relative_to(ROOT)), parsed(path)


def wrong_digits(text: str) -> bool:
    """Whether a Persian text has ASCII digits, but within words of the machine (2026-…T…Z)."""
    if not LETTER.search(text):
        return False
    return any(DIGIT.search(w) and not re.search("[A-Za-z]", w) for w in text.split())


def is_maker(value: ast.expr) -> bool:
    called = value.func if isinstance(value, ast.Call) else None
    name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
    return MAKER.fullmatch(name) is not None


def docstrings(tree: ast.Module) -> set[int]:
    return {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Expr)}


def test_no_persian_text_has_other_digits() -> None:
    wrong: list[str] = []
    for name, tree in sources():
        skipped = docstrings(tree)
        for node in ast.walk(tree):
            if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
                continue
            if id(node) not in skipped and wrong_digits(node.value):
                wrong.append(f"{name}:{node.lineno}: {node.value}")
    assert not wrong, "\n".join(wrong)


def test_what_is_filled_into_a_persian_text_is_persian() -> None:
    """A number goes into a text by number_fa or digits_fa; a text may go as it is."""
    wrong: list[str] = []
    for name, tree in sources():
        for node in ast.walk(tree):
            if not isinstance(node, ast.JoinedStr):
                continue
            parts = [p.value for p in node.values if isinstance(p, ast.Constant)]
            if not LETTER.search("".join(map(str, parts))):
                continue
            for part in node.values:
                if isinstance(part, ast.FormattedValue) and not is_maker(part.value):
                    told = ast.unparse(part.value)
                    if told not in WORDS.get(name, set()):
                        wrong.append(f"{name}:{node.lineno}: {told}")
    assert not wrong, "\n".join(wrong)


def test_texts_of_migrations_have_persian_digits() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}: {text}"
        for path in sorted(ROOT.glob("services/*/migrations/*.sql"))
        for text in re.findall(r"[\"']([^\"'\n]+)[\"']", path.read_text("utf-8"))
        if wrong_digits(text)
    ]
    assert not wrong, "\n".join(wrong)


def test_a_preview_words_a_refusal_as_the_room_that_refuses() -> None:
    """The ledger previews what campaigns will say: one code has one text. Source: F10."""
    bounds = {"least": 10_000, "most": 1_200_000}
    said = [found for found in vars(reasons).values() if isinstance(found, Reason)] + [
        reasons.below_minimum(bounds["least"]),
        reasons.above_share(bounds["most"]),
    ]
    previewed = [reason for reason in said if reason.code in OBJECTIONS]
    assert {reason.code for reason in previewed} == OBJECTIONS
    assert previewed == [texts.reason(reason.code, **bounds) for reason in previewed]


def test_the_measure_sees_what_it_is_for() -> None:
    for text in ("تا 900000 ریال", "شارد 0 تا شمارهٔ 88", "مانند 1405-03", "RFC 3339 بنویسید"):
        assert wrong_digits(text)
    for text in ("تا ۹۰۰٬۰۰۰ ریال", "مانند 2026-11-22T09:30:00+03:30.", "900000 Rial", "کد UTF-8"):
        assert not wrong_digits(text)
