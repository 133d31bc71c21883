"""Rules of API keys: their names, their rights, their ends."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from contracts.identity import ApiKey as Published
from contracts.text import fold_code
from identity.settings import API_KEY_DAYS_MAX, GRANTS_MAX
from kit.base import errors
from kit.base.auth import MERCHANT, PARTY, Role

ENROL_FOR: Final = "enrol:"  # and the party's number: enrols members of that party alone
NUMBER_MAX: Final = 2**31 - 1
_SCOPED: Final = re.compile(f"({MERCHANT}|{PARTY}|{ENROL_FOR})([1-9][0-9]{{0,9}})")
_NAME: Final = re.compile("[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")


class BadKeyName(errors.Invalid):
    """A name of a program that is none."""

    code = "bad-key-name"
    fa = "نام کلید تا ۴۰ نویسه از حرف‌های کوچک انگلیسی، رقم و خط تیره است."


class BadKeyRole(errors.Invalid):
    """A right that no program has."""

    code = "bad-key-role"
    fa = "این حق را به کلید نرم‌افزار نمی‌توان داد؛ فهرست حق‌ها را با مستندات بسنجید."


class BadKeyEnd(errors.Invalid):
    """An end that has passed, or is too far."""

    code = "bad-key-end"
    fa = "پایان کلید باید در آینده و تا یک سال دیگر باشد."


class KeyEnded(errors.Conflict):
    """A key that has ended has no successor."""

    code = "key-ended"
    fa = "این کلید پایان یافته یا جانشین دارد؛ کلید تازه‌ای بسازید."


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key of a program. successor: the key that took its place. used_at: within an hour."""

    key: str
    name: str
    roles: tuple[str, ...]
    version: int
    sha256: str
    issued_by: str
    issued_at: datetime
    ends_at: datetime
    first_ends_at: datetime
    successor: str | None = None
    used_at: datetime | None = None

    def published(self) -> Published:
        """The key as gateways know it."""
        return Published(
            key=self.key.replace("-", ""),
            version=self.version,
            sha256=self.sha256,
            program=self.name,
            roles=self.roles,
            ends_at=self.ends_at,
        )

    def is_repeat(self, other: "ApiKey") -> bool:
        """Whether another issues the same key, whatever became of this one since."""
        mine = (self.name, self.roles, self.first_ends_at)
        return mine == (other.name, other.roles, other.first_ends_at)


def key_text(key: str, secret: str) -> str:
    """The whole key that a program holds; secret: 256 random bits in URL-safe text."""
    return f"pvk_{key.replace('-', '')}_{secret}"


def digest(secret: str) -> str:
    """Hex SHA-256 of a key's secret part: long and random, it needs no slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()


def checked_name(text: str) -> str:
    """The name of a program, as the trail has it. Raises BadKeyName."""
    try:
        name = fold_code(text)
    except ValueError as error:
        raise BadKeyName(str(error)) from error
    if _NAME.fullmatch(name) is None:
        raise BadKeyName("a name has up to 40 of a-z, 0-9 and -, such as shop-sync")
    return name


def checked_roles(roles: Iterable[str]) -> tuple[str, ...]:
    """Rights of a program, in order. Raises BadKeyRole.

    A role of the network but `users`, which people have alone; `merchant:5`, which reads that
    merchant's own; `party:5`, which conducts that party's disputes; or `enrol:5`, which enrols
    members of that party, one of them at most.
    """
    folded = {_role(role) for role in roles}
    parties = [role for role in folded if role.startswith(ENROL_FOR)]
    if not folded or len(folded) > GRANTS_MAX or len(parties) > 1:
        raise BadKeyRole(f"give one to {GRANTS_MAX} roles, and enrol for one party at most")
    return tuple(sorted(folded))


def checked_end(ends_at: datetime, now: datetime) -> datetime:
    """An end of a key. Raises BadKeyEnd."""
    if not now < ends_at <= now + timedelta(days=API_KEY_DAYS_MAX):
        raise BadKeyEnd(f"a key ends within {API_KEY_DAYS_MAX} days from now; give another end")
    return ends_at


def _role(text: str) -> str:
    try:
        role = fold_code(text)
    except ValueError as error:
        raise BadKeyRole(str(error)) from error
    scoped = _SCOPED.fullmatch(role)
    if scoped is not None and int(scoped[2]) <= NUMBER_MAX:
        return role
    if role not in frozenset(Role) or role == Role.USERS:
        raise BadKeyRole(f"{role[:40]!r} is no right of a program")
    return role
