"""Every citation leads somewhere: sections, decisions, faults, facts, requirements, links."""

import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Final

import pytest

from .sources import ROOT, tracked

DOCS = ROOT / "docs"
FIELDS = "ledger|loyalty|campaigns|fraud|notify-iran|platform|operations|panels"
NUMBER = r"\d+(?:\.\d+)*"
ASIDE = r"(?: \([^()]*\))?"
NUMBERS = rf"§?{NUMBER}{ASIDE}(?:(?:, | and |, and )§?{NUMBER}{ASIDE})*"
FAULT = r"(?:[SCFNAM]\d+[a-z]?|§\d)"
SECTION = re.compile(rf"\b(architecture|structure|style)(?:\.md)?,? ({NUMBERS})")
FACT = re.compile(rf"\b({FIELDS}) reference(?: ({NUMBERS}))?(?![\w-])")
DECISION = re.compile(r"\b[Dd]ecisions?[ /](\d{4}(?:(?:, | and )\d{4})*)|\((00\d\d)\)")
FAULTS = re.compile(rf"\b[Ff]indings? ({FAULT}(?:(?:, | and | to )(?:{FAULT}))*)")
UNNUMBERED = re.compile(r"\b(?:newcomer|adversary) \d+\w?|\b[Ff]indings? \d+|DESIGN of")
SOURCE = re.compile(r"Source: ((?:[^.\"]|\.(?=\d))*)")
REQUIREMENT = re.compile(r"\b(?:SH|NH|IS|RK|DT)\d+[a-c]?\b")
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")


def headings(path: Path) -> Iterator[str]:
    fenced = False
    for line in path.read_text("utf-8").splitlines():
        fenced ^= line.lstrip().startswith("```")
        if line.startswith("#") and not fenced:
            yield line.lstrip("#").strip()


@cache
def sections(page: str) -> frozenset[str]:
    """Numbers of a page's headings; none of a page that is not there."""
    path = DOCS / f"{page}.md"
    found = headings(path) if path.exists() else ()
    return frozenset(m[1] for h in found if (m := re.match(rf"({NUMBER})\.? ", h)))


@cache
def facts() -> frozenset[str]:
    """Facts of docs/sources.md, such as "ledger 1"."""
    found = headings(DOCS / "sources.md")
    pattern = re.compile(rf"({FIELDS}) reference ({NUMBER}):", re.IGNORECASE)
    return frozenset(f"{m[1].lower()} {m[2]}" for h in found if (m := pattern.match(h)))


@cache
def decisions() -> frozenset[str]:
    return frozenset(path.name[:4] for path in (DOCS / "decisions").glob("[0-9]*.md"))


def first_cells(page: str) -> Iterator[str]:
    """The first cell of each row of a page's tables."""
    for line in (DOCS / page).read_text("utf-8").splitlines():
        if line.startswith("| ") and not line.startswith("| ---"):
            yield line.split("|")[1].strip()


@cache
def faults() -> frozenset[str]:
    """Ids of docs/findings.md, ranges ("N12 to N15") written out."""
    found: set[str] = set()
    for cell in first_cells("findings.md"):
        ids = re.findall(FAULT, cell)
        found.update(ids)
        if " to " in cell:
            letter, low, high = ids[0][0], int(ids[0][1:]), int(ids[-1][1:])
            found.update(f"{letter}{n}" for n in range(low, high + 1))
    return frozenset(found)


@cache
def requirements() -> frozenset[str]:
    return frozenset(c for c in first_cells("requirements.md") if REQUIREMENT.fullmatch(c))


def plain(text: str) -> str:
    """A file's text as one line: a citation may run over the end of one, or of a comment's."""
    return re.sub(r"\s*\n\s*(?:#:? |-- |\| )?\s*", " ", text)


# a text without any of these has no citation: two files of three are passed over quickly
HINTS: Final = (
    *("architecture", "structure", "style", "reference", "ecision", "(00"),
    *("inding", "Source: ", "newcomer ", "adversary ", "DESIGN of"),
)


def dangling(text: str) -> Iterator[str]:
    """Citations in a text that lead nowhere."""
    yield from (r for r in REQUIREMENT.findall(text) if r not in requirements())
    if not any(hint in text for hint in HINTS):
        return
    text = plain(text)
    for page, numbers in SECTION.findall(text):
        bare = re.sub(r"\([^()]*\)", "", numbers)
        yield from (f"{page} {n}" for n in re.findall(NUMBER, bare) if n not in sections(page))
    for field, numbers in FACT.findall(text):
        bare = re.findall(NUMBER, re.sub(r"\([^()]*\)", "", numbers)) or ["without a number"]
        yield from (f"{field} reference {n}" for n in bare if f"{field} {n}" not in facts())
    for several, one in DECISION.findall(text):
        found = re.findall(r"\d{4}", several or one)
        yield from (f"decision {n}" for n in found if n not in decisions())
    for ids in (*FAULTS.findall(text), *SOURCE.findall(text)):
        found = re.findall(rf"(?<![\w.]){FAULT}\b", ids)
        yield from (f"findings {n}" for n in found if n not in faults())
    yield from UNNUMBERED.findall(text)


READ = tracked("*.py", "*.md", "*.sql", "*.toml", "*.yaml", "Makefile")
HERE = Path(__file__)


def test_every_citation_resolves() -> None:
    lost = [
        f"{path.relative_to(ROOT)}: {citation}"
        for path in READ
        if path != HERE
        for citation in dangling(path.read_text("utf-8"))
    ]
    assert not lost, "\n".join(lost)


@pytest.mark.parametrize(
    "text",
    [
        "architecture 2.99",
        "Source: architecture 2 (the name), 77.",
        "style 12",
        "structure 2",
        "ledger\n    reference 5",
        "ledger reference (money leg)",
        "decision 0999",
        "(0099)",
        "findings S99",
        "findings S1, S99",
        "Source: F99.",
        "newcomer 19",
        "Source: SH99.",
    ],
)
def test_a_citation_that_leads_nowhere_is_seen(text: str) -> None:
    assert list(dangling(text))


@pytest.mark.parametrize(
    "text",
    [
        "Source: architecture 2 (the name), 5 (natural keys).",
        "architecture 2.3",
        "style 5 (time)",
        "ledger\n    reference 1 (as-of balances) and 6",
        "decisions 0011 and 0012",
        "findings F3, F6 to F8",
        "the architecture names transactions; a new style; a reference of its own",
    ],
)
def test_a_good_citation_is_let_be(text: str) -> None:
    assert not list(dangling(text))


# ------------------------------------------------------------------------------------------ links


def anchors(path: Path) -> frozenset[str]:
    """Anchors of a page's headings, as they are made on the web."""
    found = (re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings(path))
    return frozenset(found)


def broken(path: Path, links: Iterable[str]) -> Iterator[str]:
    for link in links:
        if re.match(r"\w+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        if not target.exists() or (anchor and anchor not in anchors(target)):
            yield link


def test_every_link_of_a_page_leads_to_a_file_and_a_heading() -> None:
    lost = [
        f"{path.relative_to(ROOT)}: {link}"
        for path in tracked("*.md")
        for link in broken(path, LINK.findall(path.read_text("utf-8")))
    ]
    assert not lost, "\n".join(lost)


# ------------------------------------------------------------------------------- tests of faults

FOLDERS: Final = {  # docs/findings.md says so in its third paragraph
    **{room: f"tests/{room}" for room in ("e2e", "integration", "contract")},
    **{room: f"{room}/tests" for room in ("contracts", "kit", "gateway", "lab")},
    "local": "deploy/local/tests",
    "sdk": "clients/python/tests",
}


def names_no_test(path: str, function: str) -> bool:
    """Whether a short path, such as kit/test_logs, leads to no file with the function."""
    room, _, module = path.rpartition("/")
    file = ROOT / FOLDERS.get(room, room if "/" in room else f"services/{room}/tests")
    file = file / f"{module}.py"
    if not file.exists():
        return True
    return bool(function) and f"def {function}(" not in file.read_text("utf-8")


def test_every_fault_names_a_test_that_there_is() -> None:
    named = re.findall(
        r"`([a-z0-9_/]+/test_\w+)(?:::(\w+))?`", (DOCS / "findings.md").read_text("utf-8")
    )
    assert len(named) > 100
    assert sorted({one for one in named if names_no_test(*one)}) == []


# -------------------------------------------------------------------------------------- changelog

READERS: Final = "Tills|Merchants|Members|Operators|Auditors|Developers"


def test_an_entry_of_the_changelog_begins_with_its_reader() -> None:
    told = (ROOT / "CHANGELOG.md").read_text("utf-8").splitlines()
    entries = [line for line in told if line.startswith("- ")]
    reader = re.compile(rf"- \*(?:{READERS})(?:, (?:{READERS}))*:\* ")
    assert len(entries) > 100
    assert [line for line in entries if not reader.match(line)] == []
