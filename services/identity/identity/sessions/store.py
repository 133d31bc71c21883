"""All the SQL of sessions and of attempts to sign in."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from identity.sessions.domain import Attempt, Failures, Session
from kit.base.db import Record, Tx

_SESSION: Final = (
    "select session::text, user_id::text, version, sha256, roles, withheld, device, address,"
    " opened_at, used_at, idle_s, idle_ends_at, ends_at, ended_at, ended_by from sessions"
)


async def insert_session(tx: Tx, session: Session) -> None:
    """Add a session."""
    await tx.execute(
        "insert into sessions (session, user_id, version, sha256, roles, withheld, device, address,"
        " opened_at, used_at, idle_s, idle_ends_at, ends_at)"
        " values ($1::uuid, $2::uuid, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        session.session, session.user, session.version, session.sha256, list(session.roles),
        list(session.withheld), session.device, session.address, session.opened_at,
        session.used_at, session.idle_s, session.idle_ends_at, session.ends_at,
    )  # fmt: skip


async def find_session(tx: Tx, session: str) -> Session | None:
    """A session by id, ended or not."""
    row = await tx.fetchrow(_SESSION + " where session = $1::uuid", session)
    return None if row is None else _session(row)


async def lock_session(tx: Tx, session: str) -> Session | None:
    """A session by id, locked until the transaction ends."""
    row = await tx.fetchrow(_SESSION + " where session = $1::uuid for update", session)
    return None if row is None else _session(row)


async def list_open(tx: Tx, user: str, *, now: datetime, after: str, limit: int) -> list[Session]:
    """Open sessions of a user in the order in which they were opened, above after."""
    rows = await tx.fetch(
        _SESSION + " where user_id = $1::uuid and session > $2::uuid and ended_at is null"
        " and idle_ends_at > $3 and ends_at > $3 order by session limit $4",
        user, after, now, limit,
    )  # fmt: skip
    return [_session(row) for row in rows]


async def end_session(tx: Tx, session: str, *, by: str, now: datetime) -> Session | None:
    """End a session; None where it has ended already, or there is none."""
    tag = await tx.execute(
        "update sessions set version = version + 1, ended_at = $2, ended_by = $3"
        " where session = $1::uuid and ended_at is null",
        session, now, by,
    )  # fmt: skip
    return await find_session(tx, session) if tag == "UPDATE 1" else None


async def end_sessions(
    tx: Tx, user: str, *, but: str | None, by: str, now: datetime
) -> list[Session]:
    """End all sessions of a user that nobody has ended, but one."""
    rows = await tx.fetch(
        "update sessions set version = version + 1, ended_at = $3, ended_by = $4"
        " where user_id = $1::uuid and ended_at is null"
        " and ($2::uuid is null or session <> $2::uuid) returning session",
        user, but, now, by,
    )  # fmt: skip
    return await _list(tx, rows)


async def use_sessions(tx: Tx, sessions: Sequence[str], now: datetime) -> list[Session]:
    """Move the idle end of open sessions that were used, where a quarter of the time has passed."""
    rows = await tx.fetch(
        "update sessions set version = version + 1, used_at = $2::timestamptz,"
        " idle_ends_at = least($2::timestamptz + make_interval(secs => idle_s), ends_at)"
        " where session = any ($1::uuid[]) and ended_at is null and idle_ends_at > $2::timestamptz"
        " and idle_ends_at < ends_at"
        " and idle_ends_at <= $2::timestamptz + make_interval(secs => idle_s * 0.75)"
        " returning session",
        sessions, now,
    )  # fmt: skip
    return await _list(tx, rows)


async def update_roles(tx: Tx, session: Session) -> None:
    """Write version, roles and what is withheld."""
    await tx.execute(
        "update sessions set version = $2, roles = $3, withheld = $4 where session = $1::uuid",
        session.session, session.version, list(session.roles), list(session.withheld),
    )  # fmt: skip


async def lock_attempts(tx: Tx, attempt: Attempt) -> None:
    """Have attempts of one address, and of one login, counted one after the other."""
    await tx.execute("select pg_advisory_xact_lock(1, hashtext($1))", attempt.address)
    await tx.execute("select pg_advisory_xact_lock(2, hashtext($1))", attempt.login_sha256.hex())


async def count_attempts(tx: Tx, attempt: Attempt, since: datetime) -> tuple[Failures, ...]:
    """Attempts since a time: of the login from the address, of the address, of the login."""
    row = await tx.fetchrow(
        "select"
        " count(*) filter (where login_sha256 = $1 and address = $2) as both_count,"
        " min(at) filter (where login_sha256 = $1 and address = $2) as both_at,"
        " count(*) filter (where address = $2) as address_count,"
        " min(at) filter (where address = $2) as address_at,"
        " count(*) filter (where login_sha256 = $1) as login_count,"
        " min(at) filter (where login_sha256 = $1) as login_at"
        " from sign_in_attempts where (login_sha256 = $1 or address = $2) and at > $3",
        attempt.login_sha256, attempt.address, since,
    )  # fmt: skip
    if row is None:
        raise RuntimeError("an aggregate has one row")
    names = ("both", "address", "login")
    return tuple(Failures(row[f"{name}_count"], row[f"{name}_at"]) for name in names)


async def insert_attempt(tx: Tx, attempt: Attempt) -> None:
    """Count an attempt as failed until it succeeds."""
    await tx.execute(
        "insert into sign_in_attempts (login_sha256, address, at) values ($1, $2, $3)",
        attempt.login_sha256, attempt.address, attempt.at,
    )  # fmt: skip


async def delete_attempts(tx: Tx, attempt: Attempt) -> None:
    """Forget the failed attempts of a login from an address: one succeeded."""
    await tx.execute(
        "delete from sign_in_attempts where login_sha256 = $1 and address = $2",
        attempt.login_sha256, attempt.address,
    )  # fmt: skip


async def delete_old_attempts(tx: Tx, before: datetime) -> None:
    """Forget attempts that count no more."""
    await tx.execute("delete from sign_in_attempts where at < $1", before)


async def _list(tx: Tx, changed: Sequence[Record]) -> list[Session]:
    """Sessions whose ids these are, as they are now."""
    ids = [row["session"] for row in changed]
    rows = await tx.fetch(_SESSION + " where session = any ($1::uuid[]) order by session", ids)
    return [_session(row) for row in rows]


def _session(row: Record) -> Session:
    values = dict(row)
    user, roles, withheld = values.pop("user_id"), values.pop("roles"), values.pop("withheld")
    return Session(user=user, roles=tuple(roles), withheld=tuple(withheld), **values)
