"""Rules of invitations: their tokens, and when one is good."""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from kit.base import errors

_TOKEN: Final = re.compile("pvi_[A-Za-z0-9_-]{43}")


class InvitationUnknown(errors.Forbidden):
    """A token that is none, has ended, was replaced or used, or whose user is stopped."""

    code = "invitation-unknown"
    fa = "این دعوت شناخته نیست، به کار رفته یا مهلتش گذشته است؛ دعوت تازه‌ای بخواهید."


@dataclass(frozen=True, slots=True)
class Invitation:
    """An invitation of a user. ended_at: when a newer one took its place."""

    invitation: str
    user: str
    sha256: str
    issued_by: str
    issued_at: datetime
    ends_at: datetime
    ended_at: datetime | None = None
    accepted_at: datetime | None = None

    def is_good(self, now: datetime) -> bool:
        """Whether it can be accepted."""
        return self.ended_at is None and self.accepted_at is None and now < self.ends_at


def token_of(secret: str) -> str:
    """The whole token; secret: 256 random bits in URL-safe text."""
    return f"pvi_{secret}"


def digest(token: str) -> str:
    """Hex SHA-256 of a token: long and random, it needs no slow hash."""
    return hashlib.sha256(token.encode()).hexdigest()


def is_token(text: str) -> bool:
    """Whether a text has the form of a token."""
    return _TOKEN.fullmatch(text) is not None
