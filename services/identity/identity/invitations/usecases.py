"""Issuing an invitation, and accepting it."""

from datetime import datetime

from identity import errors
from identity.invitations import domain, store
from identity.invitations.domain import Invitation, InvitationUnknown
from identity.passwords import usecases as passwords
from identity.second_factors import usecases as second_factors
from identity.sessions import usecases as sessions
from identity.sessions.domain import Attempt
from identity.settings import Settings
from identity.users import usecases as users
from identity.users.domain import User
from kit.base.db import Tx


async def issue(tx: Tx, fresh: Invitation) -> tuple[Invitation, bool]:
    """Issue an invitation in place of all before; as kept, and whether it is new.

    Raises Unknown, Differs, UserStopped.
    """
    user = await users.lock_user(tx, fresh.user)
    kept = await store.find_invitation(tx, fresh.invitation)
    if kept is not None:
        if kept.user != fresh.user:
            raise errors.Differs("this is another user's invitation; make a new UUID")
        return kept, False
    if user.stopped:
        raise errors.UserStopped("this user is stopped; open him first")
    await store.end_invitations(tx, user.user, fresh.issued_at)
    await store.insert_invitation(tx, fresh)
    return fresh, True


async def find_invited(tx: Tx, token: str, now: datetime) -> tuple[Invitation, User, str | None]:
    """The invitation of a token, its user, and the hash of his password where it was accepted.

    Raises InvitationUnknown.
    """
    kept = await store.find_token(tx, domain.digest(token)) if domain.is_token(token) else None
    if kept is None or (kept.accepted_at is None and not kept.is_good(now)):
        raise InvitationUnknown("no such invitation, or it is used up; ask for a new one")
    user = await users.get_user(tx, kept.user)
    if user.stopped:
        raise InvitationUnknown("no such invitation, or it is used up; ask for a new one")
    hashed = await passwords.find_hash(tx, user.user) if kept.accepted_at else None
    return kept, user, hashed


async def begin_again(tx: Tx, attempt: Attempt, config: Settings) -> None:
    """Count a repeated acceptance as failed: a used token is no way to guess a password.

    Raises TooManyAttempts.
    """
    await sessions.begin_attempt(tx, attempt, config)


async def end_again(tx: Tx, attempt: Attempt) -> None:
    """A repeated acceptance was the same as the first."""
    await sessions.forget_failures(tx, attempt)


async def accept(tx: Tx, invitation: Invitation, hashed: str, now: datetime) -> None:
    """Set the password of an invitation's user; all that he had before ends.

    Sessions, second factor and recovery codes: whoever has lost one of them begins anew, and
    whoever has stolen one has nothing. Raises InvitationUnknown.
    """
    user = await users.lock_user(tx, invitation.user)
    if user.stopped or not await store.update_accepted(tx, invitation.invitation, now):
        raise InvitationUnknown("no such invitation, or it is used up; ask for a new one")
    await passwords.set_hash(tx, user.user, hashed, now)
    await second_factors.forget(tx, user.user)
    await users.note_acceptance(tx, user.user, now)
    await sessions.end_all(tx, user.user, but=None, by=user.user, now=now)
