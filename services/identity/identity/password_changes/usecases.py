"""Changing one's own password, which ends one's other sessions."""

from datetime import datetime

from identity.password_changes.domain import PasswordRefused
from identity.passwords import usecases as passwords
from identity.sessions import usecases as sessions
from identity.sessions.domain import Attempt
from identity.sessions.usecases import Candidate
from identity.settings import Settings
from identity.users import usecases as users
from kit.base.db import Tx


async def begin_change(
    tx: Tx, user: str, *, address: str, now: datetime, config: Settings
) -> Candidate:
    """Count an attempt as failed, as signing in does: a session is no way to guess a password.

    Raises Unknown, TooManyAttempts.
    """
    login = (await users.get_user(tx, user)).login
    return await sessions.begin_attempt(tx, Attempt(login, address, now), config)


async def forget_failures(tx: Tx, attempt: Attempt) -> None:
    """Forget the failed attempts of a user from an address: one succeeded."""
    await sessions.forget_failures(tx, attempt)


async def change_password(
    tx: Tx, attempt: Attempt, candidate: Candidate, hashed: str, *, session: str
) -> None:
    """Keep a new password where the one before is still the one that was verified.

    session: stays open; all others of the user end. Raises PasswordRefused, Unknown.
    """
    if candidate.user is None:
        raise PasswordRefused("the present password is not right; write it again")
    user = await users.lock_user(tx, candidate.user.user)
    if await passwords.find_hash(tx, user.user) != candidate.hash:
        raise PasswordRefused("the password was changed meanwhile; sign in again")
    await passwords.set_hash(tx, user.user, hashed, attempt.at)
    await sessions.forget_failures(tx, attempt)
    await sessions.end_all(tx, user.user, but=session, by=user.user, now=attempt.at)
