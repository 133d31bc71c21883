"""A till's memory: its counter and every request, written down before it is sent."""

import re
import sqlite3
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, Final

import msgspec

from peyvand.models import Answer, Kind, Original, Status, TillReference

ENDED_KEPT: Final = 10_000
_PRUNE_EVERY: Final = 1_000

_SCHEMA: Final = (
    """create table if not exists counters (
    terminal integer not null, epoch integer not null, next integer not null,
    primary key (terminal, epoch)
) strict""",
    """create table if not exists requests (
    terminal integer not null, epoch integer not null, sequence integer not null,
    kind text not null, body blob not null, answer blob, refusal text, reverses text,
    primary key (terminal, epoch, sequence)
) strict""",
    "create table if not exists settings (name text primary key, value text not null) strict",
)
# a journal of before this column: what was given up had an empty answer
_REFUSAL: Final = (
    "alter table requests add column refusal text",
    "update requests set refusal = 'dropped', answer = null where answer = x''",
    "drop index if exists unanswered",
)
_INDEXES: Final = (
    """create index if not exists open_requests on requests (terminal, epoch, sequence)
    where answer is null and refusal is null""",
    """create index if not exists open_reversals on requests (reverses)
    where reverses is not null and answer is null and refusal is null""",
)
_SELECT: Final = (
    "select terminal, epoch, sequence, kind, body, answer, refusal, reverses from requests"
)
_REVERSE: Final = (
    "update requests set refusal = 'reversed' where terminal = ? and epoch = ? and sequence = ?"
)
_PUBLIC_ID: Final = re.compile(r"[0-9]+\.t\.([0-9]{1,18})\.([0-9]{1,18})\.([0-9]{1,18})")
DROPPED: Final = "dropped"
REVERSED: Final = "reversed"
ALREADY: Final = "already-reversed"  # the network's code of a second reversal


class Durability(Enum):
    """What a written request survives. The first is what a real till needs."""

    POWER_LOSS = "FULL"
    PROCESS_CRASH = "NORMAL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A request as written down: sent again, it is these very bytes.

    answer: the first one, None while none came. refusal: the code by which it was refused
    before the road (nothing was posted), or DROPPED or REVERSED. With neither it is open.
    reverses: of a reversal, the name that it undoes, its parts parted by dots; while the reversal
    is open, what it names is not sent.
    """

    name: TillReference
    kind: Kind
    body: bytes
    answer: bytes | None = None
    refusal: str | None = None
    reverses: str | None = None


class Journal:
    """One SQLite file; several tills may share it. Used from one thread."""

    def __init__(self, path: Path, *, durability: Durability = Durability.POWER_LOSS) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600, exist_ok=True)  # it may hold a key
        self._file = sqlite3.connect(path, isolation_level=None)
        self._file.execute("pragma journal_mode = wal")
        self._file.execute(f"pragma synchronous = {durability.value}")
        renew(self._file)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def write(
        self, terminal: int, epoch: int, kind: Kind, encode: Callable[[TillReference], bytes]
    ) -> Written:
        """Take the next number of (terminal, epoch) and write the request named so, durably.

        encode: the body for that name. Only what this returned may be sent. A reversal is the wish
        to reverse as well: from here on, what it names is sent no more (findings A13).
        """
        with _together(self._file):
            (sequence,) = self._file.execute(
                "insert into counters (terminal, epoch, next) values (?, ?, 2)"
                " on conflict (terminal, epoch) do update set next = next + 1"
                " returning next - 1",
                (terminal, epoch),
            ).fetchone()
            name = TillReference(terminal, epoch, sequence)
            body = encode(name)
            reverses = _reversed_by(body) if kind is Kind.REVERSAL else None
            self._file.execute(
                "insert into requests (terminal, epoch, sequence, kind, body, reverses)"
                " values (?, ?, ?, ?, ?, ?)",
                (*name, kind.value, body, reverses),
            )
        if sequence % _PRUNE_EVERY == 0:
            self.forget_ended(terminal, epoch, keep=ENDED_KEPT)
        return Written(name=name, kind=kind, body=body, reverses=reverses)

    def answered(self, name: TillReference, answer: bytes, *, reverses: str | None = None) -> None:
        """Write down the answer; the first one stays, and so does a reversal.

        reverses: of a reversal, what it names; together with an answer that says so, that is
        written down as reversed.
        """
        if reverses is None:
            self._answer(name, answer)
            return
        with _together(self._file):
            self._answer(name, answer)
            if _undid(answer):
                self._reverse(reverses)

    def refused(self, name: TillReference, code: str) -> None:
        """Write down that nothing was posted under the name and nothing will be.

        code: the network's, or DROPPED. An answer and a reversal stay.
        """
        self._file.execute(
            "update requests set refusal = ? where terminal = ? and epoch = ? and sequence = ?"
            " and answer is null and refusal is not 'reversed'",
            (code, *name),
        )

    def drop(self, written: Written) -> None:
        """Give up an open request; with a reversal also what it names, where that is open too."""
        with _together(self._file):
            self.refused(written.name, DROPPED)
            named = _name(written.reverses) if written.reverses else None
            if named is not None and (entry := self.find(named)) and entry.refusal is None:
                self.refused(named, DROPPED)

    def being_reversed(self, name: TillReference) -> Written | None:
        """The reversal of this name that is open, the oldest of them; None where there is none."""
        row = self._file.execute(
            _SELECT + " where reverses = ? and answer is null and refusal is null"
            " order by epoch, sequence limit 1",
            (_text(name),),
        ).fetchone()
        return _written(row) if row else None

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

    def find(self, name: TillReference) -> Written | None:
        """A request by its name, while the journal still has it."""
        row = self._file.execute(
            _SELECT + " where terminal = ? and epoch = ? and sequence = ?",
            name,
        ).fetchone()
        return _written(row) if row else None

    def unanswered(self, terminal: int, epoch: int, *, limit: int = 1000) -> list[Written]:
        """Requests of this and earlier epochs, neither answered nor refused, oldest first."""
        rows = self._file.execute(
            _SELECT + " where terminal = ? and epoch <= ? and answer is null and refusal is null"
            " order by epoch, sequence limit ?",
            (terminal, epoch, limit),
        ).fetchall()
        return [_written(row) for row in rows]

    def last(self, terminal: int, epoch: int, *, limit: int = 20) -> list[Written]:
        """The newest requests, newest first."""
        rows = self._file.execute(
            _SELECT + " where terminal = ? and epoch = ? order by sequence desc limit ?",
            (terminal, epoch, limit),
        ).fetchall()
        return [_written(row) for row in rows]

    def forget_ended(self, terminal: int, epoch: int, *, keep: int) -> None:
        """Forget answered and refused requests older than the newest `keep` numbers."""
        self._file.execute(
            "delete from requests where terminal = ? and epoch = ?"
            " and (answer is not null or refusal is not null)"
            " and sequence <= (select next from counters where terminal = ? and epoch = ?) - 1 - ?",
            (terminal, epoch, terminal, epoch, keep),
        )

    def remember(self, name: str, value: str) -> None:
        """Keep a setting of the till, e.g. the address of the network."""
        self._file.execute(
            "insert into settings (name, value) values (?, ?)"
            " on conflict (name) do update set value = excluded.value",
            (name, value),
        )

    def setting(self, name: str) -> str | None:
        """A setting that was kept, or None."""
        row = self._file.execute("select value from settings where name = ?", (name,)).fetchone()
        return row[0] if row else None

    def _answer(self, name: TillReference, answer: bytes) -> None:
        self._file.execute(
            "update requests set answer = ?,"
            " refusal = case when refusal = 'reversed' then refusal end"
            " where terminal = ? and epoch = ? and sequence = ? and answer is null",
            (answer, *name),
        )

    def _reverse(self, named: str) -> None:
        self._file.execute(_REVERSE, _name(named))


def renew(file: sqlite3.Connection) -> None:
    """Bring a journal of an earlier form, or an empty file, to this form.

    Killed between any two statements, it is as it was or as it shall be, and never between.
    file: without transactions of its own (isolation_level None).
    """
    with _together(file):
        for statement in _SCHEMA:
            file.execute(statement)
        columns = [row[1] for row in file.execute("pragma table_info(requests)")]
        if "refusal" not in columns:
            for statement in _REFUSAL:
                file.execute(statement)
        if "reverses" not in columns:
            file.execute("alter table requests add column reverses text")
            _link(file)
        for statement in _INDEXES:
            file.execute(statement)


def _link(file: sqlite3.Connection) -> None:
    """A journal of before `reverses`: the bodies of its reversals name what they undo."""
    rows = file.execute(
        "select terminal, epoch, sequence, body, answer from requests where kind = 'reversal'"
    ).fetchall()
    for *name, body, answer in rows:
        reverses = _reversed_by(body)
        file.execute(
            "update requests set reverses = ? where terminal = ? and epoch = ? and sequence = ?",
            (reverses, *name),
        )
        if reverses is not None and answer is not None and _undid(answer):
            file.execute(_REVERSE, _name(reverses))


@contextmanager
def _together(file: sqlite3.Connection) -> Generator[None]:
    """All of it on disk, or nothing."""
    file.execute("begin immediate")
    try:
        yield
        file.execute("commit")
    except BaseException:
        file.execute("rollback")
        raise


class _Reversal(msgspec.Struct):
    """What is read of a reversal's body."""

    original: Original = Original()


def _reversed_by(body: bytes) -> str | None:
    """The till's name that a reversal's body names, itself or in a public id; None of others."""
    original = msgspec.json.decode(body, type=_Reversal).original
    if original.id:
        match = _PUBLIC_ID.fullmatch(original.id)
        return match and _text(TillReference(*map(int, match.groups())))
    parts = (original.terminal, original.epoch, original.sequence)
    return None if msgspec.UNSET in parts else ".".join(map(str, parts))


def _undid(answer: bytes) -> bool:
    """Whether after this answer to a reversal, what it names counts for nothing."""
    decoded = msgspec.json.decode(answer, type=Answer)
    return decoded.status is Status.COMPLETED or decoded.code == ALREADY


def _text(name: TillReference) -> str:
    return ".".join(map(str, name))


def _name(text: str) -> TillReference:
    terminal, epoch, sequence = map(int, text.split("."))
    return TillReference(terminal, epoch, sequence)


def _written(row: tuple[Any, ...]) -> Written:
    terminal, epoch, sequence, kind, body, answer, refusal, reverses = row
    return Written(
        name=TillReference(terminal, epoch, sequence),
        kind=Kind(kind),
        body=body,
        answer=answer,
        refusal=refusal,
        reverses=reverses,
    )
