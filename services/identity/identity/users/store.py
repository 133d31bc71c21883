"""All the SQL of users."""

from datetime import datetime
from typing import Final

from identity.users.domain import User
from kit.base.db import Record, Tx

_USER: Final = (
    "select user_id::text, login, name_fa, name_en, grants, first_grants, created_at, stopped,"
    " accepted_at from users"
)


async def insert_user(tx: Tx, user: User) -> bool:
    """False when the id or the login is taken."""
    tag = await tx.execute(
        "insert into users (user_id, login, name_fa, name_en, grants, first_grants, created_at)"
        " values ($1::uuid, $2, $3, $4, $5, $6, $7) on conflict do nothing",
        user.user, user.login, user.name_fa, user.name_en, list(user.grants),
        list(user.first_grants), user.created_at,
    )  # fmt: skip
    return tag == "INSERT 0 1"


async def find_user(tx: Tx, user: str) -> User | None:
    """A user by id."""
    row = await tx.fetchrow(_USER + " where user_id = $1::uuid", user)
    return None if row is None else _user(row)


async def lock_user(tx: Tx, user: str) -> User | None:
    """A user by id, locked until the transaction ends."""
    row = await tx.fetchrow(_USER + " where user_id = $1::uuid for no key update", user)
    return None if row is None else _user(row)


async def find_login(tx: Tx, login: str) -> User | None:
    """A user by the folded login."""
    row = await tx.fetchrow(_USER + " where login = $1", login)
    return None if row is None else _user(row)


async def list_users(tx: Tx, *, after: str, limit: int) -> list[User]:
    """Users in the order of their ids, above after."""
    rows = await tx.fetch(
        _USER + " where user_id > $1::uuid order by user_id limit $2", after, limit
    )
    return [_user(row) for row in rows]


async def update_user(tx: Tx, user: str, *, stopped: bool, grants: tuple[str, ...]) -> None:
    """Write whether a user is stopped, and what he may do."""
    await tx.execute(
        "update users set stopped = $2, grants = $3 where user_id = $1::uuid",
        user, stopped, list(grants),
    )  # fmt: skip


async def update_accepted(tx: Tx, user: str, now: datetime) -> None:
    """Write when a user accepted the last invitation."""
    await tx.execute("update users set accepted_at = $2 where user_id = $1::uuid", user, now)


async def has_another(tx: Tx, user: str, grant: str) -> bool:
    """Whether a user beside this one has a grant and accepted an invitation, stopped or not."""
    present: bool = await tx.fetchval(
        "select exists (select from users where user_id <> $1::uuid and $2 = any (grants)"
        " and accepted_at is not null)",
        user, grant,
    )  # fmt: skip
    return present


def _user(row: Record) -> User:
    return User(
        user=row["user_id"],
        login=row["login"],
        name_fa=row["name_fa"],
        name_en=row["name_en"],
        grants=tuple(row["grants"]),
        first_grants=tuple(row["first_grants"]),
        created_at=row["created_at"],
        stopped=row["stopped"],
        accepted_at=row["accepted_at"],
    )
