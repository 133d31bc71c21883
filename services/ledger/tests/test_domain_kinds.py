"""Every kind of command has one row for what it says, and one for what becomes of it."""

import ast
from pathlib import Path

import pytest
from msgspec.structs import asdict

from contracts import envelope
from contracts.ledger import COMMANDS
from ledger.book.commands import CommandFacts
from ledger.log.domain import record_kinds
from ledger.posting.decide import rules

ROOT = Path(__file__).parents[3]
LEDGER = ROOT / "services/ledger/ledger"
EXAMPLES = sorted((ROOT / "contracts/examples/ledger.commands").glob("*.json"))
ELSEWHERE = {"original": ("original", "issued_by"), "other_shard": ("to_shard", "from_shard")}


def test_every_command_has_exactly_one_row_in_each_table():
    for rows, by_type in (
        (record_kinds._KINDS, record_kinds.RECORD_KINDS),
        (rules._KINDS, rules.KINDS),
    ):
        assert set(by_type) == set(COMMANDS.values())
        assert len(rows) == len(by_type), "two rows for one kind"


def test_every_command_has_an_example_to_hold_its_row_against():
    kinds = {path.name.rpartition(".v1.")[0] + ".v1" for path in EXAMPLES}
    assert kinds == set(COMMANDS)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_facts_are_the_fields_of_the_body(path):
    """A field that a row forgets, or takes for another, is a fact that reads as nothing."""
    body = envelope.decode(path.read_bytes(), COMMANDS).data
    fields, facts = asdict(body), record_kinds.facts_of(body)
    for name, nothing in asdict(CommandFacts()).items():
        named = [fields[field] for field in ELSEWHERE.get(name, (name,)) if field in fields]
        assert getattr(facts, name) == (named[0] if named else nothing), name


def test_no_field_of_a_body_is_looked_up_by_its_name():
    """A field that was renamed has to fail, and not to read as zero."""
    by_name = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in sorted(LEDGER.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in {"getattr", "hasattr", "attrgetter"}
    ]
    assert not by_name
