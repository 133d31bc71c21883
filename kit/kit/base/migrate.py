"""Numbered SQL files, applied in order, once, by the role that owns the tables."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from kit.base import db

_NAME: Final = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql")
_TIMEOUT: Final = re.compile(r"-- statement_timeout: (\d+(?:ms|s|min))\s")
_OWN: Final = (  # in every room: numbered 0, -1, …
    *("kit.sql", "audit.sql", "requests.sql", "names.sql"),
    *("audit_address.sql", "audit_approval.sql", "audit_chain.sql"),
)
_LOCK: Final = 7_202_611  # advisory: one migration at a time in a database


class MigrationError(Exception):
    """A file was edited after it ran, a number is missing, a name is not NNNN_noun.sql, or the
    database is of another version than the program."""


async def migrate(
    dsn: str, folder: Path | None, *, variables: Mapping[str, str] | None = None
) -> list[str]:
    """Apply kit's tables (0 and below), then folder's files that have not run; gives their names.

    variables replace :name in a file. Each file is one transaction with lock_timeout 4 s and
    statement_timeout 5 s, unless its first line says `-- statement_timeout: 60s`.
    Raises MigrationError, DataError, Unavailable.
    """
    files = _files(folder)
    connection = await db.connect(dsn)
    try:
        with db.translated():
            await connection.execute("select pg_advisory_lock($1)", _LOCK)
            await connection.execute(_TABLE)
            rows = await connection.fetch("select number, name, checksum from migrations")
            _refuse_newer({row["number"]: row["name"] for row in rows}, files)
            done: dict[int, str] = {row["number"]: row["checksum"] for row in rows}
            applied: list[str] = []
            for number, path in files:
                text = path.read_text(encoding="utf-8")
                checksum = hashlib.sha256(text.encode()).hexdigest()
                if done.get(number, checksum) != checksum:
                    raise MigrationError(f"{path.name} was edited after it ran; add a new file")
                if number not in done:
                    async with connection.transaction():
                        await _apply(connection, _filled(text, variables or {}))
                        await connection.execute(_RECORD, number, path.name, checksum)
                    applied.append(path.name)
            return applied
    finally:
        await connection.close()


async def pending(dsn: str, folder: Path | None) -> list[str]:
    """Names of the files that have not run. Raises MigrationError where the database is newer.

    dsn: of the owner or of the room's own role; migrate lets both read the table of migrations.
    """
    files = _files(folder)
    connection = await db.connect(dsn)
    try:
        with db.translated():
            if await connection.fetchval("select to_regclass('migrations') is null"):
                return [path.name for _, path in files]
            rows = await connection.fetch("select number, name from migrations")
    finally:
        await connection.close()
    done = {row["number"]: row["name"] for row in rows}
    _refuse_newer(done, files)
    return [path.name for number, path in files if number not in done]


async def refuse_other_version(dsn: str, folder: Path) -> None:
    """For a program that starts: raise MigrationError unless the database is of its version."""
    missing = await pending(dsn, folder)
    if missing:
        raise MigrationError(f"the database lacks {', '.join(missing)}: run migrate first")


def _refuse_newer(done: Mapping[int, str], files: Sequence[tuple[int, Path]]) -> None:
    unknown = sorted(done.keys() - {number for number, _ in files})
    if unknown:
        names = ", ".join(done[number] for number in unknown)
        raise MigrationError(
            f"the database is newer than this program, which does not know {names}:"
            " start the newer program, or restore a backup of before"
        )


async def _apply(connection: db.Connection, text: str) -> None:
    match = _TIMEOUT.match(text)
    timeout = match[1] if match is not None else "5s"
    await connection.execute("set local lock_timeout = '4s'")
    await connection.execute(f"set local statement_timeout = '{timeout}'")
    await connection.execute(text)


def _files(folder: Path | None) -> list[tuple[int, Path]]:
    own = [(-place, Path(__file__).with_name(name)) for place, name in enumerate(_OWN)]
    return [*own, *_numbered(folder)]


def _numbered(folder: Path | None) -> list[tuple[int, Path]]:
    files: list[tuple[int, Path]] = []
    for path in sorted(folder.glob("*.sql")) if folder is not None else ():
        name = _NAME.fullmatch(path.name)
        if name is None:
            raise MigrationError(f"{path.name} is not NNNN_noun.sql")
        files.append((int(name[1]), path))
    if [number for number, _ in files] != list(range(1, len(files) + 1)):
        raise MigrationError(f"numbers in {folder} do not run from 0001 without a gap")
    return files


def _filled(text: str, variables: Mapping[str, str]) -> str:
    for name, value in variables.items():
        text = re.sub(rf"(?<!:):{name}\b", value, text)
    return text


_TABLE: Final = """
create table if not exists migrations (
    number int primary key,
    name text not null,
    checksum text not null,
    applied_at timestamptz not null default now()
);
do $$ begin
    if exists (select from pg_roles where rolname = current_database()) then
        execute format('grant select on migrations to %I', current_database());
    end if;
end $$
"""
_RECORD: Final = "insert into migrations (number, name, checksum) values ($1, $2, $3)"
