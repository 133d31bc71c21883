"""Signing in, raising a session by a second factor, and ending it."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from contracts import envelope, topics
from contracts.keys import Ring
from identity import errors
from identity.passwords import usecases as passwords
from identity.second_factors import usecases as second_factors
from identity.sessions import domain, store
from identity.sessions.domain import Attempt, CodeNeeded, Session, SignInRefused, TooManyAttempts
from identity.settings import Settings
from identity.users import usecases as users
from identity.users.domain import User, split_roles
from kit.base.db import Tx
from kit.stream import outbox


@dataclass(frozen=True, slots=True)
class Candidate:
    """Who may be signing in. user and hash: None where nobody has the login, or no password."""

    user: User | None
    hash: str | None


@dataclass(frozen=True, slots=True)
class SignIn:
    """A session to be opened. session: its id; secret: of its token; code: folded later."""

    attempt: Attempt
    session: str
    secret: str
    device: str
    code: str | None


async def begin_attempt(tx: Tx, attempt: Attempt, config: Settings) -> Candidate:
    """Count an attempt as failed before any work is done for it, and find whose it would be.

    So a thousand at once are no way round the limit. A login that nobody has is counted and
    answered like any other. Raises TooManyAttempts, which says how long to wait.
    """
    await store.lock_attempts(tx, attempt)
    window_s = config.failures_window_s
    since = attempt.at - timedelta(seconds=window_s)
    counts = await store.count_attempts(tx, attempt, since)
    limits = (config.login_address_failures, config.address_failures, config.login_failures)
    wait_s = domain.wait_s(counts, limits, attempt.at, window_s=window_s)
    if wait_s:
        refused = TooManyAttempts(f"too many attempts failed; send the next in {wait_s} s")
        refused.retry_after_s = wait_s
        raise refused
    await store.insert_attempt(tx, attempt)
    user = await users.find_login(tx, attempt.login)
    hashed = None if user is None else await passwords.find_hash(tx, user.user)
    return Candidate(user, hashed)


async def forget_failures(tx: Tx, attempt: Attempt) -> None:
    """Forget the failed attempts of a login from an address: one succeeded."""
    await store.delete_attempts(tx, attempt)


async def open_session(
    tx: Tx, candidate: Candidate, signing: SignIn, ring: Ring, config: Settings
) -> Session:
    """Open a session for a user whose password was right.

    Raises SignInRefused where the user was stopped, or the password changed, meanwhile, or the
    code is wrong; CodeNeeded where it is missing; KeyMissing.
    """
    now = signing.attempt.at
    if candidate.user is None:
        raise SignInRefused("login, password or code are not right; check them and try again")
    user = await users.lock_user(tx, candidate.user.user)
    unchanged = await passwords.find_hash(tx, user.user) == candidate.hash
    if user.stopped or not unchanged or user.accepted_at is None:
        raise SignInRefused("login, password or code are not right; check them and try again")
    second_factor = await _check_code(tx, user, signing, ring)
    roles, withheld = split_roles(user.grants, second_factor=second_factor)
    ends_at = now + timedelta(seconds=config.session_s)
    session = Session(
        session=signing.session,
        user=user.user,
        version=1,
        sha256=domain.digest(signing.secret),
        roles=tuple(roles),
        withheld=tuple(withheld),
        device=signing.device,
        address=signing.attempt.address,
        opened_at=now,
        used_at=now,
        idle_s=config.session_idle_s,
        idle_ends_at=min(ends_at, now + timedelta(seconds=config.session_idle_s)),
        ends_at=ends_at,
    )
    await store.insert_session(tx, session)
    await store.delete_attempts(tx, signing.attempt)
    _publish(tx, [session], now)
    return session


async def raise_session(
    tx: Tx, factor: str, session: str, ring: Ring, *, code: str, now: datetime
) -> tuple[Session, list[str] | None]:
    """Confirm a second factor by its first code: the session gets all that its user may do.

    His other sessions end: none that only a password opened is left. The recovery codes are None
    where the factor was confirmed before. Raises Unknown, CodeRefused, KeyMissing.
    """
    kept = await store.lock_session(tx, session)
    if kept is None or kept.ended_at is not None:
        raise errors.Unknown("this session has ended; sign in again")
    codes = await second_factors.confirm(tx, factor, kept.user, ring, code=code, now=now)
    if codes is None:
        return kept, None
    raised = kept.raised()
    await store.update_roles(tx, raised)
    await end_all(tx, kept.user, but=kept.session, by=kept.user, now=now)
    _publish(tx, [raised], now)
    return raised, codes


async def list_open(tx: Tx, user: str, *, now: datetime, after: str, limit: int) -> list[Session]:
    """Open sessions of a user, in the order in which they were opened."""
    return await store.list_open(tx, user, now=now, after=after, limit=limit)


async def end_one(tx: Tx, session: str, *, of: str | None, by: str, now: datetime) -> Session:
    """End a session; repeated, the first end stands. of: whose it has to be, None: anybody's.

    Raises Unknown.
    """
    kept = await store.find_session(tx, session)
    if kept is None or of not in (None, kept.user):
        raise errors.Unknown(f"there is no session {session}; list the open ones")
    ended = await store.end_session(tx, session, by=by, now=now)
    if ended is None:
        return await _get(tx, session)
    _publish(tx, [ended], now)
    return ended


async def end_all(tx: Tx, user: str, *, but: str | None, by: str, now: datetime) -> int:
    """End all sessions of a user but one; how many there were."""
    ended = await store.end_sessions(tx, user, but=but, by=by, now=now)
    _publish(tx, ended, now)
    return len(ended)


async def note_uses(tx: Tx, sessions: Sequence[str], now: datetime) -> int:
    """Move the idle end of sessions that were used; how many were due. Unknown ones are none."""
    used = await store.use_sessions(tx, sessions, now)
    _publish(tx, used, now)
    return len(used)


async def find_session(tx: Tx, session: str) -> Session | None:
    """A session by id, ended or not."""
    return await store.find_session(tx, session)


async def forget_attempts(tx: Tx, now: datetime, config: Settings) -> None:
    """Forget attempts that count no more."""
    await store.delete_old_attempts(tx, now - timedelta(seconds=config.failures_window_s))


async def _check_code(tx: Tx, user: User, signing: SignIn, ring: Ring) -> bool:
    """Whether a second factor was shown; a user who has one must."""
    if not await second_factors.is_confirmed(tx, user.user):
        return False
    if signing.code is None:
        raise CodeNeeded("send the code of your authenticator, or a recovery code, too")
    now = signing.attempt.at
    if not await second_factors.take_code(tx, user.user, ring, code=signing.code, now=now):
        raise SignInRefused("login, password or code are not right; check them and try again")
    return True


async def _get(tx: Tx, session: str) -> Session:
    kept = await store.find_session(tx, session)
    if kept is None:
        raise errors.Unknown(f"there is no session {session}; sign in again")
    return kept


def _publish(tx: Tx, sessions: Sequence[Session], now: datetime) -> None:
    """Have gateways know the newest version of sessions."""
    for session in sessions:
        data = session.published()
        event = envelope.Envelope(
            id=envelope.derive_id(f"{data.session}@{data.version}", "session-changed.v1"),
            type="session-changed.v1",
            key=data.session,
            occurred_at=now,
            accepted_at=now,
            data=data,
        )
        outbox.add(tx, [outbox.message(topics.IDENTITY_SESSIONS, event)])


def plain_id(session: str) -> str:
    """The id of a session as its token has it, in the form of the tables. Raises Unknown."""
    try:
        return str(uuid.UUID(hex=session))
    except ValueError as error:
        raise errors.Unknown("there is no such session; sign in again") from error
