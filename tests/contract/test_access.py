"""Topic x program: what the table says is what the code does, and the page is the table (S10)."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from contracts import access, topics
from contracts.topics import ROOMS, TOPICS

from .sources import ROOT, parsed

BY_CONSTANT = {
    name: value for name, value in vars(topics).items() if isinstance(value, topics.Topic)
}


def files(room: str) -> list[Path]:
    folder = ROOT / room / room if room == "gateway" else ROOT / "services" / room / room
    return sorted(folder.rglob("*.py"))


def constants(node: ast.AST) -> set[str]:
    """Topics that a piece of code names, as `topics.NAME` or `NAME`."""
    named = {n.attr for n in ast.walk(node) if isinstance(n, ast.Attribute)}
    named |= {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
    return {BY_CONSTANT[name].name for name in named & set(BY_CONSTANT)}


def written(path: Path) -> Iterator[str]:
    """Topics that a file makes messages for; one made for a variable, any topic that it names."""
    tree = parsed(path)
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        match node.func.attr:
            case "message" | "Message" if ast.unparse(node.func).startswith("outbox."):
                yield from constants(node.args[0]) or constants(tree)
            case "send" if ast.unparse(node.func).startswith("requests."):
                yield topics.LEDGER_COMMANDS.name  # kit.stream.requests
            case "reply_message":
                yield topics.GATEWAY_REPLIES.name
            case _:
                pass


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_writes_what_the_table_says_and_nothing_else(room: str) -> None:
    """Dead letters are kit's, of every room that hears anything."""
    found = {topic for path in files(room) for topic in written(path)}
    if any(room in topic.consumers for topic in TOPICS):
        found.add(topics.DEAD_LETTERS.name)
    assert found == {topic.name for topic in TOPICS if room in access.writers(topic)}


def test_every_room_reads_under_groups_of_its_own_name() -> None:
    """The right of a group is by its prefix; two rooms share none."""
    for room in ROOMS:
        assert [other for other in ROOMS if other.startswith(room)] == [room]
        groups = {
            constant.value
            for path in files(room)
            if path.name in ("main.py", "consumer.py", "settings.py")
            for node in ast.walk(parsed(path))
            if isinstance(node, ast.Assign | ast.AnnAssign)
            and "GROUP" in ast.unparse(node).partition("=")[0]
            for constant in ast.walk(node)
            if isinstance(constant, ast.Constant) and isinstance(constant.value, str)
        }
        assert all(group.startswith(room) for group in groups), groups


def test_nobody_but_the_rooms_that_say_so_writes_commands_and_the_ledger_alone_the_book() -> None:
    assert access.writers(topics.LEDGER_ENTRIES) == {"ledger"}
    assert "notify" not in access.writers(topics.LEDGER_COMMANDS)
    assert "gateway" not in access.writers(topics.LEDGER_COMMANDS)
    lines = access.commands()
    assert not [line for line in lines if "--topic *" in line or "--operation All" in line]
    ledgers = [line for line in lines if "--topic ledger.commands" in line]
    assert len(ledgers) == len(access.writers(topics.LEDGER_COMMANDS))


def test_the_page_is_what_the_table_says() -> None:
    assert access.TARGET.read_text("utf-8") == access.page(), "run `make contracts`"
