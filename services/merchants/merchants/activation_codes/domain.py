"""Rules of activation codes: sixteen digits with a check digit, good for one device."""

import hashlib
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from contracts.members import luhn_check_digit, luhn_valid
from contracts.values import ascii_digits
from kit.base import errors

DIGITS: Final = 16  # fifteen at random and the check digit of ISO/IEC 7812-1
LIFE: Final = timedelta(hours=24)
REDEMPTIONS_MAX: Final = 5  # by one device, whose answers were lost
_BLANKS: Final = str.maketrans("", "", " -\u200c\u200f\u200e")


class BadActivationCode(errors.Invalid):
    """No code that was ever issued: a digit was mistyped. It counts as no attempt."""

    code = "bad-activation-code"
    fa = "کد فعال‌سازی شانزده رقم است و یکی از رقم‌ها درست وارد نشده؛ دوباره وارد کنید."


class ActivationCodeUnknown(errors.Forbidden):
    """A code that is none, has ended, or was redeemed by another device."""

    code = "activation-code-unknown"
    fa = "این کد فعال‌سازی شناخته نیست، به کار رفته یا مهلتش گذشته است؛ کد تازه‌ای بخواهید."


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivationCode:
    """A code of a terminal. overlap_s: how long the keys before it stay good, in seconds.

    device: the one that redeemed it. redeemed: how many times.
    """

    code_id: str
    terminal: int
    sha256: str
    overlap_s: int
    issued_by: str
    issued_at: datetime
    ends_at: datetime
    ended_at: datetime | None = None
    device: str | None = None
    redeemed: int = 0

    def is_good(self, device: str, now: datetime) -> bool:
        """Whether this device may redeem it now: the first that does, and after it no other."""
        open_now = self.ended_at is None and now < self.ends_at
        return open_now and self.device in (None, device) and self.redeemed < REDEMPTIONS_MAX

    def activation(self) -> uuid.UUID:
        """The terminal's activation that its next redemption makes."""
        return uuid.uuid5(uuid.UUID(self.code_id), str(self.redeemed))


def code_of(number: int) -> str:
    """The code of a random number below 10 ** 15."""
    body = f"{number:015d}"
    return body + luhn_check_digit(body)


def grouped(code: str) -> str:
    """A code as people read it out: four groups of four."""
    return " ".join(code[start : start + 4] for start in range(0, DIGITS, 4))


def normalised(text: str) -> str:
    """The sixteen digits of what somebody typed: digits of any script, blanks and hyphens.

    Raises BadActivationCode.
    """
    code = ascii_digits(text).translate(_BLANKS)
    if len(code) != DIGITS or not (code.isascii() and code.isdigit()) or not luhn_valid(code):
        raise BadActivationCode("a code has sixteen digits, and one of these is mistyped")
    return code


def digest(code: str) -> str:
    """Hex SHA-256 of a code: it is good for a day, and tries of it are limited at the gateway."""
    return hashlib.sha256(code.encode()).hexdigest()
