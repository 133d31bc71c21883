"""A till's memory: its counter and every request, written down before it is sent."""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final

from peyvand.words import Kind, Name

ENDED_KEPT: Final = 10_000
_PRUNE_EVERY: Final = 1_000

_SCHEMA: Final = """
create table if not exists counters (
    terminal integer not null, epoch integer not null, next integer not null,
    primary key (terminal, epoch)
) strict;
create table if not exists requests (
    terminal integer not null, epoch integer not null, sequence integer not null,
    kind text not null, body blob not null, answer blob, refusal text,
    primary key (terminal, epoch, sequence)
) strict;
create table if not exists settings (name text primary key, value text not null) strict;
"""
# a journal of before this column: what was given up had an empty answer
_REFUSAL: Final = """
alter table requests add column refusal text;
update requests set refusal = 'dropped', answer = null where answer = x'';
drop index if exists unanswered;
"""
_INDEX: Final = """
create index if not exists open_requests on requests (terminal, epoch, sequence)
    where answer is null and refusal is null;
"""
DROPPED: Final = "dropped"
REVERSED: Final = "reversed"


class Durability(Enum):
    """What a written request survives. The first is what a real till needs."""

    POWER_LOSS = "FULL"
    PROCESS_CRASH = "NORMAL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A request as written down: sent again, it is these very bytes.

    answer: the first one, None while none was heard. refusal: the code by which the house refused
    it before the road (nothing was posted), or DROPPED or REVERSED. With neither it is open.
    """

    name: Name
    kind: Kind
    body: bytes
    answer: bytes | None = None
    refusal: str | None = None


class Journal:
    """One SQLite file; several tills may share it. Used from one thread."""

    def __init__(self, path: Path, *, durability: Durability = Durability.POWER_LOSS) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600, exist_ok=True)  # it may hold a key
        self._file = sqlite3.connect(path, isolation_level=None)
        self._file.execute("pragma journal_mode = wal")
        self._file.execute(f"pragma synchronous = {durability.value}")
        self._file.executescript(_SCHEMA)
        columns = [row[1] for row in self._file.execute("pragma table_info(requests)")]
        if "refusal" not in columns:
            self._file.executescript(_REFUSAL)
        self._file.executescript(_INDEX)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def write(
        self, terminal: int, epoch: int, kind: Kind, encode: Callable[[Name], bytes]
    ) -> Written:
        """Take the next number of (terminal, epoch) and write the request named so, durably.

        encode: the body for that name. Only what this returned may be sent.
        """
        self._file.execute("begin immediate")
        try:
            (sequence,) = self._file.execute(
                "insert into counters (terminal, epoch, next) values (?, ?, 2)"
                " on conflict (terminal, epoch) do update set next = next + 1"
                " returning next - 1",
                (terminal, epoch),
            ).fetchone()
            name = Name(terminal, epoch, sequence)
            body = encode(name)
            self._file.execute(
                "insert into requests (terminal, epoch, sequence, kind, body)"
                " values (?, ?, ?, ?, ?)",
                (*name, kind.value, body),
            )
            self._file.execute("commit")
        except BaseException:
            self._file.execute("rollback")
            raise
        if sequence % _PRUNE_EVERY == 0:
            self.forget_ended(terminal, epoch, keep=ENDED_KEPT)
        return Written(name=name, kind=kind, body=body)

    def answered(self, name: Name, answer: bytes) -> None:
        """Write down the answer; the first one stays."""
        self._file.execute(
            "update requests set answer = ?, refusal = null"
            " where terminal = ? and epoch = ? and sequence = ? and answer is null",
            (answer, *name),
        )

    def refused(self, name: Name, code: str) -> None:
        """Write down that nothing was posted under the name and nothing will be; an answer stays.

        code: the house's, DROPPED or REVERSED.
        """
        self._file.execute(
            "update requests set refusal = ?"
            " where terminal = ? and epoch = ? and sequence = ? and answer is null",
            (code, *name),
        )

    def begin_at(self, terminal: int, epoch: int, sequence: int) -> int:
        """Let the next number be at least `sequence`, for a till whose journal was lost.

        The next number as it now is; never a lower one than before.
        """
        (following,) = self._file.execute(
            "insert into counters (terminal, epoch, next) values (?, ?, ?)"
            " on conflict (terminal, epoch) do update set next = max(next, excluded.next)"
            " returning next",
            (terminal, epoch, sequence),
        ).fetchone()
        return following

    def find(self, name: Name) -> Written | None:
        """A request by its name, while the journal still has it."""
        row = self._file.execute(
            "select sequence, kind, body, answer, refusal from requests"
            " where terminal = ? and epoch = ? and sequence = ?",
            name,
        ).fetchone()
        return _written(name.terminal, name.epoch, row) if row else None

    def unanswered(self, terminal: int, epoch: int, *, limit: int = 1000) -> list[Written]:
        """Requests of this and earlier epochs, neither answered nor refused, oldest first."""
        rows = self._file.execute(
            "select epoch, sequence, kind, body, answer, refusal from requests"
            " where terminal = ? and epoch <= ? and answer is null and refusal is null"
            " order by epoch, sequence limit ?",
            (terminal, epoch, limit),
        ).fetchall()
        return [_written(terminal, row[0], row[1:]) for row in rows]

    def last(self, terminal: int, epoch: int, *, limit: int = 20) -> list[Written]:
        """The newest requests, newest first."""
        rows = self._file.execute(
            "select sequence, kind, body, answer, refusal from requests"
            " where terminal = ? and epoch = ? order by sequence desc limit ?",
            (terminal, epoch, limit),
        ).fetchall()
        return [_written(terminal, epoch, row) for row in rows]

    def forget_ended(self, terminal: int, epoch: int, *, keep: int) -> None:
        """Forget answered and refused requests older than the newest `keep` numbers."""
        self._file.execute(
            "delete from requests where terminal = ? and epoch = ?"
            " and (answer is not null or refusal is not null)"
            " and sequence <= (select next from counters where terminal = ? and epoch = ?) - 1 - ?",
            (terminal, epoch, terminal, epoch, keep),
        )

    def remember(self, name: str, value: str) -> None:
        """Keep a setting of the till, e.g. the address of the house."""
        self._file.execute(
            "insert into settings (name, value) values (?, ?)"
            " on conflict (name) do update set value = excluded.value",
            (name, value),
        )

    def setting(self, name: str) -> str | None:
        """A setting that was kept, or None."""
        row = self._file.execute("select value from settings where name = ?", (name,)).fetchone()
        return row[0] if row else None


def _written(
    terminal: int, epoch: int, row: tuple[int, str, bytes, bytes | None, str | None]
) -> Written:
    sequence, kind, body, answer, refusal = row
    return Written(
        name=Name(terminal, epoch, sequence),
        kind=Kind(kind),
        body=body,
        answer=answer,
        refusal=refusal,
    )
