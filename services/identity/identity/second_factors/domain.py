"""Rules of one-time codes (TOTP, RFC 6238) and of recovery codes."""

import base64
import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from contracts.text import fold_number
from kit.base import errors

ISSUER: Final = "Peyvand"
SECRET_BYTES: Final = 20  # as long as the hash that uses it (RFC 4226, 4)
STEP_S: Final = 30
DIGITS: Final = 6
STEPS_AROUND: Final = 1  # of a clock that is ahead or behind, and of a slow hand
RECOVERY_BYTES: Final = 10  # 16 letters of base32
_CODE: Final = re.compile("[0-9]{6}")
_RECOVERY: Final = re.compile("[A-Z2-7]{16}")


class CodeRefused(errors.Forbidden):
    """Not the code of this moment, or one that was used."""

    code = "code-refused"
    fa = "این رمز یک‌بارمصرف درست نیست یا به کار رفته است؛ رمز بعدی را بفرستید."


class EnrolmentTooLate(errors.Forbidden):
    """A first second factor long after the invitation: a stolen password must not suffice."""

    code = "enrolment-too-late"
    fa = "مهلت ساختن عامل دوم گذشته است؛ از گردانندهٔ شبکه دعوت تازه‌ای بخواهید."


@dataclass(frozen=True, slots=True)
class Factor:
    """A second factor of a user. last_step: of the last code that was taken."""

    factor: str
    user: str
    sealed: bytes
    enrolled_at: datetime
    confirmed_at: datetime | None = None
    last_step: int = 0


def uri_of(secret: bytes, login: str) -> str:
    """What an authenticator reads, as text or as a QR code; it holds the secret."""
    return _totp(secret).get_provisioning_uri(login, ISSUER)


def code_at(secret: bytes, step: int) -> str:
    """The code of a step of 30 s since the epoch."""
    return _totp(secret).generate(step * STEP_S).decode()


def match_step(secret: bytes, code: str, now: datetime, last_step: int) -> int | None:
    """The step whose code this is, of those around now and after the last one that was taken.

    None where there is none: each code is good once, and none before one that was used.
    """
    present = int(now.timestamp()) // STEP_S
    for step in range(present - STEPS_AROUND, present + STEPS_AROUND + 1):
        if step > last_step and hmac.compare_digest(code_at(secret, step), code):
            return step
    return None


def is_one_time(code: str) -> bool:
    """Whether a folded code is one of an authenticator."""
    return _CODE.fullmatch(code) is not None


def fold(code: str) -> str:
    """One spelling of a code: digits of every script, no blanks and dashes, capital letters.

    Raises CodeRefused where it can be neither kind.
    """
    try:
        folded = fold_number(code).upper()
    except ValueError as error:
        raise CodeRefused(str(error)) from error
    if not is_one_time(folded) and _RECOVERY.fullmatch(folded) is None:
        raise CodeRefused("send six digits of your authenticator, or a whole recovery code")
    return folded


def recovery_code(random: bytes) -> str:
    """A recovery code of 10 random bytes, as a person copies it: XXXX-XXXX-XXXX-XXXX."""
    letters = base64.b32encode(random).decode()
    return "-".join(letters[at : at + 4] for at in range(0, len(letters), 4))


def recovery_digests(codes: Sequence[str]) -> list[str]:
    """Hex SHA-256 of recovery codes: 80 random bits need no slow hash (platform reference 9)."""
    return [hashlib.sha256(fold(code).encode()).hexdigest() for code in codes]


def refuse_late(accepted_at: datetime | None, now: datetime, *, within_s: int) -> None:
    """Raise EnrolmentTooLate where no invitation was accepted within these seconds before now."""
    if accepted_at is None or now > accepted_at + timedelta(seconds=within_s):
        raise EnrolmentTooLate(
            "a first second factor is enrolled soon after an invitation; ask for a new one"
        )


def _totp(secret: bytes) -> TOTP:
    return TOTP(secret, DIGITS, SHA1(), STEP_S)  # noqa: S303  what every authenticator knows
