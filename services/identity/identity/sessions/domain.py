"""Rules of sessions: their tokens, their ends, and how many attempts may fail."""

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from contracts.identity import Session as Published
from kit.base import errors


class SignInRefused(errors.Unauthorized):
    """One answer for an unknown login, a wrong password or code, and a user who is stopped."""

    code = "sign-in-refused"
    fa = "نام ورود، گذرواژه یا رمز یک‌بارمصرف درست نیست؛ بررسی کنید و دوباره بفرستید."


class CodeNeeded(errors.Unauthorized):
    """The password is right, and this user signs in with a second factor."""

    code = "code-needed"
    fa = "رمز یک‌بارمصرف هم لازم است؛ رمز رمزساز خود یا یکی از رمزهای بازیابی را بفرستید."


class TooManyAttempts(errors.TooMany):
    """Too many attempts failed of late; known and unknown logins alike."""

    code = "too-many-attempts"
    fa = "تلاش‌های ناموفق بیش از اندازه بود؛ چند دقیقه درنگ کنید و دوباره بفرستید."


@dataclass(frozen=True, slots=True)
class Session:
    """A session of a user. used_at: of its last use, within a quarter of the idle time.

    withheld: roles of the user that a second factor would add.
    """

    session: str
    user: str
    version: int
    sha256: str
    roles: tuple[str, ...]
    withheld: tuple[str, ...]
    device: str
    address: str
    opened_at: datetime
    used_at: datetime
    idle_s: int
    idle_ends_at: datetime
    ends_at: datetime
    ended_at: datetime | None = None
    ended_by: str | None = None

    def published(self) -> Published:
        """The session as gateways know it."""
        return Published(
            session=self.session.replace("-", ""),
            version=self.version,
            sha256=self.sha256,
            user=self.user,
            roles=self.roles,
            withheld=self.withheld,
            idle_s=self.idle_s,
            idle_ends_at=self.idle_ends_at,
            ends_at=self.ends_at,
            ended=self.ended_at is not None,
        )

    def raised(self) -> "Session":
        """The next version, with all that its user may do."""
        roles = tuple(sorted({*self.roles, *self.withheld}))
        return replace(self, version=self.version + 1, roles=roles, withheld=())


def token_of(session: str, secret: str) -> str:
    """The whole token that a person holds; secret: 256 random bits in URL-safe text."""
    return f"pvs_{session.replace('-', '')}_{secret}"


def digest(secret: str) -> str:
    """Hex SHA-256 of a token's secret part: long and random, it needs no slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt to sign in. login: folded, known or not."""

    login: str
    address: str
    at: datetime

    @property
    def login_sha256(self) -> bytes:
        """What is kept of the login: it may be any text, or somebody's mobile number."""
        return hashlib.sha256(self.login.encode()).digest()


@dataclass(frozen=True, slots=True)
class Failures:
    """Attempts that failed, or are not decided yet, within the window; and the oldest of them."""

    count: int
    oldest_at: datetime | None


def wait_s(
    failures: tuple[Failures, ...], limits: tuple[int, ...], now: datetime, *, window_s: int
) -> int:
    """Seconds until one more attempt may be made: 0 now. limits: of each count in its place."""
    waits = [0]
    for counted, limit in zip(failures, limits, strict=True):
        if counted.count >= limit and counted.oldest_at is not None:
            left = counted.oldest_at + timedelta(seconds=window_s) - now
            waits.append(max(1, int(left.total_seconds()) + 1))
    return max(waits)
