"""Registering people who may sign in, and reading them."""

from datetime import datetime

from identity import errors
from identity.users import store
from identity.users.domain import LoginTaken, User
from kit.base.auth import Role
from kit.base.db import Tx


async def register_user(tx: Tx, user: User) -> tuple[User, bool]:
    """Register a person under the caller's id; the user as kept, and whether he is new.

    The same again changes nothing, whatever became of him since. Raises Differs, LoginTaken.
    """
    if await store.insert_user(tx, user):
        return user, True
    kept = await store.find_user(tx, user.user)
    if kept is None:
        raise LoginTaken("another user has this login; look for him with ?login=")
    if not kept.is_repeat(user):
        raise errors.Differs("another user has this id; make a new UUID")
    return kept, False


async def get_user(tx: Tx, user: str) -> User:
    """A user. Raises Unknown."""
    kept = await store.find_user(tx, user)
    if kept is None:
        raise errors.Unknown(f"user {user} is not registered")
    return kept


async def lock_user(tx: Tx, user: str) -> User:
    """A user, held until the transaction ends. Raises Unknown."""
    kept = await store.lock_user(tx, user)
    if kept is None:
        raise errors.Unknown(f"user {user} is not registered")
    return kept


async def find_login(tx: Tx, login: str) -> User | None:
    """The user of a folded login."""
    return await store.find_login(tx, login)


async def list_users(tx: Tx, *, after: str, limit: int, login: str | None) -> list[User]:
    """Users in the order of their ids; login: only the one who has it."""
    if login is None:
        return await store.list_users(tx, after=after, limit=limit)
    kept = await store.find_login(tx, login)
    return [] if kept is None else [kept]


async def change_user(tx: Tx, user: str, *, stopped: bool, grants: tuple[str, ...]) -> None:
    """Stop or open a user, or change what he may do; who changed it is `user_changes`' matter."""
    await store.update_user(tx, user, stopped=stopped, grants=grants)


async def note_acceptance(tx: Tx, user: str, now: datetime) -> None:
    """A user accepted an invitation."""
    await store.update_accepted(tx, user, now)


async def has_another_administrator(tx: Tx, user: str) -> bool:
    """Whether somebody beside this user ever came in with `users`.

    One who was stopped counts: else whoever stops the other is alone again (decision 0044).
    """
    return await store.has_another(tx, user, Role.USERS)
