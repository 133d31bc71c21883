"""Stopping and opening a user, and changing what he may do; it ends his sessions."""

from dataclasses import replace
from typing import Final

from identity import errors
from identity.sessions import usecases as sessions
from identity.user_changes import store
from identity.user_changes.domain import Kind, UserChange, UserStanding
from identity.users import usecases as users
from kit.base.db import Tx

_NEWEST: Final = 2**31 - 1


async def change_user(tx: Tx, change: UserChange) -> tuple[UserChange, bool]:
    """Stop a user, open him, or change his grants; the change as kept, and whether it is new.

    The same change again does nothing, even after later ones. His sessions end, since each has
    the roles of its opening. change: its version, and of standing and grants the one that it is
    not about, are assigned here. Raises Unknown, Differs.
    """
    user = await users.lock_user(tx, change.user)
    kept = await store.find_change(tx, change.change)
    if kept is not None:
        if not kept.is_repeat(change):
            raise errors.Differs("this change was another one; make a new UUID")
        return kept, False
    last = await store.list_changes(tx, change.user, before=_NEWEST, limit=1)
    change = replace(change, version=last[0].version + 1 if last else 1)
    if change.kind is Kind.STANDING:
        change = replace(change, grants=user.grants)
    else:
        standing = UserStanding.STOPPED if user.stopped else UserStanding.OPEN
        change = replace(change, standing=standing)
    await store.insert_change(tx, change)
    stopped = change.standing is UserStanding.STOPPED
    await users.change_user(tx, change.user, stopped=stopped, grants=change.grants)
    await sessions.end_all(tx, change.user, but=None, by=change.changed_by, now=change.changed_at)
    return change, True


async def list_changes(tx: Tx, user: str, *, before: int, limit: int) -> list[UserChange]:
    """Changes of a user, newest first. Raises Unknown."""
    await users.get_user(tx, user)
    return await store.list_changes(tx, user, before=before, limit=limit)
