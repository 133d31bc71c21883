"""A till that dies while its journal is brought to a newer form has the old one or the new one."""

import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from peyvand.terminal import Journal
from peyvand.terminal.journal import renew

# sale 1 is open and so is its reversal 4; 2 was given up; 3 has its answer
FIRST = """
    create table requests (terminal integer not null, epoch integer not null,
        sequence integer not null, kind text not null, body blob not null, answer blob,
        primary key (terminal, epoch, sequence)) strict;
    create index unanswered on requests (terminal, epoch, sequence) where answer is null;
    insert into requests values (3003, 1, 1, 'purchase', x'7b7d', null),
        (3003, 1, 2, 'purchase', x'7b7d', x''), (3003, 1, 3, 'purchase', x'7b7d', x'7b7d'),
        (3003, 1, 4, 'reversal',
            cast('{"original":{"terminal":3003,"epoch":1,"sequence":1}}' as blob), null);
"""
SECOND = """
    create table counters (terminal integer not null, epoch integer not null,
        next integer not null, primary key (terminal, epoch)) strict;
    insert into counters values (3003, 1, 3);
    create table requests (terminal integer not null, epoch integer not null,
        sequence integer not null, kind text not null, body blob not null, answer blob,
        refusal text, primary key (terminal, epoch, sequence)) strict;
    insert into requests values (3003, 1, 1, 'purchase', x'7b7d', null, null),
        (3003, 1, 2, 'reversal',
            cast('{"original":{"terminal":3003,"epoch":1,"sequence":1}}' as blob), null, null);
"""
STATEMENTS_MAX = 40


class PowerCut(BaseException):
    """The till is gone."""


class Dying(sqlite3.Connection):
    """A connection that does so many statements more, and from then on nothing at all."""

    left = 0

    def execute(self, *given: Any) -> sqlite3.Cursor:
        """One statement, or the end."""
        if self.left == 0:
            raise PowerCut
        self.left -= 1
        return super().execute(*given)

    def executescript(self, script: str) -> sqlite3.Cursor:
        """Its statements one by one: power fails between them too."""
        done = self.cursor()
        for statement in filter(str.strip, script.split(";")):
            done = self.execute(statement)
        return done


def _journal(path: Path, script: str) -> Path:
    file = sqlite3.connect(path, isolation_level=None)
    file.execute("pragma journal_mode = wal")
    file.executescript(script)
    file.close()
    return path


def _whole(path: Path) -> list[str]:
    """Everything that is in the file, the text of its tables and indexes too."""
    file = sqlite3.connect(path)
    try:
        return [*file.iterdump()]
    finally:
        file.close()


def _found_after(path: Path, statements: int, folder: Path) -> tuple[Path, bool]:
    """What is on the disk when the power fails after so many statements; whether it did."""
    file = sqlite3.connect(path, isolation_level=None, factory=Dying)
    file.left = statements
    try:
        renew(file)
        died = False
    except PowerCut:
        died = True
    for one in path.parent.glob(f"{path.name}*"):
        if not one.name.endswith("-shm"):  # memory, which is gone
            shutil.copy(one, folder / one.name)
    file.close()
    return folder / path.name, died


@pytest.mark.parametrize("script", ["", FIRST, SECOND], ids=["none", "first", "second"])
def test_wherever_the_till_dies_its_journal_is_of_before_or_of_now(
    tmp_path: Path, script: str
) -> None:
    old = _whole(_journal(tmp_path / "old.sqlite", script))
    Journal(_journal(tmp_path / "new.sqlite", script)).close()
    new = _whole(tmp_path / "new.sqlite")
    assert old != new
    for statements in range(STATEMENTS_MAX):
        folder = tmp_path / str(statements)
        folder.mkdir()
        path = _journal(folder / "till.sqlite", script)
        disk = folder / "disk"
        disk.mkdir()
        found, died = _found_after(path, statements, disk)
        assert _whole(found) == (old if died else new), f"after {statements} statements"
        Journal(found).close()  # the till starts again
        assert _whole(found) == new
        if not died:
            break
    else:
        pytest.fail("it never came to its end")
    assert statements > 5
