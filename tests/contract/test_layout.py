"""Is the layout the layout? Reads the source as files and says what breaks its own rules."""

import ast
import importlib
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from contracts.topics import TOPICS

from .sources import ROOT, definitions, tracked

SERVICES = ("campaigns", "fraud", "identity", "ledger", "members", "merchants", "notify")
ROOMS = {"gateway": ROOT / "gateway/gateway"} | {
    name: ROOT / "services" / name / name for name in SERVICES
}
FORBIDDEN_NAMES = {"utils", "common", "misc", "base", "manager", "processor", "data", "info"}
FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 50
MAIN_LINES_MAX = 14  # and one for each part: docs/decisions/0042
HEADINGS = ("owns", "hears", "says", "never", "invariants")
# lines of each floor of kit; "": what stands on all of them. docs/decisions/0033
KIT_LINES_MAX = {"base": 2_100, "stream": 2_850, "server": 650, "": 650}


PYTHON = tracked("*.py")


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in definitions(path):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_files_and_functions_are_short() -> None:
    long = [
        f"{path.relative_to(ROOT)}: {lines} lines"
        for path in PYTHON
        if (lines := len(path.read_text("utf-8").splitlines())) > FILE_LINES_MAX
    ]
    long += [
        f"{path.relative_to(ROOT)}:{f.lineno} {f.name}: {length} lines"
        for path in PYTHON
        for f in functions(path)
        if (length := (f.end_lineno or f.lineno) - f.lineno + 1) > FUNCTION_LINES_MAX
    ]
    assert not long, "\n".join(long)


def test_no_file_or_class_has_an_empty_name() -> None:
    bad = [p for p in PYTHON if p.stem in FORBIDDEN_NAMES]
    named = [
        f"{path.relative_to(ROOT)}: class {node.name}"
        for path in PYTHON
        for node in definitions(path)
        if isinstance(node, ast.ClassDef)
        and re.search(r"(Manager|Processor|Util|Helper|Base|Data|Info)s?$", node.name)
    ]
    assert not bad
    assert not named


@pytest.mark.parametrize("room", sorted(ROOMS))
def test_every_service_is_a_tuple_of_parts(room: str) -> None:
    """docs/decisions/0033: main lists parts, and nothing else is wired there."""
    main = ROOMS[room] / "main.py"
    listed = importlib.import_module(f"{room}.main")
    lines_max = MAIN_LINES_MAX + len(listed.PARTS)
    assert len(main.read_text("utf-8").splitlines()) <= lines_max
    assert listed.SERVICE.parts is listed.PARTS
    modules = [make.__module__ for make in listed.PARTS]
    assert all(name == "kit.audit_trail" or name.endswith(".part") for name in modules), modules
    parts = {".".join((room, *_inside(room, path))) for path in ROOMS[room].rglob("part.py")}
    unlisted = parts - set(modules)
    assert not unlisted, f"add to PARTS of {room}/main.py: {sorted(unlisted)}"


def _inside(room: str, path: Path) -> tuple[str, ...]:
    return path.relative_to(ROOMS[room]).with_suffix("").parts


IMPORT_RULES = {
    rule["name"].partition(":")[0]: rule
    for rule in tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
}


@pytest.mark.parametrize("room", sorted(ROOMS))
def test_the_import_rules_know_every_noun(room: str) -> None:
    nouns = {".".join((room, *_inside(room, path)[:-1])) for path in ROOMS[room].rglob("part.py")}
    layered = set(IMPORT_RULES["inside a noun everything points down"]["containers"])
    unknown = {noun for noun in nouns if not noun.startswith("ledger.posting")} - layered
    assert not unknown, f"pyproject.toml, inside a noun: {sorted(unknown)} in containers"
    pure = set(IMPORT_RULES["rules are pure"]["source_modules"])
    rules = {f"{noun}.domain" for noun in nouns if _is_there(noun, "domain")}
    assert not rules - pure, f"pyproject.toml, rules are pure: {sorted(rules - pure)}"


def _is_there(noun: str, module: str) -> bool:
    room, *inside = noun.split(".")
    folder = ROOMS[room].joinpath(*inside)
    return (folder / f"{module}.py").exists() or (folder / module).is_dir()


@pytest.mark.parametrize("room", sorted(ROOMS))
def test_a_noun_has_its_own_furniture_and_nothing_else(room: str) -> None:
    doors = {"part", "api", "consumer", "jobs", "usecases", "domain", "store", "clients"}
    nouns = [p.parent for p in ROOMS[room].glob("*/part.py")]
    odd = [
        str(p.relative_to(ROOT))
        for noun in nouns
        for p in noun.iterdir()
        if p.suffix == ".py" and p.stem not in doors | {"__init__"}
    ]
    assert not odd, odd


def test_the_ledger_is_three_wings_over_one_book() -> None:
    """Which wing may read which, import-linter says; that there is nothing beside them, this."""
    # by their packages: a tree of before a move keeps empty folders with what was compiled in them
    wings = {p.parent.name for p in ROOMS["ledger"].glob("*/__init__.py")}
    assert wings == {"posting", "query", "log", "tables", "book"}
    phases = {p.parent.name for p in (ROOMS["ledger"] / "posting").glob("*/__init__.py")}
    assert phases == {"read", "decide", "write", "domain", "store"}


def meetings_elsewhere(folder: Path, nouns: set[str], doors: set[str]) -> Iterator[str]:
    """Imports from one noun of a room into another one, by other doors than these."""
    for path in (p for noun in sorted(nouns) for p in (folder / noun).rglob("*.py")):
        own = path.relative_to(folder).parts[0]
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.ImportFrom) or node.module is None:
                continue
            for alias in node.names:
                room, noun, door, *_ = [*node.module.split("."), alias.name, "", ""]
                if room == folder.name and noun in nouns - {own} and door not in doors:
                    where = path.relative_to(folder.parent)
                    yield f"{where}:{node.lineno} {node.module} {alias.name}"


@pytest.mark.parametrize("room", sorted({*ROOMS} - {"ledger"}))  # its wings are one book
def test_a_noun_meets_another_through_its_use_cases(room: str) -> None:
    """Its use cases, and in a service the values of its domain: never its store or doors."""
    nouns = {path.parent.name for path in ROOMS[room].glob("*/part.py")}
    doors = {"usecases"} if room == "gateway" else {"usecases", "domain"}
    assert nouns
    assert not list(meetings_elsewhere(ROOMS[room], nouns, doors))


def test_another_door_is_seen(tmp_path: Path) -> None:
    """The search above finds what it is there to find."""
    (tmp_path / "gateway/road").mkdir(parents=True)
    module = tmp_path / "gateway/road/api.py"
    module.write_text("from gateway.tables import store\n", "utf-8")
    search = (tmp_path / "gateway", {"road", "tables"}, {"usecases"})
    assert list(meetings_elsewhere(*search)) == ["gateway/road/api.py:1 gateway.tables store"]
    module.write_text("from gateway.tables.usecases import Lookups\n", "utf-8")
    assert not list(meetings_elsewhere(*search))


@pytest.mark.parametrize("service", SERVICES)
def test_a_services_readme_is_one_page_with_five_headings(service: str) -> None:
    text = (ROOT / "services" / service / "README.md").read_text("utf-8").lower()
    missing = [h for h in HEADINGS if not re.search(rf"^#+ .*\b{h}\b", text, re.MULTILINE)]
    assert not missing, f"services/{service}/README.md lacks {missing}"


@pytest.mark.parametrize("service", SERVICES)
def test_migrations_are_numbered_without_a_gap(service: str) -> None:
    names = sorted(p.name for p in (ROOT / "services" / service / "migrations").glob("*.sql"))
    assert [int(n[:4]) for n in names] == list(range(1, len(names) + 1))
    assert all(re.fullmatch(r"\d{4}_[a-z_]+\.sql", n) for n in names), names


@pytest.mark.parametrize("room", sorted(ROOMS))
def test_topics_and_handlers_agree_both_ways(room: str) -> None:
    """A room handles each topic it is listed for by on_<topic>, and no other."""
    if room == "gateway":
        pytest.importorskip("lmdb")
    listed = {t.name for t in TOPICS if room in t.consumers}
    found = {
        f.name.removeprefix("on_")
        for path in ROOMS[room].rglob("consumer.py")
        for f in functions(path)
        if f.name.startswith("on_")
    }
    assert found == {re.sub(r"[.\-]", "_", name) for name in listed}


@pytest.mark.parametrize("floor", sorted(KIT_LINES_MAX))
def test_kit_stays_small(floor: str) -> None:
    """docs/decisions/0033: a floor that grows has taken in what belongs to a room."""
    files = list((ROOT / "kit/kit" / floor).rglob("*.py"))
    if not floor:
        files = list((ROOT / "kit/kit").glob("*.py"))
    lines = {p.name: len(p.read_text("utf-8").splitlines()) for p in files}
    assert sum(lines.values()) <= KIT_LINES_MAX[floor], lines


def test_every_dependency_is_pinned_with_a_reason() -> None:
    pinned = {}
    for line in (ROOT / "requirements.in").read_text("utf-8").splitlines():
        found = re.fullmatch(r"([A-Za-z0-9_.-]+)(?:\[[a-z]+\])?==([\w.]+)\s+# (.+)", line)
        if line and not line.startswith("#"):
            assert found, f"no pin or no reason: {line}"
            pinned[found[1].lower()] = found[2]
    for path in tracked("*pyproject.toml"):
        asked = tomllib.loads(path.read_text("utf-8"))["project"].get("dependencies", [])
        unknown = {d for d in asked if not d.startswith("peyvand-")} - pinned.keys()
        assert not unknown, f"{path.relative_to(ROOT)}: {unknown} not in requirements.in"


def test_no_address_of_a_registry_and_no_path_of_a_machine() -> None:
    hosts = "|".join(
        ("pypi" + r"\.org", "pythonhosted" + r"\.org", "maven2" + "/", "npmjs" + r"\.")
    )
    home = r"(?<![\w.])/(home|root|work|Users)/"
    bad = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in tracked()
        if path.suffix not in {".png", ".ico"} and path.name != "LICENSE"
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if re.search(hosts, line) or (path != Path(__file__) and re.search(home, line))
    ]
    assert not bad, bad


def test_nothing_is_left_unfinished() -> None:
    word = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "X" * 3)) + r")\b")
    bad = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in PYTHON
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if word.search(line)
    ]
    assert not bad, bad


def test_every_room_is_importable() -> None:
    for room in ROOMS:
        assert importlib.import_module(f"{room}.main")
